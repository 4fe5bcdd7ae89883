/*
 * tls_select.c - which certificate, which protocol.
 *
 * Runs in: popper-login: tls_select_start in the parent, the rest in workers.
 */
#include "login/tls_select.h"

#include <string.h>

#include "base/error.h"
#include "login/tls.h"

#define KINDS_MAX 8 /* of keys: RSA, EC, Ed25519 ... */

/* For one name: at most one certificate for each kind of key. */
struct choice {
	size_t count;
	const struct tls_certificate *one[KINDS_MAX];
	int fit[KINDS_MAX];
};

static const struct tls_certificates *all;
static const struct settings *settings;
static struct choice usual; /* lies in the context */

/* An exact name is better than a wildcard, the first better than later ones. */
static void
offer(struct choice *c, const struct tls_certificate *one, int fit)
{
	size_t i = 0;

	while (i < c->count && c->one[i]->kind != one->kind)
		i++;
	if (i == KINDS_MAX || (i < c->count && c->fit[i] >= fit))
		return;
	c->one[i] = one;
	c->fit[i] = fit;
	if (i == c->count)
		c->count++;
}

static void
choose(struct choice *c, const char *name)
{
	int fit;

	c->count = 0;
	for (size_t i = 0; i < all->count; i++) {
		fit = tls_certificate_fits(&all->one[i], name);
		if (fit > 0)
			offer(c, &all->one[i], fit);
	}
}

/* What who asks for nothing gets: the first certificate, and those of another
 * kind that have its first name as well. */
static void
choose_usual(void)
{
	if (all->one[0].names_count > 0)
		choose(&usual, all->one[0].names[0]);
	for (size_t i = 0; i < usual.count; i++)
		if (usual.one[i]->kind == all->one[0].kind)
			usual.one[i] = &all->one[0];
	if (usual.count == 0)
		offer(&usual, &all->one[0], 2);
}

static bool
is_usual(const struct choice *c)
{
	return c->count == usual.count &&
	    memcmp(c->one, usual.one, c->count * sizeof(*c->one)) == 0;
}

static int
server_name(SSL *ssl, int *alert, void *context)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct choice c;

	(void)context;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	choose(&c, name);
	if (c.count > 0)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return settings->tls_strict_names ? SSL_TLSEXT_ERR_ALERT_FATAL
					  : SSL_TLSEXT_ERR_NOACK;
}

static int
certificate(SSL *ssl, void *context)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct choice c;

	(void)context;
	if (name == NULL)
		return 1;
	choose(&c, name);
	if (c.count == 0 || is_usual(&c))
		return 1;
	SSL_certs_clear(ssl);
	for (size_t i = 0; i < c.count; i++)
		if (SSL_use_cert_and_key(ssl, c.one[i]->leaf, c.one[i]->key,
			c.one[i]->chain, 1) != 1)
			return 0;
	return 1;
}

/* RFC 7301 section 3.2. */
static int
protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned size, void *context)
{
	static const unsigned char pop3[] = { 'p', 'o', 'p', '3' };

	(void)ssl;
	(void)context;
	for (unsigned at = 0; at < size && in[at] < size - at;
	     at += in[at] + 1u)
		if (in[at] == sizeof(pop3) &&
		    memcmp(in + at + 1, pop3, sizeof(pop3)) == 0) {
			*out = in + at + 1;
			*len = in[at];
			return SSL_TLSEXT_ERR_OK;
		}
	return settings->tls_strict_alpn ? SSL_TLSEXT_ERR_ALERT_FATAL
					 : SSL_TLSEXT_ERR_NOACK;
}

int
tls_select_start(SSL_CTX *context, const struct tls_certificates *c,
    const struct settings *s, struct popper_error *e)
{
	all = c;
	settings = s;
	choose_usual();
	for (size_t i = 0; i < usual.count; i++)
		if (SSL_CTX_use_cert_and_key(context, usual.one[i]->leaf,
			usual.one[i]->key, usual.one[i]->chain, 1) != 1)
			return error_set(e, POPPER_PERMANENT, "%s: %s",
			    usual.one[i]->file, tls_reason());
	SSL_CTX_set_tlsext_servername_callback(context, server_name);
	if (all->count > 1)
		SSL_CTX_set_cert_cb(context, certificate, NULL);
	SSL_CTX_set_alpn_select_cb(context, protocol, NULL);
	return 0;
}
