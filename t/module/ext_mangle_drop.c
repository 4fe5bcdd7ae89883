/*
 * ext_mangle_drop.c - the maildrop of mary-no-mime: messages as plain text, and
 * their sizes from session to session.
 *
 * Runs in: tests.
 */
#include "mangle_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulk.h"

#define SIMPLE "Subject: s\nX: y\n\ntext\n"

static const struct popper_ext *
ext(void)
{
	return mangle_LTX_popper_module.ext;
}

static const char *const stored[] = { SIMPLE, "Subject: t\r\n\r\nu\r\n", "?" };

static size_t
stored_count(const void *self)
{
	(void)self;
	return 3;
}

static int
stored_describe(void *self, size_t i, unsigned want, struct popper_message *m,
    struct popper_error *e)
{
	(void)self;
	(void)want;
	(void)e;
	m->octets = slow_octets(stored[i], strlen(stored[i]));
	m->uid[0] = (char)('a' + i);
	m->uid[1] = '\0';
	return 0;
}

static unsigned reads;

static int
stored_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	reads++;
	(void)self;
	(void)e;
	return sink->put(sink, popper_slice_text(stored[i] + offset)) == -1 ? -1
									    : 0;
}

static enum popper_outcome
stored_commit(
    void *self, const struct popper_changes *changes, struct popper_error *e)
{
	(void)self;
	(void)e;
	return changes->count == 3 && changes->marks[0] == POPPER_MARK_DELETED
	    ? POPPER_DONE
	    : POPPER_NOT_DONE;
}

static unsigned closed;

static void
stored_close(void *self)
{
	(void)self;
	closed++;
}

static const struct popper_drop stored_drop = { .size = sizeof(stored_drop),
	.count = stored_count,
	.describe = stored_describe,
	.read = stored_read,
	.commit = stored_commit,
	.close = stored_close };

static void
without_suffix_the_drop_is_the_inner_one(void **state)
{
	void *outer = NULL;

	(void)state;
	assert_ptr_equal(
	    ext()->wrap(rig, &stored_drop, &closed, &outer, &rig_error),
	    &stored_drop);
	assert_ptr_equal(outer, &closed);
	rig_restart("other");
	assert_ptr_equal(
	    ext()->wrap(rig, &stored_drop, &closed, &outer, &rig_error),
	    &stored_drop);
}

static void
with_it_all_sizes_are_of_plain_text(void **state)
{
	const unsigned char marks[3] = { POPPER_MARK_DELETED, 0, 0 };
	const struct popper_changes changes = {
		.size = sizeof(changes), .count = 3, .marks = marks
	};
	const struct popper_drop *drop;
	struct popper_message m;
	struct collect out;
	void *self;

	(void)state;
	rig_restart("no-mime");
	drop = ext()->wrap(rig, &stored_drop, &closed, &self, &rig_error);
	assert_ptr_not_equal(drop, &stored_drop);
	assert_int_equal(drop->count(self), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    drop->describe(self, i,
			POPPER_WANT_OCTETS | POPPER_WANT_UID, &m, &rig_error),
		    0);
		collect_start(&out);
		assert_int_equal(
		    drop->read(self, i, 0, &out.sink, &rig_error), 0);
		assert_int_equal(m.octets, slow_octets(out.ptr, out.len));
		/* The last one is no message. */
		assert_int_equal(
		    memmem(out.ptr, out.len, "text/plain", 10) != NULL, i < 2);
		collect_end(&out);
	}
	assert_string_equal(m.uid, "c");
	assert_int_equal(drop->commit(self, &changes, &rig_error), POPPER_DONE);
	closed = 0;
	drop->close(self);
	assert_int_equal(closed, 1);
}

static void
with_it_what_fails_is_as_it_is(void **state)
{
	const struct popper_drop *drop;
	struct popper_message m;
	struct collect out;
	void *self;

	(void)state;
	rig_conf.largest = 1;
	rig_restart("no-mime");
	drop = ext()->wrap(rig, &stored_drop, &closed, &self, &rig_error);
	assert_int_equal(
	    drop->describe(self, 1, POPPER_WANT_OCTETS, &m, &rig_error), 0);
	assert_int_equal(m.octets, strlen(stored[1]));
	collect_start(&out);
	assert_int_equal(drop->read(self, 1, 0, &out.sink, &rig_error), 0);
	assert_int_equal(out.len, strlen(stored[1]));
	assert_memory_equal(out.ptr, stored[1], out.len);
	collect_end(&out);
	drop->close(self);
}

/* The sizes of all, in a session of their own; how many were looked into. */
static unsigned
sizes(uint64_t octets[3])
{
	const struct popper_drop *drop;
	struct popper_message m;
	void *self;

	rig_restart("no-mime");
	drop = ext()->wrap(rig, &stored_drop, &closed, &self, &rig_error);
	reads = 0;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    drop->describe(self, i, POPPER_WANT_OCTETS, &m, &rig_error),
		    0);
		octets[i] = m.octets;
	}
	drop->close(self);
	return reads;
}

static void
sizes_last_longer_than_a_session(void **state)
{
	uint64_t first[3], again[3];

	(void)state;
	assert_int_equal(sizes(first), 3);
	assert_int_equal(sizes(again), 0);
	assert_memory_equal(first, again, sizeof(first));
	rig_conf.depth++; /* other limits, other sizes */
	assert_int_equal(sizes(again), 3);
	assert_memory_equal(first, again, sizeof(first));
	assert_int_equal(sizes(again), 0);
	bed_text(&rig_bed, "state/mangle-sizes", "nonsense\n1 a\n");
	assert_int_equal(sizes(again), 3);
	assert_memory_equal(first, again, sizeof(first));
	bed_remove(&rig_bed, "state/mangle-sizes");
	assert_int_equal(
	    mkfifo(bed_path(&rig_bed, "state/mangle-sizes"), 0600), 0);
	assert_int_equal(sizes(again), 3); /* it waits for nobody */
	assert_int_equal(sizes(again), 0);
}

/* The login, and UIDL, look into no message. */
static void
nothing_is_measured_unasked(void **state)
{
	const struct popper_drop *drop;
	uint64_t octets, before[3];
	void *self;

	(void)state;
	(void)sizes(before);
	bed_remove(&rig_bed, "state/mangle-sizes");
	for (int again = 0; again <= 1; again++) {
		rig_restart("no-mime");
		reads = 0;
		drop =
		    ext()->wrap(rig, &stored_drop, &closed, &self, &rig_error);
		assert_int_equal(drop->is_measured(self), again);
		assert_int_equal(reads, 0);
		assert_int_equal(drop->total(self, &octets, &rig_error), 0);
		assert_int_equal(octets, before[0] + before[1] + before[2]);
		assert_int_equal(reads, again ? 0 : 3);
		assert_true(drop->is_measured(self));
		bulk_agrees(drop, self);
		assert_int_equal(reads, again ? 0 : 3);
		drop->close(self);
	}
}

#define MANY 500

/* Sizes of all messages of bulk.h, message ${i} ${i} octets, but one is sent as
 * it is. */
static void
write_sizes(size_t untouched)
{
	char lines[MANY * 96], uid[POPPER_UID_MAX + 1];
	FILE *file = fopen(bed_path(&rig_bed, "state/mangle-sizes"), "r");
	size_t len;

	assert_non_null(file);
	assert_non_null(fgets(lines, 512, file)); /* what made them */
	(void)fclose(file);
	len = strlen(lines);
	for (size_t i = 0; i < MANY; i++) {
		bulk_uid(i, uid);
		len += i == untouched
		    ? (size_t)snprintf(
			  lines + len, sizeof(lines) - len, "- %s\n", uid)
		    : (size_t)snprintf(
			  lines + len, sizeof(lines) - len, "%zu %s\n", i, uid);
	}
	bed_text(&rig_bed, "state/mangle-sizes", lines);
}

/* The drop behind is asked for unique-ids in bulk, and for no size that is not
 * shown. */
static void
known_sizes_cost_one_list(void **state)
{
	const struct popper_drop *drop;
	uint64_t octets;
	void *self;

	(void)state;
	assert_int_equal(sizes((uint64_t[3]){ 0 }), 3);
	write_sizes(8);
	bulk = (struct bulk){ .count = MANY, .measured = true };
	rig_restart("no-mime");
	drop = ext()->wrap(rig, &bulk_drop, &bulk, &self, &rig_error);
	assert_true(drop->is_measured(self));
	bulk.measured = false;
	assert_false(drop->is_measured(self)); /* one is sent as it is */
	assert_int_equal(drop->total(self, &octets, &rig_error), 0);
	assert_int_equal(octets, MANY * (MANY - 1) / 2 - 8 + bulk_octets(8));
	assert_int_equal(bulk.listed, 1);
	assert_int_equal(bulk.described, 1);
	bulk.count = 20;
	bulk_agrees(drop, self);
	assert_true(bulk_top(drop, self, 8));
	assert_int_equal(bulk.tops, 1);
	drop->close(self);
}

/* What fails for want of room is tried again. */
static void
sizes_are_not_kept_in_need(void **state)
{
	uint64_t octets[3];

	(void)state;
	bed_folder(&rig_bed, "state/mangle.tmp"); /* in the spool's way */
	bed_text(&rig_bed, "state/mangle.tmp/x", "");
	assert_int_equal(sizes(octets), 3);
	assert_int_equal(octets[1], strlen(stored[1]));
	bed_remove(&rig_bed, "state/mangle.tmp/x");
	assert_int_equal(rmdir(bed_path(&rig_bed, "state/mangle.tmp")), 0);
	assert_int_equal(sizes(octets), 3);
	assert_int_not_equal(octets[1], strlen(stored[1]));
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, rig_start, rig_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_suffix_the_drop_is_the_inner_one),
		TEST(with_it_all_sizes_are_of_plain_text),
		TEST(with_it_what_fails_is_as_it_is),
		TEST(sizes_last_longer_than_a_session),
		TEST(nothing_is_measured_unasked),
		TEST(known_sizes_cost_one_list),
		TEST(sizes_are_not_kept_in_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
