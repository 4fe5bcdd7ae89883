/* passwd.h - what the files of the passwd module share. */
#ifndef AUTH_PASSWD_H
#define AUTH_PASSWD_H

#include <crypt.h>

#include <popper/auth.h>

/* A line holds a name, a hash, two numbers and a path. */
#define PASSWD_LINE_MAX 2048
/* A file larger than this is a mistake, not a list of users. */
#define PASSWD_FILE_MAX (64u << 20)
/* crypt(3) takes no longer ones: CRYPT_MAX_PASSPHRASE_SIZE counts the NUL. */
#define PASSWD_SECRET_MAX 511
/* Room in struct popper_identity for the name of a drop module. */
#define PASSWD_DROP_MAX 31
/* Rounds of PBKDF2: fewer are too easy to guess, more would hold the gate for
 * many seconds (RFC 7677 section 4 asks for 4096). */
#define PASSWD_ROUNDS_MIN 4096
#define PASSWD_ROUNDS_MAX 10000000
#define PASSWD_SALT_MAX 64
#define PASSWD_DIGEST_MAX 64
/* Seconds: a week between two logins is a mistake. */
#define PASSWD_DELAY_MAX 604800

struct passwd_conf {
	const char *file;
	const char *maildrop; /* of users whose own field is empty, or "" */
};

typedef char *passwd_crypt_fn(
    const char *phrase, const char *setting, struct crypt_data *);

/* SCRAM's hash functions, weakest first. */
enum passwd_kind { PASSWD_SHA_1, PASSWD_SHA_256, PASSWD_SHA_512, PASSWD_KINDS };

/* A stored key of SCRAM (RFC 5802 section 3).  The texts are base64. */
struct passwd_key {
	uint32_t rounds; /* 0: there is no such key */
	struct popper_slice salt_text, stored_text, server_text;
	size_t salt_len;
	unsigned char salt[PASSWD_SALT_MAX];
	unsigned char stored[PASSWD_DIGEST_MAX];
};

/* What a password is checked against: the hash field, taken apart. */
struct passwd_proof {
	struct popper_slice crypt; /* crypt(3)'s; empty if there is none */
	struct passwd_key key[PASSWD_KINDS];
};

/* SCRAM's SaltedPassword of ${phrase}, PASSWD_DIGEST_MAX octets of room. */
typedef void passwd_derive_fn(enum passwd_kind, struct popper_slice phrase,
    const struct passwd_key *, unsigned char *salted);

/* The instance.  Small: it lies in the warm parent. */
struct passwd_self {
	const struct popper_host *host;
	const struct passwd_conf *conf;
	passwd_crypt_fn *crypt; /* crypt_r; a test counts the calls */
	passwd_derive_fn *derive; /* passwd_scram_derive; the same */
	/* What to spend time on for users who are not there: a hash of
	 * crypt(3), or "" and rounds of a kind, or neither. */
	char dummy[CRYPT_OUTPUT_SIZE];
	enum passwd_kind dummy_kind;
	uint32_t dummy_rounds;
};

/* One line, as slices of it. */
struct passwd_entry {
	struct popper_slice user;
	struct popper_slice hash; /* the whole field */
	struct popper_slice maildrop;
	uid_t uid;
	gid_t gid;
	bool delayed; /* login_delay is set */
	uint64_t login_delay; /* seconds */
	struct passwd_proof proof;
};

/* The file, line by line. */
struct passwd_reader {
	int fd;
	unsigned long line; /* number of the line last returned */
	size_t from, len; /* what is not yet used of buf */
	size_t touched; /* so much of buf was ever filled */
	bool torn; /* the line last returned ends without a newline */
	char buf[65536];
};

/**
 * passwd_open(p, error):
 * Open the file of users, refusing one that others than its owner can read or
 * write.  Returns a reader that the caller frees with passwd_close, or NULL.
 */
struct passwd_reader *passwd_open(
    const struct passwd_self *, struct popper_error *);

/**
 * passwd_next(p, reader, line, error):
 * Store the next line without its line end; it is good until the next call.
 * One longer than PASSWD_LINE_MAX is cut, but not to less than one octet more,
 * and so is refused by passwd_parse.  Returns 1, 0 at the end, -1 on failure.
 */
int passwd_next(const struct passwd_self *, struct passwd_reader *,
    struct popper_slice *line, struct popper_error *);

/** passwd_close(reader): close, wipe and free.  Takes NULL. */
void passwd_close(const struct passwd_self *, struct passwd_reader *);

/* Where the scan for a user ended. */
struct passwd_found {
	struct passwd_reader *reader; /* all others point into it */
	struct popper_slice line;
	struct passwd_entry entry;
	const char *problem; /* with the user's line, or NULL */
};

/**
 * passwd_find(p, user, found, error):
 * Look for ${user}'s first line.  Returns 1 with ${found} filled, 0 if there is
 * none, -1 on failure.  The caller closes found->reader.
 */
int passwd_find(struct passwd_self *, const char *user, struct passwd_found *,
    struct popper_error *);

/** passwd_lookup, passwd_vouch: see popper/auth.h. */
int passwd_lookup(void *self, const char *user, struct popper_identity *,
    struct popper_error *);
int passwd_vouch(void *self, const char *user, struct popper_identity *,
    struct popper_stamp *, struct popper_error *);

/** passwd_is_comment(line): nothing but blanks, or a comment. */
bool passwd_is_comment(struct popper_slice line);

/**
 * passwd_parse(line, entry):
 * Take ${line} apart.  Returns NULL, or what is wrong with it; entry->user is
 * set even then, as far as it can be told.
 */
const char *passwd_parse(struct popper_slice line, struct passwd_entry *);

/** passwd_problem(reader, line, entry): the same, of a line just read. */
const char *passwd_problem(const struct passwd_reader *,
    struct popper_slice line, struct passwd_entry *);

/** passwd_check_maildrop(text): NULL, or what is wrong with a maildrop. */
const char *passwd_check_maildrop(struct popper_slice);

/**
 * passwd_identify(p, entry, identity, error):
 * Fill ${identity} from ${entry}.  Returns 0, or -1 if the maildrop cannot be
 * expanded or is too long.
 */
int passwd_identify(const struct passwd_self *, const struct passwd_entry *,
    struct popper_identity *, struct popper_error *);

/**
 * passwd_proof_parse(field, proof):
 * Take a hash field apart.  Returns NULL, or what is wrong with it.
 */
const char *passwd_proof_parse(
    struct popper_slice field, struct passwd_proof *);

/**
 * passwd_proof_usable(proof):
 * Some password may fit: there is something, and nothing in it is locked.
 */
bool passwd_proof_usable(const struct passwd_proof *);

/** passwd_proof_best(proof): the kind of its strongest key, or -1. */
int passwd_proof_best(const struct passwd_proof *);

/**
 * passwd_proof_keep(p, proof):
 * Remember the usable ${proof} as the one to spend time on for unknown users.
 */
void passwd_proof_keep(struct passwd_self *, const struct passwd_proof *);

/**
 * passwd_proof_verify(p, proof, secret):
 * Does ${secret} fit ${proof}: its hash of crypt(3), or without one its
 * strongest key?  A secret or a proof that can never fit costs as much time as
 * one that does not.  Returns 1, 0, or -1 without memory.
 */
int passwd_proof_verify(const struct passwd_self *, const struct passwd_proof *,
    struct popper_slice secret);

/** passwd_hash_usable(hash): crypt(3) could have made it: not locked. */
bool passwd_hash_usable(struct popper_slice hash);

/**
 * passwd_hash_verify(p, hash, phrase):
 * Does ${phrase} fit ${hash} ("": spend the time of a usual one)?  A hash that
 * the system does not know costs about as much.  Returns 1, 0, or -1 without
 * memory.
 */
int passwd_hash_verify(
    const struct passwd_self *, const char *hash, const char *phrase);

/**
 * passwd_scram_parse(item, proof):
 * Read "$scram-sha-256$ROUNDS$SALT$STOREDKEY$SERVERKEY" or its kin into its
 * place in ${proof}.  Returns NULL, or what is wrong with it.
 */
const char *passwd_scram_parse(struct popper_slice item, struct passwd_proof *);

/** passwd_scram_is(item): it claims to be such a key. */
bool passwd_scram_is(struct popper_slice item);

/** passwd_scram_derive: a passwd_derive_fn, PBKDF2 (RFC 8018). */
passwd_derive_fn passwd_scram_derive;

/** passwd_scram_verify(p, kind, key, phrase): does ${phrase} fit ${key}? */
bool passwd_scram_verify(const struct passwd_self *, enum passwd_kind,
    const struct passwd_key *, struct popper_slice phrase);

/**
 * passwd_scram_write(kind, proof, out, size):
 * The key for SASL: "SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey" (RFC
 * 5803).  ${kind} is a name like "SCRAM-SHA-256".  Returns 1, 0 if there is no
 * such key, or -1 if ${size} is too small.
 */
int passwd_scram_write(
    const char *kind, const struct passwd_proof *, char *out, size_t size);

/**
 * passwd_review(p, error):
 * Read the whole file, warn about bad lines and doubled users, and remember a
 * hash to spend time on.  Returns 0, or -1 if it cannot be read.
 */
int passwd_review(struct passwd_self *, struct popper_error *);

#endif
