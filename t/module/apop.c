/* apop.c - see apop.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gdbm.h>

#include "apop.h"

extern const struct popper_module apop_LTX_popper_module;

const struct popper_auth *ap_driver;
struct apop_conf ap_conf;
char ap_file[512];
void *ap_self;
struct popper_error ap_error;
enum popper_status ap_account; /* what lookup says of anybody */
unsigned ap_lookups;

static int
look_up(const char *user, struct popper_identity *id, struct popper_error *e)
{
	ap_lookups++;
	if (ap_account != POPPER_OK)
		return (auth_host.fail)(e, ap_account, "lookup says so");
	(void)snprintf(id->user, sizeof(id->user), "%s", user);
	id->uid = 1234;
	return 0;
}

/* ${value} as it lies in the file, with its NULs. */
void
ap_store_octets(
    const char *name, size_t name_len, const char *value, size_t value_len)
{
	char key[512], octets[1024];
	datum k = { .dptr = key, .dsize = (int)name_len };
	datum v = { .dptr = octets, .dsize = (int)value_len };
	GDBM_FILE db = gdbm_open(ap_file, 0, GDBM_WRCREAT, 0600, NULL);

	assert_non_null(db);
	memcpy(key, name, name_len);
	memcpy(octets, value, value_len);
	assert_int_equal(gdbm_store(db, k, v, GDBM_REPLACE), 0);
	assert_int_equal(gdbm_close(db), 0);
}

void
ap_store(const char *user, const char *secret, const char *verifier)
{
	char value[1024];
	size_t len = strlen(secret);

	for (size_t i = 0; i < len; i++)
		value[i] = (char)~secret[i];
	value[len++] = '\0';
	memcpy(value + len, verifier, strlen(verifier) + 1);
	len += strlen(verifier) + 1;
	ap_store_octets(user, strlen(user) + 1, value, len);
}

int
ap_setup(void **state)
{
	(void)state;
	ap_driver = apop_LTX_popper_module.auth;
	ap_self = NULL;
	auth_folder_make();
	auth_host.lookup = look_up;
	ap_account = POPPER_OK;
	ap_lookups = 0;
	(void)snprintf(ap_file, sizeof(ap_file), "%s/mailauth", auth_folder);
	ap_conf = (struct apop_conf){ .file = ap_file, .owner = "" };
	ap_store("mrose", "tanstaaf", "");
	return 0;
}

int
ap_teardown(void **state)
{
	(void)state;
	ap_driver->stop(ap_self);
	auth_folder_remove();
	return 0;
}

void
ap_start(void)
{
	assert_int_equal(
	    ap_driver->start(&auth_host, &ap_conf, &ap_self, &ap_error), 0);
}

enum popper_verdict
ap_attempt(const char *mechanism, const char *user, const char *timestamp,
    struct popper_slice secret)
{
	const struct popper_attempt a = {
		.size = sizeof(a),
		.mechanism = mechanism,
		.user = user,
		.secret = secret,
		.timestamp = timestamp,
		.client = "192.0.2.7",
		.server = "192.0.2.1",
		.server_name = "pop.example.org",
		.certificate = "",
	};
	void *exchange = &ap_error;
	enum popper_verdict v;

	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
	v = ap_driver->begin(ap_self, &a, &exchange, &auth_answer);
	ap_driver->end(exchange);
	return v;
}

enum popper_verdict
ap_login(const char *user, const char *digest)
{
	return ap_attempt("APOP", user, STAMP, popper_slice_text(digest));
}
