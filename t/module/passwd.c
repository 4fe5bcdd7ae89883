/* passwd.c - see passwd.h. */
#include "passwd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern const struct popper_module passwd_LTX_popper_module;

const struct popper_auth *pw_driver;
struct passwd_conf pw_conf;
char pw_file[512];
void *pw_self;

/* What crypt was asked; the password fits if it is "right". */
unsigned pw_calls;
char pw_setting[CRYPT_OUTPUT_SIZE];
char pw_phrase[CRYPT_MAX_PASSPHRASE_SIZE];

static char *
count_crypt(const char *phrase, const char *setting, struct crypt_data *data)
{
	pw_calls++;
	(void)snprintf(pw_phrase, sizeof(pw_phrase), "%s", phrase);
	(void)snprintf(pw_setting, sizeof(pw_setting), "%s", setting);
	(void)snprintf(data->output, sizeof(data->output), "%s%s",
	    strcmp(phrase, "right") == 0 ? "" : "not", setting);
	return data->output;
}

void
pw_start(const char *text)
{
	struct popper_error e;

	(void)snprintf(
	    pw_file, sizeof(pw_file), "%s", auth_write("users", 0600, text));
	pw_conf.file = pw_file;
	pw_conf.maildrop = "";
	if (pw_self != NULL)
		pw_driver->stop(pw_self);
	assert_int_equal(
	    pw_driver->start(&auth_host, &pw_conf, &pw_self, &e), 0);
}

void
pw_start_counting(const char *text)
{
	pw_start(text);
	((struct passwd_self *)pw_self)->crypt = count_crypt;
	pw_calls = 0;
}

void
pw_refuse_start(const char *why)
{
	struct popper_error e = { .text = "" };

	assert_int_equal(
	    pw_driver->start(&auth_host, &pw_conf, &pw_self, &e), -1);
	assert_non_null(strstr(e.text, pw_file));
	if (strstr(e.text, why) == NULL)
		print_error("\"%s\" does not say \"%s\"\n", e.text, why);
	assert_non_null(strstr(e.text, why));
	pw_self = NULL;
}

int
pw_setup(void **state)
{
	(void)state;
	pw_driver = passwd_LTX_popper_module.auth;
	pw_self = NULL;
	auth_folder_make();
	return 0;
}

int
pw_teardown(void **state)
{
	(void)state;
	pw_driver->stop(pw_self);
	auth_folder_remove();
	return 0;
}

enum popper_verdict
pw_login_octets(const char *user, struct popper_slice password)
{
	void *exchange;
	enum popper_verdict v =
	    auth_login(pw_driver, pw_self, user, password, &exchange);

	pw_driver->end(exchange);
	return v;
}

enum popper_verdict
pw_login(const char *user, const char *password)
{
	return pw_login_octets(user, popper_slice_text(password));
}
