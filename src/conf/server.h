/* server.h - popper.conf and -o: the server's own settings. */
#ifndef CONF_SERVER_H
#define CONF_SERVER_H

#include <popper/error.h>

#include "base/settings.h"

/**
 * server_set(s, name, value, error):
 * Set one option by its name, as -o does.  -1: the error names the wrong word
 * and the nearest right one.
 */
int server_set(struct settings *, const char *name, const char *value,
    struct popper_error *);

/** server_read(s, path, error): set what the file ${path} says. */
int server_read(struct settings *, const char *path, struct popper_error *);

/**
 * server_check(s, error):
 * Do the settings make sense together?  Fills in the host's name if there is
 * no server-name.
 */
int server_check(struct settings *, struct popper_error *);

#endif
