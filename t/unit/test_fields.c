/* test_fields.c - src/base/fields.c */
#include "unit.h"

#include "base/fields.h"

static struct fields f;
static char heard[LOG_LINE_MAX + 1];

static void
hear(enum popper_level level, pid_t pid, const char *text)
{
	(void)level;
	(void)pid;
	strncpy(heard, text, sizeof(heard) - 1);
}

static void
writes_fields(void **state)
{
	(void)state;
	fields_start(&f, "login");
	fields_word(&f, "from", "192.0.2.4");
	fields_text(&f, "user", "mary");
	fields_number(&f, "octets", UINT64_MAX);
	fields_word(&f, "none", "");
	fields_text(&f, "empty", "");
	fields_log(&f, POPPER_LOG_NOTICE);
	assert_string_equal(heard,
	    "login from=192.0.2.4 user=\"mary\" octets=18446744073709551615 "
	    "none=- empty=\"\"");
}

static void
keeps_values_in_their_place(void **state)
{
	(void)state;
	fields_start(&f, "x");
	fields_word(&f, "w", "a b=c\"d\\e\n\xe4");
	fields_text(&f, "t", "a b=c\"d\\e\n\xe4%s");
	fields_log(&f, POPPER_LOG_NOTICE);
	assert_string_equal(
	    heard, "x w=a_b_c_d_e__ t=\"a b\\x3dc\\x22d\\x5ce\\x0a\\xe4%s\"");
}

static void
cuts_whole_values(void **state)
{
	char text[1000];
	size_t len;

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fields_start(&f, "x");
	for (int i = 0; i < 9; i++)
		fields_text(&f, "t", text);
	fields_number(&f, "n", 1);
	fields_log(&f, POPPER_LOG_NOTICE);
	len = strlen(heard);
	assert_true(len < LOG_LINE_MAX);
	assert_string_equal(heard + len - 9, "\\x22\" n=1");
}

static int
start(void **state)
{
	(void)state;
	log_start(-1, false);
	log_to(hear);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	log_start(-1, false);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_fields),
		cmocka_unit_test(keeps_values_in_their_place),
		cmocka_unit_test(cuts_whole_values),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
