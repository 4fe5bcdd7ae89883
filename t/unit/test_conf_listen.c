/* test_conf_listen.c - src/conf/listen.c */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include "conf/listen.h"

static struct listen_list l;
static struct popper_error e;

/* All addresses of ${l}, as one text; "+" behind those with TLS. */
static const char *
listed(void)
{
	static char out[8192];
	char name[INET6_ADDRSTRLEN];
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < l.count; i++) {
		const struct listen_address *a = &l.address[i];
		bool v4 = a->address.ss_family == AF_INET;

		assert_int_equal(a->len, v4 ? sizeof(four) : sizeof(six));
		memcpy(&four, &a->address, sizeof(four));
		memcpy(&six, &a->address, sizeof(six));
		inet_ntop(a->address.ss_family,
		    v4 ? (void *)&four.sin_addr : (void *)&six.sin6_addr, name,
		    sizeof(name));
		len += (size_t)snprintf(out + len, sizeof(out) - len,
		    "%s%s/%u%s", len > 0 ? " " : "", name,
		    ntohs(v4 ? four.sin_port : six.sin6_port),
		    a->tls ? "+" : "");
	}
	return out;
}

static const char *
parsed(const char *text)
{
	l.count = 0;
	if (listen_parse("listen", text, false, &l, &e) == -1)
		fail_msg("%s: %s", text, e.text);
	return listed();
}

static void
knows_all_forms(void **state)
{
	(void)state;
	assert_string_equal(parsed(""), "");
	assert_string_equal(parsed("   "), "");
	assert_string_equal(parsed("*"), "::/110 0.0.0.0/110");
	assert_string_equal(parsed("*:111"), "::/111 0.0.0.0/111");
	assert_string_equal(parsed("112"), "::/112 0.0.0.0/112");
	assert_string_equal(parsed(":113"), "::/113 0.0.0.0/113");
	assert_string_equal(parsed("192.0.2.1"), "192.0.2.1/110");
	assert_string_equal(parsed("192.0.2.1:0"), "192.0.2.1/0");
	assert_string_equal(parsed("192.0.2.1:65535"), "192.0.2.1/65535");
	assert_string_equal(parsed("[2001:db8::1]"), "2001:db8::1/110");
	assert_string_equal(parsed("[::1]:995"), "::1/995");
}

static void
knows_lists(void **state)
{
	(void)state;
	assert_string_equal(parsed(" [::1]:110  127.0.0.1:110 995 "),
	    "::1/110 127.0.0.1/110 ::/995 0.0.0.0/995");
}

static void
refuses_the_rest(void **state)
{
	static const char *const wrong[] = { "localhost",
		"192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536", "65536", "-1",
		"::1", "::1:110", "[::1", "::1]", "[::1]110", "[::1]:", "[]",
		"[]:110", "[192.0.2.1]:110", "192.0.2:110", "192.0.2.256", "[",
		"]", ":", "::", "*:", "110,111", "1.2.3.4:5:6",
		"[fe80::1%lo]:110", "0x50", " 110\t" };
	char wanted[200];

	(void)state;
	l.count = 0;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (listen_parse("listen", wrong[i], false, &l, &e) != -1)
			fail_msg("%s was taken", wrong[i]);
		snprintf(wanted, sizeof(wanted),
		    "listen: \"%s\" must be an address and port, as "
		    "192.0.2.1:110 or [2001:db8::1]:110",
		    wrong[i] + (wrong[i][0] == ' '));
		assert_string_equal(e.text, wanted);
	}
	/* The wrong one of several is named. */
	assert_int_equal(
	    listen_parse("listen", "110 here 111", false, &l, &e), -1);
	assert_non_null(strstr(e.text, "\"here\""));
}

static void
has_an_end(void **state)
{
	char text[LISTEN_MAX * 16] = "";

	(void)state;
	for (int i = 0; i < LISTEN_MAX - 1; i++)
		strcat(text, "127.0.0.1:110 ");
	l.count = 0;
	assert_int_equal(listen_parse("listen", text, false, &l, &e), 0);
	assert_int_equal(l.count, LISTEN_MAX - 1);
	l.count = 0;
	strcat(text, "127.0.0.1:110");
	assert_int_equal(listen_parse("listen", text, false, &l, &e), -1);
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(listen_parse("listen", text, false, &l, &e), -1);
}

/* What the settings ask for, as one text. */
static const char *
wanted(const char *plain, const char *tls, const char *support,
    const char *certificate)
{
	const struct settings s = { .listen = plain,
		.listen_tls = tls,
		.tls_support = support,
		.tls_certificate = certificate };

	if (listen_wanted(&s, &l, &e) == -1)
		fail_msg("%s", e.text);
	return listed();
}

static void
has_ports_of_its_own(void **state)
{
	static const char pem[] = "/etc/ssl/pop.pem";
	static const char both[] = "::/110 0.0.0.0/110 ::/995+ 0.0.0.0/995+";
	static const char plain[] = "::/110 0.0.0.0/110";
	static const char tls[] = "::/995+ 0.0.0.0/995+";

	(void)state;
	assert_string_equal(wanted("", "", "default", ""), plain);
	assert_string_equal(wanted(" ", " ", "default", pem), both);
	assert_string_equal(wanted("", "", "none", pem), plain);
	assert_string_equal(wanted("", "", "stls", pem), plain);
	assert_string_equal(wanted("", "", "alternate-port", pem), tls);
	assert_string_equal(
	    wanted("192.0.2.1", "", "default", pem), "192.0.2.1/110");
	assert_string_equal(
	    wanted("[::1]:1110 192.0.2.1", "[::1] 192.0.2.1:1995", "stls", pem),
	    "::1/1110 192.0.2.1/110 ::1/995+ 192.0.2.1/1995+");
	assert_string_equal(wanted("", "192.0.2.1", "default", pem),
	    "::/110 0.0.0.0/110 192.0.2.1/995+");
	assert_string_equal(
	    wanted("192.0.2.1", "", "alternate-port", pem), "192.0.2.1/995+");
	assert_string_equal(wanted("", "192.0.2.1:1995", "alternate-port", pem),
	    "192.0.2.1/1995+");
}

static void
names_the_option(void **state)
{
	const struct settings s = { .listen = "110",
		.listen_tls = "pop3s",
		.tls_support = "default",
		.tls_certificate = "/etc/ssl/pop.pem" };

	(void)state;
	assert_int_equal(listen_wanted(&s, &l, &e), -1);
	assert_string_equal(e.text,
	    "listen-tls: \"pop3s\" must be an address and port, as "
	    "192.0.2.1:995 or [2001:db8::1]:995");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_all_forms),
		cmocka_unit_test(knows_lists),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(has_an_end),
		cmocka_unit_test(has_ports_of_its_own),
		cmocka_unit_test(names_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
