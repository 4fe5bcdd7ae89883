/* test_conf_server.c - src/conf/server.c, nearest.c and base/settings.c */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/option.h"
#include "conf/nearest.h"
#include "conf/server.h"
#include "forgetful.h"

static struct settings s;
static struct popper_error e;

static int
defaults(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	option_defaults(settings_options, &s);
	return 0;
}

static int
set(const char *name, const char *value)
{
	memset(&e, 0, sizeof(e));
	return server_set(&s, name, value, &e);
}

static void
refused_set(const char *name, const char *value, const char *why)
{
	assert_int_equal(set(name, value), -1);
	assert_string_equal(e.text, why);
}

static void
has_good_defaults(void **state)
{
	(void)state;
	assert_int_equal(server_check(&s, &e), 0);
	assert_int_equal(s.timeout, 600);
	assert_int_equal(s.min_uid, 11);
	assert_int_equal(s.max_tries, 3);
	assert_false(s.statistics);
	assert_true(s.reverse_lookup);
	assert_string_equal(s.user, "popper");
	assert_string_not_equal(s.server_name, ""); /* the host's */
}

static void
sets_every_kind(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "15m"), 0);
	assert_int_equal(s.timeout, 900);
	assert_int_equal(set("statistics", "yes"), 0);
	assert_true(s.statistics);
	assert_int_equal(set("user", "someone"), 0);
	assert_string_equal(s.user, "someone");
	assert_int_equal(set("min-uid", "1000"), 0);
	assert_int_equal(s.min_uid, 1000);
}

static void
names_the_wrong_word(void **state)
{
	(void)state;
	refused_set("timeouts", "1",
	    "there is no option \"timeouts\"; \"timeout\" is one");
	refused_set("Timeout", "1",
	    "there is no option \"Timeout\"; \"timeout\" is one");
	refused_set("xyzzy", "1",
	    "there is no option \"xyzzy\"; popper.conf(5) lists them");
	refused_set("timeout", "soon",
	    "timeout = \"soon\": must be a time, as 10, 10s, 10m, 10h or 10d");
	refused_set("shy", "maybe", "shy = \"maybe\": must be yes or no");
	refused_set("max-tries", "-1", "max-tries = \"-1\": must be a number");
	refused_set("min-uid", "0x10", "min-uid = \"0x10\": must be a number");
}

/* ${name} = ${value} makes no sense, and the message names it. */
static void
refused(const char *name, const char *value)
{
	defaults(NULL);
	assert_int_equal(set(name, value), 0);
	assert_int_equal(server_check(&s, &e), -1);
	assert_int_equal(strncmp(e.text, name, strlen(name)), 0);
	defaults(NULL);
}

static void
good(const char *name, const char *value)
{
	assert_int_equal(set(name, value), 0);
	if (server_check(&s, &e) == -1)
		fail_msg("%s = %s: %s", name, value, e.text);
}

static void
checks_sense(void **state)
{
	(void)state;
	refused("timeout", "0");
	refused("timeout", "2d");
	good("timeout", "1d");
	refused("login-timeout", "0");
	refused("auth-timeout", "0");
	refused("auth-timeout", "3601");
	refused("failure-delay", "61");
	good("failure-delay", "0");
	refused("penalty-max", "31");
	good("penalty-max", "0");
	refused("penalty-exempt", "localhost");
	refused("penalty-exempt", "192.0.2.0/24 192.0.2.0/33");
	good("penalty-exempt", "127.0.0.0/8 ::1 2001:db8::/32");
	refused("auth-file", "users");
	good("auth-file", "/etc/popper/users");
	refused("nonauth-file", "./users");
	good("nonauth-file", "/etc/ftpusers");
	refused("cache-lifetime", "2d");
	refused("cache-size", "0");
	refused("cache-size", "1000001");
	refused("max-tries", "0");
	refused("max-connections", "0");
	refused("max-connections", "1000001");
	refused("expire", "soon");
	refused("expire", "-1");
	good("expire", "");
	good("expire", "never");
	good("expire", "30");
}

static void
wants_a_name_fit_for_the_greeting(void **state)
{
	char longest[256];

	(void)state;
	good("server-name", "pop.example.org");
	refused("server-name", "a b");
	refused("server-name", "a\r\n+OK");
	refused("server-name", "<a@b>");
	refused("server-name", "[AUTH]");
	memset(longest, 'a', sizeof(longest));
	longest[200] = '\0';
	refused("server-name", longest);
	longest[199] = '\0';
	good("server-name", longest);
}

static void
knows_what_a_suffix_is(void **state)
{
	(void)state;
	good("name-suffix", "");
	good("name-suffix", "-no-mime");
	good("name-suffix", "_x");
	good("name-suffix", "-abcdefghijklmnopqrstuvwxyz0123");
	refused("name-suffix", "-abcdefghijklmnopqrstuvwxyz01234");
	refused("name-suffix", "-");
	refused("name-suffix", "no-mime");
	refused("name-suffix", "@no-mime");
	refused("name-suffix", "-no mime");
	refused("name-suffix", "-n@x");
}

/* Set ${pairs} (names and values, then NULL); what server_check says. */
static const char *
told(const char *const *pairs)
{
	defaults(NULL);
	for (; *pairs != NULL; pairs += 2)
		assert_int_equal(set(pairs[0], pairs[1]), 0);
	return server_check(&s, &e) == 0 ? "" : e.text;
}

#define TOLD(...) told((const char *const[]){ __VA_ARGS__, NULL })
#define PEM "tls-certificate", "/etc/ssl/pop.pem"

static void
knows_words_of_tls(void **state)
{
	(void)state;
	assert_string_equal(TOLD("tls-support", "stsl"),
	    "tls-support = \"stsl\": must be one of: default none stls "
	    "alternate-port");
	assert_string_equal(TOLD("tls-minimum", "1.1"),
	    "tls-minimum = \"1.1\": must be one of: 1.2 1.3");
	assert_string_equal(TOLD("tls-client-name", "mail"),
	    "tls-client-name = \"mail\": must be one of: email dns upn cn");
	assert_string_equal(TOLD("clear-text-password", "some"),
	    "clear-text-password = \"some\": must be one of: default always "
	    "local tls never");
	assert_string_equal(TOLD("tls-support", ""),
	    "tls-support = \"\": must be one of: default none stls "
	    "alternate-port");
	assert_string_equal(TOLD("tls-minimum", "1.2 1.3"),
	    "tls-minimum = \"1.2 1.3\": must be one of: 1.2 1.3");
	assert_string_equal(
	    TOLD("tls-support", "none", "tls-minimum", "1.3", "tls-client-name",
		"cn", "clear-text-password", "local"),
	    "");
	assert_string_equal(TOLD(PEM, "tls-support", "alternate-port",
				"clear-text-password", "tls"),
	    "");
}

static void
knows_what_tls_needs(void **state)
{
	(void)state;
	assert_string_equal(TOLD("listen-tls", "995"),
	    "listen-tls needs TLS: set tls-certificate");
	assert_string_equal(TOLD("clear-text-password", "tls"),
	    "clear-text-password = tls needs TLS: set tls-certificate");
	assert_string_equal(TOLD("tls-support", "stls"),
	    "tls-support = stls needs TLS: set tls-certificate");
	assert_string_equal(TOLD("tls-support", "alternate-port"),
	    "tls-support = alternate-port needs TLS: set tls-certificate");
	assert_string_equal(
	    TOLD(PEM, "listen-tls", "995", "tls-support", "none"),
	    "listen-tls needs TLS: do not set tls-support = none");
	assert_string_equal(TOLD("tls-key", "/etc/ssl/pop.key"),
	    "tls-key needs a certificate: set tls-certificate");
	assert_string_equal(TOLD(PEM, "tls-client-crl", "/etc/ssl/crl"),
	    "tls-client-crl needs a CA: set tls-client-ca");
	assert_string_equal(TOLD(PEM, "tls-client-required", "yes"),
	    "tls-client-required needs a CA: set tls-client-ca");
	assert_string_equal(
	    TOLD(PEM, "tls-key", "/k", "tls-client-ca", "/c", "tls-client-crl",
		"/r", "tls-client-required", "yes", "listen-tls", "995"),
	    "");
}

static void
reads_a_file(void **state)
{
	char path[] = "/tmp/popper-unit-XXXXXX";
	const char good_text[] = "timeout = 5m\nlisten = {\"110\", 995}\n";
	const char bad_text[] = "timeout = 5m\nauth pam { }\n";
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_write_all(fd, good_text, sizeof(good_text) - 1), 0);
	assert_int_equal(server_read(&s, path, &e), 0);
	assert_int_equal(s.timeout, 300);
	assert_string_equal(s.listen, "110 995");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_write_all(fd, bad_text, sizeof(bad_text) - 1), 0);
	assert_int_equal(server_read(&s, path, &e), -1);
	assert_non_null(strstr(e.text, ":2: \"pam\""));
	fd_close(&fd);
	unlink(path);
	assert_int_equal(server_read(&s, path, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static const struct popper_option table[] = { { "path", POPPER_OPTION_TEXT, 0,
						  NULL, NULL },
	{ "file", POPPER_OPTION_TEXT, 0, NULL, NULL },
	{ "file-mode", POPPER_OPTION_TEXT, 0, NULL, NULL },
	{ "a", POPPER_OPTION_TEXT, 0, NULL, NULL }, POPPER_OPTIONS_END };

static void
finds_the_nearest(void **state)
{
	char word[300];

	(void)state;
	assert_string_equal(nearest_option(table, "pathe"), "path");
	assert_string_equal(nearest_option(table, "Path"), "path");
	assert_string_equal(nearest_option(table, "fil"), "file");
	assert_string_equal(nearest_option(table, "file_mode"), "file-mode");
	assert_string_equal(nearest_option(table, "file-modes"), "file-mode");
	assert_null(nearest_option(table, "zzzz"));
	assert_null(nearest_option(table, ""));
	assert_null(nearest_option(NULL, "path"));
	/* Longer than any table's words: not even looked at. */
	memset(word, 'x', sizeof(word));
	for (size_t n = 60; n < sizeof(word); n++) {
		word[n] = '\0';
		assert_null(nearest_option(table, word));
		word[n] = 'x';
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(has_good_defaults, defaults),
		cmocka_unit_test_setup(sets_every_kind, defaults),
		cmocka_unit_test_setup(names_the_wrong_word, defaults),
		cmocka_unit_test_setup(checks_sense, defaults),
		cmocka_unit_test_setup(knows_what_a_suffix_is, defaults),
		cmocka_unit_test_setup(
		    wants_a_name_fit_for_the_greeting, defaults),
		cmocka_unit_test_setup(knows_words_of_tls, defaults),
		cmocka_unit_test_setup(knows_what_tls_needs, defaults),
		cmocka_unit_test_setup(reads_a_file, defaults),
		cmocka_unit_test(finds_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
