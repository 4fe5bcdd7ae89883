/*
 * qpopper_map.c - Qpopper's options, and what each of them is today.
 *
 * Runs in: the master, at start and at SIGHUP, as root; popperctl.  In the
 * order of popper-qpopper(5); names without a section set nothing.
 */
#include "config.h"

#include "conf/qpopper.h"

#include <stddef.h>

#define BULLETINS "ext bulletins"
#define CACHE "the index of a maildrop lies in state-folder"
#define IN_PLACE "mail is read where it lies, whatever the mode"
#define NO_TEMPORARY "mail is not copied, there is no temporary drop"
#define PAM_DECIDES "PAM decides about accounts and passwords that expire"
#define NO_KPOP                                                         \
	"Kerberos is GSSAPI now: write auth sasl { keytab = FILE } in " \
	"modules.conf, and let clients use AUTH GSSAPI"
#define SSLPLUS "was for SSLPlus only: see tls-server-cert-file"

static const struct qpopper_word chunky[] = { { "default", "" },
	{ "always", "" }, { "tls", "" }, { "ssl", "" }, { "never", "" },
	{ NULL, NULL } };

static const struct qpopper_word clear_text[] = { { "default", "default" },
	{ "never", "never" }, { "always", "always" }, { "local", "local" },
	{ "tls", "tls" }, { "ssl", "tls" }, { NULL, NULL } };

static const struct qpopper_word facilities[] = { { "mail", "mail" },
	{ "local0", "local0" }, { "local1", "local1" }, { "local2", "local2" },
	{ "local3", "local3" }, { "local4", "local4" }, { "local5", "local5" },
	{ "local6", "local6" }, { "local7", "local7" }, { NULL, NULL } };

static const struct qpopper_word hashes[] = { { "0", "0" }, { "1", "1" },
	{ "2", "2" }, { NULL, NULL } };

static const struct qpopper_word status_headers[] = { { "yes", "popper" },
	{ "no", "qpopper" }, { NULL, NULL } };

static const struct qpopper_word tls_support[] = { { "default", "default" },
	{ "none", "none" }, { "stls", "stls" },
	{ "alternate-port", "alternate-port" }, { NULL, NULL } };

static const struct qpopper_word tls_version[] = { { "default", "" },
	{ "SSLv2", "" }, { "SSLv3", "" }, { "TLSv1", "" }, { "SSLv23", "" },
	{ "all", "" }, { NULL, NULL } };

#define BOOL QPOPPER_BOOL
#define NUMBER QPOPPER_NUMBER
#define TEXT QPOPPER_TEXT
#define WORD QPOPPER_WORD
/* An option of popper.conf, of a module, or of nothing any more. */
#define SERVER(name, kind, option)                               \
	{                                                        \
		name, kind, "", option, NULL, NULL, false, false \
	}
#define SERVER_WORD(name, option, words)                          \
	{                                                         \
		name, WORD, "", option, NULL, words, false, false \
	}
#define MODULE(name, kind, section, option)                           \
	{                                                             \
		name, kind, section, option, NULL, NULL, false, false \
	}
#define OPENS(name, kind, section, option)                           \
	{                                                            \
		name, kind, section, option, NULL, NULL, true, false \
	}
#define BUILT(name, kind, section, option)                           \
	{                                                            \
		name, kind, section, option, NULL, NULL, false, true \
	}
#define NOTHING(name, kind, note)                                \
	{                                                        \
		name, kind, NULL, NULL, note, NULL, false, false \
	}
#define NO_WORD(name, words, note)                                \
	{                                                         \
		name, WORD, NULL, NULL, note, words, false, false \
	}

const struct qpopper_option qpopper_options[] = {
	SERVER("announce-expire", NUMBER, "expire"),
	SERVER("announce-login-delay", NUMBER, "announce-login-delay"),
	SERVER("auth-file", TEXT, "auth-file"),
	{ "auto-delete", BOOL, "", "auto-delete",
	    "counts only while update-on-abort is false, as in Qpopper", NULL,
	    false, false },
	MODULE("bulldb-max-tries", NUMBER, BULLETINS, "bulldb-max-tries"),
	MODULE("bulldb-nonfatal", BOOL, BULLETINS, "bulldb-nonfatal"),
	OPENS("bulldir", TEXT, BULLETINS, "directory"),
	NOTHING("cache-dir", TEXT, CACHE),
	NOTHING("cache-name", TEXT, CACHE),
	NOTHING("check-hash-dir", BOOL,
	    "no folder is made: who delivers mail makes them"),
	MODULE("check-old-spool-loc", BOOL, "drop mbox", "check-old-spool-loc"),
	NOTHING("check-password-expired", BOOL, PAM_DECIDES),
	NO_WORD("chunky-writes", chunky, "replies are always pooled"),
	SERVER_WORD("clear-text-password", "clear-text-password", clear_text),
	{ "config-file", TEXT, NULL, NULL, NULL, NULL, false, false },
	SERVER("debug", BOOL, "debug"),
	SERVER("downcase-user", BOOL, "downcase-user"),
	NOTHING("drac-host", TEXT,
	    "mail servers have SMTP AUTH today; for DRAC, let a program "
	    "follow the log"),
	NOTHING("fast-update", BOOL, IN_PLACE),
	MODULE("group-bulletins", BOOL, BULLETINS, "group-bulletins"),
	NOTHING("group-no-server-mode", TEXT, IN_PLACE),
	NOTHING("group-server-mode", TEXT, IN_PLACE),
	{ "hash-spool", NUMBER, "drop mbox", "hash-spool", NULL, hashes, false,
	    false },
	MODULE("home-dir-mail", TEXT, "drop mbox", "home-dir-mail"),
	NOTHING("keep-temp-drop", BOOL, NO_TEMPORARY),
	NOTHING("kerberos", BOOL, NO_KPOP),
	NOTHING("kerberos-service", TEXT, NO_KPOP),
	SERVER_WORD("log-facility", "log-facility", facilities),
	SERVER("log-login", TEXT, "log-login"),
	OPENS("mail-command", TEXT, "ext xmit", "sendmail"),
	NOTHING("mail-lock-check", NUMBER,
	    "a lock is refreshed by the clock, not by counting messages"),
	MODULE("max-bulletins", NUMBER, BULLETINS, "max-bulletins"),
	NOTHING("no-atomic-open", BOOL,
	    "NFS makes files exclusively since version 3"),
	SERVER("nonauth-file", TEXT, "nonauth-file"),
	MODULE("old-style-uid", BOOL, "drop mbox", "old-style-uid"),
	SERVER("reverse-lookup", BOOL, "reverse-lookup"),
	NOTHING("server-mode", BOOL, IN_PLACE),
	SERVER("shy", BOOL, "shy"),
	MODULE("spool-dir", TEXT, "drop mbox", "spool-dir"),
	SERVER("spool-dir", TEXT, "spool-options-folder"),
	SERVER("spool-options", BOOL, "spool-options"),
	SERVER("statistics", BOOL, "statistics"),
	MODULE("temp-dir", TEXT, "drop mbox", "temp-dir"),
	MODULE("temp-name", TEXT, "drop mbox", "temp-name"),
	SERVER("timeout", NUMBER, "timeout"),
	SERVER("timing", BOOL, "timing"),
	SERVER("tls-cipher-list", TEXT, "tls-ciphers"),
	NOTHING("tls-identity-file", TEXT, SSLPLUS),
	NOTHING("tls-options", NUMBER,
	    "OpenSSL's bits are another library's business: see tls-minimum"),
	NOTHING("tls-passphrase", TEXT, SSLPLUS),
	SERVER("tls-private-key-file", TEXT, "tls-key"),
	SERVER("tls-server-cert-file", TEXT, "tls-certificate"),
	SERVER_WORD("tls-support", "tls-support", tls_support),
	NO_WORD("tls-version", tls_version,
	    "TLS 1.2 is the oldest that is spoken: see tls-minimum"),
	NOTHING("tls-workarounds", BOOL,
	    "OpenSSL needs none for the clients of today"),
	SERVER("tracefile", TEXT, "trace-file"),
	SERVER("trim-domain", BOOL, "trim-domain"),
	SERVER("update-on-abort", BOOL, "update-on-abort"),
	MODULE("update-status-headers", BOOL, "drop mbox",
	    "update-status-headers"),
	/* If ids are stored nowhere, they must come out as they did. */
	{ "update-status-headers", BOOL, "drop mbox", "unique-id", NULL,
	    status_headers, false, false },
	SERVER("user-options", BOOL, "user-options"),
	MODULE("UW-kludge", BOOL, "drop mbox", "uw-kludge"),
	MODULE("UW-kluge", BOOL, "drop mbox", "uw-kludge"),
	/* Of ./configure only; none may follow that a file can say. */
	{ "apop-file", TEXT, "auth apop", "file", NULL, NULL, true, true },
	BUILT("apop-owner", TEXT, "auth apop", "owner"),
	BUILT("bulldb", TEXT, BULLETINS, "bulldb"),
	{ "check-shell", BOOL, "", "check-shell", NULL, NULL, false, true },
	BUILT("pam-service", TEXT, "auth pam", "service"),
	BUILT("popbulldir", TEXT, BULLETINS, "popbull-directory"),
	{ NULL, BOOL, NULL, NULL, NULL, NULL, false, false },
};

const char *const qpopper_modules[] = { "auth pam", "drop mbox", "ext xlst",
	QPOPPER_MANGLE NULL };

/* clang-format off */
const struct qpopper_always qpopper_always[] = {
	{ "log-style", "qpopper" }, /* its host has programs that read it */
	{ "last", "yes" },
	{ "euidl", "yes" },
	{ "local-time", "yes" },
	QPOPPER_SUFFIX
	{ NULL, NULL }
};
/* clang-format on */
