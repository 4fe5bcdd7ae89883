/*
 * sasl_library.c - libsasl2: its start, its options, its log.
 *
 * Runs in:  the warm parent (start) and the gate.
 *
 * The library belongs to the process, so its callbacks speak for the one
 * instance.  It is given no name, so it reads no file of its own, and is never
 * told that we are done: that would unload plugins which a gate may be using.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sasl.h"

typedef int (*any_function)(void);
/* The way to cast without a warning: this type stands for all. */
#define FUNCTION(f) ((any_function)(void (*)(void))(f))

static struct auth_sasl *instance;

struct setting {
	const char *name, *value;
};

/* What the library asks, whoever asks it: NULL if we leave it to it. */
static const char *
setting_of(const struct auth_sasl *s, const char *name)
{
	bool sasldb = s->store == AUTH_SASL_SASLDB;
	const struct setting settings[] = {
		/* Ours comes behind: it makes up what the first lacks. */
		{ "auxprop_plugin", sasldb ? "sasldb popper" : "popper" },
		{ "sasldb_path", s->conf->sasldb },
		{ "pwcheck_method", sasldb ? "auxprop" : "saslauthd" },
		{ "saslauthd_path", s->conf->saslauthd },
		{ "scram_iteration_counter", s->iterations },
		{ "reauth_timeout", "0" },
		{ "auto_transition", "no" },
		{ "keytab",
		    s->conf->keytab[0] != '\0' ? s->conf->keytab : NULL },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return NULL;
}

static int
get_option(void *context, const char *plugin, const char *name,
    const char **value, unsigned *len)
{
	const struct auth_sasl_exchange *x = context;

	(void)plugin;
	*value = instance != NULL ? setting_of(instance, name) : NULL;
	/* A sasldb shall not come to hold somebody made up: OTP writes. */
	if (x != NULL && x->fake && strcmp(name, "auxprop_plugin") == 0)
		*value = "popper";
	if (len != NULL)
		*len = *value != NULL ? (unsigned)strlen(*value) : 0;
	return *value != NULL ? SASL_OK : SASL_FAIL;
}

static enum popper_level
level_of(int level)
{
	switch (level) {
	case SASL_LOG_ERR:
		return POPPER_LOG_ERROR;
	case SASL_LOG_WARN:
		return POPPER_LOG_WARNING;
	case SASL_LOG_NOTE:
		return POPPER_LOG_INFO;
	default:
		return POPPER_LOG_DEBUG;
	}
}

/* Levels above SASL_LOG_DEBUG show secrets. */
static int
write_log(void *context, int level, const char *text)
{
	(void)context;
	if (instance == NULL || text == NULL || level > SASL_LOG_DEBUG ||
	    (uint64_t)level > instance->conf->log_level)
		return SASL_OK;
	instance->host->log(level_of(level), "sasl: libsasl2: %s", text);
	return SASL_OK;
}

static int
set(const char *name, const char *value)
{
	return value[0] != '\0' ? setenv(name, value, 1) : 0;
}

int
auth_sasl_library_start(struct auth_sasl *s, struct popper_error *e)
{
	static const sasl_callback_t callbacks[] = {
		{ SASL_CB_GETOPT, FUNCTION(get_option), NULL },
		{ SASL_CB_LOG, FUNCTION(write_log), NULL },
		{ SASL_CB_LIST_END, NULL, NULL },
	};
	static bool begun;
	char folder[1024];
	int result;

	(void)snprintf(folder, sizeof(folder), "%s", s->conf->plugins);
	if (instance != NULL)
		return s->host->fail(e, POPPER_PERMANENT,
		    "sasl: modules.conf may name this module once");
	/* The Kerberos library's own way to learn of its files. */
	if (set("KRB5_KTNAME", s->conf->keytab) == -1 ||
	    set("KRB5_CONFIG", s->conf->krb5_conf) == -1)
		return s->host->fail_system(e, POPPER_TEMPORARY, "sasl");
	instance = s;
	result = SASL_OK;
	if (!begun && s->conf->plugins[0] != '\0')
		result = sasl_set_path(SASL_PATH_TYPE_PLUGIN, folder);
	if (result == SASL_OK && !begun)
		result = sasl_server_init(callbacks, NULL);
	if (result == SASL_OK && !begun)
		result = auth_sasl_store_add();
	if (result == SASL_OK) {
		begun = true;
		return 0;
	}
	instance = NULL;
	return s->host->fail(e, POPPER_PERMANENT, "sasl: libsasl2: %s",
	    sasl_errstring(result, NULL, NULL));
}

void
auth_sasl_library_stop(struct auth_sasl *s)
{
	if (instance == s)
		instance = NULL;
}

int
auth_sasl_connect(
    struct auth_sasl_exchange *x, const char *server_name, unsigned flags)
{
	/* No security layer: POP3's octets stay as they are. */
	const sasl_security_properties_t none = { .max_ssf = 0,
		.security_flags = SASL_SEC_NOANONYMOUS | flags };
	int result;

	auth_sasl_names(x);
	x->callbacks[2] =
	    (sasl_callback_t){ SASL_CB_GETOPT, FUNCTION(get_option), x };
	x->callbacks[3] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	/* SASL_SUCCESS_DATA is not set: POP3's +OK carries no data. */
	result = sasl_server_new(x->self->conf->service, server_name, NULL,
	    NULL, NULL, x->callbacks, 0, &x->conn);
	if (result == SASL_OK)
		result = sasl_setprop(x->conn, SASL_SEC_PROPS, &none);
	if (result == SASL_OK && x->binding.len > 0)
		result =
		    sasl_setprop(x->conn, SASL_CHANNEL_BINDING, &x->binding);
	return result;
}
