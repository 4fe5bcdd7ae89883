/* test_command.c - src/proto/command.c */
#include "unit.h"

#include "proto/command.h"

static enum outcome
run(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	(void)r;
	return OUTCOME_DONE;
}

static const struct command table[] = {
	{ "NOOP", 0, 0, false, run },
	{ "LIST", 0, 1, false, run },
	{ "TOP", 2, 2, false, run },
	{ "PASS", 1, 1, true, run },
	{ NULL, 0, 0, false, NULL },
};

static const struct command *found;
static struct arguments args;

static enum command_fault
find(struct popper_slice line)
{
	return command_find(table, line, &found, &args);
}

static void
splits_words(void **state)
{
	struct popper_slice keyword;

	(void)state;
	assert_int_equal(
	    command_split(S("TOP 1 20"), &keyword, &args), COMMAND_FINE);
	assert_slice(keyword, "TOP");
	assert_int_equal(args.count, 2);
	assert_slice(args.word[0], "1");
	assert_slice(args.word[1], "20");
	assert_slice(args.rest, "1 20");
	assert_int_equal(
	    command_split(S("QUIT"), &keyword, &args), COMMAND_FINE);
	assert_slice(keyword, "QUIT");
	assert_int_equal(args.count, 0);
	assert_int_equal(args.rest.len, 0);
}

static void
counts_words(void **state)
{
	struct popper_slice keyword;

	(void)state;
	assert_int_equal(
	    command_split(S("X 1 2 3 4 5 6"), &keyword, &args), COMMAND_FINE);
	assert_int_equal(args.count, COMMAND_ARGS_MAX);
	assert_int_equal(command_split(S("X 1 2 3 4 5 6 7"), &keyword, &args),
	    COMMAND_SYNTAX);
}

static void
refuses_odd_spaces_and_controls(void **state)
{
	struct popper_slice keyword,
	    bad[] = { S(""), S(" "), S(" NOOP"), S("NOOP "), S("LIST  1"),
		    S("LIST 1 "), S("LIST\t1"), S("LIST 1\r"), S("LIST \x7f"),
		    S("NO\0OP"), S("\x01"), popper_slice(NULL, 0) };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    command_split(bad[i], &keyword, &args), COMMAND_SYNTAX);
		assert_int_equal(find(bad[i]), COMMAND_SYNTAX);
	}
}

static void
leaves_8_bit_to_the_handlers(void **state)
{
	(void)state;
	assert_int_equal(find(S("LIST \xc3\xa4\xff")), COMMAND_FINE);
	assert_slice(args.word[0], "\xc3\xa4\xff");
}

static void
finds_keywords_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(find(S("nOOp")), COMMAND_FINE);
	assert_ptr_equal(found, &table[0]);
	assert_int_equal(find(S("N")), COMMAND_UNKNOWN);
	assert_null(found);
	assert_int_equal(find(S("NOOPS")), COMMAND_UNKNOWN);
	assert_int_equal(find(S("XYZZY 1")), COMMAND_UNKNOWN);
}

static void
counts_arguments(void **state)
{
	(void)state;
	assert_int_equal(find(S("NOOP 1")), COMMAND_ARGUMENTS);
	assert_ptr_equal(found, &table[0]);
	assert_int_equal(find(S("LIST")), COMMAND_FINE);
	assert_int_equal(find(S("LIST 1 2")), COMMAND_ARGUMENTS);
	assert_int_equal(find(S("TOP 1")), COMMAND_ARGUMENTS);
	assert_int_equal(find(S("TOP 1 2")), COMMAND_FINE);
}

static void
names_the_command_of_bad_syntax(void **state)
{
	(void)state;
	assert_int_equal(find(S("LIST  1")), COMMAND_SYNTAX);
	assert_ptr_equal(found, &table[1]);
	assert_int_equal(find(S("XYZZY  1")), COMMAND_SYNTAX);
	assert_null(found);
}

static void
rest_is_verbatim(void **state)
{
	(void)state;
	assert_int_equal(find(S("pass  a  b\t\xff ")), COMMAND_FINE);
	assert_int_equal(args.count, 1);
	assert_slice(args.word[0], " a  b\t\xff ");
	assert_int_equal(find(S("PASS 1 2 3 4 5 6 7 8 9")), COMMAND_FINE);
	assert_slice(args.word[0], "1 2 3 4 5 6 7 8 9");
	assert_int_equal(find(S("PASS  ")), COMMAND_FINE);
	assert_slice(args.word[0], " ");
	assert_int_equal(find(S("PASS a\0b")), COMMAND_SYNTAX);
	assert_ptr_equal(found, &table[3]);
	assert_int_equal(find(S("PASS ")), COMMAND_ARGUMENTS);
	assert_int_equal(find(S("PASS")), COMMAND_ARGUMENTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_words),
		cmocka_unit_test(counts_words),
		cmocka_unit_test(refuses_odd_spaces_and_controls),
		cmocka_unit_test(leaves_8_bit_to_the_handlers),
		cmocka_unit_test(finds_keywords_in_any_case),
		cmocka_unit_test(counts_arguments),
		cmocka_unit_test(names_the_command_of_bad_syntax),
		cmocka_unit_test(rest_is_verbatim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
