/* app.c - see app.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app.h"

#include "base/error.h"

extern const struct popper_module app_LTX_popper_module;

const struct popper_auth *app_driver;
struct app_conf app_settings;
static struct popper_host host;
void *app_itself;
char app_path[512], app_used_path[600];
time_t app_clock;

/* What host->lookup says. */
enum popper_status app_knows;
unsigned app_lookups;

static int
lookup(const char *user, struct popper_identity *id, struct popper_error *e)
{
	app_lookups++;
	if (app_knows != POPPER_OK)
		return error_set(e, app_knows, "not so");
	(void)snprintf(id->user, sizeof(id->user), "%s", user);
	id->uid = 4711;
	return 0;
}

static time_t
now(time_t *t)
{
	(void)t;
	return app_clock;
}

int
app_setup(void **state)
{
	(void)state;
	app_driver = app_LTX_popper_module.auth;
	app_itself = NULL;
	auth_folder_make();
	host = auth_host;
	host.lookup = lookup;
	app_knows = POPPER_OK;
	app_lookups = 0;
	app_clock = 1795323000;
	(void)snprintf(
	    app_used_path, sizeof(app_used_path), "%s/used", auth_folder);
	(void)snprintf(app_path, sizeof(app_path), "%s/app", auth_folder);
	app_settings =
	    (struct app_conf){ .file = app_path, .last_use = app_used_path };
	return 0;
}

int
app_teardown(void **state)
{
	(void)state;
	app_driver->stop(app_itself);
	auth_folder_remove();
	return 0;
}

void
app_begin_with(const char *text)
{
	struct popper_error e;

	(void)auth_write("app", 0600, text);
	app_driver->stop(app_itself);
	assert_int_equal(
	    app_driver->start(&host, &app_settings, &app_itself, &e), 0);
	((struct app_self *)app_itself)->now = now;
}

void
app_refuse_start(const char *why)
{
	struct popper_error e = { .text = "" };

	app_driver->stop(app_itself);
	app_itself = NULL;
	assert_int_equal(
	    app_driver->start(&host, &app_settings, &app_itself, &e), -1);
	assert_non_null(strstr(e.text, app_path));
	assert_non_null(strstr(e.text, why));
	app_itself = NULL;
}

enum popper_verdict
app_login(const char *user, const char *password)
{
	void *exchange;
	enum popper_verdict v = auth_login(app_driver, app_itself, user,
	    popper_slice_text(password), &exchange);

	app_driver->end(exchange);
	return v;
}
