/*
 * mbox_remains.c - mail that a crash of Qpopper left in ".user.pop" comes back,
 * once.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_dying.h"
#include "mod/host.h"

#define A FROM_A "Subject: A\nDate: x\n\nText of A\n\nand more\n\n"
#define B FROM_B "Subject: B\n\nText of B\n\n"
#define C "From carol@example.org Sat Jan  3 00:00:00 1970\nSubject: C\n\n\n"
#define N "From dan@example.org Sun Jan  4 00:00:00 1970\nSubject: N\n\nNew\n\n"
/* The same as Qpopper writes them back. */
#define A2                                                                   \
	FROM_A "X-UIDL: *a*\nSubject: A\nDate: x\nStatus: RO\n\nText of A\n" \
	       "\nand more\n\n"
#define B2 FROM_B "X-UIDL: *b*\nSubject: B\nStatus: U\n\nText of B\n\n"
#define C2                                                               \
	"From carol@example.org Sat Jan  3 00:00:00 1970\nX-UIDL: *c*\n" \
	"Subject: C\nStatus: U\n\n\n"
#define N2                                                             \
	"From dan@example.org Sun Jan  4 00:00:00 1970\nX-UIDL: *n*\n" \
	"Subject: N\nStatus: U\n\nNew\n\n"
#define INTERNAL(text)                                             \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n\n" text "\n\n"
#define SEP "\1\1\1\1\n"

static char left_path[160];

static void
put_left(struct rig *r, const char *text, size_t len)
{
	int fd;

	(void)snprintf(left_path, sizeof(left_path), "%s/.user.pop", r->spool);
	fd = open(left_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
}

/* A login finds ${left} beside ${mbox}, and makes ${text} of it. */
static void
expect_merged(
    struct rig *r, const char *left, const char *mbox, const char *text)
{
	put_left(r, left, strlen(left));
	rig_put(r, mbox);
	rig_open(r);
	rig_expect(r, text);
	assert_int_equal(access(left_path, F_OK), -1);
	rig_close(r);
	assert_false(rig_exists(r, "rewrite.mbox"));
	assert_int_equal(access(r->lock, F_OK), -1);
}

/* A login leaves both as they are. */
static void
expect_left_alone(struct rig *r, const char *mbox)
{
	struct stat before, after;

	assert_int_equal(lstat(left_path, &before), 0);
	rig_put(r, mbox);
	rig_open(r);
	rig_expect(r, mbox);
	assert_int_equal(lstat(left_path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_non_null(strstr(rig_log(), "left alone"));
	rig_close(r);
}

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

	expect_merged(r, INTERNAL("1") A, N, INTERNAL("1") A N);
	expect_merged(r, INTERNAL("1") A, INTERNAL("2") N, INTERNAL("2") A N);
	expect_merged(r, A, INTERNAL("2") N, INTERNAL("2") A N);
	expect_merged(r, INTERNAL("1") A, INTERNAL("1") A, INTERNAL("1") A);
	expect_merged(r, INTERNAL("1"), N, INTERNAL("1") N);
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

static void
what_is_not_the_users_is_left_alone(void **state)
{
	struct rig *r = *state;
	char other[200];

	put_left(r, "no mailbox at all\n", 18);
	expect_left_alone(r, A);
	put_left(r, B, strlen(B));
	assert_int_equal(chmod(left_path, 0666), 0);
	expect_left_alone(r, A);
	assert_int_equal(chmod(left_path, 0600), 0);
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(link(left_path, other), 0);
	expect_left_alone(r, A);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(symlink(other, left_path), 0);
	expect_left_alone(r, A);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(mkfifo(left_path, 0600), 0);
	rig_put(r, A);
	rig_open(r);
	rig_expect(r, A);
	rig_close(r);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(mkdir(left_path, 0700), 0);
	expect_left_alone(r, A);
	assert_int_equal(rmdir(left_path), 0);
	/* An empty one is as Qpopper leaves it with keep-temp-drop. */
	put_left(r, "", 0);
	rig_open(r);
	rig_expect(r, A);
	assert_int_equal(access(left_path, F_OK), 0);
	rig_close(r);
	/* Or if the administrator does not want it. */
	put_left(r, B, strlen(B));
	r->conf.merge_temp_drop = false;
	rig_open(r);
	rig_expect(r, A);
	assert_int_equal(access(left_path, F_OK), 0);
	rig_close(r);
	if (getuid() != 0)
		return;
	r->conf.merge_temp_drop = true;
	assert_int_equal(chown(left_path, 65534, 65534), 0);
	expect_left_alone(r, A);
}

static void
a_session_of_the_old_server_is_heeded(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_put(r, "");
	put_left(r, A, strlen(A));
	fd = open(left_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	rig_refused(r, POPPER_IN_USE);
	(void)close(fd);
	rig_open(r);
	rig_expect(r, A);
	rig_close(r);
	/* In server mode its copy is empty, and locked. */
	put_left(r, "", 0);
	fd = open(left_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	rig_refused(r, POPPER_IN_USE);
	(void)close(fd);
	rig_open(r);
	rig_expect(r, A);
}

static int
allow_all(struct popper_allow *a, const char *path, unsigned rights)
{
	(void)a;
	(void)path;
	(void)rights;
	return 0;
}

/* The mbox was removed: paths, which runs before the session is shut off, makes
 * it, but only then. */
static void
a_missing_mbox_is_made(void **state)
{
	struct popper_allow allow = { allow_all };
	struct rig *r = *state;

	assert_int_equal(r->drop->paths(&host_services, &r->conf, &r->place,
			     &allow, &r->error),
	    0);
	assert_int_equal(access(r->path, F_OK), -1);
	put_left(r, A, strlen(A));
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(r->drop->paths(&host_services, &r->conf, &r->place,
			     &allow, &r->error),
	    0);
	rig_open(r);
	rig_expect(r, A);
}

/* temp-dir, temp-name, and the place without hash. */
static void
it_is_found_where_qpopper_had_it(void **state)
{
	struct rig *r = *state;
	char path[200], temp[128];
	int fd;

	(void)snprintf(temp, sizeof(temp), "%s/temp", r->top);
	assert_int_equal(mkdir(temp, 0755), 0);
	rig_put(r, N);
	(void)snprintf(path, sizeof(path), "%s/left-user", temp);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, A, strlen(A)), strlen(A));
	(void)close(fd);
	r->conf.temp_dir = temp;
	r->conf.temp_name = "left-%s"; /* as Qpopper has it */
	rig_open(r);
	rig_expect(r, A N);
	rig_close(r);
	assert_int_equal(access(path, F_OK), -1);
	r->conf.temp_name = "../%u";
	rig_refused(r, POPPER_PERMANENT);
	r->conf.temp_name = ".%u.pop";
	/* With hash folders: there, and in the plain folder. */
	r->conf.temp_dir = "";
	r->conf.spool_dir = r->spool;
	r->conf.hash_spool = 1;
	r->identity.maildrop[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/f", r->spool); /* "user" */
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(r->path, sizeof(r->path), "%s/f/user", r->spool);
	rig_put(r, N);
	put_left(r, A, strlen(A));
	r->conf.check_old_spool_loc = false;
	rig_open(r);
	rig_expect(r, N);
	rig_close(r);
	r->conf.check_old_spool_loc = true;
	rig_open(r);
	rig_expect(r, A N);
	rig_close(r);
	(void)snprintf(path, sizeof(path), "%s/f/.user.pop", r->spool);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, B, strlen(B)), strlen(B));
	(void)close(fd);
	rig_open(r);
	rig_expect(r, B A N);
}

static int
log_in(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	rig_close(r);
	return 0;
}

/* Whatever died when, the next login has all of it, once. */
static void
a_crash_at_any_change_is_made_good(void **state)
{
	struct rig *r = *state;
	bool died = true;
	struct stat st;
	int at, round;

	for (at = 0; died; at++)
		for (round = 0; round < 4; round++) {
			put_left(r, A B, strlen(A B));
			rig_put(r, N A2);
			died = dying_run(r, log_in, at, round % 2 == 1);
			if (round >= 2)
				rig_deliver(r, C);
			rig_open(r);
			/* Mail that came meanwhile lies behind. */
			if (round < 2)
				rig_expect(r, A2 B N);
			else
				assert_int_equal(r->drop->count(r->self), 4);
			rig_close(r);
			assert_false(rig_exists(r, "rewrite.mbox"));
			assert_true(
			    stat(left_path, &st) == -1 || st.st_size == 0);
		}
	assert_in_range(at, 10, 40);
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
		RIGGED(what_is_not_the_users_is_left_alone),
		RIGGED(a_session_of_the_old_server_is_heeded),
		RIGGED(a_missing_mbox_is_made),
		RIGGED(it_is_found_where_qpopper_had_it),
		RIGGED(a_crash_at_any_change_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
