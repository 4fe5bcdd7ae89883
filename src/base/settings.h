/*
 * settings.h - what popper.conf and the command line say, as one struct.
 *
 * The master fills it (src/conf/server.c) and sends it to the three services,
 * so that all of them act on one reading of the file.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <popper/module.h>

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
	const char *expire; /* "", "never" or days */
	uint64_t timeout; /* seconds without a command */
	uint64_t login_timeout; /* seconds until logged in */
	uint64_t auth_timeout; /* seconds one attempt may take */
	uint64_t failure_delay; /* seconds; a refusal comes no earlier */
	uint64_t max_tries;
	uint64_t max_connections;
	uint64_t max_per_source; /* not logged in yet; 0: no limit */
	uint64_t min_uid;
	bool downcase_user;
	bool statistics;
	bool debug;
	bool reverse_lookup;
	bool last;
	bool shy;
	bool sandbox;
};

/* Names, kinds, offsets and defaults of all of these. */
extern const struct popper_option settings_options[];

/* "popper-1.2.3": for CAPA's IMPLEMENTATION and --version. */
extern const char settings_implementation[];

#endif
