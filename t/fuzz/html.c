/*
 * html.c - fuzz: HTML, enriched, flowed and plain text in any charset, to text
 * that fits a mail.
 *
 * Four octets choose what the rest is and what it shall become.
 */
#include "fuzz.h"

#include <iconv.h>
#include <string.h>

#include <glib.h>

#include "mangle_text.h"

const char fuzz_corpus[] = "html";

#define LIMIT (1u << 20)

static const char *const from[] = { "", "utf-8", "us-ascii", "iso-8859-1",
	"iso-2022-jp", "shift_jis", "gb2312", "big5", "euc-kr", "koi8-r",
	"utf-7", "utf-16", "windows-1256", "unknown-8bit", "hz-gb-2312",
	"no such" };
static const char *const to[] = { "utf-8", "us-ascii", "iso-8859-1",
	"iso-2022-jp", "koi8-r", "big5", "windows-1252", "gb18030" };

/* UTF-8 in lines that a mail may have, without what a terminal obeys. */
static void
check_lines(struct popper_slice s)
{
	size_t column = 0;

	fuzz_check(g_utf8_validate_len(s.ptr, s.len, NULL));
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		column = c == '\n' ? 0 : column + 1;
		fuzz_check(column <= 998);
		fuzz_check(c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f));
	}
	fuzz_check(column == 0);
}

/* Whatever came in, this never comes out as an element. */
static void
check_harmless(struct popper_slice s)
{
	static const char *const bad[] = { "<script", "<style", "<img",
		"<iframe", "<object", "<form", "<input", "<svg", "<meta",
		"<link", "<base", "href=\"javascript", "href=\"data",
		" style=\"", "<html", "<body" };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		fuzz_check(
		    memmem(s.ptr, s.len, bad[i], strlen(bad[i])) == NULL);
}

/* What goes out is valid in its charset, and ends in ASCII. */
static void
check_charset(const char *name, struct popper_slice utf8)
{
	struct mangle_buffer out;
	char piece[4096], *in, *at;
	size_t left, room;
	iconv_t c;

	mangle_buffer_start(&out, (size_t)8 * LIMIT);
	fuzz_check(mangle_charset_out(name, utf8, &out) == 0);
	c = iconv_open("UTF-8", name);
	fuzz_check(c != (iconv_t)-1);
	in = out.ptr;
	left = out.len;
	while (left > 0) {
		at = piece;
		room = sizeof(piece);
		fuzz_check(iconv(c, &in, &left, &at, &room) != (size_t)-1 ||
		    room < 16);
	}
	iconv_close(c);
	fuzz_check(utf8.len == 0 || out.ptr[out.len - 1] == '\n');
	mangle_buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mangle_text_job job = { .target = MANGLE_PLAIN };
	struct mangle_buffer out;
	struct popper_slice text;

	if (len < 4)
		return 0;
	job.kind = data[0] % 3;
	job.target = data[0] / 3 % 3;
	job.flowed = data[0] & 0x40;
	job.delsp = data[0] & 0x80;
	job.wrap = data[1] < 20 ? 0 : data[1];
	job.charset = from[data[2] % G_N_ELEMENTS(from)];
	job.to = to[data[3] % G_N_ELEMENTS(to)];
	job.octets = popper_slice(data + 4, len - 4);
	mangle_buffer_start(&out, LIMIT);
	if (mangle_text(&job, &out) == 0) {
		text = mangle_buffer_view(&out);
		check_lines(text);
		check_charset(job.to, text);
		if (job.target == MANGLE_HTML)
			check_harmless(text);
	}
	mangle_buffer_free(&out);
	return 0;
}
