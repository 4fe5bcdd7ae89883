/* auth_oauth.c - the exchanges of OAUTHBEARER and XOAUTH2, and who gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oauth.h"

static void
end(void *exchange)
{
	oauth_LTX_popper_module.auth->end(exchange);
}

static void
assert_challenge(const char *text)
{
	assert_int_equal(auth_answer.challenge_len, strlen(text));
	assert_memory_equal(auth_answer.challenge, text, strlen(text));
}

static const char *
bearer(const char *start, const char *token)
{
	return oa_print("%s\1auth=Bearer %s\1\1", start, token);
}

static const char *
xoauth2(const char *user, const char *token)
{
	return oa_print("user=%s\1auth=Bearer %s\1\1", user, token);
}

static void
the_mechanisms_need_tls(void **state)
{
	const struct popper_mechanism *m;
	struct popper_attempt attempt = { .size = sizeof(attempt),
		.mechanism = "OAUTHBEARER",
		.initial = true,
		.server = "",
		.server_name = "" };
	void *x = NULL;

	(void)state;
	oa_start();
	m = oauth_LTX_popper_module.auth->offers(oa_self);
	assert_string_equal(m[0].name, "OAUTHBEARER");
	assert_string_equal(m[1].name, "XOAUTH2");
	assert_null(m[2].name);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(m[i].needs, POPPER_MECHANISM_TLS);
	attempt.secret = popper_slice_text(bearer("n,,", oa_good()));
	assert_int_equal(oauth_LTX_popper_module.auth->begin(
			     oa_self, &attempt, &x, &auth_answer),
	    POPPER_AUTH_NO);
	end(x);
	assert_int_equal(oa_begin("PLAIN", "x", &x), POPPER_AUTH_NEXT);
	assert_null(x);
	end(x);
}

static void
both_forms_of_both_mechanisms(void **state)
{
	const char *message[] = { bearer("n,a=carol@example.org,", oa_good()),
		xoauth2("carol@example.org", oa_good()) };
	const char *name[] = { "OAUTHBEARER", "XOAUTH2" };
	void *x;

	(void)state;
	oa_start();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    oa_begin(name[i], message[i], &x), POPPER_AUTH_YES);
		assert_string_equal(
		    auth_answer.identity.user, "carol@example.org");
		assert_int_equal(auth_answer.identity.uid, 1234);
		end(x);
		assert_int_equal(oa_begin(name[i], NULL, &x), POPPER_AUTH_MORE);
		assert_challenge("");
		assert_int_equal(oa_step(x, message[i]), POPPER_AUTH_YES);
		assert_string_equal(
		    auth_answer.identity.user, "carol@example.org");
		end(x);
	}
}

static void
a_refusal_is_an_error_and_one_more_line(void **state)
{
	static const char *const lines[] = { "\1", "", "anything",
		"n,,\1auth=Bearer x\1\1" };
	void *x;

	(void)state;
	oa_conf.scope = "mail";
	oa_conf.discovery = "https://id.example.org/.well-known/x";
	oa_start();
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(
		    oa_begin("OAUTHBEARER", bearer("n,,", "a.b.c"), &x),
		    POPPER_AUTH_MORE);
		assert_challenge(
		    "{\"status\":\"invalid_token\",\"scope\":\"mail\","
		    "\"openid-configuration\":"
		    "\"https://id.example.org/.well-known/x\"}");
		assert_int_equal(oa_step(x, lines[i]), POPPER_AUTH_NO);
		assert_non_null(strstr(auth_answer.error.text, "base64url"));
		assert_int_equal(auth_answer.error.status, POPPER_DENIED);
		end(x);
		assert_int_equal(
		    oa_begin("XOAUTH2", xoauth2("carol", "a.b.c"), &x),
		    POPPER_AUTH_MORE);
		assert_challenge("{\"status\":\"401\",\"schemes\":\"bearer\","
				 "\"scope\":\"mail\"}");
		assert_int_equal(oa_step(x, lines[i]), POPPER_AUTH_NO);
		end(x);
	}
	assert_int_equal(auth_logged("cancelled"), 0);
}

static void
a_good_token_does_not_follow_a_bad_one(void **state)
{
	void *x;

	(void)state;
	oa_start();
	assert_int_equal(oa_begin("OAUTHBEARER", bearer("n,,", "bad"), &x),
	    POPPER_AUTH_MORE);
	assert_int_equal(oa_step(x, bearer("n,,", oa_good())), POPPER_AUTH_NO);
	assert_string_equal(auth_answer.identity.user, "");
	end(x);
}

static void
a_cancelled_refusal_is_logged(void **state)
{
	void *x;

	(void)state;
	oa_start();
	assert_int_equal(oa_begin("OAUTHBEARER", bearer("n,,", "a.b.c"), &x),
	    POPPER_AUTH_MORE);
	end(x);
	assert_int_equal(auth_logged("cancelled"), 1);
}

static void
a_lack_of_scope_has_its_own_name(void **state)
{
	void *x;

	(void)state;
	oa_conf.scope = "mail";
	oa_start();
	assert_int_equal(oa_begin("OAUTHBEARER", bearer("n,,", oa_good()), &x),
	    POPPER_AUTH_MORE);
	assert_challenge(
	    "{\"status\":\"insufficient_scope\",\"scope\":\"mail\"}");
	end(x);
	assert_int_equal(
	    oa_begin("XOAUTH2", xoauth2("carol@example.org", oa_good()), &x),
	    POPPER_AUTH_MORE);
	assert_non_null(memmem(
	    auth_answer.challenge, auth_answer.challenge_len, "\"400\"", 5));
	end(x);
}

static void
malformed_messages_fail_at_once(void **state)
{
	static const char *const wrong[] = { "", "\1", "n,,", "n,,\1",
		"n,,\1auth=Basic eDp5\1\1", "x,,\1auth=Bearer t\1\1" };
	void *x;

	(void)state;
	oa_start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(
		    oa_begin("OAUTHBEARER", wrong[i], &x), POPPER_AUTH_NO);
		end(x);
		assert_int_equal(
		    oa_begin("XOAUTH2", wrong[i], &x), POPPER_AUTH_NO);
		end(x);
	}
}

static enum popper_verdict
as(const char *user)
{
	void *x;
	enum popper_verdict v =
	    oa_begin("XOAUTH2", xoauth2(user, oa_good()), &x);

	if (v == POPPER_AUTH_MORE)
		v = oa_step(x, "");
	end(x);
	return v;
}

static void
the_user_is_the_tokens_or_nobody(void **state)
{
	(void)state;
	oa_start();
	assert_int_equal(as("carol@example.org"), POPPER_AUTH_YES);
	assert_int_equal(as("Carol@Example.ORG"), POPPER_AUTH_YES);
	oa_lookups = 0;
	assert_int_equal(as("carol"), POPPER_AUTH_NO);
	assert_int_equal(as("dave@example.org"), POPPER_AUTH_NO);
	assert_int_equal(as("carol@example.org "), POPPER_AUTH_NO);
	assert_int_equal(as("carol@example.orgx"), POPPER_AUTH_NO);
	assert_int_equal(oa_lookups, 0);
	assert_non_null(strstr(auth_answer.error.text, "used to be"));
}

static void
an_unknown_user_looks_like_a_bad_token(void **state)
{
	const char *token = oa_sign(OA_RSA, "RS256", "{\"alg\":\"RS256\"}",
	    oa_print("{\"iss\":\"" OA_ISSUER "\",\"aud\":\"" OA_AUDIENCE
		     "\",\"email\":\"eve@example.org\",\"email_verified\":"
		     "true,\"exp\":9999999999}"));
	void *x;

	(void)state;
	oa_start();
	assert_int_equal(oa_begin("OAUTHBEARER", bearer("n,,", token), &x),
	    POPPER_AUTH_MORE);
	assert_challenge("{\"status\":\"invalid_token\"}");
	assert_int_equal(oa_step(x, "\1"), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	end(x);
}

static void
accounts_in_trouble(void **state)
{
	(void)state;
	oa_start();
	oa_trouble = POPPER_TEMPORARY;
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_LATER);
	oa_trouble = POPPER_DENIED;
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_NO);
	oa_trouble = POPPER_PERMANENT;
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_NO);
}

static const char *
of(const char *email)
{
	return oa_sign(OA_RSA, "RS256", "{\"alg\":\"RS256\"}",
	    oa_print("{\"iss\":\"" OA_ISSUER "\",\"aud\":\"" OA_AUDIENCE
		     "\",\"email\":\"%s\",\"email_verified\":true,\"exp\":"
		     "9999999999}",
		email));
}

static void
a_trimmed_domain_must_be_one_of_ours(void **state)
{
	(void)state;
	oa_trim = true;
	oa_start();
	oa_refused(of("carol@evil.example"), "its domain would be cut off");
	oa_refused(of("carol@example.org"), "its domain would be cut off");
	oa_conf.domains = "example.net, Example.ORG";
	assert_int_equal(oa_try(of("carol@example.org")), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "carol");
	oa_refused(of("carol@evil.example"), "of no domain");
	oa_refused(of("carol@example.org.evil.example"), "of no domain");
	oa_refused(of("carol"), "of no domain");
	oa_refused(of("carol@evil.example@example.org"), "more than one @");
}

static void
no_domain_is_replaced(void **state)
{
	(void)state;
	oa_trim = oa_replace = true;
	oa_start();
	oa_refused(of("carol@evil.example"), "its domain would be cut off");
	assert_int_equal(oa_try(of("carol@Example.ORG")), POPPER_AUTH_YES);
	assert_int_equal(oa_try(of("carol")), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "carol@example.org");
}

static void
no_part_of_an_identity_is_a_sub_mailbox(void **state)
{
	(void)state;
	oa_start();
	oa_refused(of("carol+x@example.org"), "no such account");
	oa_separate = true;
	oa_refused(of("carol+x@example.org"), "sub-mailbox");
	oa_refused(of("carol+@example.org"), "sub-mailbox");
	assert_int_equal(
	    oa_try(of("J\303\266rg@example.org")), POPPER_AUTH_YES);
}

/* At an issuer where anybody may register: two users, here they were one. */
static void
no_identity_becomes_another(void **state)
{
	(void)state;
	oa_start();
	assert_int_equal(oa_try(of("Carol@example.org")), POPPER_AUTH_YES);
	oa_refused(of("\357\275\203arol@example.org"), "become another");
	oa_refused(of("\357\275\203arol"), "become another");
}

static enum popper_verdict
at_host(const char *pairs)
{
	void *x;
	enum popper_verdict v = oa_begin("OAUTHBEARER",
	    oa_print("n,,\1%s\1auth=Bearer %s\1\1", pairs, oa_good()), &x);

	if (v == POPPER_AUTH_MORE)
		v = oa_step(x, "\1");
	end(x);
	return v;
}

static void
the_host_is_ours(void **state)
{
	(void)state;
	oa_conf.hosts = "mail.example.org pop3.example.org";
	oa_start();
	assert_int_equal(at_host("host=pop.example.org"), POPPER_AUTH_YES);
	assert_int_equal(
	    at_host("host=POP.Example.Org\1port=995"), POPPER_AUTH_YES);
	assert_int_equal(at_host("host=pop.example.org."), POPPER_AUTH_YES);
	assert_int_equal(at_host("host=192.0.2.1"), POPPER_AUTH_YES);
	assert_int_equal(at_host("host=pop3.example.org"), POPPER_AUTH_YES);
	assert_int_equal(at_host("host=imap.example.org"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "another server"));
	assert_int_equal(at_host("host=example.org"), POPPER_AUTH_NO);
	assert_int_equal(at_host("host=192.0.2.7"), POPPER_AUTH_NO);
	assert_int_equal(at_host("host=."), POPPER_AUTH_NO);
}

static void
bad_options_stop_the_start(void **state)
{
	const struct oauth_conf good = oa_conf;

	(void)state;
	oa_conf.algorithms = "RS256 HS256";
	oa_refuse_start("\"HS256\" is none of RS256");
	oa_conf.algorithms = "none";
	oa_refuse_start("\"none\" is none of RS256");
	oa_conf.algorithms = " ";
	oa_refuse_start("algorithms is empty");
	oa_conf = good;
	oa_conf.jwks = "";
	oa_refuse_start("set jwks");
	oa_conf = good;
	oa_conf.issuer = "";
	oa_refuse_start("issuer");
	oa_conf = good;
	oa_conf.audience = "";
	oa_refuse_start("audience");
	oa_conf = good;
	oa_conf.identity = "";
	oa_refuse_start("identity");
	oa_conf = good;
	oa_conf.skew = 601;
	oa_refuse_start("clock-skew");
	oa_conf = good;
	oa_conf.max_age = UINT64_MAX;
	oa_refuse_start("max-age");
	oa_conf = good;
	oa_conf.timeout = 0;
	oa_refuse_start("timeout");
	oa_conf = good;
	oa_conf.scope = "m\303\244il";
	oa_refuse_start("scope");
	oa_conf = good;
	oa_conf.discovery = "http://id.example.org/";
	oa_refuse_start("openid-configuration");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oa_setup, oa_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_mechanisms_need_tls),
		TEST(both_forms_of_both_mechanisms),
		TEST(a_refusal_is_an_error_and_one_more_line),
		TEST(a_good_token_does_not_follow_a_bad_one),
		TEST(a_cancelled_refusal_is_logged),
		TEST(a_lack_of_scope_has_its_own_name),
		TEST(malformed_messages_fail_at_once),
		TEST(the_user_is_the_tokens_or_nobody),
		TEST(an_unknown_user_looks_like_a_bad_token),
		TEST(accounts_in_trouble),
		TEST(a_trimmed_domain_must_be_one_of_ours),
		TEST(no_domain_is_replaced),
		TEST(no_identity_becomes_another),
		TEST(no_part_of_an_identity_is_a_sub_mailbox),
		TEST(the_host_is_ours),
		TEST(bad_options_stop_the_start),
	};

	return cmocka_run_group_tests(tests, oa_group_setup, oa_group_teardown);
}
