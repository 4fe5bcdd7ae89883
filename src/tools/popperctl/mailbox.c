/*
 * mailbox.c - work on the maildrop of one user.
 *
 * Runs as:  root, or the user himself.  The work is done in a child that has
 * become the user and is shut off from all else, as a session is.
 */
#include "tools/popperctl/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/name.h"
#include "auth/verdict.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/modules.h"
#include "master/journal.h"
#include "master/statements.h"
#include "mod/host.h"
#include "mod/loader.h"
#include "priv/identity.h"
#include "session/maildrop.h"
#include "session/state.h"
#include "tools/popperctl/people.h"

static struct settings settings;
static struct used_modules drops;
static int states = -1;
static bool journaled; /* lines go to the server's log, too */

/* --- The server's configuration. --- */

/* What drivers log on the way; what they found they tell anyhow. */
static void
log_line(enum popper_level level, pid_t pid, const char *text)
{
	if (journaled)
		journal_write(level, pid, text);
	if (level >= POPPER_LOG_WARNING)
		popperctl_say("%s", text);
}

static int
read_conf(const struct popperctl *p, struct popper_error *e)
{
	if (statements_begin(&settings, e) == -1)
		return -1;
	if (statements_file(p->conf, e) == -1 && e->status != POPPER_ABSENT)
		return -1;
	return statements_end(e);
}

/* The state folders' folder: as the server wants it, but root's is good for
 * everybody. */
static int
open_states(struct popper_error *e)
{
	const char *path = settings.state_folder;
	struct stat st;

	states = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (states == -1 || fstat(states, &st) == -1)
		return error_system(
		    e, POPPER_PERMANENT, "%s (state-folder)", path);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "%s (state-folder) belongs to uid %u with mode %04o: it must "
	    "belong to root, or to who calls popperctl, and be written by "
	    "nobody else",
	    path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
}

int
mailbox_start(const struct popperctl *p, struct popper_error *e)
{
	struct modules_source source;

	log_to(log_line);
	if (read_conf(p, e) == -1 || open_states(e) == -1 ||
	    loader_start(settings.module_folder, e) == -1 ||
	    people_start(&settings, e) == -1)
		return -1;
	source = (struct modules_source){ settings.modules, settings.overlay };
	if (modules_read(&source, "drop", loader_load, &drops, e) == -1 ||
	    maildrop_configured(&drops, e) == -1)
		return -1;
	if (drops.count > 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "%s names no drop module: there is no mail", settings.modules);
}

void
mailbox_journal(void)
{
	struct popper_error e;

	error_clear(&e);
	journaled = journal_start(&settings, false, &e) == 0;
	log_to(log_line);
	if (!journaled)
		popperctl_say("%s: the log does not hear of this", e.text);
}

int
mailbox_states(void)
{
	int fd = openat(states, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		popperctl_say("%s (state-folder): %s", settings.state_folder,
		    strerror(errno));
	return fd;
}

/* --- Who it is. --- */

int
mailbox_find_again(const char *user, const char *folder,
    struct popper_identity *i, struct popper_error *e)
{
	if (people_find(user, i, e) == -1)
		return -1;
	(void)text_copy(i->folder, sizeof(i->folder), folder);
	return verdict_check(&settings, i, e);
}

int
mailbox_find(
    const char *given, struct popper_identity *i, struct popper_error *e)
{
	struct name name;

	if (name_make(&settings, given, &name, e) == -1)
		return -1;
	return mailbox_find_again(name.user, name.folder, i, e);
}

const char *
mailbox_shown(const struct popper_identity *i)
{
	static char shown[4 * (POPPER_USER_MAX + POPPER_FOLDER_MAX + 2)];
	char name[POPPER_USER_MAX + POPPER_FOLDER_MAX + 2];
	const char *between = settings.mailbox_separator;

	if (i->folder[0] == '\0')
		(void)text_copy(name, sizeof(name), i->user);
	else
		(void)text_print(name, sizeof(name), "%s%s%s", i->user,
		    between[0] == '\0' ? "+" : between, i->folder);
	text_escape(shown, sizeof(shown), popper_slice_text(name));
	return shown;
}

/* --- In the child. --- */

static bool
has_slot(const struct popper_drop *d, size_t offset)
{
	void (*slot)(void);

	if (offset + sizeof(slot) > d->size)
		return false;
	memcpy(&slot, (const char *)d + offset, sizeof(slot));
	return slot != NULL;
}

int
mailbox_open(const struct mailbox *m, void **self, struct popper_error *e)
{
	return m->drop->open(&host_services, m->conf, m->place, self, e);
}

/* A module that cannot do it: is it the one that has the mail? */
static int
lacks_slot(const struct mailbox *m, const char *name,
    const struct mailbox_work *w, struct popper_error *e)
{
	void *self;

	if (mailbox_open(m, &self, e) == -1)
		return -1;
	m->drop->close(self);
	return error_set(e, POPPER_PERMANENT,
	    "drop module %s, which has the mail of %s, has no %s", name,
	    mailbox_shown(m->place->identity), w->slot);
}

/* Ask the drop modules in order, as maildrop_open does. */
static int
ask(const struct popper_place *place, const struct mailbox_work *w,
    struct popper_error *e)
{
	const char *wanted = place->identity->drop;
	bool asked = false;
	int result;

	for (size_t i = 0; i < drops.count; i++) {
		const struct used_module *u = &drops.used[i];
		const struct mailbox m = { u->module->drop, u->conf, place };

		if (wanted[0] != '\0' && strcmp(wanted, u->module->name) != 0)
			continue;
		asked = true;
		error_clear(e);
		if (has_slot(m.drop, w->offset))
			result = w->run(w->arg, &m, e);
		else if (w->instead != NULL)
			result = w->instead(w->arg, &m, e);
		else
			result = lacks_slot(&m, u->module->name, w, e);
		if (result != -1 || e->status != POPPER_ABSENT)
			return result;
	}
	if (asked)
		return -1;
	return error_set(e, POPPER_PERMANENT,
	    "drop module \"%s\" of user %s is not in modules.conf", wanted,
	    mailbox_shown(place->identity));
}

/* A program that a module starts would inherit the enclosure. */
static bool
may_enclose(void)
{
	for (size_t i = 0; i < drops.count; i++)
		if (drops.used[i].module->needs & POPPER_NEEDS_EXEC)
			return false;
	return settings.sandbox;
}

static int
become(const struct popper_identity *i, struct popper_error *e)
{
	const struct group *g = NULL;
	gid_t mail = 0;

	if (geteuid() == 0 && settings.mail_group[0] != '\0')
		g = getgrnam(settings.mail_group);
	if (g != NULL)
		mail = g->gr_gid;
	return identity_become(i->uid, i->gid, &mail, g != NULL, e);
}

/* The order is a session's: session/session.c. */
static int
enter(struct popper_place *place, const struct mailbox_work *w,
    struct popper_error *e)
{
	static const struct used_modules no_exts;
	const struct popper_identity *i = place->identity;

	place->state =
	    w->makes ? state_open(states, i, e) : state_find(states, i, e);
	if (place->state == -1)
		return -1;
	fd_close(&states); /* it would show the names of all users */
	if (become(i, e) == -1 ||
	    (may_enclose() &&
		maildrop_enclose(&drops, &no_exts, place, e) == -1))
		return -1;
	identity_no_dump();
	return state_lock(place->state, e);
}

static void
journal_refusal(const char *name, const char *text)
{
	char line[LOG_LINE_MAX + 1];

	(void)text_print(line, sizeof(line), "popperctl: %s: %s", name, text);
	if (journaled)
		journal_write(POPPER_LOG_ERROR, getpid(), line);
}

/* Why it could not be done. */
static int
refused(const struct popper_identity *i, const struct mailbox_work *w,
    const struct popper_error *e)
{
	char text[4 * sizeof(e->text)];
	const char *name = mailbox_shown(i);

	text_escape(text, sizeof(text), popper_slice_text(e->text));
	if (w->each &&
	    (e->status == POPPER_IN_USE || e->status == POPPER_ABSENT))
		return POPPERCTL_DONE;
	journal_refusal(name, text);
	if (e->status == POPPER_IN_USE)
		popperctl_say("%s is logged in (%s): wait until that session "
			      "ends",
		    name, text);
	else
		popperctl_say("%s: %s", name, text);
	return POPPERCTL_FAILED;
}

static int
work(const struct popper_identity *i, const struct mailbox_work *w)
{
	struct popper_place place = { .size = sizeof(place),
		.identity = i,
		.client = "",
		.state = -1,
		.server_name = settings.server_name,
		.suffix = "" };
	struct popper_error e;
	int result;

	(void)umask(077);
	people_leave();
	error_clear(&e);
	if (enter(&place, w, &e) == -1)
		return refused(i, w, &e);
	if ((result = ask(&place, w, &e)) == -1)
		return refused(i, w, &e);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		popperctl_say("standard output cannot be written");
		return POPPERCTL_FAILED;
	}
	return result == 0 ? POPPERCTL_DONE : POPPERCTL_FAILED;
}

/* --- In the parent. --- */

int
mailbox_run(const struct popper_identity *i, const struct mailbox_work *w)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		status = work(i, w);
		_exit(status);
	}
	if (pid == -1) {
		popperctl_say("fork: %s", strerror(errno));
		return POPPERCTL_FAILED;
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return POPPERCTL_FAILED;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	popperctl_say("the work on the maildrop of %s was ended by signal %d",
	    mailbox_shown(i), WTERMSIG(status));
	return POPPERCTL_FAILED;
}

int
mailbox_do(
    const struct popperctl *p, const char *user, const struct mailbox_work *w)
{
	static struct popper_identity i;
	char shown[4 * POPPER_USER_MAX];
	struct popper_error e;

	error_clear(&e);
	if (mailbox_start(p, &e) == -1)
		return popperctl_fail(&e);
	if (w->journal)
		mailbox_journal();
	if (mailbox_find(user, &i, &e) == 0)
		return mailbox_run(&i, w);
	text_escape(shown, sizeof(shown), popper_slice_text(user));
	popperctl_say("user \"%s\": %s", shown, e.text);
	return POPPERCTL_FAILED;
}
