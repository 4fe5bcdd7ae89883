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

struct passwd_conf {
	const char *file;
	const char *maildrop; /* of users whose own field is empty, or "" */
};

typedef char *passwd_crypt_fn(
    const char *phrase, const char *setting, struct crypt_data *);

/* The instance.  Small: it lies in the warm parent. */
struct passwd_self {
	const struct popper_host *host;
	const struct passwd_conf *conf;
	passwd_crypt_fn *crypt; /* crypt_r; a test counts the calls */
	char dummy[CRYPT_OUTPUT_SIZE]; /* hash to spend time on, or "" */
};

/* One line, as slices of it. */
struct passwd_entry {
	struct popper_slice user;
	struct popper_slice hash;
	struct popper_slice maildrop;
	uid_t uid;
	gid_t gid;
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

/** passwd_hash_usable(hash): some password may fit: not empty, not locked. */
bool passwd_hash_usable(struct popper_slice hash);

/**
 * passwd_hash_keep(p, hash):
 * Remember ${hash} as the one to spend time on for unknown users.
 */
void passwd_hash_keep(struct passwd_self *, struct popper_slice hash);

/**
 * passwd_hash_verify(p, hash, secret):
 * Does ${secret} fit ${hash}?  A secret or a hash that can never fit costs as
 * much time as one that does not.  Returns 1, 0, or -1 without memory.
 */
int passwd_hash_verify(const struct passwd_self *, struct popper_slice hash,
    struct popper_slice secret);

/**
 * passwd_review(p, error):
 * Read the whole file, warn about bad lines and doubled users, and remember a
 * hash to spend time on.  Returns 0, or -1 if it cannot be read.
 */
int passwd_review(struct passwd_self *, struct popper_error *);

#endif
