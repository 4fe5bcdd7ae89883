/*
 * mangle_filter.c - between the maildrop and the client.
 *
 * Runs in: a session, as the user.
 */
#include "mangle.h"

#include <stdlib.h>

enum role {
	COLLECTS, /* the message goes into the spool */
	REPLAYS, /* the result is known: the message is not needed */
	PASSES /* it did not fit, or is a text already: goes on as it is */
};

struct filter {
	struct popper_sink sink; /* first: a sink is cast to its filter */
	struct popper_sink *next;
	struct mangle *m;
	size_t i;
	struct mangle_wish wish;
	struct mangle_result result;
	enum role role;
};

void
mangle_make(struct mangle *m, const struct mangle_wish *wish, size_t i,
    struct mangle_result *r)
{
	struct mangle_result known;

	mangle_child_run(m, wish, i, r);
	known = *r;
	if (known.state == MANGLE_KEPT && m->kept.file.len > m->conf->keep) {
		/* It lies there until the next one is made. */
		known.state = MANGLE_MEASURED;
		m->kept.file.len = r->from;
	}
	mangle_kept_note(&m->kept, wish, i, &known);
}

/* From now on everything goes on as it comes. */
static int
pass(struct filter *f, const char *why)
{
	f->m->host->log(POPPER_LOG_WARNING,
	    "mangle: message %zu is sent as it is: %s", f->i + 1, why);
	f->result = (struct mangle_result){ .state = MANGLE_UNTOUCHED };
	mangle_kept_note(&f->m->kept, &f->wish, f->i, &f->result);
	f->role = PASSES;
	return mangle_file_pour(&f->m->spool, 0, f->m->spool.len, f->next);
}

static int
filter_put(struct popper_sink *sink, struct popper_slice s)
{
	struct filter *f = (struct filter *)sink;
	struct mangle *m = f->m;
	const char *why;

	if (f->role == REPLAYS)
		return 1; /* enough */
	if (f->role == COLLECTS) {
		why = "it is too large (popper-mangle(8), largest)";
		if (m->spool.len + s.len <= m->conf->largest) {
			if (mangle_file_add(&m->spool, m->state, s) == 0)
				return 0;
			why = "the state folder cannot be written to";
		}
		if (pass(f, why) == -1)
			return -1;
	}
	return f->next->put(f->next, s);
}

static struct filter *
new_filter(struct mangle *m, size_t i, struct popper_sink *next,
    struct popper_error *e)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		(void)m->host->fail_system(e, POPPER_TEMPORARY, "mangle");
		return NULL;
	}
	*f = (struct filter){
		.sink = { .put = filter_put }, .next = next, .m = m, .i = i
	};
	return f;
}

/* What mangle_outer.c reads is a text already.  It goes through a filter all
 * the same, for the server to know that this is not the message that is
 * stored: auto-delete must not take the client to have that. */
static struct popper_sink *
show_hand(struct mangle *m, size_t i, struct popper_sink *next,
    struct popper_error *e)
{
	struct filter *f = new_filter(m, i, next, e);

	if (f == NULL)
		return NULL;
	f->role = PASSES;
	return &f->sink;
}

struct popper_sink *
mangle_filter(void *self, const struct popper_request *request,
    struct popper_sink *next, struct popper_error *e)
{
	struct mangle *m = self;
	struct filter *f;

	if (!mangle_arguments_are(request->argument))
		return m->always ? show_hand(m, request->i, next, e) : next;
	if ((f = new_filter(m, request->i, next, e)) == NULL)
		return NULL;
	if (!mangle_arguments_parse(
		request->argument, &m->macros, &f->wish.arguments)) {
		free(f);
		(void)m->host->fail(e, POPPER_INVALID, "mangle: syntax");
		(void)memcpy(e->reply, "Syntax error in Mangle",
		    sizeof("Syntax error in Mangle"));
		return NULL;
	}
	f->wish.headers_only =
	    strcmp(request->command, "TOP") == 0 && request->lines == 0;
	f->result = mangle_kept_find(&m->kept, &f->wish, f->i);
	if (f->result.state == MANGLE_UNTOUCHED)
		f->role = PASSES;
	else if (f->result.state == MANGLE_KEPT)
		f->role = REPLAYS;
	mangle_file_cut(&m->spool, 0);
	m->past = true;
	return &f->sink;
}

/* After the last octet: now it can be looked at. */
static int
conclude(struct filter *f, struct popper_error *e)
{
	struct mangle *m = f->m;
	int result = 0;

	if (f->role == PASSES)
		return 0;
	if (f->role == COLLECTS)
		mangle_make(m, &f->wish, f->i, &f->result);
	if (f->result.state == MANGLE_KEPT)
		result = mangle_file_pour(
		    &m->kept.file, f->result.from, f->result.len, f->next);
	else
		result = mangle_file_pour(&m->spool, 0, m->spool.len, f->next);
	if (result == -1)
		return m->host->fail(e, POPPER_TEMPORARY,
		    "mangle: the result cannot be read or sent");
	return 0;
}

int
mangle_finish(struct popper_sink *sink, struct popper_error *e)
{
	struct filter *f = (struct filter *)sink;
	/* A message that could not be read is not one that is short. */
	int result = e->status == POPPER_OK ? conclude(f, e) : 0;

	f->m->past = false;
	mangle_file_cut(&f->m->spool, 0);
	free(f);
	return result;
}
