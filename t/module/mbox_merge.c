/*
 * mbox_merge.c - mail that Qpopper left in ".user.pop" comes back, once,
 * however that file and the mbox overlap.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_left.h"

static void
what_is_missing_comes_back(void **state)
{
	static const char *const cases[][3] = {
		/* Died with the mail in the copy. */
		{ A B, "", A B },
		{ A B, N, A B N },
		/* Died before the mbox was emptied. */
		{ A B, A B, A B },
		{ A B C, A B C N, A B C N },
		/* Had remains of an older crash. */
		{ C A B, A B, C A B },
		/* Died at QUIT, before or after the mbox was emptied. */
		{ A B N, N, A B N },
		{ A B N, "", A B N },
		/* Died after everything was written back. */
		{ A B C N, A2 B2 C2 N2, A2 B2 C2 N2 },
		/* What was deleted cannot be told from what was lost. */
		{ A B C, A2 C2, A2 B C2 },
		/* Server mode: the copy has the new headers. */
		{ A2 B2 N2, A B N, A B N },
		{ A2 B2 N2, "", A2 B2 N2 },
		/* Two in one file are two. */
		{ A A, A, A A },
		{ A, A A, A A },
		{ A A, A2 N, A2 A N },
		/* No empty line at the end. */
		{ FROM_A "A: b\n\nx\n", N, FROM_A "A: b\n\nx\n\n" N },
		{ FROM_A "A: b\n\nx", N, FROM_A "A: b\n\nx\n\n" N },
		{ A, FROM_B "A: b\n\nx", A FROM_B "A: b\n\nx\n\n" },
	};
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_merged(r, cases[i][0], cases[i][1], cases[i][2]);
	expect_merged(r, A B, N, A B N);
	assert_non_null(strstr(rig_log(), "2 of 2 messages of user"));
}

static void
line_ends_and_nul_do_not_matter(void **state)
{
	struct rig *r = *state;
	char text[256], copy[256];
	size_t len = strlen(A);

	expect_merged(r, A B,
	    FROM_A "Subject: A\r\nDate: x\r\n\r\nText of A\r\n\r\nand more\r\n"
		   "\r\n" FROM_B "Subject: B\n\nText of B\n\n\n\n",
	    FROM_A "Subject: A\r\nDate: x\r\n\r\nText of A\r\n\r\nand more\r\n"
		   "\r\n" FROM_B "Subject: B\n\nText of B\n\n\n\n");
	/* Qpopper reads NUL as a blank. */
	memcpy(text, A, len);
	memcpy(copy, A, len);
	text[len - 5] = '\0';
	copy[len - 5] = ' ';
	put_left(r, copy, len);
	rig_put_slice(r, popper_slice(text, len));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
	assert_int_equal(access(left_path, F_OK), -1);
}

/* The copy was cut anywhere; the mbox is still there. */
static void
half_a_copy_adds_nothing(void **state)
{
	static const char all[] = A B C;
	char left[1024];
	struct rig *r = *state;
	size_t cut;

	for (cut = 1; cut < sizeof(all); cut++) {
		memcpy(left, all, cut);
		left[cut] = '\0';
		expect_merged(r, left, all, all);
		expect_merged(r, left, A B C N, A B C N);
		/* Behind the remains of an older crash. */
		(void)stpcpy(stpcpy(left, N), all)[0];
		left[strlen(N) + cut] = '\0';
		expect_merged(r, left, all, N A B C);
	}
}

/* Written back up to anywhere: each message is there once, and whole. */
static void
half_written_back_is_completed(void **state)
{
	static const char back[] = A2 B2 C2 N2;
	static const char *const subjects[] = { "A", "B", "C", "N" };
	static const char *const bodies[] = { "Text of A\n\nand more",
		"Text of B", "", "New" };
	struct popper_slice got;
	struct rig *r = *state;
	char mbox[1024], subject[32];
	const char *body;
	size_t cut, len, i;

	for (cut = 0; cut < sizeof(back); cut++) {
		memcpy(mbox, back, cut);
		mbox[cut] = '\0';
		put_left(r, A B C N, strlen(A B C N));
		rig_put(r, mbox);
		rig_open(r);
		if (r->drop->count(r->self) != 4)
			fail_msg("%zu messages, cut at %zu",
			    r->drop->count(r->self), cut);
		for (i = 0; i < 4; i++) {
			got = rig_read(r, i, 0);
			(void)snprintf(subject, sizeof(subject),
			    "Subject: %s\n", subjects[i]);
			body = strstr(got.ptr, "\n\n");
			body = body == NULL ? "" : body + 2;
			len = strlen(bodies[i]);
			/* The line end may be missing. */
			if (strstr(got.ptr, subject) == NULL ||
			    strncmp(body, bodies[i], len) != 0 ||
			    strspn(body + len, "\n") != strlen(body + len))
				fail_msg("message %zu, cut at %zu: %s", i, cut,
				    got.ptr);
			free((void *)(uintptr_t)got.ptr);
		}
		rig_close(r);
		assert_int_equal(access(left_path, F_OK), -1);
	}
}

/* How often the message whose text is ${text} is there. */
static size_t
count_of(struct rig *r, const char *text)
{
	struct popper_slice got;
	size_t i, n = 0;

	for (i = 0; i < r->drop->count(r->self); i++) {
		got = rig_read(r, i, 0);
		n += memmem(got.ptr, got.len, text, strlen(text)) != NULL;
		free((void *)(uintptr_t)got.ptr);
	}
	return n;
}

/* However the files overlap: as often as where it is more often. */
static void
nothing_is_lost_or_doubled(void **state)
{
	static const char *const forms[][2] = { { A, A2 }, { B, B2 }, { C, C2 },
		{ N, N2 } };
	static const char *const texts[] = { "Subject: A\n", "Subject: B\n",
		"Subject: C\n", "Subject: N\n" };
	struct rig *r = *state;
	char left[2048], mbox[2048], *p, *q;
	uint32_t seed = 3;
	int round, i, k, in_left[4], in_mbox[4];

	for (round = 0; round < 500; round++) {
		memset(in_left, 0, sizeof(in_left));
		memset(in_mbox, 0, sizeof(in_mbox));
		*(p = left) = *(q = mbox) = '\0';
		for (i = 0; i < round % 9; i++) {
			seed = seed * 1664525u + 1013904223u;
			k = seed >> 16 & 3;
			if ((seed >> 20 & 1) != 0) {
				p = stpcpy(p, forms[k][seed >> 21 & 1]);
				in_left[k]++;
			} else {
				q = stpcpy(q, forms[k][seed >> 21 & 1]);
				in_mbox[k]++;
			}
		}
		put_left(r, left, strlen(left));
		rig_put(r, mbox);
		rig_open(r);
		for (k = 0; k < 4; k++)
			assert_int_equal(count_of(r, texts[k]),
			    in_left[k] > in_mbox[k] ? in_left[k] : in_mbox[k]);
		rig_close(r);
	}
}

static void
internal_notes_stay_first(void **state)
{
	struct rig *r = *state;

	expect_merged(r, NOTES("1") A, N, NOTES("1") A N);
	expect_merged(r, NOTES("1") A, NOTES("2") N, NOTES("2") A N);
	expect_merged(r, A, NOTES("2") N, NOTES("2") A N);
	expect_merged(r, NOTES("1") A, NOTES("1") A, NOTES("1") A);
	expect_merged(r, NOTES("1"), N, NOTES("1") N);
}

static void
mmdf_is_merged_alike(void **state)
{
#define MA SEP "A: a\n\nText\n" SEP
#define MB SEP "A: b\n\nText\n" SEP
	struct rig *r = *state;

	expect_merged(r, MA MB, "", MA MB);
	expect_merged(r, MA, MB, MA MB);
	expect_merged(r, MA MB, MB, MA MB);
	expect_merged(r, MA SEP "A: b\n\nTe", MA MB, MA MB);
	expect_merged(r, MA MB "\1\1", MA MB MA, MA MB MA);
	expect_merged(r, SEP "A: a\n\nText\n", MB, MA MB);
	put_left(r, A, strlen(A));
	expect_left_alone(r, MA);
	put_left(r, MA, strlen(MA));
	expect_left_alone(r, A);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(what_is_missing_comes_back),
		RIGGED(line_ends_and_nul_do_not_matter),
		RIGGED(half_a_copy_adds_nothing),
		RIGGED(half_written_back_is_completed),
		RIGGED(nothing_is_lost_or_doubled),
		RIGGED(internal_notes_stay_first),
		RIGGED(mmdf_is_merged_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
