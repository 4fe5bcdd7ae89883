/* sasl.h - what the files of the sasl module share. */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include <popper/auth.h>

#define AUTH_SASL_KEY_MAX 32 /* octets of the key file */
#define AUTH_SASL_NAME_MAX 32 /* of a mechanism, with its NUL */
#define AUTH_SASL_BINDING_MAX 64
#define AUTH_SASL_TEXT_MAX 512 /* a stored secret as text */

struct auth_sasl_conf {
	const char *mechanisms; /* or "": the usual ones */
	const char *store; /* popper, sasldb or saslauthd */
	const char *sasldb, *saslauthd; /* paths */
	const char *plugins; /* folder, or "": the library's own */
	const char *keytab, *krb5_conf, *realm, *service, *key_file;
	uint64_t iterations, log_level;
	bool clear_secrets, scram_from_clear, any_realm;
};

enum auth_sasl_store { AUTH_SASL_POPPER, AUTH_SASL_SASLDB, AUTH_SASL_DAEMON };

/* The instance.  There is one: the library's callbacks belong to a process. */
struct auth_sasl {
	const struct popper_host *host;
	const struct auth_sasl_conf *conf;
	enum auth_sasl_store store;
	struct popper_mechanism *offers;
	bool plus; /* one of them wants a channel binding */
	char iterations[24]; /* as text, for the library */
	unsigned char key[AUTH_SASL_KEY_MAX];
};

enum auth_sasl_kind {
	AUTH_SASL_PASSWORD, /* no mechanism: USER, checked by the store */
	AUTH_SASL_SCRAM,
	AUTH_SASL_KERBEROS,
	AUTH_SASL_OTHER
};

/* One login. */
struct auth_sasl_exchange {
	const struct auth_sasl *self;
	sasl_conn_t *conn;
	enum auth_sasl_kind kind;
	char mechanism[AUTH_SASL_NAME_MAX];
	unsigned responses; /* heard so far */
	sasl_callback_t callbacks[4];
	sasl_channel_binding_t binding;
	unsigned char octets[AUTH_SASL_BINDING_MAX];
	char *header; /* SCRAM: of the first message, RFC 5801 section 4 */
	char given[POPPER_USER_MAX + 1]; /* as it came; the last one named */
	char user[POPPER_USER_MAX + 1]; /* who proves, canonical */
	char acts_as[POPPER_USER_MAX + 1]; /* who it wants to be, canonical */
	bool fake; /* the secret is made up: there is no such user */
	bool troubled; /* our own trouble, in error */
	struct popper_error error;
};

/* --- sasl_library.c: what the library asks --- */

/** auth_sasl_library_start(self, error): initialise libsasl2, once in a
 * process, and let its plugins be loaded.  0 or -1. */
int auth_sasl_library_start(struct auth_sasl *, struct popper_error *);

/** auth_sasl_library_stop(self): the callbacks forget ${self}.  The library
 * stays: what it loaded is never unloaded. */
void auth_sasl_library_stop(struct auth_sasl *);

/**
 * auth_sasl_connect(x, server_name, flags):
 * A connection of the library for ${x}, with its channel binding if it has
 * one; SASL_SEC_ ${flags} besides those that always hold.  SASL_OK or not.
 */
int auth_sasl_connect(
    struct auth_sasl_exchange *, const char *server_name, unsigned flags);

/* --- sasl_store.c: secrets --- */

/** auth_sasl_store_add(): tell the library of our own store, "popper". */
int auth_sasl_store_add(void);

/** auth_sasl_store_check(self, error): can the sasldb be read?  0, or -1 with
 * ${error}. */
int auth_sasl_store_check(const struct auth_sasl *, struct popper_error *);

/* --- sasl_names.c --- */

/** auth_sasl_names(x): put into the first two callbacks the functions that make
 * names canonical and decide who may act as whom. */
void auth_sasl_names(struct auth_sasl_exchange *);

/** auth_sasl_identify(x, answer): who it is that has proved it.  YES, NO or
 * LATER. */
enum popper_verdict auth_sasl_identify(
    struct auth_sasl_exchange *, struct popper_answer *);

/* --- sasl_scram.c: what the library leaves out --- */

/** auth_sasl_scram_first(x, message), auth_sasl_scram_final(x, message): NULL,
 * or why the client's message must be refused (RFC 5802 sections 5 to 7). */
const char *auth_sasl_scram_first(
    struct auth_sasl_exchange *, struct popper_slice);
const char *auth_sasl_scram_final(
    const struct auth_sasl_exchange *, struct popper_slice);

/* --- sasl_key.c --- */

/** auth_sasl_key_read(self, error): read the key file, make it if it is not
 * there.  0 or -1. */
int auth_sasl_key_read(struct auth_sasl *, struct popper_error *);

/* --- sasl_secret.c --- */

/** auth_sasl_fake(self, label, out, len): ${len} octets, 64 at most, that
 * depend on ${label} (purpose, mechanism, user) and the key, and tell nothing.
 */
void auth_sasl_fake(const struct auth_sasl *, const char *const label[3],
    unsigned char *out, size_t len);

/** auth_sasl_fake_clear(self, mechanism, user, out): a password nobody has, as
 * text of 32 characters. */
void auth_sasl_fake_clear(const struct auth_sasl *, const char *mechanism,
    const char *user, char out[33]);

/** auth_sasl_fake_keys(self, mechanism, user, out, size): the same as stored
 * keys of SCRAM (RFC 5803).  -1 if ${mechanism} has no hash that we know. */
int auth_sasl_fake_keys(const struct auth_sasl *, const char *mechanism,
    const char *user, char *out, size_t size);

/** auth_sasl_derive(self, who, password, out, size): the keys that ${password}
 * gives ${who} (mechanism, user), with the salt of auth_sasl_fake_keys.  -1 as
 * there. */
int auth_sasl_derive(const struct auth_sasl *, const char *const who[2],
    const char *password, char *out, size_t size);

/* --- sasl_offer.c --- */

/** auth_sasl_offer(self, error): find out what can be offered.  0 or -1. */
int auth_sasl_offer(struct auth_sasl *, struct popper_error *);

/** auth_sasl_kind(mechanism): which of the enum. */
enum auth_sasl_kind auth_sasl_kind(const char *mechanism);

/** auth_sasl_is_plus(mechanism): does its name end in -PLUS? */
bool auth_sasl_is_plus(const char *mechanism);

#endif
