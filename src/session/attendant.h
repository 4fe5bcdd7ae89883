/* attendant.h - does one errand for a session. */
#ifndef SESSION_ATTENDANT_H
#define SESSION_ATTENDANT_H

#include "session/session.h"

/**
 * attendant_run(equipment, opening, channel, before):
 * In a process of its own, not restricted yet: become the user of ${opening},
 * hear one ERRAND on ${channel}, do it, answer.  Closes all other descriptors
 * but the log.  Returns the status to exit with: 0 once it is answered.
 */
int attendant_run(const struct equipment *, const struct opening *, int channel,
    uint64_t before);

#endif
