/*
 * users.c - popauth scram and popauth passwd: the passwd module's file.
 *
 * Runs in: popauth, as root or as the owner of the file.
 */
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/secret.h"
#include "base/text.h"
#include "tools/popauth/ask.h"
#include "tools/popauth/lines.h"
#include "tools/popauth/prepare.h"
#include "tools/popauth/scram.h"

#define USERS_FILE "/etc/popper/users"

/* As in modules/auth/passwd.h. */
static const struct lines_form form = {
	.fields = "too few fields: user:hash:uid:gid:maildrop",
	.least = 4,
	.line_max = 2048,
	.file_max = 64u << 20,
};

struct options {
	const char *user;
	uint64_t rounds;
	bool all, keep_hash;
};

/* What goes into the hash field. */
struct field {
	char text[2048];
};

static int
check_user(const char *user, struct popper_error *e)
{
	if (popauth_check_name(user, e) == -1)
		return -1;
	if (strchr(user, ':') != NULL || strchr("# ", user[0]) != NULL)
		return error_set(e, POPPER_INVALID,
		    "a user's name in this file has no colon and does not "
		    "begin with \"#\" or a space");
	return 0;
}

static bool
is_of(const struct line *line, const char *user)
{
	const size_t len = strlen(user);

	return !line->comment && line->text.len > len &&
	    line->text.ptr[len] == ':' &&
	    memcmp(line->text.ptr, user, len) == 0;
}

/* The user's line: the first, as the module takes it. */
static int
find(const struct lines *l, const char *user, struct line *line,
    struct popper_error *e)
{
	size_t at = 0;

	while (lines_next(l, &at, line)) {
		if (!is_of(line, user))
			continue;
		if (line->problem == NULL)
			return 0;
		return error_set(e, POPPER_INVALID, "%s:%lu: %s; mend it first",
		    l->path, line->number, line->problem);
	}
	return error_set(e, POPPER_ABSENT,
	    "%s: no user %s; add a line user:*:uid:gid:maildrop", l->path,
	    user);
}

/* Tell early, before a password is asked for. */
static int
look(const struct popauth *p, const char *user, struct popper_error *e)
{
	struct lines l;
	struct line line;
	int result;

	if (check_user(user, e) == -1 ||
	    lines_load(&l, &form, p->file, e) == -1)
		return -1;
	lines_warn(p, &l);
	result = find(&l, user, &line, e);
	lines_free(&l);
	return result;
}

static void
warn_of_doubles(
    const struct popauth *p, const struct lines *l, const char *user)
{
	struct line line;
	size_t at = 0, found = 0;

	while (lines_next(l, &at, &line))
		if (is_of(&line, user) && found++ > 0)
			popauth_say(p,
			    "%s:%lu: %s is there again; the first line counts",
			    l->path, line.number, user);
}

/* The whole file again, with another hash field in one line. */
static int
write_changed(const struct lines *l, struct replacement *r,
    const struct line *line, const char *field, struct popper_error *e)
{
	const char *end = l->octets + l->len;
	struct popper_slice old = lines_field(line->text, 1, form.least);

	if (line->text.len - old.len + strlen(field) > form.line_max)
		return error_set(e, POPPER_INVALID,
		    "%s:%lu: the line would be too long", l->path,
		    line->number);
	if (lines_put(r, popper_slice(l->octets, (size_t)(old.ptr - l->octets)),
		e) == -1 ||
	    lines_put(r, popper_slice_text(field), e) == -1)
		return -1;
	return lines_put(r,
	    popper_slice(
		old.ptr + old.len, (size_t)(end - (old.ptr + old.len))),
	    e);
}

/* Put behind the keys in ${f} what stays of the old field: a hash that the
 * same password fits. */
static int
keep_hash(const struct line *line, const char *password, struct field *f,
    struct popper_error *e)
{
	struct popper_slice hash =
	    scram_crypt_of(lines_field(line->text, 1, form.least));
	struct crypt_data *data = calloc(1, sizeof(*data));
	char setting[CRYPT_OUTPUT_SIZE];
	const char *made = NULL;
	size_t len = strlen(f->text);
	bool same;

	if (data == NULL)
		return error_system(e, POPPER_TEMPORARY, "crypt");
	if (text_from_slice(setting, sizeof(setting), hash))
		made = crypt_r(password, setting, data);
	same = made != NULL && setting[0] != '\0' && strcmp(made, setting) == 0;
	secret_wipe(data, sizeof(*data));
	free(data);
	if (!same)
		return error_set(e, POPPER_INVALID,
		    "the hash that would be kept is of another password, or "
		    "locked, or none");
	if (!text_print(f->text + len, sizeof(f->text) - len, ",%s", setting))
		return error_set(e, POPPER_INVALID, "the field is too long");
	return 0;
}

/* Put the field into the user's line; with ${password}, and the old hash. */
static int
change(const struct popauth *p, const char *user, struct field *f,
    const char *password, struct popper_error *e)
{
	struct replacement r;
	struct lines l;
	struct line line;
	int result = -1;

	if (lines_begin(&l, &form, &r, p->file, e) == -1)
		return -1;
	if (find(&l, user, &line, e) == 0 &&
	    (password == NULL || keep_hash(&line, password, f, e) == 0) &&
	    write_changed(&l, &r, &line, f->text, e) == 0)
		result = lines_commit(&l, &r, e);
	if (result == 0)
		warn_of_doubles(p, &l, user);
	lines_free(&l);
	replace_end(&r);
	return result;
}

static int
ask(const struct popauth *p, const char *user, char *out, size_t size,
    struct popper_error *e)
{
	if (ask_new_secret(p, user, out, size, e) == -1)
		return -1;
	return prepare_stored(out, size, e);
}

static int
parse(char *const *args, int count, struct options *o, struct popper_error *e)
{
	*o = (struct options){ .rounds = SCRAM_ROUNDS };
	for (int i = 0; i < count; i++) {
		if (strcmp(args[i], "--all") == 0)
			o->all = true;
		else if (strcmp(args[i], "--keep-hash") == 0)
			o->keep_hash = true;
		else if (strcmp(args[i], "--iterations") == 0 &&
		    i + 1 < count) {
			if (!number_parse(popper_slice_text(args[++i]),
				SCRAM_ROUNDS_MAX, &o->rounds) ||
			    o->rounds < SCRAM_ROUNDS_MIN)
				return error_set(e, POPPER_INVALID,
				    "--iterations %s: must be %d to %d",
				    args[i], SCRAM_ROUNDS_MIN,
				    SCRAM_ROUNDS_MAX);
		} else if (args[i][0] == '-' || o->user != NULL)
			return error_set(e, POPPER_INVALID,
			    "%s: not expected; there are --all, --keep-hash "
			    "and --iterations NUMBER, and one user",
			    args[i]);
		else
			o->user = args[i];
	}
	return o->user != NULL
	    ? 0
	    : error_set(e, POPPER_INVALID, "no user is named");
}

static int
make_keys(const struct options *o, const char *password, struct field *f,
    struct popper_error *e)
{
	static const enum scram_kind order[] = { SCRAM_SHA_256, SCRAM_SHA_1,
		SCRAM_SHA_512 };
	char key[SCRAM_KEY_SIZE];
	size_t len = 0;

	f->text[0] = '\0';
	for (size_t i = 0; i < (o->all ? SCRAM_KINDS : 1); i++) {
		if (scram_make(
			order[i], password, (uint32_t)o->rounds, key, e) == -1)
			return -1;
		(void)text_print(f->text + len, sizeof(f->text) - len, "%s%s",
		    i == 0 ? "" : ",", key);
		len += strlen(f->text + len);
	}
	return 0;
}

static int
scram(const struct popauth *p, char *const *args, int count)
{
	char password[ASK_MAX + 1] = "";
	struct popper_error e;
	struct options o;
	struct field f;
	int result = -1;

	if (parse(args, count, &o, &e) == -1)
		return popauth_fail(p, &e), POPAUTH_USAGE;
	if (look(p, o.user, &e) == 0 &&
	    ask(p, o.user, password, sizeof(password), &e) == 0 &&
	    make_keys(&o, password, &f, &e) == 0)
		result =
		    change(p, o.user, &f, o.keep_hash ? password : NULL, &e);
	secret_wipe(password, sizeof(password));
	secret_wipe(&f, sizeof(f));
	if (result == -1)
		return popauth_fail(p, &e);
	popauth_log(p, "set the SCRAM keys of %s in %s", o.user, p->file);
	return POPAUTH_DONE;
}

/* yescrypt at the system's usual cost. */
static int
make_hash(const char *password, struct field *f, struct popper_error *e)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made = NULL;

	if (data != NULL &&
	    crypt_gensalt_rn(
		"$y$", 0, NULL, 0, setting, (int)sizeof(setting)) != NULL)
		made = crypt_r(password, setting, data);
	if (made != NULL && made[0] == '$')
		(void)text_print(f->text, sizeof(f->text), "%s", made);
	else
		made = NULL;
	if (data != NULL)
		secret_wipe(data, sizeof(*data));
	free(data);
	return made != NULL ? 0 : error_system(e, POPPER_PERMANENT, "crypt");
}

static int
passwd(const struct popauth *p, char *const *args, int count)
{
	char password[ASK_MAX + 1] = "";
	struct popper_error e;
	struct field f;
	int result = -1;

	(void)count;
	if (look(p, args[0], &e) == 0 &&
	    ask(p, args[0], password, sizeof(password), &e) == 0 &&
	    make_hash(password, &f, &e) == 0)
		result = change(p, args[0], &f, NULL, &e);
	secret_wipe(password, sizeof(password));
	secret_wipe(&f, sizeof(f));
	if (result == -1)
		return popauth_fail(p, &e);
	popauth_log(p, "set the hash of %s in %s", args[0], p->file);
	return POPAUTH_DONE;
}

const struct subcommand users_subcommands[] = {
	{ "scram", USERS_FILE, "[OPTION ...] USER",
	    "set USER's SCRAM keys in a file of users", 1, 6, false, scram },
	{ "passwd", USERS_FILE, "USER", "set USER's hash in a file of users", 1,
	    1, false, passwd },
	{ .name = NULL },
};
