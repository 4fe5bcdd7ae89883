/*
 * tls_certificate.c - certificates and keys of the server, from PEM files.
 *
 * Runs in: popper-login's parent before it gives up its rights, as root; a
 * worker only compares names.
 */
#include "login/tls_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "login/tls.h"

#define FILE_OCTETS_MAX (1u << 20)
#define RSA_BITS_LEAST 2048 /* RFC 9325 section 4.5 */
#define SECURITY_BITS_LEAST 112

/* A PEM file in memory. */
struct pem {
	const char *path;
	struct stat st;
	size_t len;
	char *text;
};

static void
pem_free(struct pem *p)
{
	if (p->text != NULL)
		secret_wipe(p->text, p->len);
	free(p->text);
	p->text = NULL;
}

/* A link may lead to the file: that is how certificates are renewed. */
static int
pem_read(struct pem *p, const char *path, struct popper_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = -1;

	*p = (struct pem){ .path = path };
	if (fd == -1 || fstat(fd, &p->st) == -1) {
		error_system(e, POPPER_PERMANENT, "%s", path);
		fd_close(&fd);
		return -1;
	}
	if (!S_ISREG(p->st.st_mode) || p->st.st_size > FILE_OCTETS_MAX) {
		fd_close(&fd);
		return error_set(
		    e, POPPER_PERMANENT, "%s: not a PEM file", path);
	}
	p->text = malloc((size_t)p->st.st_size + 1);
	while (p->text != NULL && p->len < (size_t)p->st.st_size) {
		n = read(fd, p->text + p->len, (size_t)p->st.st_size - p->len);
		if (n > 0)
			p->len += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (p->text == NULL || n == -1)
		error_system(e, POPPER_PERMANENT, "%s", path);
	fd_close(&fd);
	if (p->text != NULL && n != -1)
		return 0;
	pem_free(p);
	return -1;
}

/* --- Is it good enough? --- */

static int
check_strength(const char *path, X509 *x, struct popper_error *e)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	bool anchor = X509_check_issued(x, x) == X509_V_OK;
	int digest;

	if (key == NULL)
		return error_set(e, POPPER_PERMANENT,
		    "%s: a certificate with a key of unknown kind", path);
	if (EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_get_bits(key) < RSA_BITS_LEAST)
		return error_set(e, POPPER_PERMANENT,
		    "%s: an RSA key of %d bits; %d is the least that is safe",
		    path, EVP_PKEY_get_bits(key), RSA_BITS_LEAST);
	if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_LEAST)
		return error_set(e, POPPER_PERMANENT,
		    "%s: a key of %d bits is too short", path,
		    EVP_PKEY_get_bits(key));
	/* Nobody looks at the signature of what is trusted as it is. */
	if (anchor ||
	    X509_get_signature_info(x, &digest, NULL, NULL, NULL) != 1)
		return 0;
	if (digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1)
		return error_set(e, POPPER_PERMANENT,
		    "%s: a certificate that is signed with %s; clients take "
		    "SHA-256 or better",
		    path, OBJ_nid2sn(digest));
	return 0;
}

static void
check_time(const char *path, const X509 *x)
{
	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
		log_warning("%s: the certificate has expired", path);
	else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		log_warning("%s: the certificate is not valid yet", path);
}

/* Keys are for root, or whoever starts us, alone. */
static int
check_secrecy(const struct pem *p, struct popper_error *e)
{
	if (p->st.st_uid != 0 && p->st.st_uid != geteuid())
		return error_set(e, POPPER_PERMANENT,
		    "%s: holds a key and belongs to uid %u: chown it to root",
		    p->path, (unsigned)p->st.st_uid);
	if ((p->st.st_mode & 077) != 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s: holds a key and has mode %04o, so that others than "
		    "its owner can use it: chmod 600 %s",
		    p->path, (unsigned)(p->st.st_mode & 07777), p->path);
	return 0;
}

/* --- What is in a file. --- */

/* Its DNS names, once, so that no worker has to take it apart. */
static void
take_names(struct tls_certificate *c)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *g;
	struct popper_slice s;

	for (int i = 0;
	     i < sk_GENERAL_NAME_num(names) && c->names_count < TLS_NAMES_MAX;
	     i++) {
		g = sk_GENERAL_NAME_value(names, i);
		if (g->type != GEN_DNS)
			continue;
		s = popper_slice(ASN1_STRING_get0_data(g->d.dNSName),
		    (size_t)ASN1_STRING_length(g->d.dNSName));
		if (text_is_visible(s) &&
		    (c->names[c->names_count] = strndup(s.ptr, s.len)) != NULL)
			c->names_count++;
	}
	GENERAL_NAMES_free(names);
}

/* Nobody is there to type a passphrase. */
static int
no_passphrase(char *buf, int size, int writing, void *context)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)context = true;
	return -1;
}

static struct tls_certificate *
owner_of(struct tls_certificates *c, const EVP_PKEY *key)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->one[i].key == NULL &&
		    EVP_PKEY_eq(X509_get0_pubkey(c->one[i].leaf), key) == 1)
			return &c->one[i];
	return NULL;
}

/* Give the keys in the file to their certificates. */
static int
take_keys(struct tls_certificates *c, const struct pem *p, bool must,
    struct popper_error *e)
{
	BIO *bio = BIO_new_mem_buf(p->text, (int)p->len);
	bool asked = false, stray = false;
	struct tls_certificate *owner;
	size_t count = 0;
	EVP_PKEY *key;

	while (bio != NULL && !BIO_eof(bio) &&
	    (key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked)) !=
		NULL) {
		count++;
		if ((owner = owner_of(c, key)) != NULL)
			owner->key = key;
		else {
			stray = true;
			EVP_PKEY_free(key);
		}
	}
	BIO_free(bio);
	ERR_clear_error();
	if (asked)
		return error_set(e, POPPER_PERMANENT,
		    "%s: the key has a passphrase, which nobody is there to "
		    "type: openssl pkey takes it off",
		    p->path);
	if (count > 0 && check_secrecy(p, e) == -1)
		return -1;
	if (stray)
		return error_set(e, POPPER_PERMANENT,
		    "%s: a key that fits no certificate of tls-certificate",
		    p->path);
	if (must && count == 0)
		return error_set(
		    e, POPPER_PERMANENT, "%s: there is no key in it", p->path);
	return 0;
}

static int
take_chain(struct tls_certificate *one, BIO *bio, struct popper_error *e)
{
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (check_strength(one->file, x, e) == -1 ||
		    sk_X509_push(one->chain, x) == 0) {
			X509_free(x);
			return -1;
		}
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return error_set(e, POPPER_PERMANENT,
		    "%s: a certificate that cannot be read: %s", one->file,
		    tls_reason());
	ERR_clear_error();
	return 0;
}

static int
take_certificate(
    struct tls_certificates *c, const struct pem *p, struct popper_error *e)
{
	struct tls_certificate *one = &c->one[c->count];
	BIO *bio = BIO_new_mem_buf(p->text, (int)p->len);
	int result = -1;

	text_copy(one->file, sizeof(one->file), p->path);
	one->chain = sk_X509_new_null();
	one->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (one->leaf == NULL)
		error_set(e, POPPER_PERMANENT,
		    "%s: there is no certificate in it: %s", p->path,
		    tls_reason());
	else if (check_strength(p->path, one->leaf, e) == 0) {
		check_time(p->path, one->leaf);
		one->kind = EVP_PKEY_get_base_id(X509_get0_pubkey(one->leaf));
		take_names(one);
		c->count++;
		result = take_chain(one, bio, e);
	}
	BIO_free(bio);
	return result;
}

/* --- All files. --- */

typedef int take_file(
    struct tls_certificates *, const struct pem *, struct popper_error *);

static int
take_certificate_file(
    struct tls_certificates *c, const struct pem *p, struct popper_error *e)
{
	if (c->count == TLS_CERTIFICATES_MAX)
		return error_set(e, POPPER_PERMANENT,
		    "tls-certificate: more than %d files",
		    TLS_CERTIFICATES_MAX);
	return take_certificate(c, p, e);
}

static int
take_own_keys(
    struct tls_certificates *c, const struct pem *p, struct popper_error *e)
{
	return take_keys(c, p, false, e);
}

static int
take_key_file(
    struct tls_certificates *c, const struct pem *p, struct popper_error *e)
{
	return take_keys(c, p, true, e);
}

/* Call ${take} for each of the space separated files. */
static int
each(const char *files, take_file *take, struct tls_certificates *c,
    struct popper_error *e)
{
	char *copy = strdup(files), *rest = copy, *path;
	struct pem p;
	int result = copy == NULL ? -1 : 0;

	if (copy == NULL)
		return error_system(e, POPPER_PERMANENT, "out of memory");
	while (result == 0 && (path = strsep(&rest, " ")) != NULL) {
		if (path[0] == '\0')
			continue;
		if (pem_read(&p, path, e) == -1)
			result = -1;
		else {
			result = take(c, &p, e);
			pem_free(&p);
		}
	}
	free(copy);
	return result;
}

int
tls_certificates_load(struct tls_certificates *c, const char *certificates,
    const char *keys, struct popper_error *e)
{
	if (each(certificates, take_certificate_file, c, e) == -1 ||
	    each(certificates, take_own_keys, c, e) == -1 ||
	    each(keys, take_key_file, c, e) == -1)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (c->one[i].key == NULL)
			return error_set(e, POPPER_PERMANENT,
			    "%s: no key fits this certificate: name its file "
			    "in tls-key",
			    c->one[i].file);
	return 0;
}

/* --- Names. --- */

static int
fits(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');

	if (strcasecmp(pattern, name) == 0)
		return 2;
	return strncmp(pattern, "*.", 2) == 0 && dot != NULL && dot != name &&
	    strcasecmp(pattern + 1, dot) == 0;
}

int
tls_certificate_fits(const struct tls_certificate *c, const char *name)
{
	int best = 0, f;

	for (size_t i = 0; i < c->names_count && best < 2; i++) {
		f = fits(c->names[i], name);
		if (f > best)
			best = f;
	}
	return best;
}
