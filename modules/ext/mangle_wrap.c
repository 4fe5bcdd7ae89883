/*
 * mangle_wrap.c - lines of a given number of columns.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include <glib.h>

#include "mangle_lines.h"

/* --- Where a line may end. --- */

static bool
ideographic(uint32_t c)
{
	return (c >= 0x3000 && c <= 0x312f) || (c >= 0x3400 && c <= 0x4dbf) ||
	    (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xff00 && c <= 0xff60) || (c >= 0x20000 && c <= 0x3ffff);
}

/* Must not begin a line (JIS X 4051, in short). */
static bool
clings_before(uint32_t c)
{
	static const uint32_t some[] = { 0x3001, 0x3002, 0x3005, 0x3009, 0x300b,
		0x300d, 0x300f, 0x3011, 0x3015, 0x3017, 0x301c, 0x3041, 0x3043,
		0x3045, 0x3047, 0x3049, 0x3063, 0x3083, 0x3085, 0x3087, 0x30a1,
		0x30a3, 0x30a5, 0x30a7, 0x30a9, 0x30c3, 0x30e3, 0x30e5, 0x30e7,
		0x30fb, 0x30fc, 0xff01, 0xff09, 0xff0c, 0xff0e, 0xff1a, 0xff1b,
		0xff1f, 0xff3d, 0xff5d, 0x2019, 0x201d, 0x2026 };

	for (size_t i = 0; i < G_N_ELEMENTS(some); i++)
		if (some[i] == c)
			return true;
	return c < 0x80 && strchr("!),.:;?]}%'\"", (int)c) != NULL;
}

/* Must not end a line. */
static bool
clings_behind(uint32_t c)
{
	return c == 0x3008 || c == 0x300a || c == 0x300c || c == 0x300e ||
	    c == 0x3010 || c == 0x3014 || c == 0x3016 || c == 0xff08 ||
	    c == 0xff3b || c == 0xff5b || c == 0x2018 || c == 0x201c ||
	    c == '(' || c == '[' || c == '{';
}

static bool
may_part(uint32_t a, uint32_t b)
{
	if (g_unichar_iszerowidth(b) || clings_behind(a) || clings_before(b))
		return false;
	return ideographic(a) || ideographic(b);
}

/* --- Filling. --- */

struct cut {
	size_t end, next; /* the line is up to end, the rest begins at next */
};

/* Find the end of the line that begins at ${from}. */
static struct cut
cut_line(struct popper_slice s, size_t from, size_t columns, size_t octets)
{
	struct cut best = { 0, 0 };
	size_t at = from, before = from, used = 0;
	uint32_t c, last = 0;

	while (at < s.len) {
		before = at;
		c = mangle_character(s, &at);
		if (c == ' ' && last != ' ')
			best.end = before;
		if (c == ' ')
			best.next = at;
		else if (last != 0 && last != ' ' && may_part(last, c))
			best = (struct cut){ before, before };
		used +=
		    mangle_columns(popper_slice(s.ptr + before, at - before));
		last = c;
		/* Spaces may hang over the edge. */
		if (c != ' ' && columns > 0 && used > columns &&
		    best.end > from)
			return best;
		if (at - from > octets && before > from)
			return best.end > from ? best
					       : (struct cut){ before, before };
	}
	return (struct cut){ s.len, s.len };
}

static int
add_line(const struct mangle_fill *f, struct popper_slice s,
    struct mangle_buffer *out)
{
	size_t at = 0, from = 0;

	while (s.len > 0 && s.ptr[s.len - 1] == ' ')
		s.len--;
	while (f->plain_space && at + 1 < s.len) {
		if (memcmp(s.ptr + at, "\302\240", 2) != 0) {
			at++;
			continue;
		}
		if (mangle_buffer_add(
			out, popper_slice(s.ptr + from, at - from)) == -1 ||
		    mangle_buffer_add_text(out, " ") == -1)
			return -1;
		from = at += 2;
	}
	return mangle_buffer_add(out, popper_slice(s.ptr + from, s.len - from));
}

/* A prefix without anything behind it loses its spaces. */
static int
add_prefix(struct popper_slice p, bool alone, struct mangle_buffer *out)
{
	while (alone && p.len > 0 && p.ptr[p.len - 1] == ' ')
		p.len--;
	return mangle_buffer_add(out, p);
}

int
mangle_fill(const struct mangle_fill *f, struct popper_slice text,
    struct mangle_buffer *out)
{
	struct popper_slice prefix = f->first;
	size_t from = 0, taken, columns;
	size_t octets = f->octets == 0 ? MANGLE_LINE_OCTETS : f->octets;
	struct cut cut;

	do {
		taken = mangle_columns(prefix);
		columns = f->columns == 0     ? 0
		    : f->columns > taken + 10 ? f->columns - taken
					      : 10;
		cut = cut_line(text, from, columns,
		    octets > 2 * prefix.len ? octets - prefix.len : octets / 2);
		if (add_prefix(prefix, cut.end == from, out) == -1 ||
		    add_line(f, popper_slice(text.ptr + from, cut.end - from),
			out) == -1 ||
		    mangle_buffer_add_text(out, "\n") == -1)
			return -1;
		from = cut.next;
		prefix = f->rest;
	} while (from < text.len);
	return 0;
}

/* --- Plain text, line by line. --- */

/* How much of ${line} are quote signs ("> > ", ">>") and indentation. */
static size_t
prefix_length(struct popper_slice line, size_t columns)
{
	size_t n = 0, quotes = 0;

	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '>')
			n = i + 1;
		else if (line.ptr[i] != ' ')
			break;
	quotes = n;
	while (n < line.len && line.ptr[n] == ' ')
		n++;
	if (n - quotes > 1 && n > columns / 2)
		n = quotes; /* a line set to the right */
	return n > columns / 2 || n > MANGLE_LINE_OCTETS / 2 ? 0 : n;
}

int
mangle_wrap(
    struct popper_slice utf8, unsigned columns, struct mangle_buffer *out)
{
	struct mangle_fill f = { .columns = columns };
	struct popper_slice line;
	size_t n;

	while (mangle_next_line(&utf8, &line)) {
		n = columns == 0 ? mangle_columns(line) : columns;
		if (line.len <= MANGLE_LINE_OCTETS &&
		    (columns == 0 || mangle_columns(line) <= columns)) {
			if (mangle_buffer_add(out, line) == -1 ||
			    mangle_buffer_add_text(out, "\n") == -1)
				return -1;
			continue;
		}
		n = prefix_length(line, n);
		f.first = f.rest = popper_slice(line.ptr, n);
		if (mangle_fill(&f, popper_slice(line.ptr + n, line.len - n),
			out) == -1)
			return -1;
	}
	return 0;
}
