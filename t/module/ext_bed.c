/*
 * ext_bed.c - a talk, a view and a drop for the tests of ext modules.
 *
 * Runs in: tests.
 */
#include "ext_bed.h"

#include <stdio.h>
#include <string.h>

/* --- The client's side: everything that is bed_said. --- */

char bed_said[4096];

static void say(const char *, va_list) POPPER_PRINTF(1, 0);
static int talk_ok(struct popper_talk *, const char *, ...) POPPER_PRINTF(2, 3);
static int talk_open(struct popper_talk *, const char *, ...)
    POPPER_PRINTF(2, 3);

static void
say(const char *format, va_list ap)
{
	size_t used = strlen(bed_said);

	(void)snprintf(bed_said + used, sizeof(bed_said) - used, "+OK ");
	(void)vsnprintf(
	    bed_said + used + 4, sizeof(bed_said) - used - 4, format, ap);
	used = strlen(bed_said);
	(void)snprintf(bed_said + used, sizeof(bed_said) - used, "\n");
}

static int
talk_ok(struct popper_talk *talk, const char *format, ...)
{
	va_list ap;

	(void)talk;
	va_start(ap, format);
	say(format, ap);
	va_end(ap);
	return 0;
}

static int
talk_open(struct popper_talk *talk, const char *format, ...)
{
	va_list ap;

	(void)talk;
	va_start(ap, format);
	say(format, ap);
	va_end(ap);
	return 0;
}

static int
talk_line(struct popper_talk *talk, struct popper_slice s)
{
	size_t used = strlen(bed_said);

	(void)talk;
	(void)snprintf(bed_said + used, sizeof(bed_said) - used, "%.*s\n",
	    (int)s.len, s.ptr);
	return 0;
}

static int
talk_end(struct popper_talk *talk)
{
	return talk_line(talk, popper_slice_text("."));
}

struct popper_talk bed_talk = { .size = sizeof(bed_talk),
	.ok = talk_ok,
	.open = talk_open,
	.line = talk_line,
	.end = talk_end };

/* --- A drop of three messages, of which the second and third are marked. ---
 */

static const char *const mail[] = { "a\n", "bb\n", "ccc\n" };
unsigned char bed_committed[4];
size_t bed_committed_count;
unsigned bed_closed;

static size_t
inner_count(const void *inner)
{
	(void)inner;
	return 3;
}

static int
inner_describe(void *inner, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	(void)inner;
	(void)e;
	assert_true(i < 3);
	if (want & POPPER_WANT_OCTETS)
		message->octets = strlen(mail[i]) + 1;
	if (want & POPPER_WANT_UID)
		(void)snprintf(message->uid, sizeof(message->uid), "u%zu", i);
	return 0;
}

static int
inner_read(void *inner, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	(void)inner;
	(void)e;
	assert_true(i < 3);
	return sink->put(sink, popper_slice_text(mail[i] + offset));
}

static enum popper_outcome
inner_commit(
    void *inner, const struct popper_changes *changes, struct popper_error *e)
{
	(void)inner;
	(void)e;
	assert_true(changes->count <= sizeof(bed_committed));
	memcpy(bed_committed, changes->marks, changes->count);
	bed_committed_count = changes->count;
	return POPPER_DONE;
}

static void
inner_close(void *inner)
{
	(void)inner;
	bed_closed++;
}

const struct popper_drop bed_drop = { .size = sizeof(bed_drop),
	.count = inner_count,
	.describe = inner_describe,
	.read = inner_read,
	.commit = inner_commit,
	.close = inner_close };

int bed_drop_self;

static size_t
view_count(struct popper_view *view)
{
	(void)view;
	return 3;
}

static bool
view_deleted(struct popper_view *view, size_t i)
{
	(void)view;
	return i > 0;
}

static int
view_describe(struct popper_view *view, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	(void)view;
	return inner_describe(&bed_drop_self, i, want, message, e);
}

struct popper_view bed_view = { .size = sizeof(bed_view),
	.count = view_count,
	.deleted = view_deleted,
	.describe = view_describe };
