/*
 * mbox_space.c - see mbox_space.h.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mbox_space.h"

#define FIELD "X-Popper-Space: "

bool
space_can(const struct rig *r)
{
	char path[128];
	struct statfs fs;
	bool can;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/blocks", r->spool);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 65536), 0);
	can = fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) == 0 &&
	    fstatfs(fd, &fs) == 0 && fs.f_bsize <= 4096;
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	return can;
}

static void
take_uids(struct space *s, struct rig *r)
{
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), s->count);
	for (size_t i = 0; i < s->count; i++)
		rig_uid(r, i, s->uid[i]);
	rig_close(r);
}

static void
take_after(struct space *s)
{
	char *a = s->after, *plain = space_strip(s->before), *b = plain;

	for (size_t i = 0; i < s->count; b += s->len[i], i++)
		if (s->marks[i] != 'D') {
			memcpy(a, b, s->len[i]);
			a += s->len[i];
		}
	assert_int_equal(*b, '\0');
	*a = '\0';
	free(plain);
}

/* Lines of text, numbered. */
static char *
make_message(char *to, size_t i, size_t len)
{
	char *end = to + len;

	to += sprintf(to, FROM_A "Number: %zu\n\n", i);
	assert_true(end > to + 2);
	while (to < end - 2) {
		*to = (end - 2 - to) % 61 == 60 ? '\n'
						: (char)('a' + (int)(i % 26));
		to++;
	}
	end[-2] = end[-1] = '\n';
	return end;
}

void
space_make(
    struct space *s, struct rig *r, const size_t *lens, const char *marks)
{
	size_t total = 0;
	char *to;

	memset(s, 0, sizeof(*s));
	s->marks = marks;
	for (; lens[s->count] > 0; s->count++) {
		assert_true(s->count < SPACE_MOST);
		s->len[s->count] = lens[s->count];
		total += lens[s->count];
	}
	assert_int_equal(strlen(marks), s->count);
	s->before = malloc(total + 1);
	s->after = malloc(total + 1);
	assert_true(s->before != NULL && s->after != NULL);
	to = s->before;
	for (size_t i = 0; i < s->count; i++)
		to = make_message(to, i, s->len[i]);
	*to = '\0';
	take_after(s);
	rig_put(r, s->before);
	take_uids(s, r);
}

void
space_again(struct space *s, struct rig *r, const char *marks)
{
	struct popper_slice now = rig_get(r->path);
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->marks[i] != 'D')
			s->len[n++] = s->len[i];
	s->count = n;
	s->marks = marks;
	assert_int_equal(strlen(marks), n);
	free(s->before);
	s->before = malloc(now.len + 1);
	assert_non_null(s->before);
	memcpy(s->before, now.ptr, now.len);
	s->before[now.len] = '\0';
	free((void *)(uintptr_t)now.ptr);
	take_after(s);
	take_uids(s, r);
}

void
space_free(struct space *s)
{
	free(s->before);
	free(s->after);
}

/* The pad behind the line that ends at ${text}: its length, or 0. */
static size_t
pad_at(const char *text)
{
	const char *lf = text;

	if (strncmp(text, FIELD, strlen(FIELD)) != 0)
		return 0;
	do
		lf = strchr(lf, '\n') + 1;
	while (*lf == '\t');
	return (size_t)(lf - text);
}

char *
space_strip(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;
	bool from = true;

	assert_non_null(out);
	for (const char *lf; *text != '\0'; text = lf) {
		if (from && (strncmp(text, "From ", 5) == 0)) {
			lf = strchr(text, '\n') + 1;
			memcpy(to, text, (size_t)(lf - text));
			to += lf - text;
			lf += pad_at(lf);
			from = false;
			continue;
		}
		lf = strchr(text, '\n');
		lf = lf == NULL ? text + strlen(text) : lf + 1;
		memcpy(to, text, (size_t)(lf - text));
		to += lf - text;
		from = *text == '\n';
	}
	*to = '\0';
	return out;
}

size_t
space_pads(const char *text)
{
	size_t n = 0;

	for (; (text = strstr(text, "\n" FIELD)) != NULL; text++)
		n++;
	return n;
}

/* All of the mbox, as a string; to be freed. */
static char *
whole(struct rig *r)
{
	struct popper_slice got = rig_get(r->path);
	char *text = malloc(got.len + 1);

	assert_non_null(text);
	memcpy(text, got.ptr, got.len);
	text[got.len] = '\0';
	assert_int_equal(strlen(text), got.len);
	free((void *)(uintptr_t)got.ptr);
	return text;
}

bool
space_holds(struct rig *r, const char *text, const char *more)
{
	char *now = whole(r), *plain = space_strip(now),
	     *want = space_strip(text);
	size_t len = strlen(want);
	bool same =
	    strncmp(plain, want, len) == 0 && strcmp(plain + len, more) == 0;

	free(now);
	free(plain);
	free(want);
	return same;
}

/* Is there a message with exactly that text, up to the next separator? */
static bool
has_message(const char *box, const char *text, size_t len)
{
	for (const char *at = box; at != NULL; at = strstr(at, "\n\nFrom ")) {
		if (at != box)
			at += 2;
		if (strncmp(at, text, len) == 0 &&
		    (at[len] == '\0' || strncmp(at + len, "From ", 5) == 0))
			return true;
		if (at == box && *at == '\0')
			break;
	}
	return false;
}

bool
space_is_mailbox(const struct space *s, struct rig *r)
{
	char *now, *plain;
	const char *at = s->after;
	bool good = true;

	now = whole(r);
	plain = space_strip(now);
	for (size_t i = 0; good && i < s->count; i++)
		if (s->marks[i] != 'D') {
			good = has_message(plain, at, s->len[i]);
			at += s->len[i];
		}
	free(now);
	free(plain);
	return good;
}

const char *
space_wrong(const struct space *s, struct rig *r, bool all)
{
	char uid[POPPER_UID_MAX + 1], *plain = space_strip(s->before);
	const char *at = plain, *wrong = NULL;
	struct popper_slice got;
	size_t n = 0;

	for (size_t i = 0; i < s->count; at += s->len[i], i++) {
		if (!all && s->marks[i] == 'D')
			continue;
		rig_uid(r, n, uid);
		if (strcmp(uid, s->uid[i]) != 0)
			wrong = "another unique-id";
		got = rig_read(r, n, 0);
		if (got.len != s->len[i] - strlen(FROM_A) - 1 ||
		    memcmp(got.ptr, at + strlen(FROM_A), got.len) != 0)
			wrong = "another text";
		free((void *)(uintptr_t)got.ptr);
		n++;
	}
	free(plain);
	return n > r->drop->count(r->self) ? "a message is missing" : wrong;
}
