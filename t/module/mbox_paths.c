/*
 * mbox_paths.c - where the mbox is, in Qpopper's words.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mod/host.h"

struct asked {
	struct popper_allow allow;
	char text[2048];
};

static int
ask(struct popper_allow *a, const char *path, unsigned rights)
{
	struct asked *asked = (struct asked *)(void *)a;
	size_t len = strlen(asked->text);

	(void)snprintf(asked->text + len, sizeof(asked->text) - len, "%u %s\n",
	    rights, path);
	return 0;
}

/* The module asks for ${path}, its dot lock and its folder, in this order, and
 * finds it. */
static void
expect_path(struct rig *r, const char *path)
{
	struct asked asked = { .allow = { ask } };
	char found[POPPER_PATH_MAX + 1], all[3 * POPPER_PATH_MAX];
	int folder = (int)(strrchr(path, '/') - path);

	r->identity.maildrop[0] = '\0';
	if (mbox_path(&host_services, &r->conf, &r->place, found, &r->error) ==
	    -1)
		fail_msg("%s", r->error.text);
	assert_string_equal(found, path);
	assert_int_equal(r->drop->paths(&host_services, &r->conf, &r->place,
			     &asked.allow, &r->error),
	    0);
	(void)snprintf(all, sizeof(all), "%u %s\n%u %s.lock\n%u %.*s\n",
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE, path, POPPER_ALLOW_READ,
	    path, POPPER_ALLOW_MAKE, folder, path);
	assert_string_equal(asked.text, all);
}

static void
options_put_it_where_qpopper_had_it(void **state)
{
	struct rig *r = *state;

	(void)strcpy(r->identity.user, "maida");
	(void)strcpy(r->identity.home, "/users/maida");
	r->conf.path = "/x/%u";
	expect_path(r, "/x/maida");
	r->conf.hash_spool = 1;
	expect_path(r, "/var/mail/o/maida");
	r->conf.hash_spool = 2;
	expect_path(r, "/var/mail/m/a/maida");
	r->conf.spool_dir = "/var/spool/mail";
	expect_path(r, "/var/spool/mail/m/a/maida");
	r->conf.hash_spool = 0;
	expect_path(r, "/var/spool/mail/maida");
	r->conf.hash_spool = 1;
	(void)strcpy(r->identity.user, "x");
	expect_path(r, "/var/spool/mail/q/x");
	r->conf.hash_spool = 2;
	expect_path(r, "/var/spool/mail/x/x/x");
	r->conf.home_dir_mail = "Mailbox";
	expect_path(r, "/users/maida/Mailbox");
}

static void
virtual_users_have_them_too(void **state)
{
	struct rig *r = *state;

	(void)strcpy(r->identity.user, "mary@example.org");
	r->identity.flags = POPPER_IDENTITY_VIRTUAL;
	r->conf.path = "/vmail/%d/%H/%n";
	expect_path(r, "/vmail/example.org/l/mary");
	r->conf.spool_dir = "/vmail/%d";
	expect_path(r, "/vmail/example.org/mary@example.org");
	r->conf.hash_spool = 2;
	expect_path(r, "/vmail/example.org/m/a/mary@example.org");
}

static void
nonsense_is_refused(void **state)
{
	struct rig *r = *state;

	r->conf.hash_spool = 3;
	rig_refused(r, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, "hash-spool"));
}

static void
a_hashed_mbox_is_served(void **state)
{
	struct rig *r = *state;
	char folder[128];

	r->conf.spool_dir = r->spool;
	r->conf.hash_spool = 2;
	r->identity.maildrop[0] = '\0';
	rig_refused(r, POPPER_ABSENT);
	(void)snprintf(folder, sizeof(folder), "%s/u", r->spool);
	assert_int_equal(mkdir(folder, 0755), 0);
	(void)strcat(folder, "/s");
	assert_int_equal(mkdir(folder, 0755), 0);
	(void)snprintf(r->path, sizeof(r->path), "%s/user", folder);
	rig_put(r, FROM_A "A: b\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
}

/* Without the option a first message with notes is a message. */
static void
internal_notes_are_hidden_by_option(void **state)
{
#define NOTES                                                      \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n\nx\n\n"
#define MAIL FROM_B "A: b\n\nMail\n\n"
	struct rig *r = *state;

	rig_put(r, NOTES MAIL MAIL);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	assert_int_equal(rig_commit(r, "DD"), POPPER_DONE);
	rig_expect(r, NOTES);
	rig_close(r);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	rig_close(r);
	r->conf.uw_kludge = false;
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
	assert_int_equal(rig_commit(r, "D"), POPPER_DONE);
	rig_expect(r, "");
	rig_close(r);
	/* Not the first: a message. */
	r->conf.uw_kludge = true;
	rig_put(r, MAIL NOTES);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(options_put_it_where_qpopper_had_it),
		RIGGED(virtual_users_have_them_too),
		RIGGED(nonsense_is_refused),
		RIGGED(a_hashed_mbox_is_served),
		RIGGED(internal_notes_are_hidden_by_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
