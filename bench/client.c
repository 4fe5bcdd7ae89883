/*
 * client.c - the POP3 client: what is asked, what must be answered.
 *
 * Runs in:  bench/popload.
 *
 * One function for each kind of answer.  A session is good only if every
 * answer was right: status lines, as many UIDL lines as STAT counted, the
 * content of the messages, and in mode DELE a second session that finds the
 * other messages, and only those, in order.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "transfer.h"
#include "wire.h"

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct client *
client_new(const struct settings *set, struct results *r, size_t room)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->in = malloc(room)) == NULL)
		err(2, "no memory for a client");
	c->set = set;
	c->results = r;
	c->in_room = room;
	c->stage = FREE;
	c->fd = -1;
	return c;
}

/* Forget the session, keep the buffer. */
static void
renew(struct client *c, struct client *first)
{
	struct client fresh = {
		.set = c->set,
		.results = c->results,
		.user = c->user,
		.number = c->number,
		.fd = -1,
		.good = true,
		.in = c->in,
		.in_room = c->in_room,
		.first = first,
	};

	*c = fresh;
}

static void
forget_first(struct client *c)
{
	if (c->first != NULL)
		free(c->first->uid);
	free(c->first);
	c->first = NULL;
	free(c->uid);
	c->uid = NULL;
}

void
client_end(struct client *c)
{
	wire_close(c);
	forget_first(c);
	c->stage = FREE;
	c->user->busy = false;
	c->results->ended++;
	c->results->ok += c->good;
	c->results->finished = now();
}

void
client_complain(struct client *c, enum fault fault, const char *why)
{
	static int shown;

	if (shown++ < 8)
		warnx("session %ld of %s: %s", c->number, c->user->name, why);
	c->results->fault[fault]++;
	c->good = false;
}

void
client_fail(struct client *c, enum fault fault, const char *why)
{
	client_complain(c, fault, why);
	client_end(c);
}

void
client_start(struct client *c, struct user *user, long number)
{
	c->user = user;
	c->number = number;
	renew(c, NULL);
	user->busy = true;
	c->began = now();
	if (c->results->began <= 0 && number >= c->set->warm_up)
		c->results->began = c->began;
	wire_connect(c);
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	wire_close(c);
	forget_first(c);
	free(c->in);
	free(c);
}

static void
quit_answered(struct client *c)
{
	struct results *r = c->results;
	double t = now();

	if (c->number >= c->set->warm_up && c->first == NULL) {
		results_time(r, SPAN_SESSION, t - c->began);
		results_time(r, SPAN_QUIT, t - c->asked_at);
	}
	transfer_check(c);
	c->stage = CLOSING;
	c->in_len = 0;
}

/* The server has closed the connection after QUIT. */
void
client_closed(struct client *c)
{
	struct client *first;

	if (!transfer_deletes(c) || c->set->no_verify || !c->good) {
		client_end(c);
		return;
	}
	wire_close(c);
	first = malloc(sizeof(*first));
	if (first == NULL)
		err(2, "no memory for a client");
	*first = *c;
	first->in = NULL;
	renew(c, first);
	wire_connect(c);
}

void
client_ask_quit(struct client *c)
{
	c->stage = QUIT;
	c->asked_at = now();
	wire_send(c, "QUIT", "");
}

/* --- status lines -------------------------------------------------------- */

static void
stat_answered(struct client *c, const char *line)
{
	bool idle = c->set->mode == IDLE;

	if (sscanf(line, "+OK %" SCNu32 " %" SCNu64, &c->messages,
		&c->octets) != 2) {
		client_fail(c, FAULT_PROTOCOL, line);
		return;
	}
	if (c->number >= c->set->warm_up && c->first == NULL)
		results_time(c->results, SPAN_OPEN, now() - c->pass_sent);
	if (c->set->have_manifest && c->first == NULL && !idle &&
	    c->messages != c->set->manifest.messages)
		client_complain(c, FAULT_COUNT, line);
	c->asked_at = now();
	if (idle) {
		c->stage = HELD;
	} else if (c->set->mode == LOGIN) {
		client_ask_quit(c);
	} else if (c->set->no_list) {
		transfer_begin(c);
	} else {
		c->stage = UIDL;
		wire_send(c, "UIDL", "");
	}
}

static void
uidl_answered(struct client *c)
{
	c->listing = true;
	c->lines = 0;
	if (c->set->mode == DELE)
		c->uid = calloc(c->messages + 1, sizeof(*c->uid));
}

static void
greeted(struct client *c)
{
	if (c->set->mode == IDLE && c->set->before_login) {
		c->stage = HELD;
		return;
	}
	c->stage = USER;
	wire_send(c, "USER ", c->user->name);
}

static void
status_line(struct client *c, const char *line)
{
	if (strncmp(line, "+OK", 3) != 0) {
		client_fail(c, FAULT_REFUSED, line);
		return;
	}
	switch (c->stage) {
	case GREETING:
		greeted(c);
		break;
	case USER:
		c->stage = PASS;
		c->pass_sent = now();
		wire_send(c, "PASS ", c->user->password);
		break;
	case PASS:
		c->stage = STAT;
		wire_send(c, "STAT", "");
		break;
	case STAT:
		stat_answered(c, line);
		break;
	case UIDL:
		uidl_answered(c);
		break;
	case TRANSFER:
		transfer_answered(c);
		break;
	case QUIT:
		quit_answered(c);
		break;
	case CONNECTING:
	case SECURING:
	case CLOSING:
	case HELD:
	case FREE:
	case STAGES:
	default:
		client_fail(c, FAULT_PROTOCOL, line);
	}
}

/* --- the octets that came ------------------------------------------------ */

/* FNV-1a: enough to compare the unique-ids of two sessions. */
static uint64_t
hash(const char *text)
{
	uint64_t h = 1469598103934665603U;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211U;
	return h;
}

static void
uidl_line(struct client *c, const char *line)
{
	const char *space = strchr(line, ' ');

	if (strcmp(line, ".") != 0) {
		if (space == NULL)
			client_complain(c, FAULT_PROTOCOL, line);
		else if (c->uid != NULL && c->uids < c->messages)
			c->uid[c->uids++] = hash(space + 1);
		c->lines++;
		return;
	}
	c->listing = false;
	if (c->lines != c->messages)
		client_complain(c, FAULT_COUNT, "UIDL and STAT differ");
	if (c->number >= c->set->warm_up && c->first == NULL)
		results_time(c->results, SPAN_LIST, now() - c->asked_at);
	transfer_begin(c);
}

/* One line of ${len} octets, LF included, which it may change. */
static void
line_came(struct client *c, char *line, size_t len)
{
	if (len < 2 || line[len - 2] != '\r')
		c->results->bare_lf++;
	else
		len--;
	line[len - 1] = '\0';
	if (c->listing)
		uidl_line(c, line);
	else
		status_line(c, line);
}

void
client_input(struct client *c)
{
	size_t at = 0;

	while (at < c->in_len && c->stage != FREE && c->stage != CLOSING) {
		char *p = c->in + at;
		size_t left = c->in_len - at;
		char *nl;
		bool done;

		if (c->in_message) {
			at += content_eat(&c->content, p, left, &done);
			if (!done)
				break;
			transfer_message(c);
			continue;
		}
		if ((nl = memchr(p, '\n', left)) == NULL)
			break;
		at += (size_t)(nl - p) + 1;
		line_came(c, p, (size_t)(nl - p) + 1);
	}
	if (c->stage == FREE || c->stage == CLOSING)
		at = c->in_len;
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	if (c->in_len == c->in_room)
		client_fail(c, FAULT_PROTOCOL, "a line without end");
}
