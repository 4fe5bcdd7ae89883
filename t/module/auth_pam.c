/* auth_pam.c - the pam module: who is let in, and as whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pam.h"

static void
the_right_password_gives_the_account(void **state)
{
	const struct popper_identity *id = &auth_answer.identity;

	(void)state;
	pm_start_matrix("", "");
	assert_int_equal(auth_logged("pam"), 0);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
	assert_string_equal(id->user, pm_me);
	assert_string_equal(id->home, pm_home);
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
	pm_start_matrix("", "");
	assert_int_equal(pm_login(pm_me, "Right"), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(strstr(auth_answer.error.text, "authenticate"));
	assert_int_equal(auth_answer.identity.user[0], '\0');
	assert_int_equal(pm_login(pm_me, "right "), POPPER_AUTH_NO);
}

static void
an_unknown_user_is_for_the_next(void **state)
{
	(void)state;
	pm_start("auth required pam_debug.so auth=user_unknown\n"
		 "account required pam_permit.so\n");
	assert_int_equal(pm_login("nobody-at-all", "right"), POPPER_AUTH_NEXT);
}

static void
a_name_that_is_none_is_not_asked_for(void **state)
{
	static const char *const names[] = { "", "a/b", "../etc", "a:b", "a\nb",
		"a\x7f" };

	(void)state;
	pm_start(
	    "auth required pam_permit.so\naccount required pam_permit.so\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(pm_login(names[i], "right"), POPPER_AUTH_NEXT);
}

static void
an_account_there_is_not_gets_nothing(void **state)
{
	(void)state;
	pm_start(
	    "auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(pm_login("no-such-account", "x"), POPPER_AUTH_NO);
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
	pm_start(
	    "auth required pam_permit.so\naccount required pam_permit.so\n");
	assert_int_equal(pm_login(pm_me, ""), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice("right\0", 6), &x),
	    POPPER_AUTH_NO);
	pm_driver->end(x);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice(longest, sizeof(longest)), &x),
	    POPPER_AUTH_NO);
	pm_driver->end(x);
	assert_int_equal(auth_login(pm_driver, pm_self, pm_me,
			     popper_slice(longest, sizeof(longest) - 1), &x),
	    POPPER_AUTH_YES);
	pm_driver->end(x);
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
		pm_start("auth [success=ok default=die] pam_debug.so auth=%s\n"
			 "account required pam_permit.so\n",
		    cases[i].said);
		assert_int_equal(pm_login(pm_me, "x"), cases[i].in_auth);
		pm_driver->stop(pm_self);
		pm_start(
		    "auth required pam_permit.so\n"
		    "account [success=ok default=die] pam_debug.so acct=%s\n",
		    cases[i].said);
		assert_int_equal(pm_login(pm_me, "x"), cases[i].in_account);
		if (cases[i].in_account == POPPER_AUTH_NO)
			assert_non_null(
			    strstr(auth_answer.error.text, "account: "));
		if (cases[i].in_account == POPPER_AUTH_LATER)
			assert_int_equal(
			    auth_answer.error.status, POPPER_TEMPORARY);
		pm_driver->stop(pm_self);
		pm_self = NULL;
	}
}

static void
the_account_is_always_checked(void **state)
{
	char passdb[512];

	(void)state;
	pm_start_matrix("", "account required pam_deny.so");
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_NO);
	pm_driver->stop(pm_self);
	/* In pam_matrix an account belongs to one service. */
	(void)snprintf(passdb, sizeof(passdb), "%s:right:other\n", pm_me);
	(void)auth_write("others", 0600, passdb);
	pm_start("auth required %s/pam_matrix.so passdb=%s/passdb\n"
		 "account required %s/pam_matrix.so passdb=%s/others\n",
	    pm_wrappers, auth_folder, pm_wrappers, auth_folder);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_NO);
}

static void
the_name_pam_ends_with_counts(void **state)
{
	char line[600];

	(void)state;
	(void)snprintf(line, sizeof(line), "auth required %s/pam_set_items.so",
	    pm_wrappers);
	pm_start("auth required pam_permit.so\n%s\n"
		 "account required pam_permit.so\n",
	    line);
	assert_int_equal(setenv("PAM_USER", pm_me, 1), 0);
	assert_int_equal(pm_login("alias", "x"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, pm_me);
	assert_int_equal(setenv("PAM_USER", "../eve", 1), 0);
	assert_int_equal(pm_login(pm_me, "x"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "changed the name"));
	assert_int_equal(setenv("PAM_USER", "no-such-account", 1), 0);
	assert_int_equal(pm_login(pm_me, "x"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "no-such-account"));
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
		pm_conf.mail = cases[i].mail;
		pm_start_matrix("", "");
		(void)snprintf(
		    path, sizeof(path), "%s%s", cases[i].path, pm_me);
		assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
		assert_string_equal(auth_answer.identity.drop, cases[i].drop);
		assert_string_equal(auth_answer.identity.maildrop, path);
		pm_driver->stop(pm_self);
		pm_self = NULL;
	}
	pm_conf.mail = "maildir:~/Maildir";
	pm_start_matrix("", "");
	(void)snprintf(path, sizeof(path), "%s/Maildir", pm_home);
	assert_int_equal(pm_login(pm_me, "right"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.drop, "maildir");
	assert_string_equal(auth_answer.identity.maildrop, path);
}

static int
vouch(const char *user, struct popper_identity *id, struct popper_stamp *stamp,
    struct popper_error *e)
{
	memset(id, 0, sizeof(*id));
	id->size = sizeof(*id);
	return pm_driver->vouch(pm_self, user, id, stamp, e);
}

/* Nobody is authenticated, but the account is checked: also by lookup. */
static void
vouches_for_good_accounts(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_stamp stamp;
	struct popper_error e;

	(void)state;
	pm_start("auth required pam_deny.so\naccount required pam_permit.so\n");
	assert_int_equal(vouch(pm_me, &id, &stamp, &e), 0);
	assert_string_equal(id.user, pm_me);
	assert_int_equal(id.uid, getuid());
	assert_int_equal(id.flags, 0);
	assert_int_equal(vouch("no-such-account", &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	pm_driver->stop(pm_self);
	pm_start("auth required pam_permit.so\n"
		 "account required pam_debug.so acct=acct_expired\n");
	assert_int_equal(vouch(pm_me, &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_int_equal(stamp.len, 0);
	assert_int_equal(pm_driver->lookup(pm_self, pm_me, &id, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	pm_driver->stop(pm_self);
	pm_start("auth required pam_permit.so\n"
		 "account required pam_debug.so acct=system_err\n");
	assert_int_equal(vouch(pm_me, &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
}

static void
a_session_of_its_own_is_said(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_stamp stamp;
	struct popper_error e;

	(void)state;
	pm_conf.session = true;
	pm_start("auth required pam_deny.so\naccount required pam_permit.so\n");
	assert_int_equal(vouch(pm_me, &id, &stamp, &e), 0);
	assert_int_equal(id.flags, POPPER_IDENTITY_KEEP);
	assert_int_equal(pm_driver->lookup(pm_self, pm_me, &id, &e), 0);
	assert_int_equal(id.flags, 0);
}

static void
lookup_needs_no_proof(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	pm_start_matrix("", "");
	assert_int_equal(pm_driver->lookup(pm_self, pm_me, &id, &e), 0);
	assert_int_equal(id.uid, getuid());
	assert_string_equal(id.home, pm_home);
	assert_int_equal(
	    pm_driver->lookup(pm_self, "no-such-account", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(pm_driver->lookup(pm_self, "a/b", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static void
other_mechanisms_are_others(void **state)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "APOP",
		.user = pm_me,
		.secret = popper_slice_text("right"),
	};
	void *exchange = &pm_conf;

	(void)state;
	pm_start_matrix("", "");
	assert_int_equal(
	    pm_driver->begin(pm_self, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
	assert_null(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pm_setup, pm_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_right_password_gives_the_account),
		TEST(the_wrong_password_does_not),
		TEST(an_unknown_user_is_for_the_next),
		TEST(a_name_that_is_none_is_not_asked_for),
		TEST(an_account_there_is_not_gets_nothing),
		TEST(some_passwords_never_reach_pam),
		TEST(what_pam_says_decides),
		TEST(the_account_is_always_checked),
		TEST(the_name_pam_ends_with_counts),
		TEST(mail_says_where_mail_is),
		TEST(vouches_for_good_accounts),
		TEST(a_session_of_its_own_is_said),
		TEST(lookup_needs_no_proof),
		TEST(other_mechanisms_are_others),
	};
	const char *missing = pm_missing();

	if (missing != NULL) {
		(void)printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
