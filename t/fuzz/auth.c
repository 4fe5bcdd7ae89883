/*
 * auth.c - fuzz: what a client says in and around AUTH.
 *
 * The octets are a client's, from the greeting on: command lines, responses,
 * cancels.  A gate with a taste for PLAIN, LOGIN and long exchanges answers.
 * Every line gets exactly one reply, and nothing but a challenge, +OK or -ERR
 * goes out; a mechanism that is not offered never reaches the gate.
 */
#include "fuzz.h"

#include <string.h>

#include "auth/plain.h"
#include "base/deadline.h"
#include "login/offer.h"
#include "login/sasl.h"
#include "proto/dialog.h"

const char fuzz_corpus[] = "auth";

/* Each has at most a challenge of 512 octets in base64 for an answer. */
#define LINES_CHECKED 80

#define OFFERED "USER=1 PLAIN=1 LOGIN=1 X-LONG=0 X-TLS=2 X-HIDDEN=16"

static struct assignment assignment = { .mechanisms = OFFERED };
static struct stream s;
static struct plain plain;
static unsigned rounds;
static char challenge[512];

/* --- The worker's other half, without a process. --- */

unsigned
offer_have(const struct authorization *a)
{
	(void)a;
	return POPPER_MECHANISM_CLEAR;
}

const char *
offer_mechanisms(const struct authorization *a)
{
	return a->assignment->mechanisms;
}

static void
judge(struct verdict *v, enum plain_result r, const char *words)
{
	v->kind = VERDICT_REFUSED;
	v->status = POPPER_DENIED;
	if (r == PLAIN_MORE) {
		v->kind = VERDICT_CHALLENGE;
		v->challenge = popper_slice_text(words);
		return;
	}
	if (r != PLAIN_READY)
		return;
	fuzz_check(plain.user[0] != '\0');
}

bool
authorization_ask(struct authorization *a, struct attempt *t, struct verdict *v,
    struct reply *r)
{
	struct popper_attempt p = { .mechanism = t->mechanism,
		.secret = t->secret,
		.initial = t->initial };
	const char *words = "";

	(void)a;
	(void)r;
	memset(v, 0, sizeof(*v));
	fuzz_check(t->secret.len <= SECRET_MAX);
	fuzz_check(strcmp(t->mechanism, "X-TLS") != 0);
	fuzz_check(strcmp(t->mechanism, "USER") != 0);
	if (strncmp(t->mechanism, "X-", 2) == 0) {
		v->kind =
		    ++rounds % 5 == 0 ? VERDICT_REFUSED : VERDICT_CHALLENGE;
		v->status = POPPER_TEMPORARY;
		v->challenge = popper_slice(challenge, rounds % 512);
	} else if (t->begins)
		judge(v, plain_begin(&plain, &p, &words), words);
	else
		judge(v, plain_step(&plain, t->secret, &words), words);
	/* What is taken for a password lies in what the client sent. */
	if (plain.secret.len > 0)
		fuzz_check(plain.secret.ptr >= t->secret.ptr &&
		    plain.secret.ptr + plain.secret.len <=
			t->secret.ptr + t->secret.len);
	plain.secret = popper_slice("", 0);
	return true;
}

enum outcome
authorization_failed(struct authorization *a)
{
	(void)a;
	return OUTCOME_REFUSED;
}

enum outcome
authorization_conclude(
    struct authorization *a, const struct verdict *v, struct reply *r)
{
	(void)a;
	return reply_refuse(r, v->status, "refused");
}

/* --- A state with AUTH alone. --- */

static enum outcome
auth_command(void *context, const struct arguments *args, struct reply *r)
{
	return sasl_command(context, args, r);
}

static const struct command commands[] = {
	{ "AUTH", 0, 2, false, auth_command },
	{ NULL, 0, 0, false, NULL },
};

static bool
starts(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* Nothing goes out but whole lines of a few kinds. */
static void
check_output(void)
{
	const char *at = s.out, *end = s.out + s.out_len, *lf;

	for (; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		fuzz_check(lf != NULL && lf > at && lf[-1] == '\r');
		fuzz_check(starts(at, "+OK ") || starts(at, "-ERR ") ||
		    starts(at, "+ ") || starts(at, ".\r\n") ||
		    starts(at, "PLAIN\r\n") || starts(at, "LOGIN\r\n") ||
		    starts(at, "X-LONG\r\n"));
	}
}

static size_t
lines_in(const uint8_t *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '\n';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct authorization a;
	struct dialog d = { .stream = &s,
		.context = &a,
		.commands = commands,
		.lengthy = "AUTH",
		.idle = 0,
		.limit = DEADLINE_NEVER };

	if (len > STREAM_LINE_MAX)
		return 0;
	rounds = 0;
	plain.stage = PLAIN_IDLE;
	a.assignment = &assignment;
	a.stream = &s;
	a.limit = DEADLINE_NEVER;
	stream_start(&s, -1, 0);
	fuzz_check(stream_preload(&s, popper_slice(data, len)));
	dialog_run(&d);
	/* What fills the buffer is dropped, perhaps in the middle of a line. */
	if (lines_in(data, len) <= LINES_CHECKED)
		check_output();
	return 0;
}
