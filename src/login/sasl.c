/*
 * sasl.c - AUTH (RFC 5034): carries challenges and responses.
 *
 * Runs in: a login worker.  Knows no mechanism: the gate's modules do.
 */
#include "login/sasl.h"

#include <ctype.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "base/text.h"
#include "login/offer.h"
#include "priv/mechanisms.h"
#include "proto/dialog.h"

/* A response as octets. */
struct response {
	size_t len;
	char bytes[SECRET_MAX];
};

/* In upper case; false if it is no name of a mechanism. */
static bool
take_name(struct popper_slice given, char out[MECHANISM_MAX + 1])
{
	if (!text_from_slice(out, MECHANISM_MAX + 1, given))
		return false;
	for (char *p = out; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	/* These two have commands of their own. */
	return strcmp(out, "USER") != 0 && strcmp(out, "APOP") != 0;
}

/* AUTH alone: what old clients ask instead of CAPA. */
static enum outcome
list_mechanisms(struct authorization *a, struct reply *r)
{
	char list[MECHANISMS_MAX];
	char *word, *rest = list;

	mechanisms_sasl(offer_mechanisms(a), offer_have(a), list, sizeof(list));
	reply_ok(r, "mechanisms follow");
	while ((word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0')
			reply_line(r, "%s", word);
	return reply_end(r);
}

static enum outcome
refuse_encoding(struct reply *r)
{
	return reply_refuse(r, POPPER_INVALID, "invalid base64");
}

/* "=" is an empty response that is there (RFC 5034 section 4). */
static bool
decode_initial(struct popper_slice text, struct response *out)
{
	out->len = 0;
	if (text.len == 1 && text.ptr[0] == '=')
		return true;
	return base64_decode(text, out->bytes, sizeof(out->bytes), &out->len);
}

/* The client's answer to a challenge.  DONE, or why there is none. */
static enum outcome
read_response(struct authorization *a, struct response *out, struct reply *r)
{
	struct popper_slice line;
	deadline_t idle =
	    deadline_in((int64_t)a->assignment->settings.timeout * 1000);

	switch (stream_read_line(a->stream, STREAM_LINE_MAX, &line,
	    deadline_earlier(idle, a->limit))) {
	case STREAM_LINE:
		break;
	case STREAM_LONG:
		return reply_refuse(r, POPPER_INVALID, "line too long");
	case STREAM_FLOODED:
	case STREAM_EXPIRED:
	case STREAM_CLOSED:
		return OUTCOME_CLOSE;
	}
	if (line.len == 1 && line.ptr[0] == '*')
		return reply_refuse(
		    r, POPPER_INVALID, "authentication cancelled");
	out->len = 0;
	if (line.len > 0 &&
	    !base64_decode(line, out->bytes, sizeof(out->bytes), &out->len))
		return refuse_encoding(r);
	return OUTCOME_DONE;
}

static enum outcome
converse(struct authorization *a, struct attempt *attempt,
    struct response *response, struct reply *r)
{
	struct verdict v;
	enum outcome o;

	for (;;) {
		attempt->secret = popper_slice(response->bytes, response->len);
		if (!authorization_ask(a, attempt, &v, r))
			return OUTCOME_CLOSE;
		if (v.kind != VERDICT_CHALLENGE)
			return authorization_conclude(a, &v, r);
		reply_challenge(r, v.challenge);
		attempt->begins = false;
		o = read_response(a, response, r);
		if (o == OUTCOME_REFUSED)
			return authorization_failed(a);
		if (o != OUTCOME_DONE)
			return o;
	}
}

enum outcome
sasl_command(
    struct authorization *a, const struct arguments *args, struct reply *r)
{
	static struct response response;
	struct attempt attempt = { .begins = true };
	enum outcome o;
	unsigned have;

	if (args->count == 0)
		return list_mechanisms(a, r);
	have = offer_have(a) | POPPER_MECHANISM_HIDDEN;
	if (!take_name(args->word[0], attempt.mechanism) ||
	    !mechanisms_allow(offer_mechanisms(a),
		popper_slice_text(attempt.mechanism), have))
		return reply_refuse(
		    r, POPPER_INVALID, "no such mechanism here");
	response.len = 0;
	attempt.initial = args->count == 2;
	if (attempt.initial && !decode_initial(args->word[1], &response)) {
		refuse_encoding(r);
		return authorization_failed(a);
	}
	o = converse(a, &attempt, &response, r);
	secret_wipe(response.bytes, sizeof(response.bytes));
	return o;
}
