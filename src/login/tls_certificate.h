/*
 * tls_certificate.h - certificates and keys of the server, from PEM files.
 */
#ifndef LOGIN_TLS_CERTIFICATE_H
#define LOGIN_TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include <popper/error.h>

#define TLS_CERTIFICATES_MAX 64
#define TLS_NAMES_MAX 256 /* of one certificate */

/* One certificate of ours, what leads from it to its CA, and its key. */
struct tls_certificate {
	char file[256]; /* for the log */
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key; /* NULL until one was found */
	int kind; /* EVP_PKEY_RSA, EVP_PKEY_EC ... */
	size_t names_count;
	char *names[TLS_NAMES_MAX]; /* DNS names */
};

struct tls_certificates {
	size_t count;
	struct tls_certificate one[TLS_CERTIFICATES_MAX];
};

/**
 * tls_certificates_load(c, certificates, keys, error):
 * Read the space separated PEM files ${certificates}: each begins with a
 * certificate of ours, goes on with its chain, and may hold its key.  Then
 * those of ${keys}, in any order: a key belongs to the certificate that has its
 * public key.  Refuses what nobody should use: short keys, SHA-1, a key file
 * that others can read.  Warns in the log of certificates that are not valid
 * now.  0, or -1 with ${error} filled; ${c} is then partly filled, and of no
 * use.
 */
int tls_certificates_load(struct tls_certificates *, const char *certificates,
    const char *keys, struct popper_error *);

/**
 * tls_certificate_fits(c, name):
 * 2 if one of its DNS names is ${name}, 1 if one with "*" as its left-most
 * label covers it, 0 if none does.  ${name} is what a client sent.
 */
int tls_certificate_fits(const struct tls_certificate *, const char *name);

#endif
