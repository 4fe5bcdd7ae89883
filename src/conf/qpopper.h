/*
 * qpopper.h - what Qpopper's options mean here.
 *
 * One table (qpopper_map.c) tells for each of them which option of popper.conf
 * or of a module it sets, or why it sets none.  Statements come from a file,
 * the command line or the build; who wants to know gets what each of them
 * means, in their order.
 */
#ifndef CONF_QPOPPER_H
#define CONF_QPOPPER_H

#include "conf/qpopper_file.h"

#define QPOPPER_FILES 100 /* of one chain of config-file, as there */

enum qpopper_kind {
	QPOPPER_BOOL,
	QPOPPER_NUMBER, /* 10, 0x0a, 012 */
	QPOPPER_TEXT,
	QPOPPER_WORD /* one of ${words} */
};

/* A value as Qpopper writes it, and as popper does. */
struct qpopper_word {
	const char *theirs, *ours;
};

/* An option that means several things has several rows, one after another. */
struct qpopper_option {
	const char *name;
	enum qpopper_kind kind;
	/* "auth pam", "drop mbox" ...; "" for popper.conf; NULL: nowhere. */
	const char *section;
	const char *option;
	const char *note; /* what the administrator should know, or NULL */
	/* Ended by NULL.  Of a QPOPPER_BOOL: what yes and no are here; of a
	 * QPOPPER_NUMBER: all that are good. */
	const struct qpopper_word *words;
	bool opens; /* the module is used only if this option is set */
	bool built; /* of ./configure only: no file can say it */
};

/* What statements mean.  Texts die at return.  The functions return 0, or -1
 * with the error filled. */
struct qpopper_events {
	void *context;
	/* A statement, before what it means; may be NULL. */
	void (*statement)(void *, const struct qpopper_statement *);
	/* ${value} is as popper.conf or modules.conf has it. */
	int (*set)(void *, const struct qpopper_statement *,
	    const struct qpopper_option *, const char *value,
	    struct popper_error *);
	/* Something to know; ${does_nothing}: why the statement does nothing.
	 * May be NULL. */
	void (*note)(void *, const struct qpopper_statement *,
	    bool does_nothing, const char *text);
};

struct qpopper {
	const struct qpopper_events *events;
	unsigned files; /* of the chain */
	bool importing; /* nothing is to be started: kerberos is no error */
	bool building; /* the statements are those of ./configure */
	bool auto_delete, aborts_count; /* as was said */
};

extern const struct qpopper_option qpopper_options[]; /* ended by NULL */

/* The modules that serve what Qpopper did, ended by NULL. */
extern const char *const qpopper_modules[];

/* What Qpopper always did and is an option of popper.conf, ended by NULL. */
struct qpopper_always {
	const char *option, *value;
};

extern const struct qpopper_always qpopper_always[];

#ifdef WITH_MANGLE
#define QPOPPER_MANGLE "ext mangle",
#define QPOPPER_SUFFIX { "name-suffix", "-no-mime" },
#else
#define QPOPPER_MANGLE
#define QPOPPER_SUFFIX
#endif

/** qpopper_init(q, events): nothing has been said. */
void qpopper_init(struct qpopper *, const struct qpopper_events *);

/** qpopper_apply(q, text, file, error): all statements of ${text}, which is
 * changed.  -1: the error names file, line, the wrong word and the right. */
int qpopper_apply(
    struct qpopper *, char *text, const char *file, struct popper_error *);

/** qpopper_read(q, path, error): the same for a file. */
int qpopper_read(struct qpopper *, const char *path, struct popper_error *);

/**
 * qpopper_say(q, origin, name, value, error):
 * One statement that stands in no file: "set name = value", or without
 * ${value} "set name".  ${origin} stands in messages: "-b".
 */
int qpopper_say(struct qpopper *, const char *origin, const char *name,
    const char *value, struct popper_error *);

/* "set ..." lines of the switches that ./configure was given, or "". */
extern const char qpopper_built[];

#endif
