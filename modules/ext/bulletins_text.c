/*
 * bulletins_text.c - a bulletin as one user gets it.
 *
 * Runs in: the session, as the user.
 *
 * A line "From " at the top goes; in the header Status and X-UIDL go and To
 * becomes the user's address, each with its continuation lines.  All else
 * stays octet for octet, so what is made of a file is only as long as a user's
 * name longer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulletins.h"

#define PIECE 16384
#define START_MAX 64 /* octets of a line that may decide what it is */

enum state {
	LINE_START, /* collecting what decides */
	KEEP, /* the rest of a line of the header */
	DROP,
	REPLACE, /* drop it up to its line end */
	BODY
};

struct text {
	struct popper_sink *next;
	const char *to;
	enum state state;
	enum state field; /* what the field's first line was */
	bool first; /* the very first line */
	bool cr; /* the octet before was CR */
	size_t len;
	char start[START_MAX];
};

static int
put(struct text *t, const char *octets, size_t len)
{
	return len == 0 ? 0 : t->next->put(t->next, popper_slice(octets, len));
}

/* Is the start of the line "name:", blanks before the colon allowed?  */
static bool
is_field(const struct text *t, const char *name)
{
	size_t n = strlen(name);

	if (t->len <= n || strncasecmp(t->start, name, n) != 0)
		return false;
	while (n < t->len && (t->start[n] == ' ' || t->start[n] == '\t'))
		n++;
	return n < t->len && t->start[n] == ':';
}

static bool
begins(const struct text *t, const char *with)
{
	size_t n = strlen(with);

	return t->len >= n && memcmp(t->start, with, n) == 0;
}

/* What to do with the line whose start was collected. */
static enum state
judge(struct text *t)
{
	if (t->first && begins(t, "From "))
		return DROP;
	if (t->start[0] == ' ' || t->start[0] == '\t')
		return t->field == KEEP ? KEEP : DROP;
	if (is_field(t, "To"))
		t->field = REPLACE;
	else if (is_field(t, "Status") || is_field(t, "X-UIDL"))
		t->field = DROP;
	else
		t->field = KEEP;
	return t->field;
}

static int
decide(struct text *t)
{
	int said = 0;

	t->state = judge(t);
	t->first = false;
	if (t->state == KEEP)
		said = put(t, t->start, t->len);
	if (t->state == REPLACE && (said = put(t, "To: ", 4)) == 0)
		said = put(t, t->to, strlen(t->to));
	t->len = 0;
	return said;
}

static int
end_line(struct text *t)
{
	int said = 0;

	if (t->state == REPLACE)
		said = t->cr ? put(t, "\r\n", 2) : put(t, "\n", 1);
	t->state = LINE_START;
	t->len = 0;
	return said;
}

/* One octet of a line's start. */
static int
collect(struct text *t, char c)
{
	int said = 0;

	if (c == '\n' && (t->len == 0 || (t->len == 1 && t->cr))) {
		/* The empty line that ends the header. */
		said = put(t, t->start, t->len);
		t->state = BODY;
		return said != 0 ? said : put(t, "\n", 1);
	}
	if (c != '\n')
		t->start[t->len++] = c;
	if (c == '\n' || c == ':' || t->len == START_MAX)
		said = decide(t);
	if (said == 0 && c == '\n') {
		if (t->state == KEEP)
			said = put(t, "\n", 1);
		if (said == 0)
			said = end_line(t);
	}
	return said;
}

/* A piece of a line of which is known what becomes of it. */
static int
pass(struct text *t, const char *at, size_t len, size_t *used)
{
	const char *lf = memchr(at, '\n', len);
	int said = 0;

	*used = lf == NULL ? len : (size_t)(lf - at) + 1;
	if (t->state == KEEP)
		said = put(t, at, *used);
	if (lf != NULL && lf > at)
		t->cr = lf[-1] == '\r';
	else if (lf == NULL)
		t->cr = at[len - 1] == '\r';
	if (said == 0 && lf != NULL)
		said = end_line(t);
	return said;
}

static int
feed(struct text *t, const char *at, size_t len)
{
	size_t used;
	int said = 0;

	for (; len > 0 && said == 0; at += used, len -= used) {
		used = 1;
		if (t->state == BODY) {
			used = len;
			said = put(t, at, len);
		} else if (t->state == LINE_START) {
			said = collect(t, *at);
			t->cr = *at == '\r';
		} else {
			said = pass(t, at, len, &used);
		}
	}
	return said;
}

/* What is left of a last line without its end. */
static int
finish(struct text *t)
{
	return t->state == LINE_START && t->len > 0 ? decide(t) : 0;
}

/* --- Sinks. --- */

struct counter {
	struct popper_sink sink;
	uint64_t octets;
	char last;
};

static int
count(struct popper_sink *sink, struct popper_slice s)
{
	struct counter *c = (struct counter *)sink;

	c->octets += s.len;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n' && c->last != '\r')
			c->octets++;
		c->last = s.ptr[i];
	}
	return 0;
}

struct skipper {
	struct popper_sink sink;
	struct popper_sink *next;
	uint64_t skip;
};

static int
skip(struct popper_sink *sink, struct popper_slice s)
{
	struct skipper *k = (struct skipper *)sink;
	uint64_t n = k->skip < s.len ? k->skip : s.len;

	k->skip -= n;
	if (n == s.len)
		return 0;
	return k->next->put(k->next, popper_slice(s.ptr + n, s.len - n));
}

/* --- Files. --- */

/* 0, 1 if the sink had enough, -1 with errno, or with 0 if the sink failed. */
static int
run(const struct bulletins *b, int fd, struct popper_sink *sink)
{
	struct text t = { .next = sink, .to = b->to, .first = true };
	uint64_t total = 0;
	char piece[PIECE];
	int said = 0;
	ssize_t n;

	t.state = LINE_START;
	t.field = KEEP;
	while (said == 0) {
		n = read(fd, piece, sizeof(piece));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		total += (uint64_t)n;
		if (total > b->conf->max_size) {
			errno = EFBIG;
			return -1;
		}
		said = feed(&t, piece, (size_t)n);
	}
	if (said == 0)
		said = finish(&t);
	if (said == -1)
		errno = 0;
	return said;
}

static void
remember(struct bulletins_shown *s, const struct stat *st)
{
	s->device = (uint64_t)st->st_dev;
	s->inode = (uint64_t)st->st_ino;
	s->size = (uint64_t)st->st_size;
	s->mtime[0] = st->st_mtim.tv_sec;
	s->mtime[1] = st->st_mtim.tv_nsec;
}

static bool
is_same(const struct bulletins_shown *s, const struct stat *st)
{
	return s->device == (uint64_t)st->st_dev &&
	    s->inode == (uint64_t)st->st_ino &&
	    s->size == (uint64_t)st->st_size &&
	    s->mtime[0] == st->st_mtim.tv_sec &&
	    s->mtime[1] == st->st_mtim.tv_nsec;
}

static int
fail(const struct bulletins *b, const struct bulletins_entry *entry,
    struct popper_error *e)
{
	const char *remedy = "";

	if (errno == ELOOP)
		remedy = " (links are not followed: put a copy there)";
	else if (errno == EACCES)
		remedy = " (every user must be able to read it: chmod 644)";
	else if (errno == EFBIG)
		remedy = " (larger than max-size)";
	else if (errno == EINVAL)
		remedy = " (not a regular file)";
	return b->host->fail_system(e, POPPER_TEMPORARY, "bulletin %s/%s%s",
	    b->conf->directory, entry->name, remedy);
}

int
bulletins_measure(
    struct bulletins *b, struct bulletins_shown *s, struct popper_error *e)
{
	struct counter c = { .sink = { count } };
	struct stat st;
	uint64_t size;
	int fd, said;

	fd = bulletins_file_open(b->folder.fd, s->entry->name, &size);
	if (fd == -1)
		return fail(b, s->entry, e);
	if (size > b->conf->max_size) {
		(void)close(fd);
		errno = EFBIG;
		return fail(b, s->entry, e);
	}
	said = fstat(fd, &st) == -1 ? -1 : run(b, fd, &c.sink);
	if (said == -1)
		(void)fail(b, s->entry, e);
	(void)close(fd);
	if (said == -1)
		return -1;
	if (c.octets == 0)
		return b->host->fail(e, POPPER_TEMPORARY,
		    "bulletin %s/%s: empty", b->conf->directory,
		    s->entry->name);
	s->octets = c.octets + (c.last == '\n' ? 0 : 2);
	remember(s, &st);
	return 0;
}

int
bulletins_pour(struct bulletins *b, const struct bulletins_shown *s,
    uint64_t offset, struct popper_sink *sink, struct popper_error *e)
{
	struct skipper k = { .sink = { skip }, .next = sink, .skip = offset };
	struct stat st;
	uint64_t size;
	int fd, said;

	fd = bulletins_file_open(b->folder.fd, s->entry->name, &size);
	if (fd == -1)
		return fail(b, s->entry, e);
	if (fstat(fd, &st) == -1 || !is_same(s, &st)) {
		(void)close(fd);
		return b->host->fail(e, POPPER_TEMPORARY,
		    "bulletin %s/%s was changed during the session; the next "
		    "one gets it as it is now",
		    b->conf->directory, s->entry->name);
	}
	said = run(b, fd, &k.sink);
	if (said == -1 && errno != 0)
		(void)fail(b, s->entry, e);
	else if (said == -1)
		(void)b->host->fail(
		    e, POPPER_TEMPORARY, "bulletins: the reader failed");
	(void)close(fd);
	return said == -1 ? -1 : 0;
}

/* --- The address. --- */

/* May the octet stand in a local part without quotes (RFC 5322, atext)? */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

void
bulletins_address(char *out, size_t size, const char *user, const char *host)
{
	const char *at = strrchr(user, '@');
	size_t len = at == NULL ? strlen(user) : (size_t)(at - user);
	bool plain = len > 0;
	size_t n = 0;

	for (const char *u = user; *u != '\0'; u++)
		if ((unsigned char)*u < 0x20 || (unsigned char)*u > 0x7e) {
			/* No header holds such a name without UTF8. */
			(void)snprintf(out, size, "undisclosed-recipients:;");
			return;
		}
	for (size_t i = 0; i < len; i++)
		plain = plain && is_plain(user[i]);
	if (!plain)
		out[n++] = '"';
	for (size_t i = 0; i < len && n + 4 < size; i++) {
		if (!plain && (user[i] == '"' || user[i] == '\\'))
			out[n++] = '\\';
		out[n++] = user[i];
	}
	if (!plain)
		out[n++] = '"';
	(void)snprintf(out + n, size - n, "@%s", at == NULL ? host : at + 1);
}
