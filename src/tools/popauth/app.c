/*
 * app.c - popauth app: the app module's file of passwords, one a device.
 *
 * Runs in: popauth, as root or as the owner of the file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <nettle/sha2.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/secret.h"
#include "base/text.h"
#include "tools/popauth/lines.h"
#include "tools/popauth/used.h"

#define APP_FILE "/etc/popper/app-passwords"
#define LETTERS 24 /* of 32: 120 bits */
#define GROUP 4
#define DEVICE_MAX 64
#define FIELDS 3 /* colons */

/* As in modules/auth/app.h. */
static const struct lines_form form = {
	.fields = "too few fields: user:device:hash:created",
	.least = FIELDS,
	.line_max = 512,
	.file_max = 16u << 20,
};

struct request {
	const char *user, *device; /* or NULL */
	const char *used; /* file of last use */
	bool all;
};

static int
check(const char *what, const char *name, size_t most, struct popper_error *e)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
		    name[i] == ':')
			return error_set(e, POPPER_INVALID,
			    "%s has a colon or a control character", what);
	if (len == 0 || len > most || strchr("# -", name[0]) != NULL)
		return error_set(e, POPPER_INVALID,
		    "%s has 1 to %zu octets and does not begin with \"#\", "
		    "\"-\" or a space",
		    what, most);
	return 0;
}

static int
parse(char *const *args, int count, struct request *q, struct popper_error *e)
{
	*q = (struct request){ .used = USED_FILE };
	for (int i = 0; i < count; i++) {
		if (strcmp(args[i], "--all") == 0)
			q->all = true;
		else if (strcmp(args[i], "--last-use") == 0 && i + 1 < count)
			q->used = args[++i];
		else if (args[i][0] == '-' || q->device != NULL)
			return error_set(
			    e, POPPER_INVALID, "%s: not expected", args[i]);
		else if (q->user == NULL)
			q->user = args[i];
		else
			q->device = args[i];
	}
	if (q->user != NULL &&
	    check("a user's name", q->user, POPPER_USER_MAX, e) == -1)
		return -1;
	return q->device == NULL
	    ? 0
	    : check("a device's name", q->device, DEVICE_MAX, e);
}

/* As the module compares them. */
static bool
equal(struct popper_slice field, const char *word)
{
	return field.len == strlen(word) &&
	    memcmp(field.ptr, word, field.len) == 0;
}

/* Is it of the user, and of the device?  NULL: of any. */
static bool
is_of(const struct line *line, const struct request *q)
{
	if (line->comment || line->problem != NULL)
		return false;
	return (q->user == NULL ||
		   equal(lines_field(line->text, 0, FIELDS), q->user)) &&
	    (q->device == NULL ||
		equal(lines_field(line->text, 1, FIELDS), q->device));
}

/* Crockford's base 32: none of them looks like another. */
static int
make_password(char password[LETTERS + 1], struct popper_error *e)
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char octets[LETTERS];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return error_system(e, POPPER_TEMPORARY, "getrandom");
	for (size_t i = 0; i < LETTERS; i++)
		password[i] = letters[octets[i] & 31];
	password[LETTERS] = '\0';
	secret_wipe(octets, sizeof(octets));
	return 0;
}

static int
make_line(const struct request *q, const char *password, char *out, size_t size,
    struct popper_error *e)
{
	unsigned char digest[SHA256_DIGEST_SIZE];
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, LETTERS, (const uint8_t *)password);
	sha256_digest(&ctx, sizeof(digest), digest);
	secret_wipe(&ctx, sizeof(ctx));
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)text_print(hex + 2 * i, 3, "%02x", digest[i]);
	if (text_print(out, size, "%s:%s:$sha256$%s:%lld\n", q->user, q->device,
		hex, (long long)time(NULL)))
		return 0;
	return error_set(e, POPPER_INVALID, "the line would be too long");
}

/* A new line goes behind all others. */
static int
append(const struct lines *l, struct replacement *r, const struct request *q,
    const char *text, struct popper_error *e)
{
	struct line line;
	size_t at = 0;

	while (lines_next(l, &at, &line)) {
		if (line.torn)
			return error_set(e, POPPER_INVALID,
			    "%s:%lu: the line does not end; end or remove it "
			    "first",
			    l->path, line.number);
		if (is_of(&line, q))
			return error_set(e, POPPER_INVALID,
			    "%s:%lu: %s has a device %s; delete it first",
			    l->path, line.number, q->user, q->device);
	}
	if (lines_put(r, popper_slice(l->octets, l->len), e) == -1)
		return -1;
	return lines_put(r, popper_slice_text(text), e);
}

/* In groups, so that one can type it.  Once and never again. */
static int
show(const char *password)
{
	for (size_t i = 0; i < LETTERS; i += GROUP)
		(void)printf("%s%.*s", i == 0 ? "" : "-", GROUP, password + i);
	(void)putchar('\n');
	return fflush(stdout) == EOF || ferror(stdout) != 0 ? -1 : 0;
}

static int
add(const struct popauth *p, const struct request *q, struct popper_error *e)
{
	char password[LETTERS + 1];
	char text[512]; /* as form.line_max, with the newline and a NUL */
	struct replacement r;
	struct lines l;
	int result = -1;

	if (make_password(password, e) == -1 ||
	    make_line(q, password, text, sizeof(text), e) == -1 ||
	    lines_begin(&l, &form, &r, p->file, e) == -1)
		return -1;
	lines_warn(p, &l);
	if (append(&l, &r, q, text, e) == 0)
		result = lines_commit(&l, &r, e);
	lines_free(&l);
	replace_end(&r);
	if (result == 0) {
		popauth_log(p, "made an app password of %s in %s: %s", q->user,
		    p->file, q->device);
		if (show(password) == -1)
			result = error_system(e, POPPER_TEMPORARY,
			    "the password could not be shown; delete %s and "
			    "add it again",
			    q->device);
	}
	secret_wipe(password, sizeof(password));
	return result;
}

static void
print_time(uint64_t seconds)
{
	char text[32] = "never";
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds != 0 &&
	    (gmtime_r(&t, &tm) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0))
		(void)text_print(text, sizeof(text), "?");
	(void)printf("\t%s", text);
}

static void
print_line(const struct line *line, int used)
{
	struct popper_slice user = lines_field(line->text, 0, FIELDS);
	struct popper_slice device = lines_field(line->text, 1, FIELDS);
	uint64_t created = 0;

	(void)number_parse(
	    lines_field(line->text, 3, FIELDS), INT64_MAX, &created);
	(void)printf(
	    "%.*s\t%.*s", (int)user.len, user.ptr, (int)device.len, device.ptr);
	print_time(created);
	print_time(used_when(used, lines_field(line->text, 2, FIELDS)));
	(void)putchar('\n');
}

static int
list(const struct popauth *p, const struct request *q, struct popper_error *e)
{
	struct lines l;
	struct line line;
	size_t at = 0;
	int used;

	if (lines_load(&l, &form, p->file, e) == -1)
		return -1;
	lines_warn(p, &l);
	used = used_open(q->used, false);
	while (lines_next(&l, &at, &line))
		if (is_of(&line, q))
			print_line(&line, used);
	fd_close(&used);
	lines_free(&l);
	if (fflush(stdout) == EOF || ferror(stdout) != 0)
		return error_system(e, POPPER_TEMPORARY, "standard output");
	return 0;
}

/* All lines but those meant.  Returns how many are left out, or -1. */
static int
leave_out(const struct lines *l, struct replacement *r, const struct request *q,
    struct popper_error *e)
{
	struct line line;
	size_t at = 0, from = 0;
	int count = 0;

	while (lines_next(l, &at, &line)) {
		if (is_of(&line, q))
			count++;
		else if (lines_put(r,
			     popper_slice(l->octets + from,
				 (at < l->len ? at : l->len) - from),
			     e) == -1)
			return -1;
		from = at;
	}
	if (count > 0)
		return count;
	return error_set(e, POPPER_ABSENT, "%s: %s has no %s", l->path, q->user,
	    q->device == NULL ? "device" : q->device);
}

/* Dates of what is gone are of no use, and make room. */
static void
forget_use(const struct lines *l, const struct request *q)
{
	int used = used_open(q->used, true);
	struct line line;
	size_t at = 0;

	while (lines_next(l, &at, &line))
		if (is_of(&line, q))
			used_forget(used, lines_field(line.text, 2, FIELDS));
	fd_close(&used);
}

static int delete (
    const struct popauth *p, const struct request *q, struct popper_error *e)
{
	struct replacement r;
	struct lines l;
	int result = -1;

	if (lines_begin(&l, &form, &r, p->file, e) == -1)
		return -1;
	lines_warn(p, &l);
	if (leave_out(&l, &r, q, e) > 0)
		result = lines_commit(&l, &r, e);
	if (result == 0)
		forget_use(&l, q);
	lines_free(&l);
	replace_end(&r);
	if (result == 0)
		popauth_log(p, "deleted app passwords of %s in %s: %s", q->user,
		    p->file, q->device == NULL ? "all" : q->device);
	return result;
}

/* add USER DEVICE, list [USER], delete USER DEVICE|--all. */
static int
app(const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;
	struct request q;
	int result = 1;

	if (parse(args + 1, count - 1, &q, &e) == -1)
		return popauth_fail(p, &e), POPAUTH_USAGE;
	if (strcmp(args[0], "add") == 0 && q.device != NULL && !q.all)
		result = add(p, &q, &e);
	else if (strcmp(args[0], "list") == 0 && q.device == NULL && !q.all)
		result = list(p, &q, &e);
	else if (strcmp(args[0], "delete") == 0 && q.user != NULL &&
	    (q.device == NULL) == q.all)
		result = delete (p, &q, &e);
	if (result <= 0)
		return result == 0 ? POPAUTH_DONE : popauth_fail(p, &e);
	popauth_say(p,
	    "usage: %s app add USER DEVICE, app list [USER], or app delete "
	    "USER DEVICE|--all",
	    p->program);
	return POPAUTH_USAGE;
}

const struct subcommand app_subcommands[] = {
	{ "app", APP_FILE, "add|list|delete [USER [DEVICE|--all]]",
	    "app passwords, one for each device", 1, 8, false, app },
	{ .name = NULL },
};
