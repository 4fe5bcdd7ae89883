/* test_chain_secret.c - src/auth/chain.c: whose secret it is, he is */
#include "unit.h"

#include <string.h>

#include "auth/chain.h"
#include "base/error.h"
#include "base/text.h"
#include "mod/loader.h"

/* What a module made here knows of "bob". */
struct fake {
	enum popper_status account; /* OK, or why there is none */
	uid_t uid;
	const char *maildrop; /* of a virtual user, or "" */
	bool tells; /* his secret */
};

static int
lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	const struct fake *f = self;

	assert_int_equal(id->uid, 0);
	assert_string_equal(user, "bob");
	if (f->account != POPPER_OK)
		return error_set(e, f->account, "no account");
	id->uid = f->uid;
	id->flags = f->maildrop[0] == '\0' ? 0 : POPPER_IDENTITY_VIRTUAL;
	assert_true(text_copy(id->maildrop, sizeof(id->maildrop), f->maildrop));
	return 0;
}

static int
secret(void *self, const char *user, const char *kind, char *out, size_t size,
    struct popper_error *e)
{
	const struct fake *f = self;

	(void)user;
	(void)kind;
	if (!f->tells)
		return error_set(e, POPPER_ABSENT, "no secret");
	assert_true(text_copy(out, size, "x"));
	return 0;
}

static const struct popper_auth auth = {
	.size = sizeof(auth), .lookup = lookup, .secret = secret
};
static const struct popper_auth accountless = { .size = sizeof(auth),
	.secret = secret };
static const struct popper_module module = { .name = "one", .auth = &auth };
static const struct popper_module secrets = { .name = "two",
	.auth = &accountless };
static struct chain c;
static struct popper_error e;

const struct popper_module *
loader_load(const char *kind, const char *name, struct popper_error *error)
{
	(void)kind;
	error_set(error, POPPER_PERMANENT, "%s: not here", name);
	return NULL;
}

/* The uid that lookup finds when bob's secret was told, or the error. */
static int
proved(struct fake *first, struct fake *second)
{
	struct popper_identity id;
	char out[8];

	c = (struct chain){ .modules = { .count = 2 },
		.self = { first, second } };
	c.modules.used[0].module = &module;
	c.modules.used[1].module = second->uid == 0 ? &secrets : &module;
	assert_int_equal(
	    chain_secret(&c, "bob", "clear", out, sizeof(out), &e), 0);
	return chain_lookup(&c, "bob", &id, &e) == 0 ? (int)id.uid
						     : -(int)e.status;
}

static void
one_person(void **state)
{
	struct fake system = { .uid = 1000, .maildrop = "" };
	struct fake own = { .uid = 1000, .maildrop = "/x", .tells = true };
	struct fake virtual = { .uid = 5, .maildrop = "/bob", .tells = true };
	struct fake twin = virtual, store = { .tells = true };
	struct fake stranger = { .account = POPPER_ABSENT };

	(void)state;
	assert_int_equal(proved(&virtual, &system), 5);
	assert_int_equal(proved(&stranger, &virtual), 5);
	assert_int_equal(proved(&system, &own), 1000);
	virtual.tells = false;
	assert_int_equal(proved(&virtual, &twin), 5);
	/* A module with secrets alone tells those of another's accounts. */
	assert_int_equal(proved(&system, &store), 1000);
	store =
	    (struct fake){ .account = POPPER_ABSENT, .uid = 5, .tells = true };
	assert_int_equal(proved(&system, &store), 1000);
}

static void
two_persons(void **state)
{
	struct fake system = { .uid = 1000, .maildrop = "" };
	struct fake virtual = { .uid = 5, .maildrop = "/bob", .tells = true };
	struct fake other = { .uid = 5, .maildrop = "/other" };
	struct popper_identity id;

	(void)state;
	assert_int_equal(proved(&system, &virtual), -(int)POPPER_DENIED);
	assert_int_equal(proved(&other, &virtual), -(int)POPPER_DENIED);
	virtual.account = POPPER_TEMPORARY;
	assert_int_equal(proved(&system, &virtual), -(int)POPPER_TEMPORARY);
	/* The next exchange is another. */
	chain_end(&c);
	assert_int_equal(chain_lookup(&c, "bob", &id, &e), 0);
	assert_int_equal(id.uid, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_person),
		cmocka_unit_test(two_persons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
