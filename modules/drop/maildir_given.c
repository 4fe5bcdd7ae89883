/*
 * maildir_given.c - unique-ids that messages brought along from another server.
 *
 * Runs in: popper-session, as the user.
 *
 * Where the other server's ids lie in a list of its own, the list is taken over
 * the first time it is seen, into the file "uids" of the state folder (pins.h),
 * and never looked at again: whatever becomes of the list, the ids stay, and a
 * message that came later keeps popper's own.  popperctl puts ids there, too.
 * Where ids come from file names nothing is kept.
 *
 * No two messages get the same id: one that is not legal, or that another
 * message has, is replaced by popper's own.
 */
#define _GNU_SOURCE
#include "maildir_foreign.h"
#include "pins.h"

#define PINS_MAILDIR "maildir" /* we, in the file "uids" */
#define LIST_MAX ((off_t)256 << 20) /* octets */
#define SPARE_PINS 1000 /* of messages that are gone */

struct maildir_given {
	bool found; /* all below is known; else the pins only */
	size_t count; /* of messages */
	size_t *at; /* per message: where in ${texts}, or 0 */
	unsigned char *kept; /* per message: 1 if a pin says so */
	char *texts;
	size_t used, room;
	unsigned refused;
	struct pins pins;
};

static int
no_memory(const struct maildir *m, struct popper_error *error)
{
	return m->host->fail(
	    error, POPPER_TEMPORARY, "maildir %s: out of memory", m->path);
}

/* The base, with "%XX" for what cannot stand in a line. */
static void
make_key(struct popper_slice base, char key[MAILDIR_KEY_ROOM])
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;

	for (size_t i = 0; i < base.len && i < 255; i++) {
		c = (unsigned char)base.ptr[i];
		if (c >= 0x20 && c <= 0x7e && c != '%') {
			*key++ = (char)c;
			continue;
		}
		*key++ = '%';
		*key++ = hex[c >> 4];
		*key++ = hex[c & 15];
	}
	if (base.len == 0)
		*key++ = '%';
	*key = '\0';
}

void
maildir_key(const struct maildir *m, size_t i, char key[MAILDIR_KEY_ROOM])
{
	make_key(maildir_base(&m->list, &m->list.records[i]), key);
}

/* --- Taking a list over. --- */

struct taking {
	struct maildir_taker taker;
	const struct pins *pins; /* there were */
	FILE *lines;
};

static int
take_line(struct maildir_taker *t, struct popper_slice base, const char *uid)
{
	struct taking *k = (struct taking *)t;
	char key[MAILDIR_KEY_ROOM];
	size_t at;

	make_key(base, key);
	at = pins_find(k->pins, key);
	if (at < k->pins->count && strcmp(k->pins->list[at].key, key) == 0)
		return 0; /* an import goes before */
	return fprintf(k->lines, "%s - %s\n", uid, key) < 0 ? -1 : 0;
}

/* The list's lines as pins.  Returns as maildir_courier does. */
static int
read_list(const struct maildir *m, const char *list, struct taking *k)
{
	struct pins *pins = &m->given->pins;
	size_t size;
	char *text = NULL;
	uint32_t line = (uint32_t)pins->count;
	int result;

	if ((k->lines = open_memstream(&text, &size)) == NULL)
		return -1;
	if (strcmp(m->conf->unique_id, "courier") == 0)
		result = maildir_courier(list, &k->taker);
	else
		result =
		    maildir_dovecot(list, m->conf->dovecot_format, &k->taker);
	if (fclose(k->lines) != 0)
		result = -1;
	if (text == NULL || pins_adopt(pins, text) == -1)
		return -1;
	if (result == 0)
		result = pins_add_lines(pins, text, "", &line);
	return result;
}

/* The other server's list, or NULL with errno. */
static char *
open_list(const struct maildir *m, const char *name)
{
	char *text;
	int fd = openat(
	    m->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return NULL;
	text = pins_slurp(fd, LIST_MAX);
	(void)close(fd);
	return text;
}

static void
save_pins(const struct maildir *m)
{
	if (m->state != -1 && pins_write(&m->given->pins, m->state) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: cannot write the state file " PINS_FILE
		    ": %s; make room there before the other server's list is "
		    "removed",
		    m->path, strerror(errno));
}

static int
take_list(struct maildir *m, const char *name, struct popper_error *error)
{
	struct taking k = { .taker.take = take_line, .pins = &m->given->pins };
	size_t before = m->given->pins.count;
	char *list = open_list(m, name), bad[64] = "";
	int result;

	if (list == NULL && errno == ENOENT)
		return 0; /* a user who was never there */
	if (list == NULL)
		return m->host->fail_system(error, POPPER_PERMANENT,
		    "maildir %s: unique-id = %s, and %s cannot be read: make "
		    "it a readable text file of the user, or remove it",
		    m->path, m->conf->unique_id, name);
	result = read_list(m, list, &k);
	free(list);
	if (result == -1)
		return no_memory(m, error);
	if (result == 1)
		return m->host->fail(error, POPPER_PERMANENT,
		    "maildir %s: %s is of a version that has no unique-ids; "
		    "let the other server write it anew, or remove it",
		    m->path, name);
	pins_sort(&m->given->pins);
	if (m->looking)
		return 0;
	if (pins_set_taken(&m->given->pins, PINS_MAILDIR, m->conf->unique_id))
		save_pins(m);
	if (k.taker.bad > 0)
		(void)snprintf(bad, sizeof(bad),
		    "; %u of its lines are no good", k.taker.bad);
	m->host->log(POPPER_LOG_INFO,
	    "maildir %s: took %zu unique-ids from %s%s", m->path,
	    m->given->pins.count - before, name, bad);
	return 0;
}

/* --- Which message has which. --- */

static int
keep_text(struct maildir_given *g, size_t i, const char *text)
{
	size_t len = strlen(text) + 1, room = g->room == 0 ? 4096 : g->room;
	char *texts;

	if (g->used == 0)
		g->used = 1; /* 0 means none */
	while (room < g->used + len)
		room *= 2;
	if (room != g->room) {
		if ((texts = realloc(g->texts, room)) == NULL)
			return -1;
		g->texts = texts;
		g->room = room;
	}
	memcpy(g->texts + g->used, text, len);
	g->at[i] = g->used;
	g->used += len;
	return 0;
}

static int
find_all(struct maildir *m)
{
	struct maildir_given *g = m->given;
	char key[MAILDIR_KEY_ROOM], uid[POPPER_UID_MAX + 1];
	const struct pin *pin;

	for (size_t i = 0; i < g->count; i++) {
		pin = NULL;
		if (g->pins.count > 0) {
			maildir_key(m, i, key);
			pin = pins_take(&g->pins, key);
			g->kept[i] = pin != NULL;
		}
		if (pin == NULL &&
		    !maildir_foreign_name(m->conf->unique_id,
			maildir_base(&m->list, &m->list.records[i]), uid))
			continue;
		if (pin == NULL && *uid == '\0')
			g->refused++;
		else if (keep_text(g, i, pin == NULL ? uid : pin->uid) == -1)
			return -1;
	}
	return 0;
}

static int
compare(const void *va, const void *vb, void *arg)
{
	const struct maildir_given *g = arg;
	size_t a = *(const size_t *)va, b = *(const size_t *)vb;
	int order = strcmp(g->texts + g->at[a], g->texts + g->at[b]);

	return order != 0 ? order : (a > b) - (a < b);
}

/* The messages that brought an id, by id and then in order. */
static size_t
sort_given(struct maildir_given *g, size_t *list)
{
	size_t i, n = 0;

	for (i = 0; i < g->count; i++)
		if (g->at[i] != 0)
			list[n++] = i;
	qsort_r(list, n, sizeof(*list), compare, g);
	return n;
}

static void
refuse(struct maildir_given *g, size_t i)
{
	g->at[i] = 0;
	g->refused++;
}

/* The message among ${list} that has the id ${uid}, or SIZE_MAX. */
static size_t
holder(const struct maildir_given *g, const size_t *list, size_t n,
    const char *uid)
{
	size_t low = 0, middle;
	int order;

	while (low < n) {
		middle = low + (n - low) / 2;
		order = strcmp(g->texts + g->at[list[middle]], uid);
		if (order == 0)
			return list[middle];
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return SIZE_MAX;
}

/* Nobody has an id that another one brought, or that popper would give to
 * another one. */
static int
make_unique(struct maildir *m)
{
	struct maildir_given *g = m->given;
	size_t *list = calloc(g->count + 1, sizeof(*list));
	size_t n, i, k, kept = 1;
	char uid[POPPER_UID_MAX + 1];

	if (list == NULL)
		return -1;
	n = sort_given(g, list);
	for (k = 1; k < n; k++) {
		if (strcmp(g->texts + g->at[list[kept - 1]],
			g->texts + g->at[list[k]]) == 0)
			refuse(g, list[k]);
		else
			list[kept++] = list[k];
	}
	n = n == 0 ? 0 : kept;
	for (i = 0; n > 0 && i < g->count; i++) {
		maildir_native_uid(m, i, uid);
		if (g->at[i] != 0 && strcmp(g->texts + g->at[i], uid) == 0)
			continue;
		k = holder(g, list, n, uid);
		if (k != SIZE_MAX && k != i) {
			n = 0; /* ${list} is not true any more */
			refuse(g, k);
			n = sort_given(g, list);
		}
	}
	free(list);
	return 0;
}

/* Forget the pins of messages that are gone, once they are most. */
static void
tidy(struct maildir *m)
{
	struct pins *p = &m->given->pins;
	size_t used = 0, i;

	for (i = 0; i < p->count; i++)
		used += p->list[i].used;
	/* What lies in the trash may come back. */
	if (m->looking || m->odd > 0 || m->trash > 0 ||
	    p->count - used <= used + SPARE_PINS)
		return;
	for (i = 0, used = 0; i < p->count; i++)
		if (p->list[i].used)
			p->list[used++] = p->list[i];
	p->count = used;
	save_pins(m);
}

static bool
is_listed(const char *scheme, const char **name)
{
	*name = strcmp(scheme, "courier") == 0 ? "courierpop3dsizelist"
					       : "dovecot-uidlist";
	return strcmp(scheme, "courier") == 0 || strcmp(scheme, "dovecot") == 0;
}

/* Does the scheme give no id to anybody? */
static bool
is_own(const char *scheme)
{
	return strcmp(scheme, "popper") == 0 || strcmp(scheme, "native") == 0;
}

static int
find(struct maildir *m, struct popper_error *error)
{
	struct maildir_given *g = m->given;
	const char *name, *scheme = m->conf->unique_id;

	if (is_listed(scheme, &name) &&
	    !pins_has_taken(&g->pins, PINS_MAILDIR, scheme) &&
	    take_list(m, name, error) == -1)
		return -1;
	if (g->pins.count == 0 && is_own(scheme)) {
		maildir_note_scheme(m, &g->pins, NULL);
		return 0; /* none of them */
	}
	g->count = m->list.count;
	if ((g->at = calloc(g->count + 1, sizeof(*g->at))) == NULL ||
	    (g->kept = calloc(g->count + 1, 1)) == NULL || find_all(m) == -1 ||
	    make_unique(m) == -1)
		return no_memory(m, error);
	tidy(m);
	maildir_note_scheme(m, &g->pins, g->kept);
	if (g->refused > 0 && !m->indexed)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: %u messages cannot have the unique-id of "
		    "unique-id = %s: it is none by RFC 1939, or another's; "
		    "they have popper's own",
		    m->path, g->refused, scheme);
	return 0;
}

/* Read the pins, once. */
static int
begin(struct maildir *m, struct popper_error *error)
{
	if (m->given != NULL)
		return 0;
	if ((m->given = calloc(1, sizeof(*m->given))) == NULL)
		return no_memory(m, error);
	if (m->state == -1 || pins_read(&m->given->pins, m->state) != -1)
		return 0;
	(void)m->host->fail_system(error, POPPER_PERMANENT,
	    "maildir %s: the state file " PINS_FILE " cannot be read or is "
	    "damaged; put it right, or remove it and import the unique-ids "
	    "again",
	    m->path);
	maildir_given_free(m);
	return -1;
}

int
maildir_given_none(struct maildir *m, bool *none, struct popper_error *error)
{
	if (begin(m, error) == -1)
		return -1;
	/* A scheme that is noted there is another one, which has ended. */
	*none = is_own(m->conf->unique_id) && m->given->pins.count == 0 &&
	    m->given->pins.scheme[0] == '\0';
	return 0;
}

int
maildir_given_find(struct maildir *m, struct popper_error *error)
{
	if (begin(m, error) == -1)
		return -1;
	if (m->given->found)
		return 0;
	if (find(m, error) == 0) {
		m->given->found = true;
		return 0;
	}
	maildir_given_free(m);
	return -1;
}

const char *
maildir_given_uid(const struct maildir *m, size_t i)
{
	const struct maildir_given *g = m->given;

	return g == NULL || i >= g->count || g->at[i] == 0
	    ? NULL
	    : g->texts + g->at[i];
}

void
maildir_given_free(struct maildir *m)
{
	if (m->given == NULL)
		return;
	pins_free(&m->given->pins);
	free(m->given->at);
	free(m->given->kept);
	free(m->given->texts);
	free(m->given);
	m->given = NULL;
}
