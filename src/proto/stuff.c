/*
 * stuff.c - a message as it goes over the wire, and its size.
 *
 * Runs in: the session.  Pure: works on memory, fuzzed.
 */
#include "proto/stuff.h"

#include "proto/line_copy.h"

/*
 * All three walk from LF to LF.  A sink is the first member of its struct, so
 * the cast back is exact.
 */
static const char *
find_lf(const char *p, const char *end)
{
	return memchr(p, '\n', (size_t)(end - p));
}

/* Does CR stand before ${lf}?  ${cr} tells for the first octet of ${s}. */
static bool
has_cr(struct popper_slice s, const char *lf, bool cr)
{
	return lf == s.ptr ? cr : lf[-1] == '\r';
}

/* --- stuff --- */

/* So much room there is at least; with less, what is gathered goes out. */
#define ROOM_LEAST 1024
/* Octets for which a step does not look whether there is room: of CR and LF, or
 * of two dots the second. */
#define STEP_EXTRA 2

/* Write as much of [p, end) as there is room for, in wire form, to
 * ${to}; where that ends in both. */
static const char *
wire_form(
    struct stuff *st, char **to, size_t room, const char *p, const char *end)
{
	char *out = *to, *last = out + room - STEP_EXTRA;
	size_t most, len;

	while (p < end && out < last) {
		if (st->line_start && *p == '.') {
			*out++ = '.';
			*out++ = *p++;
			st->line_start = st->cr = false;
			continue;
		}
		most = (size_t)(end - p);
		if (most > (size_t)(last - out))
			most = (size_t)(last - out);
		len = line_copy(out, p, most);
		if (len > 0) {
			st->line_start = false;
			st->cr = p[len - 1] == '\r';
		}
		p += len;
		out += len;
		if (len == most)
			continue;
		if (!st->cr)
			*out++ = '\r';
		*out++ = '\n';
		p++;
		st->line_start = true;
		st->cr = false;
	}
	*to = out;
	return p;
}

static int
stuff_put(struct popper_sink *sink, struct popper_slice s)
{
	struct stuff *st = (struct stuff *)sink;
	const char *p = s.ptr;
	char *room, *out;

	while (s.len > 0 && p < s.ptr + s.len) {
		if ((room = stream_room(st->stream, ROOM_LEAST)) == NULL)
			return -1;
		out = room;
		p = wire_form(st, &out, STREAM_OUT_MAX - st->stream->out_len, p,
		    s.ptr + s.len);
		stream_wrote(st->stream, (size_t)(out - room));
	}
	return 0;
}

void
stuff_start(struct stuff *st, struct stream *stream)
{
	st->sink.put = stuff_put;
	st->stream = stream;
	st->line_start = true;
	st->cr = false;
}

int
stuff_end(struct stuff *st)
{
	bool open = !st->line_start;

	st->line_start = true;
	st->cr = false;
	return stream_put(st->stream, popper_slice("\r\n", open ? 2 : 0));
}

/* --- measure --- */

static int
measure_put(struct popper_sink *sink, struct popper_slice s)
{
	struct measure *m = (struct measure *)sink;
	const char *p = s.ptr, *end, *lf;

	if (s.len == 0)
		return 0;
	end = s.ptr + s.len;
	m->octets += s.len;
	while ((lf = find_lf(p, end)) != NULL) {
		if (!has_cr(s, lf, m->cr))
			m->octets++;
		p = lf + 1;
	}
	m->line_start = end[-1] == '\n';
	m->cr = end[-1] == '\r';
	return 0;
}

void
measure_start(struct measure *m)
{
	m->sink.put = measure_put;
	m->octets = 0;
	m->line_start = true;
	m->cr = false;
}

uint64_t
measure_end(struct measure *m)
{
	if (!m->line_start)
		m->octets += 2;
	m->line_start = true;
	m->cr = false;
	return m->octets;
}

/* --- top --- */

/*
 * Is the line that [p, lf) ends empty?  line_start: nothing of it came before,
 * or, with cr, just a CR.
 */
static bool
is_empty(const struct top *t, const char *p, const char *lf)
{
	if (!t->line_start)
		return false;
	return lf == p || (lf - p == 1 && *p == '\r' && !t->cr);
}

/* Note what the tail [p, end) without LF says about its line. */
static void
note_tail(struct top *t, const char *p, const char *end)
{
	if (p == end)
		return;
	t->line_start = t->line_start && end - p == 1 && *p == '\r' && !t->cr;
	t->cr = end[-1] == '\r';
}

static int
top_put(struct popper_sink *sink, struct popper_slice s)
{
	struct top *t = (struct top *)sink;
	const char *p = s.ptr, *end, *lf;
	int result;

	if (s.len == 0)
		return t->body && t->lines == 0 ? 1 : 0;
	end = s.ptr + s.len;
	while (!t->body || t->lines > 0) {
		lf = find_lf(p, end);
		if (lf == NULL) {
			note_tail(t, p, end);
			return t->next->put(t->next, s);
		}
		if (t->body)
			t->lines--;
		else
			t->body = is_empty(t, p, lf);
		t->line_start = true;
		t->cr = false;
		p = lf + 1;
	}
	if (p == s.ptr)
		return 1; /* it was enough before */
	result =
	    t->next->put(t->next, popper_slice(s.ptr, (size_t)(p - s.ptr)));
	return result == 0 ? 1 : result;
}

void
top_start(struct top *t, struct popper_sink *next, uint64_t lines)
{
	t->sink.put = top_put;
	t->next = next;
	t->lines = lines;
	t->body = false;
	t->line_start = true;
	t->cr = false;
}
