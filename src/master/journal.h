/*
 * journal.h - the one place that writes the log: syslog, a file or stderr.
 */
#ifndef MASTER_JOURNAL_H
#define MASTER_JOURNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/settings.h"

/** journal_facility(name): syslog's number for it, or -1. */
int journal_facility(const char *name);

/**
 * journal_start(s, to_stderr, error):
 * Open what the settings say.  From then on log_...() of this process and
 * what comes in on journal_socket() goes there.
 */
int journal_start(
    const struct settings *, bool to_stderr, struct popper_error *);

/** journal_write(level, pid, text): a line of process ${pid}; ${text} is
 * escaped. */
void journal_write(enum popper_level, pid_t, const char *text);

/** journal_reopen(s, error): the trace file may have been renamed (SIGHUP). */
int journal_reopen(const struct settings *, struct popper_error *);

/** journal_input(): where lines of the services come in (poll it), and
 * journal_output(): the end that the services get. */
int journal_input(void);
int journal_output(void);

/** journal_take(): write the lines that are waiting.  False if none was. */
bool journal_take(void);

#endif
