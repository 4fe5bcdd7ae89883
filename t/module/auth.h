/*
 * auth.h - what the tests of the auth modules share: the server's services
 * with a log that can be looked at, a folder of their own, and one login.
 */
#ifndef T_MODULE_AUTH_H
#define T_MODULE_AUTH_H

#include <popper/auth.h>

/* The server's services, but the log goes to auth_log. */
extern struct popper_host auth_host;

/** auth_logged(text): how many log lines since the last auth_forget hold
 * ${text}? */
size_t auth_logged(const char *text);
void auth_forget(void);

/* A new folder for the test, absolute; auth_folder_remove empties it. */
extern char auth_folder[];
void auth_folder_make(void);
void auth_folder_remove(void);

/** auth_write(name, mode, text): make a file in the folder, or replace it by
 * a new one.  Returns its path, good until the next call. */
const char *auth_write(const char *name, unsigned mode, const char *text);

/** auth_login(driver, self, user, password): one USER and PASS.  ${exchange}
 * is still to be ended.  The answer is auth_answer. */
extern struct popper_answer auth_answer;
enum popper_verdict auth_login(const struct popper_auth *, void *self,
    const char *user, struct popper_slice password, void **exchange);

#endif
