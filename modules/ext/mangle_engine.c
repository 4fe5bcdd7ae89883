/*
 * mangle_engine.c - a whole message, cut down to headers and one text.
 *
 * Runs in: the child of a session, as the user; mangle_engine_warm in the
 * warm parent, as root.
 */
#include "mangle_engine.h"

#include <iconv.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* By the name that others know, if it is one of Qpopper's own. */
static const char *
choose_charset(const char *wanted)
{
	if (strcmp(wanted, "cp1252") == 0)
		wanted = "windows-1252";
	else if (strcmp(wanted, "iso_2022-jp") == 0)
		wanted = "iso-2022-jp";
	return mangle_charset_known(wanted) ? wanted : "us-ascii";
}

static bool
has_8bit(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] > 0x7f)
			return true;
	return false;
}

static int
put_mime_headers(
    const struct mangle_work *w, bool eight, struct mangle_buffer *out)
{
	static const char *const types[] = {
		[MANGLE_PLAIN] = "plain",
		[MANGLE_HTML] = "html",
		[MANGLE_ENRICHED] = "enriched",
	};

	if (mangle_buffer_add_text(out,
		"Mime-version: 1.0\n"
		"Content-Type: text/") == -1 ||
	    mangle_buffer_add_text(out, types[w->want->text]) == -1 ||
	    mangle_buffer_add_text(out, ";charset=\"") == -1 ||
	    mangle_buffer_add_text(out, w->charset) == -1 ||
	    mangle_buffer_add_text(out, "\"\n") == -1)
		return -1;
	if (!eight)
		return 0;
	return mangle_buffer_add_text(out, "Content-Transfer-Encoding: 8bit\n");
}

/* The body in the charset wanted, behind its headers. */
static int
put_body(const struct mangle_work *w, struct mangle_buffer *out)
{
	struct mangle_buffer body;
	int result;

	mangle_buffer_start(&body, out->limit);
	result =
	    mangle_charset_out(w->charset, mangle_buffer_view(&w->text), &body);
	if (result == 0)
		result = put_mime_headers(
		    w, has_8bit(mangle_buffer_view(&body)), out);
	if (result == 0)
		result = mangle_buffer_add_text(out, "\n");
	if (result == 0)
		result = mangle_buffer_add(out, mangle_buffer_view(&body));
	mangle_buffer_free(&body);
	return result;
}

static int
run(struct mangle_work *w, GMimeMessage *m, struct mangle_buffer *out)
{
	GMimeObject *body = g_mime_message_get_mime_part(m);
	struct mangle_buffer headers;
	int result;

	mangle_buffer_start(&headers, out->limit);
	result = mangle_headers(
	    w, g_mime_object_get_header_list(GMIME_OBJECT(m)), &headers);
	if (result == 0)
		result = mangle_charset_out(
		    w->charset, mangle_buffer_view(&headers), out);
	mangle_buffer_free(&headers);
	if (result == -1)
		return -1;
	if (w->headers_only)
		return mangle_buffer_add_text(out, "\n");
	if (body != NULL && mangle_walk(w, body, 0) == -1)
		return -1;
	return put_body(w, out);
}

static GMimeParserOptions *
parser_options(void)
{
	/* What 8-bit octets in headers are, tried in turn. */
	static const char *charsets[] = { "utf-8", "windows-1252", NULL };
	GMimeParserOptions *o = g_mime_parser_options_new();

	g_mime_parser_options_set_fallback_charsets(o, charsets);
	return o;
}

int
mangle_engine_run(int fd, const struct mangle_arguments *want,
    const struct mangle_limits *limits, bool headers_only,
    struct mangle_buffer *out)
{
	struct mangle_work w = { .want = want,
		.limits = limits,
		.headers_only = headers_only,
		.options = parser_options(),
		.charset = choose_charset(want->charset) };
	GMimeMessage *message;
	GMimeStream *stream;
	GMimeParser *parser;
	int result = -1;

	mangle_buffer_start(&w.text, limits->text);
	(void)lseek(fd, 0, SEEK_SET); /* a child before us has read it */
	stream = g_mime_stream_fs_new(fd);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, w.options);
	if (message != NULL)
		result = run(&w, message, out);
	mangle_buffer_free(&w.text);
	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(stream); /* closes fd */
	g_mime_parser_options_free(w.options);
	return result;
}

/* --- In the warm parent. --- */

static const char *const usual[] = { "ISO-8859-1", "ISO-8859-2", "ISO-8859-15",
	"WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "KOI8-R", "ISO-2022-JP",
	"SHIFT_JIS", "EUC-JP", "EUC-KR", "GB18030", "BIG5" };

/* They stay open: so the child needs to load nothing for them. */
static void *volatile held[sizeof(usual) / sizeof(*usual)];

/* A message of the kinds that are usual. */
static const char rehearsal[] =
    "From: =?utf-8?q?A?= <a@example.org>\nTo: b@example.org\n"
    "Subject: =?iso-8859-1?b?QQ==?=\nDate: Tue, 4 Mar 2025 09:00:00 +0000\n"
    "Mime-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n"
    "--a\nContent-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\n"
    "Content-Transfer-Encoding: quoted-printable\n\n \n"
    "--b\nContent-Type: text/html; charset=utf-8\n"
    "Content-Transfer-Encoding: base64\n\n"
    "PGh0bWw+PGJvZHk+PHA+QTwvcD48dWw+PGxpPkI8L3VsPjwvYm9keT4=\n"
    "--b--\n"
    "--a\nContent-Type: image/png; name=\"a.png\"\n"
    "Content-Disposition: attachment; filename=\"a.png\"\n\nA\n"
    "--a--\n";

/* What runs for the first time loads, links and prepares much; each child would
 * do it again.  The message is ours. */
static void
rehearse(void)
{
	const struct mangle_limits limits = {
		.parts = 100, .depth = 10, .text = 65536
	};
	struct mangle_arguments want;
	struct mangle_buffer out;
	int fd = memfd_create("rehearsal", MFD_CLOEXEC);

	if (fd == -1)
		return; /* it is only slower */
	mangle_arguments_default(&want);
	mangle_buffer_start(&out, limits.text);
	if (write(fd, rehearsal, sizeof(rehearsal) - 1) > 0)
		(void)mangle_engine_run(fd, &want, &limits, false, &out);
	else
		(void)close(fd);
	mangle_buffer_free(&out);
}

void
mangle_engine_warm(void)
{
	g_mime_init();
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		held[i] = iconv_open("UTF-8", usual[i]);
	rehearse();
}
