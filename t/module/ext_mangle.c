/*
 * ext_mangle.c - the mangle module in a session: results that agree, and what
 * happens when something goes wrong.
 *
 * Runs in: tests.
 */
#include "mangle_rig.h"

#include <string.h>
#include <unistd.h>

#include "ext_bed.h"

#define SIMPLE "Subject: s\nX: y\n\ntext\n"
#define ALL "X-MANGLE(headers=subject)"
#define MADE                              \
	"Subject: s\nMime-version: 1.0\n" \
	"Content-Type: text/plain;charset=\"us-ascii\"\n\ntext\n"
#define PARTS                                                            \
	"Content-Type: multipart/mixed; boundary=a\nMime-Version: 1.0\n" \
	"\n--a\n\none\n--a\n\ntwo\n--a--\n"

static const struct popper_ext *
ext(void)
{
	return mangle_LTX_popper_module.ext;
}

static void
untouched(const char *message)
{
	const char *got = rig_retr(ALL, message);

	assert_non_null(got);
	assert_string_equal(got, message);
}

static void
stays_out_without_its_argument(void **state)
{
	(void)state;
	assert_string_equal(rig_retr("", SIMPLE), SIMPLE);
	assert_true(ext()->accepts(rig, popper_slice_text("xmangle(")));
	assert_false(ext()->accepts(rig, popper_slice_text("X-UPPER")));
}

static void
refuses_wrong_syntax_before_it_reads(void **state)
{
	(void)state;
	assert_null(rig_retr("X-MANGLE(", SIMPLE));
	assert_int_equal(rig_error.status, POPPER_INVALID);
	assert_string_equal(rig_error.reply, "Syntax error in Mangle");
}

/* RETR after LIST does not look into the message again. */
static void
results_are_kept(void **state)
{
	(void)state;
	assert_string_equal(rig_run("LIST", UINT64_MAX, ALL, SIMPLE), MADE);
	assert_string_equal(rig_retr(ALL, "another\n"), MADE);
	assert_string_equal(rig_run("TOP", 5, ALL, "another\n"), MADE);
	assert_string_equal(rig_run("TOP", 0, ALL, SIMPLE), "Subject: s\n\n");
	/* Other arguments, other results. */
	assert_string_equal(rig_retr("X-MANGLE(headers=x)", SIMPLE),
	    "X: y\nMime-version: 1.0\n"
	    "Content-Type: text/plain;charset=\"us-ascii\"\n\ntext\n");
	assert_string_equal(rig_retr(ALL, ""), MADE);
}

static void
what_does_not_fit_is_made_again(void **state)
{
	(void)state;
	rig_conf.keep = 10;
	assert_string_equal(rig_retr(ALL, SIMPLE), MADE);
	assert_string_equal(rig_retr(ALL, SIMPLE), MADE);
	assert_int_equal(rig->kept.file.len, 0);
}

static void
many_arguments_cost_no_more(void **state)
{
	char argument[] = "X-MANGLE(headers=subject;wrap=2x)";

	(void)state;
	for (char c = '0'; c <= '9'; c++) {
		*strchr(argument, '2') = '2';
		argument[strlen(argument) - 2] = c;
		assert_string_equal(rig_retr(argument, SIMPLE), MADE);
	}
	assert_int_equal(rig->kept.count, MANGLE_SETS);
}

static void
beyond_a_limit_it_goes_out_as_it_is(void **state)
{
	(void)state;
	rig_conf.parts = 2;
	untouched(PARTS);
	assert_int_equal(bed_logged("message 1 is sent as it is"), 1);
	/* And stays so, though now it could be mangled. */
	rig_conf.parts = 100;
	untouched(PARTS);
	assert_int_equal(bed_logged("message 1 is sent as it is"), 1);
	rig_restart("");
	assert_string_not_equal(rig_retr(ALL, PARTS), PARTS);
}

static void
too_large_it_goes_out_as_it_is(void **state)
{
	char message[5000] = "Subject: s\n\n";

	(void)state;
	rig_conf.largest = 3000;
	memset(message + strlen(message), 'x', 4000);
	untouched(message);
	assert_int_equal(bed_logged("too large"), 1);
	untouched(message);
	assert_int_equal(bed_logged("too large"), 1);
	rig_restart("");
	rig_conf.largest = 5000;
	rig_conf.text = 1024;
	untouched(message);
}

static void
without_a_folder_it_goes_out_as_it_is(void **state)
{
	int folder = rig->state;

	(void)state;
	rig->state = -1;
	untouched(SIMPLE);
	assert_int_equal(bed_logged("cannot be written"), 1);
	rig->state = folder;
}

/* A drop that fails: nothing is sent, not even what came before. */
static void
a_message_that_breaks_is_not_sent(void **state)
{
	const struct popper_request request = { .size = sizeof(request),
		.command = "RETR",
		.argument = popper_slice_text(ALL),
		.lines = UINT64_MAX };
	struct collect out;
	struct popper_sink *sink;

	(void)state;
	collect_start(&out);
	memset(&rig_error, 0, sizeof(rig_error));
	sink = ext()->filter(rig, &request, &out.sink, &rig_error);
	assert_non_null(sink);
	assert_int_equal(sink->put(sink, popper_slice_text(SIMPLE)), 0);
	rig_error.status = POPPER_TEMPORARY;
	(void)ext()->finish(sink, &rig_error);
	assert_int_equal(out.len, 0);
	assert_int_equal(rig_error.status, POPPER_TEMPORARY);
	assert_int_equal(bed_log[0], '\0');
	collect_end(&out);
	assert_string_equal(rig_retr(ALL, SIMPLE), MADE);
}

static void
nothing_stays_in_the_state_folder(void **state)
{
	(void)state;
	assert_string_equal(rig_retr(ALL, SIMPLE), MADE);
	assert_false(bed_exists(&rig_bed, "state/mangle.tmp"));
	/* One of a session that was killed. */
	bed_text(&rig_bed, "state/mangle.tmp", "old");
	rig_restart("");
	assert_string_equal(rig_retr(ALL, SIMPLE), MADE);
	assert_false(bed_exists(&rig_bed, "state/mangle.tmp"));
}

static int
mdef(const char *text)
{
	const struct popper_slice arg = popper_slice_text(text);
	const struct popper_call call = { .size = sizeof(call),
		.count = 1,
		.args = &arg,
		.talk = &bed_talk,
		.view = &bed_view };

	bed_said[0] = '\0';
	assert_string_equal(ext()->commands[0].keyword, "MDEF");
	return ext()->commands[0].run(rig, &call, &rig_error);
}

static void
macros_are_answered(void **state)
{
	(void)state;
	assert_int_equal(mdef("s(headers=subject)"), 0);
	assert_string_equal(bed_said, "+OK Macro \"s\" accepted\n");
	assert_string_equal(rig_retr("X-MANGLE(s)", SIMPLE), MADE);
	assert_int_equal(mdef("s"), -1);
	assert_string_equal(rig_error.reply, "Syntax error");
	assert_int_equal(
	    mdef("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(x)"), -1);
	assert_string_equal(rig_error.reply, "MDEF name too long");
}

/* --- The maildrop of mary-no-mime. --- */

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
	assert_int_equal(sizes(again), 3);
	assert_int_equal(sizes(again), 0);
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

static void
refuses_limits_without_sense(void **state)
{
	static const struct {
		size_t field;
		uint64_t value;
	} wrong[] = { { offsetof(struct mangle_conf, parts), 0 },
		{ offsetof(struct mangle_conf, depth), 501 },
		{ offsetof(struct mangle_conf, time), 0 },
		{ offsetof(struct mangle_conf, text), 1 } };
	struct mangle_conf conf;
	void *self;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		conf = rig_conf;
		memcpy((char *)&conf + wrong[i].field, &wrong[i].value,
		    sizeof(wrong[i].value));
		assert_int_equal(ext()->start(&bed_host, &conf, &rig_bed.place,
				     &self, &rig_error),
		    -1);
		assert_int_equal(rig_error.status, POPPER_PERMANENT);
	}
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, rig_start, rig_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stays_out_without_its_argument),
		TEST(refuses_wrong_syntax_before_it_reads),
		TEST(results_are_kept),
		TEST(what_does_not_fit_is_made_again),
		TEST(many_arguments_cost_no_more),
		TEST(beyond_a_limit_it_goes_out_as_it_is),
		TEST(too_large_it_goes_out_as_it_is),
		TEST(without_a_folder_it_goes_out_as_it_is),
		TEST(a_message_that_breaks_is_not_sent),
		TEST(nothing_stays_in_the_state_folder),
		TEST(macros_are_answered),
		TEST(without_suffix_the_drop_is_the_inner_one),
		TEST(with_it_all_sizes_are_of_plain_text),
		TEST(with_it_what_fails_is_as_it_is),
		TEST(sizes_last_longer_than_a_session),
		TEST(sizes_are_not_kept_in_need),
		TEST(refuses_limits_without_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
