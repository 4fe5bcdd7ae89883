/* app.h - what the files of the app module share. */
#ifndef AUTH_APP_H
#define AUTH_APP_H

#include <time.h>

#include <popper/auth.h>

/* An app password: so many characters of 32, 5 bits each. */
#define APP_LETTERS 24
/* What the file says of one: "$sha256$" and 64 hexadecimal digits. */
#define APP_HASH_LEN 72
#define APP_DEVICE_MAX 64
#define APP_LINE_MAX 512
/* A file larger than this is a mistake. */
#define APP_FILE_MAX (16u << 20)

struct app_conf {
	const char *file;
	const char *last_use; /* file of last use, or "" */
	bool only; /* who has app passwords must use one */
};

/* The instance.  Small: it lies in the warm parent. */
struct app_self {
	const struct popper_host *host;
	const struct app_conf *conf;
	time_t (*now)(time_t *); /* time; a test has its own */
};

/* The file, read as a whole. */
struct app_text {
	char *octets;
	size_t len;
};

/* One line, as slices of it. */
struct app_line {
	struct popper_slice user, device, hash, created;
};

/**
 * app_read(a, text, error):
 * Read the whole file, refusing one that others than its owner can read or
 * write.  Returns 0, or -1; end with app_forget.
 */
int app_read(const struct app_self *, struct app_text *, struct popper_error *);

/** app_forget(a, text): wipe and free. */
void app_forget(const struct app_self *, struct app_text *);

/**
 * app_next(rest, line, torn):
 * Cut the next line off ${rest}, without its line end; ${torn} if it has none.
 * False if nothing is left.
 */
bool app_next(struct popper_slice *rest, struct popper_slice *line, bool *torn);

/** app_is_comment(line): nothing but blanks, or a comment. */
bool app_is_comment(struct popper_slice line);

/** app_parse(text, line): take a line apart.  NULL, or what is wrong with it.
 */
const char *app_parse(struct popper_slice text, struct app_line *);

/**
 * app_hash(a, typed, hash):
 * Store in ${hash} what the file would say of the password ${typed}, whose
 * spaces, dashes and case do not matter.  False if it is no app password; a
 * hash of something else is stored then, for the time it takes.
 */
bool app_hash(const struct app_self *, struct popper_slice typed,
    char hash[APP_HASH_LEN]);

/** app_stamp(text, user, octets): a digest of all lines of ${user}, 32 octets
 * of room. */
void app_stamp(
    const struct app_text *, const char *user, unsigned char *octets);

/**
 * app_used(a, hash):
 * Note that the device with ${hash} was used now, at most once a minute.  Best
 * effort: waits for nobody and cannot fail.
 */
void app_used(const struct app_self *, struct popper_slice hash);

/** app_used_check(a): warn in the log if last use cannot be kept. */
void app_used_check(const struct app_self *);

#endif
