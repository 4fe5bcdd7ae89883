/* auth_oauth_text.c - base64url, JSON and messages of clients, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oauth.h"

static void
base64url_has_one_spelling(void **state)
{
	static const struct {
		const char *text, *octets;
		size_t len;
	} good[] = {
		{ "", "", 0 },
		{ "AA", "\0", 1 },
		{ "AAA", "\0\0", 2 },
		{ "AAAA", "\0\0\0", 3 },
		{ "-_-_", "\373\377\277", 3 },
		{ "Zm9vYg", "foob", 4 },
	};
	static const char *const bad[] = { "A", "AAAAA", "AB", "AAB",
		"AA==", "AAA=", "+_-_", "-/-_", "AA A", "AA\n", "Zm9v.",
		"\303\244", "Zm9vYh" };
	unsigned char out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(oauth_base64url(
		    popper_slice_text(good[i].text), out, sizeof(out), &len));
		assert_int_equal(len, good[i].len);
		assert_memory_equal(out, good[i].octets, len);
		if (len > 0)
			assert_false(
			    oauth_base64url(popper_slice_text(good[i].text),
				out, len - 1, &len));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(oauth_base64url(
		    popper_slice_text(bad[i]), out, sizeof(out), &len));
	assert_false(oauth_base64url(popper_slice("A\0AA", 4), out, 8, &len));
}

static void
json_is_one_flat_object(void **state)
{
	static const char *const good[] = { "{}", " {\"a\":[{\"b\":1}]} ",
		"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{\"}",
		"{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}" };
	static const char *const bad[] = { "", "x", "[]", "1", "null", "{",
		"{}}", "{}{}", "{} x", "{\"a\":1,\"a\":1}",
		"{\"a\":{\"b\":1,\"b\":2}}", "{'a':1}", "{a:1}", "{\"a\":1,}",
		"{\"a\":NaN}", "{\"a\":01}", "{\"a\":\"\\u0000\"}",
		"{\"a\\u0000\":1}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\377\"}",
		"{\"a\":\"\300\200\"}", "{\"a\":1e999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}" };
	const char *problem;
	json_t *j;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		j = oauth_json(popper_slice_text(good[i]), &problem);
		assert_non_null(j);
		json_decref(j);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		problem = NULL;
		assert_null(oauth_json(popper_slice_text(bad[i]), &problem));
		assert_non_null(problem);
	}
	assert_null(oauth_json(popper_slice("{}\0", 3), &problem));
}

/* A token with this header; what is wrong with it, or NULL. */
static const char *
problem_of(const char *header)
{
	const char *token =
	    oa_print("%s.e30.AAAA", oa_encode(popper_slice_text(header)));
	struct oauth_jwt t;
	const char *problem = oauth_jwt_parse(popper_slice_text(token), &t);

	oauth_jwt_clear(&t);
	return problem;
}

static void
headers(void **state)
{
	static const char *const good[] = { "{\"alg\":\"RS256\"}",
		"{\"alg\":\"PS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"application/at+jwt\"}",
		"{\"alg\":\"RS256\",\"kid\":\"x\",\"jku\":\"https://evil\"}" };
	static const char *const bad[] = { "{}", "{\"alg\":7}",
		"{\"alg\":null}", "{\"alg\":[\"RS256\"]}", "{\"alg\":\"none\"}",
		"{\"alg\":\"HS256\"}", "{\"alg\":\"RS384\"}",
		"{\"alg\":\"eddsa\"}", "{\"alg\":\"RS256\",\"crit\":[]}",
		"{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}",
		"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}",
		"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"RS256\",\"typ\":7}",
		"{\"alg\":\"RS256\",\"kid\":7}",
		"{\"alg\":\"RS256\",\"kid\":null}" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_null(problem_of(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(problem_of(bad[i]));
}

static void
shapes_of_tokens(void **state)
{
	static const char *const bad[] = { "", ".", "..", "...", "a", "a.b",
		"e30.e30.e30.e30", "e30.e30.e30.e30.e30", "!.e30.AAAA",
		"eyJhbGciOiJSUzI1NiJ9.!.AAAA", "eyJhbGciOiJSUzI1NiJ9.e30.A",
		"eyJhbGciOiJSUzI1NiJ9.e30.AAAA ",
		"eyJhbGciOiJSUzI1NiJ9 .e30.AAAA",
		"eyJhbGciOiJSUzI1NiJ9=.e30.AAAA" };
	struct oauth_jwt t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_non_null(oauth_jwt_parse(popper_slice_text(bad[i]), &t));
		oauth_jwt_clear(&t);
	}
	assert_null(oauth_jwt_parse(
	    popper_slice_text("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), &t));
	assert_int_equal(t.signing_input.len, 24);
	assert_int_equal(t.signature_len, 3);
	assert_int_equal(t.algorithm, OAUTH_RS256);
	oauth_jwt_clear(&t);
	oauth_jwt_clear(&t);
}

static struct oauth_message message;

static const char *
bearer(const char *text)
{
	return oauth_message_parse(true, popper_slice_text(text), &message);
}

static void
assert_slice(struct popper_slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.ptr, text, s.len);
}

static void
messages_of_oauthbearer(void **state)
{
	(void)state;
	assert_null(bearer("n,a=carol@example.org,\1host=pop.example.org\1"
			   "port=995\1auth=Bearer t0k3n==\1\1"));
	assert_string_equal(message.user, "carol@example.org");
	assert_slice(message.host, "pop.example.org");
	assert_slice(message.port, "995");
	assert_slice(message.token, "t0k3n==");
	assert_null(bearer("y,,\1AUTH=x\1auth=bEARER   a-._~+/9\1\1"));
	assert_string_equal(message.user, "");
	assert_slice(message.token, "a-._~+/9");
	assert_null(bearer("n,a=a=2Cb=3Dc,\1zz=\t\r\n ~=\1auth=Bearer x\1\1"));
	assert_string_equal(message.user, "a,b=c");
}

static void
malformed_messages_of_oauthbearer(void **state)
{
	static const char *const bad[] = { "", "\1", "\1\1", "n", "n,", "n,,",
		"n,,\1", "n,,\1\1", "auth=Bearer x\1\1",
		",,\1auth=Bearer x\1\1", "N,,\1auth=Bearer x\1\1",
		"p=tls-exporter,,\1auth=Bearer x\1\1",
		"F,n,,\1auth=Bearer x\1\1", "n,,auth=Bearer x\1\1",
		"n,carol,\1auth=Bearer x\1\1", "n,a=,\1auth=Bearer x\1\1",
		"n,a,\1auth=Bearer x\1\1", "n,A=c,\1auth=Bearer x\1\1",
		"n,a=c=,\1auth=Bearer x\1\1", "n,a=c=2c,\1auth=Bearer x\1\1",
		"n,a=c=2,\1auth=Bearer x\1\1", "n,a=c=41,\1auth=Bearer x\1\1",
		"n,a=c\nd,\1auth=Bearer x\1\1", "n,a=c\177,\1auth=Bearer x\1\1",
		"n,a=c,x,\1auth=Bearer x\1\1", "n,,\1auth=Bearer x\1",
		"n,,\1auth=Bearer x", "n,,\1auth=Bearer x\1\1\1",
		"n,,\1auth=Bearer x\1\1n", "n,,\1auth=Bearer \1\1",
		"n,,\1auth=Bearer\1\1", "n,,\1auth=Bearerx\1\1",
		"n,,\1auth= Bearer x\1\1", "n,,\1auth=Basic x\1\1",
		"n,,\1auth=Bearer x y\1\1", "n,,\1auth=Bearer x=y\1\1",
		"n,,\1auth=Bearer =\1\1", "n,,\1auth=Bearer x\r\n\1\1",
		"n,,\1auth=Bearer x,y\1\1", "n,,\1auth=Bearer \303\244\1\1",
		"n,,\1auth=Bearer x\1auth=Bearer y\1\1", "n,,\1=\1\1",
		"n,,\1auth\1\1", "n,,\1a1=x\1auth=Bearer x\1\1",
		"n,,\1x=\2\1auth=Bearer x\1\1",
		"n,,\1x=\377\1auth=Bearer x\1\1",
		"n,,\1host=a\1host=b\1auth=Bearer x\1\1",
		"n,,\1host=\1auth=Bearer x\1\1",
		"n,,\1port=\1auth=Bearer x\1\1",
		"n,,\1port=0\1auth=Bearer x\1\1",
		"n,,\1port=0995\1auth=Bearer x\1\1",
		"n,,\1port=65536\1auth=Bearer x\1\1",
		"n,,\1port=99999999999999999999999\1auth=Bearer x\1\1",
		"n,,\1port=+1\1auth=Bearer x\1\1",
		"n,,\1port=1\1port=1\1auth=Bearer x\1\1",
		"n,,\1host=pop.example.org\1port=995\1\1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (bearer(bad[i]) == NULL)
			print_error("taken: %s\n", bad[i]);
		assert_non_null(bearer(bad[i]));
	}
	assert_non_null(oauth_message_parse(
	    true, popper_slice("n,a=c\0d,\1auth=Bearer x\1\1", 24), &message));
	assert_non_null(oauth_message_parse(
	    true, popper_slice("n,,\1auth=Bearer x\0\1\1", 20), &message));
}

static const char *
xoauth2(const char *text)
{
	return oauth_message_parse(false, popper_slice_text(text), &message);
}

static void
messages_of_xoauth2(void **state)
{
	static const char *const bad[] = { "", "\1", "auth=Bearer x\1\1",
		"user=\1auth=Bearer x\1\1", "user=c\1\1", "user=c\1auth=x\1\1",
		"user=c\1auth=Bearer x\1", "user=c\1auth=Bearer x",
		"user=c\1user=d\1auth=Bearer x\1\1",
		"user=c\td\1auth=Bearer x\1\1", "n,,\1auth=Bearer x\1\1",
		"n,,\1user=c\1auth=Bearer x\1\1",
		"user=c\1auth=Bearer x\1\1\1" };
	static char name[POPPER_USER_MAX + 2];

	(void)state;
	assert_null(xoauth2("user=j\303\266rg@example.org\1auth=Bearer x\1\1"));
	assert_string_equal(message.user, "j\303\266rg@example.org");
	assert_slice(message.token, "x");
	assert_null(xoauth2("auth=bearer x\1user=c\1other=y\1\1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(xoauth2(bad[i]));
	memset(name, 'n', POPPER_USER_MAX);
	assert_null(xoauth2(oa_print("user=%s\1auth=Bearer x\1\1", name)));
	name[POPPER_USER_MAX] = 'n';
	assert_non_null(xoauth2(oa_print("user=%s\1auth=Bearer x\1\1", name)));
	assert_non_null(bearer(oa_print("n,a=%s,\1auth=Bearer x\1\1", name)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_has_one_spelling),
		cmocka_unit_test(json_is_one_flat_object),
		cmocka_unit_test(headers),
		cmocka_unit_test(shapes_of_tokens),
		cmocka_unit_test(messages_of_oauthbearer),
		cmocka_unit_test(malformed_messages_of_oauthbearer),
		cmocka_unit_test(messages_of_xoauth2),
	};

	return cmocka_run_group_tests(tests, oa_group_setup, oa_group_teardown);
}
