/*
 * drop.h - a maildrop of strings, whose reads can fail where a test wants.
 */
#ifndef DROP_H
#define DROP_H

#include <stdio.h>

#include <popper/drop.h>

#include "base/error.h"
#include "session/messages.h"

#define DROP_WHOLE SIZE_MAX

struct drop_message {
	const char *text;
	size_t fails_at; /* octets until the read fails, or DROP_WHOLE */
	const char *uid; /* or NULL: "uid-N" */
	bool mute; /* it cannot be described */
};

struct drop {
	const struct drop_message *message;
	size_t count;
	size_t piece; /* octets a read puts at once */
};

static inline size_t
drop_count(const void *self)
{
	return ((const struct drop *)self)->count;
}

static inline int
drop_describe(void *self, size_t i, unsigned want, struct popper_message *out,
    struct popper_error *e)
{
	const struct drop_message *m = &((struct drop *)self)->message[i];

	if (m->mute)
		return error_set(e, POPPER_TEMPORARY, "mute %zu", i);
	if (want & POPPER_WANT_OCTETS)
		out->octets = strlen(m->text);
	if ((want & POPPER_WANT_UID) && m->uid != NULL)
		strncpy(out->uid, m->uid, POPPER_UID_MAX);
	else if (want & POPPER_WANT_UID)
		snprintf(out->uid, sizeof(out->uid), "uid-%zu", i + 1);
	return 0;
}

static inline int
drop_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	const struct drop *d = self;
	const struct drop_message *m = &d->message[i];
	size_t len = strlen(m->text), n;
	int enough;

	for (size_t at = (size_t)offset;; at += n) {
		if (m->fails_at != DROP_WHOLE && at >= m->fails_at)
			return error_set(e, POPPER_TEMPORARY, "bad disk");
		if (at >= len)
			return 0;
		n = len - at < d->piece ? len - at : d->piece;
		if (m->fails_at - at < n)
			n = m->fails_at - at;
		enough = sink->put(sink, popper_slice(m->text + at, n));
		if (enough != 0)
			return enough == 1 ? 0 : -1;
	}
}

static inline void
drop_close(void *self)
{
	(void)self;
}

static const struct popper_drop drop_driver = {
	.size = sizeof(drop_driver),
	.count = drop_count,
	.describe = drop_describe,
	.read = drop_read,
	.close = drop_close,
};

/** drop_open(m, d, message, count): ${m} shows these messages. */
static inline void
drop_open(struct maildrop *m, struct drop *d,
    const struct drop_message *message, size_t count)
{
	*d = (struct drop){ .message = message, .count = count, .piece = 5 };
	*m = (struct maildrop){
		.driver = &drop_driver, .self = d, .count = count
	};
}

#endif
