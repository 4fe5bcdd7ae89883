/*
 * bulletin.h - what the sub-commands of "popperctl bulletin" share.
 */
#ifndef POPPERCTL_BULLETIN_H
#define POPPERCTL_BULLETIN_H

#include <popper/module.h>

#include "tools/popperctl/arguments.h"
#include "tools/popperctl/popperctl.h"

/* What modules.conf says of the module bulletins; option names as there. */
struct bulletin_conf {
	const char *directory;
	const char *popbull_directory;
	const char *bulldb;
	bool group_bulletins;
	/* Of popper.conf. */
	const char *state_folder;
	const char *mail_group;
};

/**
 * bulletin_conf_read(p, directory, conf, error):
 * Fill ${conf} from the section "ext bulletins" of modules.conf, which
 * popper.conf names.  With a ${directory}, that of -d, it is taken instead and
 * a configuration that is not there is no error.  Returns 0, or -1 with the
 * error filled.
 */
int bulletin_conf_read(const struct popperctl *, const char *directory,
    struct bulletin_conf *, struct popper_error *);

/* "-d DIRECTORY", the option of most of them. */
#define BULLETIN_DIRECTORY(value)                       \
	{                                               \
		"-d", ARGUMENT_VALUE, "a folder", value \
	}

int bulletin_init(const struct popperctl *, char **args);
int bulletin_list(const struct popperctl *, char **args);
int bulletin_post(const struct popperctl *, char **args);
int bulletin_retract(const struct popperctl *, char **args);
int bulletin_status(const struct popperctl *, char **args);

#endif
