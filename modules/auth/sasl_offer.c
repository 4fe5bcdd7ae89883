/*
 * sasl_offer.c - which mechanisms are offered.
 *
 * Runs in:  the warm parent, as root or the server's own user.
 *
 * Those that the administrator names must be there and have a store that can
 * serve them; of the usual ones those are left out that have not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sasl.h"

#define OFFERS_MAX 24

enum wants {
	WANTS_NOTHING, /* the mechanism brings its own proof */
	WANTS_KEYS, /* SCRAM: stored keys, or a clear-text secret */
	WANTS_CLEAR,
	WANTS_SASLDB,
	NEVER
};

/* What the module knows about; other plugins' mechanisms want a secret in
 * clear text, as those of libsasl2 do.  The order is that of CAPA.  It means
 * nothing to clients, but fetchmail looks for a name in 64 octets at a time:
 * what it can use comes first. */
static const struct known {
	const char *name;
	enum wants wants;
	bool usual;
} known[] = {
	{ "GSSAPI", WANTS_NOTHING, true },
	{ "CRAM-MD5", WANTS_CLEAR, true },
	{ "SCRAM-SHA-512-PLUS", WANTS_KEYS, true },
	{ "SCRAM-SHA-256-PLUS", WANTS_KEYS, true },
	{ "SCRAM-SHA-1-PLUS", WANTS_KEYS, true },
	{ "SCRAM-SHA-512", WANTS_KEYS, true },
	{ "SCRAM-SHA-256", WANTS_KEYS, true },
	{ "SCRAM-SHA-1", WANTS_KEYS, true },
	{ "SCRAM-SHA-224", WANTS_KEYS, false },
	{ "SCRAM-SHA-384", WANTS_KEYS, false },
	{ "SCRAM-SHA-224-PLUS", WANTS_KEYS, false },
	{ "SCRAM-SHA-384-PLUS", WANTS_KEYS, false },
	{ "GS2-KRB5", WANTS_NOTHING, false },
	{ "GSS-SPNEGO", WANTS_NOTHING, false },
	{ "GS2-IAKERB", WANTS_NOTHING, false },
	{ "OTP", WANTS_SASLDB, false },
	{ "PLAIN", NEVER, false },
	{ "LOGIN", NEVER, false },
	{ "EXTERNAL", NEVER, false },
	{ "ANONYMOUS", NEVER, false },
	{ "USER", NEVER, false },
	{ "APOP", NEVER, false },
};

static enum wants
wants_of(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].wants;
	return auth_sasl_is_plus(name) ? NEVER : WANTS_CLEAR;
}

bool
auth_sasl_is_plus(const char *mechanism)
{
	size_t len = strlen(mechanism), plus = strlen("-PLUS");

	return len > plus && strcmp(mechanism + len - plus, "-PLUS") == 0;
}

enum auth_sasl_kind
auth_sasl_kind(const char *mechanism)
{
	if (strcmp(mechanism, "USER") == 0)
		return AUTH_SASL_PASSWORD;
	if (strncmp(mechanism, "SCRAM-", 6) == 0)
		return AUTH_SASL_SCRAM;
	if (strncmp(mechanism, "GS", 2) == 0)
		return AUTH_SASL_KERBEROS;
	return AUTH_SASL_OTHER;
}

/* Why the store cannot serve ${name}, or NULL. */
static const char *
unserved(const struct auth_sasl *s, const char *name)
{
	bool popper = s->store == AUTH_SASL_POPPER;

	switch (wants_of(name)) {
	case WANTS_NOTHING:
		return NULL;
	case WANTS_KEYS:
		return s->store != AUTH_SASL_DAEMON
		    ? NULL
		    : "saslauthd checks passwords and nothing else";
	case WANTS_CLEAR:
		if (s->store == AUTH_SASL_DAEMON)
			return "saslauthd checks passwords and nothing else";
		return !popper || s->conf->clear_secrets
		    ? NULL
		    : "it needs clear-text secrets: see clear-secrets";
	case WANTS_SASLDB:
		return s->store == AUTH_SASL_SASLDB ? NULL
						    : "it needs store = sasldb";
	case NEVER:
		break;
	}
	return "it is the server's own, or proves nothing";
}

/* The library's mechanisms, " A B C ", in ${out}; not those that show the
 * secret, unless ${plain}.  With a channel binding of nobody's. */
static int
list(const struct auth_sasl *s, bool plain, char *out, size_t size)
{
	struct auth_sasl_exchange x = { .self = s,
		.binding = { .name = "tls-exporter",
		    .len = sizeof(x.octets),
		    .data = x.octets } };
	const char *names = NULL;
	int result = auth_sasl_connect(
	    &x, "localhost", plain ? 0 : SASL_SEC_NOPLAINTEXT);

	out[0] = '\0';
	if (result == SASL_OK)
		result = sasl_listmech(
		    x.conn, NULL, " ", " ", " ", &names, NULL, NULL);
	if (result == SASL_OK)
		(void)snprintf(out, size, "%s", names);
	if (x.conn != NULL)
		sasl_dispose(&x.conn);
	return result == SASL_OK || result == SASL_NOMECH ? 0 : -1;
}

static bool
is_in(const char *names, const char *name)
{
	size_t len = strlen(name);

	while ((names = strstr(names, name)) != NULL) {
		if (names[-1] == ' ' && names[len] == ' ')
			return true;
		names += len;
	}
	return false;
}

struct work {
	struct auth_sasl *self;
	size_t count;
	char all[1024], safe[1024];
	char names[OFFERS_MAX][AUTH_SASL_NAME_MAX];
};

static void
add(struct work *w, const char *name, unsigned needs)
{
	struct auth_sasl *s = w->self;
	char *mine = w->names[w->count];

	(void)snprintf(mine, sizeof(w->names[0]), "%s", name);
	if (auth_sasl_is_plus(name)) {
		needs = POPPER_MECHANISM_TLS | POPPER_MECHANISM_BOUND;
		s->plus = true;
	}
	s->offers[w->count++].needs = needs;
}

/* The mechanism ${name} was asked for.  0, or -1 with ${e} filled. */
static int
demand(struct work *w, const char *name, struct popper_error *e)
{
	const char *problem = unserved(w->self, name);

	if (problem == NULL && !is_in(w->all, name))
		problem = "no plugin of libsasl2 has it (Debian: "
			  "libsasl2-modules, -gssapi-mit, -otp)";
	if (problem == NULL && w->count == OFFERS_MAX)
		problem = "too many";
	if (problem != NULL)
		return w->self->host->fail(e, POPPER_PERMANENT,
		    "sasl: mechanisms: %s cannot be offered: %s", name,
		    problem);
	add(w, name, is_in(w->safe, name) ? 0 : POPPER_MECHANISM_CLEAR);
	return 0;
}

static int
demand_all(struct work *w, const char *words, struct popper_error *e)
{
	char name[AUTH_SASL_NAME_MAX];
	size_t len;

	for (; *words != '\0'; words += len) {
		words += strspn(words, " \t,");
		len = strcspn(words, " \t,");
		if (len == 0)
			break;
		if (len >= sizeof(name))
			return w->self->host->fail(e, POPPER_PERMANENT,
			    "sasl: mechanisms: %.*s is too long for a name",
			    (int)len, words);
		for (size_t i = 0; i < len; i++)
			name[i] = words[i] >= 'a' && words[i] <= 'z'
			    ? (char)(words[i] - 'a' + 'A')
			    : words[i];
		name[len] = '\0';
		if (demand(w, name, e) == -1)
			return -1;
	}
	return 0;
}

static void
take_usual(struct work *w)
{
	const struct auth_sasl *s = w->self;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].usual && unserved(s, known[i].name) == NULL &&
		    is_in(w->all, known[i].name) &&
		    (strcmp(known[i].name, "GSSAPI") != 0 ||
			s->conf->keytab[0] != '\0'))
			add(w, known[i].name, 0);
}

/* The names move to where the table can point at them for good. */
static int
settle(struct work *w)
{
	struct auth_sasl *s = w->self;
	size_t table = (w->count + 1) * sizeof(*s->offers);
	struct popper_mechanism *all =
	    calloc(1, table + w->count * sizeof(w->names[0]));
	char(*names)[AUTH_SASL_NAME_MAX];

	if (all == NULL)
		return -1;
	names = (void *)((char *)all + table);
	for (size_t i = 0; i < w->count; i++) {
		memcpy(names[i], w->names[i], sizeof(names[i]));
		all[i].name = names[i];
		all[i].needs = s->offers[i].needs;
	}
	s->offers = all;
	return 0;
}

int
auth_sasl_offer(struct auth_sasl *s, struct popper_error *e)
{
	static const char kept[] = "keytab is set, but no plugin has GSSAPI "
				   "(Debian: libsasl2-modules-gssapi-mit)";
	struct popper_mechanism table[OFFERS_MAX + 1] = { { NULL, 0 } };
	struct work w = { .self = s };

	s->offers = table;
	if (list(s, true, w.all, sizeof(w.all)) == -1 ||
	    list(s, false, w.safe, sizeof(w.safe)) == -1)
		return s->host->fail(e, POPPER_PERMANENT,
		    "sasl: libsasl2 does not tell its mechanisms");
	if (s->conf->keytab[0] != '\0' && !is_in(w.all, "GSSAPI"))
		return s->host->fail(e, POPPER_PERMANENT, "sasl: %s", kept);
	if (s->store != AUTH_SASL_POPPER)
		add(&w, "USER", POPPER_MECHANISM_CLEAR);
	if (s->conf->mechanisms[0] == '\0')
		take_usual(&w);
	else if (demand_all(&w, s->conf->mechanisms, e) == -1)
		return -1;
	if (w.count == 0)
		return s->host->fail(e, POPPER_PERMANENT,
		    "sasl: there is no mechanism to offer (Debian: "
		    "libsasl2-modules)");
	if (settle(&w) == -1)
		return s->host->fail_system(e, POPPER_TEMPORARY, "sasl");
	return 0;
}
