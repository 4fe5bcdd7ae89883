/*
 * xmit.c - XTND XMIT: a client sends mail by POP3.
 *
 * Runs in: popper-session, as the user, in its sandbox.  What is in xmit_*.c
 * runs in an attendant, but for the rate.
 *
 *	C: XTND XMIT
 *	S: +OK Start sending message.
 *	C: (a message, dots stuffed)
 *	C: .
 *	S: +OK Message sent successfully
 *
 * Whatever is wrong, lines are read up to the dot: they must not be taken for
 * commands.  For the same reason a dot ends the message only between two line
 * ends of the kind that its first line has.
 */
#define _GNU_SOURCE /* memfd_create */
#include "xmit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 16380
#define OUT_MAX 65536

/* One session's instance. */
struct sender {
	struct xmit x;
	uint64_t sent;
};

/* A message on its way in. */
struct message {
	int fd;
	const char *wrong; /* for the client; NULL: nothing so far */
	int failed; /* errno of a write, or 0 */
	bool begun, crlf; /* there was a line; it ended so */
	bool in_order; /* the line before had the right end */
	bool body;
	uint64_t octets;
	size_t header_len, out_len;
	char line[LINE_MAX_OCTETS];
	char header[XMIT_HEADER_MAX];
	char out[OUT_MAX];
};

static const struct popper_option xmit_options[] = {
	POPPER_OPTION(TEXT, struct xmit_conf, sendmail, "sendmail",
	    "/usr/sbin/sendmail", "the program that takes the message"),
	POPPER_OPTION(TEXT, struct xmit_conf, domain, "domain", "",
	    "domains of the users' addresses; default: server-name"),
	POPPER_OPTION(BOOL, struct xmit_conf, any_sender, "allow-any-sender",
	    "no", "let From be anybody's address"),
	POPPER_OPTION(OCTETS, struct xmit_conf, size_limit, "size-limit", "10M",
	    "octets of a message"),
	POPPER_OPTION(NUMBER, struct xmit_conf, recipients, "max-recipients",
	    "100", "recipients of a message"),
	POPPER_OPTION(NUMBER, struct xmit_conf, per_session, "per-session",
	    "20", "messages in one session; 0: any number"),
	POPPER_OPTION(NUMBER, struct xmit_conf, per_hour, "per-hour", "60",
	    "messages of a user in an hour; 0: any number"),
	POPPER_OPTION(SECONDS, struct xmit_conf, time_limit, "time-limit",
	    "60s", "how long the program may take, at most 10m"),
	POPPER_OPTIONS_END,
};

int
xmit_reply(struct popper_error *error, const char *text)
{
	(void)snprintf(error->reply, sizeof(error->reply), "%s", text);
	return -1;
}

int
xmit_refuse(const struct xmit *x, struct popper_error *error, const char *why)
{
	(void)(x->host->fail)(error, POPPER_INVALID, "xmit: %s", why);
	(void)snprintf(error->reply, sizeof(error->reply),
	    "Unable to send message: %s", why);
	return -1;
}

static int
xmit_start(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *error)
{
	struct sender *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return host->fail_system(error, POPPER_TEMPORARY, "xmit");
	s->x = (struct xmit){ .host = host, .conf = conf, .place = place };
	*self = s;
	return 0;
}

static void
xmit_stop(void *self)
{
	free(self);
}

/* --- Keeping the message. --- */

static void
flush(struct message *m)
{
	size_t at = 0;
	ssize_t n;

	while (m->failed == 0 && at < m->out_len) {
		n = write(m->fd, m->out + at, m->out_len - at);
		if (n == -1 && errno != EINTR)
			m->failed = errno;
		else if (n > 0)
			at += (size_t)n;
	}
	m->out_len = 0;
}

static void
put(struct message *m, const char *p, size_t len)
{
	size_t n;

	while (len > 0) {
		n = OUT_MAX - m->out_len < len ? OUT_MAX - m->out_len : len;
		memcpy(m->out + m->out_len, p, n);
		m->out_len += n;
		p += n;
		len -= n;
		if (m->out_len == OUT_MAX)
			flush(m);
	}
}

/* The header is complete: a message without From gets the user's.  It goes in
 * front, where nothing that is malformed may follow it. */
static void
put_header(struct message *m, const char *own)
{
	struct popper_slice rest = popper_slice(m->header, m->header_len);
	struct popper_slice name, value;
	bool has_from = false;

	while (xmit_field(&rest, &name, &value))
		has_from = has_from || xmit_named(name, "From");
	if (rest.len > 0) {
		m->wrong = "the header is malformed";
		return;
	}
	if (!has_from) {
		put(m, "From: ", 6);
		put(m, own, strlen(own));
		put(m, "\n", 1);
	}
	put(m, m->header, m->header_len);
}

static void
keep_header(struct message *m, size_t len, const char *own)
{
	if (m->header_len + len + 1 > XMIT_HEADER_MAX) {
		m->wrong = "the header is too long";
		return;
	}
	if (len == 0) {
		put_header(m, own);
		put(m, "\n", 1);
		m->body = true;
		return;
	}
	memcpy(m->header + m->header_len, m->line, len);
	m->header_len += len;
	m->header[m->header_len++] = '\n';
}

/* What is wrong with the line of ${len} octets that was read? */
static const char *
find_fault(const struct xmit *x, const struct message *m, size_t len, bool crlf)
{
	if (crlf != m->crlf)
		return "line ends are mixed";
	if (memchr(m->line, '\0', len) != NULL ||
	    memchr(m->line, '\r', len) != NULL)
		return "NUL or CR inside a line";
	if (m->octets + len + 2 > x->conf->size_limit)
		return "it is too large";
	return NULL;
}

/* A line that is not the last one. */
static void
take_line(struct message *m, size_t len, const char *own)
{
	if (len > 1 && m->line[0] == '.' && m->line[1] == '.')
		memmove(m->line, m->line + 1, --len);
	m->octets += len + 2;
	if (!m->body) {
		keep_header(m, len, own);
		return;
	}
	put(m, m->line, len);
	put(m, "\n", 1);
}

/* Is the line of ${n} octets the last one?  Notes what its end is. */
static bool
is_last(struct message *m, long n, bool crlf)
{
	bool ordered = !m->begun || m->in_order;

	if (!m->begun)
		m->crlf = crlf;
	m->begun = true;
	m->in_order = crlf == m->crlf;
	return n == 1 && m->line[0] == '.' && ordered && m->in_order;
}

/* To the dot.  0, or -1 if the client is gone before it. */
static int
take_message(const struct xmit *x, struct popper_talk *talk, struct message *m,
    const char *own)
{
	bool crlf;
	long n;

	for (;;) {
		n = talk->read_line(talk, m->line, sizeof(m->line));
		if (n == POPPER_READ_GONE)
			return -1;
		crlf = talk->read_crlf(talk);
		if (is_last(m, n, crlf))
			return 0;
		if (n == POPPER_READ_LONG)
			m->wrong = "a line is too long";
		else if (m->wrong == NULL)
			m->wrong = find_fault(x, m, (size_t)n, crlf);
		if (m->wrong == NULL)
			take_line(m, (size_t)n, own);
	}
}

/* --- The command. --- */

/* All that can be known before the client has sent anything. */
static int
may_begin(const struct sender *s, char *own, struct popper_error *error)
{
	const struct xmit *x = &s->x;

	if (x->conf->sendmail[0] != '/')
		return (x->host->fail)(error, POPPER_PERMANENT,
		    "xmit: sendmail = \"%s\" is no absolute path",
		    x->conf->sendmail);
	if (xmit_own(x, own, XMIT_ADDRESS_MAX, error) == -1)
		return -1;
	if (x->conf->per_session > 0 && s->sent >= x->conf->per_session) {
		(void)(x->host->fail)(error, POPPER_TEMPORARY,
		    "xmit: %llu messages in one session (per-session)",
		    (unsigned long long)s->sent);
		return xmit_reply(error, "too many messages in this session");
	}
	return xmit_rate(x, false, error);
}

/* What there is to say once the dot has come; or hand it over. */
static int
conclude(struct sender *s, const struct popper_call *call, struct message *m,
    struct popper_error *error)
{
	const struct xmit *x = &s->x;

	flush(m);
	if (m->wrong != NULL)
		return xmit_refuse(x, error, m->wrong);
	if (m->failed != 0) {
		errno = m->failed;
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: keeping the message");
	}
	s->sent++;
	if (call->attend(call, popper_slice("", 0), m->fd, error) == -1)
		return -1;
	return (call->talk->ok)(call->talk, "Message sent successfully");
}

static int
transmit(struct sender *s, const struct popper_call *call, struct message *m,
    struct popper_error *error)
{
	const struct xmit *x = &s->x;
	char own[XMIT_ADDRESS_MAX];

	if (may_begin(s, own, error) == -1)
		return -1;
	m->fd = memfd_create("xmit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd == -1)
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: memfd_create");
	(call->talk->go_ahead)(call->talk, "Start sending message.");
	if (take_message(x, call->talk, m, own) == -1)
		return (x->host->fail)(
		    error, POPPER_TEMPORARY, "xmit: the client is gone");
	if (!m->body && m->wrong == NULL)
		put_header(m, own);
	return conclude(s, call, m, error);
}

static int
xmit_command(
    void *self, const struct popper_call *call, struct popper_error *error)
{
	struct sender *s = self;
	struct message *m = calloc(1, sizeof(*m));
	int result;

	if (m == NULL)
		return s->x.host->fail_system(error, POPPER_TEMPORARY, "xmit");
	m->fd = -1;
	result = transmit(s, call, m, error);
	if (m->fd != -1)
		(void)close(m->fd);
	free(m);
	return result;
}

static const struct popper_command xmit_commands[] = {
	{ "XTND XMIT", 0, 0, xmit_command },
	{ NULL, 0, 0, NULL },
};

static const char *const xmit_capabilities[] = { "X-XMIT", NULL };

static const struct popper_ext xmit_ext = {
	.size = sizeof(struct popper_ext),
	.start = xmit_start,
	.stop = xmit_stop,
	.commands = xmit_commands,
	.capabilities = xmit_capabilities,
	.attend = xmit_attend,
};

POPPER_MODULE(xmit, .version = "1",
    .summary = "XTND XMIT: clients send mail through sendmail",
    .conf_size = sizeof(struct xmit_conf), .options = xmit_options,
    .ext = &xmit_ext);
