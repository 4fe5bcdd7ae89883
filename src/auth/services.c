/*
 * services.c - what auth modules may ask the server.
 *
 * Runs in: popper-auth; the functions in the gate of one connection, as root.
 */
#include "auth/services.h"

#include "base/error.h"
#include "base/text.h"
#include "mod/host.h"

static struct chain *chain;
static const struct settings *settings;
static const char *client_address = "";
static struct name asked, told; /* of it, but for the user */

static int
canonical(char *out, size_t size, const char *name, struct popper_error *e)
{
	struct name n;

	if (name_make(settings, name, &n, e) == -1)
		return -1;
	if (!text_copy(out, size, n.user))
		return error_set(e, POPPER_DENIED, "the name is too long");
	asked = n;
	return 0;
}

static int
lookup(const char *user, struct popper_identity *id, struct popper_error *e)
{
	return chain_lookup(chain, user, id, e);
}

static int
secret(const char *user, const char *kind, char *out, size_t size,
    struct popper_error *e)
{
	return chain_secret(chain, user, kind, out, size, e);
}

static const char *
client(void)
{
	return client_address;
}

void
services_client(const char *address)
{
	client_address = address;
}

const struct popper_host *
services_of(struct chain *c, const struct settings *s)
{
	static struct popper_host host;

	chain = c;
	settings = s;
	host = host_services;
	host.canonical = canonical;
	host.lookup = lookup;
	host.secret = secret;
	host.client = client;
	return &host;
}

const struct name *
services_name(void)
{
	told = asked;
	asked.folder[0] = '\0';
	asked.suffix[0] = '\0';
	return &told;
}
