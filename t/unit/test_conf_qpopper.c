/* test_conf_qpopper.c - src/conf/qpopper.c, qpopper_file.c, qpopper_map.c */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/option.h"
#include "base/settings.h"
#include "base/text.h"
#include "conf/qpopper.h"

/* What was told, one line each: "option=value" or "name: note". */
static char told[8192];
static struct popper_error e;

static void
tell(const char *a, const char *between, const char *b)
{
	size_t len = strlen(told);

	assert_true(text_print(
	    told + len, sizeof(told) - len, "%s%s%s\n", a, between, b));
}

static int
set_event(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value,
    struct popper_error *error)
{
	char name[128];

	(void)context;
	(void)s;
	(void)error;
	text_print(name, sizeof(name), "%s%s%s", o->section,
	    o->section[0] == '\0' ? "" : ".", o->option);
	tell(name, "=", value);
	return 0;
}

static void
note_event(void *context, const struct qpopper_statement *s, bool does_nothing,
    const char *text)
{
	char start[13];

	(void)context;
	text_print(start, sizeof(start), "%s", text);
	tell(s->name, does_nothing ? " does nothing: " : ": ", start);
}

static const struct qpopper_events events = { .set = set_event,
	.note = note_event };

static int
apply(const char *text)
{
	struct qpopper q;
	char *copy = strdup(text);
	int result;

	qpopper_init(&q, &events);
	assert_non_null(copy);
	told[0] = '\0';
	memset(&e, 0, sizeof(e));
	result = qpopper_apply(&q, copy, "q", &e);
	free(copy);
	return result;
}

static void
means(const char *text, const char *wanted)
{
	if (apply(text) == -1)
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(told, wanted);
}

static void
refused(const char *text, const char *why)
{
	assert_int_equal(apply(text), -1);
	assert_string_equal(e.text, why);
}

static void
reads_statements(void **state)
{
	(void)state;
	means("", "");
	means("\n# a comment\n\n \t# and one\n", "");
	means("set timeout = 60\n", "timeout=60\n");
	means("  set\ttimeout=60 # a comment\n\tset trim-domain\n",
	    "timeout=60\ntrim-domain=yes\n");
}

/* A value ends at a blank: a "#" in it is part of it. */
static void
ends_a_value(void **state)
{
	(void)state;
	means("set tracefile = /a#b # c\n", "trace-file=/a#b\n");
	refused("set timeout=60#\n",
	    "q:1: timeout = \"60#\": must be a number, as 10, 0x0a or 012");
	means("SET Timeout =\t7\r\n", "timeout=7\n");
	means("set debug#x\nreset\tdebug # y\n", "debug=yes\ndebug=no\n");
	refused("set timeout = 6 0\n",
	    "q:1: \"0\" behind the value of timeout: write a value with blanks "
	    "in quotes");
}

static void
reads_quotes(void **state)
{
	(void)state;
	means("set tracefile = \"/a b\"\n", "trace-file=/a b\n");
	means("set tracefile = '/a \"b'#c\n", "trace-file=/a \"b\n");
	means("set tracefile = `/a'b`\n", "trace-file=/a'b\n");
	means("set tracefile = \"/a\\\"b\\'\\\\c\"\n",
	    "trace-file=/a\"b\\'\\\\c\n");
	means("set tracefile = \"\"\n", "trace-file=\n");
	means("set timeout = \"12\"\n", "timeout=12\n");
	refused("\nset tracefile = \"/a'\nset debug\n",
	    "q:2: tracefile = \"/a' does not end on its line: a \" is missing");
	refused("set tracefile = '/a\\'\n",
	    "q:1: tracefile = '/a\\' does not end on its line: a ' is missing");
}

static void
reads_booleans(void **state)
{
	(void)state;
	means("set shy\nset shy = FALSE\nset shy = 1\nset shy=0\nset shy= true",
	    "shy=yes\nshy=no\nshy=yes\nshy=no\nshy: no newline e\nshy=yes\n");
	means("reset shy\n", "shy=no\n");
	refused("set shy = yes\n",
	    "q:1: shy = \"yes\": must be true, false, 1 or 0");
	refused("reset shy = true\n",
	    "q:1: reset shy takes no value: it is \"set shy = false\"");
	refused("reset timeout\n",
	    "q:1: reset timeout: only what is true or false can be reset");
	refused("set timeout\n", "q:1: set timeout: \"= value\" must follow");
}

static void
reads_numbers(void **state)
{
	(void)state;
	means("set timeout = 0x1F\nset timeout = 017\nset timeout = 0\n",
	    "timeout=31\ntimeout=15\ntimeout=0\n");
	refused("set timeout = 08\n",
	    "q:1: timeout = \"08\": must be a number, as 10, 0x0a or 012");
	refused("set timeout = +8\n",
	    "q:1: timeout = \"+8\": must be a number, as 10, 0x0a or 012");
	refused("set timeout = 99999999999999999999\n",
	    "q:1: timeout = \"99999999999999999999\": must be a number, as 10, "
	    "0x0a or 012");
	refused("set timeout = \"\"\n",
	    "q:1: timeout = \"\": must be a number, as 10, 0x0a or 012");
	means("set hash-spool = 0x2\n", "drop mbox.hash-spool=2\n");
	refused("set hash-spool = 3\n",
	    "q:1: hash-spool = \"3\": must be one of: 0 1 2");
	means("set announce-expire = -1\nset announce-expire = 30\n",
	    "expire=never\nexpire=30\n");
}

static void
reads_a_pattern(void **state)
{
	(void)state;
	means("set temp-name = .%s.pop\nset temp-name = \"100%%-%s\"\n",
	    "drop mbox.temp-name=.%u.pop\ndrop mbox.temp-name=100%%-%u\n");
	refused("set temp-name = %d\n",
	    "q:1: temp-name = \"%d\": %s must stand for the user, and no other "
	    "%");
	refused("set temp-name = %s%\n",
	    "q:1: temp-name = \"%s%\": %s must stand for the user, and no "
	    "other "
	    "%");
}

static void
reads_words(void **state)
{
	(void)state;
	means("set tls-support = STLS\nset clear-text-password = ssl\n"
	      "set log-facility = Local3\n",
	    "tls-support=stls\nclear-text-password=tls\n"
	    "log-facility=local3\n");
	refused("set tls-support = 1\n",
	    "q:1: tls-support = \"1\": must be one of: default none stls "
	    "alternate-port");
}

static void
names_the_wrong_word(void **state)
{
	(void)state;
	refused("set debug\nsett debug\n",
	    "q:2: \"sett\" where \"set\" or \"reset\" must be");
	refused("set timeouts = 1\n",
	    "q:1: Qpopper has no option \"timeouts\"; \"timeout\" is one");
	refused("set xyzzy = 1\n",
	    "q:1: Qpopper has no option \"xyzzy\"; popper-qpopper(5) lists "
	    "them");
	/* Of ./configure: not even as a proposal. */
	refused("set apop-file = /x\n",
	    "q:1: Qpopper has no option \"apop-file\"; \"auth-file\" is one");
	refused("set\n", "q:1: the name of an option must follow \"set\"");
	refused("set = 1\n", "q:1: the name of an option must follow \"set\"");
	refused("set # x\n", "q:1: the name of an option must follow \"set\"");
	refused("set timeout 60\n", "q:1: \"60\" where \"=\" must be");
	refused("set timeout =\n", "q:1: a value must follow \"timeout =\"");
	refused(
	    "set timeout = # 1\n", "q:1: a value must follow \"timeout =\"");
}

/* ${lines} of a new file, whose path is the caller's. */
static void
make(char *path, const char *lines)
{
	int fd;

	strcpy(path, "/tmp/popper-unit-XXXXXX");
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_write_all(fd, lines, strlen(lines)), 0);
	fd_close(&fd);
}

static void
follows_files(void **state)
{
	char inner[32], outer[32], text[128], wanted[256];
	struct qpopper q;

	(void)state;
	qpopper_init(&q, &events);
	make(inner, "set timeout = 1\n");
	snprintf(text, sizeof(text), "set config-file = %s\nset timeout = 2\n",
	    inner);
	make(outer, text);
	told[0] = '\0';
	assert_int_equal(qpopper_read(&q, outer, &e), 0);
	assert_string_equal(told, "timeout=1\ntimeout=2\n");
	unlink(inner);
	assert_int_equal(qpopper_read(&q, outer, &e), -1);
	snprintf(wanted, sizeof(wanted), "%s:1: %s: No such file or directory",
	    outer, inner);
	assert_string_equal(e.text, wanted);
	unlink(outer);
	refused("set config-file = more\n",
	    "q:1: config-file = \"more\": must be an absolute path; Qpopper "
	    "took it from the folder that it was started in");
}

/* A file that names itself is read a hundred times, and no more. */
static void
ends_a_chain(void **state)
{
	char path[32], text[64];
	struct qpopper q;
	FILE *file;

	(void)state;
	qpopper_init(&q, &events);
	make(path, "");
	snprintf(text, sizeof(text), "set config-file = %s\n", path);
	assert_non_null(file = fopen(path, "w"));
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(qpopper_read(&q, path, &e), -1);
	assert_int_equal(q.files, QPOPPER_FILES + 1);
	assert_non_null(strstr(e.text, path));
	unlink(path);
}

static void
knows_whose_a_file_is(void **state)
{
	(void)state;
	assert_true(qpopper_written("set debug"));
	assert_true(qpopper_written("\n# x = y\n\t SET\tdebug = 1\n"));
	assert_true(qpopper_written("reset debug\nx = y\n"));
	assert_false(qpopper_written(""));
	assert_false(qpopper_written("# set debug"));
	assert_false(qpopper_written("# set debug\n"));
	assert_false(qpopper_written("set"));
	assert_false(qpopper_written("set\ndebug"));
	assert_false(qpopper_written("set = 5\n"));
	assert_false(qpopper_written("set=5\n"));
	assert_false(qpopper_written("setting = 5\n"));
	assert_false(qpopper_written("set pam { }\n"));
	assert_false(qpopper_written("set pam{"));
	assert_false(qpopper_written("timeout = 5\nset debug\n"));
}

static void
takes_flags(void **state)
{
	struct qpopper q;

	(void)state;
	qpopper_init(&q, &events);
	told[0] = '\0';
	assert_int_equal(qpopper_say(&q, "-T", "timeout", "9", &e), 0);
	assert_int_equal(qpopper_say(&q, "-s", "statistics", NULL, &e), 0);
	assert_string_equal(told, "timeout=9\nstatistics=yes\n");
	assert_int_equal(qpopper_say(&q, "-L", "mail-lock-check", "x", &e), -1);
	assert_string_equal(e.text,
	    "-L: mail-lock-check = \"x\": must be a number, as 10, 0x0a or "
	    "012");
	assert_int_equal(qpopper_say(&q, "-k", "kerberos", NULL, &e), -1);
	assert_non_null(strstr(e.text, "GSSAPI"));
}

/* Ids that were stored nowhere must come out as they did. */
static void
has_several_meanings(void **state)
{
	(void)state;
	means("reset update-status-headers\n",
	    "drop mbox.update-status-headers=no\n"
	    "drop mbox.unique-id=qpopper\n");
	means("set update-status-headers = true\n",
	    "drop mbox.update-status-headers=yes\n"
	    "drop mbox.unique-id=popper\n");
}

static void
says_what_does_nothing(void **state)
{
	(void)state;
	means("set keep-temp-drop\nset tls-options = 4\nset debug\n",
	    "keep-temp-drop does nothing: mail is not \n"
	    "tls-options does nothing: OpenSSL's bi\ndebug=yes\n");
	refused("set tls-options = x\n",
	    "q:1: tls-options = \"x\": must be a number, as 10, 0x0a or 012");
	refused("set chunky-writes = 1\n",
	    "q:1: chunky-writes = \"1\": must be one of: default always tls "
	    "ssl never");
}

/* ./configure knows options that no file can say, and sets the same. */
static void
takes_what_the_build_says(void **state)
{
	char text[] = "set apop-file = '/a'\nset bulldb = '/b'\n"
		      "set check-shell\nset bulldir = '/c'\n"
		      "set pam-service = 'p'\n"
		      "set log-facility = 'local2'\n";
	struct qpopper q;

	(void)state;
	qpopper_init(&q, &events);
	q.building = true;
	told[0] = '\0';
	assert_int_equal(qpopper_apply(&q, text, "configure", &e), 0);
	assert_string_equal(told,
	    "auth apop.file=/a\next bulletins.bulldb=/b\ncheck-shell=yes\n"
	    "ext bulletins.directory=/c\nauth pam.service=p\n"
	    "log-facility=local2\n");
}

/* Qpopper deleted by itself only where broken sessions did not count. */
static void
deletes_only_where_qpopper_did(void **state)
{
	(void)state;
	means(
	    "set auto-delete\n", "auto-delete: counts only \nauto-delete=no\n");
	means("set auto-delete\nreset update-on-abort\n",
	    "auto-delete: counts only \nauto-delete=no\n"
	    "update-on-abort=no\nauto-delete=yes\n");
	means("reset update-on-abort\nset auto-delete\nset update-on-abort\n",
	    "update-on-abort=no\nauto-delete: counts only \n"
	    "auto-delete=yes\nupdate-on-abort=yes\nauto-delete=no\n");
}

/* What the table says of popper.conf is true, and nothing is there twice. */
static void
has_a_true_table(void **state)
{
	const struct qpopper_option *o, *other;

	(void)state;
	for (o = qpopper_options; o->name != NULL; o++) {
		for (other = qpopper_options; other != o; other++)
			if (strcmp(o->name, other->name) == 0)
				assert_string_equal(o->name, o[-1].name);
		if (o->kind == QPOPPER_WORD || o->kind == QPOPPER_TEXT)
			assert_int_equal(
			    o->kind == QPOPPER_WORD, o->words != NULL);
		if (o->section == NULL) {
			assert_true(o->note != NULL ||
			    strcmp(o->name, "config-file") == 0);
			continue;
		}
		assert_non_null(o->option);
		if (o->section[0] == '\0' &&
		    option_find(settings_options, o->option) == NULL)
			fail_msg("%s: no option %s", o->name, o->option);
		else if (o->section[0] != '\0')
			assert_non_null(strchr(o->section, ' '));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_statements),
		cmocka_unit_test(ends_a_value),
		cmocka_unit_test(reads_quotes),
		cmocka_unit_test(reads_booleans),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(reads_a_pattern),
		cmocka_unit_test(reads_words),
		cmocka_unit_test(names_the_wrong_word),
		cmocka_unit_test(follows_files),
		cmocka_unit_test(ends_a_chain),
		cmocka_unit_test(knows_whose_a_file_is),
		cmocka_unit_test(takes_flags),
		cmocka_unit_test(has_several_meanings),
		cmocka_unit_test(says_what_does_nothing),
		cmocka_unit_test(takes_what_the_build_says),
		cmocka_unit_test(deletes_only_where_qpopper_did),
		cmocka_unit_test(has_a_true_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
