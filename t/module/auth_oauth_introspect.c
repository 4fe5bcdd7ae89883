/*
 * auth_oauth_introspect.c - an endpoint on loopback, good and bad.
 *
 * A child of the test listens; it gives one answer to each connection and
 * writes down what it was asked.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "oauth.h"

#define GOOD                                                      \
	"{\"active\":true,\"aud\":\"pop\",\"scope\":\"mail\","    \
	"\"email\":\"carol@example.org\",\"email_verified\":true" \
	"%s}"

static pid_t endpoint;
static int asked = -1; /* what the endpoint was asked comes here */

/* The request up to the end of its body. */
static void
hear(int client, int tell)
{
	static char request[32768];
	size_t len = 0, want = sizeof(request) - 1;
	const char *end, *length;
	ssize_t n;

	while (len < want) {
		n = read(client, request + len, sizeof(request) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\nContent-Length:");
		if (end != NULL && length != NULL)
			want = (size_t)(end + 4 - request) +
			    strtoul(length + 17, NULL, 10);
	}
	if (write(tell, request, len) != (ssize_t)len)
		_exit(1);
}

static void
say(int client, const char *text, size_t times)
{
	size_t len = strlen(text);

	while (times-- > 0)
		if (send(client, text, len, MSG_NOSIGNAL) != (ssize_t)len)
			return;
}

/* Answer with ${head}, then ${body} so many times; "hang" says nothing. */
static void
serve(int listener, int tell, const char *head, const char *body, size_t times)
{
	char octet;

	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client == -1)
			_exit(1);
		hear(client, tell);
		if (strcmp(head, "hang") != 0) {
			say(client, head, 1);
			say(client, body, times);
			(void)shutdown(client, SHUT_WR);
		}
		while (read(client, &octet, 1) > 0)
			;
		(void)close(client);
	}
}

static void
start_endpoint(const char *head, const char *body, size_t times)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int pair[2];

	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pipe(pair), 0);
	endpoint = fork();
	assert_int_not_equal(endpoint, -1);
	if (endpoint == 0) {
		(void)close(pair[0]);
		serve(listener, pair[1], head, body, times);
	}
	(void)close(listener);
	(void)close(pair[1]);
	asked = pair[0];
	oa_conf.introspect =
	    oa_print("http://127.0.0.1:%d/introspect", (int)ntohs(a.sin_port));
}

static void
answers(const char *json)
{
	start_endpoint("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		       "Connection: close\r\n\r\n",
	    json, 1);
	oa_conf.jwks = "";
	oa_conf.issuer = "";
	oa_start();
}

static int
setup(void **state)
{
	endpoint = 0;
	asked = -1;
	return oa_setup(state);
}

static void
stop_endpoint(void)
{
	if (asked != -1)
		(void)close(asked);
	asked = -1;
	if (endpoint > 0) {
		(void)kill(endpoint, SIGKILL);
		(void)waitpid(endpoint, NULL, 0);
	}
	endpoint = 0;
}

static int
teardown(void **state)
{
	stop_endpoint();
	return oa_teardown(state);
}

/* What the endpoint has been asked. */
static const char *
request(void)
{
	static char text[32768];
	ssize_t n = read(asked, text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

static void
assert_log(const char *why)
{
	if (strstr(auth_answer.error.text, why) == NULL)
		print_error("\"%s\" does not say \"%s\"\n",
		    auth_answer.error.text, why);
	assert_non_null(strstr(auth_answer.error.text, why));
}

static void
an_active_token(void **state)
{
	const char *text;

	(void)state;
	answers(oa_print(GOOD, ""));
	assert_int_equal(oa_try("opaque+/~=="), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "carol@example.org");
	text = request();
	assert_ptr_equal(strstr(text, "POST /introspect HTTP/1.1\r\n"), text);
	assert_non_null(strstr(text,
	    "\r\n\r\ntoken_type_hint=access_token&"
	    "token=opaque%2B%2F~%3D%3D"));
	assert_null(strstr(text, "Authorization:"));
	assert_null(strstr(text, "Expect:"));
}

static void
the_client_has_a_name_and_a_secret(void **state)
{
	(void)state;
	oa_conf.client_id = "pop per";
	oa_conf.secret_file =
	    oa_print("%s", auth_write("secret", 0600, "se:c+ret\n"));
	answers(oa_print(GOOD, ""));
	assert_int_equal(oa_try("opaque"), POPPER_AUTH_YES);
	/* pop%20per:se%3Ac%2Bret */
	assert_non_null(strstr(request(),
	    "\r\nAuthorization: Basic cG9wJTIwcGVyOnNlJTNBYyUyQnJldA==\r\n"));
	assert_int_equal(chmod(oa_conf.secret_file, 0640), 0);
	assert_int_equal(oa_try("opaque"), POPPER_AUTH_LATER);
	assert_log("chmod 600");
}

static void
answers_that_refuse(void **state)
{
	static const struct {
		const char *more, *why;
	} bad[] = {
		{ ",\"exp\":1000", "has expired" },
		{ ",\"nbf\":9999999999", "not valid yet" },
		{ ",\"exp\":\"x\"", "is no time" },
		{ ",\"iss\":\"https://evil.example\"", "another issuer" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		(void)snprintf(text, sizeof(text), GOOD, bad[i].more);
		answers(text);
		oa_conf.issuer = OA_ISSUER;
		oa_refused("opaque", bad[i].why);
		oauth_LTX_popper_module.auth->stop(oa_self);
		oa_self = NULL;
		stop_endpoint();
	}
	answers("{\"active\":false}");
	oa_refused("opaque", "not active");
}

static void
claims_that_refuse(void **state)
{
	(void)state;
	answers("{\"active\":true,\"aud\":[\"web\"],\"email\":"
		"\"carol@example.org\",\"email_verified\":true}");
	oa_refused("opaque", "another audience");
	oa_conf.audience = "";
	assert_int_equal(oa_try("opaque"), POPPER_AUTH_YES);
	oa_conf.scope = "mail";
	oa_refused("opaque", "lacks the scope");
	oa_conf.scope = "";
	oa_conf.identity = "username";
	oa_refused("opaque", "\"identity\" is missing");
}

static void
answers_that_are_none(void **state)
{
	static const char *const bad[] = { "", "x", "[]", "{}",
		"{\"active\":\"true\"}", "{\"active\":1}",
		"{\"active\":true,\"active\":false}", "{\"active\":true" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		answers(bad[i]);
		assert_int_equal(oa_try("opaque"), POPPER_AUTH_LATER);
		assert_log("answers with");
		oauth_LTX_popper_module.auth->stop(oa_self);
		oa_self = NULL;
		stop_endpoint();
	}
}

/* ${head} leads to LATER, and the log says ${why}. */
static void
later(const char *head, const char *body, size_t times, const char *why)
{
	start_endpoint(head, body, times);
	oa_conf.jwks = "";
	oa_start();
	assert_int_equal(oa_try("opaque"), POPPER_AUTH_LATER);
	assert_log(why);
	assert_log("127.0.0.1");
	oauth_LTX_popper_module.auth->stop(oa_self);
	oa_self = NULL;
	stop_endpoint();
}

static void
endpoints_in_trouble(void **state)
{
	(void)state;
	later("", "", 0, "Empty reply");
	later("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", "x", 1,
	    "status 500");
	later("HTTP/1.1 401 No\r\nConnection: close\r\n\r\n", "", 1,
	    "status 401");
	later("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
	      "Connection: close\r\n\r\n",
	    oa_print(GOOD, ""), 1, "status 302");
	later("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "{", 1,
	    "does not answer as it should");
	later("SSH-2.0-x\r\n", "", 1, "does not answer as it should");
}

static void
large_answers(void **state)
{
	(void)state;
	later("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
	    "{\"active\":true}                                              ",
	    160 * 1024, "does not answer as it should");
	later("HTTP/1.1 200 OK\r\n", "X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
	    300 * 1024, "does not answer as it should");
}

static void
an_endpoint_that_hangs(void **state)
{
	(void)state;
	oa_conf.timeout = 1;
	later("hang", "", 0, "timed out");
}

static void
an_endpoint_that_is_not_there(void **state)
{
	(void)state;
	answers("");
	stop_endpoint();
	assert_int_equal(oa_try("opaque"), POPPER_AUTH_LATER);
	assert_log("does not answer as it should");
}

static void
keys_and_endpoint(void **state)
{
	(void)state;
	start_endpoint("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
	    "{\"active\":false}", 1);
	oa_start();
	/* A verified token costs no question; other texts do. */
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_YES);
	oa_refused("a.b.c", "base64url");
	oa_refused("opaque", "not active");
	assert_non_null(strstr(request(), "token=opaque"));
	oa_conf.confirm = true;
	oa_refused(oa_good(), "not active");
	assert_non_null(strstr(request(), "token=eyJ"));
}

static void
both_must_name_the_same(void **state)
{
	(void)state;
	start_endpoint("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
	    oa_print("{\"active\":true,\"aud\":\"pop\",\"email\":"
		     "\"dave@example.org\",\"email_verified\":true}"),
	    1);
	oa_conf.confirm = true;
	oa_start();
	oa_refused(oa_good(), "the endpoint says it is of dave");
}

static void
urls(void **state)
{
	static const char *const bad[] = { "x", "http://id.example.org/i",
		"http://127.0.0.1@evil.example/", "https://u:p@id.example.org/",
		"http://127.0.0.1.evil.example/", "ftp://127.0.0.1/",
		"file:///etc/passwd", "http://localhost.evil.example/",
		"https://" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		oa_conf.introspect = bad[i];
		oa_refuse_start("must be a URL");
	}
	oa_conf.introspect = "https://id.example.org/i";
	oa_conf.client_id = "popper";
	oa_refuse_start("go together");
	oa_conf.secret_file = oa_print("%s/none", auth_folder);
	oa_refuse_start("none");
	oa_conf.secret_file =
	    oa_print("%s", auth_write("secret", 0604, "secret\n"));
	oa_refuse_start("chmod 600");
	(void)auth_write("secret", 0600, "two\nlines\n");
	oa_refuse_start("one line");
	(void)auth_write("secret", 0600, "\n");
	oa_refuse_start("one line");
	(void)auth_write("secret", 0600, "secret");
	oa_start();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_active_token),
		TEST(the_client_has_a_name_and_a_secret),
		TEST(answers_that_refuse),
		TEST(claims_that_refuse),
		TEST(answers_that_are_none),
		TEST(endpoints_in_trouble),
		TEST(large_answers),
		TEST(an_endpoint_that_hangs),
		TEST(an_endpoint_that_is_not_there),
		TEST(keys_and_endpoint),
		TEST(both_must_name_the_same),
		TEST(urls),
	};

	return cmocka_run_group_tests(tests, oa_group_setup, oa_group_teardown);
}
