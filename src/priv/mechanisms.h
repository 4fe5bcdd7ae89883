/*
 * mechanisms.h - ways to log in and what each asks of the connection, as text:
 * "USER=1 APOP=0 PLAIN=1 SCRAM-SHA-256-PLUS=6".
 *
 * popper-auth says once what there is; a login worker picks what can succeed
 * now, a session announces the same again.
 */
#ifndef PRIV_MECHANISMS_H
#define PRIV_MECHANISMS_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/slice.h>

/** mechanisms_add(list, size, name, needs): append it unless it is there
 * already.  False if there is no room; ${list} is as before then. */
bool mechanisms_add(char *list, size_t size, const char *name, unsigned needs);

/** mechanisms_allow(list, name, have): is ${name} (in upper case) among them
 * and does ${have} satisfy what it needs? */
bool mechanisms_allow(
    const char *list, struct popper_slice name, unsigned have);

/** mechanisms_sasl(list, have, out, size): the names for CAPA's SASL line:
 * not USER, not APOP, nothing hidden, nothing that ${have} does not satisfy. */
void mechanisms_sasl(const char *list, unsigned have, char *out, size_t size);

#endif
