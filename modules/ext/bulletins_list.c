/*
 * bulletins_list.c - the bulletins that a user has got and not deleted.
 *
 * Runs in: the session, as the user; works on "bulletins" in the user's state
 * folder, under the session lock.
 *
 * Text: "popper bulletins 1", "last NUMBER stored" (or "unstored"), then a line
 * "NUMBER TAG" for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulletins.h"

#define FILE_NAME "bulletins"
#define FILE_NEW "bulletins.new"
#define FIRST_LINE "popper bulletins 1\n"
#define LINE_MAX_LENGTH 64
#define SIZE_LIMIT ((off_t)LINE_MAX_LENGTH * (BULLETINS_FILES_MAX + 2))

/* FNV-1a: names are the administrator's, nobody makes them collide. */
uint64_t
bulletins_tag(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h;
}

static size_t
first_of(const struct bulletins_list *l, int64_t number)
{
	size_t low = 0, high = l->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (l->held[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
bulletins_list_has(
    const struct bulletins_list *l, const struct bulletins_entry *entry)
{
	uint64_t tag = bulletins_tag(entry->name);

	for (size_t i = first_of(l, entry->number);
	     i < l->count && l->held[i].number == entry->number; i++)
		if (l->held[i].tag == tag)
			return true;
	return false;
}

static int
add(struct bulletins_list *l, struct bulletins_held h)
{
	struct bulletins_held *more;

	if ((l->count & (l->count - 1)) == 0) { /* full at powers of two */
		more = reallocarray(
		    l->held, l->count == 0 ? 1 : l->count * 2, sizeof(*more));
		if (more == NULL)
			return -1;
		l->held = more;
	}
	l->held[l->count++] = h;
	return 0;
}

int
bulletins_list_add(
    struct bulletins_list *l, const struct bulletins_entry *entry)
{
	return add(l,
	    (struct bulletins_held){
		.number = entry->number, .tag = bulletins_tag(entry->name) });
}

/* Cut a line off ${*text}; NULL if there is no whole one. */
static char *
cut_line(char **text)
{
	char *line = *text, *lf = strchr(line, '\n');

	if (lf == NULL)
		return NULL;
	*lf = '\0';
	*text = lf + 1;
	return line;
}

static bool
parse_head(struct bulletins_list *l, char **text)
{
	char *line, word[12];
	int end = 0;

	if (strncmp(*text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return false;
	*text += strlen(FIRST_LINE);
	line = cut_line(text);
	if (line == NULL ||
	    sscanf(line, "last %" SCNd64 " %11s%n", &l->last, word, &end) !=
		2 ||
	    line[end] != '\0' || l->last < 0)
		return false;
	l->stored = strcmp(word, "stored") == 0;
	return l->stored || strcmp(word, "unstored") == 0;
}

/* 1: parsed, 0: it makes no sense, -1: no memory. */
static int
parse(struct bulletins_list *l, char *text)
{
	struct bulletins_held h;
	int64_t before = 0;
	char *line;
	int end;

	if (!parse_head(l, &text))
		return 0;
	while (*text != '\0') {
		end = 0;
		if (l->count == BULLETINS_FILES_MAX ||
		    (line = cut_line(&text)) == NULL ||
		    sscanf(line, "%" SCNd64 " %16" SCNx64 "%n", &h.number,
			&h.tag, &end) != 2 ||
		    line[end] != '\0' || h.number < before)
			return 0;
		before = h.number;
		if (add(l, h) == -1)
			return -1;
	}
	return 1;
}

/* The whole file with a NUL, or NULL with errno. */
static char *
slurp(int fd)
{
	struct stat st;
	char *text;
	ssize_t n;
	size_t len = 0, size;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
		errno = EINVAL;
		return NULL;
	}
	size = (size_t)st.st_size;
	if ((text = malloc(size + 1)) == NULL)
		return NULL;
	while (len < size && (n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static int
fail(const struct bulletins *b, struct popper_error *e)
{
	return b->host->fail_system(e, POPPER_TEMPORARY,
	    "\"" FILE_NAME "\" in the state folder of %s",
	    b->place->identity->user);
}

int
bulletins_list_read(struct bulletins *b, struct popper_error *e)
{
	struct bulletins_list *l = &b->list;
	int fd = openat(b->place->state, FILE_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text;
	int sense;

	*l = (struct bulletins_list){ .known = false };
	if (fd == -1)
		return errno == ENOENT ? 0 : fail(b, e);
	text = slurp(fd);
	(void)close(fd);
	if (text == NULL && errno != EINVAL)
		return fail(b, e);
	sense = text == NULL ? 0 : parse(l, text);
	free(text);
	if (sense == -1)
		return fail(b, e);
	l->known = sense == 1;
	if (l->known)
		return 0;
	free(l->held);
	*l = (struct bulletins_list){ .known = false };
	b->host->log(POPPER_LOG_WARNING,
	    "\"" FILE_NAME "\" in the state folder of %s is damaged and not "
	    "used; bulletins that he has not deleted are not shown again",
	    b->place->identity->user);
	return 0;
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* The list as text, on the heap. */
static char *
format(const struct bulletins_list *l, size_t *len)
{
	size_t size = (l->count + 3) * LINE_MAX_LENGTH;
	char *text = malloc(size);

	if (text == NULL)
		return NULL;
	*len = (size_t)snprintf(text, size, FIRST_LINE "last %" PRId64 " %s\n",
	    l->last, l->stored ? "stored" : "unstored");
	for (size_t i = 0; i < l->count; i++)
		*len += (size_t)snprintf(text + *len, size - *len,
		    "%" PRId64 " %016" PRIx64 "\n", l->held[i].number,
		    l->held[i].tag);
	return text;
}

int
bulletins_list_prepare(const struct bulletins *b,
    const struct bulletins_list *l, struct popper_error *e)
{
	size_t len;
	char *text = format(l, &len);
	int result = -1, fd;

	if (text == NULL)
		return fail(b, e);
	fd = openat(b->place->state, FILE_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1) {
		if (write_all(fd, text, len) == 0 && fsync(fd) == 0)
			result = 0;
		if (close(fd) == -1)
			result = -1;
	}
	free(text);
	return result == 0 ? 0 : fail(b, e);
}

int
bulletins_list_adopt(const struct bulletins *b, struct popper_error *e)
{
	int state = b->place->state;

	if (renameat(state, FILE_NEW, state, FILE_NAME) == 0 &&
	    fsync(state) == 0)
		return 0;
	return fail(b, e);
}
