/*
 * gate.c - the trusted side of one connection.
 *
 * Runs in: popper-auth, one process per connection that tries to log in, as
 * root; it dies with the connection.  Hears: messages of a login worker, which
 * are distrusted; and of the session.  Says when an attempt may be judged and
 * when a refusal may be told.
 */
#include "auth/gate.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/exchange.h"
#include "auth/failure.h"
#include "auth/lists.h"
#include "auth/lookup.h"
#include "auth/penalty.h"
#include "auth/gates.h"
#include "auth/verdict.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "priv/messages.h"
#include "priv/service.h"
#include "proto/language.h"

#define LOOKUP_SECONDS 30
/* Seconds a session may take to open a maildrop: locks, a first scan. */
#define OPEN_SECONDS 300

struct gate {
	struct exchange exchange;
	struct chain *chain;
	const struct settings *settings;
	struct penalty penalty;
	int channel, client, relay;
	bool counted; /* the attempt under way has failed already */
	bool kept; /* it has served a module's session */
	deadline_t began; /* the attempt */
	char client_address[ADDRESS_MAX], server_address[ADDRESS_MAX];
	struct popper_answer answer;
	struct wire wire;
};

static void
expire(int signal)
{
	(void)signal;
	_exit(GATE_EXPIRED);
}

static int
tell(struct gate *g, const struct verdict *v)
{
	verdict_put(&g->wire, v);
	return wire_send(&g->wire, g->channel, NULL, 0);
}

/*
 * Milliseconds until a refusal may be told: at a multiple of failure-delay
 * after the attempt began, so that the time says nothing about the reason.
 */
static uint64_t
hold(const struct gate *g)
{
	uint64_t step = g->settings->failure_delay * 1000;
	uint64_t wish = penalty_slowest(g->answer.delay / 1000);
	uint64_t gone = (uint64_t)(deadline_in(0) - g->began);
	uint64_t least = gone;

	if (wish > 60 * 1000)
		wish = 60 * 1000;
	if (least < wish)
		least = wish;
	if (step > 0)
		least = least / step * step + step;
	return least - gone;
}

/* Once for each attempt. */
static void
count_failure(struct gate *g)
{
	if (g->counted)
		penalty_pause(&g->penalty);
	else
		penalty_failed(&g->penalty,
		    g->exchange.password ? g->exchange.digest : NULL,
		    deadline_in(0));
	g->counted = true;
}

/* True: the gate is done. */
static bool
refuse(struct gate *g, const struct popper_error *e)
{
	struct verdict v = { .kind = VERDICT_REFUSED, .status = e->status };

	text_copy(v.reply, sizeof(v.reply), e->reply);
	if (e->status == POPPER_DENIED) {
		v.hold = hold(g);
		count_failure(g);
	} else
		penalty_pause(&g->penalty);
	failure_tell(&g->exchange, e);
	return tell(g, &v) == -1;
}

static bool
keeps(const struct gate *g)
{
	return (g->answer.identity.flags & POPPER_IDENTITY_KEEP) != 0 &&
	    g->chain->driver != NULL;
}

/* Has the gate anything to do once the session has begun? */
static bool
stays(const struct gate *g)
{
	return keeps(g) || g->settings->reverse_lookup;
}

/*
 * Send the connection to popper-session, and our end of the worker's channel:
 * the session tells the worker how it went.  0 with our end of a channel to
 * the session in ${report} if we stay, or -1 with ${e} filled.
 */
static int
hand_over(struct gate *g, struct popper_slice ahead, int *report,
    struct popper_error *e)
{
	static struct opening o;
	int pair[2] = { -1, -1 }, fds[3], result;

	o.identity = g->answer.identity;
	o.named = g->settings->reverse_lookup;
	o.manners = g->exchange.manners;
	text_copy(o.mechanism, sizeof(o.mechanism), g->exchange.mechanism);
	o.judged = (uint64_t)(deadline_in(0) - g->began);
	o.ahead = ahead;
	text_copy(o.suffix, sizeof(o.suffix), g->exchange.suffix);
	text_copy(o.client, sizeof(o.client), g->client_address);
	if (stays(g) && fd_pair(pair) == -1)
		return error_system(e, POPPER_TEMPORARY, "socketpair");
	opening_put(&g->wire, &o);
	fds[0] = g->relay != -1 ? g->relay : g->client;
	fds[1] = g->channel;
	fds[2] = pair[1];
	result =
	    wire_send(&g->wire, SERVICE_ONWARD, fds, pair[1] == -1 ? 2 : 3);
	if (result == -1) {
		error_system(
		    e, POPPER_TEMPORARY, "popper-session is not there");
		fd_close(&pair[0]);
	}
	fd_close(&pair[1]);
	/* The worker shall see the end of the session, not ours. */
	if (result == 0)
		fd_close(&g->relay);
	*report = pair[0];
	return result;
}

/* Whatever ends the session ends the wait for it: a stop must not take the
 * gate first, or the module's own session would stay open. */
static void
outlive(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		log_warning("sigprocmask: %s", strerror(errno));
}

static void
close_module(struct gate *g)
{
	if (keeps(g) && g->chain->driver->closed != NULL)
		g->chain->driver->closed(g->chain->exchange);
}

/* The session has begun: find the client's name, stay if a module wants. */
static void
attend(struct gate *g, int report)
{
	char name[HOST_MAX];
	bool keep = keeps(g);
	size_t count;

	/* Nobody but the session talks to the worker now. */
	fd_close(&g->channel);
	g->kept = keep;
	if (keep)
		outlive();
	if (g->settings->reverse_lookup) {
		alarm(keep ? 0 : LOOKUP_SECONDS);
		lookup_host(g->client, g->client_address, name);
		host_put(&g->wire, name);
		/* A session that is over already needs no name. */
		if (wire_send(&g->wire, report, NULL, 0) == -1)
			log_debug("the session has ended already");
	}
	alarm(0);
	fd_close(&g->client);
	while (keep && wire_receive(&g->wire, report, NULL, 0, &count) == 1)
		;
	close_module(g);
}

/* True: the gate is done. */
static bool
accepted(struct gate *g, struct popper_slice ahead)
{
	struct popper_error e;
	int report = -1;

	error_clear(&e);
	if (verdict_check(g->settings, &g->answer.identity, &e) == -1 ||
	    lists_check(g->settings, &g->answer.identity, &e) == -1)
		return refuse(g, &e);
	penalty_passed(&g->penalty, deadline_in(0));
	alarm(OPEN_SECONDS);
	if (keeps(g) && g->chain->driver->opened != NULL &&
	    g->chain->driver->opened(g->chain->exchange, &e) == -1)
		return refuse(g, &e);
	if (hand_over(g, ahead, &report, &e) == -1) {
		close_module(g);
		return refuse(g, &e);
	}
	if (report != -1)
		attend(g, report);
	fd_close(&report);
	return true;
}

/* One module's judgement becomes the worker's.  True: the gate is done. */
static bool
judge(struct gate *g, enum popper_verdict judgement, struct popper_slice ahead)
{
	struct verdict v = { .kind = VERDICT_CHALLENGE };
	bool done = false;

	alarm(0);
	switch (judgement) {
	case POPPER_AUTH_MORE:
		/* The client may leave instead of hearing it. */
		if (g->answer.error.status == POPPER_DENIED)
			count_failure(g);
		else
			penalty_pause(&g->penalty);
		v.challenge =
		    popper_slice(g->answer.challenge, g->answer.challenge_len);
		return tell(g, &v) == -1;
	case POPPER_AUTH_YES:
		done = accepted(g, ahead);
		alarm(0);
		break;
	case POPPER_AUTH_LATER:
		g->answer.error.status = POPPER_TEMPORARY;
		done = refuse(g, &g->answer.error);
		break;
	case POPPER_AUTH_NO:
	case POPPER_AUTH_NEXT:
	case POPPER_AUTH_NEVER:
		g->answer.error.status = POPPER_DENIED;
		done = refuse(g, &g->answer.error);
		break;
	}
	exchange_end(&g->exchange);
	return done;
}

/* USER and APOP come with a name, SASL mechanisms bring their own. */
static bool
makes_sense(const struct attempt *a)
{
	bool named = a->user[0] != '\0';

	return named ==
	    (strcmp(a->mechanism, "USER") == 0 ||
		strcmp(a->mechanism, "APOP") == 0);
}

/* The worker wants a timestamp for its greeting.  True: the gate is done. */
static bool
stamp(struct gate *g, struct wire *request)
{
	char asked[TIMESTAMP_MAX];

	if (!timestamp_get(request, asked) || g->exchange.timestamp[0] != '\0')
		return true;
	exchange_stamp(&g->exchange);
	timestamp_put(&g->wire, g->exchange.timestamp);
	return wire_send(&g->wire, g->channel, NULL, 0) == -1;
}

/* The source has failed too often to be judged at once.  True: done. */
static bool
put_off(struct gate *g, enum penalty_word word, uint64_t wait)
{
	struct verdict v = { .kind = VERDICT_WAIT, .hold = wait };

	/* It will take a while: another shall be kept in our place. */
	if (wait >= 1000)
		gates_leave();
	if (word == PENALTY_REFUSE) {
		v = (struct verdict){ .kind = VERDICT_REFUSED,
			.status = POPPER_TEMPORARY,
			.reply = N_("too many logins fail, try again later"),
			.last = true };
		exchange_end(&g->exchange);
		failure_tell_untried(&g->exchange);
	} else
		log_debug("a login from %s waits %llu ms", g->client_address,
		    (unsigned long long)wait);
	return tell(g, &v) == -1 || v.last;
}

/* One message of the worker's.  True: the gate is done. */
static bool
serve(struct gate *g, struct wire *request)
{
	enum popper_verdict v;
	enum penalty_word word;
	struct attempt a;
	uint64_t wait = 0;
	bool done;

	if (timestamp_is(request))
		return stamp(g, request);
	if (!attempt_get(request, &a) || (a.begins && !makes_sense(&a))) {
		log_error(
		    "a login worker for %s sent nonsense", g->client_address);
		return true;
	}
	g->began = deadline_in(0);
	word = penalty_ask(&g->penalty, a.begins, g->began, &wait);
	if (word != PENALTY_GO) {
		wire_wipe(request);
		return put_off(g, word, wait);
	}
	alarm((unsigned)g->settings->auth_timeout);
	if (a.begins)
		g->counted = false;
	if (a.begins && lists_ready(g->settings, &g->answer.error) == -1) {
		text_copy(g->exchange.given, sizeof(a.user), a.user);
		v = POPPER_AUTH_LATER;
	} else if (a.begins)
		v = exchange_begin(&g->exchange, &a, &g->answer);
	else
		v = exchange_step(&g->exchange, a.secret, &g->answer);
	done = judge(g, v, a.ahead);
	wire_wipe(request);
	return done;
}

bool
gate_run(struct chain *c, const struct settings *s, int channel, int client)
{
	static struct gate g;
	static struct wire request;
	struct sockaddr_storage from;
	size_t count;
	int relay = -1;

	g.chain = c;
	g.settings = s;
	g.channel = channel;
	g.client = client;
	g.relay = -1;
	g.kept = false;
	lookup_peer(client, &from);
	penalty_enter(&g.penalty, &from);
	lookup_address(client, true, g.client_address);
	lookup_address(client, false, g.server_address);
	g.exchange = (struct exchange){ .chain = c,
		.settings = s,
		.client = g.client_address,
		.server = g.server_address };
	if (signal(SIGALRM, expire) == SIG_ERR)
		log_fatal("signal: %s", strerror(errno));
	while (wire_receive(&request, channel, &relay, 1, &count) == 1) {
		if (count == 1) {
			fd_close(&g.relay);
			g.relay = relay;
		}
		if (serve(&g, &request))
			break;
	}
	exchange_end(&g.exchange);
	/* The next connection of this process shall find nothing of this one.
	 */
	wire_wipe(&request);
	wire_wipe(&g.wire);
	secret_wipe(&g.answer, sizeof(g.answer));
	fd_close(&g.channel);
	fd_close(&g.client);
	fd_close(&g.relay);
	return !g.kept && !g.exchange.stained;
}
