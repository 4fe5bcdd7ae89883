/* auth_sasl.c - what the sasl module offers, who gets in, and that nobody
 * learns who exists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <nettle/hmac.h>

#include "auth.h"
#include "sasl.h"

static int
start(void **state)
{
	(void)state;
	auth_folder_make();
	sasl_defaults();
	sasl_restart();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	sasl_stop();
	auth_folder_remove();
	return 0;
}

static enum popper_verdict
scram(const char *mechanism, const char *user)
{
	struct sasl_client c = sasl_scram(mechanism, "n,,", user);

	return sasl_scram_run(&c);
}

static void
offers(void **state)
{
	const int bound = POPPER_MECHANISM_TLS | POPPER_MECHANISM_BOUND;

	(void)state;
	assert_int_equal(sasl_needs("SCRAM-SHA-1"), 0);
	assert_int_equal(sasl_needs("SCRAM-SHA-256"), 0);
	assert_int_equal(sasl_needs("SCRAM-SHA-512"), 0);
	assert_int_equal(sasl_needs("SCRAM-SHA-256-PLUS"), bound);
	assert_int_equal(sasl_needs("CRAM-MD5"), -1);
	assert_int_equal(sasl_needs("DIGEST-MD5"), -1);
	assert_int_equal(sasl_needs("PLAIN"), -1);
	assert_int_equal(sasl_needs("NTLM"), -1);
	assert_int_equal(sasl_needs("GSSAPI"), -1);
	assert_int_equal(sasl_needs("USER"), -1);
	sasl_conf.clear_secrets = true;
	sasl_restart();
	assert_int_equal(sasl_needs("CRAM-MD5"), 0);
	assert_int_equal(sasl_needs("DIGEST-MD5"), -1);
	sasl_conf.mechanisms = "digest-md5  CRAM-MD5,SCRAM-SHA-1-PLUS";
	sasl_restart();
	assert_int_equal(sasl_needs("DIGEST-MD5"), 0);
	assert_int_equal(sasl_needs("SCRAM-SHA-1"), -1);
	assert_int_equal(sasl_needs("SCRAM-SHA-1-PLUS"), bound);
	sasl_conf.store = "saslauthd";
	sasl_conf.mechanisms = "";
	sasl_restart();
	assert_int_equal(sasl_needs("USER"), POPPER_MECHANISM_CLEAR);
	assert_int_equal(sasl_needs("SCRAM-SHA-256"), -1);
	assert_int_equal(sasl_needs("CRAM-MD5"), -1);
}

static void
refuses(const char *word)
{
	assert_int_equal(sasl_start(), -1);
	assert_int_equal(sasl_error.status, POPPER_PERMANENT);
	if (strstr(sasl_error.text, word) == NULL)
		fail_msg("%s: %s", word, sasl_error.text);
	sasl_defaults();
}

static void
configuration(void **state)
{
	static const char *const never[] = { "PLAIN", "login", "EXTERNAL",
		"ANONYMOUS", "APOP" };

	(void)state;
	sasl_stop();
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		sasl_conf.mechanisms = never[i];
		refuses("the server's own");
	}
	sasl_conf.mechanisms = "SCRAM-SHA-256 X-NOT";
	refuses("X-NOT");
	sasl_conf.mechanisms = "CRAM-MD5";
	refuses("clear-secrets");
	sasl_conf.mechanisms = "OTP";
	refuses("sasldb");
	sasl_conf.mechanisms = "SCRAM-SHA-256";
	sasl_conf.store = "saslauthd";
	refuses("saslauthd checks passwords");
	sasl_conf.store = "ldap";
	refuses("\"ldap\"");
	sasl_conf.iterations = 100;
	refuses("iterations");
	sasl_conf.log_level = 7;
	refuses("log-level");
	sasl_conf.service = "";
	refuses("service");
	sasl_conf.scram_from_clear = true;
	refuses("clear-secrets");
	sasl_restart();
}

static void
key_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(sasl_conf.key_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	sasl_stop();
	(void)auth_write("key", 0600, "short");
	refuses("32 octets");
	(void)auth_write("key", 0640, "0123456789abcdef0123456789abcdef");
	refuses("chmod 600");
	(void)auth_write("other", 0600, "0123456789abcdef0123456789abcdef");
	assert_int_equal(unlink(sasl_conf.key_file), 0);
	assert_int_equal(symlink("other", sasl_conf.key_file), 0);
	refuses("key");
	assert_int_equal(unlink(sasl_conf.key_file), 0);
	sasl_conf.key_file = "relative";
	refuses("absolute");
	sasl_conf.key_file = "/nonexistent/key";
	refuses("/nonexistent/key");
	sasl_restart();
}

/* R-5802-15, R-4422-05: whoever is not there looks like whoever is. */
static void
unknown_user(void **state)
{
	static const char *const hashes[] = { "SCRAM-SHA-1", "SCRAM-SHA-256",
		"SCRAM-SHA-512" };
	struct sasl_client known, c, again, other;

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
		known = sasl_scram(hashes[i], "n,,", "bob");
		c = again = sasl_scram(hashes[i], "n,,", "nobody-here");
		other = sasl_scram(hashes[i], "n,,", "nor-here");
		assert_int_equal(sasl_scram_begin(&known), POPPER_AUTH_MORE);
		assert_int_equal(sasl_scram_begin(&other), POPPER_AUTH_MORE);
		assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
		assert_int_equal(c.iterations, known.iterations);
		assert_int_equal(strlen(c.salt), strlen(known.salt));
		assert_int_equal(strlen(c.nonce), strlen(known.nonce));
		assert_string_not_equal(c.salt, other.salt);
		sasl_scram_prove(&c);
		assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
		assert_int_equal(auth_answer.error.status, POPPER_DENIED);
		assert_string_equal(auth_answer.error.reply, "");
		sasl_restart(); /* the key is in a file */
		assert_int_equal(sasl_scram_begin(&again), POPPER_AUTH_MORE);
		assert_string_equal(again.salt, c.salt);
	}
}

static void
accounts(void **state)
{
	(void)state;
	/* Keys, but no module knows an account. */
	assert_int_equal(scram("SCRAM-SHA-256", "dave"), POPPER_AUTH_NO);
	/* Our own trouble is no refusal. */
	assert_int_equal(scram("SCRAM-SHA-256", "eve"), POPPER_AUTH_LATER);
	assert_int_equal(auth_answer.error.status, POPPER_TEMPORARY);
	assert_int_equal(scram("SCRAM-SHA-256", "broken"), POPPER_AUTH_LATER);
	assert_non_null(strstr(auth_answer.error.text, "torn"));
	/* A clear-text secret alone makes no keys unless it is wanted. */
	assert_int_equal(scram("SCRAM-SHA-256", "carol"), POPPER_AUTH_NO);
	assert_int_equal(
	    sasl_begin("X-NOT-HERE", NULL, NULL), POPPER_AUTH_NEXT);
}

static void
derived_keys(void **state)
{
	(void)state;
	sasl_conf.clear_secrets = sasl_conf.scram_from_clear = true;
	sasl_restart();
	assert_int_equal(scram("SCRAM-SHA-1", "carol"), POPPER_AUTH_YES);
	assert_int_equal(scram("SCRAM-SHA-256", "carol"), POPPER_AUTH_YES);
	assert_int_equal(scram("SCRAM-SHA-512", "carol"), POPPER_AUTH_YES);
	assert_int_equal(scram("SCRAM-SHA-256", "alice"), POPPER_AUTH_YES);
	assert_int_equal(scram("SCRAM-SHA-256", "bob"), POPPER_AUTH_YES);
	assert_int_equal(scram("SCRAM-SHA-256", "nobody"), POPPER_AUTH_NO);
	assert_int_equal(scram("SCRAM-SHA-256", "broken"), POPPER_AUTH_LATER);
}

/* The client's answer to the challenge of CRAM-MD5, RFC 2195 section 2. */
static enum popper_verdict
cram_with(const char *user, const char *password, const char *behind)
{
	struct hmac_md5_ctx h;
	unsigned char digest[16];
	char text[256];
	int len = snprintf(text, sizeof(text), "%s ", user);

	assert_int_equal(sasl_begin("CRAM-MD5", NULL, NULL), POPPER_AUTH_MORE);
	hmac_md5_set_key(&h, strlen(password), (const uint8_t *)password);
	hmac_md5_update(
	    &h, strlen(sasl_challenge), (const uint8_t *)sasl_challenge);
	hmac_md5_digest(&h, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(text + len + 2 * i, 3, "%02x", digest[i]);
	(void)snprintf(
	    text + len + 32, sizeof(text) - (size_t)len - 32, "%s", behind);
	return sasl_step(text);
}

static enum popper_verdict
cram(const char *user, const char *password)
{
	return cram_with(user, password, "");
}

/* R-2195-01 -02 -03, R-5034-08 */
static void
cram_md5(void **state)
{
	char first[256];

	(void)state;
	sasl_conf.clear_secrets = true;
	sasl_restart();
	assert_int_equal(sasl_begin("CRAM-MD5", "", NULL), POPPER_AUTH_NO);
	assert_int_equal(
	    sasl_begin("CRAM-MD5", "alice x", NULL), POPPER_AUTH_NO);
	assert_int_equal(sasl_begin("CRAM-MD5", NULL, NULL), POPPER_AUTH_MORE);
	assert_true(sasl_challenge[0] == '<');
	assert_non_null(strstr(sasl_challenge, "@pop.example.org>"));
	memcpy(first, sasl_challenge, sizeof(first));
	assert_int_equal(sasl_step("alice 00"), POPPER_AUTH_NO);
	assert_int_equal(cram("alice", SASL_PASSWORD), POPPER_AUTH_YES);
	assert_string_not_equal(first, sasl_challenge);
	assert_int_equal(cram("ALICE", SASL_PASSWORD), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "alice");
	assert_int_equal(cram("carol", SASL_PASSWORD), POPPER_AUTH_YES);
	assert_int_equal(cram("long", SASL_LONG), POPPER_AUTH_YES);
	assert_int_equal(
	    cram_with("alice", SASL_PASSWORD, "0"), POPPER_AUTH_NO);
	assert_int_equal(
	    cram_with("alice", SASL_PASSWORD, " "), POPPER_AUTH_NO);
	assert_int_equal(cram("alice", "wrong"), POPPER_AUTH_NO);
	assert_int_equal(cram("nobody", SASL_PASSWORD), POPPER_AUTH_NO);
	assert_int_equal(cram("nobody", ""), POPPER_AUTH_NO);
	assert_int_equal(cram("bob", SASL_PASSWORD), POPPER_AUTH_NO);
	assert_int_equal(cram("broken", "x"), POPPER_AUTH_LATER);
	assert_int_equal(sasl_begin("CRAM-MD5", NULL, NULL), POPPER_AUTH_MORE);
	assert_int_equal(sasl_step(""), POPPER_AUTH_NO);
}

/* What is in libsasl2's log must not show a password. */
static void
silent_log(void **state)
{
	(void)state;
	sasl_conf.clear_secrets = sasl_conf.scram_from_clear = true;
	sasl_restart();
	auth_forget();
	(void)cram("alice", SASL_PASSWORD);
	(void)scram("SCRAM-SHA-256", "carol");
	assert_int_equal(auth_logged(SASL_PASSWORD), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(offers, start, stop),
		cmocka_unit_test_setup_teardown(configuration, start, stop),
		cmocka_unit_test_setup_teardown(key_file, start, stop),
		cmocka_unit_test_setup_teardown(unknown_user, start, stop),
		cmocka_unit_test_setup_teardown(accounts, start, stop),
		cmocka_unit_test_setup_teardown(derived_keys, start, stop),
		cmocka_unit_test_setup_teardown(cram_md5, start, stop),
		cmocka_unit_test_setup_teardown(silent_log, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
