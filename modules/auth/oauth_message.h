/* oauth_message.h - what a client says in OAUTHBEARER and XOAUTH2.  Pure. */
#ifndef AUTH_OAUTH_MESSAGE_H
#define AUTH_OAUTH_MESSAGE_H

#include <popper/auth.h>

struct oauth_message {
	char user[POPPER_USER_MAX + 1]; /* whom to act as, or "" */
	struct popper_slice token, host, port; /* empty: not given */
};

/**
 * oauth_message_parse(bearer, octets, message):
 * Take the client's message apart, OAUTHBEARER's (RFC 7628 section 3.1) or
 * XOAUTH2's; ${message} points into ${octets}.  Returns NULL, or what is wrong
 * with it.
 */
const char *oauth_message_parse(
    bool bearer, struct popper_slice, struct oauth_message *);

#endif
