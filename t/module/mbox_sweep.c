/*
 * mbox_sweep.c - what mbox_points.c does to a commit, done to all else that
 * touches an mbox or its state: notes in headers, mail that Qpopper left, equal
 * messages, the kept index, and the login after a crash, which may crash too.
 *
 * Runs in: tests.  Each message is there once, with its text and unique-id; who
 * is told something is told the truth.
 */
#include <stdio.h>
#include <string.h>

#include "mbox_index_rig.h"
#include "mbox_left.h"
#include "mbox_scene.h"
#include "points.h"

/* Of 60 to 3000 octets; the fourth and the eighth are equal, so are the sixth
 * and the ninth but for a note. */
static char *
make_mailbox(char *to)
{
	static const char *const heads[] = { "", "Status: O\n", "", "Twin: 1\n",
		"X-UIDL: abcdefghijklmnop\n", "Twin: 2\n", "", "Twin: 1\n",
		"Status: RO\nTwin: 2\n", "" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		to += sprintf(to, FROM_A "%s", heads[i]);
		if (strstr(heads[i], "Twin") == NULL)
			to += sprintf(to, "Number: %zu\n", i);
		to = stpcpy(to, "\n");
		if (i % 4 == 2) {
			memset(to, 'a' + (int)i, 2500);
			to = stpcpy(to + 2500, "\n");
		}
		to = stpcpy(to, ".\n>From here\n\n");
	}
	return to;
}

static char mailbox[ROOM];

static void
put_mailbox(struct scene *s)
{
	rig_put(s->r, mailbox);
}

static void
try_commit(struct rig *r, const char *marks, bool notes)
{
	struct scene s = {
		.r = r, .set = put_mailbox, .run = scene_commit, .marks = marks
	};

	*make_mailbox(mailbox) = '\0';
	scene_start(&s, strlen(marks));
	r->conf.update_status_headers = notes;
	scene_sweep(&s);
	scene_end(&s);
}

static void
equal_messages(void **state)
{
	try_commit(*state, "---D-D----", false);
}

static void
equal_messages_at_the_end(void **state)
{
	try_commit(*state, "-------DDD", false);
}

static void
notes_in_headers(void **state)
{
	try_commit(*state, "S-S-S-S-S-", true);
}

static void
notes_and_removals(void **state)
{
	try_commit(*state, "SDS-SDS-SD", true);
}

/* Mail that Qpopper left is taken back at login. */
static void
put_remains(struct scene *s)
{
	static const char left[] = A B C, there[] = A2 N;

	put_left(s->r, left, strlen(left));
	rig_put(s->r, there);
}

static void
mail_left_by_qpopper(void **state)
{
	struct scene s = {
		.r = *state, .set = put_remains, .run = scene_enter
	};

	scene_start(&s, 4);
	scene_sweep(&s);
	scene_end(&s);
}

/* A first look, one with a kept index, one at a mailbox that has grown. */
static void
first_look(void **state)
{
	struct scene s = {
		.r = *state, .set = put_mailbox, .run = scene_visit
	};

	*make_mailbox(mailbox) = '\0';
	scene_start(&s, 10);
	scene_sweep(&s);
	scene_end(&s);
}

static void
put_known(struct scene *s)
{
	put_mailbox(s);
	rig_open(s->r);
	if (s->count > 0)
		assert_true(scene_is_shown(s, true, false));
	rig_close(s->r);
}

static void
kept_index(void **state)
{
	struct scene s = { .r = *state, .set = put_known, .run = scene_visit };

	*make_mailbox(mailbox) = '\0';
	scene_start(&s, 10);
	scene_sweep(&s);
	scene_end(&s);
}

static void
put_grown(struct scene *s)
{
	put_known(s);
	scene_deliver(s);
}

static void
grown_mailbox(void **state)
{
	struct scene s = { .r = *state, .set = put_known, .run = scene_visit };

	*make_mailbox(mailbox) = '\0';
	scene_start(&s, 10);
	s.set = put_grown;
	scene_sweep(&s);
	scene_end(&s);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RIGGED(equal_messages),
		RIGGED(equal_messages_at_the_end),
		RIGGED(notes_in_headers),
		RIGGED(notes_and_removals),
		RIGGED(mail_left_by_qpopper),
		RIGGED(first_look),
		RIGGED(kept_index),
		RIGGED(grown_mailbox),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_sweep", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", scene_points);
	return failed;
}
