/*
 * popper/ext.h - drivers that add to what the server can do.
 *
 * Runs in: the session, as the user (see popper/drop.h).  The core knows no
 * extension by name: a driver adds commands, capability lines, filters in
 * front of RETR and TOP, drops that wrap a drop, and hooks around UPDATE.
 * Extensions come into play in the order of modules.conf.
 */
#ifndef POPPER_EXT_H
#define POPPER_EXT_H

#include <popper/drop.h>
#include <popper/module.h>

/*
 * The conversation, as a command sees it.  A command answers exactly once: ok,
 * or open + any number of line + end, or it returns -1 and the server answers
 * "-ERR" from the error.  Functions return 0, or -1 if the client is gone.
 */
struct popper_talk {
	uint32_t size;
	int (*ok)(struct popper_talk *, const char *format, ...)
	    POPPER_PRINTF(2, 3);
	/* "+OK ..." of a multi-line reply. */
	int (*open)(struct popper_talk *, const char *format, ...)
	    POPPER_PRINTF(2, 3);
	/* One line of it without CRLF; dots are stuffed by the server. */
	int (*line)(struct popper_talk *, struct popper_slice);
	/* A sink for octets of it: line ends become CRLF, dots are stuffed. */
	struct popper_sink *(*body)(struct popper_talk *);
	int (*end)(struct popper_talk *); /* the last line, "." */
	/* Read one line of the client's, without its line end, into at most
	 * ${size} octets at ${buf}.  Returns its length, or POPPER_READ_GONE
	 * at the end of the connection or a timeout, or POPPER_READ_LONG for a
	 * line that does not fit and was thrown away whole. */
	long (*read_line)(struct popper_talk *, char *buf, size_t size);
	/* Since 1.2. */
	/* "+OK ..." that asks the client for lines; the answer proper comes
	 * later.  If reading then ends in POPPER_READ_GONE the connection is
	 * closed, whatever the command returns: what the client would still
	 * send is no command. */
	int (*go_ahead)(struct popper_talk *, const char *format, ...)
	    POPPER_PRINTF(2, 3);
	/* Did the line that was read last end in CRLF, not in LF alone? */
	bool (*read_crlf)(struct popper_talk *);
};

#define POPPER_READ_GONE (-1)
#define POPPER_READ_LONG (-2)

/* The maildrop as a command sees it: wrapped, with the session's marks. */
struct popper_view {
	uint32_t size;
	size_t (*count)(struct popper_view *);
	/* Is message ${i}, counted from 0, marked deleted? */
	bool (*deleted)(struct popper_view *, size_t i);
	int (*describe)(struct popper_view *, size_t i, unsigned want,
	    struct popper_message *, struct popper_error *);
	int (*read)(struct popper_view *, size_t i, uint64_t offset,
	    struct popper_sink *, struct popper_error *);
	/* Parse a message number as the client wrote it.  Returns 0 and the
	 * index in ${i}, or -1: no such message, or it is deleted. */
	int (*pick)(struct popper_view *, struct popper_slice, size_t *i,
	    struct popper_error *);
};

struct popper_call {
	uint32_t size;
	size_t count; /* arguments, without the words of the keyword */
	const struct popper_slice *args; /* they die at talk->read_line */
	struct popper_talk *talk;
	struct popper_view *view;
	/* Since 1.2. */
	/**
	 * attend(call, request, fd, error):
	 * Have this module's function attend called outside the sandbox, with
	 * ${request} (at most POPPER_REQUEST_MAX octets) and ${fd} (or -1), and
	 * wait for its end.  Returns 0, or -1 with ${error} as attend has
	 * filled it; POPPER_TEMPORARY if there is no attendant.
	 */
	int (*attend)(const struct popper_call *, struct popper_slice request,
	    int fd, struct popper_error *);
};

#define POPPER_REQUEST_MAX 4096

struct popper_command {
	const char *keyword; /* "XMIT", or two words: "XTND XLST" */
	unsigned least, most; /* arguments */
	int (*run)(
	    void *self, const struct popper_call *, struct popper_error *);
};

/* What a filter is asked to do. */
struct popper_request {
	uint32_t size;
	const char *command; /* "RETR", "TOP" or "LIST" */
	size_t i; /* the message, counted from 0 */
	struct popper_slice argument; /* the extra argument, or empty */
	/* Since 1.2. */
	uint64_t lines; /* of TOP; UINT64_MAX: the whole message */
};

/* What a session asks its attendant to do. */
struct popper_errand {
	uint32_t size;
	struct popper_slice request;
	int fd; /* or -1; the server closes it */
	uint64_t before; /* errands of this session so far */
};

struct popper_ext {
	uint32_t size;
	/* Called per session, after the maildrop was opened, as the user. */
	int (*start)(const struct popper_host *, const void *conf,
	    const struct popper_place *, void **self, struct popper_error *);
	void (*stop)(void *self);
	const struct popper_command *commands; /* NULL keyword ends; or NULL */
	/* Lines for CAPA in both states, NULL ends; or NULL. */
	const char *const *capabilities;
	/* Does this driver understand ${argument} behind RETR n, TOP n k or
	 * LIST?  NULL: it understands none. */
	bool (*accepts)(const void *self, struct popper_slice argument);
	/**
	 * filter(self, request, next, error):
	 * Put a sink in front of ${next}, or return ${next} itself to stay
	 * out, or NULL with ${error} filled.  finish is called after the last
	 * octet: it may put more into ${next}.  It frees the filter.  If the
	 * message could not be read to its end, ${error} is filled already:
	 * then it only frees the filter.
	 */
	struct popper_sink *(*filter)(void *self,
	    const struct popper_request *, struct popper_sink *next,
	    struct popper_error *);
	int (*finish)(struct popper_sink *filter, struct popper_error *);
	/**
	 * paths(host, conf, place, allow, error): as in popper/drop.h.
	 */
	int (*paths)(const struct popper_host *, const void *conf,
	    const struct popper_place *, struct popper_allow *,
	    struct popper_error *);
	/**
	 * wrap(self, inner, inner_self, outer, error):
	 * Return a driver whose instance ${outer} shows ${inner} with more or
	 * fewer messages, or ${inner} with ${outer} = ${inner_self} to stay
	 * out, or NULL with ${error} filled.  Closing ${outer} closes the
	 * inner one.
	 */
	const struct popper_drop *(*wrap)(void *self,
	    const struct popper_drop *inner, void *inner_self, void **outer,
	    struct popper_error *);
	/* Before UPDATE (-1 keeps everything and fails QUIT) and after it. */
	int (*before_update)(
	    void *self, const struct popper_changes *, struct popper_error *);
	void (*after_update)(void *self, enum popper_outcome);

	/* --- Since 1.2. --- */

	/**
	 * attend(host, conf, place, errand, error):
	 * Do for a session what its sandbox forbids: start a program, open a
	 * socket.  Called in a process of its own, as the user, without
	 * sandbox and without no_new_privs; it has a deadline, no client, no
	 * drop and no instance.  The session may have been taken over: trust
	 * ${conf} and ${place}, and nothing of ${errand} but ${before}.
	 * Returns 0 or -1 with ${error} filled, which goes to the session.
	 */
	int (*attend)(const struct popper_host *, const void *conf,
	    const struct popper_place *, const struct popper_errand *,
	    struct popper_error *);
};

#endif
