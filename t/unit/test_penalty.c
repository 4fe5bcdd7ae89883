/* test_penalty.c - src/auth/penalty.c, digest.c and shared.c; time is played.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/digest.h"
#include "auth/penalty.h"

static struct settings settings = { .penalty_max = 15,
	.auth_timeout = 60,
	.penalty_exempt = "198.51.100.0/24 2001:db8:ffff::/48" };
/* No source is used twice, so the tests share one table. */
static deadline_t now = 1000000;

static struct penalty
from(const char *text)
{
	struct sockaddr_storage a = { .ss_family = AF_UNIX };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct penalty p;

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		memcpy(&a, &four, sizeof(four));
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		memcpy(&a, &six, sizeof(six));
	penalty_enter(&p, &a);
	return p;
}

/* Different each time. */
static const unsigned char *
guess(void)
{
	static unsigned char digest[DIGEST_LEN];
	static unsigned n;

	n++;
	digest_of("password", "bob", popper_slice((const char *)&n, sizeof(n)),
	    digest);
	return digest;
}

/* How long an attempt waits at ${now}, which moves on; -1: refused. */
static int64_t
wait_for(struct penalty *p)
{
	deadline_t start = now;
	uint64_t wait = 0;

	for (;;) {
		switch (penalty_ask(p, true, now, &wait)) {
		case PENALTY_GO:
			return now - start;
		case PENALTY_REFUSE:
			return -1;
		case PENALTY_WAIT:
			assert_int_not_equal(wait, 0);
			now += (int64_t)wait;
		}
	}
}

static int64_t
attempt_fails(struct penalty *p, const unsigned char *digest)
{
	int64_t waited = wait_for(p);

	penalty_failed(p, digest, now);
	return waited;
}

static void
grows_to_a_limit(void **state)
{
	static const int64_t want[] = { 0, 0, 0, 0, 0, 1000, 2000, 4000, 8000,
		15000, 15000, 15000 };
	struct penalty p = from("192.0.2.1"), other = from("192.0.2.2");

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		/* Another connection is the same source. */
		p = from("192.0.2.1");
		assert_int_equal(attempt_fails(&p, guess()), want[i]);
	}
	assert_int_equal(wait_for(&other), 0);
	other = from("::ffff:192.0.2.1");
	assert_int_equal(wait_for(&other), 15000);
	penalty_pause(&other);
}

static void
is_forgotten_with_time(void **state)
{
	struct penalty p = from("192.0.2.10");

	(void)state;
	for (int i = 0; i < 7; i++)
		attempt_fails(&p, guess());
	now += PENALTY_DECAY;
	assert_int_equal(attempt_fails(&p, guess()), 2000); /* 6 of 7 */
	now += 3 * PENALTY_DECAY;
	assert_int_equal(wait_for(&p), 0); /* 4 of 7 */
	penalty_pause(&p);
	now += 20 * PENALTY_DECAY;
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt_fails(&p, guess()), 0);
	assert_int_equal(attempt_fails(&p, guess()), 1000);
}

static void
queues_what_comes_at_once(void **state)
{
	struct penalty p = from("192.0.2.20"), many[6];
	static const uint64_t want[] = { 15000, 30000, 45000, 60000 };
	uint64_t wait = 0;

	(void)state;
	for (int i = 0; i < 12; i++)
		attempt_fails(&p, guess());
	for (size_t i = 0; i < 6; i++)
		many[i] = from("192.0.2.20");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
		    penalty_ask(&many[i], true, now, &wait), PENALTY_WAIT);
		assert_int_equal(wait, want[i]);
	}
	assert_int_equal(
	    penalty_ask(&many[4], true, now, &wait), PENALTY_REFUSE);
	/* Who asks too early waits on, for the same turn. */
	now += 14999;
	assert_int_equal(penalty_ask(&many[0], true, now, &wait), PENALTY_WAIT);
	assert_int_equal(wait, 1);
	assert_int_equal(penalty_ask(&many[1], true, now, &wait), PENALTY_WAIT);
	assert_int_equal(wait, 15001);
	now++;
	assert_int_equal(penalty_ask(&many[0], true, now, &wait), PENALTY_GO);
	penalty_failed(&many[0], guess(), now);
	/* A turn is good for one attempt. */
	assert_int_equal(penalty_ask(&many[0], true, now, &wait), PENALTY_WAIT);
	assert_int_equal(wait, 60000);
	assert_int_equal(
	    penalty_ask(&many[5], true, now, &wait), PENALTY_REFUSE);
}

static void
assumes_that_those_who_wait_fail(void **state)
{
	static const uint64_t want[] = { 1000, 3000, 7000, 15000, 30000, 45000,
		60000 };
	struct penalty p = from("192.0.2.21");
	uint64_t wait = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		attempt_fails(&p, guess());
	for (size_t i = 0; i < 7; i++) {
		p = from("192.0.2.21");
		assert_int_equal(
		    penalty_ask(&p, true, now, &wait), PENALTY_WAIT);
		assert_int_equal(wait, want[i]);
	}
	p = from("192.0.2.21");
	assert_int_equal(penalty_ask(&p, true, now, &wait), PENALTY_REFUSE);
}

/* 100 connections ask before any of them has failed. */
static void
judges_few_at_a_time(void **state)
{
	struct penalty many[100];
	uint64_t wait = 0;
	int going = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		many[i] = from("192.0.2.30");
		going += penalty_ask(&many[i], true, now, &wait) == PENALTY_GO;
	}
	assert_int_equal(going, 16);
	for (size_t i = 0; i < 16; i++)
		penalty_failed(&many[i], guess(), now);
	going = 0;
	for (size_t i = 16; i < 100; i++)
		going += penalty_ask(&many[i], true, now, &wait) == PENALTY_GO;
	assert_int_equal(going, 0);
}

static void
makes_honest_crowds_wait_little(void **state)
{
	struct penalty many[100];
	uint64_t wait = 0;
	int left = 100;
	deadline_t start = now;
	bool done[100] = { false };

	(void)state;
	for (size_t i = 0; i < 100; i++)
		many[i] = from("192.0.2.31");
	for (; left > 0; now += 50) {
		for (size_t i = 0; i < 100; i++)
			if (!done[i] &&
			    penalty_ask(&many[i], true, now, &wait) ==
				PENALTY_GO)
				done[i] = true;
		for (size_t i = 0; i < 100; i++)
			if (done[i] && many[i].until != 0) {
				penalty_passed(&many[i], now);
				left--;
			}
	}
	assert_in_range(now - start, 50, 1000);
}

static void
gives_up_the_place_of_a_killed_gate(void **state)
{
	struct penalty p = from("192.0.2.32"), dead[16];
	uint64_t wait = 0;

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		dead[i] = from("192.0.2.32");
		assert_int_equal(
		    penalty_ask(&dead[i], true, now, &wait), PENALTY_GO);
	}
	assert_int_equal(penalty_ask(&p, true, now, &wait), PENALTY_WAIT);
	now += 60000;
	assert_int_equal(penalty_ask(&p, true, now, &wait), PENALTY_GO);
	/* A late word of one that was given up changes nothing. */
	penalty_pause(&dead[0]);
	penalty_pause(&p);
}

static void
counts_the_same_password_once(void **state)
{
	struct penalty p = from("192.0.2.40");
	unsigned char old[DIGEST_LEN], older[DIGEST_LEN];

	(void)state;
	memcpy(old, guess(), sizeof(old));
	memcpy(older, guess(), sizeof(older));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(attempt_fails(&p, old), 0);
		assert_int_equal(attempt_fails(&p, older), 0);
	}
	/* Others count. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(attempt_fails(&p, guess()), 0);
	assert_int_equal(attempt_fails(&p, old), 1000);
	assert_int_equal(attempt_fails(&p, old), 1000);
	/* Where nobody can tell they all count. */
	assert_int_equal(attempt_fails(&p, NULL), 1000);
	assert_int_equal(attempt_fails(&p, NULL), 2000);
}

static void
halves_with_a_success(void **state)
{
	struct penalty p = from("192.0.2.50");

	(void)state;
	for (int i = 0; i < 9; i++)
		attempt_fails(&p, guess());
	assert_int_equal(wait_for(&p), 15000);
	penalty_passed(&p, now); /* 9 / 2 = 4 */
	assert_int_equal(attempt_fails(&p, guess()), 0);
	assert_int_equal(attempt_fails(&p, guess()), 1000);
	/* Again, but too soon: who has one password gains little by it. */
	assert_int_equal(wait_for(&p), 2000);
	penalty_passed(&p, now);
	assert_int_equal(wait_for(&p), 2000);
	penalty_pause(&p);
}

static void
holds_for_all_of_an_exchange(void **state)
{
	struct penalty p = from("192.0.2.60"), other = from("192.0.2.60");
	uint64_t wait = 0;

	(void)state;
	/* Begun when it cost nothing ... */
	assert_int_equal(penalty_ask(&p, true, now, &wait), PENALTY_GO);
	penalty_pause(&p);
	assert_int_equal(penalty_ask(&p, false, now, &wait), PENALTY_GO);
	penalty_pause(&p);
	for (int i = 0; i < 7; i++)
		attempt_fails(&other, guess());
	/* ... it is as dear as another now, once. */
	assert_int_equal(penalty_ask(&p, false, now, &wait), PENALTY_WAIT);
	assert_int_equal(wait, 4000);
	now += 4000;
	assert_int_equal(penalty_ask(&p, false, now, &wait), PENALTY_GO);
	penalty_pause(&p);
	assert_int_equal(penalty_ask(&p, false, now, &wait), PENALTY_GO);
	penalty_pause(&p);
	/* The next exchange pays for itself. */
	assert_int_equal(penalty_ask(&p, true, now, &wait), PENALTY_WAIT);
}

static void
spares_the_exempt(void **state)
{
	static const char *const spared[] = { "198.51.100.7",
		"2001:db8:ffff:1::1", "local" };
	struct penalty p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		p = from(spared[i]);
		for (int n = 0; n < 50; n++)
			assert_int_equal(attempt_fails(&p, guess()), 0);
	}
	p = from("2001:db8:1:1::1");
	for (int n = 0; n < 6; n++)
		attempt_fails(&p, guess());
	p = from("2001:db8:1:1:ffff::2"); /* its /64 */
	assert_int_equal(wait_for(&p), 2000);
	penalty_pause(&p);
	p = from("2001:db8:1:2::1");
	assert_int_equal(wait_for(&p), 0);
	penalty_pause(&p);
}

/* 100,000 sources: the table is bounded, and who comes often stays in it. */
static void
forgets_the_oldest(void **state)
{
	struct penalty bad = from("192.0.2.70"), p;
	char text[64];

	(void)state;
	for (int i = 0; i < 12; i++)
		attempt_fails(&bad, guess());
	for (int i = 0; i < 100000; i++) {
		now++;
		snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16,
		    i >> 8 & 255, i & 255);
		p = from(text);
		assert_int_equal(wait_for(&p), 0);
		penalty_pause(&p);
		if (i % 500 == 0)
			assert_int_equal(attempt_fails(&bad, guess()), 15000);
	}
}

/* What one gate counts the others know. */
static void
is_shared(void **state)
{
	struct penalty p = from("192.0.2.80");
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		for (int i = 0; i < 6; i++)
			attempt_fails(&p, guess());
		penalty_slowest(2500);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Behind the other's last turn. */
	assert_int_equal(wait_for(&p), 1000 + 2000);
	penalty_pause(&p);
	assert_int_equal(penalty_slowest(0), 2500);
	assert_int_equal(penalty_slowest(3000), 3000);
	assert_int_equal(penalty_slowest(100), 3000);
}

static int
start(void **state)
{
	(void)state;
	digest_start();
	penalty_start(&settings);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_a_limit),
		cmocka_unit_test(is_forgotten_with_time),
		cmocka_unit_test(queues_what_comes_at_once),
		cmocka_unit_test(assumes_that_those_who_wait_fail),
		cmocka_unit_test(judges_few_at_a_time),
		cmocka_unit_test(makes_honest_crowds_wait_little),
		cmocka_unit_test(gives_up_the_place_of_a_killed_gate),
		cmocka_unit_test(counts_the_same_password_once),
		cmocka_unit_test(halves_with_a_success),
		cmocka_unit_test(holds_for_all_of_an_exchange),
		cmocka_unit_test(spares_the_exempt),
		cmocka_unit_test(forgets_the_oldest),
		cmocka_unit_test(is_shared),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
