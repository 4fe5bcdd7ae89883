/*
 * mbox_exchange.c - unique-ids as lists: out of an mbox, and into it.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_index_rig.h"

#define FIRST FROM_A "Subject: 1\n\nText\n\n"
#define EQUAL FROM_A "Subject: twin\n\nText\n\n"
#define MARKED FROM_B "X-UIDL: stored\nSubject: 4\n\nText\n\n"

static char listed[2048];

static int
put(struct popper_sink *sink, struct popper_slice s)
{
	(void)sink;
	assert_true(strlen(listed) + s.len < sizeof(listed));
	strncat(listed, s.ptr, s.len);
	return 0;
}

/* The list as export gives it; good until the next call. */
static char *
list(struct rig *r)
{
	struct popper_sink sink = { .put = put };

	rig_close(r);
	rig_open(r);
	listed[0] = '\0';
	assert_int_equal(r->drop->export_uids(r->self, &sink, &r->error), 0);
	return listed;
}

/* A client asks for ids. */
static void
ask(struct rig *r)
{
	char uid[POPPER_UID_MAX + 1];

	rig_uid(r, 0, uid);
}

static int
import(struct rig *r, const char *text)
{
	int result;

	rig_close(r);
	rig_open(r);
	result =
	    r->drop->import_uids(r->self, popper_slice_text(text), &r->error);
	rig_close(r);
	return result;
}

/* Are the ids of the list these, in order? */
static void
expect_ids(struct rig *r, const char *ids)
{
	char *rest = list(r), *line, have[1024] = "";

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		strncat(have, line, strcspn(line, " "));
		strcat(have, " ");
	}
	assert_string_equal(have, ids);
}

static void
an_export_comes_back(void **state)
{
	struct rig *r = *state;
	char *first, *line, *rest;
	size_t i;

	rig_put(r, FIRST EQUAL EQUAL MARKED);
	first = strdup(list(r));
	assert_non_null(first);
	assert_int_equal(import(r, first), 0);
	assert_string_equal(list(r), first);
	/* Id, size, key; an own id is its own key; equal ones are numbered. */
	rest = first;
	for (i = 0; i < 4; i++) {
		line = strsep(&rest, "\n");
		assert_non_null(line);
		if (i < 3)
			assert_int_equal(strncmp(line, strrchr(line, ' ') + 1,
					     strlen(strrchr(line, ' ') + 1)),
			    0);
		else
			assert_memory_equal(line, "stored 36 ", 10);
	}
	free(first);
}

static void
imported_ids_stay(void **state)
{
	struct rig *r = *state;

	rig_put(r, FIRST EQUAL EQUAL MARKED);
	assert_int_equal(import(r, "a 20 -\nb 23 -\nc 23 -\nd 36 -\n"), 0);
	expect_ids(r, "a b c d ");
	/* From the index, and from a scan. */
	expect_ids(r, "a b c d ");
	rig_put(r, FIRST EQUAL EQUAL MARKED);
	expect_ids(r, "a b c d ");
	/* The second twin stays the second. */
	assert_int_equal(rig_commit(r, "-D--"), POPPER_DONE);
	expect_ids(r, "a c d ");
	assert_int_equal(rig_commit(r, "DDD"), POPPER_DONE);
	/* And none is given out again. */
	rig_put(r, EQUAL);
	assert_int_equal(strlen(list(r)), 2 * MBOX_HASH_TEXT + 5);
}

/* From the last session's index for the old ones, and from a scan. */
static void
a_grown_mbox_keeps_them(void **state)
{
	struct rig *r = *state;
	char *grown;

	rig_put(r, FIRST EQUAL MARKED);
	assert_int_equal(import(r, "a 20 -\nb 23 -\n"), 0);
	expect_ids(r, "a b stored ");
	rig_close(r);
	rig_open(r);
	ask(r);
	rig_close(r);
	assert_true(rig_exists(r, "mbox.index"));
	/* One that is equal to one with an imported id, and another one. */
	rig_deliver(r, EQUAL FROM_A "Subject: 5\n\nText\n\n");
	rig_open(r);
	ask(r);
	grown = strdup(list(r));
	assert_non_null(grown);
	assert_memory_equal(grown, "a 20 ", 5);
	rig_close(r);
	assert_int_equal(unlinkat(r->state, "mbox.index", 0), 0);
	assert_string_equal(list(r), grown);
	free(grown);
}

/* In whatever order the lines come. */
static void
keys_tell_the_message(void **state)
{
	struct rig *r = *state;
	char text[512], *keys[3], *rest;
	size_t i;

	rig_put(r, FIRST EQUAL EQUAL);
	rest = list(r);
	for (i = 0; i < 3; i++)
		keys[i] = strrchr(strsep(&rest, "\n"), ' ') + 1;
	(void)snprintf(text, sizeof(text),
	    "two - %s\nthree - %s\none - %s\nother - AAAAAAAAAAAAAAAAAAAAAA\n",
	    keys[1], keys[2], keys[0]);
	assert_int_equal(import(r, text), 0);
	expect_ids(r, "one two three ");
}

static void
bad_lists_are_refused(void **state)
{
	static const char *const bad[] = { "a 21 -\n",
		"a 20 -\nb 23 -\nc 1 -\n", "a 20 -\na 23 -\n", "a 20\n",
		"a 20 nothing\n", "taken uw\n" };
	struct rig *r = *state;
	char *first;
	size_t i;

	rig_put(r, FIRST EQUAL);
	first = strdup(list(r));
	assert_non_null(first);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(import(r, bad[i]), -1);
		assert_int_equal(r->error.status, POPPER_INVALID);
		assert_non_null(strstr(r->error.text, "line "));
		assert_string_equal(list(r), first);
	}
	free(first);
	assert_false(rig_exists(r, "uids"));
}

/* The other server is still in use: its ids of tomorrow must count, too. */
static void
an_export_takes_nothing_over(void **state)
{
#define BASE(uid) FROM_A "X-IMAPbase: 10 9\nX-UID: " uid "\n\nText\n\n"
	struct rig *r = *state;

	r->conf.unique_id = "uw";
	rig_put(r, BASE("1"));
	expect_ids(r, "0000000a00000001 ");
	rig_close(r);
	assert_false(rig_exists(r, "uids"));
	assert_false(rig_exists(r, "mbox.index"));
	rig_put(r, BASE("2"));
	expect_ids(r, "0000000a00000002 ");
}

/* Lines without keys are about what is shown: clients do not count what is only
 * noted as gone. */
static void
not_what_is_gone(void **state)
{
	struct rig *r = *state;

	r->conf.purge = "lazy";
	r->conf.purge_time = "";
	rig_put(r,
	    FROM_A "Subject: 0\n\nText\n\n" FIRST FROM_A
		   "Subject: 2\n\nText\n\n");
	rig_open(r);
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	rig_close(r);
	assert_true(rig_exists(r, "waste"));
	assert_int_equal(import(r, "one 20 -\ntwo 20 -\n"), 0);
	expect_ids(r, "one two ");
	assert_int_equal(import(r, "a 20 -\nb 20 -\nc 20 -\n"), -1);
	expect_ids(r, "one two ");
}

#define RIGGED(f) cmocka_unit_test_setup_teardown(f, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { RIGGED(an_export_comes_back),
		RIGGED(imported_ids_stay), RIGGED(a_grown_mbox_keeps_them),
		RIGGED(keys_tell_the_message), RIGGED(bad_lists_are_refused),
		RIGGED(an_export_takes_nothing_over),
		RIGGED(not_what_is_gone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
