/*
 * xmit.h - the parts of the ext module xmit.
 *
 * The session reads the message into memory that nobody else can open (a
 * memfd) and asks its attendant.  The attendant seals it, so that it cannot
 * change any more, checks it and gives it to the MTA.
 */
#ifndef XMIT_H
#define XMIT_H

#include <popper/ext.h>

#define XMIT_HEADER_MAX 65536 /* octets of a header */
#define XMIT_ADDRESS_MAX 512
#define XMIT_TIME_MAX 600 /* seconds for the MTA, whatever time-limit says */
#define XMIT_HOUR 3600

struct xmit_conf {
	const char *sendmail, *domain;
	bool any_sender;
	uint64_t size_limit;
	uint64_t recipients;
	uint64_t per_session, per_hour; /* 0: no limit */
	uint64_t time_limit;
};

/* What all parts need. */
struct xmit {
	const struct popper_host *host;
	const struct xmit_conf *conf;
	const struct popper_place *place;
};

/** xmit_refuse(x, error, why): the client's mistake: fill log text and reply
 * with ${why}.  Always -1. */
int xmit_refuse(const struct xmit *, struct popper_error *, const char *why);

/** xmit_reply(error, text): what the client hears; after the error was filled.
 * Always -1. */
int xmit_reply(struct popper_error *, const char *text);

/** xmit_own(x, out, size, error): the user's address, which all mail is sent
 * from.  -1 if the user's name cannot be part of one. */
int xmit_own(
    const struct xmit *, char *out, size_t size, struct popper_error *);

/** xmit_is_own(x, address): is it the user's, in any of his domains? */
bool xmit_is_own(const struct xmit *, struct popper_slice address);

/** xmit_address(value, out, size): the one address in the value of a From
 * field, without name, comments and brackets.  False if there is not exactly
 * one, or any doubt. */
bool xmit_address(struct popper_slice value, char *out, size_t size);

/** xmit_field(header, name, value): cut the first field, folded lines and all,
 * off ${header} (LF line ends).  False if no field stands there; ${header}
 * then begins with LF or is empty, unless it is malformed. */
bool xmit_field(struct popper_slice *header, struct popper_slice *name,
    struct popper_slice *value);

/** xmit_named(name, want): are they the same name of a field? */
bool xmit_named(struct popper_slice name, const char *want);

/** xmit_check(x, header, error): may this user send that?  ${header}: all up
 * to the empty line or the message's end. */
int xmit_check(
    const struct xmit *, struct popper_slice header, struct popper_error *);

/** xmit_rate(x, take, error): are there messages left in this hour?  With
 * ${take} one of them is used up. */
int xmit_rate(const struct xmit *, bool take, struct popper_error *);

/** xmit_run(x, message, sender, error): have the MTA send what can be read from
 * descriptor ${message}. */
int xmit_run(const struct xmit *, int message, const char *sender,
    struct popper_error *);

/** xmit_attend: see popper/ext.h. */
int xmit_attend(const struct popper_host *, const void *conf,
    const struct popper_place *, const struct popper_errand *,
    struct popper_error *);

#endif
