/*
 * mbox_twins_file.c - what is on record of equal messages; see mbox_twins.c.
 *
 * Runs in: the session, as the user.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_twins.h"

#define TEMPORARY "twins.new"
#define SIZE_MAX_FILE (16 << 20) /* octets; some 400,000 twins */

static int
compare_ordinals(const void *va, const void *vb)
{
	const struct mbox_twin *a = va, *b = vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	if (order != 0)
		return order;
	return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

/* Copies of one message stand in the order of the mbox. */
static int
compare_lines(const void *va, const void *vb)
{
	const struct mbox_twin *a = va, *b = vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	if (order != 0)
		return order;
	return (a->line > b->line) - (a->line < b->line);
}

/* One line of the file, NUL-terminated, into ${twin}. */
static bool
parse_line(const char *line, struct mbox_twin *twin)
{
	char *end;

	if (!mbox_hash_parse(line, twin->hash) || line[MBOX_HASH_TEXT] != ' ')
		return false;
	line += MBOX_HASH_TEXT + 1;
	if (*line < '1' || *line > '9')
		return false;
	twin->ordinal = (uint32_t)strtoul(line, &end, 10);
	if (*end != ' ' || end[1] < '1' || end[1] > '9' || end - line > 9)
		return false;
	line = end + 1;
	twin->most = (uint32_t)strtoul(line, &end, 10);
	twin->goes = strcmp(end, MBOX_TWINS_GOES) == 0;
	return (*end == '\0' || twin->goes) && end - line <= 9 &&
	    twin->ordinal <= twin->most;
}

/* ${text}, NUL-terminated, is the whole file.  False: it is damaged. */
static bool
parse(char *text, struct mbox_twins *twins)
{
	char *line = text + strlen(MBOX_TWINS_FIRST), *lf;
	size_t room = 0;

	if (strncmp(text, MBOX_TWINS_FIRST, strlen(MBOX_TWINS_FIRST)) != 0)
		return false;
	for (lf = line; (lf = strchr(lf, '\n')) != NULL; lf++)
		room++;
	twins->list = calloc(room + 1, sizeof(*twins->list));
	if (twins->list == NULL)
		return false;
	for (; strcmp(line, MBOX_TWINS_LAST) != 0; line = lf + 1) {
		if ((lf = strchr(line, '\n')) == NULL)
			return false;
		*lf = '\0';
		if (!parse_line(line, &twins->list[twins->count]))
			return false;
		twins->list[twins->count].line = (uint32_t)twins->count;
		twins->count++;
	}
	return true;
}

/* Read the file; an allocated text, or NULL with errno. */
static char *
read_file(int state)
{
	struct stat st;
	char *text = NULL;
	ssize_t n;
	int fd;

	fd = openat(
	    state, MBOX_TWINS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto out;
	errno = EFBIG;
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_FILE)
		goto out;
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		goto out;
	if ((n = mbox_read_at(fd, text, (size_t)st.st_size, 0)) == -1) {
		free(text);
		text = NULL;
		goto out;
	}
	text[n] = '\0';
out:
	(void)close(fd);
	return text;
}

/* Sort the list; false if it would give one id to two messages. */
static bool
is_sound(struct mbox_twins *twins)
{
	const struct mbox_twin *t;
	size_t i;

	if (twins->count > 1)
		qsort(twins->list, twins->count, sizeof(*twins->list),
		    compare_ordinals);
	for (i = 1; i < twins->count; i++) {
		t = &twins->list[i];
		if (memcmp(t[-1].hash, t->hash, MBOX_HASH_SIZE) == 0 &&
		    (t[-1].ordinal == t->ordinal || t[-1].most != t->most))
			return false;
	}
	if (twins->count > 1)
		qsort(twins->list, twins->count, sizeof(*twins->list),
		    compare_lines);
	return true;
}

void
mbox_twins_load(struct mbox *m)
{
	char *text;
	int cause;

	if (m->twins.loaded)
		return;
	m->twins.loaded = true;
	text = read_file(m->state);
	if (text == NULL && errno == ENOENT)
		return;
	cause = text == NULL ? errno : 0;
	if (text == NULL || !parse(text, &m->twins) || !is_sound(&m->twins)) {
		m->host->log(POPPER_LOG_WARNING,
		    "%s: the state file " MBOX_TWINS " of %s cannot be read "
		    "and is ignored; equal messages may get new unique-ids",
		    m->path, m->user);
		free(m->twins.list);
		m->twins =
		    (struct mbox_twins){ .loaded = true, .failed = cause };
	}
	free(text);
}

static int
write_known(const struct mbox *m, const struct mbox_twins *t)
{
	int fd = openat(m->state, TEMPORARY,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "w");
	char text[MBOX_HASH_TEXT + 1];
	bool good;
	size_t i;

	if (f == NULL) {
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	(void)fputs(MBOX_TWINS_FIRST, f);
	for (i = 0; i < t->count; i++) {
		mbox_hash_text(t->list[i].hash, text);
		(void)fprintf(f, "%s %lu %lu\n", text,
		    (unsigned long)t->list[i].ordinal,
		    (unsigned long)t->list[i].most);
	}
	(void)fputs(MBOX_TWINS_LAST, f);
	good = fflush(f) == 0 && !ferror(f) && fsync(fd) == 0;
	good = fclose(f) == 0 && good;
	if (!good || renameat(m->state, TEMPORARY, m->state, MBOX_TWINS) == -1)
		return -1;
	return fsync(m->state);
}

void
mbox_twins_gone(struct mbox *m)
{
	struct mbox_twins *t = &m->twins;
	size_t i, n = 0;

	mbox_twins_load(m);
	for (i = 0; i < t->count; i++)
		if (!t->list[i].goes)
			t->list[n++] = t->list[i];
	if (n == t->count)
		return;
	t->count = n;
	if (write_known(m, t) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot write the state file " MBOX_TWINS " of %s "
		    "(errno %d); equal messages may get new unique-ids",
		    m->path, m->user, errno);
}
