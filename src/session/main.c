/*
 * main.c - popper-session: a process for each login.
 *
 * Runs as: root (or whoever started popper) in the warm parent, which loads
 * the drop and ext modules once and never sees mail; each session becomes its
 * user before it looks at anything of the user's.
 * Talks to: the master, gates (who it is), and each session to its client.
 */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/print.h"
#include "mod/loader.h"
#include "priv/identity.h"
#include "priv/landlock.h"
#include "priv/sandbox.h"
#include "proto/language.h"
#include "session/spawner.h"
#include "session/state.h"
#include "session/title.h"

static struct equipment equipment;
static struct spawner spawner;

static void
take_opening(struct service *s, int from)
{
	static struct wire w;
	static struct opening o;
	int fds[SESSION_FDS] = { -1, -1, -1, -1 };
	size_t count;
	int r = wire_receive(&w, from, fds, 3, &count);
	pid_t pid;

	if (r == 0)
		s->input_ended = true;
	if (r == 1 && count >= 2 && opening_get(&w, &o)) {
		fds[3] = spawner_admit(&spawner, &o);
		if ((pid = service_fork(s)) == 0) {
			spawner_forget(&spawner);
			session_run(&equipment, &o, fds);
			service_exit(0);
		}
		if (pid > 0)
			s->counters->sessions++;
	} else if (r == 1)
		log_error("a gate sent nonsense");
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	fd_close(&fds[2]);
	fd_close(&fds[3]);
}

static void
session_ended(struct service *s, pid_t pid, int status)
{
	(void)status;
	if (pid != spawner.pid) {
		s->counters->sessions--;
		return;
	}
	/* Another one could only be forked from a parent that is not
	 * restricted yet.  Nobody loses a login by it. */
	s->helpers--;
	log_fatal("the spawner of attendants has ended: starting over");
}

static void
load_modules(struct service *s)
{
	const char *path = s->settings->modules;
	const struct modules_source source = { path, s->settings->overlay };
	struct popper_error e;

	if (modules_read(&source, "drop", loader_load, &equipment.drops, &e) ==
		-1 ||
	    maildrop_configured(&equipment.drops, &e) == -1 ||
	    modules_read(&source, "ext", loader_load, &equipment.exts, &e) ==
		-1)
		log_fatal("%s", e.text);
	if (equipment.drops.count == 0)
		log_fatal(
		    "%s names no drop module: there would be no mail", path);
	if (!extensions_capabilities(&equipment.exts, s->assignment.extensions,
		sizeof(s->assignment.extensions)))
		log_fatal("%s: too many capability lines", path);
}

static void
find_mail_group(const struct settings *t)
{
	const struct group *g;

	if (geteuid() != 0 || t->mail_group[0] == '\0')
		return;
	if ((g = getgrnam(t->mail_group)) == NULL) {
		log_warning("there is no group \"%s\" (mail-group): sessions "
			    "run without it",
		    t->mail_group);
		return;
	}
	equipment.has_mail_group = true;
	equipment.mail_group = g->gr_gid;
}

static unsigned
needs(const struct used_modules *m)
{
	unsigned all = 0;

	for (size_t i = 0; i < m->count; i++)
		all |= m->used[i].module->needs;
	return all;
}

static void
restrict_sessions(const struct settings *t)
{
	struct sandbox box = { .root_changed = false };
	unsigned wanted = needs(&equipment.drops) | needs(&equipment.exts);

	identity_no_dump();
	if (!t->sandbox) {
		log_warning("popper-session: the sandbox is off");
		return;
	}
	box.filtered = sandbox_filter_session(wanted);
	/* A program that a module starts would inherit the enclosure. */
	if ((wanted & POPPER_NEEDS_EXEC) == 0)
		box.landlock = landlock_version();
	equipment.enclose = box.landlock != 0;
	sandbox_tell("popper-session", &box);
}

int
main(int argc, char **argv)
{
	static struct service s;
	static struct readiness ready;
	struct popper_error e;

	title_room(argc, argv);
	s.take = take_opening;
	s.reaped = session_ended;
	service_start(&s, "popper-session");
	equipment.service = &s;
	if (loader_start(s.settings->module_folder, &e) == -1)
		log_fatal("%s", e.text);
	if (s.assignment.list) {
		loader_list("drop", ready.listing, sizeof(ready.listing));
		loader_list("ext", ready.listing, sizeof(ready.listing));
		service_ready(&s, &ready);
	}
	load_modules(&s);
	if (s.assignment.print) {
		print_modules(&equipment.drops, "drop", ready.listing,
		    sizeof(ready.listing));
		print_modules(&equipment.exts, "ext", ready.listing,
		    sizeof(ready.listing));
		service_ready(&s, &ready);
	}
	s.counters->sessions = 0;
	equipment.state_root = state_root(s.settings->state_folder, &e);
	if (equipment.state_root == -1)
		log_fatal("%s", e.text);
	find_mail_group(s.settings);
	language_load(s.settings->language_folder, s.settings->language);
	spawner_start(&spawner, &s, &equipment);
	restrict_sessions(s.settings);
	memcpy(ready.extensions, s.assignment.extensions,
	    sizeof(ready.extensions));
	service_ready(&s, &ready);
	service_run(&s);
	service_exit(0);
}
