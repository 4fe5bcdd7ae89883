/* services.h - what auth modules may ask the server (popper/module.h). */
#ifndef AUTH_SERVICES_H
#define AUTH_SERVICES_H

#include "auth/chain.h"
#include "auth/name.h"
#include "base/settings.h"

/** services_of(c, s): the services, for the modules of ${c}; one set per
 * process.  Lives as long as the process, and so must ${c} and ${s}. */
const struct popper_host *services_of(struct chain *, const struct settings *);

/** services_client(address): whom the modules' questions are about from now
 * on; lives until it is another. */
void services_client(const char *address);

/** services_name(): sub-mailbox and suffix in the name that was made canonical
 * last, or "".  Forgets them; the answer is good until the next call. */
const struct name *services_name(void);

#endif
