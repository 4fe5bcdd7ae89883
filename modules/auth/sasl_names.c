/*
 * sasl_names.c - the names in an exchange, and who may act as whom.
 *
 * Runs in:  the gate, as root; called back by libsasl2.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sasl.h"

typedef int (*any_function)(void);
#define FUNCTION(f) ((any_function)(void (*)(void))(f))

/*
 * A principal is not what a client says it is called but what Kerberos proved:
 * nothing of it may be cut off or made into something else.  Of our own realm
 * libsasl2 has taken the realm away.
 */
static bool
is_principal(const struct auth_sasl_exchange *x, const char *name)
{
	if (strpbrk(name, "/\\") != NULL)
		return false;
	return strchr(name, '@') == NULL || x->self->conf->any_realm;
}

static int
canonical(struct auth_sasl_exchange *x, char *out, bool proved)
{
	const struct popper_host *host = x->self->host;
	struct popper_error *e = &x->error;

	if (proved && !is_principal(x, x->given))
		return host->fail(e, POPPER_DENIED,
		    "sasl: principal %s is of a foreign realm or an instance",
		    x->given);
	if (host->canonical(out, POPPER_USER_MAX + 1, x->given, e) == -1)
		return -1;
	if (proved && strcasecmp(out, x->given) != 0)
		return host->fail(e, POPPER_DENIED,
		    "sasl: principal %s would become %s", x->given, out);
	return 0;
}

/* The name as the store knows it: a sasldb wants a realm. */
static int
store_name(const struct auth_sasl_exchange *x, const char *name, char *out,
    unsigned size, unsigned *len)
{
	const char *realm = x->self->conf->realm;
	int n;

	if (x->self->store != AUTH_SASL_SASLDB || realm[0] == '\0' ||
	    x->kind == AUTH_SASL_KERBEROS || strchr(name, '@') != NULL)
		realm = "";
	n = snprintf(
	    out, size, "%s%s%s", name, realm[0] != '\0' ? "@" : "", realm);
	if (n < 0 || (unsigned)n >= size)
		return SASL_BUFOVER;
	*len = (unsigned)n;
	return SASL_OK;
}

static int
canon_user(sasl_conn_t *conn, void *context, const char *in, unsigned inlen,
    unsigned flags, const char *realm, char *out, unsigned size, unsigned *len)
{
	struct auth_sasl_exchange *x = context;
	bool proves = (flags & SASL_CU_AUTHID) != 0;
	char *name = proves ? x->user : x->acts_as;

	(void)conn;
	(void)realm;
	if (x->kind == AUTH_SASL_PASSWORD) {
		/* The server has made it canonical already. */
		(void)snprintf(name, sizeof(x->user), "%.*s", (int)inlen, in);
		memcpy(x->acts_as, x->user, sizeof(x->acts_as));
		return store_name(x, name, out, size, len);
	}
	if (inlen >= sizeof(x->given) || memchr(in, '\0', inlen) != NULL)
		return SASL_BADAUTH;
	memcpy(x->given, in, inlen);
	x->given[inlen] = '\0';
	if (canonical(x, name, proves && x->kind == AUTH_SASL_KERBEROS) == -1) {
		x->troubled = x->error.status == POPPER_TEMPORARY;
		sasl_seterror(conn, SASL_NOLOG, "%s", x->error.text);
		return SASL_BADAUTH;
	}
	if (proves && (flags & SASL_CU_AUTHZID) != 0)
		memcpy(x->acts_as, x->user, sizeof(x->acts_as));
	return store_name(x, name, out, size, len);
}

/* Nobody logs in for somebody else. */
static int
authorize(sasl_conn_t *conn, void *context, const char *wanted,
    unsigned wanted_len, const char *proved, unsigned proved_len,
    const char *realm, unsigned realm_len, struct propctx *properties)
{
	const struct auth_sasl_exchange *x = context;

	(void)wanted;
	(void)wanted_len;
	(void)proved;
	(void)proved_len;
	(void)realm;
	(void)realm_len;
	(void)properties;
	if (x->user[0] != '\0' && strcmp(x->user, x->acts_as) == 0)
		return SASL_OK;
	sasl_seterror(
	    conn, SASL_NOLOG, "%s asks to be %s", x->user, x->acts_as);
	return SASL_BADAUTH;
}

void
auth_sasl_names(struct auth_sasl_exchange *x)
{
	x->callbacks[0] =
	    (sasl_callback_t){ SASL_CB_CANON_USER, FUNCTION(canon_user), x };
	x->callbacks[1] =
	    (sasl_callback_t){ SASL_CB_PROXY_POLICY, FUNCTION(authorize), x };
}

enum popper_verdict
auth_sasl_identify(struct auth_sasl_exchange *x, struct popper_answer *a)
{
	const struct popper_host *host = x->self->host;
	char again[POPPER_USER_MAX + 1];

	/* Once more, since a sub-mailbox is kept for the last name only. */
	if (x->kind != AUTH_SASL_PASSWORD &&
	    (host->canonical(again, sizeof(again), x->given, &a->error) == -1 ||
		strcmp(again, x->user) != 0)) {
		(void)host->fail(&a->error, POPPER_DENIED,
		    "sasl: %s is not who has proved it", x->given);
		return POPPER_AUTH_NO;
	}
	if (x->user[0] == '\0' || strcmp(x->user, x->acts_as) != 0) {
		(void)host->fail(&a->error, POPPER_DENIED, "sasl: no name");
		return POPPER_AUTH_NO;
	}
	if (host->lookup(x->user, &a->identity, &a->error) == 0)
		return POPPER_AUTH_YES;
	return a->error.status == POPPER_TEMPORARY ||
		a->error.status == POPPER_PERMANENT
	    ? POPPER_AUTH_LATER
	    : POPPER_AUTH_NO;
}
