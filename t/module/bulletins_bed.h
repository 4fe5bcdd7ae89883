/*
 * bulletins_bed.h - a user, a folder of bulletins and sessions, for tests of
 * the module bulletins.
 */
#ifndef MODULE_BULLETINS_BED_H
#define MODULE_BULLETINS_BED_H

#include "ext_bed.h"

/* What the option table would fill. */
struct bulletins_options {
	const char *directory, *popbull_directory, *bulldb;
	uint64_t max_bulletins, max_size, bulldb_max_tries;
	bool bulldb_nonfatal, group_bulletins;
};

extern struct bed bulletins_bed;
extern struct bulletins_options bulletins_options;
extern struct popper_error bulletins_error;

/* The drop behind, for the next session; bulletins_count and those below need
 * bed_drop. */
extern const struct popper_drop *bulletins_inner;

/* The session that is open. */
extern const struct popper_drop *bulletins_session;
extern void *bulletins_outer;

/** Set-up and tear-down: a bed with the folder "bulletins", the defaults. */
int bulletins_set_up(void **);
int bulletins_tear_down(void **);

/** bulletins_login(): 0, or -1 with bulletins_error and no session. */
int bulletins_login(void);
/** bulletins_logout(): the connection breaks. */
void bulletins_logout(void);
/** bulletins_quit(delete): DELE for the bulletins (counted from 0) whose
 * bits are set in ${delete}, then QUIT. */
enum popper_outcome bulletins_quit(unsigned delete);

/** bulletins_count(): of bulletins in the session. */
size_t bulletins_count(void);
/** bulletins_read(i): bulletin ${i}, whose size and pieces are checked too;
 * good until the next call. */
const char *bulletins_read(size_t i);
const char *bulletins_uid(size_t i);
/** bulletins_post(name, subject): a small one. */
void bulletins_post(const char *name, const char *subject);
/** bulletins_text(name): content of a file below the bed, or NULL. */
const char *bulletins_text(const char *name);
/** bulletins_subjects(): log in, the subjects joined by ",", break. */
const char *bulletins_subjects(void);

#endif
