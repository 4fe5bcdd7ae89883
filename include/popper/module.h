/*
 * popper/module.h - what every module is: the descriptor, options, services.
 *
 * A module is one shared object with one exported symbol, made by
 * POPPER_MODULE().  The loader checks the file's owner and mode, then magic,
 * version and size, and only then calls anything in it.  A module includes
 * nothing of the server but this folder and imports none of its symbols: what
 * it needs comes in struct popper_host.  Modules are never unloaded.
 *
 * Interface version 1.  Within a major version the descriptor does not change.
 * A new minor version may add fields at the end of a struct that begins with a
 * ${size}; read such a field only if ${size} covers it.
 */
#ifndef POPPER_MODULE_H
#define POPPER_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <popper/error.h>
#include <popper/slice.h>

#define POPPER_MODULE_MAGIC 0x504f5033u
#define POPPER_ABI_MAJOR 1
#define POPPER_ABI_MINOR 3

#define POPPER_EXPORT __attribute__((visibility("default")))
#define POPPER_PRINTF(at, first) __attribute__((format(printf, at, first)))

struct popper_auth;
struct popper_drop;
struct popper_ext;
struct popper_identity;

/* --- Options: the module states them, the server fills a struct. --- */

enum popper_option_kind {
	POPPER_OPTION_TEXT, /* const char *, owned by the server, never NULL */
	POPPER_OPTION_BOOL, /* bool: yes no true false on off 1 0 */
	POPPER_OPTION_NUMBER, /* uint64_t */
	POPPER_OPTION_OCTETS, /* uint64_t: 10, 10k, 10M, 10G (powers of 1024) */
	POPPER_OPTION_SECONDS, /* uint64_t: 10, 10s, 10m, 10h, 10d */
	/* Since 1.3.  const char *: one of the words of the fallback, which are
	 * parted by one blank each; the first is the default. */
	POPPER_OPTION_WORD
};

struct popper_option {
	const char *name; /* as in modules.conf; NULL ends the table */
	enum popper_option_kind kind;
	size_t offset; /* into the module's configuration struct */
	const char *fallback; /* the default, as one would write it */
	const char *help; /* one line for popper --modules */
};

#define POPPER_OPTION(kind, type, field, name, fallback, help)               \
	{                                                                    \
		name, POPPER_OPTION_##kind, offsetof(type, field), fallback, \
		    help                                                     \
	}
#define POPPER_OPTIONS_END                              \
	{                                               \
		NULL, POPPER_OPTION_TEXT, 0, NULL, NULL \
	}

/* --- Services of the server. --- */

enum popper_level {
	POPPER_LOG_DEBUG, /* only with -d */
	POPPER_LOG_INFO, /* normal work */
	POPPER_LOG_NOTICE, /* worth a look: failed logins, Stats */
	POPPER_LOG_WARNING, /* trouble, we carry on */
	POPPER_LOG_ERROR /* trouble, something was not done */
};

struct popper_host {
	uint32_t size; /* of this struct, as the server knows it */
	/* Write a line to the log.  Octets that are not printable ASCII are
	 * escaped by the server. */
	void (*log)(enum popper_level, const char *format, ...)
	    POPPER_PRINTF(2, 3);
	/* Fill the error with status and log text; errno is not looked at.
	 * Always returns -1. */
	int (*fail)(struct popper_error *, enum popper_status,
	    const char *format, ...) POPPER_PRINTF(3, 4);
	/* The same, and store errno and append ": " and its text. */
	int (*fail_system)(struct popper_error *, enum popper_status,
	    const char *format, ...) POPPER_PRINTF(3, 4);
	/* Overwrite memory in a way no compiler removes. */
	void (*wipe)(void *, size_t);
	/* Expand a path of modules.conf into ${size} octets at ${out}: "~/" at
	 * the start is the home, %u the user, %n its part before "@", %d the
	 * part after, %1 and %2 the first and second character of the user,
	 * %h the home, %f the sub-mailbox or INBOX, %H (since 1.2) a letter
	 * that Qpopper's hash-spool 1 makes of the user, %% a percent sign.  A
	 * user name that could leave its folder ("/", a leading ".", a control
	 * character) is refused.
	 * Returns 0, or -1 with the error filled. */
	int (*expand)(char *out, size_t size, const char *path,
	    const struct popper_identity *, struct popper_error *);

	/* --- Since 1.1; for auth modules, NULL elsewhere. --- */

	/* The name that the server makes of a name that a client gave: checked,
	 * prepared (RFC 4013), in lower case or without its domain if the
	 * administrator wants so.  APOP's and USER's names have been through
	 * it; a SASL mechanism's have not. */
	int (*canonical)(
	    char *out, size_t size, const char *name, struct popper_error *);
	/* Who the canonical name ${user} is: the lookup of the first module
	 * that knows it.  POPPER_ABSENT if none does; POPPER_DENIED if it was
	 * another module's user of that name whose secret was told. */
	int (*lookup)(
	    const char *user, struct popper_identity *, struct popper_error *);
	/* A stored secret of ${user}: the secret function of the first module
	 * that has one of this kind.  Wipe it after use. */
	int (*secret)(const char *user, const char *kind, char *out,
	    size_t size, struct popper_error *);
	/* IP address of the client that logs in, as text, for an account's
	 * checks without an attempt; or "". */
	const char *(*client)(void);
};

/* --- The descriptor. --- */

/* What a module needs from the session's sandbox. */
#define POPPER_NEEDS_NOTHING 0u
#define POPPER_NEEDS_EXEC 1u /* starts programs */
#define POPPER_NEEDS_NETWORK 2u /* opens sockets */

struct popper_module {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size; /* of this struct, as the module knew it */
	uint32_t needs; /* POPPER_NEEDS_ bits */
	const char *name; /* equals the file name without its suffix */
	const char *version;
	const char *summary; /* one line for popper --modules */
	size_t conf_size; /* of the module's configuration struct */
	const struct popper_option *options; /* or NULL */
	const struct popper_auth *auth; /* any of the three may be NULL */
	const struct popper_drop *drop;
	const struct popper_ext *ext;
};

/*
 * POPPER_MODULE(id, .version = ..., .auth = &...): define the descriptor.
 * ${id} is the module's name with "_" for every character that is no letter
 * or digit (libltdl's rule for the prefix of a preloaded symbol).
 */
#define POPPER_MODULE(id, ...)                                              \
	extern POPPER_EXPORT const struct popper_module                     \
	    id##_LTX_popper_module;                                         \
	POPPER_EXPORT const struct popper_module id##_LTX_popper_module = { \
		.magic = POPPER_MODULE_MAGIC,                               \
		.abi_major = POPPER_ABI_MAJOR,                              \
		.abi_minor = POPPER_ABI_MINOR,                              \
		.size = sizeof(struct popper_module),                       \
		.name = #id,                                                \
		__VA_ARGS__                                                 \
	}

#endif
