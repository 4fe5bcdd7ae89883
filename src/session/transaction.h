/* transaction.h - the TRANSACTION state (RFC 1939 section 5). */
#ifndef SESSION_TRANSACTION_H
#define SESSION_TRANSACTION_H

#include "session/session.h"

/** transaction_run(s): the dialog until QUIT or another end. */
enum dialog_end transaction_run(struct session *);

#endif
