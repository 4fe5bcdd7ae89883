/*
 * pam.h - the pam module on services of the test's own.
 *
 * They name modules that need no root: pam_matrix and its kin, which come with
 * libpam-wrapper, and Linux-PAM's pam_debug and pam_permit.
 */
#ifndef T_MODULE_PAM_H
#define T_MODULE_PAM_H

#include "auth.h"
#include "modules/auth/pam.h"

extern const struct popper_auth *pm_driver;
extern struct auth_pam_conf pm_conf;
extern void *pm_self;

extern char pm_wrappers[512]; /* folder of pam_matrix.so */
extern char pm_me[256]; /* an account there is: our own */
extern char pm_home[1024];

/** pm_missing(): NULL, or what the tests need and the system has not. */
const char *pm_missing(void);

/** pm_setup, pm_teardown: around each test. */
int pm_setup(void **state);
int pm_teardown(void **state);

/** pm_start(format, ...): write service "t" and start the module on it. */
void pm_start(const char *format, ...) POPPER_PRINTF(1, 2);

/** pm_start_matrix(before, after): the same with our account and the password
 * "right" in pam_matrix, between two pieces of a service. */
void pm_start_matrix(const char *before, const char *after);

enum popper_verdict pm_login(const char *user, const char *password);

#endif
