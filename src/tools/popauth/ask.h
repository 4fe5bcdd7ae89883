/* ask.h - secrets from a terminal or from standard input. */
#ifndef POPAUTH_ASK_H
#define POPAUTH_ASK_H

#include "tools/popauth/popauth.h"

#define ASK_MAX 255 /* octets in a secret */

/**
 * ask_secret(prompt, out, size, e):
 * One line without its end: from the terminal, after ${prompt} and without
 * echo, if standard input is one; else the next line of standard input.
 * Empty lines, NUL and control characters are refused.  The caller wipes
 * ${out}.  Returns 0, or -1 with the error filled.
 */
int ask_secret(
    const char *prompt, char *out, size_t size, struct popper_error *);

/**
 * ask_new_secret(p, user, out, size, e):
 * The same for a new secret of ${user}; on a terminal twice.  One that is easy
 * to guess is refused, or only remarked upon if the caller is in charge of
 * the file (not ${p}->borrowed).
 */
int ask_new_secret(const struct popauth *, const char *user, char *out,
    size_t size, struct popper_error *);

/**
 * ask_yes(question):
 * True if the answer begins with "y".  Without a terminal nobody is asked: the
 * answer is yes.
 */
bool ask_yes(const char *question);

#endif
