/* test_exchange.c - src/auth/exchange.c: EXTERNAL, with a module made here */
#include "unit.h"

#include <string.h>

#include "auth/exchange.h"
#include "base/error.h"
#include "base/text.h"
#include "mod/loader.h"

/* Knows everybody. */
static int
lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *error)
{
	(void)self;
	(void)error;
	id->uid = 77;
	assert_true(text_copy(id->user, sizeof(id->user), user));
	return 0;
}

static const struct popper_mechanism nothing[] = { { .name = NULL } };
static const struct popper_auth auth = { .size = sizeof(auth),
	.lookup = lookup };
static const struct popper_module module = { .name = "one", .auth = &auth };
static struct chain chain = { .modules = { .count = 1 } };
static struct settings settings;
static struct popper_answer answer;

const struct popper_module *
loader_load(const char *kind, const char *name, struct popper_error *e)
{
	(void)kind;
	error_set(e, POPPER_PERMANENT, "%s: not here", name);
	return NULL;
}

static char given_suffix[NAME_SUFFIX_MAX + 1];

static int
make(void **state)
{
	(void)state;
	chain.modules.used[0].module = &module;
	chain.offers[0] = nothing;
	settings = (struct settings){ .tls_client_ca = "/ca.pem",
		.mailbox_separator = "+",
		.default_domain = "",
		.name_suffix = "-no-mime",
		.name_suffix_except = "" };
	return 0;
}

/* EXTERNAL of a client with a certificate, who asks to be ${acts_as}. */
static enum popper_verdict
as(const char *certificate, const char *acts_as)
{
	struct exchange x = {
		.chain = &chain, .settings = &settings, .client = ""
	};
	struct attempt a = { .begins = true,
		.mechanism = "EXTERNAL",
		.initial = true,
		.secret = popper_slice_text(acts_as) };
	enum popper_verdict v;

	assert_true(
	    text_copy(a.certificate, sizeof(a.certificate), certificate));
	v = exchange_begin(&x, &a, &answer);
	text_copy(given_suffix, sizeof(given_suffix), x.suffix);
	exchange_end(&x);
	return v;
}

static void
a_certificate_is_its_owner(void **state)
{
	(void)state;
	assert_int_equal(as("mary", ""), POPPER_AUTH_YES);
	assert_string_equal(answer.identity.user, "mary");
	assert_int_equal(as("mary", "mary+lists"), POPPER_AUTH_YES);
	assert_string_equal(answer.identity.user, "mary");
	assert_string_equal(answer.identity.folder, "lists");
	assert_string_equal(given_suffix, "");
	assert_int_equal(as("mary", "mary-no-mime"), POPPER_AUTH_YES);
	assert_string_equal(answer.identity.user, "mary");
	assert_string_equal(given_suffix, "no-mime");
	assert_int_equal(as("mary", "anna"), POPPER_AUTH_NO);
	assert_int_equal(as("", ""), POPPER_AUTH_NO);
	settings.trim_domain = true;
	assert_int_equal(as("mary@example.org", ""), POPPER_AUTH_YES);
	assert_string_equal(answer.identity.user, "mary");
}

/* What a worker taken over would say. */
static void
without_a_ca_nobody_has_a_certificate(void **state)
{
	(void)state;
	settings.tls_client_ca = "";
	assert_int_equal(as("mary", ""), POPPER_AUTH_NO);
	assert_int_equal(answer.error.status, POPPER_DENIED);
}

/* Who has a certificate of "mary+lists" is another than mary. */
static void
a_proved_name_becomes_no_other(void **state)
{
	(void)state;
	assert_int_equal(as("mary+lists", ""), POPPER_AUTH_NO);
	assert_int_equal(as("mary+", ""), POPPER_AUTH_NO);
	assert_int_equal(as("mary-no-mime", ""), POPPER_AUTH_NO);
	assert_int_equal(as("ma\xc2\xadry", ""), POPPER_AUTH_NO);
	assert_int_equal(as("\xef\xbd\x8d"
			    "ary",
			     ""),
	    POPPER_AUTH_NO);
	settings.downcase_user = true;
	assert_int_equal(as("Mary", ""), POPPER_AUTH_YES);
	assert_string_equal(answer.identity.user, "mary");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_certificate_is_its_owner, make),
		cmocka_unit_test_setup(
		    without_a_ca_nobody_has_a_certificate, make),
		cmocka_unit_test_setup(a_proved_name_becomes_no_other, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
