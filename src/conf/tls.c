/*
 * tls.c - do the options of TLS make sense together?
 *
 * Runs in: the master, at start and at SIGHUP, as root.  Opens no file.
 */
#include "conf/tls.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* Is ${value} a word of the list?  ${words} are separated by blanks. */
static bool
is_one_of(const char *value, const char *words)
{
	size_t len = strlen(value);

	for (; *words != '\0'; words += strspn(words, " ")) {
		size_t word = strcspn(words, " ");

		if (word == len && memcmp(words, value, len) == 0)
			return true;
		words += word;
	}
	return false;
}

static int
check_words(const struct settings *s, struct popper_error *e)
{
	const struct {
		const char *name, *value, *words;
	} options[] = {
		{ "tls-support", s->tls_support,
		    "default none stls alternate-port" },
		{ "tls-minimum", s->tls_minimum, "1.2 1.3" },
		{ "tls-client-name", s->tls_client_name, "email dns upn cn" },
		{ "clear-text-password", s->clear_text_password,
		    "default always local tls never" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!is_one_of(options[i].value, options[i].words))
			return error_set(e, POPPER_PERMANENT,
			    "%s = \"%.80s\": must be one of: %s",
			    options[i].name, options[i].value,
			    options[i].words);
	return 0;
}

/* The option that asks for TLS, or NULL. */
static const char *
wants_tls(const struct settings *s)
{
	if (s->listen_tls[strspn(s->listen_tls, " ")] != '\0')
		return "listen-tls";
	if (strcmp(s->clear_text_password, "tls") == 0)
		return "clear-text-password = tls";
	if (strcmp(s->tls_support, "stls") == 0)
		return "tls-support = stls";
	if (strcmp(s->tls_support, "alternate-port") == 0)
		return "tls-support = alternate-port";
	return NULL;
}

int
tls_check(const struct settings *s, struct popper_error *e)
{
	const char *wanting = wants_tls(s);
	bool none = strcmp(s->tls_support, "none") == 0;

	if (check_words(s, e) == -1)
		return -1;
	if (wanting != NULL && (none || s->tls_certificate[0] == '\0'))
		return error_set(e, POPPER_PERMANENT, "%s needs TLS: %s",
		    wanting,
		    none ? "do not set tls-support = none"
			 : "set tls-certificate");
	if (s->tls_key[0] != '\0' && s->tls_certificate[0] == '\0')
		return error_set(e, POPPER_PERMANENT,
		    "tls-key needs a certificate: set tls-certificate");
	if (s->tls_client_ca[0] != '\0')
		return 0;
	if (s->tls_client_crl[0] != '\0')
		return error_set(e, POPPER_PERMANENT,
		    "tls-client-crl needs a CA: set tls-client-ca");
	if (s->tls_client_required)
		return error_set(e, POPPER_PERMANENT,
		    "tls-client-required needs a CA: set tls-client-ca");
	return 0;
}
