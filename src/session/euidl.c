/*
 * euidl.c - EUIDL: number, unique-id, size and From of messages.
 *
 * Runs in: a session, as the user.  The popper line made it for a client that
 * showed who has written before it fetched anything.
 */
#include "session/euidl.h"

#include <string.h>

#include <popper/bulk.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define FROM_MAX 128 /* octets, as the popper line has it */

static const char wanted[] = "from:";

/* Looks for From in a header: "enough" once it is known. */
struct header {
	struct popper_sink sink;
	size_t matched; /* octets of ${wanted} in this line, if it may be it */
	bool other; /* this line is not it */
	bool found; /* in it, or behind it */
	bool line_start, blank; /* so far: nothing; nothing but CR */
	bool gap; /* white space came, and nothing since */
	size_t len;
	char from[FROM_MAX + 1];
};

static bool
is_white(char c)
{
	return (c >= 0 && c <= ' ') || c == 0x7f;
}

/* Fold white space, line ends among it, and drop control characters. */
static void
value_octet(struct header *h, char c)
{
	if (is_white(c)) {
		h->gap = h->len > 0;
		return;
	}
	if (h->gap && h->len < FROM_MAX)
		h->from[h->len++] = ' ';
	h->gap = false;
	if (h->len < FROM_MAX)
		h->from[h->len++] = c;
}

static void
name_octet(struct header *h, char c)
{
	char lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;

	if (lower != wanted[h->matched])
		h->other = true;
	else if (wanted[++h->matched] == '\0')
		h->found = true;
}

/* True: there is no more to learn. */
static bool
header_octet(struct header *h, char c)
{
	if (h->line_start && h->found && c != ' ' && c != '\t')
		return true;
	if (c == '\n') {
		if (h->blank)
			return true;
		h->line_start = h->blank = true;
		h->other = false;
		h->matched = 0;
	} else {
		h->line_start = false;
		h->blank = h->blank && c == '\r';
	}
	if (h->found)
		value_octet(h, c);
	else if (c != '\n' && !h->other)
		name_octet(h, c);
	return h->len == FROM_MAX;
}

static int
header_put(struct popper_sink *sink, struct popper_slice s)
{
	struct header *h = (struct header *)sink;

	for (size_t i = 0; i < s.len; i++)
		if (header_octet(h, s.ptr[i]))
			return 1;
	return 0;
}

/* Who has written message ${i}; "" if it cannot be told. */
static void
find_from(struct session *s, size_t i, struct header *h)
{
	const struct maildrop *m = &s->maildrop;
	struct popper_error e;

	*h = (struct header){
		.sink = { .put = header_put }, .line_start = true, .blank = true
	};
	if (popper_drop_top(m->driver, m->self, i, 0, &h->sink, &e) == -1)
		log_failure("EUIDL", &e);
	h->from[h->len] = '\0';
}

/* "n uid size from", without a space at its end. */
static int
describe(struct session *s, size_t i, char line[REPLY_LINE_MAX],
    struct popper_error *e)
{
	char uid[POPPER_UID_MAX + 1];
	struct header h;
	uint64_t octets;

	if (messages_uid(&s->messages, i, uid, e) == -1 ||
	    messages_octets(&s->messages, i, &octets, e) == -1)
		return -1;
	find_from(s, i, &h);
	if (text_print(line, REPLY_LINE_MAX, "%zu %s %llu%s%s", i + 1, uid,
		(unsigned long long)octets, h.len > 0 ? " " : "", h.from))
		return 0;
	return error_set(e, POPPER_PERMANENT, "EUIDL: no room"); /* cannot be */
}

static enum outcome
all(struct session *s, struct reply *r)
{
	char line[REPLY_LINE_MAX];
	struct popper_error e;

	reply_exact(r, "uidl command accepted.");
	for (size_t i = 0; i < s->maildrop.count; i++) {
		if (messages_is_deleted(&s->messages, i))
			continue;
		if (describe(s, i, line, &e) == -1) {
			log_failure("EUIDL", &e);
			return OUTCOME_CLOSE;
		}
		reply_line(r, "%s", line);
	}
	return reply_end(r);
}

enum outcome
euidl_run(struct session *s, const struct arguments *args, struct reply *r)
{
	char line[REPLY_LINE_MAX];
	struct popper_error e;
	size_t i;

	if (args->count == 0)
		return all(s, r);
	if (messages_pick(&s->messages, args->word[0], &i, &e) == 0 &&
	    describe(s, i, line, &e) == 0)
		return reply_exact(r, "%s", line);
	if (e.status != POPPER_INVALID)
		log_failure("EUIDL", &e);
	return reply_error(r, &e);
}
