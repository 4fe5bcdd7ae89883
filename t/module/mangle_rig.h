/*
 * mangle_rig.h - the mangle module with one message, as a session drives it.
 */
#ifndef MODULE_MANGLE_RIG_H
#define MODULE_MANGLE_RIG_H

#include "bed.h"

#include <popper/ext.h>

#include "mangle.h"

extern const struct popper_module mangle_LTX_popper_module;

/* A session's instance, a folder for it, its limits. */
extern struct bed rig_bed;
extern struct mangle_conf rig_conf;
extern struct mangle *rig;
extern struct popper_error rig_error;

/* Set up and take down, for cmocka: usual limits, no suffix. */
int rig_start(void **state);
int rig_stop(void **state);

/** rig_restart(suffix): another session, with rig_conf as it is now. */
void rig_restart(const char *suffix);

/**
 * rig_run(command, lines, argument, message):
 * What a client gets with LF line ends, as a C string that is good until the
 * next call; NULL if it is refused (rig_error).  ${message} is number 0.
 */
const char *rig_run(const char *command, uint64_t lines, const char *argument,
    const char *message);

/** rig_retr(argument, message): RETR. */
const char *rig_retr(const char *argument, const char *message);

/** rig_body(argument, message): what is behind the first empty line, in a
 * session of its own. */
const char *rig_body(const char *argument, const char *message);

#endif
