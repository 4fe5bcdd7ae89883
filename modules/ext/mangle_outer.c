/*
 * mangle_outer.c - a maildrop whose messages are plain text: for those whose
 * login name ends in "-no-mime".
 *
 * Runs in: a session, as the user.
 *
 * STAT and LIST need the sizes of what RETR will send, so the first of them
 * mangles every message whose size no earlier session has left.  Until then
 * the maildrop is not measured, and the login does not wait.
 */
#include "mangle.h"

#include <stdlib.h>

#include <popper/bulk.h>

struct outer {
	struct mangle *m;
	const struct popper_drop *inner;
	void *inner_self;
	struct mangle_wish wish;
	bool news; /* something was made in this session */
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

/* --- Sizes of earlier sessions, by unique-id. --- */

struct recall {
	struct popper_lister lister;
	struct outer *o;
	struct mangle_sizes sizes;
};

static int
recall_one(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct recall *c = (struct recall *)lister;
	struct mangle_result r = { .state = MANGLE_MEASURED };
	char key[POPPER_UID_MAX + 1];
	const struct mangle_size *s;

	(void)octets;
	if (uid.len > POPPER_UID_MAX)
		return 0;
	memcpy(key, uid.ptr, uid.len);
	key[uid.len] = '\0';
	if ((s = mangle_sizes_find(&c->sizes, key)) == NULL)
		return 0;
	r.octets = s->octets;
	if (s->untouched)
		r.state = MANGLE_UNTOUCHED;
	mangle_kept_note(&c->o->m->kept, &c->o->wish, i, &r);
	return 0;
}

/* What is not found is made when it is asked for. */
static void
recall(struct outer *o)
{
	struct recall c = { .lister = { .put = recall_one }, .o = o };
	struct popper_error e;

	mangle_sizes_load(&c.sizes, o->m->state, o->m->conf);
	if (c.sizes.count > 0)
		(void)popper_drop_list(
		    o->inner, o->inner_self, POPPER_WANT_UID, &c.lister, &e);
	mangle_sizes_free(&c.sizes);
}

/* --- What the client sees. --- */

/* What message ${i} becomes.  ${content}: a size is not enough. */
static int
find(struct outer *o, size_t i, bool content, struct mangle_result *r,
    struct popper_error *e)
{
	struct collector c = { .sink = { .put = collect }, .m = o->m };
	struct mangle_result known;

	*r = mangle_kept_find(&o->m->kept, &o->wish, i);
	if (r->state == MANGLE_KEPT || r->state == MANGLE_UNTOUCHED ||
	    (!content && r->state == MANGLE_MEASURED))
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

/* The drop behind is not asked for a size that nobody sees: it may have to read
 * the message to tell. */
static int
size_of(struct outer *o, size_t i, uint64_t *octets, struct popper_error *e)
{
	struct popper_message inner = { .octets = 0 };
	struct mangle_result r;

	if (find(o, i, false, &r, e) == -1 ||
	    (r.state == MANGLE_UNTOUCHED &&
		o->inner->describe(
		    o->inner_self, i, POPPER_WANT_OCTETS, &inner, e) == -1))
		return -1;
	*octets = r.state == MANGLE_UNTOUCHED ? inner.octets : r.octets;
	return 0;
}

static int
outer_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	struct outer *o = self;
	unsigned same = want & ~POPPER_WANT_OCTETS;

	if (same != 0 &&
	    o->inner->describe(o->inner_self, i, same, message, e) == -1)
		return -1;
	return want & POPPER_WANT_OCTETS ? size_of(o, i, &message->octets, e)
					 : 0;
}

static int
outer_total(void *self, uint64_t *octets, struct popper_error *e)
{
	size_t count = outer_count(self);
	uint64_t one;

	*octets = 0;
	for (size_t i = 0; i < count; i++) {
		if (size_of(self, i, &one, e) == -1)
			return -1;
		*octets += one;
	}
	return 0;
}

static int
outer_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	const struct popper_slice none = popper_slice("", 0);
	struct outer *o = self;
	size_t count = outer_count(self);
	uint64_t octets;

	if (want != POPPER_WANT_OCTETS)
		return popper_drop_list(
		    o->inner, o->inner_self, want, lister, e);
	for (size_t i = 0; i < count; i++) {
		if (size_of(o, i, &octets, e) == -1)
			return -1;
		if (lister->put(lister, i, octets, none) != 0)
			break;
	}
	return 0;
}

/* Or must messages be looked into first? */
static bool
outer_is_measured(const void *self)
{
	const struct outer *o = self;
	size_t count = outer_count(self);
	bool untouched = false;

	for (size_t i = 0; i < count; i++)
		switch (mangle_kept_find(&o->m->kept, &o->wish, i).state) {
		case MANGLE_NOT_YET:
			return false;
		case MANGLE_UNTOUCHED:
			untouched = true;
			break;
		case MANGLE_KEPT:
		case MANGLE_MEASURED:
			break;
		}
	return !untouched || popper_drop_is_measured(o->inner, o->inner_self);
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

static int
outer_top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *e)
{
	struct outer *o = self;
	struct mangle_result r;

	if (!o->m->past && find(o, i, true, &r, e) == -1)
		return -1;
	if (o->m->past || r.state == MANGLE_UNTOUCHED)
		return popper_drop_top(
		    o->inner, o->inner_self, i, lines, sink, e);
	return outer_read(self, i, 0, sink, e);
}

struct saving {
	struct popper_lister lister;
	const struct outer *o;
	FILE *file;
};

static int
save_one(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct saving *s = (struct saving *)lister;
	struct mangle_result r =
	    mangle_kept_find(&s->o->m->kept, &s->o->wish, i);

	(void)octets;
	mangle_sizes_add(s->file, uid, &r);
	return 0;
}

/* Sizes for the next session.  It is no harm if there are none. */
static void
save(struct outer *o)
{
	struct saving s = { .lister = { .put = save_one }, .o = o };
	struct popper_error e;

	if (!o->news || o->m->weak)
		return;
	o->news = false;
	if ((s.file = mangle_sizes_start(o->m->state, o->m->conf)) == NULL)
		return;
	(void)popper_drop_list(
	    o->inner, o->inner_self, POPPER_WANT_UID, &s.lister, &e);
	if (mangle_sizes_end(s.file, o->m->state) == -1)
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
	o->inner->close(o->inner_self);
	free(o);
}

static int
outer_lease(void *self, struct popper_error *e)
{
	struct outer *o = self;

	return o->inner->lease == NULL ? 0 : o->inner->lease(o->inner_self, e);
}

static int
outer_tidy(void *self, struct popper_error *e)
{
	struct outer *o = self;

	save(o);
	return popper_drop_tidy(o->inner, o->inner_self, e);
}

static const struct popper_drop outer_drop = {
	.size = sizeof(struct popper_drop),
	.count = outer_count,
	.describe = outer_describe,
	.read = outer_read,
	.commit = outer_commit,
	.close = outer_close,
	.lease = outer_lease,
	.total = outer_total,
	.list = outer_list,
	.is_measured = outer_is_measured,
	.top = outer_top,
	.tidy = outer_tidy,
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
	recall(o);
	*outer = o;
	return &outer_drop;
}
