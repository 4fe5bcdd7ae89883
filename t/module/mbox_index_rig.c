/*
 * mbox_index_rig.c - see mbox_index_rig.h.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_index_rig.h"

time_t index_clock_ahead;

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (clock == CLOCK_REALTIME)
		t->tv_sec += index_clock_ahead;
	return r;
}

int
index_setup(void **state)
{
	index_clock_ahead = 10;
	return rig_setup(state);
}

bool
index_is_used(struct rig *r)
{
	int fd, opened;

	rig_close(r);
	fd = open(r->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	opened = rig_try_open(r);
	assert_int_equal(unlink(r->lock), 0);
	if (opened == -1)
		assert_int_equal(r->error.status, POPPER_TEMPORARY);
	return opened == 0;
}

static uint32_t
sum(struct popper_slice text)
{
	uint32_t result = 2166136261u; /* FNV-1a */

	for (; text.len > 0; text.ptr++, text.len--)
		result = (result ^ (unsigned char)*text.ptr) * 16777619u;
	return result;
}

struct notes {
	struct popper_lister lister;
	FILE *f;
	size_t next;
};

static int
note(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct notes *n = (struct notes *)lister;

	assert_int_equal(i, n->next++);
	(void)fprintf(n->f, " %llu%.*s", (unsigned long long)octets,
	    (int)uid.len, uid.ptr);
	return 0;
}

/* What total and list tell. */
static void
tell_lists(struct rig *r, bool full, FILE *f)
{
	struct notes n = { .lister = { .put = note }, .f = f };
	uint64_t octets;

	assert_int_equal(r->drop->total(r->self, &octets, &r->error), 0);
	(void)fprintf(f, "%llu:", (unsigned long long)octets);
	if (full) {
		assert_int_equal(r->drop->list(r->self, POPPER_WANT_UID,
				     &n.lister, &r->error),
		    0);
		assert_int_equal(n.next, r->drop->count(r->self));
	}
	n.next = 0;
	assert_int_equal(
	    r->drop->list(r->self, POPPER_WANT_OCTETS, &n.lister, &r->error),
	    0);
	assert_int_equal(n.next, r->drop->count(r->self));
	(void)fprintf(f, "\n");
}

char *
index_answers(struct rig *r, bool full)
{
	unsigned want = full ? POPPER_WANT_UID | POPPER_WANT_FLAGS : 0;
	size_t i, count = r->drop->count(r->self), len;
	struct popper_message message;
	struct popper_slice content;
	char *text = NULL;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	(void)fprintf(f, "%zu\n", count);
	tell_lists(r, full, f);
	for (i = 0; i < count; i++) {
		message = (struct popper_message){ .octets = 0 };
		assert_int_equal(
		    r->drop->describe(r->self, i, POPPER_WANT_OCTETS | want,
			&message, &r->error),
		    0);
		content = rig_read(r, i, 0);
		(void)fprintf(f, "%llu %u %s %zu %08x\n",
		    (unsigned long long)message.octets, message.flags,
		    message.uid, content.len, sum(content));
		free((void *)(uintptr_t)content.ptr);
	}
	assert_int_equal(fclose(f), 0);
	return text;
}

void
index_expect_scanned(struct rig *r, const char *expected)
{
	char *text;

	rig_close(r);
	rig_open(r);
	text = index_answers(r, true);
	assert_string_equal(text, expected);
	free(text);
	rig_close(r);
}
