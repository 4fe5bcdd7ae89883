/*
 * tls.c - TLS of popper-login: one context for all workers.
 *
 * Runs in: popper-login's parent; tls_start before it gives up its rights, as
 * root.
 */
#include "login/tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "login/tls_bio.h"
#include "login/tls_certificate.h"
#include "login/tls_client.h"
#include "login/tls_select.h"
#include "login/tls_warm.h"

/* Seconds that a session may be resumed, and ms that the key of its ticket
 * lives: nobody who gets at it can read what was recorded earlier. */
#define SESSION_SECONDS 7200
#define TICKET_KEY_LIFE (24 * 3600 * 1000)
#define GROUPS_MAX 512
#define TICKET_KEY_OCTETS 80 /* as OpenSSL wants it */

static SSL_CTX *context;
static deadline_t new_keys;

SSL_CTX *
tls_context(void)
{
	return context;
}

const char *
tls_reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	return text != NULL ? text : "no reason given";
}

bool
tls_tend(void)
{
	unsigned char keys[TICKET_KEY_OCTETS];

	if (context == NULL || deadline_left(new_keys) > 0)
		return false;
	/* The old ones are overwritten: their tickets are of no use any more.
	 */
	if (RAND_priv_bytes(keys, sizeof(keys)) != 1 ||
	    SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof(keys)) != 1)
		log_warning(
		    "no new keys for session tickets: %s", tls_reason());
	secret_wipe(keys, sizeof(keys));
	new_keys = deadline_in(TICKET_KEY_LIFE);
	return true;
}

/* What the administrator says about versions and ciphers. */
static int
set_algorithms(const struct settings *s, struct popper_error *e)
{
	int least = strcmp(s->tls_minimum, "1.3") == 0 ? TLS1_3_VERSION
						       : TLS1_2_VERSION;
	const char *option = "tls-minimum", *value = s->tls_minimum;
	char groups[GROUPS_MAX]; /* the library takes no const */

	if (SSL_CTX_set_min_proto_version(context, least) != 1 ||
	    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1)
		goto wrong;
	option = "tls-ciphers";
	value = s->tls_ciphers;
	if (SSL_CTX_set_cipher_list(context, value) != 1)
		goto wrong;
	option = "tls-suites";
	value = s->tls_suites;
	if (SSL_CTX_set_ciphersuites(context, value) != 1)
		goto wrong;
	option = "tls-groups";
	value = s->tls_groups;
	if (!text_copy(groups, sizeof(groups), value) ||
	    SSL_CTX_set1_groups_list(context, groups) != 1)
		goto wrong;
	return 0;
wrong:
	return error_set(e, POPPER_PERMANENT, "%s = \"%.200s\": %s", option,
	    value, tls_reason());
}

static void
set_manners(const struct settings *s)
{
	static const unsigned char id[] = "popper";

	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
		(s->worker_uses > 1 ? SSL_OP_CLEANSE_PLAINTEXT : 0));
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	/* What is resumed lies with the client, in a ticket. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(context, SESSION_SECONDS);
	SSL_CTX_set_num_tickets(context, 1);
	if (SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) != 1)
		log_warning("TLS sessions cannot be resumed: %s", tls_reason());
}

static int
make_context(const struct settings *s, struct popper_error *e)
{
	static struct tls_certificates certificates;

	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL)
		return error_set(e, POPPER_PERMANENT, "TLS: %s", tls_reason());
	set_manners(s);
	if (set_algorithms(s, e) == -1 ||
	    tls_certificates_load(
		&certificates, s->tls_certificate, s->tls_key, e) == -1 ||
	    tls_select_start(context, &certificates, s, e) == -1)
		return -1;
	if (tls_client_start(context, s, e) == -1)
		return -1;
	/* A certificate that was revoked meanwhile must not be resumed. */
	if (s->tls_client_ca[0] != '\0') {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(context, 0);
	}
	tls_tend();
	return 0;
}

void
tls_start(const struct settings *s)
{
	struct popper_error e;

	if (s->tls_certificate[0] == '\0' ||
	    strcmp(s->tls_support, "none") == 0)
		return;
	error_clear(&e);
	if (make_context(s, &e) == -1)
		log_fatal("%s", e.text);
	tls_bio_start();
	tls_warm(context);
}
