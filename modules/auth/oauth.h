/* oauth.h - what the files of the oauth module share. */
#ifndef AUTH_OAUTH_H
#define AUTH_OAUTH_H

#include <sys/stat.h>

#include <popper/auth.h>

#include "oauth_jwt.h"
#include "oauth_keys.h"
#include "oauth_message.h"

/* Room for a host name or an address as text. */
#define OAUTH_HOST_MAX 255
/* Octets of an answer of the introspection endpoint, and of its header. */
#define OAUTH_ANSWER_MAX 65536
#define OAUTH_SECRET_MAX 1023

struct oauth_conf {
	const char *jwks; /* file of keys, or "": no local verification */
	const char *issuer;
	const char *audience;
	const char *algorithms; /* words */
	const char *identity; /* name of a claim */
	const char
	    *domains; /* words, or "": identities are taken as they are */
	const char *scope; /* words, or "" */
	const char *hosts; /* words: further names of this server */
	const char *discovery; /* openid-configuration, or "" */
	bool verified; /* of "email": only with email_verified */
	uint64_t skew; /* seconds */
	uint64_t max_age; /* seconds since iat; 0: no limit */
	const char *introspect; /* URL, or "" */
	bool confirm; /* ask the endpoint about verified tokens too */
	const char *client_id;
	const char *secret_file;
	const char *ca_file; /* or "": the system's */
	uint64_t timeout; /* seconds of one introspection */
};

/* What a file was when it was read. */
struct oauth_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* The instance.  Gates get it by fork: what one of them reads anew is its own.
 */
struct oauth_self {
	const struct popper_host *host;
	const struct oauth_conf *conf;
	unsigned algorithms; /* OAUTH_ bits that may be used */
	struct oauth_keys *keys; /* or NULL: not read */
	struct oauth_stamp stamp; /* of the file of keys */
};

/* Why a token does not let in; the names of RFC 6750 section 3.1. */
enum oauth_result {
	OAUTH_GOOD,
	OAUTH_INVALID, /* invalid_token */
	OAUTH_SCOPE, /* insufficient_scope */
	OAUTH_REQUEST, /* invalid_request */
	OAUTH_LATER /* nobody can tell now */
};

/* --- oauth_conf.c --- */

/**
 * oauth_conf_check(o, error):
 * Check the options and set o->algorithms.  Returns 0, or -1 with ${error}
 * naming the option, the wrong word and the right ones.
 */
int oauth_conf_check(struct oauth_self *, struct popper_error *);

/** oauth_word(list, word): cut the next word off ${list}; false at its end. */
bool oauth_word(const char **list, struct popper_slice *word);

/** oauth_same(a, b): equal but for the case of ASCII letters. */
bool oauth_same(struct popper_slice, struct popper_slice);

/* --- oauth_file.c --- */

/**
 * oauth_file_read(o, path, denied, max, error):
 * Read a whole file of at most ${max} octets, that root or we own and that
 * has none of the mode bits ${denied}.  Returns a malloc'd text with a NUL
 * behind it and its length in ${len}, or NULL.
 */
char *oauth_file_read(const struct oauth_self *, const char *path,
    unsigned denied, size_t max, size_t *len, struct popper_error *);

/**
 * oauth_file_keys(o, error):
 * Have in o->keys what the file of keys says now: it is read again if it is
 * not the one that was read last.  Returns 0, or -1 with o->keys NULL: keys
 * that were withdrawn never come back because their successor is unreadable.
 */
int oauth_file_keys(struct oauth_self *, struct popper_error *);

/* --- oauth_claims.c --- */

/* What a token must say. */
struct oauth_rules {
	const struct oauth_conf *conf;
	int64_t now; /* seconds since 1970 */
	bool introspected; /* exp, iss and aud may be missing */
};

/**
 * oauth_claims_check(claims, rules, name, problem):
 * Do the claims of RFC 7519 section 4.1 (or of RFC 7662 section 2.2) hold for
 * us and now?  OAUTH_GOOD stores the identity in ${name}; else ${problem} is
 * why, in words for the log.
 */
enum oauth_result oauth_claims_check(const json_t *, const struct oauth_rules *,
    char name[POPPER_USER_MAX + 1], const char **problem);

/* --- oauth_verify.c --- */

/** oauth_verify(keys, jwt, allowed): NULL if a key of ${keys} made this
 * signature with one of the ${allowed} algorithms, or why not. */
const char *oauth_verify(
    const struct oauth_keys *, const struct oauth_jwt *, unsigned allowed);

/* --- oauth_introspect.c --- */

/**
 * oauth_introspect_check(o, error):
 * Check the options of introspection and prepare libcurl; once, in the warm
 * parent, which has no threads.  Returns 0, or -1.
 */
int oauth_introspect_check(const struct oauth_self *, struct popper_error *);

/**
 * oauth_introspect(o, token, name, error):
 * Ask the endpoint (RFC 7662).  Takes at most conf->timeout.
 */
enum oauth_result oauth_introspect(const struct oauth_self *,
    struct popper_slice token, char name[POPPER_USER_MAX + 1],
    struct popper_error *);

/* --- oauth_token.c --- */

/**
 * oauth_token(o, token, name, error):
 * Whose token is it?  The keys, the endpoint or both are asked, as the options
 * say.  OAUTH_GOOD stores the identity in ${name}; else ${error} is filled.
 */
enum oauth_result oauth_token(struct oauth_self *, struct popper_slice token,
    char name[POPPER_USER_MAX + 1], struct popper_error *);

/* --- oauth_reply.c --- */

/**
 * oauth_reply(o, bearer, result, answer):
 * The error of OAUTHBEARER (RFC 7628 section 3.2.2) or XOAUTH2 as a challenge.
 * False without memory.
 */
bool oauth_reply(const struct oauth_self *, bool bearer, enum oauth_result,
    struct popper_answer *);

#endif
