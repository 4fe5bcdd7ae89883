/* client.h - one POP3 session as a client drives it. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "content.h"
#include "results.h"

enum mode { LOGIN, POLL, FETCH, TOP, DELE, IDLE, MODES };

/* Which messages mode DELE deletes; the number goes with it. */
enum pick { PICK_FIRST, PICK_LAST, PICK_MIDDLE, PICK_EVERY };

struct user {
	char *name, *password;
	bool busy; /* never two sessions on one maildrop */
};

/* Sums over the messages of a session or of a manifest. */
struct sums {
	uint64_t messages, octets;
	uint64_t exact, body; /* see checksum_message(), checksum_body() */
	uint64_t header; /* and checksum_header() */
};

struct settings {
	enum mode mode;
	struct sockaddr_in server;
	long sessions, at_once, warm_up;
	uint32_t window; /* commands in flight in FETCH, TOP and DELE */
	uint32_t limit; /* FETCH or TOP only so many messages; 0: all */
	enum pick pick;
	uint32_t pick_number;
	bool spread; /* another source address for each session */
	bool before_login; /* IDLE: hold after the greeting */
	bool no_list; /* FETCH or TOP without UIDL before */
	bool tls; /* from the first octet */
	bool no_verify; /* DELE without the second session */
	bool have_manifest;
	struct sums manifest;
	double timeout;
	int poller; /* the epoll descriptor */
};

enum stage {
	CONNECTING,
	SECURING,
	GREETING,
	USER,
	PASS,
	STAT,
	UIDL,
	TRANSFER,
	QUIT,
	CLOSING,
	HELD,
	FREE,
	STAGES
};

struct client {
	const struct settings *set;
	struct results *results;
	struct user *user;
	long number; /* of the session, from 0 */
	int fd;
	struct ssl_st *ssl; /* or NULL */
	enum stage stage;
	bool listing; /* inside the lines of UIDL */
	bool in_message; /* inside those of RETR */
	bool good; /* every answer was right */
	char *in; /* received, not yet understood */
	size_t in_len, in_room;
	char out[8192]; /* to be sent */
	size_t out_len;
	uint32_t messages; /* from STAT */
	uint64_t octets;
	uint32_t jobs, asked, answered; /* RETR and DELE commands */
	struct content content;
	struct sums got;
	uint64_t *uid; /* hashes of the unique-ids */
	size_t uids, lines;
	struct client *first; /* the session that this one verifies */
	double began, pass_sent, asked_at, retr_at;
};

/** client_new(set, results, room): a free client, ${room} octets of buffer. */
struct client *client_new(const struct settings *, struct results *, size_t);

/** client_start(c, user, number): connect; faults are noted in results. */
void client_start(struct client *, struct user *, long);

/** client_input(c): understand what has been received. */
void client_input(struct client *);

/** client_ask_quit(c): send QUIT. */
void client_ask_quit(struct client *);

/** client_closed(c): the server closed the connection after QUIT. */
void client_closed(struct client *);

/** client_complain(c, fault, why): a wrong answer; the session goes on. */
void client_complain(struct client *, enum fault, const char *why);

/** client_fail(c, fault, why): the session is over; say why on stderr. */
void client_fail(struct client *, enum fault, const char *why);

/** client_end(c): the session is over, its user free for another. */
void client_end(struct client *);

/** client_free(c): with its buffers. */
void client_free(struct client *);

/** now(): seconds of the monotonic clock. */
double now(void);

#endif
