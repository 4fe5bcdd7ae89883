/*
 * ext_xlst.c - XTND XLST against friendly and hostile headers.
 *
 * Runs in: tests.
 */
#include "ext_bed.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern const struct popper_module xlst_LTX_popper_module;

static struct popper_error error;
static void *self;

/* --- A maildrop of up to four messages. --- */

static const char *mail[4];
static size_t mail_count, mail_deleted; /* the latter: a number, or 0 */
static size_t mail_broken; /* number of the one that cannot be read */
static size_t piece; /* octets in one put */
static size_t octets_read;

static size_t
view_count(struct popper_view *view)
{
	(void)view;
	return mail_count;
}

static bool
view_deleted(struct popper_view *view, size_t i)
{
	(void)view;
	return i + 1 == mail_deleted;
}

static int
view_read(struct popper_view *view, size_t i, uint64_t offset,
    struct popper_sink *sink, struct popper_error *e)
{
	const char *text = mail[i];
	size_t len = strlen(text), n;
	int said = 0;

	(void)view;
	assert_int_equal(offset, 0);
	if (i + 1 == mail_broken)
		return (bed_host.fail)(e, POPPER_TEMPORARY, "broken");
	for (size_t at = 0; at < len && said == 0; at += n) {
		n = len - at < piece ? len - at : piece;
		octets_read += n;
		said = sink->put(sink, popper_slice(text + at, n));
	}
	return said;
}

static int
view_pick(struct popper_view *view, struct popper_slice word, size_t *i,
    struct popper_error *e)
{
	(void)view;
	assert_int_equal(word.len, 1);
	*i = (size_t)(word.ptr[0] - '1');
	if (*i < mail_count && *i + 1 != mail_deleted)
		return 0;
	return (bed_host.fail)(e, POPPER_INVALID, "no such message");
}

static struct popper_view view = { .size = sizeof(view),
	.count = view_count,
	.deleted = view_deleted,
	.read = view_read,
	.pick = view_pick };

/* --- What the client hears. --- */

static struct collect heard;

static int
talk_line(struct popper_talk *talk, struct popper_slice s)
{
	(void)talk;
	heard.sink.put(&heard.sink, s);
	return heard.sink.put(&heard.sink, popper_slice("\n", 1));
}

static int
run(const char *keyword, const char *header, const char *number)
{
	const struct popper_command *c = xlst_LTX_popper_module.ext->commands;
	const struct popper_slice args[2] = { popper_slice_text(header),
		popper_slice_text(number == NULL ? "" : number) };
	struct popper_talk talk = bed_talk;
	struct popper_call call = { .size = sizeof(call),
		.count = number == NULL ? 1 : 2,
		.args = args,
		.talk = &talk,
		.view = &view };

	talk.line = talk_line;
	bed_said[0] = '\0';
	heard.len = 0;
	error.reply[0] = '\0';
	while (strcmp(c->keyword, keyword) != 0)
		assert_non_null((++c)->keyword);
	assert_in_range(call.count, c->least, c->most);
	return c->run(self, &call, &error);
}

/* ${header} of all messages, in pieces of any length, is ${lines}. */
static void
expect(const char *header, const char *lines)
{
	for (piece = 1; piece < 70;
	     piece = piece < 10 ? piece + 1 : piece * 2) {
		assert_int_equal(run("XTND XLST", header, NULL), 0);
		assert_string_equal(bed_said,
		    "+OK xlst command accepted; headers coming.\n.\n");
		assert_int_equal(heard.len, strlen(lines));
		if (heard.len > 0)
			assert_memory_equal(heard.ptr, lines, heard.len);
	}
}

/* The same of a maildrop with this one message. */
static void
expect_of(const char *message, const char *header, const char *lines)
{
	mail[0] = message;
	mail_count = 1;
	expect(header, lines);
}

static int
set_up(void **state)
{
	const struct popper_place place = { .size = sizeof(place),
		.state = -1 };

	(void)state;
	mail[0] = "From: a@b\nTo: c@d\nMessage-Id: <1@b>\n\nbody\n";
	mail[1] = "From: b@b\r\nMessage-ID: <2@b>\r\n\r\nFrom: x\r\n";
	mail[2] = "Topic: no\nto: e@f\n\nMessage-Id: <body@b>\n";
	mail_count = 3;
	mail_deleted = mail_broken = 0;
	piece = 7;
	collect_start(&heard);
	return xlst_LTX_popper_module.ext->start(
	    &bed_host, NULL, &place, &self, &error);
}

static int
tear_down(void **state)
{
	(void)state;
	collect_end(&heard);
	xlst_LTX_popper_module.ext->stop(self);
	return 0;
}

/* --- The tests. --- */

static void
all_messages_that_have_it(void **state)
{
	(void)state;
	expect("Message-Id", "1 Message-Id: <1@b>\n2 Message-ID: <2@b>\n");
	expect("message-id:", "1 Message-Id: <1@b>\n2 Message-ID: <2@b>\n");
	expect("From", "1 From: a@b\n2 From: b@b\n");
	expect("Subject", "");
}

static void
the_whole_name_counts(void **state)
{
	(void)state;
	expect("To", "1 To: c@d\n3 to: e@f\n");
	expect("T", "");
	expect("Top", "");
	expect("Message-Id-", "");
}

static void
all_spellings_are_one_command(void **state)
{
	static const char *const spelling[] = { "XTND XLST", "XTND XLIST",
		"XLST", "XLIST" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(run(spelling[i], "To", NULL), 0);
		assert_int_equal(heard.len, strlen("1 To: c@d\n3 to: e@f\n"));
	}
	assert_string_equal(
	    xlst_LTX_popper_module.ext->capabilities[0], "X-XLST");
}

static void
one_message(void **state)
{
	(void)state;
	assert_int_equal(run("XTND XLST", "From", "2"), 0);
	assert_memory_equal(heard.ptr, "2 From: b@b\n", heard.len);
	assert_int_equal(run("XTND XLST", "From", "3"), 0);
	assert_string_equal(
	    bed_said, "+OK xlst command accepted; headers coming.\n.\n");
	assert_int_equal(heard.len, 0);
	assert_int_equal(run("XTND XLST", "From", "9"), -1);
	assert_int_equal(error.status, POPPER_INVALID);
	assert_string_equal(bed_said, "");
}

static void
deleted_messages_are_left_out(void **state)
{
	(void)state;
	mail_deleted = 1;
	expect("Message-Id", "2 Message-ID: <2@b>\n");
	assert_int_equal(run("XTND XLST", "From", "1"), -1);
	assert_string_equal(bed_said, "");
}

static void
an_empty_maildrop_is_an_empty_list(void **state)
{
	(void)state;
	mail_count = 0;
	expect("Message-Id", "");
}

static void
folds_become_one_space(void **state)
{
	(void)state;
	expect_of("Message-Id:\n\t<long@b>\nX: y\n\n", "Message-Id",
	    "1 Message-Id: <long@b>\n");
	expect_of("To: a@b,  \r\n \t c@d,\r\n\te  f\r\n\r\n", "To",
	    "1 To: a@b, c@d, e  f\n");
	expect_of("X: To\n To: folded\nTo:here", "To", "1 To: here\n");
	expect_of("Subject: \n \n\n", "Subject", "1 Subject:\n");
	expect_of("Subject: a\n \n b\n", "Subject", "1 Subject: a b\n");
}

static void
odd_headers_stay_in_their_line(void **state)
{
	(void)state;
	expect_of("Subject : x\n\n", "Subject", "1 Subject: x\n");
	expect_of("Subject x: y\nSubject: z\n", "Subject", "1 Subject: z\n");
	expect_of("Subject\nSubject \nSubject: z", "Subject", "1 Subject: z\n");
	expect_of("Subject: a\rb\033[2Jc\177\xc3\xa4\n\n", "Subject",
	    "1 Subject: a b [2Jc \xc3\xa4\n");
	expect_of("Subject: first\nSubject: second\n\n", "Subject",
	    "1 Subject: first\n");
	expect_of("\rSubject: a\nSubject: b\n", "Subject", "1 Subject: b\n");
	expect_of("\nSubject: body\n", "Subject", "");
	expect_of("\r\nSubject: body\n", "Subject", "");
	expect_of(" Subject: folded\n", "Subject", "");
	expect_of("", "Subject", "");
	expect_of("Subject:", "Subject", "1 Subject:\n");
}

static void
long_values_are_cut(void **state)
{
	static char message[100000];
	size_t len;

	(void)state;
	len = strlen(strcpy(message, "Subject: "));
	memset(message + len, 'x', sizeof(message) - len - 1);
	mail[0] = message;
	mail_count = 1;
	for (piece = 1; piece < 5000; piece += 777) {
		octets_read = 0;
		assert_int_equal(run("XTND XLST", "Subject", NULL), 0);
		assert_int_equal(heard.len, strlen("1 Subject: \n") + 8192);
		assert_in_range(octets_read, 8192, 8192 + 5000 + 20);
	}
	for (len = 9; len < sizeof(message) - 3; len += 2)
		memcpy(message + len, "\n ", 2);
	strcpy(message + len, "y");
	piece = 1000;
	assert_int_equal(run("XTND XLST", "Subject", NULL), 0);
	assert_memory_equal(heard.ptr, "1 Subject: y\n", heard.len);
	for (len = 9; len < sizeof(message) - 4; len += 3)
		memcpy(message + len, "\n z", 3);
	assert_int_equal(run("XTND XLST", "Subject", NULL), 0);
	assert_int_equal(heard.len, strlen("1 Subject: \n") + 8191);
}

static void
only_the_header_is_read(void **state)
{
	static char message[50000];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	memcpy(message, "A: b\n\n", 6);
	mail[0] = message;
	mail_count = 1;
	piece = 100;
	octets_read = 0;
	assert_int_equal(run("XTND XLST", "Subject", NULL), 0);
	assert_int_equal(octets_read, 100);
}

static void
names_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = { "", ":", "a:b", "a::", "\xc3\xa4",
		"a\tb", "\177" };
	char name[131];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(run("XTND XLST", wrong[i], NULL), -1);
		assert_int_equal(error.status, POPPER_INVALID);
		assert_string_equal(bed_said, "");
		assert_string_not_equal(error.reply, "");
	}
	memset(name, 'n', 130);
	name[129] = '\0';
	assert_int_equal(run("XTND XLST", name, NULL), -1);
	assert_int_equal(run("XTND XLST", name + 1, NULL), 0);
}

static void
messages_that_fail(void **state)
{
	(void)state;
	mail_broken = 1;
	bed_log[0] = '\0';
	expect("From", "2 From: b@b\n");
	assert_in_range(bed_logged("message 1 left out: broken"), 1, 100);
	assert_int_equal(run("XTND XLST", "From", "1"), -1);
	assert_string_equal(bed_said, ""); /* a clean -ERR */
	mail_broken = 3;
	expect("From", "1 From: a@b\n2 From: b@b\n");
	mail_count = mail_broken = 1;
	assert_int_equal(run("XTND XLST", "From", NULL), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_string_equal(bed_said, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(all_messages_that_have_it),
		TEST(the_whole_name_counts),
		TEST(all_spellings_are_one_command),
		TEST(one_message),
		TEST(deleted_messages_are_left_out),
		TEST(an_empty_maildrop_is_an_empty_list),
		TEST(folds_become_one_space),
		TEST(odd_headers_stay_in_their_line),
		TEST(long_values_are_cut),
		TEST(only_the_header_is_read),
		TEST(names_that_are_none_are_refused),
		TEST(messages_that_fail),
	};

	return cmocka_run_group_tests_name("xlst", tests, NULL, NULL);
}
