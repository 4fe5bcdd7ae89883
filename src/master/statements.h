/*
 * statements.h - what files, flags and the build say, put together.
 *
 * Between statements_begin and statements_end each may say something; the
 * later wins.
 */
#ifndef MASTER_STATEMENTS_H
#define MASTER_STATEMENTS_H

#include "base/settings.h"

/** statements_begin(s, error): ${s} gets the defaults, with those that
 * ./configure was told. */
int statements_begin(struct settings *, struct popper_error *);

/**
 * statements_file(path, error):
 * Read a file: popper.conf(5), or if its first statement is one of Qpopper's,
 * popper-qpopper(5).  -1: POPPER_ABSENT if there is none.
 */
int statements_file(const char *path, struct popper_error *);

/** statements_set(name, value, error): set an option of popper.conf. */
int statements_set(const char *name, const char *value, struct popper_error *);

/**
 * statements_say(flag, name, value, error):
 * A flag of Qpopper's, as its option ${name}; "-b", "bulldir", "/var/bulls".
 * ${value} NULL: true.
 */
int statements_say(const char *flag, const char *name, const char *value,
    struct popper_error *);

/** statements_end(error): all has been said. */
int statements_end(struct popper_error *);

/** statements_note(format, ...): something the administrator should know. */
void statements_note(const char *format, ...) POPPER_PRINTF(1, 2);

/** statements_tell(level): log what should be known of all that. */
void statements_tell(enum popper_level);

#endif
