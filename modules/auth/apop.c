/*
 * apop.c - auth module: APOP, and secrets for whoever needs them in clear.
 *
 * Runs in:  the gate, as root or the server's own user; one login each.
 * Reads:    the mailauth database, afresh at every login, and nothing else.
 * See also: apop_database.c for its layout, popauth(1), which writes it.
 *
 * It knows secrets, no accounts: those are another module's.  Whoever is not
 * in the database costs one digest, like a wrong one.  Not CLEAN: GDBM frees
 * what it has read without wiping it, so the gate ends with its connection.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apop.h"

static const struct popper_option apop_options[] = {
	POPPER_OPTION(TEXT, struct apop_conf, file, "file",
	    "/etc/popper/mailauth", "database of secrets, made by popauth"),
	POPPER_OPTION(TEXT, struct apop_conf, owner, "owner", "",
	    "account that may own it besides root and the server's"),
	POPPER_OPTION(BOOL, struct apop_conf, only, "only", "no",
	    "refuse passwords of users that are in the database"),
	POPPER_OPTIONS_END
};

static int
find_owner(struct apop_self *a, struct popper_error *e)
{
	const struct passwd *pw;

	a->owner = geteuid();
	if (a->conf->owner[0] == '\0')
		return 0;
	pw = getpwnam(a->conf->owner);
	if (pw == NULL)
		return a->host->fail(e, POPPER_PERMANENT,
		    "apop: owner = \"%s\": there is no such account",
		    a->conf->owner);
	a->owner = pw->pw_uid;
	return 0;
}

static int
apop_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct apop_self *a = calloc(1, sizeof(*a));
	char secret[APOP_SECRET_MAX + 1];

	if (a == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "apop");
	a->host = host;
	a->conf = conf;
	/* One look now: the administrator is still there. */
	if (find_owner(a, e) == -1 || apop_fetch(a, "-", secret, e) == -1) {
		free(a);
		return -1;
	}
	host->wipe(secret, sizeof(secret));
	*self = a;
	return 0;
}

static void
apop_stop(void *self)
{
	free(self);
}

static const struct popper_mechanism *
apop_offers(void *self)
{
	static const struct popper_mechanism apop[] = { { "APOP", 0 },
		{ .name = NULL } };
	static const struct popper_mechanism both[] = { { "APOP", 0 },
		{ "USER", POPPER_MECHANISM_CLEAR }, { .name = NULL } };

	return ((const struct apop_self *)self)->conf->only ? both : apop;
}

/* The digest was right: whose mail is it? */
static enum popper_verdict
identify(const struct apop_self *a, const char *user, struct popper_answer *r)
{
	if (a->host->lookup(user, &r->identity, &r->error) == 0)
		return POPPER_AUTH_YES;
	if (r->error.status == POPPER_ABSENT)
		(void)a->host->fail(&r->error, POPPER_DENIED,
		    "%s: has a secret for APOP, but no account in any auth "
		    "module",
		    a->conf->file);
	return r->error.status == POPPER_DENIED ? POPPER_AUTH_NO
						: POPPER_AUTH_LATER;
}

static enum popper_verdict
answer_digest(const struct apop_self *a, const struct popper_attempt *attempt,
    struct popper_answer *r)
{
	char secret[APOP_SECRET_MAX + 1];
	int known = apop_fetch(a, attempt->user, secret, &r->error);
	bool fits;

	if (known == -1)
		return POPPER_AUTH_LATER;
	if (known == 0)
		(void)strcpy(secret, "of nobody at all");
	fits = attempt->timestamp[0] == '<' &&
	    apop_fits(attempt->timestamp, secret, attempt->secret);
	a->host->wipe(secret, sizeof(secret));
	if (known == 0)
		return POPPER_AUTH_NEXT;
	if (fits)
		return identify(a, attempt->user, r);
	(void)a->host->fail(
	    &r->error, POPPER_DENIED, "%s: wrong digest", a->conf->file);
	return POPPER_AUTH_NO;
}

/* "only": the next modules are asked for the time it takes. */
static enum popper_verdict
answer_password(
    const struct apop_self *a, const char *user, struct popper_answer *r)
{
	char secret[APOP_SECRET_MAX + 1];
	int known = apop_fetch(a, user, secret, &r->error);

	a->host->wipe(secret, sizeof(secret));
	if (known == -1)
		return POPPER_AUTH_LATER;
	if (known == 0)
		return POPPER_AUTH_NEXT;
	(void)a->host->fail(&r->error, POPPER_DENIED,
	    "%s: has a secret for APOP and must not send a password",
	    a->conf->file);
	return POPPER_AUTH_NEVER;
}

static enum popper_verdict
apop_begin(void *self, const struct popper_attempt *attempt, void **exchange,
    struct popper_answer *r)
{
	const struct apop_self *a = self;

	*exchange = NULL;
	if (attempt->user == NULL)
		return POPPER_AUTH_NEXT;
	if (strcmp(attempt->mechanism, "APOP") == 0)
		return answer_digest(a, attempt, r);
	if (strcmp(attempt->mechanism, "USER") == 0 && a->conf->only)
		return answer_password(a, attempt->user, r);
	return POPPER_AUTH_NEXT;
}

static void
apop_end(void *exchange)
{
	(void)exchange; /* begin decides and keeps nothing */
}

/* A password that was right once is worth nothing to who is in it now. */
static int
apop_vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	const struct apop_self *a = self;
	char secret[APOP_SECRET_MAX + 1];
	int known = apop_fetch(a, user, secret, e);

	(void)id;
	stamp->len = 0;
	a->host->wipe(secret, sizeof(secret));
	if (known == 1)
		(void)a->host->fail(e, POPPER_DENIED,
		    "%s: has a secret for APOP and must not send a password",
		    a->conf->file);
	else if (known == 0)
		(void)a->host->fail(
		    e, POPPER_ABSENT, "%s: no such user", a->conf->file);
	return -1;
}

static int
apop_secret(void *self, const char *user, const char *kind, char *out,
    size_t size, struct popper_error *e)
{
	const struct apop_self *a = self;
	char secret[APOP_SECRET_MAX + 1] = "";
	int known = 0, result = -1;

	if (strcmp(kind, "clear") == 0)
		known = apop_fetch(a, user, secret, e);
	if (known == 0)
		(void)a->host->fail(
		    e, POPPER_ABSENT, "%s: no such secret", a->conf->file);
	else if (known == 1 && strlen(secret) >= size)
		(void)a->host->fail(e, POPPER_PERMANENT,
		    "%s: the secret of \"%s\" is too long", a->conf->file,
		    user);
	else if (known == 1) {
		memcpy(out, secret, strlen(secret) + 1);
		result = 0;
	}
	a->host->wipe(secret, sizeof(secret));
	return result;
}

static const char *const apop_mechanisms[] = { "APOP", NULL };

static const struct popper_auth apop_auth = {
	.size = sizeof(struct popper_auth),
	.mechanisms = apop_mechanisms,
	.start = apop_start,
	.begin = apop_begin,
	.end = apop_end,
	.stop = apop_stop,
	.offers = apop_offers,
	.vouch = apop_vouch,
	.secret = apop_secret,
};

POPPER_MODULE(apop, .version = "1",
    .summary = "APOP, with secrets in a GDBM database (popauth)",
    .conf_size = sizeof(struct apop_conf), .options = apop_options,
    .auth = &apop_auth);
