/*
 * settings.h - what popper.conf and the command line say, as one struct.
 *
 * The master fills it (src/conf/server.c) and sends it to the three services,
 * so that all of them act on one reading of the file.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <popper/module.h>

#define WORKER_USES_MAX 10000 /* connections */
#define LOGIN_DELAY_MAX (7 * 86400) /* seconds */

#define NAME_SUFFIX_MAX 30 /* without the sign in front */

struct settings {
	const char *listen; /* "[::]:110 0.0.0.0:110", or "" */
	const char *user; /* popper-login runs as */
	const char *mail_group; /* of sessions, or "" */
	const char *modules; /* path of modules.conf */
	const char *module_folder;
	const char *program_folder;
	const char *state_folder;
	const char *server_name; /* or "": the host's */
	const char *log_facility;
	const char *trace_file; /* or "" */
	const char *spool_options_folder; /* of the administrator's files */
	const char *log_style; /* popper or qpopper */
	const char *log_login; /* template of a line, "yes", or "" */
	const char *expire; /* "", "never" or days */
	const char *enforce_expire; /* no, retrieved or any */
	const char *announce_login_delay; /* "" or seconds */
	const char *listen_tls; /* the same, TLS from the first octet; or "" */
	const char *tls_support; /* default, none, stls, alternate-port */
	const char *tls_certificate; /* PEM files, space separated; or "" */
	const char *tls_key; /* the same; "": in the certificates' files */
	const char *tls_ciphers; /* of TLS 1.2 */
	const char *tls_suites; /* of TLS 1.3 */
	const char *tls_groups;
	const char *tls_minimum; /* 1.2 or 1.3 */
	const char *tls_client_ca; /* PEM file: ask for certificates; or "" */
	const char *tls_client_crl; /* PEM file, or "" */
	const char *tls_client_name; /* email, dns, upn, cn: the user's name */
	const char *clear_text_password; /* default always local tls never */
	const char *auth_file; /* who may log in; or "" */
	const char *nonauth_file; /* who may not; or "" */
	const char *penalty_exempt; /* networks, space separated */
	const char *mailbox_separator; /* one character, or "" */
	const char *default_domain; /* of names without one, or "" */
	const char *name_suffix; /* cut off names: "-no-mime", or "" */
	const char *name_suffix_except; /* names it belongs to */
	const char *utf8_messages; /* send or refuse, without UTF8 given */
	const char *language; /* what LANG * selects: en, de ... */
	const char *language_folder; /* of the translations */
	uint64_t timeout; /* seconds without a command */
	uint64_t keepalive; /* seconds of silence before a probe; 0: none */
	uint64_t keepalive_timeout; /* seconds until given up; 0: system's */
	uint64_t takeover; /* seconds idle until a login may end it; 0: none */
	uint64_t login_timeout; /* seconds until logged in */
	uint64_t auth_timeout; /* seconds one attempt may take */
	uint64_t failure_delay; /* seconds; a refusal comes no earlier */
	uint64_t max_tries;
	uint64_t max_connections;
	uint64_t worker_uses; /* connections a login worker serves in turn */
	uint64_t max_per_source; /* not logged in yet; 0: no limit */
	uint64_t min_uid;
	uint64_t penalty_max; /* seconds a source's next attempt may wait */
	uint64_t cache_lifetime; /* seconds of a verified password; 0: none */
	uint64_t cache_size; /* verified passwords */
	uint64_t login_delay; /* seconds between two logins of a user */
	bool downcase_user;
	bool statistics;
	bool user_options; /* read ~/.qpopper-options */
	bool spool_options; /* read what is in spool_options_folder */
	bool process_titles; /* ps shows what sessions do */
	bool timing; /* how long parts of a session took */
	bool debug;
	bool reverse_lookup;
	bool last;
	bool euidl;
	bool local_time;
	bool shy;
	bool sandbox;
	bool tls_client_required; /* a certificate beside the password */
	bool tls_strict_alpn; /* refuse who wants something else than pop3 */
	bool tls_strict_names; /* refuse who asks for an unknown name */
	bool trim_domain;
	bool check_shell; /* an account's shell must be in /etc/shells */
	bool utf8; /* UTF8 of RFC 6856, and prepared names */
	bool auto_delete; /* QUIT removes what RETR has sent */
	bool update_on_abort; /* remove what is marked without QUIT, too */
	/* Options of modules that stand elsewhere than in modules.conf, as
	 * conf/overlay.h has them; NULL: none.  In no table of options. */
	const char *overlay;
};

/* Names, kinds, offsets and defaults of all of these. */
extern const struct popper_option settings_options[];

/* "popper-1.2.3": for CAPA's IMPLEMENTATION and --version. */
extern const char settings_implementation[];

/* "1.2.3": for lines of the log. */
extern const char settings_version[];

/* Tags of the languages that popper was built with, space separated. */
extern const char settings_languages[];

#endif
