/*
 * exchange.c - one attempt to log in, whatever the mechanism.
 *
 * Runs in: the gate of one connection, as root; exchange_mechanisms in the
 * warm parent.
 */
#include "auth/exchange.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "auth/prepare.h"
#include "auth/recall.h"
#include "auth/services.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "priv/mechanisms.h"

#define RANDOM_OCTETS 16

static enum popper_verdict
refuse(struct popper_answer *answer, const char *why)
{
	error_set(&answer->error, POPPER_DENIED, "%s", why);
	return POPPER_AUTH_NO;
}

/* What every driver hears of the connection. */
static struct popper_attempt
describe(const struct exchange *x, const char *mechanism)
{
	return (struct popper_attempt){ .size = sizeof(struct popper_attempt),
		.mechanism = mechanism,
		.tls = (x->manners.have & POPPER_MECHANISM_TLS) != 0,
		.timestamp = x->timestamp,
		.client = x->client,
		.server = x->server,
		.server_name = x->settings->server_name,
		.certificate = x->certificate,
		.binding = popper_slice("", 0) };
}

/* The chain's word about a password as it is compared (RFC 6856 section 2.2).
 */
static enum popper_verdict
by_password(struct exchange *x, struct popper_attempt *p,
    struct popper_slice given, struct popper_answer *answer)
{
	static char secret[SECRET_MAX + 1];
	enum popper_verdict v;

	x->stained = x->stained || prepare_leaves(given);
	if (prepare(secret, sizeof(secret), given, &answer->error) == -1)
		return POPPER_AUTH_NO;
	p->secret = popper_slice_text(secret);
	v = recall_begin(x->chain, p, answer);
	secret_wipe(secret, given.len);
	secret_wipe(secret, p->secret.len);
	return v;
}

/* USER and APOP, however they were said. */
static enum popper_verdict
by_name(struct exchange *x, const char *mechanism, struct popper_slice secret,
    struct popper_answer *answer)
{
	const struct popper_host *host = services_of(x->chain, x->settings);
	struct popper_attempt p = describe(x, mechanism);
	char user[POPPER_USER_MAX + 1];

	chain_blank(answer);
	if (host->canonical(user, sizeof(user), x->given, &answer->error) == -1)
		return POPPER_AUTH_NO;
	if (secret.len == 0)
		return refuse(answer, "an empty password is never accepted");
	x->password = strcmp(mechanism, "USER") == 0;
	if (x->password)
		digest_of("password", user, secret, x->digest);
	p.user = user;
	p.secret = secret;
	p.initial = true;
	if (x->password)
		return by_password(x, &p, secret, answer);
	return chain_begin(x->chain, &p, answer);
}

/* What plain.c made of a message. */
static enum popper_verdict
by_plain(struct exchange *x, enum plain_result result, const char *challenge,
    struct popper_answer *answer)
{
	switch (result) {
	case PLAIN_READY:
		text_copy(x->given, sizeof(x->given), x->plain.user);
		return by_name(x, "USER", x->plain.secret, answer);
	case PLAIN_MORE:
		chain_blank(answer);
		answer->challenge_len = strlen(challenge);
		memcpy(answer->challenge, challenge, answer->challenge_len);
		return POPPER_AUTH_MORE;
	case PLAIN_WRONG:
		break;
	}
	chain_blank(answer);
	return refuse(answer, "a malformed message of PLAIN or LOGIN");
}

/* What is proved must not be made into somebody else's name: by a sub-mailbox
 * that is cut off, or by letters that prepare() takes for others. */
static bool
keeps_local(const char *proved, const char *user)
{
	size_t len = strcspn(proved, "@");

	return strcspn(user, "@") == len && strncasecmp(proved, user, len) == 0;
}

/* EXTERNAL (RFC 4422 appendix A): the certificate says it all.  That there is
 * one only the worker says: without a CA it is not believed. */
static enum popper_verdict
by_certificate(struct exchange *x, struct popper_slice acts_as,
    struct popper_answer *answer)
{
	const struct popper_host *host = services_of(x->chain, x->settings);
	char user[POPPER_USER_MAX + 1], other[POPPER_USER_MAX + 1];

	chain_blank(answer);
	text_copy(x->given, sizeof(x->given), x->certificate);
	if (x->certificate[0] == '\0' || x->settings->tls_client_ca[0] == '\0')
		return refuse(answer, "the client has no certificate of ours");
	if (host->canonical(
		user, sizeof(user), x->certificate, &answer->error) == -1)
		return POPPER_AUTH_NO;
	if (!keeps_local(x->certificate, user))
		return refuse(
		    answer, "the certificate's name would become another");
	if (acts_as.len > 0 &&
	    (!text_from_slice(other, sizeof(other), acts_as) ||
		host->canonical(other, sizeof(other), other, &answer->error) ==
		    -1 ||
		strcmp(other, user) != 0))
		return refuse(
		    answer, "the certificate's owner asks to be somebody else");
	if (host->lookup(user, &answer->identity, &answer->error) == 0)
		return POPPER_AUTH_YES;
	return answer->error.status == POPPER_TEMPORARY ? POPPER_AUTH_LATER
							: POPPER_AUTH_NO;
}

/* EXTERNAL without a first response: ask for it. */
static enum popper_verdict
ask(struct popper_answer *answer)
{
	chain_blank(answer);
	return POPPER_AUTH_MORE;
}

/* What the name asked for goes into what the module found. */
static enum popper_verdict
finish(struct exchange *x, enum popper_verdict v, struct popper_answer *answer)
{
	const struct name *name;

	if (v == POPPER_AUTH_MORE)
		return v; /* the name may have come before */
	name = services_name();
	if (v != POPPER_AUTH_YES)
		return v;
	text_copy(answer->identity.folder, sizeof(answer->identity.folder),
	    name->folder);
	text_copy(x->suffix, sizeof(x->suffix), name->suffix);
	return v;
}

enum popper_verdict
exchange_begin(
    struct exchange *x, const struct attempt *a, struct popper_answer *answer)
{
	struct popper_attempt p;
	const char *challenge = "";

	exchange_end(x);
	services_client(x->client);
	x->manners = a->manners;
	text_copy(x->certificate, sizeof(x->certificate), a->certificate);
	text_copy(x->given, sizeof(x->given), a->user);
	x->suffix[0] = '\0';
	text_copy(x->mechanism, sizeof(x->mechanism), a->mechanism);
	if (a->user[0] != '\0')
		return finish(
		    x, by_name(x, a->mechanism, a->secret, answer), answer);
	p = describe(x, a->mechanism);
	p.secret = a->secret;
	p.initial = a->initial;
	p.binding = a->binding;
	if (plain_is(a->mechanism)) {
		enum plain_result r = plain_begin(&x->plain, &p, &challenge);

		return finish(x, by_plain(x, r, challenge, answer), answer);
	}
	if (strcmp(a->mechanism, "EXTERNAL") != 0)
		return finish(x, chain_begin(x->chain, &p, answer), answer);
	if (a->initial)
		return finish(x, by_certificate(x, a->secret, answer), answer);
	x->external = true;
	return ask(answer);
}

enum popper_verdict
exchange_step(struct exchange *x, struct popper_slice response,
    struct popper_answer *answer)
{
	const char *challenge = "";
	enum plain_result r;

	if (x->external) {
		x->external = false;
		return finish(x, by_certificate(x, response, answer), answer);
	}
	if (x->plain.stage == PLAIN_IDLE)
		return finish(
		    x, chain_step(x->chain, response, answer), answer);
	r = plain_step(&x->plain, response, &challenge);
	return finish(x, by_plain(x, r, challenge, answer), answer);
}

void
exchange_end(struct exchange *x)
{
	chain_end(x->chain);
	x->plain.stage = PLAIN_IDLE;
	x->plain.secret = popper_slice("", 0);
	x->external = false;
	x->password = false;
	secret_wipe(x->digest, sizeof(x->digest));
	services_name();
}

static bool
any_lookup(const struct chain *c)
{
	for (size_t i = 0; i < c->modules.count; i++)
		if (c->modules.used[i].module->auth->lookup != NULL)
			return true;
	return false;
}

void
exchange_mechanisms(
    const struct chain *c, const struct settings *s, char *list, size_t size)
{
	bool password;

	list[0] = '\0';
	chain_mechanisms(c, list, size);
	password = mechanisms_allow(list, popper_slice_text("USER"), ~0u);
	if (password &&
	    (!mechanisms_add(list, size, "PLAIN", POPPER_MECHANISM_CLEAR) ||
		!mechanisms_add(list, size, "LOGIN", POPPER_MECHANISM_CLEAR)))
		log_warning("too many mechanisms: PLAIN or LOGIN is missing");
	if (s->tls_client_ca[0] != '\0' && any_lookup(c) &&
	    !mechanisms_add(list, size, "EXTERNAL",
		POPPER_MECHANISM_TLS | POPPER_MECHANISM_CERTIFICATE))
		log_warning("too many mechanisms: EXTERNAL is missing");
}

void
exchange_stamp(struct exchange *x)
{
	unsigned char octets[RANDOM_OCTETS];
	char hex[2 * RANDOM_OCTETS + 1];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		log_fatal("getrandom: the kernel has no random numbers");
	for (size_t i = 0; i < sizeof(octets); i++)
		text_print(hex + 2 * i, 3, "%02x", octets[i]);
	if (!text_print(x->timestamp, sizeof(x->timestamp), "<%s@%s>", hex,
		x->settings->server_name))
		x->timestamp[0] = '\0';
}
