/*
 * session.h - one login, from the open maildrop to the last octet.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "priv/messages.h"
#include "priv/service.h"
#include "proto/dialog.h"
#include "session/extensions.h"
#include "session/messages.h"
#include "session/options.h"

/* What the warm parent has ready for all sessions. */
struct equipment {
	const struct service *service;
	struct used_modules drops, exts;
	int state_root;
	bool has_mail_group;
	gid_t mail_group;
	bool enclose; /* Landlock for each session */
};

struct session {
	const struct equipment *equipment;
	const struct settings *settings;
	struct settings own; /* ${settings} of a user with option files */
	const struct opening *opening;
	struct popper_place place;
	struct stream *stream;
	int client; /* the connection */
	int worker; /* that waits for the maildrop to open */
	int gate; /* of the same login, if it stays; or -1 */
	int lock; /* in the state folder */
	uint64_t wait; /* seconds, after POPPER_TOO_SOON */
	bool altered; /* filters had a part in the message just sent */
	size_t expired; /* messages that no DELE has marked */
	bool forgiven; /* that these were not removed is no failure of QUIT */
	size_t retrieved, topped; /* RETR and TOP that were sent whole */
	char host[HOST_MAX]; /* the client's name, once it is known; or "" */
	deadline_t began, opened, ending; /* for the log */
	struct maildrop maildrop;
	struct extensions extensions;
	struct messages messages;
};

/** session_place(settings, opening): for whom modules work; without a state
 * folder.  It points into both. */
struct popper_place session_place(
    const struct settings *, const struct opening *);

#define SESSION_FDS 4

/** session_run(eq, opening, fds): all of it.  ${fds}: those of OPEN
 * (priv/messages.h), -1 for one that did not come; then the channel to the
 * attendants, or -1. */
void session_run(const struct equipment *, const struct opening *,
    const int fds[SESSION_FDS]);

#endif
