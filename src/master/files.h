/* files.h - notice that certificates, keys, CA and CRL files have changed. */
#ifndef MASTER_FILES_H
#define MASTER_FILES_H

#include <stdbool.h>

#include "base/deadline.h"
#include "base/settings.h"

/**
 * files_watch(s):
 * From now on watch the files of the tls- options, as they are now; those of
 * an earlier call no more.  Without TLS: none.
 */
void files_watch(const struct settings *);

/** files_stop(): watch nothing any more. */
void files_stop(void);

/** files_input(): a descriptor to poll for input, or -1. */
int files_input(void);

/** files_due(): when files_changed wants to be called at the latest. */
deadline_t files_due(void);

/**
 * files_changed():
 * Have files changed since files_watch, and nothing more for a moment?  True
 * once: call files_watch before they are read again.
 */
bool files_changed(void);

#endif
