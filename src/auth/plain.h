/*
 * plain.h - PLAIN (RFC 4616) and LOGIN: USER and PASS in other words.
 *
 * The server has them itself, so that every module which checks passwords
 * serves them too.
 */
#ifndef AUTH_PLAIN_H
#define AUTH_PLAIN_H

#include <popper/auth.h>

enum plain_stage { PLAIN_IDLE, PLAIN_MESSAGE, PLAIN_NAME, PLAIN_SECRET };

struct plain {
	enum plain_stage stage; /* what is awaited */
	char user[POPPER_USER_MAX + 1];
	struct popper_slice secret; /* READY: in the response that came last */
};

enum plain_result {
	PLAIN_READY, /* user and secret are there */
	PLAIN_MORE, /* ${challenge} is to be sent */
	PLAIN_WRONG /* this was no such message */
};

/** plain_is(mechanism): is it PLAIN or LOGIN? */
bool plain_is(const char *mechanism);

/**
 * plain_begin(p, attempt, challenge), plain_step(p, response, challenge):
 * Start or go on.  An authorization identity other than the name itself is
 * WRONG: nobody logs in for somebody else here.
 */
enum plain_result plain_begin(
    struct plain *, const struct popper_attempt *, const char **challenge);
enum plain_result plain_step(
    struct plain *, struct popper_slice, const char **challenge);

#endif
