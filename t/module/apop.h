/*
 * apop.h - the apop module on a database of the test's own.
 */
#ifndef T_MODULE_APOP_H
#define T_MODULE_APOP_H

#include "auth.h"
#include "modules/auth/apop.h"

/* The example of RFC 1939 section 7. */
#define STAMP "<1896.697170952@dbc.mtview.ca.us>"
#define DIGEST "c4c9334bac560ecc979e58001b3e22fb"

extern const struct popper_auth *ap_driver;
extern struct apop_conf ap_conf;
extern char ap_file[512];
extern void *ap_self;
extern struct popper_error ap_error;
/* What the server says to whoever asks for an account, and how often. */
extern enum popper_status ap_account;
extern unsigned ap_lookups;

/** ap_setup, ap_teardown: around each test; mrose has tanstaaf. */
int ap_setup(void **state);
int ap_teardown(void **state);

/** ap_start(): start the module. */
void ap_start(void);

/** ap_store(user, secret, verifier): put a record into the database. */
void ap_store(const char *user, const char *secret, const char *verifier);

/** ap_store_octets(name, name_len, value, value_len): as it lies there. */
void ap_store_octets(
    const char *name, size_t name_len, const char *value, size_t value_len);

/** ap_attempt(mechanism, user, timestamp, secret): one login. */
enum popper_verdict ap_attempt(const char *mechanism, const char *user,
    const char *timestamp, struct popper_slice secret);

/** ap_login(user, digest): APOP after the greeting's STAMP. */
enum popper_verdict ap_login(const char *user, const char *digest);

#endif
