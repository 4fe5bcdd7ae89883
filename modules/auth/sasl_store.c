/*
 * sasl_store.c - the secrets that libsasl2 checks a response against.
 *
 * Runs in:  the gate, as root; called back by libsasl2, which calls such a
 *           store an auxprop plugin.
 *
 * With store popper they are those of the other modules: SCRAM's keys, or a
 * clear-text password for the older mechanisms.  With a sasldb this one comes
 * behind libsasl2's own.  Whoever has no secret is given one nobody knows: the
 * exchange then goes as with a wrong password.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sasl.h"

static char store_name[] = "popper";

int
auth_sasl_store_check(const struct auth_sasl *s, struct popper_error *e)
{
	const char *path = s->conf->sasldb;
	struct stat st;
	int fd, result;

	if (s->store != AUTH_SASL_SASLDB)
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return s->host->fail_system(
		    e, POPPER_TEMPORARY, "sasl: sasldb %s", path);
	if (fstat(fd, &st) == -1)
		result = s->host->fail_system(
		    e, POPPER_TEMPORARY, "sasl: sasldb %s", path);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 027) != 0 ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		result = s->host->fail(e, POPPER_PERMANENT,
		    "sasl: sasldb %s holds passwords: it must be root's or our "
		    "own, and closed to others (chmod 640)",
		    path);
	else
		result = 0;
	(void)close(fd);
	return result;
}

/* A stored secret of the user: 1, 0 if there is none, -1 if we cannot say. */
static int
stored(struct auth_sasl_exchange *x, const char *kind, char *out, size_t size)
{
	if (x->self->host->secret(x->user, kind, out, size, &x->error) == 0)
		return 1;
	if (x->error.status == POPPER_ABSENT ||
	    x->error.status == POPPER_DENIED)
		return 0;
	x->troubled = true;
	return -1;
}

static void
base_name(const char *mechanism, char out[AUTH_SASL_NAME_MAX])
{
	size_t len = strlen(mechanism);

	if (auth_sasl_is_plus(mechanism))
		len -= strlen("-PLUS");
	memcpy(out, mechanism, len);
	out[len] = '\0';
}

/* The clear-text secret, or a made-up one. */
static int
clear_secret(
    struct auth_sasl_exchange *x, const char *mechanism, char *out, size_t size)
{
	char made_up[33];
	int found = 0;

	if (x->self->store == AUTH_SASL_POPPER && x->self->conf->clear_secrets)
		found = stored(x, "clear", out, size);
	if (found == -1)
		return -1;
	/* Made in any case, so that it costs the same. */
	auth_sasl_fake_clear(x->self, mechanism, x->user, made_up);
	if (found == 0 || out[0] == '\0') {
		memcpy(out, made_up, sizeof(made_up));
		x->fake = true;
	}
	return 0;
}

/* Keys of SCRAM: stored, derived from a clear-text secret, or made up. */
static int
scram_keys(struct auth_sasl_exchange *x, char *out, size_t size)
{
	const struct auth_sasl *s = x->self;
	char kind[AUTH_SASL_NAME_MAX], clear[AUTH_SASL_TEXT_MAX];
	char other[AUTH_SASL_TEXT_MAX];
	const char *const who[2] = { kind, x->user };
	int found, result;

	base_name(x->mechanism, kind);
	found = stored(x, kind, out, size);
	if (found == -1)
		return -1;
	if (!s->conf->scram_from_clear) {
		result =
		    auth_sasl_fake_keys(s, kind, x->user, other, sizeof(other));
		x->fake = true;
	} else {
		result = clear_secret(x, kind, clear, sizeof(clear));
		if (result == 0)
			result = auth_sasl_derive(
			    s, who, clear, other, sizeof(other));
		s->host->wipe(clear, sizeof(clear));
	}
	if (found == 1)
		x->fake = false;
	else
		memcpy(out, other, size < sizeof(other) ? size : sizeof(other));
	s->host->wipe(other, sizeof(other));
	return result;
}

static int
give(sasl_server_params_t *p, const struct propval *wanted, const char *value)
{
	return p->utils->prop_set(
	    p->propctx, wanted->name, value, (int)strlen(value));
}

/* An entry of one-time passwords as the plugin writes them, for nobody. */
static int
give_otp(struct auth_sasl_exchange *x, sasl_server_params_t *p,
    const struct propval *wanted)
{
	const char *const label[3] = { "otp", "", x->user };
	unsigned char made_up[4];
	char secret[33], text[AUTH_SASL_TEXT_MAX];

	auth_sasl_fake(x->self, label, made_up, sizeof(made_up));
	auth_sasl_fake_clear(x->self, "OTP", x->user, secret);
	(void)snprintf(text, sizeof(text), "md5\t%04u\t%.2s%04u\t%.16s\t%020u",
	    499u - made_up[0] % 64u, p->serverFQDN,
	    1u + (made_up[1] * 256u + made_up[2]) % 9999u, secret, 0u);
	x->fake = true;
	return give(p, wanted, text);
}

/* One property.  SASL_OK also if it is none of ours. */
static int
answer(struct auth_sasl_exchange *x, sasl_server_params_t *p,
    const struct propval *wanted)
{
	const char *name = wanted->name + (wanted->name[0] == '*');
	bool scram =
	    x->kind == AUTH_SASL_SCRAM && x->self->store == AUTH_SASL_POPPER;
	char text[AUTH_SASL_TEXT_MAX];
	int result;

	if (strcasecmp(name, "cmusaslsecretOTP") == 0)
		return give_otp(x, p, wanted);
	if (strcasecmp(name, scram ? "authPassword" : "userPassword") != 0)
		return SASL_OK;
	if (scram)
		result = scram_keys(x, text, sizeof(text));
	else
		result = clear_secret(x, x->mechanism, text, sizeof(text));
	result = result == 0 ? give(p, wanted, text) : SASL_UNAVAIL;
	x->self->host->wipe(text, sizeof(text));
	return result;
}

/* Has a store before us answered already? */
static bool
is_answered(const struct propval *all)
{
	for (; all->name != NULL; all++)
		if (all->name[0] == '*' && all->values != NULL)
			return true;
	return false;
}

static int
look_up(void *global, sasl_server_params_t *p, unsigned flags, const char *user,
    unsigned len)
{
	const struct propval *wanted = p->utils->prop_get(p->propctx);
	sasl_callback_ft ignored;
	void *context = NULL;
	int result = SASL_OK;

	(void)global;
	(void)user; /* the exchange has it, canonical */
	(void)len;
	if (wanted == NULL || (flags & SASL_AUXPROP_AUTHZID) != 0 ||
	    p->utils->getcallback(p->utils->conn, SASL_CB_CANON_USER, &ignored,
		&context) != SASL_OK ||
	    context == NULL || is_answered(wanted))
		return SASL_OK;
	for (; wanted->name != NULL && result == SASL_OK; wanted++)
		result = answer(context, p, wanted);
	return result;
}

static int
plug(const sasl_utils_t *utils, int newest, int *version,
    sasl_auxprop_plug_t **plugin, const char *name)
{
	static sasl_auxprop_plug_t us = { .auxprop_lookup = look_up,
		.name = store_name };

	(void)utils;
	(void)name;
	if (newest < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*version = SASL_AUXPROP_PLUG_VERSION;
	*plugin = &us;
	return SASL_OK;
}

int
auth_sasl_store_add(void)
{
	return sasl_auxprop_add_plugin(store_name, plug);
}
