/* transaction.h - the TRANSACTION state (RFC 1939 section 5). */
#ifndef SESSION_TRANSACTION_H
#define SESSION_TRANSACTION_H

#include "session/session.h"

/** transaction_run(s): the dialog until QUIT or another end. */
enum dialog_end transaction_run(struct session *);

/** transaction_total(r, count, octets): "maildrop has so much". */
enum outcome transaction_total(struct reply *, size_t count, uint64_t octets);
/** transaction_count(r, count): the same if nobody knows the sizes yet. */
enum outcome transaction_count(struct reply *, size_t count);

#endif
