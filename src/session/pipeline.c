/*
 * pipeline.c - a message on its way out: a chain of sinks.
 *
 * Runs in: a session, as the user.
 */
#include "session/pipeline.h"

#include <string.h>

#include <popper/bulk.h>

#include "base/error.h"
#include "base/log.h"

/* The client's end of the chain: says +OK when the first octet comes, so that
 * a message that cannot be opened can still be refused. */
struct exit_sink {
	struct popper_sink sink;
	struct popper_sink *body; /* NULL: nothing was said yet */
	struct session *session;
	struct reply *reply;
	const struct popper_request *request;
	bool filtered;
};

static void
say_ok(struct exit_sink *x)
{
	uint64_t octets;
	struct popper_error e;

	if (x->filtered || strcmp(x->request->command, "RETR") != 0 ||
	    messages_octets(
		&x->session->messages, x->request->i, &octets, &e) == -1)
		reply_ok(x->reply, "message follows");
	else
		reply_ok(x->reply, "%llu octets", (unsigned long long)octets);
	x->body = reply_body(x->reply);
}

static int
exit_put(struct popper_sink *sink, struct popper_slice s)
{
	struct exit_sink *x = (struct exit_sink *)sink;

	if (x->body == NULL)
		say_ok(x);
	return x->body->put(x->body, s);
}

/* Pour message ${request->i} through the filters into ${last}. */
static int
pour(struct session *s, const struct popper_request *request,
    struct popper_sink *last, struct popper_error *e)
{
	const struct maildrop *m = &s->maildrop;
	struct filters f;
	struct popper_sink *first;
	int result = -1;

	error_clear(e);
	first = extensions_filter(&s->extensions, request, last, &f, e);
	s->altered = f.count > 0;
	if (first != NULL && request->lines == PIPELINE_ALL)
		result = m->driver->read(m->self, request->i, 0, first, e);
	else if (first != NULL)
		result = popper_drop_top(
		    m->driver, m->self, request->i, request->lines, first, e);
	return extensions_finish(&f, result, e);
}

enum outcome
pipeline_send(
    struct session *s, const struct popper_request *request, struct reply *r)
{
	struct exit_sink x = { .sink = { .put = exit_put },
		.session = s,
		.reply = r,
		.request = request,
		.filtered = request->argument.len > 0 };
	struct popper_error e;
	struct top top;
	int result;

	error_clear(&e);
	if (request->lines == PIPELINE_ALL)
		result = pour(s, request, &x.sink, &e);
	else {
		top_start(&top, &x.sink, request->lines);
		result = pour(s, request, &top.sink, &e);
	}
	if (result == 0) {
		if (x.body == NULL)
			say_ok(&x); /* a message without any octet */
		return reply_end(r);
	}
	if (s->stream->broken)
		return OUTCOME_CLOSE;
	log_failure("a message could not be read", &e);
	if (x.body == NULL)
		return reply_error(r, &e);
	return OUTCOME_CLOSE;
}

int
pipeline_measure(struct session *s, const struct popper_request *request,
    uint64_t *octets, struct popper_error *e)
{
	struct measure m;

	measure_start(&m);
	if (pour(s, request, &m.sink, e) == -1)
		return -1;
	*octets = measure_end(&m);
	return 0;
}
