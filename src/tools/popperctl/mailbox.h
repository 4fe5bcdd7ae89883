/*
 * mailbox.h - work on the maildrop of one user, found as the server finds it
 * and done as that user.
 */
#ifndef POPPERCTL_MAILBOX_H
#define POPPERCTL_MAILBOX_H

#include <dirent.h>

#include <popper/drop.h>

#include "tools/popperctl/popperctl.h"

/* The maildrop, for the function that works on it. */
struct mailbox {
	const struct popper_drop *drop;
	const void *conf;
	const struct popper_place *place;
};

/* What is to be done. */
struct mailbox_work {
	/* What a drop module that cannot do it lacks: "index". */
	const char *slot;
	size_t offset; /* of the slot in struct popper_drop */
	/* A user who never logged in gets a state folder; without this there
	 * is nothing to do. */
	bool makes;
	bool journal; /* call mailbox_journal */
	/* For all users in turn: not a word about who is logged in, or has no
	 * maildrop. */
	bool each;
	uint64_t wait; /* seconds to wait for the session lock, or 0 */
	uint64_t limit; /* seconds the work may last, or 0: any time */
	/*
	 * In a child that is the user, with the session lock.  0, 1 for
	 * "something is wrong" (told already), or -1 with the error filled;
	 * POPPER_ABSENT: the driver has no maildrop of this user.
	 */
	int (*run)(void *arg, const struct mailbox *, struct popper_error *);
	/* The same for a driver without the slot; NULL: it cannot be done. */
	int (*instead)(
	    void *arg, const struct mailbox *, struct popper_error *);
	void *arg;
};

#define MAILBOX_SLOT(field) offsetof(struct popper_drop, field)

/* The option --wait; ${value} is for mailbox_wait. */
#define MAILBOX_WAIT(value)                         \
	{                                           \
		"--wait", ARGUMENT_MAY, NULL, value \
	}

/* The exit status of mailbox_run when work->limit had passed; told. */
#define MAILBOX_LATE 3

/** mailbox_wait(work, text): set how long to wait to ${text}, to the usual time
 * if it is "", or not at all: NULL.  False, told: it is no time. */
bool mailbox_wait(struct mailbox_work *, const char *text);

/**
 * mailbox_start(p, error):
 * Read the server's configuration, load the modules.  Accounts are looked up
 * by a child from then on: what the auth modules know stays there.  To be
 * called once; 0, or -1 with ${error}.
 */
int mailbox_start(const struct popperctl *, struct popper_error *);

/**
 * mailbox_find(given, identity, error):
 * Who is meant by the name ${given}, which may name a sub-mailbox?  0, or -1:
 * POPPER_ABSENT if nobody, POPPER_DENIED if nobody who can have a session.
 */
int mailbox_find(
    const char *given, struct popper_identity *, struct popper_error *);

/** mailbox_find_again(user, folder, identity, error): the same for a name that
 * was made canonical once. */
int mailbox_find_again(const char *user, const char *folder,
    struct popper_identity *, struct popper_error *);

/** mailbox_shown(identity): the name as one would give it, fit for a terminal.
 * Good until the next call. */
const char *mailbox_shown(const struct popper_identity *);

/** mailbox_journal(): from now on what is logged goes to the server's log, too,
 * if it can be opened; else that is told.  Before mailbox_run. */
void mailbox_journal(void);

/** mailbox_states(names): the names of all state folders, in order, as
 * scandir(3) gives them.  How many, or -1 with errno. */
int mailbox_states(struct dirent ***names);

/** mailbox_run(identity, work): do it, within its limit.  An exit status, or
 * MAILBOX_LATE; what was wrong was told. */
int mailbox_run(const struct popper_identity *, const struct mailbox_work *);

/** mailbox_do(p, user, work): all of it for one user.  An exit status. */
int mailbox_do(
    const struct popperctl *, const char *user, const struct mailbox_work *);

/** mailbox_open(m, self, error): the driver's open. */
int mailbox_open(const struct mailbox *, void **self, struct popper_error *);

#endif
