/*
 * maildrop.c - the user's maildrop, whichever module knows it.
 *
 * Runs in: a session, as the user.
 */
#include "session/maildrop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <popper/bulk.h>
#include <popper/ext.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "mod/host.h"
#include "base/text.h"
#include "priv/landlock.h"
#include "proto/language.h"

struct enclosure {
	struct popper_allow allow;
	int rules, version;
};

static int
allow_path(struct popper_allow *a, const char *path, unsigned rights)
{
	struct enclosure *c = (struct enclosure *)a;
	int fd = open(path, O_PATH | O_CLOEXEC), result;

	if (fd == -1)
		return 0; /* what is not there needs no right */
	result = landlock_allow(c->rules, c->version, fd, rights);
	fd_close(&fd);
	return result;
}

int
maildrop_configured(const struct used_modules *drops, struct popper_error *e)
{
	for (size_t i = 0; i < drops->count; i++) {
		const struct popper_drop *d = drops->used[i].module->drop;

		if (POPPER_DROP_HAS(d, configured) &&
		    d->configured(&host_services, drops->used[i].conf, e) == -1)
			return -1;
	}
	return 0;
}

/* Does ${identity} want another drop module than ${name}? */
static bool
passes_over(const struct popper_identity *i, const char *name)
{
	return i->drop[0] != '\0' && strcmp(i->drop, name) != 0;
}

static int
allow_modules(struct enclosure *c, const struct used_modules *drops,
    const struct used_modules *exts, const struct popper_place *p,
    struct popper_error *e)
{
	for (size_t i = 0; i < drops->count; i++) {
		const struct used_module *u = &drops->used[i];

		if (u->module->drop->paths != NULL &&
		    !passes_over(p->identity, u->module->name) &&
		    u->module->drop->paths(
			&host_services, u->conf, p, &c->allow, e) == -1)
			return -1;
	}
	for (size_t i = 0; i < exts->count; i++) {
		const struct used_module *u = &exts->used[i];

		if (u->module->ext->paths != NULL &&
		    u->module->ext->paths(
			&host_services, u->conf, p, &c->allow, e) == -1)
			return -1;
	}
	return 0;
}

int
maildrop_enclose(const struct used_modules *drops,
    const struct used_modules *exts, const struct popper_place *p,
    struct popper_error *e)
{
	struct enclosure c = { .allow = { .allow = allow_path } };
	int result = -1;

	error_clear(e);
	if ((c.version = landlock_version()) == 0)
		return 0;
	if ((c.rules = landlock_start(c.version)) == -1)
		return error_system(e, POPPER_TEMPORARY, "Landlock");
	if (landlock_allow(c.rules, c.version, p->state,
		POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE) ==
		0 &&
	    allow_modules(&c, drops, exts, p, e) == 0)
		result = landlock_enter(c.rules);
	if (result == -1 && e->status == POPPER_OK)
		error_system(e, POPPER_TEMPORARY, "Landlock");
	fd_close(&c.rules);
	return result;
}

/* --- A maildrop that is not there. --- */

static size_t
empty_count(const void *self)
{
	(void)self;
	return 0;
}

static void
empty_close(void *self)
{
	(void)self;
}

/* It has no messages, so nothing else is ever called. */
static const struct popper_drop empty_drop = {
	.size = sizeof(empty_drop),
	.count = empty_count,
	.close = empty_close,
};

int
maildrop_open(struct maildrop *m, const struct used_modules *drops,
    const struct popper_place *p, struct popper_error *e)
{
	const struct used_module *u;
	bool asked = false;

	for (size_t i = 0; i < drops->count; i++) {
		u = &drops->used[i];
		if (passes_over(p->identity, u->module->name))
			continue;
		asked = true;
		error_clear(e);
		m->driver = u->module->drop;
		if (m->driver->open(&host_services, u->conf, p, &m->self, e) ==
		    0) {
			m->count = m->driver->count(m->self);
			return 0;
		}
		if (e->status != POPPER_ABSENT)
			return -1;
	}
	if (!asked)
		return error_set(e, POPPER_PERMANENT,
		    "drop module \"%s\" of user %s is not in modules.conf",
		    p->identity->drop, p->identity->user);
	if (p->identity->folder[0] != '\0') {
		error_set(e, POPPER_INVALID, "there is no sub-mailbox \"%s\"",
		    p->identity->folder);
		text_copy(e->reply, sizeof(e->reply), N_("no such mailbox"));
		return -1;
	}
	log_info("user %s has no maildrop yet: %s", p->identity->user, e->text);
	*m = (struct maildrop){ .driver = &empty_drop };
	return 0;
}

void
maildrop_close(struct maildrop *m)
{
	if (m->driver != NULL)
		m->driver->close(m->self);
	m->driver = NULL;
	m->self = NULL;
}
