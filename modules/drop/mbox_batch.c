/*
 * mbox_batch.c - the texts that say what is in the trash, and what is under
 * way.
 *
 * Runs in: the session, as the user; works in the user's state folder.
 *
 * Each has a first and a last line, so one that is not whole is known.  A file
 * of which a part never reached the disk has NUL in it, or ends early.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_trash.h"

#define FIRST_LINE "popper mbox trash 1\n"
#define LAST_LINE "end\n"
#define SIZE_MAX_FILE ((off_t)256 << 20) /* octets; some 3 million messages */

void
mbox_batch_free(struct mbox_batch *b)
{
	free(b->list);
	*b = (struct mbox_batch){ .list = NULL };
}

void
mbox_return_free(struct mbox_return *back)
{
	free(back->names);
	*back = (struct mbox_return){ .names = NULL };
}

bool
mbox_batch_is_name(const char *text, size_t len, uint64_t *when)
{
	size_t i = 0;

	for (*when = 0; i < len && i < 12 && text[i] >= '0' && text[i] <= '9';
	     i++)
		*when = *when * 10 + (uint64_t)(text[i] - '0');
	if (i == 0 || len >= MBOX_BATCH_NAME)
		return false;
	if (i < len && text[i++] != '.')
		return false;
	for (; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* --- Writing --- */

static FILE *
make_note(const struct mbox *m)
{
	FILE *f;
	int fd;

	fd = openat(m->state, MBOX_TRASH_NOTE,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return NULL;
	if ((f = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		(void)unlinkat(m->state, MBOX_TRASH_NOTE, 0);
		return NULL;
	}
	(void)fputs(FIRST_LINE, f);
	return f;
}

/* 0; or -1 with errno, and there is none. */
static int
end_note(const struct mbox *m, FILE *f)
{
	bool good;
	int cause;

	(void)fputs(LAST_LINE, f);
	good = fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
	cause = errno;
	if (fclose(f) != 0 && good) {
		cause = errno;
		good = false;
	}
	if (good && fsync(m->state) == 0)
		return 0;
	if (good)
		cause = errno;
	(void)unlinkat(m->state, MBOX_TRASH_NOTE, 0);
	errno = cause;
	return -1;
}

int
mbox_batch_write(struct mbox *m, const struct mbox_batch *b)
{
	char text[MBOX_HASH_TEXT + 1];
	FILE *f = make_note(m);
	size_t i;

	if (f == NULL)
		return -1;
	(void)fprintf(f, "kept %s\n", b->name);
	for (i = 0; i < b->count; i++) {
		mbox_hash_text(b->list[i].hash, text);
		(void)fprintf(f, "%llu %llu %s %lu %lu %d\n",
		    (unsigned long long)b->list[i].offset,
		    (unsigned long long)b->list[i].len, text,
		    (unsigned long)b->list[i].ordinal,
		    (unsigned long)b->list[i].copies, b->list[i].alike);
	}
	return end_note(m, f);
}

int
mbox_return_write(struct mbox *m, const struct mbox_return *back)
{
	FILE *f = make_note(m);
	size_t i;

	if (f == NULL)
		return -1;
	(void)fprintf(f, "back %llu %llu %llu ",
	    (unsigned long long)back->inode, (unsigned long long)back->size,
	    (unsigned long long)back->len);
	for (i = 0; i < sizeof(back->sum); i++)
		(void)fprintf(f, "%02x", (unsigned)back->sum[i]);
	(void)fputs("\n", f);
	for (i = 0; i < back->count; i++)
		(void)fprintf(f, "%s\n", back->names[i]);
	return end_note(m, f);
}

/* --- Reading --- */

/* A text on its way: lines that are taken one by one. */
struct text {
	char *all;
	char *next;
};

/* The next line, its end replaced by NUL; NULL: there is none. */
static char *
take_line(struct text *t)
{
	char *line = t->next, *lf = strchr(line, '\n');

	if (lf == NULL)
		return NULL;
	*lf = '\0';
	t->next = lf + 1;
	return line;
}

/* Read a file, whose first line ought to be right.  1, 0: it is no such file,
 * or -1 with errno. */
static int
read_text(int folder, const char *name, struct text *t)
{
	struct stat st;
	ssize_t n = -1;
	int fd, cause;

	t->all = t->next = NULL;
	fd = openat(
	    folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		    st.st_size > SIZE_MAX_FILE)
			n = 0;
		else if ((t->all = malloc((size_t)st.st_size + 1)) != NULL)
			n = mbox_read_at(fd, t->all, (size_t)st.st_size, 0);
	}
	cause = errno;
	(void)close(fd);
	errno = cause;
	if (n <= 0)
		return (int)n;
	t->all[n] = '\0';
	t->next = t->all + strlen(FIRST_LINE);
	return strlen(t->all) == (size_t)st.st_size &&
	    strncmp(t->all, FIRST_LINE, strlen(FIRST_LINE)) == 0;
}

/* A number and the blank or NUL behind it; moves ${at} behind that. */
static bool
take_number(char **at, uint64_t most, uint64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*number = strtoull(*at, &end, 10);
	if (errno != 0 || *number > most || (*end != ' ' && *end != '\0'))
		return false;
	*at = *end == ' ' ? end + 1 : end;
	return true;
}

static bool
parse_kept(char *line, struct mbox_trashed *k)
{
	uint64_t ordinal, copies, alike = 1;

	if (!take_number(&line, INT64_MAX, &k->offset) ||
	    !take_number(&line, INT64_MAX, &k->len) ||
	    !mbox_hash_parse(line, k->hash) || line[MBOX_HASH_TEXT] != ' ')
		return false;
	line += MBOX_HASH_TEXT + 1;
	if (!take_number(&line, 999999999, &ordinal) ||
	    !take_number(&line, UINT32_MAX, &copies) ||
	    /* The first versions did not know. */
	    (*line != '\0' && !take_number(&line, 1, &alike)) || *line != '\0')
		return false;
	k->ordinal = (uint32_t)ordinal;
	k->copies = (uint32_t)copies;
	k->alike = alike != 0;
	return true;
}

/* Make room for one more of ${size} octets.  NULL: errno is ENOMEM. */
static void *
more_room(void *list, size_t count, size_t *room, size_t size)
{
	void *bigger;

	if (count < *room)
		return list;
	bigger = reallocarray(list, *room == 0 ? 16 : *room * 2, size);
	if (bigger != NULL)
		*room = *room == 0 ? 16 : *room * 2;
	return bigger;
}

/* Behind "kept ".  1, 0 or -1 as mbox_note_read. */
static int
parse_batch(struct text *t, const char *name, struct mbox_batch *b)
{
	struct mbox_trashed *bigger;
	uint64_t when;
	char *line;

	if (!mbox_batch_is_name(name, strlen(name), &when))
		return 0;
	while ((line = take_line(t)) != NULL && strcmp(line, "end") != 0) {
		bigger =
		    more_room(b->list, b->count, &b->room, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		b->list = bigger;
		if (!parse_kept(line, &b->list[b->count]))
			return 0;
		b->count++;
	}
	(void)strcpy(b->name, name);
	return line != NULL && *t->next == '\0';
}

static bool
parse_sum(const char *text, unsigned char sum[SHA256_DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;
	size_t i;

	if (strlen(text) != (size_t)2 * SHA256_DIGEST_SIZE)
		return false;
	for (i = 0; i < SHA256_DIGEST_SIZE; i++) {
		high = strchr(digits, text[2 * i]);
		low = strchr(digits, text[2 * i + 1]);
		if (high == NULL || low == NULL)
			return false;
		sum[i] = (unsigned char)((high - digits) * 16 + (low - digits));
	}
	return true;
}

/* Behind "back ". */
static int
parse_return(struct text *t, char *head, struct mbox_return *back)
{
	char(*bigger)[MBOX_BATCH_NAME], *line;
	uint64_t when;

	if (!take_number(&head, UINT64_MAX, &back->inode) ||
	    !take_number(&head, INT64_MAX, &back->size) ||
	    !take_number(&head, INT64_MAX, &back->len) ||
	    !parse_sum(head, back->sum))
		return 0;
	while ((line = take_line(t)) != NULL && strcmp(line, "end") != 0) {
		if (!mbox_batch_is_name(line, strlen(line), &when))
			return 0;
		bigger = more_room(
		    back->names, back->count, &back->room, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		back->names = bigger;
		(void)strcpy(back->names[back->count++], line);
	}
	return line != NULL && *t->next == '\0' && back->count > 0;
}

int
mbox_note_read(
    const struct mbox *m, struct mbox_batch *b, struct mbox_return *back)
{
	struct text t;
	int is = read_text(m->state, MBOX_TRASH_NOTE, &t);
	char *line = is == 1 ? take_line(&t) : NULL;

	if (is == 1)
		is = 0;
	if (line != NULL && strncmp(line, "kept ", 5) == 0)
		is = parse_batch(&t, line + 5, b);
	else if (line != NULL && strncmp(line, "back ", 5) == 0)
		is = parse_return(&t, line + 5, back);
	free(t.all);
	return is;
}

int
mbox_batch_read(int trash, const char *name, struct mbox_batch *b)
{
	char file[MBOX_BATCH_NAME + 8], *line;
	struct text t;
	int is;

	(void)snprintf(file, sizeof(file), "%s.ids", name);
	is = read_text(trash, file, &t);
	line = is == 1 ? take_line(&t) : NULL;
	if (is == 1)
		is = 0;
	if (line != NULL && strncmp(line, "kept ", 5) == 0)
		is = parse_batch(&t, line + 5, b);
	free(t.all);
	return is;
}
