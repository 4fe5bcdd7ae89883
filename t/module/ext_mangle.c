/*
 * ext_mangle.c - the mangle module in a session: results that agree, and what
 * happens when something goes wrong.
 *
 * Runs in: tests.
 */
#include "mangle_rig.h"

#include <string.h>

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
		TEST(refuses_limits_without_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
