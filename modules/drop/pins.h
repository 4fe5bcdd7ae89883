/*
 * pins.h - unique-ids that were given once and are kept, in the file "uids" of
 * the user's state folder.
 *
 * Each driver includes it in one file.  A pin says which id the message with
 * some key has; what a key is only the driver knows.  The file is read as from
 * anybody: it is taken if each line is good, else not at all.
 *
 * The file: a first line, one line "taken DRIVER/NAME" for each other server
 * whose list was taken over, one line "scheme NAME" if the driver keeps one,
 * one line "uid SP octets SP key" per pin, ordered by key, a last line.  Each
 * version is written whole and renamed into place.  All drivers share the file,
 * since a user's mail may move from one to the other; a list that one of them
 * has taken says nothing about the next one's.  "taken NAME" is an older form,
 * which holds for all of them.
 */
#ifndef DROP_PINS_H
#define DROP_PINS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <popper/drop.h>

#define PINS_FILE "uids"
#define PINS_NEW "uids.new"
#define PINS_FIRST "popper uids 1\n"
#define PINS_TAKEN "taken "
#define PINS_SCHEME "scheme "
#define PINS_LAST "end\n"
#define PINS_SIZE_MAX ((off_t)256 << 20) /* octets of a file */
#define PINS_KEY_MAX 1024 /* octets; a key may have blanks, nothing below */
#define PINS_LISTS 8 /* that can be taken */

struct pin {
	const char *uid;
	char *key;
	uint64_t octets; /* or PINS_NO_SIZE */
	uint32_t line; /* of its text, counted from 1 */
	bool used; /* a message has it */
};
#define PINS_NO_SIZE UINT64_MAX

struct pins {
	struct pin *list; /* by key; equal ones as they came */
	size_t count, room;
	char taken[PINS_LISTS][32]; /* or "" */
	char scheme[32]; /* what ids were made by the last time, or "" */
	char **texts; /* what the pins point into */
	size_t text_count;
};

static inline bool
pins_is_uid(const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (text[i] < 0x21 || text[i] > 0x7e || i == POPPER_UID_MAX)
			return false;
	return i > 0;
}

static inline void
pins_free(struct pins *p)
{
	while (p->text_count > 0)
		free(p->texts[--p->text_count]);
	free(p->texts);
	free(p->list);
	memset(p, 0, sizeof(*p));
}

/** pins_adopt(p, text): ${text}, allocated, will be freed with ${p}.  0 or -1,
 * then it is freed at once. */
static inline int
pins_adopt(struct pins *p, char *text)
{
	size_t n = p->text_count;
	char **texts = p->texts;

	if ((n & (n - 1)) == 0) /* full: there is room for a power of 2 */
		texts =
		    reallocarray(texts, n == 0 ? 1 : n * 2, sizeof(*p->texts));
	if (texts == NULL) {
		free(text);
		return -1;
	}
	p->texts = texts;
	p->texts[p->text_count++] = text;
	return 0;
}

/** pins_add(p, pin): at the end; pins_sort brings it to its place. */
static inline int
pins_add(struct pins *p, const struct pin *pin)
{
	size_t room = p->room == 0 ? 256 : p->room * 2;
	struct pin *list;

	if (p->count == p->room) {
		list = reallocarray(p->list, room, sizeof(*list));
		if (list == NULL)
			return -1;
		p->list = list;
		p->room = room;
	}
	p->list[p->count++] = *pin;
	return 0;
}

static inline int
pins_compare(const void *va, const void *vb)
{
	const struct pin *a = va, *b = vb;
	int order = strcmp(a->key, b->key);

	return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static inline void
pins_sort(struct pins *p)
{
	size_t i;

	for (i = 1; i < p->count; i++)
		if (pins_compare(&p->list[i - 1], &p->list[i]) > 0)
			break;
	if (i < p->count)
		qsort(p->list, p->count, sizeof(*p->list), pins_compare);
}

/** pins_find(p, key): the first pin with ${key}, or where it would be. */
static inline size_t
pins_find(const struct pins *p, const char *key)
{
	size_t low = 0, high = p->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(p->list[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/** pins_take(p, key): the first one with ${key} that no message has yet, or
 * NULL. */
static inline struct pin *
pins_take(struct pins *p, const char *key)
{
	size_t at = pins_find(p, key);

	for (; at < p->count && strcmp(p->list[at].key, key) == 0; at++)
		if (!p->list[at].used) {
			p->list[at].used = true;
			return &p->list[at];
		}
	return NULL;
}

static inline bool
pins_find_taken(const struct pins *p, const char *text)
{
	for (size_t i = 0; i < PINS_LISTS; i++)
		if (strcmp(p->taken[i], text) == 0)
			return true;
	return false;
}

/** pins_has_taken(p, driver, name): also in the older form. */
static inline bool
pins_has_taken(const struct pins *p, const char *driver, const char *name)
{
	char text[sizeof(p->taken[0])];

	(void)snprintf(text, sizeof(text), "%s/%s", driver, name);
	return pins_find_taken(p, text) || pins_find_taken(p, name);
}

/* A line of the file.  False: too many, or too long. */
static inline bool
pins_add_taken(struct pins *p, const char *text)
{
	for (size_t i = 0; i < PINS_LISTS; i++)
		if (p->taken[i][0] == '\0' && text[0] != '\0' &&
		    strlen(text) < sizeof(p->taken[i])) {
			memcpy(p->taken[i], text, strlen(text) + 1);
			return true;
		}
	return false;
}

/** pins_set_taken(p, driver, name): false: too many, or too long. */
static inline bool
pins_set_taken(struct pins *p, const char *driver, const char *name)
{
	char text[2 * sizeof(p->taken[0])];

	(void)snprintf(text, sizeof(text), "%s/%s", driver, name);
	return pins_add_taken(p, text);
}

/** pins_set_scheme(p, name): "": none.  False: it is too long. */
static inline bool
pins_set_scheme(struct pins *p, const char *name)
{
	if (strlen(name) >= sizeof(p->scheme))
		return false;
	memcpy(p->scheme, name, strlen(name) + 1);
	return true;
}

/** pins_parse_line(line, pin): of "uid SP octets SP key", NUL-terminated;
 * octets may be "-".  Puts NULs into ${line}. */
static inline bool
pins_parse_line(char *line, struct pin *pin)
{
	char *octets = strchr(line, ' '), *key, *end;

	if (octets == NULL || (key = strchr(octets + 1, ' ')) == NULL)
		return false;
	*octets++ = '\0';
	*key++ = '\0';
	pin->uid = line;
	pin->key = key;
	pin->octets = PINS_NO_SIZE;
	pin->used = false;
	if (strcmp(octets, "-") != 0) {
		if (*octets < '0' || *octets > '9' || strlen(octets) > 18)
			return false;
		pin->octets = strtoull(octets, &end, 10);
		if (*end != '\0')
			return false;
	}
	for (end = key; *end != '\0'; end++)
		if ((unsigned char)*end < ' ' || *end == 0x7f)
			return false;
	return end > key && end - key <= PINS_KEY_MAX && pins_is_uid(line);
}

/** pins_add_lines(p, text, last): add pins from ${text} on, up to ${last};
 * ${text} is p's already, and lines count on from ${*line}.  0, or -1: line
 * ${*line} is bad (errno EINVAL), or there is no memory. */
static inline int
pins_add_lines(struct pins *p, char *text, const char *last, uint32_t *line)
{
	const size_t len = strlen(PINS_TAKEN), scheme = strlen(PINS_SCHEME);
	struct pin pin;
	char *lf;

	for (; strcmp(text, last) != 0; text = lf + 1) {
		pin.line = ++*line;
		errno = EINVAL;
		if ((lf = strchr(text, '\n')) == NULL)
			return -1;
		*lf = '\0';
		if (strncmp(text, PINS_TAKEN, len) == 0 &&
		    strchr(text + len, ' ') == NULL) {
			if (!pins_add_taken(p, text + len))
				return -1;
		} else if (strncmp(text, PINS_SCHEME, scheme) == 0 &&
		    strchr(text + scheme, ' ') == NULL) {
			if (!pins_set_scheme(p, text + scheme))
				return -1;
		} else if (!pins_parse_line(text, &pin) ||
		    pins_add(p, &pin) == -1)
			return -1;
	}
	return 0;
}

/** pins_parse(p, text): the pins of a file; ${text} is adopted.  False: it is
 * damaged, or there is no memory. */
static inline bool
pins_parse(struct pins *p, char *text)
{
	uint32_t line = 0;

	if (pins_adopt(p, text) == -1 ||
	    strncmp(text, PINS_FIRST, strlen(PINS_FIRST)) != 0 ||
	    pins_add_lines(p, text + strlen(PINS_FIRST), PINS_LAST, &line) ==
		-1)
		return false;
	pins_sort(p);
	return true;
}

/** pins_slurp(fd, limit): all of a plain file, with a NUL behind it; to be
 * freed.  NULL with errno; EINVAL: it has a NUL. */
static inline char *
pins_slurp(int fd, off_t limit)
{
	struct stat st;
	char *text;
	size_t have = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > limit) {
		errno = EFBIG;
		return NULL;
	}
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		return NULL;
	while (have < (size_t)st.st_size && n > 0) {
		n = read(fd, text + have, (size_t)st.st_size - have);
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	if (n == -1 || memchr(text, '\0', have) != NULL) {
		errno = n == -1 ? errno : EINVAL;
		free(text);
		return NULL;
	}
	return text;
}

/** pins_read(p, state): fill the empty ${p}.  Returns 1, or 0: there is no
 * file, or -1: it cannot be read or is damaged; ${p} is empty then. */
static inline int
pins_read(struct pins *p, int state)
{
	char *text;
	int fd;

	fd = openat(
	    state, PINS_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	text = pins_slurp(fd, PINS_SIZE_MAX);
	(void)close(fd);
	if (text != NULL && pins_parse(p, text))
		return 1;
	pins_free(p);
	return -1;
}

static inline void
pins_print(FILE *f, const struct pins *p)
{
	(void)fputs(PINS_FIRST, f);
	for (size_t i = 0; i < PINS_LISTS; i++)
		if (p->taken[i][0] != '\0')
			(void)fprintf(f, PINS_TAKEN "%s\n", p->taken[i]);
	if (p->scheme[0] != '\0')
		(void)fprintf(f, PINS_SCHEME "%s\n", p->scheme);
	for (size_t i = 0; i < p->count; i++) {
		(void)fprintf(f, "%s ", p->list[i].uid);
		if (p->list[i].octets == PINS_NO_SIZE)
			(void)fprintf(f, "- %s\n", p->list[i].key);
		else
			(void)fprintf(f, "%llu %s\n",
			    (unsigned long long)p->list[i].octets,
			    p->list[i].key);
	}
	(void)fputs(PINS_LAST, f);
}

/** pins_write(p, state): replace the file; it is on stable storage when this
 * returns 0.  -1 with errno: the old one is still there. */
static inline int
pins_write(const struct pins *p, int state)
{
	bool good;
	FILE *f;
	int fd;

	(void)unlinkat(state, PINS_NEW, 0);
	fd = openat(state, PINS_NEW,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if ((f = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		goto fail;
	}
	pins_print(f, p);
	good = fflush(f) == 0 && !ferror(f) && fsync(fd) == 0;
	good = fclose(f) == 0 && good;
	if (good && renameat(state, PINS_NEW, state, PINS_FILE) == 0)
		return fsync(state);
fail:
	(void)unlinkat(state, PINS_NEW, 0);
	return -1;
}

#endif
