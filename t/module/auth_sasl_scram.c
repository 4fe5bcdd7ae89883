/* auth_sasl_scram.c - SCRAM as RFC 5802, 7677 and 9266 want it; what must be
 * refused is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "sasl.h"

#define HEADER_PLUS "p=tls-exporter,,"

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
run(const char *mechanism, const char *header, const char *user)
{
	struct sasl_client c = sasl_scram(mechanism, header, user);

	return sasl_scram_run(&c);
}

/* R-5802-01 -10 -11, R-7677-01, R-5034-15 */
static void
right_password(void **state)
{
	static const char *const hashes[] = { "SCRAM-SHA-1", "SCRAM-SHA-256",
		"SCRAM-SHA-512" };

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
		assert_int_equal(run(hashes[i], "n,,", "bob"), POPPER_AUTH_YES);
		assert_string_equal(auth_answer.identity.user, "bob");
	}
	/* A client that waits for the empty challenge, R-5034-06. */
	assert_int_equal(
	    sasl_begin("SCRAM-SHA-256", NULL, NULL), POPPER_AUTH_MORE);
	assert_int_equal(auth_answer.challenge_len, 0);
	assert_int_equal(sasl_step("n,,n=bob,r=abcd"), POPPER_AUTH_MORE);
	assert_non_null(strstr(sasl_challenge, "r=abcd"));
}

static void
wrong_password(void **state)
{
	struct sasl_client c = sasl_scram("SCRAM-SHA-256", "n,,", "bob");

	(void)state;
	c.password = "pen";
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
}

/* After "v=..." only the empty line, R-5034-15. */
static void
last_line(void **state)
{
	struct sasl_client c = sasl_scram("SCRAM-SHA-256", "n,,", "bob");

	(void)state;
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	sasl_scram_prove(&c);
	assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_MORE);
	assert_int_equal(sasl_step("x"), POPPER_AUTH_NO);
}

/* R-5802-02 -03 -04 -17 */
static void
bad_first(void **state)
{
	static const char *const messages[] = { "", "x", "n", "n,", "n,,",
		"n,,n=bob", "n,,n=bob,", "n,,n=bob,r=", "n,,n=bob,x=1,r=abcd",
		"n,,r=abcd,n=bob", "n,,N=bob,r=abcd", "n,,n=bob,R=abcd",
		"N,,n=bob,r=abcd", "q,,n=bob,r=abcd", "n=x,,n=bob,r=abcd",
		"n,bob,n=bob,r=abcd", "n,,m=x,n=bob,r=abcd",
		"n,,n=bob,r=abcd,m=x", "n,,n=bob,r=ab\tcd", "n,,n=b=ob,r=abcd",
		"n,,n=b=2cob,r=abcd", "n,,n=,r=abcd", "n,a=b=b,n=bob,r=abcd",
		"n,,n=b/ob,r=abcd", "p=tls-exporter,,n=bob,r=abcd",
		"p=tls-unique,,n=bob,r=abcd" };

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		print_message("# %s\n", messages[i]);
		assert_int_equal(sasl_begin("SCRAM-SHA-256", messages[i], NULL),
		    POPPER_AUTH_NO);
		assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	}
	/* Extensions that are not mandatory are ignored. */
	assert_int_equal(
	    sasl_begin("SCRAM-SHA-256", "n,,n=bob,r=abcd,x=1", NULL),
	    POPPER_AUTH_MORE);
}

/* R-5802-06: the nonce exactly; also of an earlier exchange. */
static void
bad_nonce(void **state)
{
	struct sasl_client c = sasl_scram("SCRAM-SHA-256", "n,,", "bob"), old;
	size_t len;

	(void)state;
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	len = strlen(c.nonce);
	c.nonce[len - 1] ^= 1;
	sasl_scram_prove(&c);
	assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	c.nonce[len - 1] = '\0';
	sasl_scram_prove(&c);
	assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_YES);
	old = c;
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	assert_string_not_equal(c.nonce, old.nonce);
	assert_int_equal(sasl_scram_end(&old), POPPER_AUTH_NO);
}

/* R-5802-07: "c=" is the header and nothing else. */
static void
bad_channel(void **state)
{
	/* "n,,x", "y,,", "", no base64, "n,," with pad bits set, "biws=" */
	static const char *const texts[] = { "c=biwseA==", "c=eSws",
		"c=", "c=bi*s", "c=biwt", "c=biws=", "d=biws", "C=biws" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct sasl_client c = sasl_scram("SCRAM-SHA-1", "n,,", "bob");

		assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
		sasl_scram_prove(&c);
		(void)snprintf(c.channel, sizeof(c.channel), "%s", texts[i]);
		assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	}
}

static void
bad_proof(void **state)
{
	static const char *const texts[] = { "", "p=", "p=AAAA", "x=1",
		"p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"m=1,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=,x=1",
		"p=****************************" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct sasl_client c = sasl_scram("SCRAM-SHA-1", "n,,", "bob");

		assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
		sasl_scram_prove(&c);
		(void)snprintf(c.proof, sizeof(c.proof), "%s", texts[i]);
		assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	}
}

/* R-9266-01, R-5802-14 -17 */
static void
binding(void **state)
{
	struct sasl_client c;

	(void)state;
	assert_int_equal(
	    run("SCRAM-SHA-1-PLUS", HEADER_PLUS, "bob"), POPPER_AUTH_YES);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", HEADER_PLUS, "bob"), POPPER_AUTH_YES);
	assert_int_equal(
	    run("SCRAM-SHA-512-PLUS", HEADER_PLUS, "bob"), POPPER_AUTH_YES);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", "bob"),
	    POPPER_AUTH_NO);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", "p=tls-unique,,", "bob"), POPPER_AUTH_NO);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", "n,,", "bob"), POPPER_AUTH_NO);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", "y,,", "bob"), POPPER_AUTH_NO);
	/* Somebody in the middle: the client bound another connection. */
	c = sasl_scram("SCRAM-SHA-256-PLUS", HEADER_PLUS, "bob");
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	c.binding = "XXXX456789abcdef0123456789abcdef";
	sasl_scram_prove(&c);
	assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	/* No data behind the header. */
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_MORE);
	c.binding = "";
	sasl_scram_prove(&c);
	assert_int_equal(sasl_scram_end(&c), POPPER_AUTH_NO);
	/* The server has none. */
	c = sasl_scram("SCRAM-SHA-256-PLUS", HEADER_PLUS, "bob");
	c.binding = NULL;
	assert_int_equal(sasl_scram_begin(&c), POPPER_AUTH_NO);
}

/* R-5802-08: "y" is fine as long as -PLUS was not in the list. */
static void
downgrade(void **state)
{
	struct sasl_client c = sasl_scram("SCRAM-SHA-256", "y,,", "bob");

	(void)state;
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_YES);
	c.binding = SASL_BINDING;
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_NO);
	c = sasl_scram("SCRAM-SHA-256", "n,,", "bob");
	c.binding = SASL_BINDING;
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_YES);
	c = sasl_scram("SCRAM-SHA-256", HEADER_PLUS, "bob");
	c.binding = SASL_BINDING;
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_NO);
	sasl_conf.mechanisms = "scram-sha-256";
	sasl_restart();
	c = sasl_scram("SCRAM-SHA-256", "y,,", "bob");
	c.binding = SASL_BINDING;
	assert_int_equal(sasl_scram_run(&c), POPPER_AUTH_YES);
	assert_int_equal(
	    run("SCRAM-SHA-256-PLUS", HEADER_PLUS, "bob"), POPPER_AUTH_NEXT);
}

/* R-4422-03 -04 */
static void
acting_as(void **state)
{
	(void)state;
	assert_int_equal(
	    run("SCRAM-SHA-256", "n,a=bob,", "bob"), POPPER_AUTH_YES);
	assert_int_equal(
	    run("SCRAM-SHA-256", "n,a=BOB,", "Bob"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "bob");
	assert_int_equal(
	    run("SCRAM-SHA-256", "n,a=alice,", "bob"), POPPER_AUTH_NO);
	assert_int_equal(
	    run("SCRAM-SHA-256", "n,a=b/b,", "bob"), POPPER_AUTH_NO);
}

static void
escaped_name(void **state)
{
	(void)state;
	assert_int_equal(
	    run("SCRAM-SHA-256", "n,,", "a=2Cb=3Dc"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "a,b=c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(right_password, start, stop),
		cmocka_unit_test_setup_teardown(wrong_password, start, stop),
		cmocka_unit_test_setup_teardown(last_line, start, stop),
		cmocka_unit_test_setup_teardown(bad_first, start, stop),
		cmocka_unit_test_setup_teardown(bad_nonce, start, stop),
		cmocka_unit_test_setup_teardown(bad_channel, start, stop),
		cmocka_unit_test_setup_teardown(bad_proof, start, stop),
		cmocka_unit_test_setup_teardown(binding, start, stop),
		cmocka_unit_test_setup_teardown(downgrade, start, stop),
		cmocka_unit_test_setup_teardown(acting_as, start, stop),
		cmocka_unit_test_setup_teardown(escaped_name, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
