/*
 * mbox_changed.c - a warning when messages have other unique-ids than before.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_index_rig.h"

#define MESSAGES 20

/* Messages, of which those from ${from} up to ${to} are told ${word}. */
static void
put(struct rig *r, unsigned from, unsigned to, const char *word)
{
	char text[8192] = "", one[256];
	unsigned i;

	rig_close(r);
	for (i = 0; i < MESSAGES; i++) {
		(void)snprintf(one, sizeof(one),
		    FROM_A "Subject: %u\nX-UIDL: id-%u%s\n\nText\n\n", i, i,
		    i >= from && i < to ? word : "");
		strcat(text, one);
	}
	rig_put(r, text);
}

/* A session that asks for unique-ids.  Did it warn? */
static bool
warns(struct rig *r)
{
	char uid[POPPER_UID_MAX + 1];

	rig_close(r);
	rig_open(r);
	rig_uid(r, 0, uid);
	rig_close(r);
	return strstr(rig_log(), "have other unique-ids") != NULL;
}

static void
unchanged_mail_is_no_news(void **state)
{
	struct rig *r = *state;

	put(r, 0, 0, "");
	assert_false(warns(r));
	assert_false(warns(r));
	rig_deliver(r, FROM_B "Subject: new\n\nText\n\n");
	assert_false(warns(r));
	rig_put(r, FROM_B "Subject: all other mail\n\nText\n\n");
	assert_false(warns(r));
}

static void
another_option_is_told(void **state)
{
	struct rig *r = *state;

	put(r, 0, 0, "");
	assert_false(warns(r));
	r->conf.unique_id = "popa3d";
	assert_true(warns(r));
	assert_non_null(strstr(rig_log(), "20 of 20 messages"));
	assert_non_null(strstr(rig_log(), "unique-id was popper then"));
	r->conf.unique_id = "popper";
	assert_true(warns(r));
	assert_non_null(strstr(rig_log(), "unique-id was popa3d then"));
}

/* Same sizes and beginnings: a program has replaced notes in headers. */
static void
a_tenth_is_what_may_change(void **state)
{
	struct rig *r = *state;

	put(r, 0, MESSAGES, "a");
	assert_false(warns(r));
	put(r, 0, MESSAGES, "a");
	put(r, 0, 2, "b"); /* all but two get shorter: other messages */
	assert_false(warns(r));
}

static void
changed_headers_are_told(void **state)
{
	struct rig *r = *state;
	char text[8192], *p;
	unsigned i;

	put(r, 0, MESSAGES, "a");
	assert_false(warns(r));
	for (i = 1; i <= 3; i++) {
		struct popper_slice s = rig_get(r->path);

		(void)snprintf(text, sizeof(text), "%.*s", (int)s.len, s.ptr);
		free((void *)(uintptr_t)s.ptr);
		/* 1, then 2 more, then 3 more. */
		for (unsigned k = 0; k < i; k++) {
			p = strstr(text, "a\n\nText");
			assert_non_null(p);
			*p = 'b';
		}
		rig_put(r, text);
		assert_int_equal(warns(r), i == 3);
	}
	assert_non_null(strstr(rig_log(), "3 of 20 messages"));
	assert_non_null(strstr(rig_log(), "popperctl uidl import"));
}

#define RIGGED(f) cmocka_unit_test_setup_teardown(f, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { RIGGED(unchanged_mail_is_no_news),
		RIGGED(another_option_is_told),
		RIGGED(a_tenth_is_what_may_change),
		RIGGED(changed_headers_are_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
