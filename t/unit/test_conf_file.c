/* test_conf_file.c - src/conf/file.c */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "conf/file.h"

/* What a reader is told, as one text. */
static char told[8192];
static struct popper_error e;

static void
tell(const char *a, const char *b, const char *c, const char *d)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%s%s%s%s;", a, b, c, d);
}

static int
section(void *context, const char *kind, const char *name,
    struct popper_error *error)
{
	(void)context;
	if (strcmp(name, "bad") == 0) {
		error->status = POPPER_PERMANENT;
		text_copy(error->text, sizeof(error->text), "bad section");
		return -1;
	}
	tell("", kind, " ", name);
	return 0;
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *error)
{
	(void)context;
	if (strcmp(value, "bad") == 0) {
		error->status = POPPER_TEMPORARY;
		text_copy(error->text, sizeof(error->text), "bad value");
		return -1;
	}
	tell(inside ? "  " : "", name, "=", value);
	return 0;
}

static const struct conf_reader both = { .section = section,
	.setting = setting };
static const struct conf_reader flat = { .setting = setting };

static int
parse(const char *text, const struct conf_reader *r)
{
	char *copy = strdup(text);
	int result;

	assert_non_null(copy);
	told[0] = '\0';
	memset(&e, 0, sizeof(e));
	result = conf_parse("x.conf", copy, r, &e);
	free(copy);
	return result;
}

static void
assert_told(const char *text, const char *what)
{
	if (parse(text, &both) == -1)
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(told, what);
}

/* The message without "x.conf:LINE: " in front, which is asserted too. */
static void
refused(const char *text, unsigned line, const char *why)
{
	char wanted[600];

	snprintf(wanted, sizeof(wanted), "x.conf:%u: %s", line, why);
	assert_int_equal(parse(text, &both), -1);
	assert_string_equal(e.text, wanted);
	assert_int_equal(e.status, POPPER_PERMANENT);
}

static void
reads_settings(void **state)
{
	(void)state;
	assert_told("", "");
	assert_told("# nothing\n", "");
	assert_told("# no end of line", "");
	assert_told("a = b", "a=b;");
	assert_told("a=b\nc=d\n", "a=b;c=d;");
	assert_told("a = b c = d", "a=b;c=d;");
	assert_told("a\n=\nb\n", "a=b;");
	assert_told("\t a =\r\n b # c = d\n", "a=b;");
	assert_told("mail-drop_2 = /var/mail/%u", "mail-drop_2=/var/mail/%u;");
	assert_told("a = [::]:110 b = ~/x+y@z.*", "a=[::]:110;b=~/x+y@z.*;");
}

static void
reads_texts(void **state)
{
	(void)state;
	assert_told("a = \"\"", "a=;");
	assert_told("a = \"b c # = { }, d\"", "a=b c # = { }, d;");
	assert_told("a = \"\\\"b\\\\\"", "a=\"b\\;");
	assert_told("a = \"b\\n\"", "a=b\\n;");
	assert_told("a = \"\xc3\xa4\t\"", "a=\xc3\xa4\t;");
}

static void
reads_lists(void **state)
{
	(void)state;
	assert_told("a = {}", "a=;");
	assert_told("a = { b }", "a=b;");
	assert_told("a = {b,c}", "a=b c;");
	assert_told("a = { b, \"c\",\n d, }\ne = f", "a=b c d;e=f;");
}

static void
reads_sections(void **state)
{
	(void)state;
	assert_told("auth pam {}", "auth pam;");
	assert_told("auth pam { a = b }\ndrop mbox { c = {d, e} f = g }",
	    "auth pam;  a=b;drop mbox;  c=d e;  f=g;");
	assert_told("auth x { } a = b", "auth x;a=b;");
}

static void
says_what_is_wrong_and_where(void **state)
{
	(void)state;
	refused("a", 1, "the end of the file where \"=\" must be");
	refused("\n\na b", 3, "the end of the file where \"{\" must be");
	refused("a =\n", 2, "the end of the file where a value must be");
	refused("a = =", 1, "\"=\" where a value must be");
	refused("= b", 1, "\"=\" where an option's name must be");
	refused("\"a\" = b", 1, "\"a\" where an option's name must be");
	refused("a = b\n}", 2, "\"}\" where an option's name must be");
	refused("a \"b\"", 1, "\"b\" where \"=\" must be");
	refused("a, b", 1, "\",\" where \"=\" must be");
	refused("a = { b\nc }", 2, "\"c\" where \",\" or \"}\" must be");
	refused("a = {,}", 1, "\",\" where a value or \"}\" must be");
	refused(
	    "a = { b", 1, "the end of the file where \",\" or \"}\" must be");
	refused("auth pam a = b", 1, "\"a\" where \"{\" must be");
	refused("auth pam {\n\na }", 3, "\"}\" where \"=\" must be");
	refused("auth pam {\na = b\n", 3,
	    "the end of the file where an option's name or \"}\" must be");
	refused("auth pam { drop x { } }", 1, "\"x\" where \"=\" must be");
}

static void
names_odd_characters(void **state)
{
	(void)state;
	refused("a = b;", 1,
	    "';' where an option's name must be: write such text in quotes");
	refused("a = $x", 1,
	    "'$' where a value must be: write such text in quotes");
	refused("a = b\na = \"c d\nb = e\n", 2,
	    "the text \"c d does not end on its line: a \" is missing");
	refused("a = \"c", 1,
	    "the text \"c does not end on its line: a \" is missing");
}

static void
puts_the_place_before_a_readers_words(void **state)
{
	(void)state;
	refused("\na = bad", 2, "bad value");
	refused("x =\n\nbad\n", 1, "bad value");
	refused("\n\n\nauth bad {\n}", 4, "bad section");
	refused("auth x {\n\n a = bad }", 3, "bad value");
}

static void
wants_no_sections_in_a_flat_file(void **state)
{
	(void)state;
	assert_int_equal(parse("a = b auth pam { }", &flat), -1);
	assert_string_equal(e.text, "x.conf:1: \"pam\" where \"=\" must be");
	assert_string_equal(told, "a=b;");
}

static void
bounds_names_and_values(void **state)
{
	static char text[9000];

	(void)state;
	memset(text, 'n', 64);
	strcpy(text + 64, " = b");
	assert_int_equal(parse(text, &both), -1);
	memset(text, 'n', 63);
	strcpy(text + 63, " = b");
	assert_int_equal(parse(text, &both), 0);
	strcpy(text, "a = { ");
	for (size_t i = 0; i < 1000; i++)
		strcat(text, "12345,");
	strcat(text, " }");
	refused(text, 1, "the list is too long");
	strcpy(text, "a = ");
	memset(text + 4, 'v', 4096);
	text[4 + 4096] = '\0';
	refused(text, 1, "the list is too long");
	text[4 + 4095] = '\0';
	assert_int_equal(parse(text, &both), 0);
}

/* --- Files. --- */

static char folder[] = "/tmp/popper-unit-XXXXXX";
static char path[64];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/conf", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void
write_file(const void *octets, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_write_all(fd, octets, len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	fd_close(&fd);
}

static int
read_it(void)
{
	int result;

	told[0] = '\0';
	memset(&e, 0, sizeof(e));
	result = conf_read(path, &both, &e);
	unlink(path);
	return result;
}

static void
reads_a_file(void **state)
{
	(void)state;
	write_file("a = b\n", 6, 0644);
	assert_int_equal(read_it(), 0);
	assert_string_equal(told, "a=b;");
	write_file("", 0, 0600);
	assert_int_equal(read_it(), 0);
	assert_int_equal(read_it(), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static void
distrusts_a_file(void **state)
{
	(void)state;
	write_file("a = b\n", 6, 0664);
	assert_int_equal(read_it(), -1);
	assert_non_null(strstr(e.text, "chmod go-w"));
	write_file("a = b\n", 6, 0602);
	assert_int_equal(read_it(), -1);
	if (geteuid() == 0) {
		write_file("a = b\n", 6, 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(read_it(), -1);
		assert_non_null(strstr(e.text, "chown it to root"));
	}
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_it(), -1);
	assert_non_null(strstr(e.text, "not a regular file"));
	assert_string_equal(told, "");
}

static void
takes_no_nul_and_no_giant(void **state)
{
	(void)state;
	write_file("a = b\0c = d\n", 12, 0600);
	assert_int_equal(read_it(), -1);
	assert_non_null(strstr(e.text, "holds a NUL"));
	write_file("", 0, 0600);
	assert_int_equal(truncate(path, (1 << 20) + 1), 0);
	assert_int_equal(read_it(), -1);
	assert_non_null(strstr(e.text, "1 MiB"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_settings),
		cmocka_unit_test(reads_texts),
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(reads_sections),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(names_odd_characters),
		cmocka_unit_test(puts_the_place_before_a_readers_words),
		cmocka_unit_test(wants_no_sections_in_a_flat_file),
		cmocka_unit_test(bounds_names_and_values),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(distrusts_a_file),
		cmocka_unit_test(takes_no_nul_and_no_giant),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
