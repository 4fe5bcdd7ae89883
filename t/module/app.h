/*
 * app.h - the app module on files of the test's own.
 */
#ifndef T_MODULE_APP_H
#define T_MODULE_APP_H

#include "auth.h"
#include "modules/auth/app.h"

/* What sha256sum says of 24 characters. */
#define ONE "0123456789abcdefghjkmnpq"
#define ONE_HASH   \
	"$sha256$" \
	"ae9b3b8ad01a36a174f169cc3c75c47a7bd873a2d8fa78cc5d85f3fa0a33fc96"
#define TWO "vwxyzvwxyzvwxyzvwxyz2222"
#define TWO_HASH   \
	"$sha256$" \
	"32846a20556b5c6f72b12029455bb41cf12fba9218e17d1240c189afce17da6c"

extern const struct popper_auth *app_driver;
extern struct app_conf app_settings;
extern char app_path[512], app_used_path[600];
extern void *app_itself;
extern time_t app_clock; /* what the module thinks is now */

/* What host->lookup says, POPPER_OK for uid 4711; how often it was asked. */
extern enum popper_status app_knows;
extern unsigned app_lookups;

/** app_setup, app_teardown: around each test. */
int app_setup(void **state);
int app_teardown(void **state);

/** app_begin_with(text): start the module, afresh, on a file with ${text}. */
void app_begin_with(const char *text);

/** app_refuse_start(why): it does not start, and the log would say ${why}. */
void app_refuse_start(const char *why);

enum popper_verdict app_login(const char *user, const char *password);

#endif
