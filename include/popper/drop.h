/*
 * popper/drop.h - drivers that know where mail lies.
 *
 * Runs in: the session, one process per login, as the user, for good.  Nothing
 * is loaded there: the driver is in memory when the process is forked.  Before
 * open the session is shut off (Landlock) from every path that paths did not
 * name.  A driver need not have anything to do with files.
 *
 * The truth is the mail store; other programs deliver to it, read it and
 * change it at any moment.  A driver promises, in this order: no message is
 * lost, doubled or cut; sizes are exact; unique-ids stay.
 */
#ifndef POPPER_DROP_H
#define POPPER_DROP_H

#include <popper/auth.h>
#include <popper/module.h>

#define POPPER_UID_MAX 70 /* RFC 1939 section 7: 1 to 70 of 0x21 to 0x7e */

/* What describe is asked for. */
#define POPPER_WANT_OCTETS 1u
#define POPPER_WANT_UID 2u
#define POPPER_WANT_FLAGS 4u
#define POPPER_WANT_RECEIVED 8u /* since 1.2 */

#define POPPER_MESSAGE_SEEN 1u

struct popper_message {
	uint64_t octets; /* as LIST must say: line ends are CRLF */
	uint32_t flags; /* POPPER_MESSAGE_ bits */
	char uid[POPPER_UID_MAX + 1];
	/* Since 1.2; touch it only if POPPER_WANT_RECEIVED asks for it.  When
	 * the message was delivered here, Unix time.  Of several dates it is
	 * the latest, since old messages may be removed for good; 0: nobody
	 * can tell, so the message never gets old. */
	int64_t received;
};

/*
 * Takes octets.  put returns 0 to go on, 1 for "enough" (the caller stops and
 * calls it success), -1 for "failed" (the caller stops and fails).
 */
struct popper_sink {
	int (*put)(struct popper_sink *, struct popper_slice);
};

/*
 * Since 1.3: takes what list says of one message after the other.  ${octets} or
 * ${uid} is what was asked for; ${uid} dies when put returns.  put returns 0 to
 * go on, or 1 for "enough".
 */
struct popper_lister {
	int (*put)(struct popper_lister *, size_t i, uint64_t octets,
	    struct popper_slice uid);
};

/* Where and for whom a maildrop is opened. */
struct popper_place {
	uint32_t size;
	const struct popper_identity *identity;
	const char *client; /* IP address as text, for the log */
	/* The user's state folder, mode 0700, open for reading: use openat.
	 * Losing it loses no mail and changes no unique-id, except ids that
	 * came from another server and are no longer to be had there. */
	int state;
	/* Since 1.2. */
	const char *server_name; /* our host name: user@server_name */
	/* What was cut off the end of the name that the client gave, as
	 * "no-mime"; or "". */
	const char *suffix;
};

/* What a path is opened for. */
#define POPPER_ALLOW_READ 1u /* read files, list folders */
#define POPPER_ALLOW_WRITE 2u /* write and truncate files */
/* Make, rename and remove files and folders in a folder. */
#define POPPER_ALLOW_MAKE 4u

/* Answers of paths; returns 0, or -1 to give up. */
struct popper_allow {
	int (*allow)(struct popper_allow *, const char *path, unsigned rights);
};

enum popper_outcome {
	POPPER_DONE, /* all of it is on stable storage */
	POPPER_NOT_DONE, /* nothing was removed */
	POPPER_UNKNOWN /* some of it may be; nothing unmarked is gone */
};

/* Marks, one octet per message, in the snapshot's order. */
#define POPPER_MARK_DELETED 1u
#define POPPER_MARK_SEEN 2u

struct popper_changes {
	uint32_t size;
	size_t count;
	const unsigned char *marks;
};

struct popper_drop {
	uint32_t size;
	/**
	 * paths(host, conf, place, allow, error):
	 * Name every path that open and the rest will touch; all others are
	 * shut off before open.  The state folder need not be named.  A path
	 * that does not exist is no error.  NULL: the driver needs no paths.
	 */
	int (*paths)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_allow *,
	    struct popper_error *);
	/**
	 * open(host, conf, place, self, error):
	 * Take whatever lock keeps a second session out, look at the maildrop
	 * once and fix number, order and size of its messages for the whole
	 * session.  POPPER_ABSENT: no maildrop of this kind is there, the next
	 * driver is asked.  POPPER_IN_USE: somebody else has it.  A message
	 * that cannot be read is left out and logged; it hurts no other.
	 * Returns 0 and stores the maildrop in ${self}, or -1 with nothing
	 * left open or locked.
	 */
	int (*open)(const struct popper_host *, const void *conf,
	    const struct popper_place *, void **self, struct popper_error *);
	/* Number of messages of the snapshot. */
	size_t (*count)(const void *self);
	/**
	 * describe(self, i, want, message, error):
	 * Fill what ${want} names of message ${i}, counted from 0; the rest of
	 * ${message} is left alone.  Returns 0 or -1.
	 */
	int (*describe)(void *self, size_t i, unsigned want,
	    struct popper_message *, struct popper_error *);
	/**
	 * read(self, i, offset, sink, error):
	 * Pour message ${i} as it is stored, from octet ${offset} on, into
	 * ${sink}.  Line ends may be LF or CRLF.  A driver that cannot read to
	 * the end returns -1; it never stops early and returns 0.  Returns 0
	 * also when the sink said "enough".  If nothing was put before -1 the
	 * client gets a clean -ERR, later the connection is dropped.
	 */
	int (*read)(void *self, size_t i, uint64_t offset, struct popper_sink *,
	    struct popper_error *);
	/**
	 * commit(self, changes, error):
	 * Remove the marked messages, all or nothing, and no others, whatever
	 * arrived or vanished meanwhile; a marked message that somebody else
	 * removed counts as removed.  POPPER_DONE only once it is on stable
	 * storage.  Called at most once; then comes close.
	 */
	enum popper_outcome (*commit)(
	    void *self, const struct popper_changes *, struct popper_error *);
	/* Let go of locks and memory; removes nothing.  Takes NULL. */
	void (*close)(void *self);

	/* --- The rest may be NULL. --- */

	/* Called at least once a minute: -1 if the lock is lost. */
	int (*lease)(void *self, struct popper_error *);
	/* Add the message on descriptor ${fd} (LF line ends, to its end). */
	int (*deliver)(const struct popper_host *, const void *conf,
	    const struct popper_place *, int fd, struct popper_error *);
	/* Bring back what was removed since ${since} (seconds, Unix time);
	 * store in ${count} how many. */
	int (*undelete)(const struct popper_host *, const void *conf,
	    const struct popper_place *, uint64_t since, uint64_t *count,
	    struct popper_error *);
	/* Look at everything, change nothing, write findings as lines; what a
	 * crash left half done, and open would finish, is one of them. */
	int (*check)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_sink *,
	    struct popper_error *);
	/* Unique-ids as lines "uid SP octets SP key", ended by LF, in the order
	 * of the messages, and back.  ${key} tells the driver the message.  All
	 * lines are taken or none; POPPER_INVALID names the wrong line. */
	int (*export_uids)(
	    void *self, struct popper_sink *, struct popper_error *);
	int (*import_uids)(
	    void *self, struct popper_slice, struct popper_error *);

	/* --- Since 1.3.  For popperctl, which holds the session lock and runs
	 * as the user.  Each may be NULL.  POPPER_ABSENT as in open. --- */

	/* Finish or undo what a crash left half done, as open does; write what
	 * was found as lines, "nothing to do" among them. */
	int (*recover)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_sink *,
	    struct popper_error *);
	/* Write the driver's index of the maildrop as text. */
	int (*dump)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_sink *,
	    struct popper_error *);
	/* Make the index anew from the mail; the unique-ids stay. */
	int (*rebuild)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_sink *,
	    struct popper_error *);

	/* --- Since 1.3.  For STAT, LIST and UIDL of very many messages.
	 * Without them describe is asked for one after the other. --- */

	/* The octets of all messages of the snapshot together. */
	int (*total)(void *self, uint64_t *octets, struct popper_error *);
	/* Put what describe would say of each message, in order: ${want} is
	 * POPPER_WANT_OCTETS or POPPER_WANT_UID.  Returns 0 also when the
	 * lister said "enough"; -1 may come after some were put. */
	int (*list)(void *self, unsigned want, struct popper_lister *,
	    struct popper_error *);
	/* Would total answer now, without reading mail first?  If not, sizes
	 * are told only to clients that ask for them.  NULL: yes. */
	bool (*is_measured)(const void *self);

	/* --- Since 1.3; may be NULL. --- */

	/* As read from octet 0 on, for somebody who wants the header, the empty
	 * line and ${lines} lines of the body: read no more from the disk than
	 * that if you know how much it is.  What you know may be wrong: go on
	 * as long as the sink does not say "enough".  NULL: read is called. */
	int (*top)(void *self, size_t i, uint64_t lines, struct popper_sink *,
	    struct popper_error *);

	/* Are the options good, those that the server only knows as text, and
	 * all together?  Asked once, when modules.conf has been read: -1, with
	 * an error that names the option, and the server does not start. */
	int (*configured)(const struct popper_host *, const void *conf,
	    struct popper_error *);

	/* Called in place of commit by a QUIT with which nothing is marked;
	 * then comes close.  What earlier commits have put off may be done now,
	 * as giving space back; the client waits for it.  A failure is only
	 * logged, nothing was promised.  0 or -1. */
	int (*tidy)(void *self, struct popper_error *);
};

#endif
