/* test_catalogue.c - src/proto/catalogue.c and language.c */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/catalogue.h"
#include "proto/lang.h"
#include "proto/language.h"
#include "proto/reply.h"

#define HEAD_TEXT "Content-Type: text/plain; charset=UTF-8\n"
#define TEXTS 8

static char *octets;
static size_t size;
static struct popper_error e;
static unsigned warnings;

static void
put(uint32_t n)
{
	memcpy(octets + size, &n, sizeof(n));
	size += sizeof(n);
}

/* A catalogue of the ${count} pairs at ${texts}. */
static void
make(const char *const *texts, uint32_t count)
{
	uint32_t at = 28 + 16 * count;

	octets = malloc(100000);
	assert_non_null(octets);
	size = 0;
	put(0x950412deu);
	put(0);
	put(count);
	put(28);
	put(28 + 8 * count);
	put(0);
	put(0);
	for (uint32_t side = 0; side < 2; side++)
		for (uint32_t i = 0; i < count; i++) {
			uint32_t len = (uint32_t)strlen(texts[2 * i + side]);

			put(len);
			put(at);
			memcpy(octets + at, texts[2 * i + side], len + 1);
			at += len + 1;
		}
	size = at;
}

static void
taken(const char *const *texts, uint32_t count)
{
	struct catalogue c;

	make(texts, count);
	assert_int_equal(catalogue_check(&c, octets, size, &e), 0);
	catalogue_free(&c);
	assert_null(c.octets);
}

static void
refused(const char *original, const char *translation, const char *why)
{
	const char *texts[] = { "", HEAD_TEXT, original, translation };
	struct catalogue c;

	make(texts, 2);
	assert_int_equal(catalogue_check(&c, octets, size, &e), -1);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
	free(octets);
}

static void
finds(void **state)
{
	const char *texts[] = { "", HEAD_TEXT, "a", "\xc3\xa4", "b %s", "%s b",
		"bb", "2", "d", "4" };
	struct catalogue c;

	(void)state;
	make(texts, 5);
	assert_int_equal(catalogue_check(&c, octets, size, &e), 0);
	assert_string_equal(catalogue_find(&c, "a"), "\xc3\xa4");
	assert_string_equal(catalogue_find(&c, "b %s"), "%s b");
	assert_string_equal(catalogue_find(&c, "bb"), "2");
	assert_string_equal(catalogue_find(&c, "d"), "4");
	assert_null(catalogue_find(&c, "c"));
	assert_null(catalogue_find(&c, "e"));
	catalogue_free(&c);
	catalogue_free(&c);
}

/* What is a format in the program is one in the file: nothing else may be. */
static void
conversions_must_be_the_same(void **state)
{
	const char *good[] = { "", HEAD_TEXT, "%zu of %llu, 100%%",
		"%zu %% %llu" };

	(void)state;
	taken(good, 2);
	refused("login failed", "100 %", "other conversions");
	refused("login failed", "%s", "other conversions");
	refused("login failed", "%n", "other conversions");
	refused("%zu octets", "octets", "other conversions");
	refused("%zu octets", "%s octets", "other conversions");
	refused("%zu octets", "%zu octets %n", "other conversions");
	refused("%zu octets", "%1$zu octets", "other conversions");
	refused("%zu octets", "%*zu octets", "other conversions");
	refused("%zu octets", "%zu%", "other conversions");
	refused("%zu %s", "%s %zu", "other conversions");
	refused("%zu %s", "%%zu %s", "other conversions");
}

static void
texts_must_fit_a_reply(void **state)
{
	char longer[CATALOGUE_TEXT_MAX + 2];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	refused("a", longer, "too long");
	refused("a", "", "is empty");
	refused("a", "b\r\n+OK", "control");
	refused("a", "b\x7f", "control");
	refused("a", "b\xe4", "not UTF-8");
	refused("a", "\xc0\x80", "not UTF-8");
	refused("", "b", "not sorted");
}

static void
charset_must_be_utf8(void **state)
{
	const char *latin[] = { "",
		"Content-Type: text/plain; charset=ISO-8859-1\n" };
	const char *none[] = { "a", "b" };
	struct catalogue c;

	(void)state;
	make(latin, 1);
	assert_int_equal(catalogue_check(&c, octets, size, &e), -1);
	free(octets);
	make(none, 1);
	assert_int_equal(catalogue_check(&c, octets, size, &e), -1);
	free(octets);
}

/* Every octet of a good file changed, and every length of it: never a text
 * that does not end in the file, whatever else comes of it. */
static void
damage_does_no_harm(void **state)
{
	const char *texts[] = { "", HEAD_TEXT, "%zu octets", "%zu Oktette", "a",
		"b" };
	size_t i, whole;
	char *good;

	(void)state;
	make(texts, 3);
	good = octets;
	whole = size;
	for (i = 0; i < 2 * whole; i++) {
		size_t len = i < whole ? whole : i - whole;
		char *copy = malloc(len + 1);
		struct catalogue c;

		assert_non_null(copy);
		memcpy(copy, good, len);
		if (i < whole)
			copy[i] = (char)(copy[i] ^ (i % 2 ? 0xff : 0x01));
		if (catalogue_check(&c, copy, len, &e) == -1) {
			free(copy);
			continue;
		}
		assert_int_equal(len, whole);
		(void)catalogue_find(&c, "a");
		(void)catalogue_find(&c, "%zu octets");
		catalogue_free(&c);
	}
	free(good);
}

/* --- language.c, with a folder of ours --- */

static char folder[] = "/tmp/test_catalogue.XXXXXX";

static void
count_warnings(enum popper_level level, pid_t pid, const char *text)
{
	(void)pid;
	(void)text;
	if (level == POPPER_LOG_WARNING)
		warnings++;
}

static void
write_german(bool damaged)
{
	const char *texts[] = { "", HEAD_TEXT, "%zu octets",
		"%zu Oktette \xe2\x82\xac", "English", "Deutsch",
		"language changed", "gewechselt \xc3\xbc", "login failed",
		"\xc3\xa4 100%% schlecht" };
	char path[100];
	FILE *f;

	make(texts, 5);
	snprintf(path, sizeof(path), "%s/de", folder);
	(void)mkdir(path, 0700);
	strcat(path, "/LC_MESSAGES");
	(void)mkdir(path, 0700);
	strcat(path, "/popper.mo");
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(octets, 1, size - damaged, f), size - damaged);
	assert_int_equal(fclose(f), 0);
	free(octets);
}

static int
set_up(void **state)
{
	(void)state;
	log_to(count_warnings);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/de/LC_MESSAGES/popper.mo", folder);
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	return rmdir(folder);
}

static void
a_bad_catalogue_is_no_language(void **state)
{
	(void)state;
	warnings = 0;
	language_load(folder, "de");
	assert_int_equal(warnings, 1); /* missing */
	write_german(true);
	language_load(folder, "de");
	assert_int_equal(warnings, 2); /* damaged */
	assert_string_equal(language_tag(0), "en");
	assert_null(language_tag(1));
	assert_null(language_match(S("de")));
	assert_string_equal(language_match(S("*")), "en");
	assert_string_equal(language_match(S("EN")), "en");
}

static void
speaks(void **state)
{
	const struct arguments de = { .count = 1, .word = { S("DE") } };
	const struct arguments fr = { .count = 1, .word = { S("fr") } };
	const struct arguments none = { .count = 0 };
	static struct stream s;
	struct reply r;
	struct popper_error error = { .status = POPPER_DENIED };

	(void)state;
	write_german(false);
	language_load(folder, "de");
	assert_string_equal(language_tag(1), "de");
	assert_string_equal(language_match(S("*")), "de");
	assert_null(language_match(S("")));
	assert_null(language_match(S("d")));
	assert_null(language_match(S("de-")));
	stream_start(&s, -1, 0);
	reply_start(&r, &s);
	assert_int_equal(lang_run(&fr, &r), OUTCOME_REFUSED);
	assert_int_equal(lang_run(&none, &r), OUTCOME_DONE);
	assert_int_equal(lang_run(&de, &r), OUTCOME_DONE);
	assert_string_equal(language_now(), "de");
	reply_ok(&r, "%zu octets", (size_t)7);
	reply_exact(&r, "%zu octets", (size_t)7);
	reply_error(&r, &error);
	assert_slice(popper_slice(s.out, s.out_len),
	    "-ERR no such language here\r\n"
	    "+OK languages follow\r\nen English\r\nde Deutsch\r\n.\r\n"
	    "+OK de gewechselt \xc3\xbc\r\n"
	    "+OK 7 Oktette \xe2\x82\xac\r\n+OK 7 octets\r\n"
	    "-ERR [AUTH] \xc3\xa4 100%% schlecht\r\n");
	language_use("");
	assert_string_equal(language_now(), "en");
	language_use("no-such");
	assert_string_equal(language_now(), "en");
}

/* A text from elsewhere is data, even while translations may say more. */
static void
data_stay_ascii(void **state)
{
	static struct stream s;
	struct reply r;
	struct popper_error error = { .status = POPPER_INVALID,
		.reply = "na\xc3\xafve %n" };

	(void)state;
	language_use("de");
	stream_start(&s, -1, 0);
	reply_start(&r, &s);
	reply_error(&r, &error);
	reply_exact(&r, "%s", "\xc3\xa4");
	reply_ok(&r, "x %s \xc3\xbc",
	    "\xc2\x9b"
	    "2J");
	assert_slice(popper_slice(s.out, s.out_len),
	    "-ERR na??ve %n\r\n+OK ??\r\n+OK x ??2J ??\r\n");
	language_use("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(conversions_must_be_the_same),
		cmocka_unit_test(texts_must_fit_a_reply),
		cmocka_unit_test(charset_must_be_utf8),
		cmocka_unit_test(damage_does_no_harm),
		cmocka_unit_test(a_bad_catalogue_is_no_language),
		cmocka_unit_test(speaks),
		cmocka_unit_test(data_stay_ascii),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
