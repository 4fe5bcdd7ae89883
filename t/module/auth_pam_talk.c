/*
 * auth_pam_talk.c - the pam module: what PAM's modules are told and tell, what
 * is loaded once, and PAM sessions.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pam.h"

/* libpam sleeps unless it has somebody to tell, so a delay that was told is
 * one that was not slept. */
static void
a_delay_is_reported(void **state)
{
	(void)state;
	pm_start_matrix("auth optional pam_faildelay.so delay=900000000", "");
	assert_int_equal(pm_login(pm_me, "wrong"), POPPER_AUTH_NO);
	assert_true(auth_answer.delay >= 100000000);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.delay, 0);
	pm_driver->stop(pm_self);
	/* An account refused must not be told from a wrong password by it,
	 * nor a user there is not. */
	pm_start_matrix("auth optional pam_faildelay.so delay=900000000",
	    "account required pam_deny.so");
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_NO);
	assert_true(auth_answer.delay >= 100000000);
	pm_driver->stop(pm_self);
	pm_start("auth optional pam_faildelay.so delay=900000000\n"
		 "auth [default=die] pam_debug.so auth=user_unknown\n"
		 "account required pam_permit.so\n");
	assert_int_equal(pm_login("nobody-at-all", "x"), POPPER_AUTH_NEXT);
	assert_true(auth_answer.delay >= 100000000);
}

static void
modules_know_the_client_in_time(void **state)
{
	struct auth_pam_exchange *x;
	void *exchange;

	(void)state;
	pm_start(
	    "auth required %s/pam_get_items.so\nauth required pam_deny.so\n"
	    "account required pam_permit.so\n",
	    pm_wrappers);
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice_text("x"), &exchange),
	    POPPER_AUTH_NO);
	x = exchange;
	assert_non_null(pam_getenv(x->handle, "PAM_RHOST"));
	assert_string_equal(pam_getenv(x->handle, "PAM_RHOST"), "192.0.2.7");
	assert_string_equal(pam_getenv(x->handle, "PAM_USER"), pm_me);
	pm_driver->end(exchange);
}

/* What a module would get that asks these questions. */
static int
ask(struct auth_pam_exchange *x, int count, const int *styles,
    struct pam_response **answers)
{
	struct pam_message text[2];
	const struct pam_message *all[2];
	const void *item = NULL;
	const struct pam_conv *conv;

	assert_int_equal(pam_get_item(x->handle, PAM_CONV, &item), PAM_SUCCESS);
	conv = item;
	for (int i = 0; i < count && i < 2; i++) {
		text[i].msg_style = styles[i];
		text[i].msg = "Code";
		all[i] = &text[i];
	}
	*answers = NULL;
	return conv->conv(count, all, answers, conv->appdata_ptr);
}

static void
texts_are_for_the_log(void **state)
{
	static const int texts[] = { PAM_TEXT_INFO, PAM_ERROR_MSG };
	struct pam_response *answers;
	void *exchange;

	(void)state;
	pm_start_matrix("", "");
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice_text("right"), &exchange),
	    POPPER_AUTH_YES);
	assert_int_equal(ask(exchange, 2, texts, &answers), PAM_SUCCESS);
	assert_null(answers[0].resp);
	assert_null(answers[1].resp);
	free(answers);
	assert_int_equal(auth_logged("pam: says: Code"), 2);
	pm_driver->end(exchange);
}

static void
only_a_hidden_prompt_gets_the_password(void **state)
{
	static const int hidden[] = { PAM_TEXT_INFO, PAM_PROMPT_ECHO_OFF };
	static const int shown[] = { PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON };
	struct auth_pam_exchange *x;
	struct pam_response *answers;
	void *exchange;

	(void)state;
	pm_start_matrix("", "");
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice_text("right"), &exchange),
	    POPPER_AUTH_YES);
	x = exchange;
	assert_null(x->secret.ptr); /* gone once begin has returned */
	x->secret = popper_slice("rightmore", 5);
	assert_int_equal(ask(x, 2, hidden, &answers), PAM_SUCCESS);
	assert_null(answers[0].resp);
	assert_string_equal(answers[1].resp, "right");
	free(answers[1].resp);
	free(answers);
	assert_int_equal(ask(x, 2, shown, &answers), PAM_CONV_ERR);
	assert_null(answers);
	assert_int_equal(ask(x, 0, shown, &answers), PAM_CONV_ERR);
	assert_int_equal(
	    ask(x, PAM_MAX_NUM_MSG + 1, shown, &answers), PAM_CONV_ERR);
	pm_driver->end(exchange);
}

static void
bad_options_stop_the_start(void **state)
{
	static const struct auth_pam_conf bad[] = {
		{ .service = "", .folder = "", .mail = "" },
		{ .service = "../shadow", .folder = "", .mail = "" },
		{ .service = "t", .folder = "pam.d", .mail = "" },
		{ .service = "t", .folder = "", .mail = "Maildir" },
		{ .service = "t", .folder = "", .mail = ":/m" },
		{ .service = "t", .folder = "", .mail = "mbox:" },
	};
	struct popper_error e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.text[0] = '\0';
		assert_int_equal(
		    pm_driver->start(&auth_host, &bad[i], &pm_self, &e), -1);
		assert_memory_equal(e.text, "pam: ", 5);
	}
}

static void
a_missing_service_is_told(void **state)
{
	struct popper_error e;
	char path[600];

	(void)state;
	assert_int_equal(
	    pm_driver->start(&auth_host, &pm_conf, &pm_self, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/t is missing", auth_folder);
	assert_int_equal(auth_logged(path), 1);
	assert_int_equal(auth_logged("cannot be used now"), 1);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_LATER);
	assert_int_equal(auth_answer.error.status, POPPER_TEMPORARY);
	/* Once it is there it works, without a new start. */
	(void)auth_write("t", 0644,
	    "auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
}

static void
modules_stay_in_memory(void **state)
{
	char path[600];
	void *loaded;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/pam_matrix.so", pm_wrappers);
	assert_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
	pm_start_matrix("", "");
	loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(loaded);
	assert_int_equal(dlclose(loaded), 0);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
	loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(loaded);
	assert_int_equal(dlclose(loaded), 0);
}

static enum popper_verdict
login_and_stay(void **exchange)
{
	return auth_login(
	    pm_driver, pm_self, pm_me, popper_slice_text("right"), exchange);
}

static void
a_session_is_opened_and_closed(void **state)
{
	struct auth_pam_exchange *x;
	struct popper_error e;
	void *exchange;

	(void)state;
	pm_conf.session = true;
	pm_start_matrix("", "session required pam_debug.so");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.flags, POPPER_IDENTITY_KEEP);
	x = exchange;
	assert_false(x->open);
	assert_int_equal(pm_driver->opened(exchange, &e), 0);
	assert_true(x->open);
	pm_driver->closed(exchange);
	assert_false(x->open);
	assert_int_equal(x->last, PAM_SUCCESS);
	assert_int_equal(auth_logged("pam"), 0);
	pm_driver->end(exchange);
}

static void
a_session_refused_refuses_the_login(void **state)
{
	struct popper_error e;
	void *exchange;

	(void)state;
	pm_conf.session = true;
	pm_start_matrix("",
	    "session required pam_debug.so "
	    "open_session=perm_denied");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(pm_driver->opened(exchange, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "session"));
	pm_driver->closed(exchange);
	pm_driver->end(exchange);
	pm_driver->stop(pm_self);
	pm_start_matrix(
	    "auth [success=ok default=die] pam_debug.so cred=cred_err",
	    "session required pam_permit.so");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(pm_driver->opened(exchange, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "credentials"));
	pm_driver->end(exchange);
}

static void
a_session_left_open_is_closed_and_told(void **state)
{
	struct popper_error e;
	void *exchange;

	(void)state;
	pm_conf.session = true;
	pm_start_matrix("",
	    "session required pam_debug.so "
	    "close_session=session_err");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(pm_driver->opened(exchange, &e), 0);
	pm_driver->end(exchange);
	assert_int_equal(auth_logged("pam: end of session: "), 1);
	pm_driver->end(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pm_setup, pm_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(modules_stay_in_memory),
		TEST(a_delay_is_reported),
		TEST(modules_know_the_client_in_time),
		TEST(texts_are_for_the_log),
		TEST(only_a_hidden_prompt_gets_the_password),
		TEST(bad_options_stop_the_start),
		TEST(a_missing_service_is_told),
		TEST(a_session_is_opened_and_closed),
		TEST(a_session_refused_refuses_the_login),
		TEST(a_session_left_open_is_closed_and_told),
	};
	const char *missing = pm_missing();

	if (missing != NULL) {
		(void)printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
