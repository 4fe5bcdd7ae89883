/*
 * mbox_collapse.c - blocks that are cut out of the mbox, and the pads that
 * stay.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_collapse.h"
#include "mbox_pad.h"
#include "mbox_space.h"

#define LINE FROM_A

static int refuse; /* errno of every cut, from now on; 0: none */
static long cuts; /* that were made */

int __real_fallocate(int, int, off_t, off_t);
int __wrap_fallocate(int, int, off_t, off_t);

int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	int result;

	if (mode == FALLOC_FL_COLLAPSE_RANGE && at != 1 && refuse != 0) {
		errno = refuse;
		return -1;
	}
	result = __real_fallocate(fd, mode, at, len);
	cuts += mode == FALLOC_FL_COLLAPSE_RANGE && result == 0;
	return result;
}

/* Every length is one field behind its separator, with no line too long. */
static void
pads_of_all_lengths(void **state)
{
	char text[MBOX_LEAD_MAX + 64];
	size_t line = strlen(LINE), len;

	(void)state;
	for (len = MBOX_PAD_LEAST; len <= MBOX_PAD_MAX; len++) {
		memcpy(text, LINE, line);
		mbox_pad_make(text + line, len, 0x0123456789abcdef,
		    popper_slice(LINE, line));
		memcpy(text + line + len, "Subject: x\n", 12);
		assert_int_equal(mbox_pad(text, line + len + 11, line), len);
		assert_int_equal(mbox_lead(text, line + len + 11), line + len);
		assert_int_equal(mbox_pad(text, line + len - 1, line), 0);
		assert_int_equal(text[line + len - line - 1] == '\n', 0);
		for (const char *p = text, *lf; *p != 'S'; p = lf + 1) {
			lf = strchr(p, '\n');
			assert_true(lf - p < 998);
			assert_true(p == text || *p == 'X' || *p == '\t');
		}
	}
}

/* What a sender may have written, or another program changed, is no pad. */
static void
forged(void **state)
{
	char good[MBOX_LEAD_MAX], text[MBOX_LEAD_MAX];
	size_t line = strlen(LINE), len = 1500, all = line + len;

	(void)state;
	memcpy(good, LINE, line);
	mbox_pad_make(good + line, len, 7, popper_slice(LINE, line));
	assert_int_equal(mbox_pad(good, all, line), len);
	for (size_t i = 0; i < all; i++) {
		if (good[i] == '\n' || i >= all - line ||
		    (i >= line + 16 && i < line + 32))
			continue;
		memcpy(text, good, all);
		text[i] = (char)(good[i] ^ 1);
		assert_int_equal(mbox_pad(text, all, line), 0);
	}
	for (size_t i = all - line; i < all; i++) {
		memcpy(text, good, all);
		text[i] = (char)(good[i] ^ 1);
		assert_int_equal(mbox_pad(text, all, line), 0);
	}
	assert_int_equal(mbox_pad(LINE "X-Popper-Space: 0123456789abcdef\n",
			     line + 33, line),
	    0);
}

/* For every place and length: whole blocks go, and what is left is a pad. */
static void
seams_of_all_alignments(void **state)
{
	static const uint64_t blocks[] = { 512, 1024, 2048, 4096 };
	struct mbox_seam s;

	(void)state;
	for (size_t b = 0; b < 4; b++)
		for (uint64_t tail = 0; tail < 2 * blocks[b]; tail++)
			for (uint64_t gap = 1; gap < 4 * blocks[b];
			     gap += gap % 97 + 1) {
				s = (struct mbox_seam){ .tail = tail,
					.next = tail + gap + tail % 3 * 100,
					.kept = tail % 3 * 100,
					.line = 50,
					.lead = gap % 2 == 0 ? 50 : 2050 };
				if (!mbox_seam_fit(&s, blocks[b])) {
					assert_true(gap + s.lead - 50 <
					    blocks[b] + MBOX_PAD_LEAST);
					continue;
				}
				assert_true(s.len > 0);
				assert_int_equal(s.len % blocks[b], 0);
				assert_int_equal(s.from % blocks[b], 0);
				assert_true(s.from <= tail);
				assert_true(s.from + s.len >= tail);
				assert_int_equal(
				    s.from + s.len + s.seam, s.next + s.lead);
				assert_in_range(s.pad, MBOX_PAD_LEAST,
				    MBOX_PAD_LEAST + blocks[b] - 1);
				assert_int_equal(s.seam,
				    tail - s.from + s.kept + s.line + s.pad);
			}
	s = (struct mbox_seam){ .next = 99999, .line = 50, .lead = 50 };
	assert_false(mbox_seam_fit(&s, 8192));
	assert_false(mbox_seam_fit(&s, 0));
}

static bool
is_cut(struct rig *r)
{
	return cuts > 0 || !space_can(r) || refuse != 0;
}

/* Remove what is marked, and see that the rest is what it was: now, from the
 * index that was kept, and from a new look. */
static void
remove_marked(struct space *s, struct rig *r)
{
	const char *wrong;

	rig_open(r);
	cuts = 0;
	assert_int_equal(rig_commit(r, s->marks), POPPER_DONE);
	rig_close(r);
	assert_true(is_cut(r));
	assert_true(space_holds(r, s->after, ""));
	assert_true(space_is_mailbox(s, r));
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			(void)unlinkat(r->state, "mbox.index", 0);
		rig_open(r);
		wrong = space_wrong(s, r, false);
		if (wrong != NULL)
			fail_msg("%s", wrong);
		rig_close(r);
	}
	assert_false(rig_exists(r, MBOX_JOURNAL));
}

static void
try_lens(struct rig *r, const size_t *lens, const char *marks)
{
	struct space s;

	r->conf.collapse = 1;
	space_make(&s, r, lens, marks);
	remove_marked(&s, r);
	space_free(&s);
}

/* Around the edges of blocks, each octet. */
static void
middle(void **state)
{
	for (size_t first = 4000; first < 4200; first += 7)
		for (size_t gone = 5120; gone < 5130; gone++)
			try_lens(*state,
			    (const size_t[]){
				first, gone + first % 4096, 9000, 7000, 0 },
			    "-D--");
}

static void
front(void **state)
{
	for (size_t gone = 5120; gone < 5133; gone++)
		try_lens(
		    *state, (const size_t[]){ gone, 9000, 9000, 0 }, "D--");
	for (size_t gone = 9210; gone < 9220; gone++)
		try_lens(
		    *state, (const size_t[]){ gone, 9000, 9000, 0 }, "D--");
}

static void
some_between(void **state)
{
	for (size_t first = 4090; first < 4100; first++)
		try_lens(*state,
		    (const size_t[]){
			first, 3000, 500, 20000, 800, 6000, 9000, 9000, 0 },
		    "-D-D-D--");
	try_lens(*state,
	    (const size_t[]){ 8000, 300, 9000, 200, 9000, 9000, 0 }, "D-D---");
}

/* Never more than one pad in front of a message. */
static void
again(void **state)
{
	struct rig *r = *state;
	struct space s;

	r->conf.collapse = 1;
	for (size_t gone = 6000; gone < 6600; gone += 37) {
		space_make(&s, r,
		    (const size_t[]){
			700, gone, gone + 111, 300, 5000, 9000, 9000, 0 },
		    "--D----");
		remove_marked(&s, r);
		space_again(&s, r, "-D----");
		remove_marked(&s, r);
		space_again(&s, r, "D----");
		space_free(&s);
	}
	/* The padded one itself, and all before the last. */
	space_make(&s, r,
	    (const size_t[]){ 700, 6500, 6000, 300, 9000, 9000, 0 }, "-D----");
	remove_marked(&s, r);
	if (space_can(r))
		assert_int_equal(space_pads(s.after), 0);
	space_again(&s, r, "-D---");
	remove_marked(&s, r);
	space_again(&s, r, "D-D-");
	remove_marked(&s, r);
	space_free(&s);
}

/* With the sizes, too: what STAT says. */
static void
sizes_stay(void **state)
{
	struct rig *r = *state;
	uint64_t was, is;
	struct space s;

	r->conf.collapse = 1;
	space_make(
	    &s, r, (const size_t[]){ 3000, 9000, 8000, 9000, 0 }, "-D--");
	rig_open(r);
	assert_int_equal(r->drop->total(r->self, &was, &r->error), 0);
	was -= 9000 - strlen(LINE) - 1;
	was -= (9000 - strlen(LINE)) / 61; /* about: lines are longer by CR */
	assert_int_equal(rig_commit(r, s.marks), POPPER_DONE);
	rig_close(r);
	rig_open(r);
	assert_int_equal(r->drop->total(r->self, &is, &r->error), 0);
	assert_in_range(is, was - 8, was + 8);
	rig_close(r);
	space_free(&s);
}

/* It is not worth it, not wanted, or not possible. */
static void
others_move(void **state)
{
	static const size_t lens[] = { 3000, 9000, 8000, 9000, 0 };
	struct rig *r = *state;
	struct space s;

	for (int i = 0; i < 3; i++) {
		r->conf.collapse = i == 0 ? 0 : 100000;
		space_make(&s, r, lens, i == 2 ? "-D-D" : "-D--");
		if (i == 2)
			r->conf.collapse = 1;
		cuts = 0;
		rig_open(r);
		assert_int_equal(rig_commit(r, s.marks), POPPER_DONE);
		rig_close(r);
		assert_int_equal(cuts, 0);
		rig_expect(r, s.after);
		space_free(&s);
	}
}

/* The file system says that it can, and then does not. */
static void
refused(void **state)
{
	static const int errors[] = { EOPNOTSUPP, EINVAL, EPERM, ETXTBSY, EIO,
		ENOSPC, ENOSYS };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		refuse = errors[i];
		some_between(state);
		try_lens(
		    *state, (const size_t[]){ 9000, 9000, 9000, 0 }, "D--");
	}
	refuse = 0;
}

/* A hole that was there is not ours. */
static void
sparse(void **state)
{
	struct rig *r = *state;
	struct space s;
	int fd;

	r->conf.collapse = 1;
	space_make(
	    &s, r, (const size_t[]){ 3000, 9000, 30000, 9000, 0 }, "-D--");
	fd = open(r->path, O_RDWR | O_CLOEXEC);
	if (__real_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		20480, 8192) == 0) {
		cuts = 0;
		rig_open(r);
		assert_int_equal(rig_commit(r, s.marks), POPPER_DONE);
		rig_close(r);
		assert_int_equal(cuts, 0);
	}
	(void)close(fd);
	space_free(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pads_of_all_lengths),
		cmocka_unit_test(forged),
		cmocka_unit_test(seams_of_all_alignments),
		TEST(middle),
		TEST(front),
		TEST(some_between),
		TEST(again),
		TEST(sizes_stay),
		TEST(others_move),
		TEST(refused),
		TEST(sparse),
	};

	return cmocka_run_group_tests_name("mbox_collapse", tests, NULL, NULL);
}
