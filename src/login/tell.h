/* tell.h - what the log hears of a connection before its login. */
#ifndef LOGIN_TELL_H
#define LOGIN_TELL_H

#include "login/authorization.h"
#include "proto/dialog.h"

/** tell_start(a): a connection has come.  With log-style qpopper every -ERR is
 * told from now on, until tell_end. */
void tell_start(struct authorization *);

/** tell_end(a, end): how it ended, if nobody logged in. */
void tell_end(struct authorization *, enum dialog_end);

#endif
