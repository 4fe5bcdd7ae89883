/* transfer.h - the RETR and DELE commands of a session. */
#ifndef BENCH_TRANSFER_H
#define BENCH_TRANSFER_H

#include <stdbool.h>

struct client;

/** transfer_begin(c): after STAT and UIDL; ends with QUIT. */
void transfer_begin(struct client *);

/** transfer_answered(c): +OK to the next RETR or DELE. */
void transfer_answered(struct client *);

/** transfer_message(c): the message that RETR began has come to its end. */
void transfer_message(struct client *);

/** transfer_check(c): complain of what was not as it should be. */
void transfer_check(struct client *);

/** transfer_deletes(c): is this the session of mode DELE that deletes? */
bool transfer_deletes(const struct client *);

#endif
