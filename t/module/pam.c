/* pam.c - see pam.h. */
#include "pam.h"

#include <glob.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct popper_module pam_LTX_popper_module;

/* libpam loses a few octets when a service is missing; a gate is gone soon
 * after.  LeakSanitizer asks for this function by its name. */
const char *__lsan_default_suppressions(void);

POPPER_EXPORT const char *
__lsan_default_suppressions(void)
{
	return "leak:libpam.so";
}

const struct popper_auth *pm_driver;
struct auth_pam_conf pm_conf;
void *pm_self;

char pm_wrappers[512]; /* folder of pam_matrix.so */
char pm_me[256]; /* an account there is: our own */
char pm_home[1024];

void
pm_start(const char *format, ...)
{
	char text[4096];
	struct popper_error e;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)auth_write("t", 0644, text);
	assert_int_equal(
	    pm_driver->start(&auth_host, &pm_conf, &pm_self, &e), 0);
}

void
pm_start_matrix(const char *before, const char *after)
{
	char passdb[512];

	(void)snprintf(passdb, sizeof(passdb), "%s:right:t\n", pm_me);
	(void)auth_write("passdb", 0600, passdb);
	pm_start("%s\nauth required %s/pam_matrix.so passdb=%s/passdb\n"
		 "account required %s/pam_matrix.so passdb=%s/passdb\n%s\n",
	    before, pm_wrappers, auth_folder, pm_wrappers, auth_folder, after);
}

int
pm_setup(void **state)
{
	(void)state;
	pm_driver = pam_LTX_popper_module.auth;
	pm_self = NULL;
	auth_folder_make();
	pm_conf = (struct auth_pam_conf){
		.service = "t", .folder = auth_folder, .mail = ""
	};
	return 0;
}

int
pm_teardown(void **state)
{
	(void)state;
	pm_driver->stop(pm_self);
	(void)unsetenv("PAM_USER");
	auth_folder_remove();
	return 0;
}

enum popper_verdict
pm_login(const char *user, const char *password)
{
	void *exchange;
	enum popper_verdict v = auth_login(
	    pm_driver, pm_self, user, popper_slice_text(password), &exchange);

	pm_driver->end(exchange);
	return v;
}

const char *
pm_missing(void)
{
	static const char *const places[] = {
		"/usr/lib/*/pam_wrapper/pam_matrix.so",
		"/usr/lib*/pam_wrapper/pam_matrix.so"
	};
	const struct passwd *account = getpwuid(getuid());
	glob_t found;

	for (size_t i = 0; i < 2 && pm_wrappers[0] == '\0'; i++) {
		if (glob(places[i], 0, NULL, &found) == 0)
			(void)snprintf(pm_wrappers, sizeof(pm_wrappers), "%.*s",
			    (int)(strrchr(found.gl_pathv[0], '/') -
				found.gl_pathv[0]),
			    found.gl_pathv[0]);
		globfree(&found);
	}
	if (pm_wrappers[0] == '\0')
		return "libpam-wrapper is not installed";
	if (account == NULL)
		return "our own uid has no account";
	(void)snprintf(pm_me, sizeof(pm_me), "%s", account->pw_name);
	(void)snprintf(pm_home, sizeof(pm_home), "%s", account->pw_dir);
	return NULL;
}
