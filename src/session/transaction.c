/*
 * transaction.c - the TRANSACTION state: one handler a command, and the table
 * of them at the end.
 *
 * Runs in: a session, as the user.
 */
#include "session/transaction.h"

#include "base/error.h"
#include "base/log.h"
#include "base/number.h"
#include "priv/mechanisms.h"
#include "proto/capa.h"
#include "proto/lang.h"
#include "session/eightbit.h"
#include "session/euidl.h"
#include "session/listing.h"
#include "session/pace.h"
#include "session/pipeline.h"
#include "session/takeover.h"
#include "session/title.h"

typedef unsigned long long ull; /* what %llu takes */

/* Tell our own trouble to the log, and the client what it may know. */
static enum outcome
refuse(const char *command, const struct popper_error *e, struct reply *r)
{
	if (e->status != POPPER_INVALID && e->status != POPPER_NEEDS_UTF8)
		log_failure(command, e);
	return reply_error(r, e);
}

static enum outcome
stat_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	struct popper_error e;
	uint64_t octets;
	size_t count;

	(void)args;
	if (messages_total(&s->messages, false, &count, &octets, &e) == -1)
		return refuse("STAT", &e, r);
	return reply_exact(r, "%zu %llu", count, (ull)octets);
}

enum outcome
transaction_total(struct reply *r, size_t count, uint64_t octets)
{
	if (count == 1)
		return reply_ok(r, "maildrop has %zu message (%llu octets)",
		    count, (ull)octets);
	return reply_ok(
	    r, "maildrop has %zu messages (%llu octets)", count, (ull)octets);
}

enum outcome
transaction_count(struct reply *r, size_t count)
{
	if (count == 1)
		return reply_ok(r, "maildrop has %zu message", count);
	return reply_ok(r, "maildrop has %zu messages", count);
}

static enum outcome
say_total(struct session *s, struct reply *r)
{
	struct popper_error e;
	uint64_t octets;
	size_t count;

	if (!messages_are_measured(&s->messages))
		return transaction_count(
		    r, s->maildrop.count - s->messages.deleted);
	if (messages_total(&s->messages, false, &count, &octets, &e) == -1)
		return refuse("sizes", &e, r);
	return transaction_total(r, count, octets);
}

static enum outcome
list_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	struct popper_slice argument = popper_slice("", 0);
	size_t words = args->count, i;
	struct popper_error e;
	uint64_t octets;

	if (words > 0 &&
	    extensions_accept(&s->extensions, args->word[words - 1]))
		argument = args->word[--words];
	if (words > 1)
		return reply_refuse(
		    r, POPPER_INVALID, "wrong number of arguments");
	if (words == 0)
		return listing_sizes(s, argument, r);
	if (messages_pick(&s->messages, args->word[0], &i, &e) == -1 ||
	    eightbit_check(s, i, &e) == -1 ||
	    listing_size(s, i, argument, &octets, &e) == -1)
		return refuse("LIST", &e, r);
	return reply_exact(r, "%zu %llu", i + 1, (ull)octets);
}

static enum outcome
uidl_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	char uid[POPPER_UID_MAX + 1];
	struct popper_error e;
	size_t i;

	if (args->count == 0)
		return listing_uids(s, r);
	if (messages_pick(&s->messages, args->word[0], &i, &e) == -1 ||
	    messages_uid(&s->messages, i, uid, &e) == -1)
		return refuse("UIDL", &e, r);
	return reply_exact(r, "%zu %s", i + 1, uid);
}

/* The argument behind those RFC 1939 knows, if an extension understands it. */
static bool
extra_argument(struct session *s, const struct arguments *args, size_t usual,
    struct popper_request *request)
{
	request->argument = popper_slice("", 0);
	if (args->count == usual)
		return true;
	request->argument = args->word[usual];
	return extensions_accept(&s->extensions, request->argument);
}

static enum outcome
retr_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	struct popper_request request = { .size = sizeof(request),
		.command = "RETR",
		.lines = PIPELINE_ALL };
	struct popper_error e;
	enum outcome o;

	if (!extra_argument(s, args, 1, &request))
		return reply_refuse(
		    r, POPPER_INVALID, "wrong number of arguments");
	if (messages_pick(&s->messages, args->word[0], &request.i, &e) == -1 ||
	    eightbit_check(s, request.i, &e) == -1)
		return refuse("RETR", &e, r);
	o = pipeline_send(s, &request, r);
	if (o != OUTCOME_DONE)
		return o;
	messages_touch(&s->messages, request.i);
	s->retrieved++;
	if (!s->altered)
		messages_fetched(&s->messages, request.i, s->stream->octets_in);
	return o;
}

static enum outcome
top_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	struct popper_request request = { .size = sizeof(request),
		.command = "TOP" };
	struct popper_error e;
	enum outcome o;

	if (!extra_argument(s, args, 2, &request) ||
	    !number_saturate(args->word[1], &request.lines))
		return reply_refuse(
		    r, POPPER_INVALID, "TOP takes a message and a number");
	if (messages_pick(&s->messages, args->word[0], &request.i, &e) == -1 ||
	    eightbit_check(s, request.i, &e) == -1)
		return refuse("TOP", &e, r);
	o = pipeline_send(s, &request, r);
	if (o == OUTCOME_DONE)
		s->topped++;
	return o;
}

/* DELE only marks; update.c removes, after QUIT. */
static enum outcome
dele_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	struct popper_error e;
	size_t i;

	if (messages_pick(&s->messages, args->word[0], &i, &e) == -1)
		return refuse("DELE", &e, r);
	messages_delete(&s->messages, i);
	return reply_ok(r, "message %zu deleted", i + 1);
}

static enum outcome
noop_command(void *context, const struct arguments *args, struct reply *r)
{
	(void)context;
	(void)args;
	return reply_ok(r, "nothing done");
}

static enum outcome
rset_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;

	(void)args;
	messages_reset(&s->messages);
	return say_total(s, r);
}

/* Of RFC 1460; an option, and unknown without it. */
static enum outcome
last_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;

	(void)args;
	if (!s->settings->last)
		return reply_refuse(r, POPPER_INVALID, "unknown command");
	return reply_exact(r, "%zu", s->messages.highest);
}

/* Of the popper line; an option, and unknown without it. */
static enum outcome
euidl_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;

	if (!s->settings->euidl)
		return reply_refuse(r, POPPER_INVALID, "unknown command");
	return euidl_run(s, args, r);
}

static enum outcome
capa_command(void *context, const struct arguments *args, struct reply *r)
{
	struct session *s = context;
	const struct assignment *a = &s->equipment->service->assignment;
	char sasl[REPLY_LINE_MAX - sizeof("SASL \r\n")];
	struct capabilities c;
	unsigned have;

	(void)args;
	capa_start(&c, s->settings);
	c.transaction = true;
	if (c.delay_varies)
		c.login_delay =
		    (int64_t)pace_delay(s->settings, &s->opening->identity);
	have = s->opening->manners.have;
	c.user =
	    mechanisms_allow(a->mechanisms, popper_slice_text("USER"), have);
	mechanisms_sasl(a->mechanisms, have, sasl, sizeof(sasl));
	c.mechanisms = sasl;
	c.extensions = a->extensions;
	return capa_reply(&c, r);
}

static enum outcome
lang_command(void *context, const struct arguments *args, struct reply *r)
{
	(void)context;
	return lang_run(args, r);
}

/* The answer is UPDATE's. */
static enum outcome
quit_command(void *context, const struct arguments *args, struct reply *r)
{
	(void)context;
	(void)args;
	(void)r;
	return OUTCOME_QUIT;
}

static const struct command transaction_commands[] = {
	{ "STAT", 0, 0, false, stat_command },
	{ "LIST", 0, 2, false, list_command },
	{ "RETR", 1, 2, false, retr_command },
	{ "DELE", 1, 1, false, dele_command },
	{ "NOOP", 0, 0, false, noop_command },
	{ "RSET", 0, 0, false, rset_command },
	{ "TOP", 2, 3, false, top_command },
	{ "UIDL", 0, 1, false, uidl_command },
	{ "LAST", 0, 0, false, last_command },
	{ "EUIDL", 0, 1, false, euidl_command },
	{ "CAPA", 0, 0, false, capa_command },
	{ "LANG", 0, 1, false, lang_command },
	{ "QUIT", 0, 0, false, quit_command },
	{ NULL, 0, 0, false, NULL },
};

/* Commands of the AUTHORIZATION state. */
static const struct command elsewhere[] = {
	{ "USER", 1, 1, false, NULL },
	{ "PASS", 1, 1, true, NULL },
	{ "APOP", 2, 2, false, NULL },
	{ "RPOP", 1, 1, false, NULL },
	{ "AUTH", 0, 2, false, NULL },
	{ "STLS", 0, 0, false, NULL },
	{ "UTF8", 0, 0, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

static bool
extension(
    void *context, struct popper_slice line, struct reply *r, enum outcome *o)
{
	struct session *s = context;

	return extensions_command(&s->extensions, &s->messages, line, r, o);
}

/* Once a minute of silence: is the maildrop still ours? */
static int
minute(void *context)
{
	struct session *s = context;
	struct popper_error e;

	if (s->maildrop.driver->lease == NULL ||
	    s->maildrop.driver->lease(s->maildrop.self, &e) == 0)
		return 0;
	log_failure("the lock of the maildrop is lost", &e);
	return -1;
}

/* --- takeover.c --- */

static void
lulled(void *context)
{
	struct session *s = context;

	takeover_offer(s->place.state, s->client);
}

static bool
woken(void *context, bool over)
{
	(void)context;
	return over ? !takeover_withdraw() : !takeover_asked();
}

enum dialog_end
transaction_run(struct session *s)
{
	struct dialog d = { .stream = s->stream,
		.context = s,
		.commands = transaction_commands,
		.elsewhere = elsewhere,
		.idle = (int64_t)s->settings->timeout * 1000,
		.limit = DEADLINE_NEVER,
		.extra = extension,
		.minute = minute };

	if (s->equipment->service->settings->takeover > 0) {
		d.lull =
		    (int64_t)s->equipment->service->settings->takeover * 1000;
		d.lulled = lulled;
		d.woken = woken;
	}
	if (s->settings->process_titles)
		d.working = title_doing;
	return dialog_run(&d);
}
