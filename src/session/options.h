/*
 * options.h - option files of one user: his own, and the administrator's about
 * him (CVE-2002-0889, CVE-2005-1151).
 */
#ifndef SESSION_OPTIONS_H
#define SESSION_OPTIONS_H

#include <popper/auth.h>

#include "base/settings.h"

struct option_files {
	int own; /* ~/.qpopper-options, or -1 */
	int spool; /* .USER.qpopper-options of spool-options-folder, or -1 */
	char own_path[2 * POPPER_PATH_MAX]; /* for the log */
	char spool_path[2 * POPPER_PATH_MAX];
};

/**
 * options_open(f, settings, identity, root):
 * Open what the settings ask for and what can be trusted: regular files, no
 * links, written by nobody but their owner, who is the user, or, of the second
 * file, root (whoever started popper, if it was not ${root}).  What cannot is
 * told in the log.  Call it as the user; afterwards nothing but the descriptors
 * is needed.
 */
void options_open(struct option_files *, const struct settings *,
    const struct popper_identity *, bool root);

/**
 * options_read(f, settings):
 * Read and close them; a user's own first, so that the administrator's counts.
 * Changes in ${settings} what such files may say; what they may not, or what is
 * wrong, is told in the log with file and line, never with its text.
 */
void options_read(struct option_files *, struct settings *);

/** options_take(text, file, spool, settings): the lines of ${text}, which is
 * changed, as those of ${file}. */
void options_take(char *text, const char *file, bool spool, struct settings *);

#endif
