/*
 * ext_bulletins_bulk.c - STAT, LIST and UIDL of very many messages are no
 * slower because the module is there.
 *
 * Runs in: tests.
 */
#include "bulk.h"
#include "bulletins_bed.h"

#include <string.h>

#define MANY 20000

static int
set_up(void **state)
{
	bulk = (struct bulk){ .count = MANY, .measured = true };
	bulletins_inner = &bulk_drop;
	return bulletins_set_up(state);
}

static int
tear_down(void **state)
{
	bulletins_inner = &bed_drop;
	return bulletins_tear_down(state);
}

struct counter {
	struct popper_lister lister;
	size_t count;
	uint64_t octets;
	char last[POPPER_UID_MAX + 1];
};

static int
count_one(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct counter *c = (struct counter *)lister;

	assert_int_equal(i, c->count);
	c->count++;
	c->octets += octets;
	assert_true(uid.len < sizeof(c->last));
	if (uid.len > 0)
		memcpy(c->last, uid.ptr, uid.len);
	c->last[uid.len] = '\0';
	return 0;
}

static struct counter
list(unsigned want)
{
	struct counter c = { .lister = { .put = count_one } };

	assert_int_equal(bulletins_session->list(bulletins_outer, want,
			     &c.lister, &bulletins_error),
	    0);
	return c;
}

static uint64_t
total(void)
{
	uint64_t octets = 0;

	assert_int_equal(bulletins_session->total(
			     bulletins_outer, &octets, &bulletins_error),
	    0);
	return octets;
}

/* As a session asks: at the login, then STAT, LIST, UIDL. */
static void
poll_asks_in_bulk(size_t more)
{
	struct counter c;

	assert_int_equal(bulletins_login(), 0);
	bulk.described = bulk.listed = bulk.totals = 0;
	assert_int_equal(
	    bulletins_session->count(bulletins_outer), MANY + more);
	assert_true(bulletins_session->is_measured(bulletins_outer));
	c = list(POPPER_WANT_OCTETS);
	assert_int_equal(c.count, MANY + more);
	assert_int_equal(c.octets, total());
	c = list(POPPER_WANT_UID);
	assert_int_equal(c.count, MANY + more);
	assert_int_equal(strncmp(c.last, "bulletin-", 9) == 0, more > 0);
	assert_int_equal(bulk.totals, 1);
	assert_int_equal(bulk.listed, 2);
	assert_int_equal(bulk.described, 0);
	bulletins_logout();
}

static void
without_bulletins_none_is_described(void **state)
{
	(void)state;
	poll_asks_in_bulk(0);
}

static void
nor_with_some(void **state)
{
	(void)state;
	bulletins_options.max_bulletins = 2;
	bulletins_post("1.a", "one");
	bulletins_post("2.b", "two");
	poll_asks_in_bulk(2);
}

/* The drop may have to read all mail to know it: nobody has asked yet. */
static void
login_asks_for_no_size(void **state)
{
	(void)state;
	bulletins_post("1.a", "one");
	bulk.measured = false;
	assert_int_equal(bulletins_login(), 0);
	assert_false(bulletins_session->is_measured(bulletins_outer));
	assert_int_equal(list(POPPER_WANT_UID).count, MANY + 1);
	assert_int_equal(bulk.totals, 0);
	assert_int_equal(bulk.described, 0);
	bulletins_logout();
}

static void
lists_are_what_is_described(void **state)
{
	(void)state;
	bulk.count = 12;
	assert_int_equal(bulletins_login(), 0);
	bulk_agrees(bulletins_session, bulletins_outer);
	bulletins_logout();
	bulletins_post("1.a", "one");
	for (int old = 0; old <= 1; old++) {
		bulletins_inner = old ? &bulk_old_drop : &bulk_drop;
		bulk.measured = !old;
		bulk.listed = bulk.totals = 0;
		assert_int_equal(bulletins_login(), 0);
		bulk_agrees(bulletins_session, bulletins_outer);
		assert_int_equal(bulk.listed > 0, !old);
		assert_int_equal(bulk.totals > 0, !old);
		assert_true(bulletins_session->is_measured(bulletins_outer));
		bulletins_logout();
	}
}

static void
a_top_of_mail_is_one(void **state)
{
	(void)state;
	bulletins_post("1.a", "one");
	bulk.count = 4;
	for (int old = 0; old <= 1; old++) {
		bulletins_inner = old ? &bulk_old_drop : &bulk_drop;
		bulk.readable = old;
		assert_int_equal(bulletins_login(), 0);
		assert_true(bulk_top(bulletins_session, bulletins_outer, 3));
		assert_false(bulk_top(bulletins_session, bulletins_outer, 4));
		assert_int_equal(bulk.tops, 1);
		bulletins_logout();
	}
}

/* Also if no bulletin is shown: ids do not change because one came. */
static void
no_sender_makes_a_bulletin(void **state)
{
	struct popper_message m;

	(void)state;
	bulk.count = 4;
	for (int posted = 0; posted <= 1; posted++) {
		if (posted)
			bulletins_post("1.a", "one");
		assert_int_equal(bulletins_login(), 0);
		for (size_t i = 0; i < 4; i++) {
			char was[POPPER_UID_MAX + 1];

			bulk_uid(i, was);
			assert_int_equal(
			    bulletins_session->describe(bulletins_outer, i,
				POPPER_WANT_UID, &m, &bulletins_error),
			    0);
			assert_int_equal(m.uid[0], '~');
			assert_int_equal(
			    strncmp(m.uid + 1, was, POPPER_UID_MAX - 1), 0);
		}
		bulk_agrees(bulletins_session, bulletins_outer);
		bulletins_logout();
	}
}

static void
failures_are_passed_on(void **state)
{
	struct counter c = { .lister = { .put = count_one } };
	uint64_t octets;

	(void)state;
	bulletins_post("1.a", "one");
	bulk.count = 8;
	bulk.fails = true;
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_session->total(
			     bulletins_outer, &octets, &bulletins_error),
	    -1);
	assert_int_equal(bulletins_error.status, POPPER_TEMPORARY);
	assert_int_equal(bulletins_session->list(bulletins_outer,
			     POPPER_WANT_UID, &c.lister, &bulletins_error),
	    -1);
	assert_int_equal(c.count, 4); /* and no bulletin behind a hole */
	bulletins_logout();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_bulletins_none_is_described),
		TEST(nor_with_some),
		TEST(login_asks_for_no_size),
		TEST(lists_are_what_is_described),
		TEST(a_top_of_mail_is_one),
		TEST(no_sender_makes_a_bulletin),
		TEST(failures_are_passed_on),
	};

	return cmocka_run_group_tests_name(
	    "ext_bulletins_bulk", tests, NULL, NULL);
}
