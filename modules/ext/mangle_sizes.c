/*
 * mangle_sizes.c - the sizes of mangled messages, from session to session.
 *
 * Runs in: a session, as the user; mangle_sizes_warm in the warm parent.
 *
 * Who always logs in as mary-no-mime would wait for every message at every
 * login.  The file is a cache: losing it costs time only.  Its first line says
 * what made the sizes; if that is another by now they are not believed.
 */
#include "mangle.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmime/gmime.h>
#include <libxml/parser.h>

#define NAME "mangle-sizes"
#define NEW_NAME "mangle-sizes.new"
#define FILE_MOST (64 << 20) /* octets; a line has less than 100 */

static char maker[256]; /* this module and its libraries, or "" */

void
mangle_sizes_warm(void)
{
	const void *here = maker;
	struct stat st;
	Dl_info where;

	if (dladdr(here, &where) == 0 || stat(where.dli_fname, &st) == -1)
		return;
	(void)snprintf(maker, sizeof(maker),
	    "%jd.%09ld %jd gmime %u.%u.%u glib %u.%u.%u libxml %s",
	    (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (intmax_t)st.st_size, gmime_major_version, gmime_minor_version,
	    gmime_micro_version, glib_major_version, glib_minor_version,
	    glib_micro_version, xmlParserVersion);
}

/* The first line, with its line end. */
static void
first_line(const struct mangle_conf *c, char line[512])
{
	(void)snprintf(line, 512,
	    "sizes 1 %s parts %" PRIu64 " depth %" PRIu64 " text %" PRIu64
	    " largest %" PRIu64 "\n",
	    maker, c->parts, c->depth, c->text, c->largest);
}

static int
compare(const void *a, const void *b)
{
	const struct mangle_size *x = a, *y = b;

	return strcmp(x->uid, y->uid);
}

/* Whole, NUL-terminated; NULL if there is no file of ours. */
static char *
read_file(int state)
{
	int fd =
	    openat(state, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size <= FILE_MOST &&
	    (text = malloc((size_t)st.st_size + 1)) != NULL)
		n = pread(fd, text, (size_t)st.st_size, 0);
	(void)close(fd);
	if (n == -1 || n != st.st_size) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* "octets uid", or "- uid" for a message that goes out as it is. */
static bool
parse(char *line, struct mangle_size *s)
{
	char *end = line + 1;

	errno = 0;
	s->untouched = line[0] == '-';
	s->octets = s->untouched ? 0 : strtoull(line, &end, 10);
	if (errno != 0 || end == line || *end != ' ' ||
	    (!s->untouched && (line[0] < '0' || line[0] > '9')))
		return false;
	s->uid = end + 1;
	return s->uid[0] != '\0';
}

void
mangle_sizes_load(
    struct mangle_sizes *s, int state, const struct mangle_conf *c)
{
	char want[512], *line, *end;
	size_t lines = 0;

	first_line(c, want);
	if (maker[0] == '\0' || (s->text = read_file(state)) == NULL)
		return;
	if (strncmp(s->text, want, strlen(want)) == 0)
		for (line = s->text; *line != '\0'; line++)
			lines += *line == '\n';
	s->sizes = lines == 0 ? NULL : calloc(lines, sizeof(*s->sizes));
	if (s->sizes == NULL)
		return;
	for (line = s->text + strlen(want); (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		*end = '\0';
		if (parse(line, &s->sizes[s->count]))
			s->count++;
	}
	qsort(s->sizes, s->count, sizeof(*s->sizes), compare);
}

const struct mangle_size *
mangle_sizes_find(const struct mangle_sizes *s, const char *uid)
{
	const struct mangle_size key = { .uid = uid };

	if (s->count == 0)
		return NULL;
	return bsearch(&key, s->sizes, s->count, sizeof(*s->sizes), compare);
}

void
mangle_sizes_free(struct mangle_sizes *s)
{
	free(s->sizes);
	free(s->text);
	*s = (struct mangle_sizes){ .count = 0 };
}

/* --- Writing. --- */

FILE *
mangle_sizes_start(int state, const struct mangle_conf *c)
{
	char line[512];
	FILE *file;
	int fd;

	if (maker[0] == '\0')
		return NULL;
	first_line(c, line);
	(void)unlinkat(state, NEW_NAME, 0);
	fd = openat(state, NEW_NAME,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return NULL;
	if ((file = fdopen(fd, "w")) == NULL)
		(void)close(fd);
	else
		(void)fputs(line, file);
	return file;
}

void
mangle_sizes_add(
    FILE *file, struct popper_slice uid, const struct mangle_result *r)
{
	if (r->state == MANGLE_NOT_YET)
		return;
	if (r->state == MANGLE_UNTOUCHED)
		(void)fputs("- ", file);
	else
		(void)fprintf(file, "%" PRIu64 " ", r->octets);
	(void)fwrite(uid.ptr, 1, uid.len, file);
	(void)putc('\n', file);
}

int
mangle_sizes_end(FILE *file, int state)
{
	bool good = fflush(file) == 0 && ferror(file) == 0;

	if (fclose(file) == 0 && good &&
	    renameat(state, NEW_NAME, state, NAME) == 0)
		return 0;
	(void)unlinkat(state, NEW_NAME, 0);
	return -1;
}
