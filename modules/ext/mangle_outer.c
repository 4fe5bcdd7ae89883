/*
 * mangle_outer.c - a maildrop whose messages are plain text: for those whose
 * login name ends in "-no-mime".
 *
 * Runs in: a session, as the user.
 *
 * STAT and LIST need the sizes of what RETR will send, so the first of them
 * mangles every message.
 */
#include "mangle.h"

#include <stdlib.h>

struct outer {
	struct mangle *m;
	const struct popper_drop *inner;
	void *inner_self;
	struct mangle_wish wish;
	struct mangle_sizes sizes; /* of earlier sessions */
	bool news; /* something was made that is not among them */
};

/* Pours a message into the spool. */
struct collector {
	struct popper_sink sink;
	struct mangle *m;
	bool too_much; /* it is too large, or the disk is full */
};

static int
collect(struct popper_sink *sink, struct popper_slice s)
{
	struct collector *c = (struct collector *)sink;
	struct mangle *m = c->m;

	c->too_much = true;
	if (m->spool.len + s.len > m->conf->largest)
		return 1;
	c->too_much = mangle_file_add(&m->spool, m->state, s) == -1;
	m->weak = m->weak || c->too_much;
	return c->too_much ? 1 : 0;
}

/* From an earlier session. */
static bool
remembered(struct outer *o, size_t i, struct mangle_result *r)
{
	struct popper_message m;
	struct popper_error e;
	const struct mangle_size *s;

	if (o->sizes.count == 0 ||
	    o->inner->describe(o->inner_self, i, POPPER_WANT_UID, &m, &e) ==
		-1 ||
	    (s = mangle_sizes_find(&o->sizes, m.uid)) == NULL)
		return false;
	*r = (struct mangle_result){ .state = MANGLE_MEASURED,
		.octets = s->octets };
	if (s->untouched)
		r->state = MANGLE_UNTOUCHED;
	mangle_kept_note(&o->m->kept, &o->wish, i, r);
	return true;
}

/* What message ${i} becomes.  ${content}: a size is not enough. */
static int
find(struct outer *o, size_t i, bool content, struct mangle_result *r,
    struct popper_error *e)
{
	struct collector c = { .sink = { .put = collect }, .m = o->m };
	struct mangle_result known;

	*r = mangle_kept_find(&o->m->kept, &o->wish, i);
	if (r->state == MANGLE_KEPT || r->state == MANGLE_UNTOUCHED ||
	    (!content && (r->state == MANGLE_MEASURED || remembered(o, i, r))))
		return 0;
	known = *r;
	o->news = o->news || known.state == MANGLE_NOT_YET;
	mangle_file_cut(&o->m->spool, 0);
	if (o->inner->read(o->inner_self, i, 0, &c.sink, e) == -1)
		return -1;
	if (!c.too_much) {
		mangle_make(o->m, &o->wish, i, r);
	} else {
		*r = (struct mangle_result){ .state = MANGLE_UNTOUCHED };
		mangle_kept_note(&o->m->kept, &o->wish, i, r);
		o->m->host->log(POPPER_LOG_WARNING,
		    "mangle: message %zu is sent as it is: too large or no "
		    "room in the state folder",
		    i + 1);
	}
	mangle_file_cut(&o->m->spool, 0);
	if (known.state == MANGLE_MEASURED && known.octets != r->octets)
		o->m->host->log(POPPER_LOG_WARNING,
		    "mangle: message %zu is not as long as was said", i + 1);
	return 0;
}

static size_t
outer_count(const void *self)
{
	const struct outer *o = self;

	return o->inner->count(o->inner_self);
}

static int
outer_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	struct outer *o = self;
	struct mangle_result r;

	if (o->inner->describe(o->inner_self, i, want, message, e) == -1)
		return -1;
	if (!(want & POPPER_WANT_OCTETS))
		return 0;
	if (find(o, i, false, &r, e) == -1)
		return -1;
	if (r.state != MANGLE_UNTOUCHED)
		message->octets = r.octets;
	return 0;
}

static int
outer_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	struct outer *o = self;
	struct mangle_result r;

	if (o->m->past)
		return o->inner->read(o->inner_self, i, offset, sink, e);
	if (find(o, i, true, &r, e) == -1)
		return -1;
	if (r.state == MANGLE_UNTOUCHED)
		return o->inner->read(o->inner_self, i, offset, sink, e);
	if (offset < r.len &&
	    mangle_file_pour(
		&o->m->kept.file, r.from + offset, r.len - offset, sink) == -1)
		return o->m->host->fail(e, POPPER_TEMPORARY,
		    "mangle: the result cannot be read or sent");
	return 0;
}

/* Sizes for the next session.  It is no harm if there are none. */
static void
save(struct outer *o)
{
	size_t count = o->inner->count(o->inner_self);
	struct popper_message m;
	struct popper_error e;
	struct mangle_result r;
	FILE *file;

	if (!o->news || o->m->weak)
		return;
	o->news = false;
	if ((file = mangle_sizes_start(o->m->state, o->m->conf)) == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		r = mangle_kept_find(&o->m->kept, &o->wish, i);
		if (o->inner->describe(
			o->inner_self, i, POPPER_WANT_UID, &m, &e) == 0)
			mangle_sizes_add(file, m.uid, &r);
	}
	if (mangle_sizes_end(file, o->m->state) == -1)
		o->m->host->log(POPPER_LOG_INFO,
		    "mangle: the sizes could not be kept in the state folder");
}

static enum popper_outcome
outer_commit(
    void *self, const struct popper_changes *changes, struct popper_error *e)
{
	struct outer *o = self;

	save(o); /* as long as the snapshot is whole */
	return o->inner->commit(o->inner_self, changes, e);
}

static void
outer_close(void *self)
{
	struct outer *o = self;

	if (o == NULL)
		return;
	save(o);
	mangle_sizes_free(&o->sizes);
	o->inner->close(o->inner_self);
	free(o);
}

static int
outer_lease(void *self, struct popper_error *e)
{
	struct outer *o = self;

	return o->inner->lease == NULL ? 0 : o->inner->lease(o->inner_self, e);
}

static const struct popper_drop outer_drop = {
	.size = sizeof(struct popper_drop),
	.count = outer_count,
	.describe = outer_describe,
	.read = outer_read,
	.commit = outer_commit,
	.close = outer_close,
	.lease = outer_lease,
};

const struct popper_drop *
mangle_wrap_drop(void *self, const struct popper_drop *inner, void *inner_self,
    void **outer, struct popper_error *e)
{
	struct mangle *m = self;
	struct outer *o;

	*outer = inner_self;
	if (!m->always)
		return inner;
	if ((o = calloc(1, sizeof(*o))) == NULL) {
		(void)m->host->fail_system(e, POPPER_TEMPORARY, "mangle");
		return NULL;
	}
	o->m = m;
	o->inner = inner;
	o->inner_self = inner_self;
	mangle_arguments_default(&o->wish.arguments);
	mangle_sizes_load(&o->sizes, m->state, m->conf);
	*outer = o;
	return &outer_drop;
}
