/*
 * ext_mangle_parts.c - which parts of a message speak, and what their headers
 * become.
 *
 * Runs in: tests.
 */
#include "mangle_rig.h"

#include <stdio.h>
#include <string.h>

#define MULTI(type)           \
	"Mime-Version: 1.0\n" \
	"Content-Type: multipart/" type "; boundary=a\n\n"
#define PART(type) "--a\nContent-Type: " type "\n\n"
#define END "--a--\n"
#define TNEF                            \
	PART("application/vnd.ms-tnef") \
	"AAAA\n" PART("application/ms-tnef") "AAAA\n"
#define EXTERNAL                                       \
	PART("message/external-body; access-type=ftp") \
	"Content-Type: text/plain\n\n"
#define TWO                  \
	MULTI("alternative") \
	PART("text/plain")   \
	"the plain one\n" PART("text/html") "<p>the page</p>\n" END

static void
body_is(const char *argument, const char *message, const char *body)
{
	assert_string_equal(rig_body(argument, message), body);
}

static void
headers_are_those_wanted(void **state)
{
	static const char message[] =
	    "Received: by mx\nDate: Tue, 4 Mar 2025 09:00:00 +0000\n"
	    "To: a@example.org\nX-Other: no\nSubject: s\n"
	    "FROM: b@example.org\n\ntext\n";

	(void)state;
	assert_string_equal(rig_retr("X-MANGLE", message),
	    "Date: Tue, 4 Mar 2025 09:00:00 +0000\n"
	    "To: a@example.org\nSubject: s\nFROM: b@example.org\n"
	    "Mime-version: 1.0\n"
	    "Content-Type: text/plain;charset=\"us-ascii\"\n\ntext\n");
	assert_string_equal(rig_retr("MANGLE(h=subj,x-)", message),
	    "X-Other: no\nSubject: s\n"
	    "Mime-version: 1.0\n"
	    "Content-Type: text/plain;charset=\"us-ascii\"\n\ntext\n");
	assert_string_equal(
	    rig_run("TOP", 0, "X-MANGLE(h=subj)", message), "Subject: s\n\n");
	assert_string_equal(rig_run("TOP", 1, "X-MANGLE(h=subj)", message),
	    "Subject: s\nMime-version: 1.0\n"
	    "Content-Type: text/plain;charset=\"us-ascii\"\n\ntext\n");
}

static void
subject_is(const char *charset, const char *raw, const char *decoded)
{
	char message[2000], argument[100], want[2000];
	const char *got;

	(void)snprintf(message, sizeof(message), "Subject: %s\n\nx\n", raw);
	(void)snprintf(argument, sizeof(argument),
	    "X-MANGLE(headers=subject;charset=%s)", charset);
	(void)snprintf(want, sizeof(want), "Subject: %s\n", decoded);
	got = rig_run("TOP", 0, argument, message);
	assert_non_null(got);
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("%s became %s", raw, got);
	rig_restart("");
}

static void
headers_are_decoded(void **state)
{
	(void)state;
	subject_is("utf-8", "=?iso-8859-1?q?caf=E9?=", "caf\xc3\xa9");
	subject_is("iso-8859-1", "=?utf-8?b?Y2Fmw6k=?=", "caf\xe9");
	subject_is("us-ascii", "=?utf-8?b?Y2Fmw6k=?=", "cafe");
	/* One word in two pieces, folded. */
	subject_is(
	    "utf-8", "=?utf-8?q?caf?=\n =?utf-8?q?=C3=A9?=", "caf\xc3\xa9");
	/* Octets that should not be there. */
	subject_is("utf-8", "caf\xc3\xa9", "caf\xc3\xa9");
	subject_is("utf-8", "caf\xe9", "caf\xc3\xa9");
	subject_is("klingon", "plain", "plain");
}

/* An encoded word with line ends in it makes no header of its own. */
static void
nothing_slips_into_headers(void **state)
{
	const char *got;

	(void)state;
	got = rig_retr("X-MANGLE(headers=subject;charset=utf-8)",
	    "Subject: =?utf-8?q?a=0D=0ABcc:_x=0A=0Abody=00?=\n\nx\n");
	assert_non_null(got);
	assert_null(strstr(got, "\nBcc"));
	assert_null(strchr(got, '\r'));
	assert_true(strncmp(got, "Subject: a Bcc: x body", 22) == 0);
}

static void
names_with_commas_are_quoted(void **state)
{
	(void)state;
	assert_string_equal(
	    rig_run("TOP", 0, "X-MANGLE(headers=from;charset=utf-8)",
		"From: =?utf-8?q?M=C3=BCller,_Jo?= <jo@example.org>\n\nx\n"),
	    "From: \"M\xc3\xbcller, Jo\" <jo@example.org>\n\n");
}

static void
long_headers_are_folded(void **state)
{
	char message[2100] = "To: ", *line, *end;
	const char *got;
	unsigned lines = 0, count = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(message, "a@example.org,\n ");
	strcat(message, "b@example.org\n\nx\n");
	got = rig_run("TOP", 0, "X-MANGLE(headers=to)", message);
	assert_non_null(got);
	for (const char *c = got; *c != '\0'; c++)
		count += *c == '@';
	assert_int_equal(count, 101);
	(void)snprintf(message, sizeof(message), "%s", got);
	for (line = message; (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		assert_true(end - line <= 78);
		assert_true(lines++ == 0 || *line == ' ' || end == line);
	}
	assert_true(lines > 10);
}

static void
alternatives_are_chosen_by_type(void **state)
{
	(void)state;
	body_is("X-MANGLE", TWO, "the plain one\n");
	assert_non_null(
	    strstr(rig_body("X-MANGLE(text=html)", TWO), "the page"));
	/* None fits: one that can be read. */
	body_is("X-MANGLE(text=enriched)", TWO, "the plain one\n\n");
	assert_non_null(strstr(rig_retr("X-MANGLE(text=enriched)", TWO),
	    "Content-Type: text/enriched;"));
}

static void
an_empty_alternative_gives_way(void **state)
{
	(void)state;
	body_is("X-MANGLE",
	    MULTI("alternative")
		PART("text/plain") "  \n" PART("text/x-y") "the other\n" END,
	    "the other\n");
}

static void
alternatives_are_chosen_by_language(void **state)
{
	static const char message[] =
	    MULTI("alternative") "--a\nContent-Language: en\n\nhello\n"
				 "--a\nContent-Language: de-AT, x\n\nhallo\n"
				 "--a\nContent-Language: fr\n\nbonjour\n" END;

	(void)state;
	body_is("X-MANGLE", message, "hello\n");
	body_is("X-MANGLE(lang=de)", message, "hallo\n");
	body_is("X-MANGLE(lang=fr)", message, "bonjour\n");
	body_is("X-MANGLE(lang=d)", message, "hello\n");
	body_is("X-MANGLE(lang=it)", message, "hello\n");
}

static void
related_is_its_root(void **state)
{
	(void)state;
	body_is("X-MANGLE",
	    MULTI("related; type=\"text/x-y\"")
		PART("image/png") "AAAA\n" PART("text/x-y") "the root\n" END,
	    "the root\n");
	body_is("X-MANGLE",
	    MULTI("related; start=\"<two@x>\"")
		PART("text/plain") "one\n--a\nContent-ID: <two@x>\n"
				   "Content-Type: text/plain\n\ntwo\n" END,
	    "two\n");
	body_is("X-MANGLE",
	    MULTI("related") PART(
		"text/plain") "first\n--a\n"
			      "Content-Type: image/png\nContent-Disposition: "
			      "attachment\n"
			      "\nAAAA\n" END,
	    "first\n\n[ image attachment omitted]\n");
}

static void
reports_show_headers_only(void **state)
{
	(void)state;
	body_is("X-MANGLE(headers=subject)",
	    MULTI("report; report-type=delivery-status")
		PART("text/plain") "It failed.\n" PART(
		    "message/"
		    "delivery-status") "Repo"
				       "rtin"
				       "g-"
				       "MTA:"
				       " dns"
				       "; "
				       "x\n"
				       "\n" PART("message/rfc822") "Subject: "
								   "mine\nX: "
								   "y\n\nsecret"
								   "\n" END,
	    "It failed.\n\n[Header of message follows:]\nSubject: mine\n");
}

static void
messages_inside_are_shown(void **state)
{
	(void)state;
	body_is("X-MANGLE(headers=subject)",
	    MULTI("mixed") PART("text/plain") "See below.\n" PART(
		"message/rfc822") "Subject: inner\nX: y\n\ninside\n" END,
	    "See below.\n\n[Included message follows:]\n"
	    "Subject: inner\n\ninside\n");
}

static void
programs_talk_is_dropped(void **state)
{
	(void)state;
	body_is("X-MANGLE",
	    MULTI("mixed") PART("text/plain") "text\n" TNEF EXTERNAL END,
	    "text\n");
	body_is("X-MANGLE",
	    MULTI("appledouble") PART("application/applefile") "AAAA\n" PART(
		"image/gif; name=a.gif") "AAAA\n" END,
	    "[a.gif]\n[ image part omitted]\n");
	body_is("X-MANGLE",
	    MULTI("signed") PART("text/plain") "signed\n" PART(
		"application/pgp-signature") "AAAA\n" END,
	    "signed\n");
}

static void
attachments_are_named(void **state)
{
	(void)state;
	body_is("X-MANGLE",
	    MULTI(
		"mixed") "--a\nContent-Type: application/msword\n"
			 "Content-Disposition: attachment;\n"
			 " filename*=utf-8''b%C3%BCro%0A.doc\n\nAAAA\n"
			 "--a\nContent-Type: text/plain\nContent-Disposition: "
			 "attachment; filename=n.txt\n\nlong\n" PART(
			     "image/jpeg") "AAAA\n" END,
	    "[buero .doc]\n[ msword attachment omitted]\n\n"
	    "[n.txt]\n[ text attachment omitted]\n\n"
	    "[ image part omitted]\n");
	assert_non_null(
	    strstr(rig_body("X-MANGLE(text=html)",
		       MULTI("mixed")
			   PART("image/png; name=\"<b>.png\"") "AAAA\n" END),
		"[&lt;b&gt;.png]"));
}

static void
transfer_encodings_are_undone(void **state)
{
	(void)state;
	body_is("X-MANGLE(charset=utf-8)",
	    "Mime-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: base64\n\nY2Fmw6kNCg==\n",
	    "caf\xc3\xa9\n");
	body_is("X-MANGLE",
	    "Mime-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n\none=\ntwo=20\n",
	    "onetwo \n");
}

static void
what_is_broken_is_said(void **state)
{
	(void)state;
	body_is("X-MANGLE", MULTI("mixed") "no part at all\n",
	    "[invalid MIME formatting]\n\nno part at all\n");
	rig_conf.depth = 2;
	body_is("X-MANGLE",
	    MULTI("mixed") PART(
		"multipart/mixed; boundary=b") "--b\nContent-Type: "
					       "multipart/mixed; boundary=c\n\n"
					       "--c\n\ndeep\n--c--\n--b--"
					       "\n" PART(
						   "text/plain") "flat\n" END,
	    "[message too complex; part omitted]\n\nflat\n");
	body_is("X-MANGLE", "\nno header\n", "no header\n");
	body_is("X-MANGLE", "Subject: only\n\n", "");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, rig_start, rig_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(headers_are_those_wanted),
		TEST(headers_are_decoded),
		TEST(nothing_slips_into_headers),
		TEST(names_with_commas_are_quoted),
		TEST(long_headers_are_folded),
		TEST(alternatives_are_chosen_by_type),
		TEST(an_empty_alternative_gives_way),
		TEST(alternatives_are_chosen_by_language),
		TEST(related_is_its_root),
		TEST(reports_show_headers_only),
		TEST(messages_inside_are_shown),
		TEST(programs_talk_is_dropped),
		TEST(attachments_are_named),
		TEST(transfer_encodings_are_undone),
		TEST(what_is_broken_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
