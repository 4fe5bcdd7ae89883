/*
 * ext_xmit.c - XTND XMIT: what is taken from the client, and what is refused.
 *
 * Runs in: tests.
 */
#include "xmit_bed.h"

#include <stdio.h>
#include <string.h>

/* --- Messages that go out. --- */

static void
a_message_goes_out(void **state)
{
	(void)state;
	assert_int_equal(
	    transmit(HEAD "Subject: x\r\n\r\nHello\r\n.\r\nNOOP\r\n"), 0);
	assert_string_equal(bed_said, GOOD);
	assert_string_equal(content("message"),
	    "From: alice@example.org\nTo: bob@example.net\n"
	    "Subject: x\n\nHello\n");
	assert_string_equal(
	    content("arguments"), "-i -f alice@example.org -t\n");
	assert_int_equal(sent_len, strlen("NOOP\r\n"));
	assert_int_equal(bed_logged("alice from"), 1);
	assert_string_equal(ext()->capabilities[0], "X-XMIT");
}

static void
dots_are_unstuffed_exactly(void **state)
{
	(void)state;
	assert_int_equal(
	    transmit(HEAD "\r\n..\r\n...\r\n..x\r\n.x\r\nx..\r\n\r\n.\r\n"), 0);
	assert_string_equal(content("message"),
	    "From: alice@example.org\nTo: bob@example.net\n\n"
	    ".\n..\n.x\n.x\nx..\n\n");
}

static void
a_client_with_bare_line_feeds(void **state)
{
	(void)state;
	assert_int_equal(
	    transmit("From: alice@example.org\nTo: b@c\n\nx\n.\n"), 0);
	assert_string_equal(
	    content("message"), "From: alice@example.org\nTo: b@c\n\nx\n");
}

static void
from_is_added_where_it_is_missing(void **state)
{
	(void)state;
	assert_int_equal(transmit("To: b@c\r\n\r\nFrom: x\r\n.\r\n"), 0);
	assert_string_equal(content("message"),
	    "From: alice@example.org\nTo: b@c\n\nFrom: x\n");
	assert_int_equal(transmit("Bcc: b@c\r\n.\r\n"), 0);
	assert_string_equal(
	    content("message"), "From: alice@example.org\nBcc: b@c\n");
}

static void
large_messages_go_out_whole(void **state)
{
	static char text[90000];
	size_t len = strlen(strcpy(text, HEAD "\r\n")), body = len;

	(void)state;
	while (len < sizeof(text) - 80)
		len += (size_t)sprintf(text + len, "line %zu\xe4\r\n", len);
	strcpy(text + len, ".\r\n");
	assert_int_equal(transmit(text), 0);
	text[len] = '\0';
	for (char *cr = text; (cr = strchr(cr, '\r')) != NULL;)
		memmove(cr, cr + 1, strlen(cr));
	assert_true(strcmp(content("message"), text) == 0);
	assert_true(body > 0);
}

/* --- Messages that do not. --- */

static void
broken_lines_are_refused(void **state)
{
	static const char nul[] = HEAD "\r\na\0b\r\n.\r\n";

	(void)state;
	assert_int_equal(transmit_octets(nul, sizeof(nul) - 1), -1);
	assert_non_null(strstr(error.reply, "NUL"));
	assert_int_equal(sent_len, 0);
	expect_refused(HEAD "\r\na\rb\r\n.\r\n", "CR inside");
	expect_refused(HEAD "X: a\rb\r\n\r\n.\r\n", "CR inside");
	/* What hides behind a bare line end is no command. */
	expect_refused(HEAD "\r\nx\n.\r\nDELE 1\r\n.\r\n", "mixed");
	expect_refused(HEAD "\r\nx\r\n.\nDELE 1\r\n.\r\n", "mixed");
	expect_refused(
	    "From: alice@example.org\nTo: b@c\n\nx\r\n.\nDELE 1\n.\n", "mixed");
	assert_int_equal(attended, 0);
}

static void
what_is_too_much_is_refused(void **state)
{
	static char text[200000];
	size_t len;

	(void)state;
	len = strlen(strcpy(text, HEAD "\r\n"));
	memset(text + len, 'x', 17000);
	strcpy(text + len + 17000, "\r\n.\r\n");
	expect_refused(text, "line is too long");
	for (len = 0; len < 70000; len += 1000) {
		memset(text + len, 'x', 1000);
		memcpy(text + len, "X: ", 3);
		memcpy(text + len + 998, "\r\n", 2);
	}
	strcpy(text + len, "\r\n.\r\n");
	expect_refused(text, "header is too long");
	len = strlen(strcpy(text, HEAD "\r\n"));
	while (len < 110000)
		len += (size_t)sprintf(text + len, "line %zu\r\n", len);
	strcpy(text + len, ".\r\n");
	expect_refused(text, "too large");
	assert_int_equal(attended, 0);
}

static void
recipients_are_counted(void **state)
{
	(void)state;
	assert_int_equal(transmit("To: a@b, c@d\r\nCc: e@f,\r\n g@h\r\n"
				  "Bcc: i@j\r\n\r\n.\r\n"),
	    0);
	bed_remove(&bed, "message");
	expect_refused("To: a@b, c@d\r\nCc: e@f,\r\n g@h\r\n"
		       "Bcc: i@j\r\nResent-To: k@l\r\n\r\n.\r\n",
	    "too many recipients");
	expect_refused("Subject: x\r\n\r\nTo: a@b\r\n.\r\n", "no recipients");
	expect_refused("To: \r\nCc: ,;,\r\n\r\n.\r\n", "no recipients");
	expect_refused(".\r\n", "no recipients");
}

static void
headers_in_doubt_are_refused(void **state)
{
	(void)state;
	expect_refused(
	    "To: a@b\r\nnonsense\r\nBcc: x@y\r\n\r\n.\r\n", "malformed");
	expect_refused(" To: a@b\r\n\r\n.\r\n", "malformed");
	expect_refused("To: a@b\r\n: x\r\n\r\n.\r\n", "malformed");
	expect_refused("To a: x\r\nTo: a@b\r\n\r\n.\r\n", "malformed");
	expect_refused("From alice\r\nTo: a@b\r\n\r\n.\r\n", "malformed");
}

static void
only_ones_own_address(void **state)
{
	(void)state;
	assert_int_equal(
	    transmit("from : \"Miller, A.\" (x) <ALICE@Example.Org>\r\n"
		     "Sender: alice@example.org\r\nTo: b@c\r\n\r\n.\r\n"),
	    0);
	bed_remove(&bed, "message");
	expect_refused("From: bob@example.org\r\nTo: b@c\r\n\r\n.\r\n",
	    "From must be alice@example.org");
	expect_refused("From: alice@example.org\r\nSender: root@localhost\r\n"
		       "To: b@c\r\n\r\n.\r\n",
	    "Sender must be alice");
	expect_refused("From: alice@example.org\r\nResent-From: x@y\r\n"
		       "To: b@c\r\n\r\n.\r\n",
	    "Resent-From must be alice");
	expect_refused("From: alice@example.org\r\nFROM: x@y\r\n"
		       "To: b@c\r\n\r\n.\r\n",
	    "more than once");
	conf.any_sender = true;
	assert_int_equal(
	    transmit("From: bob@example.org\r\nTo: b@c\r\n\r\n.\r\n"), 0);
	assert_string_equal(
	    content("arguments"), "-i -f alice@example.org -t\n");
}

/* --- Addresses. --- */

static void
expect_address(const char *value, const char *address)
{
	char out[100];

	if (address == NULL) {
		assert_false(
		    xmit_address(popper_slice_text(value), out, sizeof(out)));
		return;
	}
	assert_true(xmit_address(popper_slice_text(value), out, sizeof(out)));
	assert_string_equal(out, address);
}

static void
one_address_or_none(void **state)
{
	(void)state;
	expect_address(" a@b\n", "a@b");
	expect_address("A B <a@b>", "a@b");
	expect_address("A. \"x@y,\" (<z@z>) <a@b> (c)", "a@b");
	expect_address("(a (b\\)) c)a@b", "a@b");
	expect_address("=?utf-8?q?J=C3=BCrgen?= <a@b>", "a@b");
	expect_address("<a@b>\n (Name)\n", "a@b");
	expect_address("", NULL);
	expect_address("a", NULL);
	expect_address("a b@c", NULL);
	expect_address("a@b, c@d", NULL);
	expect_address("a@b <c@d> <e@f>", NULL);
	expect_address("<a@b> e@f", NULL);
	expect_address("<a@b>, <c@d>", NULL);
	expect_address("g: a@b;", NULL);
	expect_address("<@x:a@b>", NULL);
	expect_address("<a@b", NULL);
	expect_address("<>", NULL);
	expect_address("a@b>", NULL);
	expect_address("\"a@b", NULL);
	expect_address("\"a\"@b", NULL);
	expect_address("(a@b", NULL);
	expect_address("< a@b>", NULL);
	expect_address("a@" /* 100 and more */
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    NULL);
}

static void
ones_own_addresses(void **state)
{
	char own[100];

	(void)state;
	conf.domain = "example.com, example.net";
	assert_int_equal(xmit_own(&x, own, sizeof(own), &error), 0);
	assert_string_equal(own, "alice@example.com");
	assert_true(xmit_is_own(&x, popper_slice_text("ALICE@example.net")));
	assert_false(xmit_is_own(&x, popper_slice_text("alice@example.org")));
	assert_false(xmit_is_own(&x, popper_slice_text("alice@")));
	strcpy(bed.identity.user, "bob@virtual.example");
	assert_int_equal(xmit_own(&x, own, sizeof(own), &error), 0);
	assert_string_equal(own, "bob@virtual.example");
	assert_false(xmit_is_own(&x, popper_slice_text("bob@example.net")));
	strcpy(bed.identity.user, "a b");
	assert_int_equal(xmit_own(&x, own, sizeof(own), &error), -1);
	assert_int_equal(error.status, POPPER_PERMANENT);
	strcpy(bed.identity.user, "-oQ/tmp");
	assert_int_equal(xmit_own(&x, own, sizeof(own), &error), 0);
	strcpy(bed.identity.user, "b\xc3\xb6");
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_string_equal(bed_said, "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_message_goes_out),
		TEST(dots_are_unstuffed_exactly),
		TEST(a_client_with_bare_line_feeds),
		TEST(from_is_added_where_it_is_missing),
		TEST(large_messages_go_out_whole),
		TEST(broken_lines_are_refused),
		TEST(what_is_too_much_is_refused),
		TEST(recipients_are_counted),
		TEST(headers_in_doubt_are_refused),
		TEST(only_ones_own_address),
		TEST(one_address_or_none),
		TEST(ones_own_addresses),
	};

	return cmocka_run_group_tests_name("xmit", tests, NULL, NULL);
}
