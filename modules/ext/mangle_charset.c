/*
 * mangle_charset.c - from any charset to UTF-8, with iconv.
 *
 * Labels lie.  What says nothing or names a subset of ASCII is looked at; a
 * label that is used for more than it means gets the larger charset.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_charset.h"

#include <errno.h>
#include <glib.h>
#include <iconv.h>

#include "mangle_lines.h"
#include "mangle_text.h"

static const struct alias {
	const char *label, *name;
} aliases[] = {
	{ "", "" },
	{ "us-ascii", "" },
	{ "ascii", "" },
	{ "ansi_x3.4-1968", "" },
	{ "iso-ir-6", "" },
	{ "646", "" },
	{ "7bit", "" },
	{ "8bit", "" },
	{ "binary", "" },
	{ "unknown", "" },
	{ "unknown-8bit", "" },
	{ "x-unknown", "" },
	{ "x-user-defined", "" },
	{ "default", "" },
	{ "default_charset", "" },
	{ "none", "" },
	{ "utf8", "UTF-8" },
	{ "utf-8", "UTF-8" },
	{ "unicode-1-1-utf-8", "UTF-8" },
	{ "utf-8mb4", "UTF-8" },
	{ "utf8mb4", "UTF-8" },
	{ "unicode-1-1-utf-7", "UTF-7" },
	/* As browsers read them. */
	{ "iso-8859-1", "CP1252" },
	{ "iso8859-1", "CP1252" },
	{ "iso_8859-1", "CP1252" },
	{ "8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "latin-1", "CP1252" },
	{ "ansi", "CP1252" },
	{ "windows-1252", "CP1252" },
	{ "cp1252", "CP1252" },
	{ "x-cp1252", "CP1252" },
	{ "iso-8859-9", "CP1254" },
	{ "iso-8859-11", "CP874" },
	{ "tis-620", "CP874" },
	{ "windows-874", "CP874" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-8-e", "ISO-8859-8" },
	{ "iso-8859-6-i", "ISO-8859-6" },
	{ "gb2312", "GB18030" },
	{ "gb_2312-80", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "gbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "hz-gb-2312", "HZ" },
	{ "big5", "BIG5-HKSCS" },
	{ "cn-big5", "BIG5-HKSCS" },
	{ "x-x-big5", "BIG5-HKSCS" },
	{ "cp950", "BIG5-HKSCS" },
	{ "ks_c_5601-1987", "CP949" },
	{ "ks_c_5601-1989", "CP949" },
	{ "ksc5601", "CP949" },
	{ "euc-kr", "CP949" },
	{ "korean", "CP949" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "sjis", "CP932" },
	{ "ms_kanji", "CP932" },
	{ "windows-31j", "CP932" },
	{ "x-euc-jp", "EUC-JP" },
	{ "iso_2022-jp", "ISO-2022-JP" }, /* as X-MANGLE spells it */
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "cp50220", "ISO-2022-JP" },
	{ "cp50221", "ISO-2022-JP" },
	{ "x-mac-roman", "MACINTOSH" },
	{ "macroman", "MACINTOSH" },
	{ "mac", "MACINTOSH" },
	{ "x-mac-cyrillic", "MAC-CYRILLIC" },
	{ "koi8", "KOI8-R" },
	{ "koi8-ru", "KOI8-U" },
	{ "x-cp1251", "CP1251" },
	{ "win-1251", "CP1251" },
};

void
mangle_charset_name(const char *label, char name[MANGLE_NAME_MAX])
{
	size_t n = 0;

	while (*label != '\0' && n < MANGLE_NAME_MAX - 1) {
		if (g_ascii_isalnum(*label) || strchr("-_.:+()", *label))
			name[n++] = g_ascii_tolower(*label);
		label++;
	}
	name[n] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i].label, name) == 0) {
			g_strlcpy(name, aliases[i].name, MANGLE_NAME_MAX);
			return;
		}
}

/* --- A look at the octets. --- */

struct look {
	size_t high; /* octets above 0x7f */
	size_t good, bad; /* characters of UTF-8, octets that are not */
	bool escapes; /* of ISO-2022-JP */
};

static struct look
look_at(struct popper_slice s)
{
	struct look l = { 0 };
	uint32_t c;
	size_t at = 0, from;

	while (at < s.len) {
		from = at;
		c = mangle_character(s, &at);
		l.high += (unsigned char)s.ptr[from] >= 0x80;
		if (c == 0xfffd && at - from == 1)
			l.bad++;
		else if (c >= 0x80)
			l.good++;
		if (c == 0x1b && at + 1 < s.len && s.ptr[at] == '$' &&
		    (s.ptr[at + 1] == 'B' || s.ptr[at + 1] == '@'))
			l.escapes = true;
	}
	return l;
}

/* The charset that the octets are in, whatever ${name} says. */
static const char *
judge(const char *name, struct popper_slice s)
{
	struct look l = look_at(s);

	if (name[0] == '\0' && l.escapes && l.high == 0)
		return "ISO-2022-JP";
	if (name[0] == '\0' || strcmp(name, "UTF-8") == 0)
		return l.bad == 0 || (l.good > 0 && l.good >= l.bad) ? "UTF-8"
								     : "CP1252";
	/* Text in Latin-1 is hardly ever valid UTF-8 by chance. */
	if (strcmp(name, "CP1252") == 0 && l.good > 0 && l.bad == 0)
		return "UTF-8";
	/* UTF-16 of anything has NULs, at its line ends at least. */
	if (g_ascii_strncasecmp(name, "utf-16", 6) == 0 && s.len > 1 &&
	    memchr(s.ptr, '\0', s.len) == NULL && l.bad == 0)
		return "UTF-8";
	return name;
}

/* --- iconv. --- */

int
mangle_charset_convert(
    void *c, struct popper_slice s, struct mangle_buffer *out)
{
	char piece[4096], *in = (char *)(uintptr_t)s.ptr, *to;
	size_t left = s.len, room, said;

	while (left > 0) {
		to = piece;
		room = sizeof(piece);
		said = iconv(c, &in, &left, &to, &room);
		if (mangle_buffer_add(
			out, popper_slice(piece, sizeof(piece) - room)) == -1)
			return -1;
		if (said != (size_t)-1 || errno == E2BIG)
			continue;
		if (mangle_buffer_add_text(out, MANGLE_REPLACEMENT) == -1)
			return -1;
		if (errno == EINVAL || left == 0)
			return 0; /* a character is cut off at the end */
		in++;
		left--;
	}
	return 0;
}

/* iconv's UTF-8 stops at each bad octet; and a mail needs no copying by it. */
static int
copy_utf8(struct popper_slice s, struct mangle_buffer *out)
{
	size_t at = 0, from = 0, start;

	while (at < s.len) {
		start = at;
		if (mangle_character(s, &at) != 0xfffd || at - start != 1)
			continue;
		if (mangle_buffer_add(
			out, popper_slice(s.ptr + from, start - from)) == -1 ||
		    mangle_buffer_add_text(out, MANGLE_REPLACEMENT) == -1)
			return -1;
		from = at;
	}
	return mangle_buffer_add(out, popper_slice(s.ptr + from, s.len - from));
}

int
mangle_charset_in(
    const char *charset, struct popper_slice s, struct mangle_buffer *out)
{
	char name[MANGLE_NAME_MAX];
	const char *real;
	iconv_t c = (iconv_t)-1;
	int result;

	mangle_charset_name(charset, name);
	real = judge(name, s);
	if (strcmp(real, "UTF-8") == 0)
		return copy_utf8(s, out);
	if ((c = iconv_open("UTF-8", real)) == (iconv_t)-1) {
		real = judge("", s);
		if (strcmp(real, "UTF-8") == 0 ||
		    (c = iconv_open("UTF-8", real)) == (iconv_t)-1)
			return copy_utf8(s, out);
	}
	result = mangle_charset_convert(c, s, out);
	(void)iconv_close(c);
	return result;
}
