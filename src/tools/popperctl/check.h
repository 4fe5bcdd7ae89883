/*
 * check.h - is a message fit to be sent to everybody?
 */
#ifndef POPPERCTL_CHECK_H
#define POPPERCTL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_LINE_MAX 998 /* octets without the line end, RFC 5322 2.1.1 */

/* What is allowed beyond the rules. */
#define CHECK_EIGHT_BIT 1u
#define CHECK_LONG_LINES 2u

/**
 * check_message(name, text, len, allowed):
 * Tell on standard error, with ${name} and line number, all that is wrong with
 * the message: its header, fields that are missing, octets that do not belong
 * into mail.  Returns how many things were wrong.
 */
unsigned check_message(
    const char *name, const char *text, size_t len, unsigned allowed);

#endif
