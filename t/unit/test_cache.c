/* test_cache.c - src/auth/cache.c; time is played. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/cache.h"

static deadline_t now = 5000;

static struct popper_stamp
stamp(const char *text)
{
	struct popper_stamp s = { .len = strlen(text) };

	memcpy(s.octets, text, s.len);
	return s;
}

static enum cache_state
state_of(const char *user, const char *password)
{
	struct credential c;

	cache_ask(&c, user, popper_slice_text(password), now);
	return c.state;
}

/* One login with the right password, while the stamp is ${text}. */
static bool
log_in(const char *user, const char *password, const char *text)
{
	struct popper_stamp s = stamp(text);
	struct credential c;

	cache_ask(&c, user, popper_slice_text(password), now);
	if (cache_fits(&c, user, &s))
		return true;
	cache_learn(&c, user, c.state == CACHE_UNKNOWN ? NULL : &s, now);
	return false;
}

/* Without a start there is none; this test comes first. */
static void
is_off_by_default(void **state)
{
	struct settings s = { .cache_lifetime = 0, .cache_size = 16 };

	(void)state;
	cache_start(&s);
	assert_int_equal(state_of("bob", "x"), CACHE_OFF);
	assert_false(log_in("bob", "x", ""));
	assert_false(log_in("bob", "x", ""));
	assert_false(log_in("bob", "x", ""));
	assert_int_equal(state_of("bob", "x"), CACHE_OFF);
	s.cache_lifetime = 600;
	cache_start(&s);
}

static void
knows_after_two(void **state)
{
	(void)state;
	assert_int_equal(state_of("bob", "right"), CACHE_UNKNOWN);
	assert_false(log_in("bob", "right", "1"));
	assert_int_equal(state_of("bob", "right"), CACHE_SEEN);
	assert_false(log_in("bob", "right", "1"));
	assert_int_equal(state_of("bob", "right"), CACHE_KNOWN);
	assert_true(log_in("bob", "right", "1"));
	assert_true(log_in("bob", "right", "1"));
	/* Only exactly this. */
	assert_int_equal(state_of("bob", "Right"), CACHE_UNKNOWN);
	assert_int_equal(state_of("bob", "right "), CACHE_UNKNOWN);
	assert_int_equal(state_of("bo", "right"), CACHE_UNKNOWN);
	assert_int_equal(state_of("bobr", "ight"), CACHE_UNKNOWN);
}

static void
sees_a_change(void **state)
{
	struct popper_stamp old = stamp("old"), new = stamp("new");
	struct popper_stamp none = stamp("");
	struct credential c;

	(void)state;
	log_in("carol", "a", "old");
	log_in("carol", "a", "old");
	cache_ask(&c, "carol", S("a"), now);
	assert_true(cache_fits(&c, "carol", &old));
	assert_false(cache_fits(&c, "carol", &new));
	assert_false(cache_fits(&c, "carol", &none));
	assert_false(cache_fits(&c, "dave", &old));
	/* The same password again after a change: verified once. */
	assert_false(log_in("carol", "a", "new"));
	assert_true(log_in("carol", "a", "new"));
	assert_false(log_in("carol", "a", "old"));
}

static void
ends(void **state)
{
	(void)state;
	log_in("erin", "a", "1");
	log_in("erin", "a", "1");
	now += 599999;
	assert_true(log_in("erin", "a", "1")); /* that makes it no longer */
	now += 1;
	assert_int_equal(state_of("erin", "a"), CACHE_UNKNOWN);
	assert_false(log_in("erin", "a", "1"));
	assert_int_equal(state_of("erin", "a"), CACHE_SEEN);
}

static void
is_bounded(void **state)
{
	char user[16];
	int known = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		now++;
		snprintf(user, sizeof(user), "u%d", i);
		log_in(user, "a", "1");
		assert_false(log_in(user, "a", "1"));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		known += state_of(user, "a") == CACHE_KNOWN;
	}
	assert_in_range(known, 1, 16);
	/* The youngest is in; wrong passwords drive nobody out. */
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "w%d", i);
		assert_int_equal(state_of("u999", user), CACHE_UNKNOWN);
	}
	assert_int_equal(state_of("u999", "a"), CACHE_KNOWN);
}

static void
is_shared(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		log_in("frank", "a", "1");
		log_in("frank", "a", "1");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(log_in("frank", "a", "1"));
}

/* Nothing that was asked is to be found in it but digests. */
static void
holds_no_password(void **state)
{
	struct credential c;

	(void)state;
	cache_ask(&c, "grace", S("opensesameopensesameopensesame12"), now);
	assert_memory_not_equal(c.tag, "opensesameopensesameopensesame12", 32);
	assert_int_equal(c.state, CACHE_UNKNOWN);
}

static int
start(void **state)
{
	(void)state;
	digest_start();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_off_by_default),
		cmocka_unit_test(knows_after_two),
		cmocka_unit_test(sees_a_change),
		cmocka_unit_test(ends),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(is_shared),
		cmocka_unit_test(holds_no_password),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
