/*
 * authorization.c - the AUTHORIZATION state: USER, PASS, APOP, CAPA, QUIT.
 *
 * Runs in: a login worker.  Checks no password: the gate does.
 */
#include "login/authorization.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/utf8.h"
#include "login/offer.h"
#include "login/sasl.h"
#include "login/stls.h"
#include "priv/mechanisms.h"
#include "priv/service.h"
#include "proto/capa.h"
#include "proto/dialog.h"
#include "proto/lang.h"
#include "proto/language.h"

/* ms beyond auth-timeout that PAM and the session have to open what is theirs:
 * locks, a first scan.  A gate that is stuck ends before. */
#define OPEN_PATIENCE (600 * 1000)

static struct tls_link connection;

void
authorization_start(struct authorization *a, const struct assignment *s,
    struct stream *stream, int client)
{
	a->assignment = s;
	a->stream = stream;
	a->client = client;
	a->link = &connection;
	a->relay = -1;
	a->certified = false;
	a->certificate[0] = '\0';
	a->channel = -1;
	a->tries = 0;
	a->named = false;
	a->user[0] = '\0';
	a->local = offer_is_local(client);
	a->manners = (struct manners){ .have = 0 };
	a->timestamp[0] = '\0';
	a->limit = deadline_in((int64_t)s->settings.login_timeout * 1000);
}

/* Have a gate made for this connection. */
static bool
knock(struct authorization *a)
{
	int pair[2], fds[2];
	bool done;

	if (a->channel != -1)
		return true;
	if (fd_pair(pair) == -1)
		return false;
	fds[0] = pair[1];
	fds[1] = a->client;
	knock_put(&a->wire);
	done = wire_send(&a->wire, SERVICE_ONWARD, fds, 2) == 0;
	fd_close(&pair[1]);
	if (done)
		a->channel = pair[0];
	else
		fd_close(&pair[0]);
	return done;
}

/* Send what is in ${a->wire}; the first time over TLS with the socket that the
 * session shall have in the connection's place. */
static bool
send_attempt(struct authorization *a)
{
	int pair[2] = { -1, -1 };
	bool first = a->link->ssl != NULL && a->relay == -1, done;

	if (first &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return false;
	done = wire_send(&a->wire, a->channel, &pair[1], first ? 1 : 0) == 0;
	fd_close(&pair[1]);
	if (first)
		a->relay = pair[0];
	return done;
}

static bool
exchange(struct authorization *a, struct attempt *attempt, struct verdict *v)
{
	int64_t patience =
	    (int64_t)a->assignment->settings.auth_timeout * 1000 +
	    OPEN_PATIENCE;
	size_t count;

	if (!knock(a))
		return false;
	attempt_put(&a->wire, attempt);
	if (!send_attempt(a))
		return false;
	wire_wipe(&a->wire);
	return fd_wait(a->channel, POLLIN, deadline_in(patience)) > 0 &&
	    wire_receive(&a->wire, a->channel, NULL, 0, &count) == 1 &&
	    verdict_get(&a->wire, v);
}

/* Ask until the attempt is judged: nobody sleeps, if the client goes away the
 * wait is over.  False also if its time is. */
static bool
ask(struct authorization *a, struct attempt *attempt, struct verdict *v)
{
	deadline_t until;

	for (;;) {
		v->kind = VERDICT_OPENED;
		if (!exchange(a, attempt, v))
			return false;
		if (v->kind != VERDICT_WAIT)
			return true;
		until = deadline_in((int64_t)v->hold);
		if (until > a->limit || fd_wait(a->client, 0, until) != 0)
			return false;
	}
}

/* The secret lies in a buffer of ours that is not const. */
static void
wipe_slice(struct stream *s, struct popper_slice secret)
{
	size_t at;

	if (secret.ptr < s->in || secret.ptr >= s->in + sizeof(s->in))
		return;
	at = (size_t)(secret.ptr - s->in);
	secret_wipe(s->in + at, secret.len);
}

bool
authorization_ask(struct authorization *a, struct attempt *attempt,
    struct verdict *v, struct reply *r)
{
	char binding[BINDING_MAX];
	bool answered;

	/* The next octet to the client may be the session's. */
	stream_flush(a->stream);
	attempt->ahead = stream_ahead(a->stream);
	attempt->manners = a->manners;
	attempt->manners.have = offer_have(a);
	attempt->binding =
	    popper_slice(binding, tls_link_binding(a->link, binding));
	text_copy(
	    attempt->certificate, sizeof(attempt->certificate), a->certificate);
	answered = ask(a, attempt, v);
	wipe_slice(a->stream, attempt->secret);
	if (!answered) {
		wire_wipe(&a->wire);
		if (v->kind != VERDICT_WAIT)
			log_error(
			    "no verdict from popper-auth for a login of %s",
			    attempt->user);
		reply_refuse(r, POPPER_TEMPORARY,
		    "cannot check the login now, try again later");
	}
	return answered;
}

enum outcome
authorization_failed(struct authorization *a)
{
	return ++a->tries >= a->assignment->settings.max_tries
	    ? OUTCOME_CLOSE
	    : OUTCOME_REFUSED;
}

enum outcome
authorization_conclude(
    struct authorization *a, const struct verdict *v, struct reply *r)
{
	struct popper_error e = { .status = v->status };

	if (v->kind == VERDICT_OPENED)
		return OUTCOME_HANDED_OVER;
	/* Nobody sleeps: if the client goes away the wait is over. */
	if (v->hold > 0)
		fd_wait(a->client, 0, deadline_in((int64_t)v->hold));
	/* Another try needs another gate. */
	if (v->apart) {
		fd_close(&a->channel);
		fd_close(&a->relay);
	}
	text_copy(e.reply, sizeof(e.reply), v->reply);
	if (v->status == POPPER_TOO_SOON && v->wait > 0)
		reply_refuse(r, v->status,
		    "wait %llu seconds before you log in again",
		    (unsigned long long)v->wait);
	else
		reply_error(r, &e);
	if (v->last)
		return OUTCOME_CLOSE;
	return v->status == POPPER_DENIED ? authorization_failed(a)
					  : OUTCOME_REFUSED;
}

bool
authorization_stamp(struct authorization *a)
{
	int64_t patience = (int64_t)a->assignment->settings.auth_timeout * 1000;
	size_t count;

	if (!mechanisms_allow(a->assignment->mechanisms,
		popper_slice_text("APOP"), offer_have(a)))
		return true;
	if (!knock(a))
		return false;
	timestamp_put(&a->wire, "");
	return wire_send(&a->wire, a->channel, NULL, 0) == 0 &&
	    fd_wait(a->channel, POLLIN, deadline_in(patience)) > 0 &&
	    wire_receive(&a->wire, a->channel, NULL, 0, &count) == 1 &&
	    timestamp_get(&a->wire, a->timestamp);
}

void
authorization_before(void *context, const struct command *c)
{
	struct authorization *a = context;

	if (c == NULL || strcmp(c->keyword, "PASS") != 0)
		a->named = false;
}

/* Is ${way} to log in open now?  If not the client is told why. */
static bool
is_open(struct authorization *a, const char *way, struct reply *r)
{
	const char *all = offer_mechanisms(a);
	struct popper_slice name = popper_slice_text(way);

	if (mechanisms_allow(all, name, offer_have(a)))
		return true;
	if (mechanisms_allow(all, name, offer_have_inside_tls(a)))
		reply_refuse(r, POPPER_INVALID,
		    "not without encryption here: use STLS or another port");
	else
		reply_refuse(
		    r, POPPER_INVALID, "this way to log in is not offered");
	return false;
}

/* A name as a word of a command can be one: anything visible, and UTF-8, which
 * the gate looks at (RFC 6856 section 2.2). */
static bool
take_name(struct authorization *a, struct popper_slice given,
    char name[POPPER_USER_MAX + 1])
{
	return (a->assignment->settings.utf8 || utf8_is_ascii(given)) &&
	    given.len > 0 && text_from_slice(name, POPPER_USER_MAX + 1, given);
}

/* USER never tells whether there is such a user (RFC 1939 section 13). */
static enum outcome
user_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;

	if (!is_open(a, "USER", r))
		return OUTCOME_REFUSED;
	if (!take_name(a, args->word[0], a->user))
		return reply_refuse(
		    r, POPPER_INVALID, "no such form of a name");
	a->named = true;
	return reply_ok(r, "send PASS");
}

static enum outcome
pass_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;
	struct attempt attempt = { .begins = true, .mechanism = "USER" };
	struct verdict v;

	if (!a->named)
		return reply_refuse(r, POPPER_INVALID, "send USER first");
	a->named = false;
	if (!a->assignment->settings.utf8 && !utf8_is_ascii(args->rest))
		return reply_refuse(
		    r, POPPER_INVALID, "no such form of a password");
	text_copy(attempt.user, sizeof(attempt.user), a->user);
	attempt.secret = args->rest;
	if (!authorization_ask(a, &attempt, &v, r))
		return OUTCOME_CLOSE;
	return authorization_conclude(a, &v, r);
}

/* APOP name digest: RFC 1939 section 7. */
static enum outcome
apop_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;
	struct attempt attempt = { .begins = true, .mechanism = "APOP" };
	struct verdict v;

	if (a->timestamp[0] == '\0' || offer_mechanisms(a)[0] == '\0')
		return reply_refuse(
		    r, POPPER_INVALID, "this way to log in is not offered");
	if (!take_name(a, args->word[0], attempt.user))
		return reply_refuse(
		    r, POPPER_INVALID, "no such form of a name");
	text_copy(a->user, sizeof(a->user), attempt.user);
	attempt.secret = args->word[1];
	if (!authorization_ask(a, &attempt, &v, r))
		return OUTCOME_CLOSE;
	return authorization_conclude(a, &v, r);
}

/* Of RFC 1225, gone since RFC 1460: the client's port is no proof. */
static enum outcome
rpop_command(void *context, const struct arguments *args, struct reply *r)
{
	(void)context;
	(void)args;
	return reply_refuse(r, POPPER_INVALID,
	    "RPOP is not accepted: a port is no proof, use PASS");
}

static enum outcome
capa_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;
	char sasl[REPLY_LINE_MAX - sizeof("SASL \r\n")];
	struct capabilities c;
	unsigned have;

	(void)args;
	capa_start(&c, &a->assignment->settings);
	have = offer_have(a);
	c.stls = stls_is_offered(a);
	c.user = mechanisms_allow(
	    offer_mechanisms(a), popper_slice_text("USER"), have);
	mechanisms_sasl(offer_mechanisms(a), have, sasl, sizeof(sasl));
	c.mechanisms = sasl;
	c.extensions = a->assignment->extensions;
	if (a->assignment->settings.shy)
		c.implementation = "";
	return capa_reply(&c, r);
}

/* RFC 6856 section 2.1: for good, the session included. */
static enum outcome
utf8_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;

	(void)args;
	if (!a->assignment->settings.utf8)
		return reply_refuse(r, POPPER_INVALID, "unknown command");
	a->manners.utf8 = true;
	return reply_ok(r, "UTF-8 it is");
}

static enum outcome
lang_command(void *context, const struct arguments *args, struct reply *r)
{
	struct authorization *a = context;
	enum outcome o = lang_run(args, r);

	if (o == OUTCOME_DONE)
		text_copy(a->manners.language, sizeof(a->manners.language),
		    language_now());
	return o;
}

static enum outcome
auth_command(void *context, const struct arguments *args, struct reply *r)
{
	return sasl_command(context, args, r);
}

static enum outcome
stls_run(void *context, const struct arguments *args, struct reply *r)
{
	(void)args;
	return stls_command(context, r);
}

static enum outcome
quit_command(void *context, const struct arguments *args, struct reply *r)
{
	(void)context;
	(void)args;
	reply_ok(r, "bye");
	return OUTCOME_QUIT;
}

const struct command authorization_commands[] = {
	{ "USER", 1, 1, false, user_command },
	{ "PASS", 1, 1, true, pass_command },
	{ "APOP", 2, 2, false, apop_command },
	{ "RPOP", 0, 1, false, rpop_command },
	{ "AUTH", 0, 2, false, auth_command },
	{ "CAPA", 0, 0, false, capa_command },
	{ "UTF8", 0, 0, false, utf8_command },
	{ "LANG", 0, 1, false, lang_command },
	{ "STLS", 0, 0, false, stls_run },
	{ "QUIT", 0, 0, false, quit_command },
	{ NULL, 0, 0, false, NULL },
};

const struct command authorization_elsewhere[] = {
	{ "STAT", 0, 0, false, NULL },
	{ "LIST", 0, 1, false, NULL },
	{ "RETR", 1, 1, false, NULL },
	{ "DELE", 1, 1, false, NULL },
	{ "NOOP", 0, 0, false, NULL },
	{ "RSET", 0, 0, false, NULL },
	{ "TOP", 2, 2, false, NULL },
	{ "UIDL", 0, 1, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

void
authorization_end(struct authorization *a)
{
	wire_wipe(&a->wire);
	fd_close(&a->channel);
	fd_close(&a->relay);
}
