/*
 * spawner.h - the process that forks attendants, which do for sessions what
 * their sandbox forbids.
 */
#ifndef SESSION_SPAWNER_H
#define SESSION_SPAWNER_H

#include "session/session.h"

struct spawner {
	int channel; /* to the spawner; -1: no module wants attendants */
	pid_t pid;
};

/**
 * spawner_start(a, service, equipment):
 * If an ext module has attendants fork the spawner; must be called before the
 * parent is restricted, and all modules are loaded.  Ends the process on
 * failure.
 */
void spawner_start(
    struct spawner *, struct service *, const struct equipment *);

/** spawner_admit(a, opening): the session's end of a channel, by which it
 * can ask for attendants of its user; or -1. */
int spawner_admit(const struct spawner *, const struct opening *);

/** spawner_forget(a): in a session: only the parent may admit. */
void spawner_forget(struct spawner *);

#endif
