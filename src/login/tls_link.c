/*
 * tls_link.c - one connection over TLS.
 *
 * Runs in: a login worker.
 */
#include "login/tls_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "login/address.h"
#include "login/tls.h"
#include "login/tls_bio.h"
#include "login/tls_client.h"

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 section 2 */
#define EXPORTER_OCTETS 32
/* ms for a client to take in why its handshake failed. */
#define ALERT_LINGER 1000

bool
tls_link_flush(struct tls_link *l)
{
	ssize_t n;

	while (l->out_at < l->out_end && !l->failed) {
		n = send(l->fd, l->out + l->out_at, l->out_end - l->out_at,
		    MSG_NOSIGNAL);
		if (n >= 0)
			l->out_at += (size_t)n;
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR)
			l->failed = true;
	}
	l->out_at = l->out_end = 0;
	return !l->failed;
}

/* What a call of the library that gave ${result} means.  -1 with errno. */
static int
failure(struct tls_link *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		l->starved = true;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		/* A full buffer too: nobody who reads lets it come to that. */
		l->failed = true;
		errno = ECONNRESET;
		return -1;
	}
}

static ssize_t
link_read(void *self, void *buf, size_t size)
{
	struct tls_link *l = self;
	size_t n;
	int result;

	if (l->failed) {
		errno = ECONNRESET;
		return -1;
	}
	ERR_clear_error();
	result = SSL_read_ex(l->ssl, buf, size, &n);
	if (result != 1)
		return failure(l, result);
	l->starved = false;
	return (ssize_t)n;
}

/* Octets inside the library; not those of half a record, for which we would
 * come back again and again. */
static bool
link_pending(void *self)
{
	const struct tls_link *l = self;

	return !l->failed &&
	    (SSL_pending(l->ssl) > 0 ||
		(!l->starved && SSL_has_pending(l->ssl) == 1));
}

/* Make records of as much as there is room for. */
static void
seal(struct tls_link *l, const char *p, size_t len)
{
	size_t n, most;

	ERR_clear_error();
	while (l->owed < len && !l->failed &&
	    sizeof(l->out) - l->out_end >= TLS_RECORD_MAX + TLS_LINK_EXTRA) {
		most = len - l->owed;
		if (most > TLS_RECORD_MAX)
			most = TLS_RECORD_MAX;
		if (SSL_write_ex(l->ssl, p + l->owed, most, &n) != 1)
			l->failed = true;
		else
			l->owed += n;
	}
}

static ssize_t
link_write(void *self, const void *buf, size_t len)
{
	struct tls_link *l = self;
	size_t done;

	if (l->owed == 0)
		seal(l, buf, len);
	if (!tls_link_flush(l)) {
		errno = ECONNRESET;
		return -1;
	}
	if (l->out_end > 0) {
		errno = EAGAIN;
		return -1;
	}
	done = l->owed;
	l->owed = 0;
	return (ssize_t)done;
}

static void
link_close(void *self)
{
	struct tls_link *l = self;

	if (l->failed)
		return;
	ERR_clear_error();
	if (SSL_shutdown(l->ssl) < 0)
		l->failed = true;
	else
		tls_link_flush(l);
}

/* --- Its beginning. --- */

/* The alert is on its way: close so that it is not lost in a reset. */
static void
give_up(struct tls_link *l, const char *why)
{
	char address[ADDRESS_MAX], waste[4096];
	deadline_t deadline = deadline_in(ALERT_LINGER);

	address_of(l->fd, address);
	log_info("TLS handshake with %s failed: %s", address, why);
	l->failed = false;
	tls_link_flush(l);
	l->failed = true;
	if (shutdown(l->fd, SHUT_WR) == -1)
		return;
	while (deadline_left(deadline) > 0 &&
	    fd_wait(l->fd, POLLIN, deadline) > 0 &&
	    recv(l->fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

static bool
shake_hands(struct tls_link *l, deadline_t deadline)
{
	int result, events;

	for (;;) {
		ERR_clear_error();
		result = SSL_accept(l->ssl);
		if (result == 1)
			return true;
		if (SSL_get_error(l->ssl, result) != SSL_ERROR_WANT_READ)
			break;
		events = l->out_end > 0 ? POLLIN | POLLOUT : POLLIN;
		if (fd_wait(l->fd, (short)events, deadline) <= 0 ||
		    !tls_link_flush(l)) {
			give_up(l, "it took too long");
			return false;
		}
	}
	give_up(
	    l, ERR_peek_error() == 0 ? "the client has gone" : tls_reason());
	return false;
}

bool
tls_link_accept(struct tls_link *l, int fd, deadline_t deadline, bool more)
{
	BIO *bio = tls_bio_new(l);

	l->fd = fd;
	l->transport = (struct stream_transport){ .self = l,
		.read = link_read,
		.write = link_write,
		.pending = link_pending,
		.close = link_close,
		.read_wants = POLLIN,
		.write_wants = POLLOUT };
	l->ssl = SSL_new(tls_context());
	if (l->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		give_up(l, tls_reason());
		return false;
	}
	SSL_set_bio(l->ssl, bio, bio);
	if (!shake_hands(l, deadline))
		return false;
	return more || tls_link_flush(l);
}

/* --- What is known of it. --- */

void
tls_link_describe(const struct tls_link *l, char *out, size_t size)
{
	out[0] = '\0';
	if (l->ssl != NULL)
		text_print(out, size, "%s %s", SSL_get_version(l->ssl),
		    SSL_get_cipher_name(l->ssl));
}

/* In TLS 1.2 clients bind by tls-unique (RFC 5802 section 6), which fails them
 * after a resumption: none is offered there. */
bool
tls_link_is_bound(const struct tls_link *l)
{
	return l->ssl != NULL && SSL_version(l->ssl) >= TLS1_3_VERSION;
}

size_t
tls_link_binding(const struct tls_link *l, char out[BINDING_MAX])
{
	if (!tls_link_is_bound(l) ||
	    SSL_export_keying_material(l->ssl, (unsigned char *)out,
		EXPORTER_OCTETS, EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1,
		(const unsigned char *)"", 0, 1) != 1)
		return 0;
	return EXPORTER_OCTETS;
}

bool
tls_link_certificate(
    const struct tls_link *l, const char *kind, char *name, size_t size)
{
	X509 *x = l->ssl == NULL ? NULL : SSL_get0_peer_certificate(l->ssl);

	name[0] = '\0';
	if (x == NULL || SSL_get_verify_result(l->ssl) != X509_V_OK)
		return false;
	tls_client_name(x, kind, name, size);
	return true;
}

void
tls_link_free(struct tls_link *l)
{
	SSL_free(l->ssl);
	l->ssl = NULL;
	l->owed = l->out_at = l->out_end = 0;
	l->starved = l->failed = false;
}
