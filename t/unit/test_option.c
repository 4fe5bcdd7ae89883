/* test_option.c - src/base/option.c */
#include "unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/option.h"
#include "forgetful.h"

struct conf {
	const char *text, *word;
	bool flag;
	uint64_t number, octets, seconds;
};

static const struct popper_option table[] = { POPPER_OPTION(TEXT, struct conf,
						  text, "text", "t", ""),
	POPPER_OPTION(BOOL, struct conf, flag, "flag", "yes", ""),
	POPPER_OPTION(NUMBER, struct conf, number, "number", "7", ""),
	POPPER_OPTION(OCTETS, struct conf, octets, "octets", "2k", ""),
	POPPER_OPTION(SECONDS, struct conf, seconds, "seconds", "3m", ""),
	POPPER_OPTION(WORD, struct conf, word, "word", "red green-2 blue", ""),
	POPPER_OPTIONS_END };

static struct conf c;
static struct popper_error e;

static int
defaults(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	option_defaults(table, &c);
	return 0;
}

static int
set(const char *name, const char *value)
{
	return option_set(option_find(table, name), &c, value, &e);
}

static void
finds_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(option_find(table, "flag"), &table[1]);
	assert_null(option_find(table, "fla"));
	assert_null(option_find(table, "Flag"));
	assert_null(option_find(table, ""));
	assert_null(option_find(NULL, "flag"));
}

static void
knows_defaults(void **state)
{
	(void)state;
	assert_string_equal(c.text, "t");
	assert_true(c.flag);
	assert_int_equal(c.number, 7);
	assert_int_equal(c.octets, 2048);
	assert_int_equal(c.seconds, 180);
	assert_ptr_equal(option_text(&table[0], &c), &c.text);
	assert_ptr_equal(option_bool(&table[1], &c), &c.flag);
	assert_ptr_equal(option_number(&table[2], &c), &c.number);
}

static void
takes_only_its_words(void **state)
{
	static const char *const wrong[] = { "", " ", "re", "redd", "Red",
		"green", "red green-2", "green-2 ", "yellow" };

	(void)state;
	assert_string_equal(c.word, "red");
	assert_int_equal(set("word", "blue"), 0);
	assert_string_equal(c.word, "blue");
	assert_int_equal(set("word", "green-2"), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(set("word", wrong[i]), -1);
	assert_string_equal(
	    e.text, "word = \"yellow\": must be one of: red green-2 blue");
	assert_string_equal(c.word, "green-2");
}

static void
copies_texts(void **state)
{
	char value[] = "value";

	(void)state;
	assert_int_equal(set("text", value), 0);
	value[0] = 'V';
	assert_string_equal(c.text, "value");
	assert_int_equal(set("text", ""), 0);
	assert_string_equal(c.text, "");
}

static void
reads_yes_and_no(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES",
		"True" };
	static const char *const no[] = { "no", "false", "off", "0", "No",
		"OFF" };
	static const char *const neither[] = { "", "y", "yess", "2", "01",
		" yes", "enabled" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		c.flag = false;
		assert_int_equal(set("flag", yes[i]), 0);
		assert_true(c.flag);
		assert_int_equal(set("flag", no[i]), 0);
		assert_false(c.flag);
	}
	for (size_t i = 0; i < sizeof(neither) / sizeof(*neither); i++)
		assert_int_equal(set("flag", neither[i]), -1);
	assert_string_equal(e.text, "flag = \"enabled\": must be yes or no");
}

static void
is(const char *name, const char *value, uint64_t n)
{
	assert_int_equal(set(name, value), 0);
	assert_int_equal(*option_number(option_find(table, name), &c), n);
}

static void
reads_numbers(void **state)
{
	(void)state;
	is("number", "0", 0);
	is("number", "0010", 10);
	is("number", "9223372036854775807", INT64_MAX);
	is("octets", "10", 10);
	is("octets", "10k", 10 << 10);
	is("octets", "10K", 10 << 10);
	is("octets", "10M", 10 << 20);
	is("octets", "8589934591G", UINT64_C(8589934591) << 30);
	is("seconds", "10s", 10);
	is("seconds", "10m", 600);
	is("seconds", "10h", 36000);
	is("seconds", "10d", 864000);
}

static void
refuses_other_numbers(void **state)
{
	static const struct {
		const char *name, *value;
	} wrong[] = { { "number", "" }, { "number", "-1" }, { "number", "+1" },
		{ "number", " 1" }, { "number", "1 " }, { "number", "1k" },
		{ "number", "0x1" }, { "number", "1.5" },
		{ "number", "9223372036854775808" },
		{ "number", "18446744073709551617" }, { "octets", "k" },
		{ "octets", "" }, { "octets", "1kk" }, { "octets", "1m" },
		{ "octets", "1g" }, { "octets", "8589934592G" },
		{ "seconds", "1M" }, { "seconds", "m" }, { "seconds", "1 m" },
		{ "seconds", "999999999999999999d" } };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (set(wrong[i].name, wrong[i].value) != -1)
			fail_msg("%s was taken", wrong[i].value);
	/* What was there stays. */
	assert_int_equal(c.number, 7);
	assert_int_equal(c.octets, 2048);
	assert_int_equal(c.seconds, 180);
}

static void
says_what_is_right_for_long_values(void **state)
{
	char value[2000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(set("number", value), -1);
	assert_non_null(strstr(e.text, "must be a number"));
}

static void
panics_at_a_wrong_default(void **state)
{
	static const struct popper_option wrong[] = {
		POPPER_OPTION(NUMBER, struct conf, number, "n", "x", ""),
		POPPER_OPTIONS_END
	};
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		close(STDERR_FILENO);
		option_defaults(wrong, &c);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name),
		cmocka_unit_test_setup(knows_defaults, defaults),
		cmocka_unit_test_setup(takes_only_its_words, defaults),
		cmocka_unit_test_setup(copies_texts, defaults),
		cmocka_unit_test_setup(reads_yes_and_no, defaults),
		cmocka_unit_test_setup(reads_numbers, defaults),
		cmocka_unit_test_setup(refuses_other_numbers, defaults),
		cmocka_unit_test_setup(
		    says_what_is_right_for_long_values, defaults),
		cmocka_unit_test(panics_at_a_wrong_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
