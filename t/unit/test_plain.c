/* test_plain.c - src/auth/plain.c and src/priv/mechanisms.c */
#include "unit.h"

#include <string.h>

#include "auth/plain.h"
#include "priv/mechanisms.h"

static struct plain p;
static const char *challenge;

static enum plain_result
begin(const char *mechanism, const struct popper_slice *initial)
{
	struct popper_attempt a = { .mechanism = mechanism,
		.initial = initial != NULL };

	if (initial != NULL)
		a.secret = *initial;
	p = (struct plain){ .stage = PLAIN_IDLE };
	challenge = NULL;
	return plain_begin(&p, &a, &challenge);
}

/* Does PLAIN take the message, at once and on a line of its own? */
static bool
takes(struct popper_slice message)
{
	enum plain_result at_once = begin("PLAIN", &message), later;

	assert_int_equal(begin("PLAIN", NULL), PLAIN_MORE);
	assert_string_equal(challenge, "");
	later = plain_step(&p, message, &challenge);
	assert_int_equal(at_once, later);
	assert_int_not_equal(later, PLAIN_MORE);
	assert_int_equal(p.stage, PLAIN_IDLE);
	return later == PLAIN_READY;
}

static void
plain_is_three_parts(void **state)
{
	(void)state;
	assert_true(takes(S("\0bob\0secret")));
	assert_string_equal(p.user, "bob");
	assert_slice(p.secret, "secret");
	assert_true(takes(S("bob\0bob\0secret")));
	assert_false(takes(S("bo\0bob\0secret")));
	assert_false(takes(S("bobb\0bob\0secret")));
	assert_false(takes(S("")));
	assert_false(takes(S("bob")));
	assert_false(takes(S("bob\0secret")));
	assert_false(takes(S("\0\0secret")));
	assert_false(takes(S("\0bob\0")));
	assert_false(takes(S("\0bob\0secret\0")));
	assert_false(takes(S("\0bob\0sec\0ret")));
	assert_false(takes(S("\0\0")));
}

static void
names_have_255_octets(void **state)
{
	char message[2 + 256 + 1];

	(void)state;
	memset(message, 'u', sizeof(message));
	message[0] = message[256] = '\0';
	assert_true(takes(popper_slice(message, 258)));
	assert_int_equal(strlen(p.user), 255);
	message[256] = 'u';
	message[257] = '\0';
	assert_false(takes(popper_slice(message, 259)));
}

static void
login_asks_twice(void **state)
{
	struct popper_slice name = S("bob"), none = S(""), nul = S("a\0b");

	(void)state;
	assert_int_equal(begin("LOGIN", NULL), PLAIN_MORE);
	assert_string_equal(challenge, "Username:");
	assert_int_equal(plain_step(&p, name, &challenge), PLAIN_MORE);
	assert_string_equal(challenge, "Password:");
	assert_int_equal(plain_step(&p, S("x\0y"), &challenge), PLAIN_READY);
	assert_string_equal(p.user, "bob");
	assert_slice(p.secret, "x\0y");
	/* Over is over. */
	assert_int_equal(plain_step(&p, S("z"), &challenge), PLAIN_WRONG);
	assert_int_equal(begin("LOGIN", &name), PLAIN_MORE);
	assert_string_equal(challenge, "Password:");
	assert_int_equal(begin("LOGIN", &none), PLAIN_WRONG);
	assert_int_equal(begin("LOGIN", &nul), PLAIN_WRONG);
	assert_int_equal(p.stage, PLAIN_IDLE);
}

static void
knows_its_own(void **state)
{
	(void)state;
	assert_true(plain_is("PLAIN"));
	assert_true(plain_is("LOGIN"));
	assert_false(plain_is("PLAI"));
	assert_false(plain_is("USER"));
}

static bool
allowed(const char *list, const char *name, unsigned have)
{
	return mechanisms_allow(list, popper_slice_text(name), have);
}

static void
mechanisms_need_what_they_need(void **state)
{
	char list[64] = "", out[64];

	(void)state;
	assert_true(mechanisms_add(list, sizeof(list), "USER", 1));
	assert_true(mechanisms_add(list, sizeof(list), "PLAIN", 1));
	assert_true(mechanisms_add(list, sizeof(list), "APOP", 0));
	assert_true(mechanisms_add(list, sizeof(list), "X", 6));
	assert_true(mechanisms_add(list, sizeof(list), "PLAIN", 0));
	assert_string_equal(list, "USER=1 PLAIN=1 APOP=0 X=6");
	assert_false(allowed(list, "PLAIN", 0));
	assert_true(allowed(list, "PLAIN", 1));
	assert_true(allowed(list, "APOP", 0));
	assert_false(allowed(list, "X", 2));
	assert_true(allowed(list, "X", 7));
	assert_false(allowed(list, "PLAI", ~0u));
	assert_false(allowed(list, "", ~0u));
	assert_false(allowed("", "PLAIN", ~0u));
	mechanisms_sasl(list, 1, out, sizeof(out));
	assert_string_equal(out, "PLAIN");
	mechanisms_sasl(list, 7, out, sizeof(out));
	assert_string_equal(out, "PLAIN X");
	mechanisms_sasl(list, 0, out, sizeof(out));
	assert_string_equal(out, "");
	/* No half names. */
	assert_false(mechanisms_add(list, 30, "OAUTHBEARER", 0));
	assert_string_equal(list, "USER=1 PLAIN=1 APOP=0 X=6");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_is_three_parts),
		cmocka_unit_test(names_have_255_octets),
		cmocka_unit_test(login_asks_twice),
		cmocka_unit_test(knows_its_own),
		cmocka_unit_test(mechanisms_need_what_they_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
