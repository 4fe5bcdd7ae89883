/*
 * oauth.c - auth module: OAUTHBEARER (RFC 7628) and XOAUTH2.
 *
 * Runs in:  the gate, as root or the server's own user; one login each.  start
 *           runs in the warm parent.
 * Knows:    whose token it is.  Which account that is, another module says.
 * See also: oauth_message.c for what clients say, oauth_jwt.c and
 *           oauth_claims.c for tokens, oauth_keys.c and oauth_verify.c for
 *           keys, oauth_introspect.c for the endpoint.
 *
 * A refusal takes two steps: an error as a challenge, whatever the client says
 * to it, and only then NO (RFC 7628 section 3.2.3).
 */
#include "oauth.h"

#include <stdlib.h>
#include <string.h>

static const struct popper_option oauth_options[] = {
	POPPER_OPTION(TEXT, struct oauth_conf, jwks, "jwks", "",
	    "file of the issuer's public keys, a JWK Set"),
	POPPER_OPTION(TEXT, struct oauth_conf, issuer, "issuer", "",
	    "the \"iss\" of good tokens"),
	POPPER_OPTION(TEXT, struct oauth_conf, audience, "audience", "",
	    "what \"aud\" of good tokens names"),
	POPPER_OPTION(TEXT, struct oauth_conf, algorithms, "algorithms",
	    "RS256 ES256 EdDSA", "signatures that count"),
	POPPER_OPTION(TEXT, struct oauth_conf, identity, "identity", "email",
	    "the claim that names the user"),
	POPPER_OPTION(BOOL, struct oauth_conf, verified, "email-verified",
	    "yes", "want email_verified with identity = \"email\""),
	POPPER_OPTION(TEXT, struct oauth_conf, domains, "domains", "",
	    "domains that identities must be of"),
	POPPER_OPTION(TEXT, struct oauth_conf, scope, "scope", "",
	    "scopes that a token must grant"),
	POPPER_OPTION(TEXT, struct oauth_conf, hosts, "hosts", "",
	    "further names of this server that clients may use"),
	POPPER_OPTION(TEXT, struct oauth_conf, discovery,
	    "openid-configuration", "", "URL told with a refusal"),
	POPPER_OPTION(SECONDS, struct oauth_conf, skew, "clock-skew", "60",
	    "how far clocks may differ"),
	POPPER_OPTION(SECONDS, struct oauth_conf, max_age, "max-age", "0",
	    "the oldest token, by its \"iat\"; 0: any"),
	POPPER_OPTION(TEXT, struct oauth_conf, introspect, "introspect", "",
	    "URL of the introspection endpoint"),
	POPPER_OPTION(BOOL, struct oauth_conf, confirm, "confirm", "no",
	    "ask the endpoint about verified tokens too"),
	POPPER_OPTION(TEXT, struct oauth_conf, client_id, "client-id", "",
	    "our name at the endpoint"),
	POPPER_OPTION(TEXT, struct oauth_conf, secret_file,
	    "client-secret-file", "", "file of our secret at the endpoint"),
	POPPER_OPTION(TEXT, struct oauth_conf, ca_file, "ca-file", "",
	    "certificates that the endpoint's is checked with"),
	POPPER_OPTION(SECONDS, struct oauth_conf, timeout, "timeout", "5",
	    "how long the endpoint may take"),
	POPPER_OPTIONS_END
};

/* One AUTH. */
struct oauth_exchange {
	struct oauth_self *self;
	bool bearer; /* OAUTHBEARER, not XOAUTH2 */
	bool refused; /* the error was sent; why is in error */
	struct popper_error error;
	char server[OAUTH_HOST_MAX + 1], server_name[OAUTH_HOST_MAX + 1];
};

static int
oauth_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct oauth_self *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "oauth");
	o->host = host;
	o->conf = conf;
	if (oauth_conf_check(o, e) == -1 ||
	    oauth_introspect_check(o, e) == -1 ||
	    (o->conf->jwks[0] != '\0' && oauth_file_keys(o, e) == -1)) {
		free(o);
		return -1;
	}
	if (o->keys != NULL && o->keys->ignored > 0)
		host->log(POPPER_LOG_WARNING,
		    "oauth: %s: %zu keys are used, %zu are not, such as %s",
		    o->conf->jwks, o->keys->count, o->keys->ignored,
		    o->keys->why);
	*self = o;
	return 0;
}

static void
oauth_stop(void *self)
{
	struct oauth_self *o = self;

	if (o == NULL)
		return;
	oauth_keys_free(o->keys);
	free(o);
}

/* Whoever is carol+lists at the issuer must not become carol here, nor who is
 * "carol" in letters that are taken for those: what names the user must be the
 * same, but for case. */
static bool
keeps_local(const char *claimed, const char *name)
{
	size_t len = strcspn(claimed, "@");

	return strcspn(name, "@") == len &&
	    oauth_same(popper_slice(claimed, len), popper_slice(name, len));
}

/* Nor may carol of another domain. */
static bool
keeps_domain(const char *claimed, const char *name)
{
	const char *before = strchr(claimed, '@'), *after = strchr(name, '@');

	return before == NULL ||
	    (after != NULL &&
		oauth_same(
		    popper_slice_text(before), popper_slice_text(after)));
}

/* The name that is meant by the token's identity. */
static enum oauth_result
canonical(const struct oauth_self *o, const char *claimed,
    char name[POPPER_USER_MAX + 1], struct popper_error *e)
{
	const char *why = NULL;

	if (o->host->canonical(name, POPPER_USER_MAX + 1, claimed, e) == -1)
		return OAUTH_INVALID;
	if (!keeps_local(claimed, name))
		why = "it would become another, or a sub-mailbox";
	else if (!keeps_domain(claimed, name) && o->conf->domains[0] == '\0')
		why = "its domain would be cut off: set \"domains\"";
	if (why == NULL)
		return OAUTH_GOOD;
	(void)o->host->fail(e, POPPER_DENIED,
	    "oauth: the token's identity %s is not used: %s", claimed, why);
	return OAUTH_INVALID;
}

/* Whom the client wants to be must be whose token it has. */
static enum oauth_result
agree(const struct oauth_self *o, const char *wanted, const char *name,
    struct popper_error *e)
{
	char other[POPPER_USER_MAX + 1];

	if (wanted[0] == '\0')
		return OAUTH_GOOD;
	if (o->host->canonical(other, sizeof(other), wanted, e) == 0 &&
	    strcmp(other, name) == 0)
		return OAUTH_GOOD;
	(void)o->host->fail(e, POPPER_DENIED,
	    "oauth: the token of %s was used to be %s", name, wanted);
	return OAUTH_INVALID;
}

/* Did the client mean this server (RFC 7628 section 3.2)?  Its port is not
 * known here. */
static bool
is_us(const struct oauth_exchange *x, struct popper_slice host)
{
	const char *more = x->self->conf->hosts;
	struct popper_slice word;

	if (host.len == 0) /* not given */
		return true;
	if (host.ptr[host.len - 1] == '.')
		host.len--;
	if (oauth_same(host, popper_slice_text(x->server)) ||
	    oauth_same(host, popper_slice_text(x->server_name)))
		return true;
	while (oauth_word(&more, &word))
		if (oauth_same(host, word))
			return true;
	return false;
}

/* Everything a client's message must stand. */
static enum oauth_result
check(const struct oauth_exchange *x, const struct oauth_message *m,
    struct popper_answer *answer)
{
	struct oauth_self *o = x->self;
	struct popper_error *e = &answer->error;
	char claimed[POPPER_USER_MAX + 1], name[POPPER_USER_MAX + 1];
	enum oauth_result r;

	if (!is_us(x, m->host)) {
		(void)o->host->fail(e, POPPER_DENIED,
		    "oauth: the client of %s means another server: %.*s",
		    m->user, (int)(m->host.len > 64 ? 64 : m->host.len),
		    m->host.ptr);
		return OAUTH_REQUEST;
	}
	if ((r = oauth_token(o, m->token, claimed, e)) != OAUTH_GOOD ||
	    (r = canonical(o, claimed, name, e)) != OAUTH_GOOD ||
	    (r = agree(o, m->user, name, e)) != OAUTH_GOOD)
		return r;
	if (o->host->lookup(name, &answer->identity, e) == 0)
		return OAUTH_GOOD;
	return e->status == POPPER_TEMPORARY ? OAUTH_LATER : OAUTH_INVALID;
}

static enum popper_verdict
no(const struct oauth_exchange *x, const char *why,
    struct popper_answer *answer)
{
	(void)x->self->host->fail(
	    &answer->error, POPPER_DENIED, "oauth: %s", why);
	return POPPER_AUTH_NO;
}

static enum popper_verdict
take_message(struct oauth_exchange *x, struct popper_slice octets,
    struct popper_answer *answer)
{
	struct oauth_message m;
	const char *problem = oauth_message_parse(x->bearer, octets, &m);
	enum oauth_result result;

	if (problem != NULL)
		return no(x, problem, answer);
	result = check(x, &m, answer);
	if (result == OAUTH_GOOD)
		return POPPER_AUTH_YES;
	memset(&answer->identity, 0, sizeof(answer->identity));
	if (result == OAUTH_LATER)
		return POPPER_AUTH_LATER;
	x->error = answer->error;
	x->error.status = POPPER_DENIED; /* whatever it was */
	if (!oauth_reply(x->self, x->bearer, result, answer))
		return POPPER_AUTH_LATER;
	x->refused = true;
	return POPPER_AUTH_MORE;
}

static enum popper_verdict
oauth_begin(void *self, const struct popper_attempt *attempt, void **exchange,
    struct popper_answer *answer)
{
	struct oauth_exchange *x;
	bool bearer = strcmp(attempt->mechanism, "OAUTHBEARER") == 0;

	*exchange = NULL;
	if (!bearer && strcmp(attempt->mechanism, "XOAUTH2") != 0)
		return POPPER_AUTH_NEXT;
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		(void)((struct oauth_self *)self)
		    ->host->fail_system(
			&answer->error, POPPER_TEMPORARY, "oauth");
		return POPPER_AUTH_LATER;
	}
	*exchange = x;
	x->self = self;
	x->bearer = bearer;
	if (!attempt->tls)
		return no(x, "a token came without TLS", answer);
	memcpy(x->server, attempt->server,
	    strnlen(attempt->server, OAUTH_HOST_MAX));
	memcpy(x->server_name, attempt->server_name,
	    strnlen(attempt->server_name, OAUTH_HOST_MAX));
	if (attempt->initial)
		return take_message(x, attempt->secret, answer);
	return POPPER_AUTH_MORE; /* an empty challenge */
}

static enum popper_verdict
oauth_step(
    void *exchange, struct popper_slice response, struct popper_answer *answer)
{
	struct oauth_exchange *x = exchange;

	if (!x->refused)
		return take_message(x, response, answer);
	answer->error = x->error;
	x->refused = false;
	return POPPER_AUTH_NO;
}

/* A client may cancel where it should confirm the error: log it all the
 * same. */
static void
oauth_end(void *exchange)
{
	struct oauth_exchange *x = exchange;

	if (x != NULL && x->refused)
		x->self->host->log(
		    POPPER_LOG_NOTICE, "%s (cancelled)", x->error.text);
	free(x);
}

static const struct popper_mechanism *
oauth_offers(void *self)
{
	static const struct popper_mechanism offers[] = {
		{ "OAUTHBEARER", POPPER_MECHANISM_TLS },
		{ "XOAUTH2", POPPER_MECHANISM_TLS },
		{ NULL, 0 },
	};

	(void)self;
	return offers;
}

static const char *const oauth_mechanisms[] = { "OAUTHBEARER", "XOAUTH2",
	NULL };

static const struct popper_auth oauth_auth = {
	.size = sizeof(struct popper_auth),
	.mechanisms = oauth_mechanisms,
	.start = oauth_start,
	.begin = oauth_begin,
	.step = oauth_step,
	.end = oauth_end,
	.stop = oauth_stop,
	.offers = oauth_offers,
};

POPPER_MODULE(oauth, .version = "1",
    .summary = "tokens: OAUTHBEARER and XOAUTH2",
    .conf_size = sizeof(struct oauth_conf), .options = oauth_options,
    .auth = &oauth_auth);
