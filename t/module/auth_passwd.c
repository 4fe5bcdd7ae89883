/* auth_passwd.c - the passwd module, driven as the gate drives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth.h"
#include "modules/auth/passwd.h"

extern const struct popper_module passwd_LTX_popper_module;

static const struct popper_auth *driver;
static struct passwd_conf conf;
static char file[512];
static void *self;

/* What crypt was asked; the password fits if it is "right". */
static unsigned calls;
static char last_setting[CRYPT_OUTPUT_SIZE];
static char last_phrase[CRYPT_MAX_PASSPHRASE_SIZE];

static char *
count_crypt(const char *phrase, const char *setting, struct crypt_data *data)
{
	calls++;
	(void)snprintf(last_phrase, sizeof(last_phrase), "%s", phrase);
	(void)snprintf(last_setting, sizeof(last_setting), "%s", setting);
	(void)snprintf(data->output, sizeof(data->output), "%s%s",
	    strcmp(phrase, "right") == 0 ? "" : "not", setting);
	return data->output;
}

static void
start(const char *text)
{
	struct popper_error e;

	(void)snprintf(
	    file, sizeof(file), "%s", auth_write("users", 0600, text));
	conf.file = file;
	conf.maildrop = "";
	assert_int_equal(driver->start(&auth_host, &conf, &self, &e), 0);
}

static void
start_counting(const char *text)
{
	start(text);
	((struct passwd_self *)self)->crypt = count_crypt;
	calls = 0;
}

static void
refuse_start(const char *why)
{
	struct popper_error e = { .text = "" };

	assert_int_equal(driver->start(&auth_host, &conf, &self, &e), -1);
	assert_non_null(strstr(e.text, file));
	if (strstr(e.text, why) == NULL)
		print_error("\"%s\" does not say \"%s\"\n", e.text, why);
	assert_non_null(strstr(e.text, why));
	self = NULL;
}

static int
setup(void **state)
{
	(void)state;
	driver = passwd_LTX_popper_module.auth;
	self = NULL;
	auth_folder_make();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver->stop(self);
	auth_folder_remove();
	return 0;
}

static enum popper_verdict
login_octets(const char *user, struct popper_slice password)
{
	void *exchange;
	enum popper_verdict v =
	    auth_login(driver, self, user, password, &exchange);

	driver->end(exchange);
	return v;
}

static enum popper_verdict
login(const char *user, const char *password)
{
	return login_octets(user, popper_slice_text(password));
}

/* A hash of ${phrase} by ${prefix}'s method, as cheap as it gets. */
static const char *
hash(const char *phrase, const char *prefix, unsigned long cost)
{
	static struct crypt_data data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (crypt_gensalt_rn(
		prefix, cost, NULL, 0, setting, (int)sizeof(setting)) == NULL)
		return NULL;
	return crypt_r(phrase, setting, &data);
}

static void
every_kind_of_hash(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
	} kinds[] = { { "$y$", 1 }, { "$gy$", 1 }, { "$7$", 6 },
		{ "$6$", 1000 }, { "$5$", 1000 }, { "$2b$", 4 }, { "$2y$", 4 },
		{ "$1$", 0 }, { "_", 0 }, { "", 0 } };
	char text[1024];
	const char *h;
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		h = hash("p:\\ss w", kinds[i].prefix, kinds[i].cost);
		if (h == NULL || h[0] == '*')
			continue; /* not every system has every kind */
		(void)snprintf(text, sizeof(text), "u:%s:::/m\n", h);
		start(text);
		assert_int_equal(login("u", "p:\\ss w"), POPPER_AUTH_YES);
		assert_int_equal(login("u", "p:\\ss x"), POPPER_AUTH_NO);
		assert_int_equal(login("u", "P:\\SS W"), POPPER_AUTH_NO);
		assert_int_equal(login("v", "p:\\ss w"), POPPER_AUTH_NEXT);
		driver->stop(self);
		self = NULL;
		tried++;
	}
	assert_true(tried >= 3);
}

static void
the_identity_is_the_line(void **state)
{
	const struct popper_identity *id = &auth_answer.identity;

	(void)state;
	start_counting("# comment\n\n  \t\nann@example.org:aaaaaaaaaaaaa:"
		       "5001:5002:maildir:/m/ann\n"
		       "bob:aaaaaaaaaaaaa:::\n");
	assert_int_equal(login("ann@example.org", "right"), POPPER_AUTH_YES);
	assert_string_equal(id->user, "ann@example.org");
	assert_int_equal(id->uid, 5001);
	assert_int_equal(id->gid, 5002);
	assert_string_equal(id->home, "");
	assert_string_equal(id->drop, "maildir");
	assert_string_equal(id->maildrop, "/m/ann");
	assert_int_equal(id->flags, POPPER_IDENTITY_VIRTUAL);
	assert_int_equal(id->size, sizeof(*id));
	assert_int_equal(login("bob", "right"), POPPER_AUTH_YES);
	assert_int_equal(id->uid, geteuid());
	assert_int_equal(id->gid, getegid());
	assert_string_equal(id->drop, "");
	assert_string_equal(id->maildrop, "");
	assert_int_equal(auth_logged("passwd"), 0);
}

static void
maildrop_forms(void **state)
{
	static const struct {
		const char *field, *drop, *path;
	} forms[] = {
		{ "/var/mail/u", "", "/var/mail/u" },
		{ "mbox:/var/mail/u", "mbox", "/var/mail/u" },
		{ "maildir:/a b/c", "maildir", "/a b/c" },
		{ "rados:pool/u", "rados", "pool/u" },
		{ "/m/%u", "", "/m/u@d.example" },
		{ "maildir:/m/%d/%1/%n/100%%", "maildir",
		    "/m/d.example/u/u/100%" },
		{ "", "maildir", "/spool/u@d.example" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "u@d.example:aaaaaaaaaaaaa:::%s\n", forms[i].field);
		start_counting(text);
		conf.maildrop = "maildir:/spool/%u";
		assert_int_equal(
		    login("u@d.example", "right"), POPPER_AUTH_YES);
		assert_string_equal(auth_answer.identity.drop, forms[i].drop);
		assert_string_equal(
		    auth_answer.identity.maildrop, forms[i].path);
		driver->stop(self);
		self = NULL;
	}
}

static void
a_path_that_cannot_be_made_is_not_given(void **state)
{
	(void)state;
	start_counting("../eve:aaaaaaaaaaaaa:::/m/%u\n"
		       "u:aaaaaaaaaaaaa:::/m/%q\n");
	assert_int_equal(login("../eve", "right"), POPPER_AUTH_LATER);
	assert_non_null(strstr(auth_answer.error.text, "../eve"));
	assert_int_equal(login("../eve", "wrong"), POPPER_AUTH_NO);
	assert_int_equal(login("u", "right"), POPPER_AUTH_LATER);
}

static void
a_bad_default_maildrop_stops_the_start(void **state)
{
	struct popper_error e;

	(void)state;
	start("");
	driver->stop(self);
	self = NULL;
	conf.maildrop = "Maildir";
	assert_int_equal(driver->start(&auth_host, &conf, &self, &e), -1);
	assert_non_null(strstr(e.text, "default-maildrop"));
}

static void
a_file_others_can_use_is_refused(void **state)
{
	static const unsigned bad[] = { 0644, 0640, 0604, 0660, 0620, 0602,
		0610, 0666, 0777 };

	(void)state;
	start_counting("u:aaaaaaaaaaaaa:::\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(file, bad[i]), 0);
		assert_int_equal(login("u", "right"), POPPER_AUTH_LATER);
	}
	assert_int_equal(chmod(file, 0400), 0);
	assert_int_equal(login("u", "right"), POPPER_AUTH_YES);
	driver->stop(self);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(file, bad[i]), 0);
		refuse_start("chmod 600");
	}
}

static void
a_file_of_somebody_else_is_refused(void **state)
{
	(void)state;
	start("u:aaaaaaaaaaaaa:::\n");
	driver->stop(self);
	self = NULL;
	if (geteuid() != 0)
		return; /* only root can give a file away */
	assert_int_equal(chown(file, 65534, (gid_t)-1), 0);
	refuse_start("owned by uid 65534");
}

static void
only_a_regular_file_is_read(void **state)
{
	char other[600];

	(void)state;
	start("u:aaaaaaaaaaaaa:::\n");
	driver->stop(self);
	(void)snprintf(other, sizeof(other), "%s.real", file);
	assert_int_equal(rename(file, other), 0);
	refuse_start("No such file");
	assert_int_equal(symlink(other, file), 0);
	refuse_start("symbolic link");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	refuse_start("not a regular file");
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	refuse_start("not a regular file");
}

static void
a_file_out_of_all_proportion_is_refused(void **state)
{
	(void)state;
	start("u:aaaaaaaaaaaaa:::\n");
	driver->stop(self);
	assert_int_equal(truncate(file, (off_t)PASSWD_FILE_MAX + 1), 0);
	refuse_start("larger than");
}

static void
a_change_is_seen_at_the_next_login(void **state)
{
	struct stat before, after;

	(void)state;
	start_counting("u:aaaaaaaaaaaaa:::/m/1\n");
	assert_int_equal(login("u", "right"), POPPER_AUTH_YES);
	/* In place: same inode, same size. */
	assert_int_equal(stat(file, &before), 0);
	{
		FILE *f = fopen(file, "r+");

		assert_non_null(f);
		assert_int_equal(fputs("v:aaaaaaaaaaaaa:::/m/2\n", f) >= 0, 1);
		assert_int_equal(fclose(f), 0);
	}
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(login("u", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(login("v", "right"), POPPER_AUTH_YES);
	/* Replaced. */
	(void)auth_write("users", 0600, "w:aaaaaaaaaaaaa:::/m/3\n");
	assert_int_equal(login("v", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(login("w", "right"), POPPER_AUTH_YES);
	/* Gone. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(login("w", "right"), POPPER_AUTH_LATER);
	assert_int_equal(auth_answer.error.status, POPPER_TEMPORARY);
}

/* A line that is wrong, and what the log says of it. */
static const struct {
	const char *line, *why;
} bad_lines[] = {
	{ "u", "no colon" },
	{ "u:aaaaaaaaaaaaa", "too few fields" },
	{ "u:aaaaaaaaaaaaa::", "too few fields" },
	{ ":aaaaaaaaaaaaa:::", "name is empty" },
	{ "u:aaaaaaaaaaaaa:x::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:-1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:+1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa: 1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:1x::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:0x10::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:4294967295::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:4294967296::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:18446744073709551617::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:99999999999999999999999::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa::4294967295:", "gid is no number" },
	{ "u:aaaaaaaaaaaaa:::Maildir", "neither /path nor NAME:/path" },
	{ "u:aaaaaaaaaaaaa::::/m", "neither /path nor NAME:/path" },
	{ "u:aaaaaaaaaaaaa:::maildir:", "names no place" },
	{ "u:aaaaaaaaaaaaa:::/m:", "reserved" },
	{ "u:aaaaaaaaaaaaa:::/m:more", "reserved" },
	{ "u:aaaaaaaaaaaaa:::maildir:/m:more", "reserved" },
	{ "u:aaaaaaaaaaaaa:::/m\r", "control character" },
	{ "u:aaaaaaaaaaaaa:::/m\tx", "control character" },
	{ "u:aaaaaaaaaaaaa:::"
	  "abcdefghijabcdefghijabcdefghijab:/m",
	    "kind is too long" },
};

static void
a_bad_line_hurts_nobody_else(void **state)
{
	char text[512], where[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "# users\na:aaaaaaaaaaaaa:::\n%s\nz:aaaaaaaaaaaaa:::\n",
		    bad_lines[i].line);
		auth_forget();
		start_counting(text);
		(void)snprintf(where, sizeof(where), "%s:3: ", file);
		assert_int_equal(auth_logged(where), 1);
		assert_int_equal(auth_logged(bad_lines[i].why), 1);
		assert_int_equal(auth_logged("passwd"), 1);
		assert_int_equal(login("a", "right"), POPPER_AUTH_YES);
		assert_int_equal(login("z", "right"), POPPER_AUTH_YES);
		assert_int_not_equal(login("u", "right"), POPPER_AUTH_YES);
		driver->stop(self);
		self = NULL;
	}
}

static void
a_bad_line_of_ones_own_is_told_to_the_log(void **state)
{
	(void)state;
	start_counting("u:aaaaaaaaaaaaa:x::\nu:aaaaaaaaaaaaa:::/other\n");
	calls = 0;
	assert_int_equal(login("u", "right"), POPPER_AUTH_NO);
	assert_int_equal(calls, 1);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(
	    strstr(auth_answer.error.text, ":1: the uid is no number"));
}

static void
largest_numbers_are_fine(void **state)
{
	(void)state;
	start_counting("u:aaaaaaaaaaaaa:4294967294:0004294967294:\n");
	assert_int_equal(login("u", "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.uid, 4294967294u);
	assert_int_equal(auth_answer.identity.gid, 4294967294u);
}

static void
warnings_end_somewhere(void **state)
{
	static char text[100 * 3 + 1];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(text + 3 * i, "xx\n", 4);
	start(text);
	assert_int_equal(auth_logged("no colon"), 20);
	assert_int_equal(auth_logged("80 more lines"), 1);
}

static void
the_first_of_two_lines_counts(void **state)
{
	char where[600];

	(void)state;
	start_counting("b:aaaaaaaaaaaaa:::/m/b\nu:aaaaaaaaaaaaa:::/m/1\n"
		       "c:aaaaaaaaaaaaa:::/m/c\nu:bbbbbbbbbbbbb:::/m/2\n");
	(void)snprintf(where, sizeof(where),
	    "%s:4: a user that an earlier line has", file);
	assert_int_equal(auth_logged(where), 1);
	assert_int_equal(auth_logged("passwd"), 1);
	assert_int_equal(login("u", "right"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.maildrop, "/m/1");
}

/* The first usable hash of the file is "first........". */
#define SOME_USERS                                                   \
	"locked:!xxxxxxxxxxxxx:::\nempty::::\nstar:*:::\nx:x:::\n"   \
	"failed:*0:::\nfirst:first........:::\nu:uuuuuuuuuuuuu:::\n" \
	"late:!uuuuuuuuuuuuu:::\nhole:aaaa\\aaaaaaaaa:::\n"

static void
locked_and_empty_hashes_never_fit(void **state)
{
	static const char *const users[] = { "locked", "empty", "star", "x",
		"failed", "late", "hole" };
	static const char *const tries[] = { "right", "", "*", "!", "x", "*0" };

	(void)state;
	start_counting(SOME_USERS);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		for (size_t k = 0; k < sizeof(tries) / sizeof(tries[0]); k++) {
			calls = 0;
			assert_int_equal(
			    login(users[i], tries[k]), POPPER_AUTH_NO);
			assert_int_equal(calls, 1);
			assert_string_equal(last_setting, "first........");
		}
		assert_non_null(strstr(auth_answer.error.text, "locked"));
	}
}

static void
every_refusal_costs_one_hash(void **state)
{
	static const char nul[] = "right\0";
	static char longest[PASSWD_SECRET_MAX + 1];

	(void)state;
	start_counting(SOME_USERS);
	assert_int_equal(login("u", "right"), POPPER_AUTH_YES);
	assert_int_equal(calls, 1);
	assert_string_equal(last_setting, "uuuuuuuuuuuuu");
	assert_int_equal(login("u", "wrong"), POPPER_AUTH_NO);
	assert_int_equal(calls, 2);
	assert_int_equal(login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(calls, 3);
	assert_string_equal(last_setting, "first........");
	assert_string_equal(last_phrase, "right");
	assert_int_equal(login("u", ""), POPPER_AUTH_NO);
	assert_int_equal(calls, 4);
	assert_string_equal(last_setting, "uuuuuuuuuuuuu");
	assert_int_equal(
	    login_octets("u", popper_slice(nul, 6)), POPPER_AUTH_NO);
	assert_int_equal(calls, 5);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(
	    login_octets("u", popper_slice(longest, sizeof(longest))),
	    POPPER_AUTH_NO);
	assert_int_equal(calls, 6);
	assert_int_equal(login("", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(calls, 7);
	assert_int_equal(login("nobody", ""), POPPER_AUTH_NEXT);
	assert_int_equal(calls, 8);
}

static void
the_price_follows_the_file(void **state)
{
	(void)state;
	start_counting("a:oldoldoldoldo:::\n");
	(void)auth_write("users", 0600, "a:!:::\nb:newnewnewnewn:::\n");
	assert_int_equal(login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_string_equal(last_setting, "newnewnewnewn");
	/* Found before any usable hash was: what was learnt last is used. */
	assert_int_equal(login("a", "right"), POPPER_AUTH_NO);
	assert_string_equal(last_setting, "newnewnewnewn");
}

static char *
real_crypt(const char *phrase, const char *setting, struct crypt_data *data)
{
	char *result = crypt_r(phrase, setting, data);

	calls++;
	(void)snprintf(last_setting, sizeof(last_setting), "%s", result);
	return result;
}

static void
without_any_hash_the_price_is_the_systems(void **state)
{
	(void)state;
	start("u:!:::\n");
	((struct passwd_self *)self)->crypt = real_crypt;
	calls = 0;
	assert_int_equal(login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(calls, 1);
	assert_int_not_equal(last_setting[0], '*');
	assert_memory_equal(last_setting, "$y$", 3);
}

static void
a_hash_the_system_does_not_know_costs_too(void **state)
{
	(void)state;
	start("u:$nosuch$aaaaaaaaaaaa:::\n");
	((struct passwd_self *)self)->crypt = real_crypt;
	calls = 0;
	assert_int_equal(login("u", "right"), POPPER_AUTH_NO);
	assert_int_equal(calls, 2);
	assert_memory_equal(last_setting, "$y$", 3);
}

static void
long_passwords(void **state)
{
	static char phrase[2 * PASSWD_SECRET_MAX];
	char text[1024];

	(void)state;
	memset(phrase, 'p', sizeof(phrase));
	phrase[PASSWD_SECRET_MAX] = '\0';
	(void)snprintf(
	    text, sizeof(text), "u:%s:::\n", hash(phrase, "$6$", 1000));
	start(text);
	assert_int_equal(login("u", phrase), POPPER_AUTH_YES);
	/* One octet more, or a NUL behind it, is another password. */
	phrase[PASSWD_SECRET_MAX] = 'p';
	assert_int_equal(
	    login_octets("u", popper_slice(phrase, PASSWD_SECRET_MAX + 1)),
	    POPPER_AUTH_NO);
	assert_int_equal(
	    login_octets("u", popper_slice(phrase, sizeof(phrase))),
	    POPPER_AUTH_NO);
	assert_int_equal(
	    login_octets("u", popper_slice(phrase, PASSWD_SECRET_MAX - 1)),
	    POPPER_AUTH_NO);
}

static void
a_nul_does_not_end_a_password(void **state)
{
	char text[1024];

	(void)state;
	(void)snprintf(
	    text, sizeof(text), "u:%s:::\n", hash("right", "$6$", 1000));
	start(text);
	assert_int_equal(
	    login_octets("u", popper_slice("right", 5)), POPPER_AUTH_YES);
	assert_int_equal(
	    login_octets("u", popper_slice("right\0", 6)), POPPER_AUTH_NO);
	assert_int_equal(
	    login_octets("u", popper_slice("right\0x", 7)), POPPER_AUTH_NO);
}

static void
names_match_exactly_or_not(void **state)
{
	static const char *const others[] = { "", "An", "Ann", "ann ", " ann",
		"ann:aaaaaaaaaaaaa", "ann:", "ann\n", "\nann", "an", "annn",
		"#x", "aaaaaaaaaaaaa", ":", "ann\x7f" };

	(void)state;
	start_counting("#x:aaaaaaaaaaaaa:::\nann:aaaaaaaaaaaaa:::\n"
		       "j\303\266rg:aaaaaaaaaaaaa:::\n");
	assert_int_equal(login("ann", "right"), POPPER_AUTH_YES);
	assert_int_equal(login("j\303\266rg", "right"), POPPER_AUTH_YES);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(login(others[i], "right"), POPPER_AUTH_NEXT);
}

/* Lines of every length up to the limit, across every edge of the buffer. */
static void
lines_of_every_length_are_found(void **state)
{
	enum { USERS = 2000 };
	char *text = malloc(USERS * (PASSWD_LINE_MAX + 1) + 1);
	char name[32];
	size_t at = 0, pad;
	int len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < USERS; i++) {
		len = snprintf(text + at, 64, "u%zu:aaaaaaaaaaaaa:::/", i);
		assert_true(len > 0);
		at += (size_t)len;
		pad = i * 7 % 1000;
		memset(text + at, 'p', pad);
		at += pad;
		text[at++] = '\n';
	}
	text[at] = '\0';
	start_counting(text);
	free(text);
	assert_int_equal(auth_logged("passwd"), 0);
	for (size_t i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof(name), "u%zu", i);
		assert_int_equal(login(name, "right"), POPPER_AUTH_YES);
		assert_int_equal(
		    strlen(auth_answer.identity.maildrop), 1 + i * 7 % 1000);
	}
	assert_int_equal(login("u2000", "right"), POPPER_AUTH_NEXT);
}

static void
an_endless_line_is_skipped(void **state)
{
	static const size_t lengths[] = { PASSWD_LINE_MAX, PASSWD_LINE_MAX + 1,
		65535, 65536, 65537, 131072, 200000 };
	static const char first[] = "a:aaaaaaaaaaaaa:::\n";
	static const char last[] = "\nz:aaaaaaaaaaaaa:::\n";
	char *text = malloc(200100);
	size_t len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		len = sizeof(first) - 1;
		memcpy(text, first, len);
		/* Names all over it must not be taken for lines. */
		for (size_t k = 0; k < lengths[i]; k++)
			text[len + k] = "u:"[k % 2];
		memcpy(text + len + lengths[i], last, sizeof(last));
		auth_forget();
		start_counting(text);
		assert_int_equal(auth_logged(":2: "), 1);
		assert_int_equal(login("a", "right"), POPPER_AUTH_YES);
		assert_int_equal(login("z", "right"), POPPER_AUTH_YES);
		assert_int_equal(login("u", "right"), POPPER_AUTH_NO);
		assert_int_equal(login("", "right"), POPPER_AUTH_NEXT);
		driver->stop(self);
		self = NULL;
	}
	free(text);
}

static void
a_line_without_an_end_is_not_trusted(void **state)
{
	(void)state;
	start_counting("a:aaaaaaaaaaaaa:::/m/a\nu:aaaaaaaaaaaaa:::/m/al");
	assert_int_equal(auth_logged(":2: it does not end with a newline"), 1);
	assert_int_equal(login("a", "right"), POPPER_AUTH_YES);
	assert_int_equal(login("u", "right"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "newline"));
}

static void
a_hundred_thousand_users(void **state)
{
	enum { USERS = 100000 };
	char *text = malloc(USERS * 64);
	size_t at = 0;
	int len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < USERS; i++) {
		len = snprintf(text + at, 64,
		    "user%zu:aaaaaaaaaaaaa:%zu:%zu:/m/%zu\n", i, 1000 + i,
		    1000 + i, i);
		assert_true(len > 0 && len < 64);
		at += (size_t)len;
	}
	start_counting(text);
	free(text);
	assert_int_equal(auth_logged("passwd"), 0);
	assert_int_equal(login("user0", "right"), POPPER_AUTH_YES);
	assert_int_equal(login("user99999", "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.uid, 100999);
	assert_string_equal(auth_answer.identity.maildrop, "/m/99999");
	assert_int_equal(login("user100000", "right"), POPPER_AUTH_NEXT);
}

static void
lookup_needs_no_proof(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	start_counting("u:!:7:8:mbox:/m\nbad:x:y:z:\n");
	assert_int_equal(driver->lookup(self, "u", &id, &e), 0);
	assert_int_equal(calls, 0);
	assert_string_equal(id.user, "u");
	assert_int_equal(id.uid, 7);
	assert_string_equal(id.drop, "mbox");
	assert_int_equal(driver->lookup(self, "v", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(driver->lookup(self, "bad", &id, &e), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(driver->lookup(self, "u", &id, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
}

static void
other_mechanisms_are_others(void **state)
{
	struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "APOP",
		.user = "u",
		.secret = popper_slice_text("right"),
	};
	void *exchange = &attempt;

	(void)state;
	start_counting("u:aaaaaaaaaaaaa:::\n");
	assert_int_equal(driver->begin(self, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
	assert_null(exchange);
	assert_int_equal(calls, 0);
	driver->end(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_kind_of_hash),
		TEST(the_identity_is_the_line),
		TEST(maildrop_forms),
		TEST(a_path_that_cannot_be_made_is_not_given),
		TEST(a_bad_default_maildrop_stops_the_start),
		TEST(a_file_others_can_use_is_refused),
		TEST(a_file_of_somebody_else_is_refused),
		TEST(only_a_regular_file_is_read),
		TEST(a_file_out_of_all_proportion_is_refused),
		TEST(a_change_is_seen_at_the_next_login),
		TEST(a_bad_line_hurts_nobody_else),
		TEST(a_bad_line_of_ones_own_is_told_to_the_log),
		TEST(largest_numbers_are_fine),
		TEST(warnings_end_somewhere),
		TEST(the_first_of_two_lines_counts),
		TEST(locked_and_empty_hashes_never_fit),
		TEST(every_refusal_costs_one_hash),
		TEST(the_price_follows_the_file),
		TEST(without_any_hash_the_price_is_the_systems),
		TEST(a_hash_the_system_does_not_know_costs_too),
		TEST(long_passwords),
		TEST(a_nul_does_not_end_a_password),
		TEST(names_match_exactly_or_not),
		TEST(lines_of_every_length_are_found),
		TEST(an_endless_line_is_skipped),
		TEST(a_line_without_an_end_is_not_trusted),
		TEST(a_hundred_thousand_users),
		TEST(lookup_needs_no_proof),
		TEST(other_mechanisms_are_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
