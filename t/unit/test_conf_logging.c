/* test_conf_logging.c - src/conf/logging.c */
#include "unit.h"

#include "conf/logging.h"

static struct settings s = { .log_style = "popper", .log_login = "" };
static struct popper_error e;
static char line[64];

static const char *
filled(const char *template, const char *user)
{
	const char *const values[4] = { "1.2", user, "host.example", "::1" };

	s.log_login = template;
	logging_login(&s, values, line, sizeof(line));
	return line;
}

static void
fills_the_template(void **state)
{
	(void)state;
	assert_string_equal(filled("yes", "mary"),
	    "(v1.2) POP login by user \"mary\" at (host.example) ::1");
	assert_string_equal(filled("%3%%%0%1%1", "m"), "::1%1.2mm");
	assert_string_equal(
	    filled("%1", "a b\"c(d)\t%1\xe4"), "a_b_c_d__%1\xe4");
	assert_string_equal(filled("%1", ""), "(null)");
	assert_string_equal(filled("", "x"), "");
	assert_string_equal(filled("no", "x"), "no");
}

static void
stays_in_its_room(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_string_equal(filled("a%1b", text), "ab");
	filled(text, "y");
	assert_int_equal(strlen(line), sizeof(line) - 1);
	text[60] = '%';
	text[61] = '1';
	filled(text, "0123456789");
	assert_true(strlen(line) < sizeof(line));
}

static void
refuses_what_it_cannot_fill(void **state)
{
	static const char *const wrong[] = { "%", "x%", "%s", "%4", "%n", "\n",
		"\x7f", "\xc3\xa4" };

	(void)state;
	s.log_login = "yes";
	assert_int_equal(logging_check(&s, &e), 0);
	s.log_login = "%0 %1 %2 %3 %%";
	assert_int_equal(logging_check(&s, &e), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		s.log_login = wrong[i];
		assert_int_equal(logging_check(&s, &e), -1);
	}
	s.log_login = "";
	s.log_style = "other";
	assert_int_equal(logging_check(&s, &e), -1);
	s.log_style = "qpopper";
	assert_int_equal(logging_check(&s, &e), 0);
	assert_true(logging_is_qpopper(&s));
}

static void
knows_what_is_asked(void **state)
{
	(void)state;
	s.log_login = "yes";
	assert_true(logging_asks(&s, '2'));
	s.log_login = "%1 %3 %%2";
	assert_false(logging_asks(&s, '2'));
	s.log_login = "%";
	assert_false(logging_asks(&s, '2'));
	s.log_login = "";
	assert_false(logging_asks(&s, '2'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_template),
		cmocka_unit_test(stays_in_its_room),
		cmocka_unit_test(refuses_what_it_cannot_fill),
		cmocka_unit_test(knows_what_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
