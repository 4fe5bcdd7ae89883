/*
 * secure.c - TLS of the load generator.
 *
 * Runs in:  bench/popload.
 *
 * Each session makes a full handshake, as a server meets it from a client that
 * it has not seen.  The certificate is not verified: that costs the client
 * only.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include "client.h"
#include "secure.h"

static SSL_CTX *context;

void
secure_prepare(void)
{
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) /* send() is OpenSSL's */
		err(2, "signal");
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(context, "X25519") != 1 ||
	    SSL_CTX_set1_sigalgs_list(context, "ecdsa_secp256r1_sha256") != 1)
		errx(2, "no TLS");
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

void
secure_start(struct client *c)
{
	c->ssl = SSL_new(context);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		errx(2, "no memory for TLS");
	SSL_set_connect_state(c->ssl);
}

int
secure_handshake(struct client *c, uint32_t *events)
{
	int n = SSL_do_handshake(c->ssl);

	if (n == 1) {
		if (SSL_session_reused(c->ssl))
			errx(2, "a session was resumed");
		return 1;
	}
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		*events = EPOLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*events = EPOLLIN | EPOLLOUT;
		return 0;
	default:
		return -1;
	}
}

ssize_t
secure_send(struct client *c, const char *data, size_t len)
{
	size_t sent;

	return SSL_write_ex(c->ssl, data, len, &sent) == 1 ? (ssize_t)sent : -1;
}

ssize_t
secure_receive(struct client *c, char *buffer, size_t size)
{
	size_t n;

	if (SSL_read_ex(c->ssl, buffer, size, &n) == 1)
		return (ssize_t)n;
	if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ)
		return 0;
	errno = EAGAIN;
	return -1;
}

void
secure_end(struct client *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
}
