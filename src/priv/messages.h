/*
 * messages.h - what our processes say to each other.
 *
 *	master  -> service  SETTINGS   how to work (base/settings.h)
 *	service -> master   READY      up, and what it can do
 *	worker  -> auth     KNOCK      a connection wants a gate
 *	worker <-> gate     TIMESTAMP  the greeting's, for APOP
 *	worker  -> gate     ATTEMPT    a name and a password, or AUTH begins
 *	worker  -> gate     RESPONSE   the next SASL response
 *	gate    -> worker   VERDICT    challenge, refused, or ask again later
 *	gate    -> session  OPEN       who it is; the connection goes along
 *	session -> worker   VERDICT    the maildrop is open, or why not
 *	gate    -> session  HOST       the client's name, for the Stats line
 *	parent  -> spawner  OPEN       whose errands come by the channel it has
 *	session -> attendant ERRAND    what an extension may not do itself
 *	attendant -> session RESULT    done, or why not
 *
 * The whole border is in this file: each message has one struct, one function
 * that packs it and one that takes it apart and says no to anything else.
 */
#ifndef PRIV_MESSAGES_H
#define PRIV_MESSAGES_H

#include <netinet/in.h>

#include <popper/auth.h>

#include "base/settings.h"
#include "base/stream.h"
#include "priv/wire.h"

#define ADDRESS_MAX INET6_ADDRSTRLEN
#define HOST_MAX 256
#define MECHANISM_MAX 20 /* RFC 4422 section 3.1 */
#define MECHANISMS_MAX 1024 /* all of them, as priv/mechanisms.h has them */
#define CERTIFICATE_MAX 256 /* name in a certificate */
#define BINDING_MAX 64 /* octets of a channel binding */
#define TIMESTAMP_MAX 256 /* of APOP */
#define LANGUAGE_MAX 36 /* a tag of RFC 5646 */
#define TLS_MAX 64 /* "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256" */
#define EXTENSIONS_MAX 4096 /* capability lines */
#define LISTING_MAX 32768 /* text of popper --modules */
#define SECRET_MAX 12288 /* password or SASL response, decoded */

/* SETTINGS.  Texts of ${s} that are taken apart live for good. */
struct assignment {
	struct settings settings;
	bool list; /* say what modules there are, then exit */
	bool print; /* say which are used, and how, then exit */
	bool single; /* one connection, then exit: inetd */
	uint64_t inputs; /* listening sockets passed on */
	uint64_t inputs_tls; /* the last so many of them: TLS at once */
	char mechanisms[MECHANISMS_MAX]; /* of popper-auth, for popper-login */
	char extensions[EXTENSIONS_MAX]; /* of popper-session, for it */
};
void assignment_put(struct wire *, struct assignment *);
bool assignment_get(struct wire *, struct assignment *);

/* READY. */
struct readiness {
	char mechanisms[MECHANISMS_MAX];
	char extensions[EXTENSIONS_MAX];
	char listing[LISTING_MAX];
};
void readiness_put(struct wire *, const struct readiness *);
bool readiness_get(struct wire *, struct readiness *);

/* KNOCK: one octet; descriptors: our end of the channel, the connection. */
void knock_put(struct wire *);
bool knock_get(struct wire *);

/* TIMESTAMP: "" asks the gate for one. */
void timestamp_put(struct wire *, const char *timestamp);
bool timestamp_get(struct wire *, char timestamp[TIMESTAMP_MAX]);
/** timestamp_is(w): is this message one?  Take it apart with the rest. */
bool timestamp_is(struct wire *);

/* What the dialog has settled before the login and holds after it. */
struct manners {
	unsigned have; /* POPPER_MECHANISM_ bits that the connection offers */
	bool utf8; /* UTF8 was given (RFC 6856) */
	char language[LANGUAGE_MAX]; /* of replies, or "" */
	char tls[TLS_MAX]; /* version and cipher, for the log; or "" */
};

/* ATTEMPT and RESPONSE.  Descriptor: what the session shall talk to, if that
 * is not the connection itself. */
struct attempt {
	bool begins; /* ATTEMPT, not RESPONSE */
	char mechanism[MECHANISM_MAX + 1];
	char user[POPPER_USER_MAX + 1];
	bool initial; /* SASL: a first response came along */
	struct manners manners;
	char certificate[CERTIFICATE_MAX]; /* name in it, or "" */
	struct popper_slice binding; /* of TLS, or empty */
	struct popper_slice secret;
	struct popper_slice ahead; /* octets read behind this command */
};
void attempt_put(struct wire *, const struct attempt *);
bool attempt_get(struct wire *, struct attempt *);

/* VERDICT. */
enum verdict_kind {
	VERDICT_OPENED,
	VERDICT_CHALLENGE,
	VERDICT_REFUSED,
	VERDICT_WAIT /* it was not looked at: send the same again later */
};
struct verdict {
	enum verdict_kind kind;
	enum popper_status status; /* REFUSED */
	char reply[128]; /* REFUSED: text for the client, or "" */
	uint64_t wait; /* REFUSED, TOO_SOON: seconds to the next login */
	uint64_t hold; /* REFUSED, WAIT: ms to wait before saying or asking */
	bool last; /* REFUSED: no more tries, whatever their number: close */
	bool apart; /* REFUSED by the session: the gate is not there any more */
	struct popper_slice challenge; /* CHALLENGE */
};
void verdict_put(struct wire *, const struct verdict *);
bool verdict_get(struct wire *, struct verdict *);

/* OPEN.  Descriptors: the connection, the gate's end of the channel to the
 * worker, and, if a gate stays, the session's end of one to it. */
struct opening {
	struct popper_identity identity;
	char client[ADDRESS_MAX]; /* address as text, "" if it has none */
	char suffix[NAME_SUFFIX_MAX + 1]; /* cut off the name given, or "" */
	bool named; /* a HOST message will come from the gate */
	char mechanism[MECHANISM_MAX + 1]; /* how it was proved, for the log */
	uint64_t judged; /* ms it took to prove it, for the log */
	struct manners manners;
	struct popper_slice ahead;
};
void opening_put(struct wire *, const struct opening *);
bool opening_get(struct wire *, struct opening *);

#define ERRAND_MODULE_MAX 64
#define ERRAND_REQUEST_MAX 4096

/* ERRAND.  Descriptor: what the request is about, if anything. */
struct errand {
	char module[ERRAND_MODULE_MAX]; /* its function attend is called */
	struct popper_slice request;
};
void errand_put(struct wire *, const struct errand *);
bool errand_get(struct wire *, struct errand *);

/* RESULT: POPPER_OK, or what attend has filled; errno does not travel. */
void result_put(struct wire *, const struct popper_error *);
bool result_get(struct wire *, struct popper_error *);

/* HOST. */
void host_put(struct wire *, const char *name);
bool host_get(struct wire *, char name[HOST_MAX]);

#endif
