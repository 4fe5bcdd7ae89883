/*
 * mbox_dying.h - a process that dies at a chosen one of its changes to the
 * disk.
 *
 * The tests that use it are linked with all system calls that change something
 * wrapped (MBOX_DYING in Makefile.inc).
 */
#ifndef MBOX_DYING_H
#define MBOX_DYING_H

#include "mbox_rig.h"

/**
 * dying_run(r, function, at, half):
 * Run ${function} in a child that dies at its ${at}th change, counted from 0:
 * before it, or in the middle of it (${half}: a write writes half).  Its dot
 * lock is removed.  True: it died; false: it came to its end before.
 */
bool dying_run(struct rig *, int (*)(struct rig *), int at, bool half);

#endif
