/*
 * settings.c - the table of the server's own options; see popper.conf(5).
 *
 * Runs in: all programs.  Paths of this build come from the compiler.
 */
#include "base/settings.h"

const char settings_implementation[] = "popper-" POPPER_VERSION;
const char settings_version[] = POPPER_VERSION;
const char settings_languages[] = "en " LANGUAGES;

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
	TEXT(log_style, "log-style", "popper", "popper or qpopper"),
	TEXT(log_login, "log-login", "", "a line for each login; or yes"),
	TEXT(expire, "expire", "", "EXPIRE to announce: days or never"),
	TEXT(enforce_expire, "enforce-expire", "no",
	    "remove older messages: no, retrieved, any"),
	TEXT(announce_login_delay, "announce-login-delay", "",
	    "LOGIN-DELAY to announce: seconds"),
	TEXT(listen_tls, "listen-tls", "", "the same, with TLS at once"),
	TEXT(tls_support, "tls-support", "default",
	    "default, none, stls, alternate-port"),
	TEXT(tls_certificate, "tls-certificate", "", "PEM files"),
	TEXT(tls_key, "tls-key", "", "PEM files; in the certificates' files"),
	TEXT(tls_ciphers, "tls-ciphers",
	    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
	    "of TLS 1.2"),
	TEXT(tls_suites, "tls-suites",
	    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
	    "TLS_CHACHA20_POLY1305_SHA256",
	    "of TLS 1.3"),
	TEXT(tls_groups, "tls-groups", "X25519:P-256:P-384", "key exchange"),
	TEXT(tls_minimum, "tls-minimum", "1.2", "oldest version: 1.2, 1.3"),
	TEXT(tls_client_ca, "tls-client-ca", "",
	    "PEM file: ask clients for certificates of these"),
	TEXT(tls_client_crl, "tls-client-crl", "", "PEM file: revoked ones"),
	TEXT(tls_client_name, "tls-client-name", "email",
	    "user name in a certificate: email, dns, upn, cn"),
	TEXT(clear_text_password, "clear-text-password", "default",
	    "default, always, local, tls, never"),
	TEXT(auth_file, "auth-file", "", "who may log in"),
	TEXT(nonauth_file, "nonauth-file", "", "who may not log in"),
	TEXT(penalty_exempt, "penalty-exempt", "",
	    "networks that are not slowed down"),
	TEXT(mailbox_separator, "mailbox-separator", "",
	    "between user and sub-mailbox"),
	TEXT(default_domain, "default-domain", "", "of names without one"),
	TEXT(name_suffix, "name-suffix", "",
	    "cut off names, for modules: -no-mime"),
	TEXT(name_suffix_except, "name-suffix-except", "",
	    "accounts whose real name ends so"),
	TEXT(utf8_messages, "utf8-messages", "send",
	    "headers in UTF-8 to who did not say UTF8: send, refuse"),
	TEXT(language, "language", "en", "what LANG * selects"),
	TEXT(language_folder, "language-folder", LANGUAGE_FOLDER,
	    "of the translations"),
	SECONDS(penalty_max, "penalty-max", "15",
	    "the most a source's next attempt waits"),
	SECONDS(cache_lifetime, "cache-lifetime", "0",
	    "of a verified password in memory; 0: none"),
	NUMBER(cache_size, "cache-size", "4096", "verified passwords"),
	SECONDS(
	    login_delay, "login-delay", "0", "between two logins of a user"),
	SECONDS(timeout, "timeout", "600", "without a command"),
	SECONDS(login_timeout, "login-timeout", "600", "until logged in"),
	SECONDS(auth_timeout, "auth-timeout", "60", "one attempt may take"),
	SECONDS(failure_delay, "failure-delay", "3",
	    "a refused login is answered no earlier"),
	NUMBER(max_tries, "max-tries", "3", "refused logins per connection"),
	NUMBER(max_connections, "max-connections", "2000", "in all"),
	NUMBER(worker_uses, "connections-per-worker", "1",
	    "a login worker serves one after another"),
	NUMBER(max_per_source, "max-connections-per-source", "0",
	    "of one address before login; 0: no limit"),
	NUMBER(min_uid, "min-uid", "11", "lowest uid that may log in"),
	BOOL(downcase_user, "downcase-user", "no", "lower-case user names"),
	BOOL(statistics, "statistics", "no", "a Stats line per session"),
	BOOL(timing, "timing", "no", "log how long parts of a session took"),
	BOOL(debug, "debug", "no", "log debugging messages"),
	BOOL(reverse_lookup, "reverse-lookup", "yes", "names of clients"),
	BOOL(last, "last", "no", "offer LAST of RFC 1460"),
	BOOL(shy, "shy", "no", "say nothing about name and version"),
	BOOL(sandbox, "sandbox", SANDBOX_TEXT, "chroot, seccomp, Landlock"),
	BOOL(tls_client_required, "tls-client-required", "no",
	    "a certificate beside the password"),
	BOOL(tls_strict_alpn, "tls-strict-alpn", "yes",
	    "refuse who wants something else than pop3"),
	BOOL(tls_strict_names, "tls-strict-names", "no",
	    "refuse who asks for an unknown host name"),
	BOOL(trim_domain, "trim-domain", "no", "cut names at @"),
	BOOL(check_shell, "check-shell", "no", "must be in /etc/shells"),
	BOOL(utf8, "utf8", "yes", "UTF8 of RFC 6856, UTF-8 names"),
	BOOL(auto_delete, "auto-delete", "no", "what RETR has sent, at QUIT"),
	BOOL(update_on_abort, "update-on-abort", "no",
	    "remove what is marked without QUIT, too"),
	POPPER_OPTIONS_END
};
