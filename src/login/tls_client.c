/*
 * tls_client.c - certificates of clients: who is trusted, and whose they are.
 *
 * Runs in: popper-login's parent before it gives up its rights, as root;
 * tls_client_name in a worker.
 */
#include "login/tls_client.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "login/tls.h"

/* Microsoft's user principal name; OpenSSL 3 knows it by number only. */
#define UPN "1.3.6.1.4.1.311.20.2.3"

static int
load_crls(X509_STORE *store, const char *path, struct popper_error *e)
{
	BIO *bio = BIO_new_file(path, "r");
	X509_CRL *crl;
	int count = 0;

	while (bio != NULL &&
	    (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
		if (X509_STORE_add_crl(store, crl) == 1)
			count++;
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	if (count == 0)
		return error_set(e, POPPER_PERMANENT,
		    "tls-client-crl: %s: no list of revoked certificates: %s",
		    path, tls_reason());
	ERR_clear_error();
	X509_STORE_set_flags(
	    store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return 0;
}

int
tls_client_start(
    SSL_CTX *context, const struct settings *s, struct popper_error *e)
{
	STACK_OF(X509_NAME) * names;

	if (s->tls_client_ca[0] == '\0') {
		if (s->tls_client_crl[0] == '\0' && !s->tls_client_required)
			return 0;
		return error_set(e, POPPER_PERMANENT,
		    "%s is of no use without tls-client-ca",
		    s->tls_client_required ? "tls-client-required"
					   : "tls-client-crl");
	}
	names = SSL_load_client_CA_file(s->tls_client_ca);
	if (names == NULL ||
	    SSL_CTX_load_verify_file(context, s->tls_client_ca) != 1)
		return error_set(e, POPPER_PERMANENT, "tls-client-ca: %s: %s",
		    s->tls_client_ca, tls_reason());
	SSL_CTX_set_client_CA_list(context, names);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (s->tls_client_crl[0] == '\0')
		return 0;
	return load_crls(SSL_CTX_get_cert_store(context), s->tls_client_crl, e);
}

/* --- Whose is it? --- */

/* An IA5String is ASCII; OpenSSL reads other octets in it as ISO 8859-1. */
static bool
is_what_it_says(const ASN1_STRING *text)
{
	return ASN1_STRING_type(text) != V_ASN1_IA5STRING ||
	    utf8_is_ascii(popper_slice(
		ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
}

/* True if ${text} is a name that is fit for use. */
static bool
take(const ASN1_STRING *text, char *out, size_t size)
{
	unsigned char *utf8;
	int len;
	bool good;

	if (!is_what_it_says(text))
		return false;
	len = ASN1_STRING_to_UTF8(&utf8, text);
	if (len < 0)
		return false;
	good = len > 0 &&
	    text_from_slice(out, size, popper_slice(utf8, (size_t)len));
	for (const char *p = out; good && *p != '\0'; p++)
		good = (unsigned char)*p >= 0x20 && *p != 0x7f;
	OPENSSL_free(utf8);
	return good;
}

static bool
from_subject(const X509 *x, int nid, char *out, size_t size)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);

	return at >= 0 &&
	    take(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)),
		out, size);
}

/* The text in ${g}, if it is of this kind. */
static const ASN1_STRING *
text_of(const GENERAL_NAME *g, int type)
{
	char oid[sizeof(UPN) + 1];

	if (g->type != type)
		return NULL;
	if (type != GEN_OTHERNAME)
		return g->d.ia5;
	if (OBJ_obj2txt(oid, sizeof(oid), g->d.otherName->type_id, 1) <= 0 ||
	    strcmp(oid, UPN) != 0 ||
	    g->d.otherName->value->type != V_ASN1_UTF8STRING)
		return NULL;
	return g->d.otherName->value->value.utf8string;
}

/* The first one counts, whatever is in it: to look on for a better one would
 * be to let an odd certificate choose. */
static bool
from_alternative(const X509 *x, int type, char *out, size_t size, bool *present)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const ASN1_STRING *text = NULL;
	bool good;

	for (int i = 0; text == NULL && i < sk_GENERAL_NAME_num(names); i++)
		text = text_of(sk_GENERAL_NAME_value(names, i), type);
	*present = text != NULL;
	good = text != NULL && take(text, out, size);
	GENERAL_NAMES_free(names);
	return good;
}

void
tls_client_name(const X509 *x, const char *kind, char *out, size_t size)
{
	bool present = false, good;

	if (strcmp(kind, "email") == 0) {
		good = from_alternative(x, GEN_EMAIL, out, size, &present);
		if (!present)
			good =
			    from_subject(x, NID_pkcs9_emailAddress, out, size);
	} else if (strcmp(kind, "dns") == 0)
		good = from_alternative(x, GEN_DNS, out, size, &present);
	else if (strcmp(kind, "upn") == 0)
		good = from_alternative(x, GEN_OTHERNAME, out, size, &present);
	else
		good = from_subject(x, NID_commonName, out, size);
	if (!good)
		out[0] = '\0';
}
