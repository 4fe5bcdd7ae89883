/*
 * attendant.c - does one errand for a session.
 *
 * Runs in: a process of its own, forked by the spawner; begins as root (or
 * whoever started popper), becomes the user, and only then hears what the
 * session wants.  No sandbox, but limits and a deadline.
 */
#include "session/attendant.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "mod/host.h"
#include "priv/identity.h"
#include "session/errand.h"
#include "session/state.h"

/* Octets in a file that an attendant makes, by itself or by its programs. */
#define FILE_MAX ((rlim_t)2 << 30)
#define DESCRIPTORS_MAX 1024

/* Where an attendant has its two descriptors; 3 is the log. */
enum { CHANNEL = SERVICE_LOG + 1, STATE_ROOT };

/* Keep the log, ${channel} and ${root}; nothing of other sessions. */
static int
arrange(int channel, int root)
{
	if (dup3(channel, CHANNEL, O_CLOEXEC) == -1 ||
	    dup3(root, STATE_ROOT, O_CLOEXEC) == -1)
		return -1;
	return close_range(STATE_ROOT + 1, ~0u, 0);
}

static int
limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(what, &r) == -1)
		return -1;
	if (r.rlim_max > most)
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	return setrlimit(what, &r);
}

/* A group of its own, so that the spawner can end all that is left of it. */
static int
restrain(struct popper_error *e)
{
	if (setpgid(0, 0) == -1 || chdir("/") == -1 ||
	    limit(RLIMIT_CORE, 0) == -1 ||
	    limit(RLIMIT_CPU, ERRAND_TIME) == -1 ||
	    limit(RLIMIT_FSIZE, FILE_MAX) == -1 ||
	    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) == -1 ||
	    signal(SIGTERM, SIG_DFL) == SIG_ERR ||
	    signal(SIGINT, SIG_DFL) == SIG_ERR ||
	    signal(SIGHUP, SIG_DFL) == SIG_ERR)
		return error_system(e, POPPER_TEMPORARY, "attendant");
	alarm(ERRAND_TIME);
	return 0;
}

static int
become_user(const struct equipment *q, const struct opening *o,
    struct popper_place *place, struct popper_error *e)
{
	*place = session_place(q->service->settings, o);
	place->state = state_open(STATE_ROOT, &o->identity, e);
	if (place->state == -1)
		return -1;
	close(STATE_ROOT); /* it would show the names of all users */
	if (identity_become(o->identity.uid, o->identity.gid, NULL, 0, e) == -1)
		return -1;
	identity_no_dump();
	return 0;
}

static const struct used_module *
find(const struct used_modules *exts, const char *name)
{
	for (size_t i = 0; i < exts->count; i++)
		if (strcmp(exts->used[i].module->name, name) == 0 &&
		    extensions_attends(exts->used[i].module->ext))
			return &exts->used[i];
	return NULL;
}

static int
attend(const struct equipment *q, const struct popper_place *place,
    const struct popper_errand *errand, const char *name,
    struct popper_error *e)
{
	const struct used_module *u = find(&q->exts, name);

	if (u == NULL)
		return error_set(e, POPPER_PERMANENT,
		    "no ext module \"%s\" has attendants", name);
	return u->module->ext->attend(
	    &host_services, u->conf, place, errand, e);
}

static int
answer(int channel, const struct popper_error *e)
{
	static struct wire w;

	result_put(&w, e);
	return wire_send(&w, channel, NULL, 0);
}

int
attendant_run(const struct equipment *q, const struct opening *o, int channel,
    uint64_t before)
{
	static struct wire w;
	struct popper_errand errand = {
		.size = sizeof(errand), .fd = -1, .before = before
	};
	struct popper_place place;
	struct popper_error e;
	struct errand x;
	size_t count;

	error_clear(&e);
	if (arrange(channel, q->state_root) == -1) {
		error_system(&e, POPPER_TEMPORARY, "attendant");
		log_failure("errand", &e);
		return 1;
	}
	if (restrain(&e) == -1 || become_user(q, o, &place, &e) == -1) {
		log_failure("errand", &e);
		return 1;
	}
	/* From here on: what a session says that may have been taken over. */
	if (wire_receive(&w, CHANNEL, &errand.fd, 1, &count) != 1 ||
	    !errand_get(&w, &x)) {
		log_error("a session of %s sent nonsense", o->identity.user);
		return 1;
	}
	errand.request = x.request;
	if (attend(q, &place, &errand, x.module, &e) == -1 &&
	    e.status == POPPER_OK)
		error_set(&e, POPPER_PERMANENT, "attend gave no reason");
	return answer(CHANNEL, &e) == -1 ? 1 : 0;
}
