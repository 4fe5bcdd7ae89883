/*
 * mbox_status.c - Status and X-UIDL headers are written when asked for, and
 * only then.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_dying.h"

#define A FROM_A "X-UIDL: a\nSubject: A\nStatus: U\n\nText of A\n\n"
#define A_READ FROM_A "X-UIDL: a\nSubject: A\nStatus: RO\n\nText of A\n\n"
#define B FROM_B "Subject: B\n folded\nX-UIDL: b\n\nText of B\n\n"
#define B_READ \
	FROM_B "Subject: B\n folded\nX-UIDL: b\nStatus: RO\n\nText of B\n\n"
#define B_NEW \
	FROM_B "Subject: B\n folded\nX-UIDL: b\nStatus: U\n\nText of B\n\n"
#define C FROM_B "Subject: C\n\nText of C\n\n"
#define NEW FROM_B "Subject: N\n\nNew\n\n"
#define INTERNAL                                                   \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n\nx\n\n"
#define SEP "\1\1\1\1\n"

/* Commit: "D" removes a message, "R" is one that was fetched. */
static enum popper_outcome
quit(struct rig *r, const char *marks)
{
	struct popper_changes changes = { .size = sizeof(changes),
		.count = strlen(marks) };
	unsigned char bits[16] = { 0 };
	size_t i;

	for (i = 0; i < changes.count; i++)
		bits[i] = marks[i] == 'D' ? POPPER_MARK_DELETED
		    : marks[i] == 'R'     ? POPPER_MARK_SEEN
					  : 0;
	changes.marks = bits;
	return r->drop->commit(r->self, &changes, &r->error);
}

/* A session with these marks makes ${after} of ${before}. */
static void
expect_written(
    struct rig *r, const char *before, const char *marks, const char *after)
{
	struct popper_message m;
	char ids[16][POPPER_UID_MAX + 1], id[POPPER_UID_MAX + 1];
	size_t i, n = 0;

	rig_put(r, before);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), strlen(marks));
	for (i = 0; marks[i] != '\0'; i++)
		if (marks[i] != 'D')
			rig_uid(r, i, ids[n++]);
	assert_int_equal(quit(r, marks), POPPER_DONE);
	rig_close(r);
	if (after != NULL)
		rig_expect(r, after);
	assert_false(rig_exists(r, "rewrite.mbox"));
	assert_int_equal(access(r->lock, F_OK), -1);
	/* No id is another one now, and what was fetched is known as that. */
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), n);
	for (i = n = 0; marks[i] != '\0'; i++) {
		if (marks[i] == 'D')
			continue;
		rig_uid(r, n, id);
		assert_string_equal(id, ids[n]);
		assert_int_equal(r->drop->describe(r->self, n,
				     POPPER_WANT_FLAGS, &m, &r->error),
		    0);
		if (marks[i] == 'R')
			assert_int_equal(m.flags, POPPER_MESSAGE_SEEN);
		n++;
	}
	rig_close(r);
}

static void
notes_are_written_when_asked(void **state)
{
	struct rig *r = *state;

	r->conf.update_status_headers = true;
	expect_written(r, A B, "RR", A_READ B_READ);
	expect_written(r, A B, "-R", A B_READ);
	expect_written(r, A B, "R-", A_READ B_NEW);
	/* In order already. */
	expect_written(r, A_READ B_READ, "R-", A_READ B_READ);
	expect_written(r, A_READ B_READ, "-R", A_READ B_READ);
	/* With removals, and mail that came meanwhile. */
	expect_written(r, A B A, "DRD", B_READ);
	expect_written(r, B A_READ B, "D-R", NULL);
	expect_written(r, INTERNAL A B, "RD", INTERNAL A_READ);
	rig_put(r, A B);
	rig_open(r);
	rig_deliver(r, NEW);
	assert_int_equal(quit(r, "DR"), POPPER_DONE);
	rig_expect(r, B_READ NEW);
}

static void
all_kinds_of_headers_are_dealt_with(void **state)
{
	struct rig *r = *state;

	r->conf.update_status_headers = true;
	/* A field twice, one that is no id, other case, other flags. */
	expect_written(r,
	    FROM_A "status: O\nX-UIDL: a b\nA: b\nSTATUS: x\nx-uidl: id\n"
		   "X-UIDL: id\n more\n\nx\n\n",
	    "R", FROM_A "Status: RO\nA: b\nx-uidl: id\n\nx\n\n");
	expect_written(r, FROM_A "X-UIDL: a\nStatus: ORA\n\nx\n\n", "R",
	    FROM_A "X-UIDL: a\nStatus: ORA\n\nx\n\n");
	/* CR LF; no body; only an empty line; an own line end is missing. */
	expect_written(r, FROM_A "A: b\r\nX-UIDL: a\r\n\r\nx\r\n\r\n", "R",
	    FROM_A "A: b\r\nX-UIDL: a\r\nStatus: RO\r\n\r\nx\r\n\r\n");
	expect_written(r, FROM_A "X-UIDL: a\n\n" B_NEW, "R-",
	    FROM_A "X-UIDL: a\nStatus: RO\n\n" B_NEW);
	expect_written(r, FROM_A "X-UIDL: a", "-", FROM_A "X-UIDL: a");
	expect_written(r, FROM_A "\n" B_NEW, "--", FROM_A "\n" B_NEW);
	/* What begins as if it were folded stays. */
	expect_written(
	    r, FROM_A " A: b\n\nx\n\n", "-", FROM_A " A: b\n\nx\n\n");
	expect_written(r, SEP "A: b\nX-UIDL: a\n\nx\n" SEP, "R",
	    SEP "A: b\nX-UIDL: a\nStatus: RO\n\nx\n" SEP);
}

static void
ids_are_stored_and_stay(void **state)
{
	struct rig *r = *state;
	char text[512], id[POPPER_UID_MAX + 1];

	r->conf.update_status_headers = true;
	rig_put(r, C);
	rig_open(r);
	rig_uid(r, 0, id);
	rig_close(r);
	(void)snprintf(text, sizeof(text),
	    FROM_B "X-UIDL: %s\nSubject: C\nStatus: RO\n\nText of C\n\n", id);
	expect_written(r, C, "R", text);
	/* Twins, stored with their numbers, and forged ones. */
	expect_written(r, C C C, "R-R", NULL);
	expect_written(r, C C C, "DRR", NULL);
	expect_written(r, A A B A, "RRRR", NULL);
	expect_written(r, A A B A, "DRRR", NULL);
	r->conf.unique_id = "qpopper";
	expect_written(r, C C A, "RRR", NULL);
}

/* Nothing is written by reading, as a rule. */
static void
without_the_option_nothing_is_written(void **state)
{
	struct rig *r = *state;
	struct stat before, after;

	rig_put(r, A B C);
	assert_int_equal(stat(r->path, &before), 0);
	rig_open(r);
	assert_int_equal(quit(r, "RRR"), POPPER_DONE);
	rig_close(r);
	rig_expect(r, A B C);
	assert_int_equal(stat(r->path, &after), 0);
	assert_memory_equal(
	    &before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
}

/* A session that only looks has no marks, and writes nothing. */
static void
mail_programs_see_no_new_mail(void **state)
{
	struct rig *r = *state;
	struct timespec old[2] = { { 1000, 0 }, { 900, 0 } };
	struct stat st;

	r->conf.update_status_headers = true;
	rig_put(r, A B);
	assert_int_equal(utimensat(AT_FDCWD, r->path, old, 0), 0);
	rig_open(r);
	assert_int_equal(quit(r, "RR"), POPPER_DONE);
	rig_close(r);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mtime, 900);
	assert_true(st.st_atime > st.st_mtime);
}

static int
fetch(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	MUST(quit(r, "RDR") == POPPER_DONE);
	rig_close(r);
	return 0;
}

static bool
holds(struct rig *r, size_t i, const char *text)
{
	struct popper_slice got = rig_read(r, i, 0);
	bool is = memmem(got.ptr, got.len, text, strlen(text)) != NULL;

	free((void *)(uintptr_t)got.ptr);
	return is;
}

/* Before a removal, or after it; with the notes, or without; nothing else. */
static void
a_crash_at_any_change_is_made_good(void **state)
{
	static const char big[] =
	    FROM_A "X-UIDL: longer than what is written now\nX-UIDL: big\n"
		   "Subject: A\n\nText of A\n\n";
	struct rig *r = *state;
	bool died = true;
	char file[1024];
	int at, round;

	r->conf.update_status_headers = true;
	for (at = 0; died; at++)
		for (round = 0; round < 8; round++) {
			(void)snprintf(
			    file, sizeof(file), "%s" B C, round < 4 ? A : big);
			rig_put(r, file);
			died = dying_run(r, fetch, at, round % 2 == 1);
			if (round % 4 >= 2)
				rig_deliver(r, NEW);
			rig_open(r);
			assert_true(holds(r, 0, "\n\nText of A\n"));
			assert_in_range(r->drop->count(r->self),
			    round % 4 >= 2 ? 3 : 2, round % 4 >= 2 ? 4 : 3);
			if (!holds(r, 1, "\n\nText of C\n")) {
				assert_true(holds(r, 1, "\n\nText of B\n"));
				assert_true(holds(r, 2, "\n\nText of C\n"));
			}
			if (round % 4 >= 2)
				assert_true(holds(r,
				    r->drop->count(r->self) - 1, "\n\nNew\n"));
			assert_false(rig_exists(r, "rewrite.mbox"));
			assert_false(rig_exists(r, "mbox.journal"));
			rig_close(r);
		}
	assert_in_range(at, 15, 60);
}

static void
in_doubt_a_person_is_asked(void **state)
{
	struct rig *r = *state;
	struct popper_slice now;
	char *text;
	int at;

	r->conf.update_status_headers = true;
	/* Find a death that leaves work, and change a message before it. */
	for (at = 0; at < 60; at++) {
		rig_put(r, A B C);
		(void)unlinkat(r->state, "mbox.journal", 0);
		(void)dying_run(r, fetch, at, true);
		if (rig_exists(r, "rewrite.mbox") &&
		    !rig_exists(r, "mbox.journal")) {
			now = rig_get(r->path);
			text = (char *)(uintptr_t)now.ptr;
			*strstr(text, "Text of A") = 'X';
			rig_put_slice(r, now);
			if (rig_try_open(r) == -1) {
				assert_int_equal(
				    r->error.status, POPPER_PERMANENT);
				assert_non_null(
				    strstr(r->error.text, "rewrite.mbox"));
				rig_expect(r, text);
				free(text);
				return;
			}
			free(text);
			rig_close(r);
		}
	}
	fail_msg("no such death");
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(notes_are_written_when_asked),
		RIGGED(all_kinds_of_headers_are_dealt_with),
		RIGGED(ids_are_stored_and_stay),
		RIGGED(without_the_option_nothing_is_written),
		RIGGED(mail_programs_see_no_new_mail),
		RIGGED(a_crash_at_any_change_is_made_good),
		RIGGED(in_doubt_a_person_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
