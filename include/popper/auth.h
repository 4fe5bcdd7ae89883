/*
 * popper/auth.h - drivers that decide who somebody is.
 *
 * Runs in: the gate, one process per connection, root (or the server's own
 * user when it was not started as root).  The gate has a deadline and dies
 * with its connection, so a driver may block; it must not sleep to punish.
 *
 * Every way to log in passes here: "USER" is USER and PASS, "APOP" is APOP, any
 * other mechanism is a SASL mechanism of AUTH (RFC 5034).  The chain asks the
 * drivers in the order of modules.conf until one does not say NEXT.
 */
#ifndef POPPER_AUTH_H
#define POPPER_AUTH_H

#include <sys/types.h>

#include <popper/module.h>

enum popper_verdict {
	POPPER_AUTH_YES, /* answer.identity is filled */
	/* answer.challenge is filled: call step.  Since 1.2, with answer.error
	 * POPPER_DENIED: it has failed, the client need only confirm that. */
	POPPER_AUTH_MORE,
	POPPER_AUTH_NEXT, /* I do not know this user: ask the next driver */
	POPPER_AUTH_NO, /* wrong: stop here; answer.error says why */
	POPPER_AUTH_LATER, /* cannot tell now: -ERR [SYS/TEMP] */
	/* Since 1.1, from begin: NO, but ask the next drivers all the same, so
	 * that it costs what a user costs whom only they know. */
	POPPER_AUTH_NEVER
};

/* What the client sent and how it came.  Dies when begin returns. */
struct popper_attempt {
	uint32_t size;
	const char *mechanism; /* "USER", "APOP" or a SASL name, upper case */
	const char *user; /* USER and APOP: the name; else NULL */
	struct popper_slice secret; /* password, digest, or first response */
	bool initial; /* SASL: a first response came, maybe empty */
	bool tls; /* the connection is encrypted */
	const char *timestamp; /* APOP: the banner's, with < and >; else "" */
	const char *client; /* IP address of the client as text */
	const char *server; /* our IP address as text */
	const char *server_name; /* our host name */
	const char *certificate; /* name in a verified certificate, or "" */
	struct popper_slice binding; /* tls-exporter octets, or empty */
};

/* What a mechanism asks of the connection. */
#define POPPER_MECHANISM_CLEAR 1u /* shows the secret to whoever listens */
#define POPPER_MECHANISM_TLS 2u /* only inside TLS */
#define POPPER_MECHANISM_BOUND 4u /* needs a channel binding */
#define POPPER_MECHANISM_CERTIFICATE 8u /* needs the client's certificate */
#define POPPER_MECHANISM_HIDDEN 16u /* works, but is not announced */

struct popper_mechanism {
	const char *name; /* upper case; NULL ends a table */
	unsigned needs; /* POPPER_MECHANISM_ bits */
};

#define POPPER_USER_MAX 255
#define POPPER_PATH_MAX 1023

/* Keep the gate until the session ends and call closed() then. */
#define POPPER_IDENTITY_KEEP 1u
/* No uid of its own: the uid is shared, Landlock is the wall. */
#define POPPER_IDENTITY_VIRTUAL 2u
/* login_delay holds instead of the server's, if it is shorter. */
#define POPPER_IDENTITY_DELAY 4u

#define POPPER_FOLDER_MAX 63

/* Who somebody is.  Plain data: it crosses process borders by value. */
struct popper_identity {
	uint32_t size;
	uint32_t flags; /* POPPER_IDENTITY_ bits */
	uid_t uid;
	gid_t gid;
	char user[POPPER_USER_MAX + 1]; /* canonical name */
	char home[POPPER_PATH_MAX + 1]; /* or "" */
	char drop[32]; /* name of the drop module, or "": the chain's order */
	char maildrop[POPPER_PATH_MAX + 1]; /* or "": the drop's own path */
	/* Since 1.1. */
	uint64_t login_delay; /* seconds, with POPPER_IDENTITY_DELAY */
	/* A sub-mailbox: letters, digits, "-", "_", and "." inside; or "".
	 * Set by the server from the name given, not by modules. */
	char folder[POPPER_FOLDER_MAX + 1];
};

#define POPPER_STAMP_MAX 512

/* Octets that change whenever a user's password or account does. */
struct popper_stamp {
	size_t len;
	unsigned char octets[POPPER_STAMP_MAX];
};

#define POPPER_CHALLENGE_MAX 8192

/* What begin and step fill; zeroed and given its size by the server. */
struct popper_answer {
	uint32_t size;
	uint64_t delay; /* microseconds a NO should be held back; 0: usual */
	struct popper_identity identity; /* YES */
	struct popper_error error; /* NO, LATER: text for the log */
	size_t challenge_len; /* MORE */
	unsigned char challenge[POPPER_CHALLENGE_MAX];
};

/* Keeps nothing of an exchange once it has ended, never waits for anybody, and
 * runs no code but its own, the C library's and that of libraries which only
 * compute: one gate may then serve several connections, one after another. */
#define POPPER_AUTH_CLEAN 1u

struct popper_auth {
	uint32_t size;
	uint32_t traits; /* POPPER_AUTH_ bits */
	/* Mechanisms, upper case, NULL ends.  Those other than USER and APOP
	 * are announced in CAPA's SASL line. */
	const char *const *mechanisms;
	/**
	 * start(host, conf, self, error):
	 * Called once in the warm parent, before any connection.  Load here
	 * what would be dear to load per login.  ${conf} lives as long as the
	 * process.  Returns 0 and stores the instance in ${self}, or -1 with
	 * ${error} filled: the server then refuses to start.
	 */
	int (*start)(const struct popper_host *, const void *conf, void **self,
	    struct popper_error *);
	/**
	 * begin(self, attempt, exchange, answer):
	 * Start one login.  USER and APOP must be decided here.  ${exchange}
	 * may be set to anything; end gets it whatever the verdict was.
	 * An unknown user costs as much time as a wrong password.
	 */
	enum popper_verdict (*begin)(void *self, const struct popper_attempt *,
	    void **exchange, struct popper_answer *);
	/* The client's next response, decoded.  May be NULL if begin never
	 * says MORE. */
	enum popper_verdict (*step)(
	    void *exchange, struct popper_slice, struct popper_answer *);
	/* After YES with POPPER_IDENTITY_KEEP: the maildrop is open, the
	 * session is over.  opened returns 0, or -1 to refuse the login. */
	int (*opened)(void *exchange, struct popper_error *);
	void (*closed)(void *exchange);
	/* Forget the exchange and its secrets.  Takes NULL, as free does. */
	void (*end)(void *exchange);
	/**
	 * lookup(self, user, identity, error):
	 * Who ${user} (a canonical name) is, without any proof: for modules
	 * that know secrets but no accounts, and for the tools of the
	 * administrator.  May be NULL.  POPPER_ABSENT if there is none,
	 * POPPER_DENIED if the account may not be used now.
	 */
	int (*lookup)(void *self, const char *user, struct popper_identity *,
	    struct popper_error *);
	void (*stop)(void *self); /* may be NULL */

	/* --- Since 1.1.  Each may be NULL. --- */

	/**
	 * offers(self):
	 * Instead of ${mechanisms}, when they depend on the configuration.
	 * Asked once, after start; lives as long as the process.  Of a name in
	 * ${mechanisms} the server knows what it needs.
	 */
	const struct popper_mechanism *(*offers)(void *self);
	/**
	 * vouch(self, user, identity, stamp, error):
	 * For the credential cache: as lookup, the checks of the account
	 * included, and ${stamp} is filled.  Costs little.  With an empty
	 * stamp a change of the password is seen when the cache's lifetime is
	 * over.  With POPPER_ABSENT the stamp counts as well: it goes before
	 * that of the driver that knows the account.
	 */
	int (*vouch)(void *self, const char *user, struct popper_identity *,
	    struct popper_stamp *, struct popper_error *);
	/**
	 * secret(self, user, kind, out, size, error):
	 * What is stored to prove ${user}, as text: ${kind} "clear" is the
	 * password itself; "SCRAM-SHA-256" and its kin are
	 * "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey" (RFC 5803).
	 * POPPER_ABSENT if there is nothing of that kind.
	 */
	int (*secret)(void *self, const char *user, const char *kind, char *out,
	    size_t size, struct popper_error *);
};

#endif
