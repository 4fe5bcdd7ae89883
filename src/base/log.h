/*
 * log.h - one line to the log.
 *
 * Only popper (the master) writes the log: to syslog, a file or stderr.  All
 * other processes send it datagrams on a descriptor they inherited, so a
 * process in an empty root directory and without sockets can still log, and a
 * file is reopened in one place.  A datagram is one octet of level and the
 * text; it never blocks: what does not fit the queue is counted and dropped.
 *
 * Every octet outside printable ASCII is escaped here, by the writer and again
 * by the master, so nothing a client sends can forge or break a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <sys/types.h>

#include <popper/module.h>

#define LOG_LINE_MAX 1000 /* octets of text in one line, the rest is cut */

/**
 * log_start(fd, debug):
 * Send lines as datagrams to ${fd}, an AF_UNIX SOCK_SEQPACKET or SOCK_DGRAM
 * socket; -1: write "program: level: text" to standard error (tools, tests,
 * and the master before it is ready).  Without ${debug} DEBUG lines vanish.
 */
void log_start(int fd, bool debug);

/** log_debugging(on): do DEBUG lines count from now on? */
void log_debugging(bool);

/** log_to(writer): hand every line to ${writer} instead (the master). */
void log_to(void (*writer)(enum popper_level, pid_t, const char *text));

/* Normal work; worth a look; we carry on; something was not done. */
void log_debug(const char *format, ...) POPPER_PRINTF(1, 2);
void log_info(const char *format, ...) POPPER_PRINTF(1, 2);
void log_notice(const char *format, ...) POPPER_PRINTF(1, 2);
void log_warning(const char *format, ...) POPPER_PRINTF(1, 2);
void log_error(const char *format, ...) POPPER_PRINTF(1, 2);

/** log_write(level, format, ...): the same with the level as a value. */
void log_write(enum popper_level, const char *format, ...) POPPER_PRINTF(2, 3);
void log_vwrite(enum popper_level, const char *format, va_list)
    POPPER_PRINTF(2, 0);

/** log_clean(level, text): ${text}, which is printable ASCII, as it stands;
 * what is not becomes "?". */
void log_clean(enum popper_level, const char *text);

/** log_fatal(...): log an error and end this process with status 1. */
void log_fatal(const char *format, ...) POPPER_PRINTF(1, 2)
    __attribute__((noreturn));

/** log_panic(...): our own mistake: log it and abort. */
void log_panic(const char *format, ...) POPPER_PRINTF(1, 2)
    __attribute__((noreturn));

/**
 * log_failure(what, error):
 * Log ${error} behind "what: " at the level its status deserves: NOTICE for
 * what clients cause, ERROR for our own trouble.
 */
void log_failure(const char *what, const struct popper_error *);

#endif
