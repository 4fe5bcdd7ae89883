/*
 * settings.c - the table of the server's own options; see popper.conf(5).
 *
 * Runs in: all programs.  Paths of this build come from the compiler.
 */
#include "base/settings.h"

const char settings_implementation[] = "popper-" POPPER_VERSION;

#define TEXT(f, n, d, h) POPPER_OPTION(TEXT, struct settings, f, n, d, h)
#define BOOL(f, n, d, h) POPPER_OPTION(BOOL, struct settings, f, n, d, h)
#define NUMBER(f, n, d, h) POPPER_OPTION(NUMBER, struct settings, f, n, d, h)
#define SECONDS(f, n, d, h) POPPER_OPTION(SECONDS, struct settings, f, n, d, h)

const struct popper_option settings_options[] = {
	TEXT(listen, "listen", "", "addresses and ports, as [::]:110"),
	TEXT(user, "user", "popper", "account of popper-login"),
	TEXT(mail_group, "mail-group", "mail", "group of sessions, for locks"),
	TEXT(modules, "modules", CONF_FOLDER "/modules.conf",
	    "which modules, in which order"),
	TEXT(module_folder, "module-folder", MODULE_FOLDER, "of the modules"),
	TEXT(program_folder, "program-folder", PROGRAM_FOLDER,
	    "of popper-login and its kin"),
	TEXT(state_folder, "state-folder", STATE_FOLDER,
	    "of what we know about each user's maildrop"),
	TEXT(server_name, "server-name", "", "in the greeting; the host's"),
	TEXT(log_facility, "log-facility", "mail", "of syslog"),
	TEXT(trace_file, "trace-file", "", "log to this file instead"),
	TEXT(expire, "expire", "", "EXPIRE to announce: days or never"),
	SECONDS(timeout, "timeout", "600", "without a command"),
	SECONDS(login_timeout, "login-timeout", "600", "until logged in"),
	SECONDS(auth_timeout, "auth-timeout", "60", "one attempt may take"),
	SECONDS(failure_delay, "failure-delay", "3",
	    "a refused login is answered no earlier"),
	NUMBER(max_tries, "max-tries", "3", "refused logins per connection"),
	NUMBER(max_connections, "max-connections", "2000", "in all"),
	NUMBER(max_per_source, "max-connections-per-source", "0",
	    "of one address before login; 0: no limit"),
	NUMBER(min_uid, "min-uid", "11", "lowest uid that may log in"),
	BOOL(downcase_user, "downcase-user", "no", "lower-case user names"),
	BOOL(statistics, "statistics", "no", "a Stats line per session"),
	BOOL(debug, "debug", "no", "log debugging messages"),
	BOOL(reverse_lookup, "reverse-lookup", "yes", "names of clients"),
	BOOL(last, "last", "no", "offer LAST of RFC 1460"),
	BOOL(shy, "shy", "no", "say nothing about name and version"),
	BOOL(sandbox, "sandbox", SANDBOX_TEXT, "chroot, seccomp, Landlock"),
	POPPER_OPTIONS_END
};
