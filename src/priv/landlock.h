/*
 * landlock.h - shut a process off from all paths but some (Linux 5.19 on).
 *
 * Newer kernels can shut off more; what this one cannot do is left out.
 */
#ifndef PRIV_LANDLOCK_H
#define PRIV_LANDLOCK_H

#include <popper/drop.h>

/** landlock_version(): of the kernel's interface; 0 if it has none that is of
 * use. */
int landlock_version(void);

/**
 * landlock_start(version): a rule set that allows no path at all, no TCP, no
 * signals to others.  Returns its descriptor, or -1 with errno.
 */
int landlock_start(int version);

/**
 * landlock_allow(rules, version, fd, rights):
 * Allow ${rights} (POPPER_ALLOW_ bits) on the file or below the folder ${fd}.
 * 0, or -1 with errno.
 */
int landlock_allow(int rules, int version, int fd, unsigned rights);

/** landlock_enter(rules): from now on, for good.  0, or -1 with errno. */
int landlock_enter(int rules);

#endif
