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

#include "base/fd.h"
#include "mod/host.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"
#include "tools/popperctl/uidl_compare.h"

static int uidl_export(const struct popperctl *, char **args, int count);
static int uidl_import(const struct popperctl *, char **args, int count);
static int uidl_verify(const struct popperctl *, char **args, int count);

static const struct subcommand subcommands[] = {
	{ "export", "USER",
	    "write the unique-id of each message, its size, "
	    "and what tells it from others",
	    1, 1, uidl_export },
	{ "import", "USER FILE",
	    "give messages the unique-ids in FILE (\"-\" "
	    "is standard input), all or none",
	    2, 2, uidl_import },
	{ "verify", "USER FILE", "are they still as in FILE?", 2, 2,
	    uidl_verify },
	{ NULL, NULL, NULL, 0, 0, NULL },
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

static int
import_uids(void *arg, const struct mailbox *m, struct popper_error *e)
{
	const struct keeper *file = arg;
	void *self;
	int result;

	if (mailbox_open(m, &self, e) == -1)
		return -1;
	result =
	    m->drop->import_uids(self, popper_slice(file->text, file->len), e);
	m->drop->close(self);
	return result;
}

static int
verify_uids(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct keeper *file = arg;
	struct keeper now;
	int result;

	keeper_start(&now);
	result = now.sink.put(&now.sink, popper_slice("", 0)); /* a text */
	if (result == 0)
		result = pour(m, &now.sink, e);
	if (result == 0)
		result = uidl_compare(file, &now);
	keeper_end(&now);
	return result;
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

static int
uidl_export(const struct popperctl *p, char **args, int count)
{
	const struct mailbox_work w = { .slot = "export of unique-ids",
		.offset = MAILBOX_SLOT(export_uids),
		.makes = true,
		.run = export_uids };

	(void)count;
	return mailbox_do(p, args[0], &w);
}

static int
with_file(const struct popperctl *p, char **args, struct mailbox_work *w)
{
	struct keeper file;
	int status = POPPERCTL_FAILED;

	w->makes = true;
	w->arg = &file;
	if (load(args[1], &file) == 0)
		status = mailbox_do(p, args[0], w);
	keeper_end(&file);
	return status;
}

static int
uidl_import(const struct popperctl *p, char **args, int count)
{
	struct mailbox_work w = { .slot = "import of unique-ids",
		.offset = MAILBOX_SLOT(import_uids),
		.run = import_uids };

	(void)count;
	return with_file(p, args, &w);
}

static int
uidl_verify(const struct popperctl *p, char **args, int count)
{
	struct mailbox_work w = { .slot = "export of unique-ids",
		.offset = MAILBOX_SLOT(export_uids),
		.run = verify_uids };

	(void)count;
	return with_file(p, args, &w);
}
