/*
 * uidl.c - "popperctl uidl": unique-ids out of a maildrop, and into it.
 *
 * Runs as:  root, or the user; the work itself as the user.  FILE is read
 * before that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <popper/bulk.h>

#include "base/fd.h"
#include "mod/host.h"
#include "tools/popperctl/arguments.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"
#include "tools/popperctl/uidl_compare.h"

static int uidl_export(const struct popperctl *, char **args);
static int uidl_import(const struct popperctl *, char **args);
static int uidl_verify(const struct popperctl *, char **args);

static const struct subcommand subcommands[] = {
	{ "export", "USER [--wait[=TIME]]",
	    "write the unique-id of each message, its size, "
	    "and what tells it from others",
	    uidl_export },
	{ "import", "USER FILE [--wait[=TIME]]",
	    "give messages the unique-ids in FILE (\"-\" "
	    "is standard input), all or none",
	    uidl_import },
	{ "verify", "USER FILE [--wait[=TIME]]", "are they still as in FILE?",
	    uidl_verify },
	{ NULL, NULL, NULL, NULL },
};

const struct family uidl_family = { "uidl",
	"unique-ids: what tells a client which mail it has got already",
	subcommands };

/* --- The work, as the user. --- */

static int
pour(const struct mailbox *m, struct popper_sink *sink, struct popper_error *e)
{
	void *self;
	int result;

	if (mailbox_open(m, &self, e) == -1)
		return -1;
	result = m->drop->export_uids(self, sink, e);
	m->drop->close(self);
	return result;
}

static int
export_uids(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;

	(void)arg;
	output_data(&o, stdout);
	return pour(m, &o.sink, e);
}

/* The lines of ${file}, beside what is there now. */
static int
compare(const struct mailbox *m, struct keeper *file, bool tells,
    struct uidl_counts *counts, struct popper_error *e)
{
	struct keeper now;
	int result;

	keeper_start(&now);
	result = now.sink.put(&now.sink, popper_slice("", 0)); /* a text */
	if (result == 0)
		result = pour(m, &now.sink, e);
	if (result == 0)
		result = uidl_compare(file, &now, tells, counts);
	keeper_end(&now);
	return result;
}

static int
verify_uids(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct uidl_counts n;
	int result = compare(m, arg, true, &n, e);

	if (result != 0)
		return result;
	(void)printf("%zu as in the file, %zu different, %zu new, %zu no "
		     "longer there\n",
	    n.same, n.differ, n.new, n.gone);
	return n.differ > 0;
}

/* What became of the lines, as the maildrop says now. */
static int
tell_import(
    const struct mailbox *m, struct keeper *file, struct popper_error *e)
{
	const char *name = mailbox_shown(m->place->identity);
	struct uidl_counts n;
	int result = compare(m, file, false, &n, e);

	if (result != 0)
		return result;
	(void)printf("%zu unique-id%s of %s imported", n.same,
	    n.same == 1 ? "" : "s", name);
	if (n.gone > 0)
		(void)printf("; %zu kept for mail that is not here", n.gone);
	if (n.new > 0)
		(void)printf("; %zu message%s not in the file", n.new,
		    n.new == 1 ? " is" : "s are");
	(void)putchar('\n');
	if (n.differ > 0)
		popperctl_say("%s: %zu have another unique-id or size than the "
			      "file says; popperctl uidl verify tells which",
		    name, n.differ);
	return n.differ > 0;
}

static int
import_uids(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct keeper *file = arg;
	void *self;
	int result;

	if (mailbox_open(m, &self, e) == -1)
		return -1;
	result =
	    m->drop->import_uids(self, popper_slice(file->text, file->len), e);
	m->drop->close(self);
	if (result == -1 || !POPPER_DROP_HAS(m->drop, export_uids))
		return result;
	return tell_import(m, file, e);
}

/* --- As who calls. --- */

static int
load(const char *name, struct keeper *k)
{
	int fd = STDIN_FILENO;
	char buffer[65536];
	ssize_t n = -1;

	if (strcmp(name, "-") != 0)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	keeper_start(k);
	while (fd != -1 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		if (k->sink.put(&k->sink, popper_slice(buffer, (size_t)n)) ==
		    -1) {
			errno = EFBIG;
			n = -1;
			break;
		}
	if (n == 0)
		n = k->sink.put(&k->sink, popper_slice("", 0));
	if (n == -1)
		popperctl_say("%s: %s", name, strerror(errno));
	if (fd != STDIN_FILENO)
		fd_close(&fd);
	return n == 0 ? 0 : -1;
}

/* A user and, if ${file} is not NULL, a file. */
static int
do_for(const struct popperctl *p, const char *name, char **args,
    struct mailbox_work *w, struct keeper *file)
{
	const char *user = NULL, *path = NULL, *wait = NULL;
	const struct argument_option options[] = { MAILBOX_WAIT(&wait),
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = {
		{ "a user", false, &user },
		{ file == NULL ? NULL : "a file, or \"-\"", false, &path },
		{ NULL, false, NULL },
	};

	if (!arguments_parse(&uidl_family, name, args, options, words) ||
	    !mailbox_wait(w, wait))
		return POPPERCTL_USAGE;
	w->makes = true;
	w->arg = file;
	if (file != NULL && load(path, file) == -1)
		return POPPERCTL_FAILED;
	return mailbox_do(p, user, w);
}

static int
uidl_export(const struct popperctl *p, char **args)
{
	struct mailbox_work w = { .slot = "export of unique-ids",
		.offset = MAILBOX_SLOT(export_uids),
		.run = export_uids };

	return do_for(p, "export", args, &w, NULL);
}

static int
uidl_import(const struct popperctl *p, char **args)
{
	struct mailbox_work w = { .slot = "import of unique-ids",
		.offset = MAILBOX_SLOT(import_uids),
		.run = import_uids };
	struct keeper file = { .text = NULL };
	int status = do_for(p, "import", args, &w, &file);

	keeper_end(&file);
	return status;
}

static int
uidl_verify(const struct popperctl *p, char **args)
{
	struct mailbox_work w = { .slot = "export of unique-ids",
		.offset = MAILBOX_SLOT(export_uids),
		.run = verify_uids };
	struct keeper file = { .text = NULL };
	int status = do_for(p, "verify", args, &w, &file);

	keeper_end(&file);
	return status;
}
