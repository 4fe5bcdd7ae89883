/*
 * sasl.c - auth module: the mechanisms of AUTH (RFC 5034) by Cyrus SASL.
 *
 * Runs in:  the gate, as root or the server's own user, one login each;
 *           libsasl2 and its plugins run here too, loaded in the warm parent.
 * See also: sasl_library.c for what the library asks, sasl_store.c for where
 *           secrets come from, sasl_scram.c for what it does not check.
 *
 * Whatever the library finds wrong is one answer to the client.  An unknown
 * user has made-up secrets, so that no step tells whether there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sasl.h"

#define DIGEST_DIGITS 32 /* of MD5 in hexadecimal */
#define CONF struct auth_sasl_conf

static const struct popper_option auth_sasl_options[] = {
	POPPER_OPTION(TEXT, CONF, mechanisms, "mechanisms", "",
	    "what to offer; empty: SCRAM and what the store allows"),
	POPPER_OPTION(TEXT, CONF, store, "store", "popper",
	    "where secrets are: popper (other modules), sasldb, saslauthd"),
	POPPER_OPTION(TEXT, CONF, sasldb, "sasldb", "/etc/sasldb2",
	    "file of store sasldb, see saslpasswd2(8)"),
	POPPER_OPTION(TEXT, CONF, saslauthd, "saslauthd", "/run/saslauthd/mux",
	    "socket of store saslauthd"),
	POPPER_OPTION(TEXT, CONF, realm, "realm", "",
	    "realm of names without one in a sasldb; empty: server-name"),
	POPPER_OPTION(BOOL, CONF, clear_secrets, "clear-secrets", "no",
	    "another module stores clear-text secrets: allows CRAM-MD5"),
	POPPER_OPTION(BOOL, CONF, scram_from_clear, "scram-from-clear", "no",
	    "SCRAM also for users with nothing but a clear-text secret"),
	POPPER_OPTION(NUMBER, CONF, iterations, "iterations", "15000",
	    "SCRAM's iterations where none are stored, 4096 to 65536"),
	POPPER_OPTION(TEXT, CONF, keytab, "keytab", "",
	    "Kerberos keys of service/server-name; allows GSSAPI"),
	POPPER_OPTION(TEXT, CONF, krb5_conf, "krb5-conf", "",
	    "Kerberos configuration instead of /etc/krb5.conf"),
	POPPER_OPTION(BOOL, CONF, any_realm, "any-realm", "no",
	    "let principals of foreign realms in, as user@REALM"),
	POPPER_OPTION(TEXT, CONF, service, "service", "pop",
	    "name of the service for GSSAPI and DIGEST-MD5"),
	POPPER_OPTION(TEXT, CONF, plugins, "plugins", "",
	    "folder of libsasl2's plugins; empty: the library's own"),
	POPPER_OPTION(TEXT, CONF, key_file, "key-file",
	    "/var/lib/popper/.sasl-key",
	    "key that secrets of unknown users are made with"),
	POPPER_OPTION(NUMBER, CONF, log_level, "log-level", "3",
	    "what libsasl2 may log, 0 (nothing) to 5 (all but secrets)"),
	POPPER_OPTIONS_END
};

static const char *
check_conf(const struct auth_sasl_conf *c)
{
	if (c->iterations < 4096 || c->iterations > 65536)
		return "iterations must be 4096 to 65536";
	if (c->log_level > 5)
		return "log-level must be 0 to 5";
	if (c->service[0] == '\0')
		return "service is empty; \"pop\" is the name for POP3";
	if (c->scram_from_clear && !c->clear_secrets)
		return "scram-from-clear needs clear-secrets";
	return NULL;
}

static int
find_store(struct auth_sasl *s, struct popper_error *e)
{
	static const char *const names[] = {
		[AUTH_SASL_POPPER] = "popper",
		[AUTH_SASL_SASLDB] = "sasldb",
		[AUTH_SASL_DAEMON] = "saslauthd",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(s->conf->store, names[i]) == 0) {
			s->store = (enum auth_sasl_store)i;
			return 0;
		}
	return s->host->fail(e, POPPER_PERMANENT,
	    "sasl: store \"%s\" is unknown; use popper, sasldb or saslauthd",
	    s->conf->store);
}

static int
auth_sasl_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct auth_sasl *s = calloc(1, sizeof(*s));
	const char *problem = check_conf(conf);

	if (s == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "sasl");
	s->host = host;
	s->conf = conf;
	(void)snprintf(s->iterations, sizeof(s->iterations), "%llu",
	    (unsigned long long)s->conf->iterations);
	if (problem != NULL) {
		(void)host->fail(e, POPPER_PERMANENT, "sasl: %s", problem);
		goto err0;
	}
	if (find_store(s, e) == -1 || auth_sasl_store_check(s, e) == -1 ||
	    auth_sasl_key_read(s, e) == -1)
		goto err0;
	if (auth_sasl_library_start(s, e) == -1)
		goto err0;
	if (auth_sasl_offer(s, e) == -1)
		goto err1;
	*self = s;
	return 0;
err1:
	auth_sasl_library_stop(s);
err0:
	host->wipe(s->key, sizeof(s->key));
	free(s);
	return -1;
}

static void
auth_sasl_stop(void *self)
{
	struct auth_sasl *s = self;

	if (s == NULL)
		return;
	auth_sasl_library_stop(s);
	s->host->wipe(s->key, sizeof(s->key));
	free(s->offers);
	free(s);
}

static const struct popper_mechanism *
auth_sasl_offers(void *self)
{
	const struct auth_sasl *s = self;

	return s->offers;
}

static enum popper_verdict
refuse(struct auth_sasl_exchange *x, const char *why, struct popper_answer *a)
{
	(void)x->self->host->fail(
	    &a->error, POPPER_DENIED, "sasl: %s: %s", x->mechanism, why);
	return POPPER_AUTH_NO;
}

/* Is what the library says our trouble, not the client's?  Its general failure
 * is that where a daemon or a keytab had to answer. */
static bool
is_ours(const struct auth_sasl_exchange *x, int result)
{
	if (result == SASL_FAIL)
		return x->kind == AUTH_SASL_PASSWORD ||
		    x->kind == AUTH_SASL_KERBEROS;
	if (strcmp(x->mechanism, "OTP") == 0)
		return result == SASL_NOMEM;
	return result == SASL_NOMEM || result == SASL_UNAVAIL ||
	    result == SASL_TRYAGAIN || result == SASL_NOTINIT ||
	    result == SASL_BADVERS || result == SASL_CONFIGERR;
}

static enum popper_verdict
judge(struct auth_sasl_exchange *x, int result, struct popper_answer *a)
{
	if (x->troubled) {
		a->error = x->error;
		return POPPER_AUTH_LATER;
	}
	if (result == SASL_OK && !x->fake)
		return auth_sasl_identify(x, a);
	if (result == SASL_OK || !is_ours(x, result))
		return refuse(x, sasl_errdetail(x->conn), a);
	(void)x->self->host->fail(&a->error, POPPER_TEMPORARY, "sasl: %s: %s",
	    x->mechanism, sasl_errdetail(x->conn));
	return POPPER_AUTH_LATER;
}

/* What the library made of a response. */
static enum popper_verdict
go_on(struct auth_sasl_exchange *x, int result, struct popper_slice challenge,
    struct popper_answer *a)
{
	if (result != SASL_CONTINUE)
		return judge(x, result, a);
	if (challenge.len > sizeof(a->challenge))
		return refuse(x, "the challenge would be too long", a);
	if (challenge.len > 0)
		memcpy(a->challenge, challenge.ptr, challenge.len);
	a->challenge_len = challenge.len;
	return POPPER_AUTH_MORE;
}

/* RFC 2195 section 2: the digest ends the message; libsasl2 would take more
 * behind it. */
static bool
ends_in_digest(struct popper_slice s)
{
	const char *digest = s.ptr + s.len - DIGEST_DIGITS;

	if (s.len <= DIGEST_DIGITS || digest[-1] != ' ')
		return false;
	for (size_t i = 0; i < DIGEST_DIGITS; i++)
		if (memchr("0123456789abcdef", digest[i], 16) == NULL)
			return false;
	return true;
}

/* Why the response that has come cannot be one, or NULL. */
static const char *
check_response(struct auth_sasl_exchange *x, struct popper_slice response)
{
	bool ends = x->kind == AUTH_SASL_SCRAM ||
	    strcmp(x->mechanism, "DIGEST-MD5") == 0;

	x->responses++;
	if (x->kind == AUTH_SASL_SCRAM && x->responses == 1)
		return auth_sasl_scram_first(x, response);
	if (x->kind == AUTH_SASL_SCRAM && x->responses == 2)
		return auth_sasl_scram_final(x, response);
	if (strcmp(x->mechanism, "CRAM-MD5") == 0 && !ends_in_digest(response))
		return "no digest at the end of the response";
	if (ends && x->responses == (x->kind == AUTH_SASL_SCRAM ? 3 : 2) &&
	    response.len > 0)
		return "more than an empty line after the last challenge";
	return NULL;
}

/* The library wants a length that fits, and a pointer for what is empty. */
static const char *
octets(struct popper_slice s)
{
	return s.len > 0 ? s.ptr : "";
}

static bool
is_server_first(const char *mechanism)
{
	return strcmp(mechanism, "CRAM-MD5") == 0 ||
	    strcmp(mechanism, "DIGEST-MD5") == 0;
}

static enum popper_verdict
begin_mechanism(struct auth_sasl_exchange *x,
    const struct popper_attempt *attempt, struct popper_answer *a)
{
	const char *out = NULL, *problem = NULL;
	unsigned len = 0;
	int result;

	if (attempt->initial && is_server_first(x->mechanism))
		return refuse(x, "a response before the challenge", a);
	if (attempt->initial)
		problem = check_response(x, attempt->secret);
	if (problem != NULL)
		return refuse(x, problem, a);
	result = sasl_server_start(x->conn, x->mechanism,
	    attempt->initial ? octets(attempt->secret) : NULL,
	    attempt->initial ? (unsigned)attempt->secret.len : 0, &out, &len);
	return go_on(x, result, popper_slice(out, len), a);
}

/* USER, for a store that checks passwords. */
static enum popper_verdict
check_password(struct auth_sasl_exchange *x,
    const struct popper_attempt *attempt, struct popper_answer *a)
{
	char password[1024];
	enum popper_verdict v;
	int result;

	if (attempt->secret.len >= sizeof(password) ||
	    memchr(attempt->secret.ptr, '\0', attempt->secret.len) != NULL)
		return refuse(x, "no such form of a password", a);
	memcpy(password, attempt->secret.ptr, attempt->secret.len);
	password[attempt->secret.len] = '\0';
	result = sasl_checkpass(x->conn, attempt->user,
	    (unsigned)strlen(attempt->user), password,
	    (unsigned)attempt->secret.len);
	x->self->host->wipe(password, sizeof(password));
	v = judge(x, result, a);
	return v == POPPER_AUTH_NO && x->fake ? POPPER_AUTH_NEXT : v;
}

static bool
is_offered(const struct auth_sasl *s, const char *mechanism)
{
	const struct popper_mechanism *m = s->offers;

	while (m->name != NULL && strcmp(m->name, mechanism) != 0)
		m++;
	return m->name != NULL;
}

/* The channel binding, if there is one and a mechanism that wants it. */
static bool
bind_channel(struct auth_sasl_exchange *x, const struct popper_attempt *attempt)
{
	if (!x->self->plus || attempt->binding.len == 0)
		return !auth_sasl_is_plus(x->mechanism);
	if (attempt->binding.len > sizeof(x->octets))
		return false;
	memcpy(x->octets, attempt->binding.ptr, attempt->binding.len);
	x->binding = (sasl_channel_binding_t){ .name = "tls-exporter",
		.len = (unsigned long)attempt->binding.len,
		.data = x->octets };
	return true;
}

static enum popper_verdict
auth_sasl_begin(void *self, const struct popper_attempt *attempt,
    void **exchange, struct popper_answer *a)
{
	struct auth_sasl *s = self;
	struct auth_sasl_exchange *x;

	*exchange = NULL;
	if (!is_offered(s, attempt->mechanism))
		return POPPER_AUTH_NEXT;
	if (auth_sasl_store_check(s, &a->error) == -1)
		return POPPER_AUTH_LATER;
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		(void)s->host->fail_system(&a->error, POPPER_TEMPORARY, "sasl");
		return POPPER_AUTH_LATER;
	}
	*exchange = x;
	x->self = s;
	x->kind = auth_sasl_kind(attempt->mechanism);
	(void)snprintf(
	    x->mechanism, sizeof(x->mechanism), "%s", attempt->mechanism);
	if (!bind_channel(x, attempt))
		return refuse(x, "no channel binding", a);
	if (auth_sasl_connect(x, attempt->server_name, 0) != SASL_OK) {
		(void)s->host->fail(&a->error, POPPER_TEMPORARY,
		    "sasl: libsasl2 makes no connection");
		return POPPER_AUTH_LATER;
	}
	if (x->kind == AUTH_SASL_PASSWORD)
		return check_password(x, attempt, a);
	return begin_mechanism(x, attempt, a);
}

static enum popper_verdict
auth_sasl_step(
    void *exchange, struct popper_slice response, struct popper_answer *a)
{
	struct auth_sasl_exchange *x = exchange;
	const char *out = NULL, *problem = check_response(x, response);
	unsigned len = 0;
	int result;

	if (problem != NULL)
		return refuse(x, problem, a);
	result = sasl_server_step(
	    x->conn, octets(response), (unsigned)response.len, &out, &len);
	return go_on(x, result, popper_slice(out, len), a);
}

static void
auth_sasl_end(void *exchange)
{
	struct auth_sasl_exchange *x = exchange;

	if (x == NULL)
		return;
	if (x->conn != NULL)
		sasl_dispose(&x->conn);
	free(x->header);
	x->self->host->wipe(x, sizeof(*x));
	free(x);
}

/*
 * For the credential cache.  saslauthd has no stamp of a password; what a
 * sasldb decides costs less than a cache.
 */
static int
auth_sasl_vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	const struct auth_sasl *s = self;

	if (s->store != AUTH_SASL_DAEMON)
		return s->host->fail(
		    e, POPPER_DENIED, "sasl: not to be remembered");
	stamp->len = 0;
	return s->host->lookup(user, id, e);
}

/* What can be offered at most depends on the configuration: see offers. */
static const char *const auth_sasl_mechanisms[] = { NULL };

static const struct popper_auth auth_sasl_auth = {
	.size = sizeof(struct popper_auth),
	.mechanisms = auth_sasl_mechanisms,
	.start = auth_sasl_start,
	.begin = auth_sasl_begin,
	.step = auth_sasl_step,
	.end = auth_sasl_end,
	.stop = auth_sasl_stop,
	.offers = auth_sasl_offers,
	.vouch = auth_sasl_vouch,
};

POPPER_MODULE(sasl, .version = "1",
    .summary = "SCRAM, GSSAPI and other mechanisms by Cyrus SASL",
    .conf_size = sizeof(struct auth_sasl_conf), .options = auth_sasl_options,
    .auth = &auth_sasl_auth);
