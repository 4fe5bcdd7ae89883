/*
 * eightbit.c - messages for clients that gave UTF8.
 *
 * Runs in: a session, as the user.  doc/conformance.md tells why messages are
 * sent as they are unless the administrator says otherwise.
 */
#include "session/eightbit.h"

#include <string.h>

#include <popper/bulk.h>

#include "base/error.h"
#include "base/utf8.h"

/* Looks at a header: "enough" at its end, or once it is known. */
struct header {
	struct popper_sink sink;
	bool foreign; /* an octet above 127 was there */
	bool line_start; /* nothing but CR since the last LF */
};

static int
header_put(struct popper_sink *sink, struct popper_slice s)
{
	struct header *h = (struct header *)sink;

	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] > 0x7f)
			h->foreign = true;
		if (h->foreign || (s.ptr[i] == '\n' && h->line_start))
			return 1;
		h->line_start =
		    s.ptr[i] == '\n' || (h->line_start && s.ptr[i] == '\r');
	}
	return 0;
}

int
eightbit_check(struct session *s, size_t i, struct popper_error *e)
{
	struct header h = { .sink = { .put = header_put }, .line_start = true };
	const struct maildrop *m = &s->maildrop;

	if (s->opening->manners.utf8 ||
	    strcmp(s->settings->utf8_messages, "refuse") != 0)
		return 0;
	/* One that cannot be read is refused for that, and by others. */
	if (popper_drop_top(m->driver, m->self, i, 0, &h.sink, e) == -1 ||
	    !h.foreign)
		return 0;
	return error_set(
	    e, POPPER_NEEDS_UTF8, "message %zu has a header in UTF-8", i + 1);
}
