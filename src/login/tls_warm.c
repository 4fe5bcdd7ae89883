/*
 * tls_warm.c - one handshake with ourselves, before the first client comes.
 *
 * Runs in: popper-login's parent, before it gives up its rights, as root.
 */
#include "login/tls_warm.h"

#include "base/log.h"
#include "login/tls.h"

#define ROUNDS_MAX 20

/* Both sides in turn, until both are done. */
static bool
shake_hands(SSL *server, SSL *client)
{
	char octet = 0;
	size_t n;

	for (int i = 0; i < ROUNDS_MAX; i++)
		if ((SSL_connect(client) & SSL_accept(server)) == 1)
			return SSL_write_ex(client, &octet, 1, &n) == 1 &&
			    SSL_read_ex(server, &octet, 1, &n) == 1 &&
			    SSL_write_ex(server, &octet, 1, &n) == 1;
	return false;
}

static void
try_version(SSL_CTX *ours, SSL_CTX *theirs, int version)
{
	SSL *server = SSL_new(ours), *client = SSL_new(theirs);
	BIO *one = NULL, *other = NULL;

	if (server == NULL || client == NULL ||
	    SSL_set_max_proto_version(client, version) != 1 ||
	    BIO_new_bio_pair(&one, 65536, &other, 65536) != 1)
		goto out;
	SSL_set_bio(server, one, one);
	SSL_set_bio(client, other, other);
	if (!shake_hands(server, client))
		log_warning(
		    "TLS: a handshake with ourselves failed: %s", tls_reason());
out:
	SSL_free(client);
	SSL_free(server);
}

void
tls_warm(SSL_CTX *ours)
{
	SSL_CTX *theirs = SSL_CTX_new(TLS_client_method());

	if (theirs == NULL)
		return;
	if (SSL_CTX_get_min_proto_version(ours) <= TLS1_2_VERSION)
		try_version(ours, theirs, TLS1_2_VERSION);
	try_version(ours, theirs, TLS1_3_VERSION);
	SSL_CTX_free(theirs);
}
