/*
 * activation.h - what a service manager has prepared, and what it wants to
 * hear: inetd, systemd sockets, sd_notify.
 */
#ifndef MASTER_ACTIVATION_H
#define MASTER_ACTIVATION_H

#include <stdbool.h>

#include "master/sockets.h"

/**
 * activation_connection(wanted):
 * If standard input is a TCP connection (inetd, or a socket unit with
 * Accept=yes), or systemd has passed a connected one: its descriptor, moved
 * away from the standard ones, which become /dev/null.  Else -1.
 * ${wanted}: --inetd was given: any socket will do.
 */
int activation_connection(bool wanted);

/** activation_listeners(s): adopt the listening sockets that systemd passed;
 * those named "pop3s" or of port 995 are for TLS. */
void activation_listeners(struct sockets *);

/** activation_notify(text): tell systemd, if it wants to know. */
void activation_notify(const char *text);

#endif
