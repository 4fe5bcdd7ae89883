/*
 * auth_pam.c - the pam module, driven as the gate drives it.
 *
 * Services come from a folder of the test's own and name modules that need no
 * root: pam_matrix and its kin of libpam-wrapper, and Linux-PAM's pam_debug.
 */
#include <dlfcn.h>
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

#include "auth.h"
#include "modules/auth/pam.h"

extern const struct popper_module pam_LTX_popper_module;

static const struct popper_auth *driver;
static struct auth_pam_conf conf;
static void *self;

static char wrappers[512]; /* folder of pam_matrix.so */
static char me[256]; /* an account there is: our own */
static char home[1024];

/* Write service "t" and start the module on it. */
static void start(const char *format, ...) POPPER_PRINTF(1, 2);

static void
start(const char *format, ...)
{
	char text[4096];
	struct popper_error e;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)auth_write("t", 0644, text);
	assert_int_equal(driver->start(&auth_host, &conf, &self, &e), 0);
}

/* The same with ${me} and his password in pam_matrix. */
static void
start_matrix(const char *before, const char *after)
{
	char passdb[512];

	(void)snprintf(passdb, sizeof(passdb), "%s:right:t\n", me);
	(void)auth_write("passdb", 0600, passdb);
	start("%s\nauth required %s/pam_matrix.so passdb=%s/passdb\n"
	      "account required %s/pam_matrix.so passdb=%s/passdb\n%s\n",
	    before, wrappers, auth_folder, wrappers, auth_folder, after);
}

static int
setup(void **state)
{
	(void)state;
	driver = pam_LTX_popper_module.auth;
	self = NULL;
	auth_folder_make();
	conf = (struct auth_pam_conf){
		.service = "t", .folder = auth_folder, .mail = ""
	};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver->stop(self);
	(void)unsetenv("PAM_USER");
	auth_folder_remove();
	return 0;
}

static enum popper_verdict
login(const char *user, const char *password)
{
	void *exchange;
	enum popper_verdict v = auth_login(
	    driver, self, user, popper_slice_text(password), &exchange);

	driver->end(exchange);
	return v;
}

static void
the_right_password_gives_the_account(void **state)
{
	const struct popper_identity *id = &auth_answer.identity;

	(void)state;
	start_matrix("", "");
	assert_int_equal(auth_logged("pam"), 0);
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
	assert_string_equal(id->user, me);
	assert_string_equal(id->home, home);
	assert_int_equal(id->uid, getuid());
	assert_int_equal(id->flags, 0);
	assert_string_equal(id->drop, "");
	assert_string_equal(id->maildrop, "");
	assert_int_equal(auth_answer.delay, 0);
}

static void
the_wrong_password_does_not(void **state)
{
	(void)state;
	start_matrix("", "");
	assert_int_equal(login(me, "Right"), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(strstr(auth_answer.error.text, "authenticate"));
	assert_int_equal(auth_answer.identity.user[0], '\0');
	assert_int_equal(login(me, "right "), POPPER_AUTH_NO);
}

static void
an_unknown_user_is_for_the_next(void **state)
{
	(void)state;
	start("auth required pam_debug.so auth=user_unknown\n"
	      "account required pam_permit.so\n");
	assert_int_equal(login("nobody-at-all", "right"), POPPER_AUTH_NEXT);
}

static void
a_name_that_is_none_is_not_asked_for(void **state)
{
	static const char *const names[] = { "", "a/b", "../etc", "a:b", "a\nb",
		"a\x7f" };

	(void)state;
	start("auth required pam_permit.so\naccount required pam_permit.so\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(login(names[i], "right"), POPPER_AUTH_NEXT);
}

static void
an_account_there_is_not_gets_nothing(void **state)
{
	(void)state;
	start("auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(login("no-such-account", "x"), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(strstr(auth_answer.error.text, "has no account"));
}

/* pam_permit takes anything, so it is the module that refuses. */
static void
some_passwords_never_reach_pam(void **state)
{
	static char longest[PAM_MAX_RESP_SIZE];
	void *x;

	(void)state;
	start("auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(login(me, ""), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_int_equal(
	    auth_login(driver, self, me, popper_slice("right\0", 6), &x),
	    POPPER_AUTH_NO);
	driver->end(x);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(auth_login(driver, self, me,
			     popper_slice(longest, sizeof(longest)), &x),
	    POPPER_AUTH_NO);
	driver->end(x);
	assert_int_equal(auth_login(driver, self, me,
			     popper_slice(longest, sizeof(longest) - 1), &x),
	    POPPER_AUTH_YES);
	driver->end(x);
}

static void
what_pam_says_decides(void **state)
{
	static const struct {
		const char *said;
		enum popper_verdict in_auth, in_account;
	} cases[] = {
		{ "success", POPPER_AUTH_YES, POPPER_AUTH_YES },
		{ "auth_err", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "perm_denied", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "maxtries", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "cred_insufficient", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "acct_expired", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "authtok_expired", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "new_authtok_reqd", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "user_unknown", POPPER_AUTH_NEXT, POPPER_AUTH_NO },
		{ "conv_err", POPPER_AUTH_NO, POPPER_AUTH_NO },
		{ "authinfo_unavail", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
		{ "system_err", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
		{ "service_err", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
		{ "buf_err", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
		{ "abort", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
		{ "open_err", POPPER_AUTH_LATER, POPPER_AUTH_LATER },
	};

	(void)state;
	/* The word "[default=die]" hands the result through as it is. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start("auth [success=ok default=die] pam_debug.so auth=%s\n"
		      "account required pam_permit.so\n",
		    cases[i].said);
		assert_int_equal(login(me, "x"), cases[i].in_auth);
		driver->stop(self);
		start("auth required pam_permit.so\n"
		      "account [success=ok default=die] pam_debug.so acct=%s\n",
		    cases[i].said);
		assert_int_equal(login(me, "x"), cases[i].in_account);
		if (cases[i].in_account == POPPER_AUTH_NO)
			assert_non_null(
			    strstr(auth_answer.error.text, "account: "));
		if (cases[i].in_account == POPPER_AUTH_LATER)
			assert_int_equal(
			    auth_answer.error.status, POPPER_TEMPORARY);
		driver->stop(self);
		self = NULL;
	}
}

static void
the_account_is_always_checked(void **state)
{
	char passdb[512];

	(void)state;
	start_matrix("", "account required pam_deny.so");
	assert_int_equal(login(me, "right"), POPPER_AUTH_NO);
	driver->stop(self);
	/* In pam_matrix an account belongs to one service. */
	(void)snprintf(passdb, sizeof(passdb), "%s:right:other\n", me);
	(void)auth_write("others", 0600, passdb);
	start("auth required %s/pam_matrix.so passdb=%s/passdb\n"
	      "account required %s/pam_matrix.so passdb=%s/others\n",
	    wrappers, auth_folder, wrappers, auth_folder);
	assert_int_equal(login(me, "right"), POPPER_AUTH_NO);
}

/* libpam sleeps unless it has somebody to tell, so a delay that was told is
 * one that was not slept. */
static void
a_delay_is_reported(void **state)
{
	(void)state;
	start_matrix("auth optional pam_faildelay.so delay=900000000", "");
	assert_int_equal(login(me, "wrong"), POPPER_AUTH_NO);
	assert_true(auth_answer.delay >= 100000000);
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.delay, 0);
}

static void
the_name_pam_ends_with_counts(void **state)
{
	char line[600];

	(void)state;
	(void)snprintf(
	    line, sizeof(line), "auth required %s/pam_set_items.so", wrappers);
	start("auth required pam_permit.so\n%s\n"
	      "account required pam_permit.so\n",
	    line);
	assert_int_equal(setenv("PAM_USER", me, 1), 0);
	assert_int_equal(login("alias", "x"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, me);
	assert_int_equal(setenv("PAM_USER", "../eve", 1), 0);
	assert_int_equal(login(me, "x"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "changed the name"));
	assert_int_equal(setenv("PAM_USER", "no-such-account", 1), 0);
	assert_int_equal(login(me, "x"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "no-such-account"));
}

static void
modules_know_the_client_in_time(void **state)
{
	struct auth_pam_exchange *x;
	void *exchange;

	(void)state;
	start("auth required %s/pam_get_items.so\nauth required pam_deny.so\n"
	      "account required pam_permit.so\n",
	    wrappers);
	assert_int_equal(
	    auth_login(driver, self, me, popper_slice_text("x"), &exchange),
	    POPPER_AUTH_NO);
	x = exchange;
	assert_non_null(pam_getenv(x->handle, "PAM_RHOST"));
	assert_string_equal(pam_getenv(x->handle, "PAM_RHOST"), "192.0.2.7");
	assert_string_equal(pam_getenv(x->handle, "PAM_USER"), me);
	driver->end(exchange);
}

static void
texts_are_for_the_log(void **state)
{
	char line[600];

	(void)state;
	(void)snprintf(line, sizeof(line),
	    "auth optional %s/pam_chatty.so num_lines=3 info error", wrappers);
	start_matrix(line, "");
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
	assert_true(auth_logged("pam: says: ") >= 3);
	assert_int_equal(auth_logged("right"), 0);
}

/* What a module would get that asks these questions. */
static int
ask(struct auth_pam_exchange *x, int count, const int *styles,
    struct pam_response **answers)
{
	struct pam_message text[4];
	const struct pam_message *all[4];
	const void *item = NULL;
	const struct pam_conv *conv;

	assert_int_equal(pam_get_item(x->handle, PAM_CONV, &item), PAM_SUCCESS);
	conv = item;
	for (int i = 0; i < count && i < 4; i++) {
		text[i].msg_style = styles[i];
		text[i].msg = "Code";
		all[i] = &text[i];
	}
	*answers = NULL;
	return conv->conv(count, all, answers, conv->appdata_ptr);
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
	start_matrix("", "");
	assert_int_equal(
	    auth_login(driver, self, me, popper_slice_text("right"), &exchange),
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
	driver->end(exchange);
}

static void
mail_says_where_mail_is(void **state)
{
	static const struct {
		const char *mail, *drop, *path;
	} cases[] = {
		{ "/var/mail/%u", "", "/var/mail/" },
		{ "mbox:/var/mail/%u", "mbox", "/var/mail/" },
	};
	char path[1100];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		conf.mail = cases[i].mail;
		start_matrix("", "");
		(void)snprintf(path, sizeof(path), "%s%s", cases[i].path, me);
		assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
		assert_string_equal(auth_answer.identity.drop, cases[i].drop);
		assert_string_equal(auth_answer.identity.maildrop, path);
		driver->stop(self);
		self = NULL;
	}
	conf.mail = "maildir:~/Maildir";
	start_matrix("", "");
	(void)snprintf(path, sizeof(path), "%s/Maildir", home);
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.drop, "maildir");
	assert_string_equal(auth_answer.identity.maildrop, path);
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
		    driver->start(&auth_host, &bad[i], &self, &e), -1);
		assert_memory_equal(e.text, "pam: ", 5);
	}
}

static void
a_missing_service_is_told(void **state)
{
	struct popper_error e;
	char path[600];

	(void)state;
	assert_int_equal(driver->start(&auth_host, &conf, &self, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/t is missing", auth_folder);
	assert_int_equal(auth_logged(path), 1);
	assert_int_equal(auth_logged("cannot be used now"), 1);
	assert_int_equal(login(me, "right"), POPPER_AUTH_LATER);
	assert_int_equal(auth_answer.error.status, POPPER_TEMPORARY);
	/* Once it is there it works, without a new start. */
	(void)auth_write("t", 0644,
	    "auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
}

static void
modules_stay_in_memory(void **state)
{
	char path[600];
	void *loaded;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/pam_matrix.so", wrappers);
	assert_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
	start_matrix("", "");
	loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(loaded);
	assert_int_equal(dlclose(loaded), 0);
	assert_int_equal(login(me, "right"), POPPER_AUTH_YES);
	loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(loaded);
	assert_int_equal(dlclose(loaded), 0);
}

static enum popper_verdict
login_and_stay(void **exchange)
{
	return auth_login(
	    driver, self, me, popper_slice_text("right"), exchange);
}

static void
a_session_is_opened_and_closed(void **state)
{
	struct auth_pam_exchange *x;
	struct popper_error e;
	void *exchange;

	(void)state;
	conf.session = true;
	start_matrix("", "session required pam_debug.so");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.flags, POPPER_IDENTITY_KEEP);
	x = exchange;
	assert_false(x->open);
	assert_int_equal(driver->opened(exchange, &e), 0);
	assert_true(x->open);
	driver->closed(exchange);
	assert_false(x->open);
	assert_int_equal(x->last, PAM_SUCCESS);
	assert_int_equal(auth_logged("pam"), 0);
	driver->end(exchange);
}

static void
a_session_refused_refuses_the_login(void **state)
{
	struct popper_error e;
	void *exchange;

	(void)state;
	conf.session = true;
	start_matrix("",
	    "session required pam_debug.so "
	    "open_session=perm_denied");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(driver->opened(exchange, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "session"));
	driver->closed(exchange);
	driver->end(exchange);
	driver->stop(self);
	start_matrix("auth [success=ok default=die] pam_debug.so cred=cred_err",
	    "session required pam_permit.so");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(driver->opened(exchange, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "credentials"));
	driver->end(exchange);
}

static void
a_session_left_open_is_closed_and_told(void **state)
{
	struct popper_error e;
	void *exchange;

	(void)state;
	conf.session = true;
	start_matrix("",
	    "session required pam_debug.so "
	    "close_session=session_err");
	assert_int_equal(login_and_stay(&exchange), POPPER_AUTH_YES);
	assert_int_equal(driver->opened(exchange, &e), 0);
	driver->end(exchange);
	assert_int_equal(auth_logged("pam: end of session: "), 1);
	driver->end(NULL);
}

static void
lookup_needs_no_proof(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	start_matrix("", "");
	assert_int_equal(driver->lookup(self, me, &id, &e), 0);
	assert_int_equal(id.uid, getuid());
	assert_string_equal(id.home, home);
	assert_int_equal(driver->lookup(self, "no-such-account", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(driver->lookup(self, "a/b", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static void
other_mechanisms_are_others(void **state)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "APOP",
		.user = me,
		.secret = popper_slice_text("right"),
	};
	void *exchange = &conf;

	(void)state;
	start_matrix("", "");
	assert_int_equal(driver->begin(self, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
	assert_null(exchange);
}

/* Find what the tests stand on.  Returns NULL, or what there is not. */
static const char *
find_ground(void)
{
	static const char *const places[] = {
		"/usr/lib/*/pam_wrapper/pam_matrix.so",
		"/usr/lib*/pam_wrapper/pam_matrix.so"
	};
	const struct passwd *account = getpwuid(getuid());
	glob_t found;

	for (size_t i = 0; i < 2 && wrappers[0] == '\0'; i++) {
		if (glob(places[i], 0, NULL, &found) == 0)
			(void)snprintf(wrappers, sizeof(wrappers), "%.*s",
			    (int)(strrchr(found.gl_pathv[0], '/') -
				found.gl_pathv[0]),
			    found.gl_pathv[0]);
		globfree(&found);
	}
	if (wrappers[0] == '\0')
		return "libpam-wrapper is not installed";
	if (account == NULL)
		return "our own uid has no account";
	(void)snprintf(me, sizeof(me), "%s", account->pw_name);
	(void)snprintf(home, sizeof(home), "%s", account->pw_dir);
	return NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(modules_stay_in_memory),
		TEST(the_right_password_gives_the_account),
		TEST(the_wrong_password_does_not),
		TEST(an_unknown_user_is_for_the_next),
		TEST(a_name_that_is_none_is_not_asked_for),
		TEST(an_account_there_is_not_gets_nothing),
		TEST(some_passwords_never_reach_pam),
		TEST(what_pam_says_decides),
		TEST(the_account_is_always_checked),
		TEST(a_delay_is_reported),
		TEST(the_name_pam_ends_with_counts),
		TEST(modules_know_the_client_in_time),
		TEST(texts_are_for_the_log),
		TEST(only_a_hidden_prompt_gets_the_password),
		TEST(mail_says_where_mail_is),
		TEST(bad_options_stop_the_start),
		TEST(a_missing_service_is_told),
		TEST(a_session_is_opened_and_closed),
		TEST(a_session_refused_refuses_the_login),
		TEST(a_session_left_open_is_closed_and_told),
		TEST(lookup_needs_no_proof),
		TEST(other_mechanisms_are_others),
	};
	const char *missing = find_ground();

	if (missing != NULL) {
		(void)printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
