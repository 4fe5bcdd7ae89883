/*
 * passwd.h - the passwd module on a file of the test's own.
 */
#ifndef T_MODULE_PASSWD_H
#define T_MODULE_PASSWD_H

#include "auth.h"
#include "modules/auth/passwd.h"

extern const struct popper_auth *pw_driver;
extern struct passwd_conf pw_conf;
extern char pw_file[512];
extern void *pw_self;

/* What crypt was asked since pw_start_counting. */
extern unsigned pw_calls;
extern char pw_setting[CRYPT_OUTPUT_SIZE];
extern char pw_phrase[CRYPT_MAX_PASSPHRASE_SIZE];

/** pw_setup, pw_teardown: around each test. */
int pw_setup(void **state);
int pw_teardown(void **state);

/** pw_start(text): start the module on a file that holds ${text}. */
void pw_start(const char *text);

/** pw_start_counting(text): the same, but of all passwords only "right" fits,
 * and the calls of crypt are counted. */
void pw_start_counting(const char *text);

/** pw_refuse_start(why): it does not start, and the log would say ${why}. */
void pw_refuse_start(const char *why);

enum popper_verdict pw_login(const char *user, const char *password);
enum popper_verdict pw_login_octets(
    const char *user, struct popper_slice password);

#endif
