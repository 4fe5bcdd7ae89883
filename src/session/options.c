/*
 * options.c - option files of one user: his own, and the administrator's about
 * him.
 *
 * Runs in: a session, as the user; the files are opened before it shuts itself
 * off, and read behind that.
 *
 * The syntax is Qpopper's (conf/qpopper_file.h).  What may be set is a short
 * list: what concerns nobody but the user.  No text of the files gets into the
 * log: a user could write lines there that look like others'.
 */
#include "session/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/option.h"
#include "base/text.h"
#include "conf/qpopper.h"
#include "conf/retention.h"

#define FILE_MAX 16384 /* octets */
#define COMPLAINTS_MAX 10 /* lines in the log about one file */
#define OWN_NAME ".qpopper-options"

/* In Qpopper's words. */
static const struct {
	const char *name;
	bool own; /* a user may set it, too */
} allowed[] = {
	{ "announce-expire", true },
	{ "announce-login-delay", true },
	{ "timeout", true },
	{ "update-on-abort", true },
	{ "auto-delete", false },
	{ "debug", false },
	{ "statistics", false },
	{ "timing", false },
};

struct reading {
	const char *file;
	unsigned line, complaints;
	bool spool;
	bool told; /* the log knows what is wrong with the line, if anything */
	uint64_t longest; /* the server's timeout */
	const char *expire; /* the server's days */
	struct settings *settings;
	struct qpopper qpopper;
};

static void
complain(struct reading *r, const char *name, const char *why)
{
	r->told = true;
	if (++r->complaints > COMPLAINTS_MAX)
		return;
	log_notice("%s:%u: %s%s%s", r->file, r->line, name,
	    name[0] == '\0' ? "" : ": ", why);
	if (r->complaints == COMPLAINTS_MAX)
		log_notice("%s: no more is told of it", r->file);
}

static bool
is_allowed(const char *name, bool spool)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strcmp(allowed[i].name, name) == 0)
			return spool || allowed[i].own;
	return false;
}

/* The first of the rows about it, or NULL. */
static const struct qpopper_option *
find(const char *name)
{
	const struct qpopper_option *o = qpopper_options;

	while (o->name != NULL && strcasecmp(o->name, name) != 0)
		o++;
	return o->name == NULL || o->built ? NULL : o;
}

/* Before a statement is acted on.  -1: it must not be. */
static int
look(void *context, const struct qpopper_statement *s, struct popper_error *e)
{
	struct reading *r = context;
	const struct qpopper_option *o = find(s->name);

	if (o == NULL) {
		complain(r, "", "there is no such option");
		return error_set(e, POPPER_INVALID, "unknown");
	}
	if (is_allowed(o->name, r->spool))
		return 0;
	/* What does nothing is taken; but not another file. */
	if (o->section != NULL || strcmp(o->name, "config-file") == 0)
		complain(r, o->name,
		    r->spool ? "cannot be set for a single user"
			     : "only the administrator sets this");
	r->told = true;
	return error_set(e, POPPER_INVALID, "nothing to do");
}

static int
set(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	struct reading *r = context;

	(void)s;
	if (!is_allowed(o->name, r->spool))
		return 0;
	return option_set(
	    option_find(settings_options, o->option), r->settings, value, e);
}

/* Where mail is removed by what is announced, that is no mere announcement: a
 * user could keep what must go, and an old file have mail removed. */
static bool
changes_removal(const struct reading *r)
{
	return !r->spool && strcmp(r->settings->enforce_expire, "no") != 0 &&
	    strcmp(r->settings->expire, r->expire) != 0;
}

static bool
makes_sense(const struct reading *r)
{
	uint64_t most = r->spool ? 86400 : r->longest;
	struct popper_error e;

	return r->settings->timeout > 0 && r->settings->timeout <= most &&
	    !changes_removal(r) && retention_check(r->settings, &e) == 0;
}

static void
take_line(struct reading *r, char *line)
{
	struct settings before = *r->settings;
	struct popper_error e;
	char copy[FILE_MAX + 2];

	r->told = false;
	text_print(copy, sizeof(copy), "%s\n", line);
	if (qpopper_parse(r->file, copy, look, r, &e) == -1) {
		if (!r->told)
			complain(r, "", "this is no \"set name = value\"");
		return;
	}
	text_print(copy, sizeof(copy), "%s\n", line);
	if (qpopper_apply(&r->qpopper, copy, r->file, &e) == 0 &&
	    makes_sense(r))
		return;
	*r->settings = before;
	complain(r, "", "the value is not possible here");
}

void
options_take(
    char *text, const char *file, bool spool, struct settings *settings)
{
	struct reading r = { .file = file,
		.spool = spool,
		.longest = settings->timeout,
		.expire = settings->expire,
		.settings = settings };
	struct qpopper_events events = { .context = &r, .set = set };
	char *line;

	qpopper_init(&r.qpopper, &events);
	r.qpopper.auto_delete = settings->auto_delete;
	r.qpopper.aborts_count = settings->update_on_abort;
	while ((line = strsep(&text, "\n")) != NULL) {
		r.line++;
		take_line(&r, line);
	}
}

/* --- Files. --- */

/* Why the file is not to be trusted, or NULL. */
static const char *
distrust(int fd, uid_t owner, uid_t other)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != owner && st.st_uid != other)
		return "belongs to somebody else";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "can be written by others";
	if (st.st_nlink != 1)
		return "has other names";
	return st.st_size > FILE_MAX ? "too large" : NULL;
}

static int
open_file(const char *path, uid_t owner, uid_t other)
{
	int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *why;

	if (fd == -1) {
		if (errno != ENOENT)
			log_notice("%s is not read: %s", path, strerror(errno));
		return -1;
	}
	if ((why = distrust(fd, owner, other)) == NULL)
		return fd;
	log_notice("%s is not read: %s", path, why);
	fd_close(&fd);
	return -1;
}

void
options_open(struct option_files *f, const struct settings *s,
    const struct popper_identity *i, bool root)
{
	f->own = f->spool = -1;
	if (s->user_options && i->home[0] == '/' &&
	    text_print(
		f->own_path, sizeof(f->own_path), "%s/" OWN_NAME, i->home))
		f->own = open_file(f->own_path, i->uid, 0);
	if (s->spool_options && strchr(i->user, '/') == NULL &&
	    text_print(f->spool_path, sizeof(f->spool_path),
		"%s/.%s.qpopper-options", s->spool_options_folder, i->user))
		f->spool = open_file(f->spool_path, 0, root ? 0 : i->uid);
}

static void
read_file(int fd, const char *path, bool spool, struct settings *s)
{
	char text[FILE_MAX + 1];
	size_t len = 0;
	ssize_t n = 1;

	while (len < sizeof(text) && n > 0) {
		n = read(fd, text + len, sizeof(text) - len);
		if (n > 0)
			len += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
	}
	if (n == -1 || len == sizeof(text) || memchr(text, '\0', len) != NULL) {
		log_notice("%s: cannot be read, or is no text", path);
		return;
	}
	text[len] = '\0';
	options_take(text, path, spool, s);
}

void
options_read(struct option_files *f, struct settings *s)
{
	if (f->own != -1)
		read_file(f->own, f->own_path, false, s);
	if (f->spool != -1)
		read_file(f->spool, f->spool_path, true, s);
	fd_close(&f->own);
	fd_close(&f->spool);
}
