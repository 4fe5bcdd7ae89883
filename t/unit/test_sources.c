/* test_sources.c - src/login/sources.c */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "login/sources.h"

static struct sources s;

static int
clear(void **state)
{
	(void)state;
	free(s.source);
	memset(&s, 0, sizeof(s));
	return 0;
}

static const struct sockaddr_storage *
from(const char *text)
{
	static struct sockaddr_storage a;
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	/* Ports differ and must not matter. */
	static in_port_t port;

	memset(&a, 0, sizeof(a));
	four.sin_port = six.sin6_port = ++port;
	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		memcpy(&a, &four, sizeof(four));
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		memcpy(&a, &six, sizeof(six));
	else
		a.ss_family = AF_UNIX;
	return &a;
}

static void
counts_each_address(void **state)
{
	(void)state;
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 0);
	sources_add(&s, 10, from("192.0.2.1"));
	sources_add(&s, 11, from("192.0.2.1"));
	sources_add(&s, 12, from("192.0.2.2"));
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 2);
	assert_int_equal(sources_count(&s, from("192.0.2.2")), 1);
	assert_int_equal(sources_count(&s, from("192.0.2.3")), 0);
	sources_remove(&s, 10);
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 1);
	sources_remove(&s, 10);
	sources_remove(&s, 999);
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 1);
	sources_remove(&s, 11);
	sources_remove(&s, 12);
	assert_int_equal(s.count, 0);
}

static void
takes_a_network_of_ipv6_as_one(void **state)
{
	(void)state;
	sources_add(&s, 1, from("2001:db8:0:1::1"));
	sources_add(&s, 2, from("2001:db8:0:1:ffff::2"));
	sources_add(&s, 3, from("2001:db8:0:2::1"));
	assert_int_equal(sources_count(&s, from("2001:db8:0:1::3")), 2);
	assert_int_equal(sources_count(&s, from("2001:db8:0:2::3")), 1);
}

static void
knows_ipv4_in_ipv6(void **state)
{
	(void)state;
	sources_add(&s, 1, from("::ffff:192.0.2.1"));
	sources_add(&s, 2, from("192.0.2.1"));
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 2);
	assert_int_equal(sources_count(&s, from("::ffff:192.0.2.1")), 2);
	assert_int_equal(sources_count(&s, from("::ffff:192.0.2.2")), 0);
	assert_int_equal(sources_count(&s, from("::1")), 0);
}

static void
takes_all_local_ones_as_one(void **state)
{
	(void)state;
	sources_add(&s, 1, from("local"));
	assert_int_equal(sources_count(&s, from("local")), 1);
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 0);
}

static void
grows_and_shrinks(void **state)
{
	(void)state;
	for (pid_t pid = 1; pid <= 1000; pid++)
		sources_add(&s, pid, from(pid % 2 ? "192.0.2.1" : "::1"));
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 500);
	for (pid_t pid = 1; pid <= 1000; pid += 2)
		sources_remove(&s, pid);
	assert_int_equal(sources_count(&s, from("192.0.2.1")), 0);
	assert_int_equal(sources_count(&s, from("::1")), 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(counts_each_address, clear),
		cmocka_unit_test_teardown(
		    takes_a_network_of_ipv6_as_one, clear),
		cmocka_unit_test_teardown(knows_ipv4_in_ipv6, clear),
		cmocka_unit_test_teardown(takes_all_local_ones_as_one, clear),
		cmocka_unit_test_teardown(grows_and_shrinks, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
