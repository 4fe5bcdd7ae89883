/* test_source.c - src/base/source.c; keys are tested in test_sources.c too. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/source.h"

static struct sockaddr_storage
from(const char *text)
{
	struct sockaddr_storage a = { .ss_family = AF_UNIX };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		memcpy(&a, &four, sizeof(four));
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		memcpy(&a, &six, sizeof(six));
	return a;
}

static bool
in(const char *networks, const char *address)
{
	struct sockaddr_storage a = from(address);

	return source_is_in(networks, &a);
}

static bool
same(const char *one, const char *two)
{
	struct sockaddr_storage a = from(one), b = from(two);
	unsigned char x[SOURCE_LEN], y[SOURCE_LEN];

	source_key(&a, x);
	source_key(&b, y);
	return memcmp(x, y, SOURCE_LEN) == 0;
}

static void
keys_tell_sources_apart(void **state)
{
	(void)state;
	assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(same("192.0.2.1", "192.0.2.2"));
	assert_true(same("2001:db8::1", "2001:db8::ffff:1"));
	assert_false(same("2001:db8::1", "2001:db8:0:1::1"));
	assert_true(same("none", "neither"));
}

static void
networks_hold_addresses(void **state)
{
	(void)state;
	assert_true(in("192.0.2.0/24", "192.0.2.255"));
	assert_false(in("192.0.2.0/24", "192.0.3.0"));
	assert_true(in("192.0.2.0/25", "192.0.2.127"));
	assert_false(in("192.0.2.0/25", "192.0.2.128"));
	assert_true(in("192.0.2.1", "192.0.2.1"));
	assert_false(in("192.0.2.1", "192.0.2.0"));
	assert_true(in("192.0.2.1/32", "::ffff:192.0.2.1"));
	assert_true(in("::ffff:192.0.2.0/120", "192.0.2.9"));
	assert_true(in("0.0.0.0/0", "198.51.100.1"));
	assert_false(in("0.0.0.0/0", "2001:db8::1"));
	assert_true(in("::/0", "2001:db8::1"));
	assert_true(in("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(in("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(in("127.0.0.0/8  ::1 ", "::1"));
	assert_true(in(" ::1 127.0.0.0/8", "127.255.0.1"));
	assert_false(in("", "127.0.0.1"));
	assert_false(in("0.0.0.0/0 ::/0", "none"));
}

static void
wrong(const char *networks, const char *word)
{
	char out[64];

	assert_true(source_wrong(networks, out, sizeof(out)));
	assert_string_equal(out, word);
}

static void
wrong_words_are_named(void **state)
{
	static char much[200];
	char out[64];

	(void)state;
	assert_false(source_wrong("", out, sizeof(out)));
	assert_false(source_wrong(
	    "192.0.2.0/24 ::1 2001:db8::/32 0.0.0.0/0", out, sizeof(out)));
	wrong("192.0.2.0/24 192.0.2/24 x", "192.0.2/24");
	wrong("192.0.2.0/33", "192.0.2.0/33");
	wrong("2001:db8::/129", "2001:db8::/129");
	wrong("192.0.2.0/", "192.0.2.0/");
	wrong("192.0.2.0/-1", "192.0.2.0/-1");
	wrong("192.0.2.0/8/8", "192.0.2.0/8/8");
	wrong("/8", "/8");
	wrong("localhost", "localhost");
	memset(much, '1', sizeof(much) - 1);
	wrong(much, "a word too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_tell_sources_apart),
		cmocka_unit_test(networks_hold_addresses),
		cmocka_unit_test(wrong_words_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
