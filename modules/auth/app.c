/*
 * app.c - auth module: app passwords, one for each device, from a file.
 *
 * Runs in:  the gate, as root or the server's own user; one login each.
 * Reads:    the file of app passwords, afresh at every login.
 * Writes:   the file of last use, and nothing else.
 *
 * It knows no accounts: who the user is, the other modules say.  An app
 * password is random, so its hash is a fast one (doc/why/app-passwords.md), and
 * who has none costs as much as who has some: the whole file is compared.
 */
#include <stdlib.h>
#include <string.h>

#include "app.h"

/* A file of another kind must not flood the log. */
#define WARNINGS_MAX 20

static const struct popper_option app_options[] = {
	POPPER_OPTION(TEXT, struct app_conf, file, "file",
	    "/etc/popper/app-passwords",
	    "file of app passwords, user:device:hash:created"),
	POPPER_OPTION(TEXT, struct app_conf, last_use, "last-use",
	    "/var/lib/popper/.app-last-use",
	    "file where last use is kept; empty: nowhere"),
	POPPER_OPTION(BOOL, struct app_conf, only, "only", "no",
	    "who has app passwords must use one"),
	POPPER_OPTIONS_END
};

/* Warn about bad lines: each locks out one device and nobody else. */
static int
review(const struct app_self *a, struct popper_error *e)
{
	struct app_text text;
	struct popper_slice rest, line;
	struct app_line parsed;
	unsigned long number = 0, bad = 0;
	const char *problem;
	bool torn;

	if (app_read(a, &text, e) == -1)
		return -1;
	rest = popper_slice(text.octets, text.len);
	while (app_next(&rest, &line, &torn)) {
		number++;
		if (app_is_comment(line))
			continue;
		problem = app_parse(line, &parsed);
		if (problem == NULL && torn)
			problem = "it does not end with a newline";
		if (problem != NULL && bad++ < WARNINGS_MAX)
			a->host->log(POPPER_LOG_WARNING,
			    "app: %s:%lu: %s; the line is not used",
			    a->conf->file, number, problem);
	}
	if (bad > WARNINGS_MAX)
		a->host->log(POPPER_LOG_WARNING,
		    "app: %s: %lu more lines are not used", a->conf->file,
		    bad - WARNINGS_MAX);
	app_forget(a, &text);
	return 0;
}

static int
app_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct app_self *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "app");
	a->host = host;
	a->conf = conf;
	a->now = time;
	if (review(a, e) == -1) {
		free(a);
		return -1;
	}
	app_used_check(a);
	*self = a;
	return 0;
}

static void
app_stop(void *self)
{
	free(self);
}

/* What the file says of a user and a password. */
struct found {
	unsigned long devices; /* of the user */
	struct popper_slice hash; /* of the one that fits; else empty */
};

/* Equal?  In a time that does not depend on the octets. */
static bool
same(struct popper_slice hash, const char *other)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < APP_HASH_LEN; i++)
		differ |= (unsigned char)(hash.ptr[i] ^ other[i]);
	return differ == 0;
}

/* Each line is compared, whoever it belongs to. */
static void
search(const struct app_text *text, const char *user, const char *hash,
    struct found *f)
{
	struct popper_slice rest = popper_slice(text->octets, text->len);
	struct popper_slice line;
	struct app_line l;
	const size_t len = strlen(user);
	bool torn, fits, theirs;

	*f = (struct found){ .devices = 0 };
	while (app_next(&rest, &line, &torn)) {
		if (app_is_comment(line) || app_parse(line, &l) != NULL || torn)
			continue;
		fits = same(l.hash, hash);
		theirs =
		    l.user.len == len && memcmp(l.user.ptr, user, len) == 0;
		f->devices += theirs;
		if (fits && theirs)
			f->hash = l.hash;
	}
}

/* The password is the user's.  Who is that? */
static enum popper_verdict
welcome(const struct app_self *a, const char *user, struct popper_slice hash,
    struct popper_answer *answer)
{
	enum popper_status status;

	if (a->host->lookup(user, &answer->identity, &answer->error) == 0) {
		app_used(a, hash);
		return POPPER_AUTH_YES;
	}
	status = answer->error.status;
	return status == POPPER_ABSENT || status == POPPER_DENIED
	    ? POPPER_AUTH_NO
	    : POPPER_AUTH_LATER;
}

static enum popper_verdict
app_begin(void *self, const struct popper_attempt *attempt, void **exchange,
    struct popper_answer *answer)
{
	const struct app_self *a = self;
	enum popper_verdict verdict = POPPER_AUTH_NEXT;
	char hash[APP_HASH_LEN];
	struct app_text text;
	struct found f;
	bool proper;

	*exchange = NULL;
	if (strcmp(attempt->mechanism, "USER") != 0 || attempt->user == NULL)
		return POPPER_AUTH_NEXT;
	if (app_read(a, &text, &answer->error) == -1)
		return POPPER_AUTH_LATER;
	proper = app_hash(a, attempt->secret, hash);
	search(&text, attempt->user, hash, &f);
	if (proper && f.hash.len > 0) {
		verdict = welcome(a, attempt->user, f.hash, answer);
	} else if (a->conf->only && f.devices > 0) {
		verdict = POPPER_AUTH_NEVER;
		(void)a->host->fail(&answer->error, POPPER_DENIED,
		    "app: no app password, and only those are accepted");
	}
	a->host->wipe(hash, sizeof(hash));
	app_forget(a, &text);
	return verdict;
}

static void
app_end(void *exchange)
{
	(void)exchange; /* begin decides and keeps nothing */
}

/* We vouch for nobody, but the cache must notice when a device is revoked. */
static int
app_vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	const struct app_self *a = self;
	struct app_text text;

	(void)id;
	if (app_read(a, &text, e) == -1)
		return -1;
	app_stamp(&text, user, stamp->octets);
	stamp->len = 32;
	app_forget(a, &text);
	return a->host->fail(
	    e, POPPER_ABSENT, "app: accounts are other modules' business");
}

static const char *const app_mechanisms[] = { "USER", NULL };

static const struct popper_auth app_auth = {
	.size = sizeof(struct popper_auth),
	.traits = POPPER_AUTH_CLEAN,
	.mechanisms = app_mechanisms,
	.start = app_start,
	.begin = app_begin,
	.end = app_end,
	.stop = app_stop,
	.vouch = app_vouch,
};

POPPER_MODULE(app, .version = "1",
    .summary = "app passwords: one for each device, in a file",
    .conf_size = sizeof(struct app_conf), .options = app_options,
    .auth = &app_auth);
