/* auth_template.c - the auth module one copies does what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth.h"

/* As the server would fill it: the layout is the module's secret, the option
 * table tells where each text goes. */
static union {
	const char *text[8];
	char room[64];
} conf;

extern const struct popper_module auth_template_LTX_popper_module;

static const struct popper_module *const module =
    &auth_template_LTX_popper_module;
static void *self;

static void
set(const char *name, const char *value)
{
	const struct popper_option *o = module->options;

	while (o->name != NULL && strcmp(o->name, name) != 0)
		o++;
	assert_non_null(o->name);
	assert_int_equal(o->kind, POPPER_OPTION_TEXT);
	memcpy(conf.room + o->offset, &value, sizeof(value));
}

static int
start(void **state)
{
	struct popper_error e;

	(void)state;
	auth_folder_make();
	assert_true(module->conf_size <= sizeof(conf));
	for (const struct popper_option *o = module->options; o->name != NULL;
	     o++)
		set(o->name, o->fallback);
	set("user", "guest");
	set("password", "open sesame");
	set("question", "What is the capital of Assyria?");
	set("answer", "Assur");
	set("maildrop", "/mail/guest");
	return module->auth->start(&auth_host, &conf, &self, &e);
}

static int
stop(void **state)
{
	(void)state;
	module->auth->stop(self);
	auth_folder_remove();
	return 0;
}

static enum popper_verdict
login(const char *user, const char *password)
{
	void *exchange;
	enum popper_verdict v = auth_login(
	    module->auth, self, user, popper_slice_text(password), &exchange);

	module->auth->end(exchange);
	return v;
}

/* Begin X-QUIZ; ${initial} is NULL or a first response. */
static enum popper_verdict
quiz(const char *initial, void **exchange)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "X-QUIZ",
		.initial = initial != NULL,
		.secret = popper_slice_text(initial != NULL ? initial : ""),
		.timestamp = "",
		.client = "192.0.2.7",
		.server = "192.0.2.1",
		.server_name = "pop.example.org",
		.certificate = "",
	};

	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
	return module->auth->begin(self, &attempt, exchange, &auth_answer);
}

static void
the_descriptor_is_sound(void **state)
{
	(void)state;
	assert_int_equal(module->magic, POPPER_MODULE_MAGIC);
	assert_string_equal(module->name, "auth_template");
	assert_int_equal(module->size, sizeof(*module));
	assert_int_equal(module->auth->size, sizeof(*module->auth));
	assert_null(module->drop);
	assert_null(module->ext);
	assert_string_equal(module->auth->mechanisms[1], "X-QUIZ");
}

static void
one_user_has_one_password(void **state)
{
	(void)state;
	assert_int_equal(login("guest", "open sesame"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "guest");
	assert_string_equal(auth_answer.identity.maildrop, "/mail/guest");
	assert_int_equal(auth_answer.identity.uid, geteuid());
	assert_int_equal(auth_answer.identity.flags, POPPER_IDENTITY_VIRTUAL);
	assert_int_equal(login("guest", "open sesam"), POPPER_AUTH_NO);
	assert_int_equal(login("guest", "open sesame "), POPPER_AUTH_NO);
	assert_int_equal(login("guest", "Open sesame"), POPPER_AUTH_NO);
	assert_int_equal(
	    login("guest", "open sesameopen sesame"), POPPER_AUTH_NO);
	assert_int_equal(login("guest", ""), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_int_equal(login("Guest", "open sesame"), POPPER_AUTH_NEXT);
}

static void
no_password_set_lets_nobody_in(void **state)
{
	(void)state;
	set("password", "");
	set("answer", "");
	assert_int_equal(login("guest", ""), POPPER_AUTH_NO);
	assert_int_equal(login("guest", "x"), POPPER_AUTH_NO);
}

static void
quiz_asks_and_listens(void **state)
{
	static const char question[] = "What is the capital of Assyria?";
	void *x = NULL;

	(void)state;
	assert_int_equal(quiz(NULL, &x), POPPER_AUTH_MORE);
	assert_int_equal(auth_answer.challenge_len, strlen(question));
	assert_memory_equal(auth_answer.challenge, question, strlen(question));
	assert_int_equal(
	    module->auth->step(x, popper_slice_text("Assur"), &auth_answer),
	    POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "guest");
	module->auth->end(x);
}

static void
quiz_refuses_other_answers(void **state)
{
	static const char *const wrong[] = { "", "Babylon", "Assu", "Assurr",
		"AssurAssur" };
	void *x = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(quiz(NULL, &x), POPPER_AUTH_MORE);
		assert_int_equal(module->auth->step(x,
				     popper_slice_text(wrong[i]), &auth_answer),
		    POPPER_AUTH_NO);
		assert_int_equal(auth_answer.identity.user[0], '\0');
		module->auth->end(x);
	}
	set("answer", "");
	assert_int_equal(quiz(NULL, &x), POPPER_AUTH_MORE);
	assert_int_equal(
	    module->auth->step(x, popper_slice_text(""), &auth_answer),
	    POPPER_AUTH_NO);
	module->auth->end(x);
}

static void
quiz_takes_no_initial_response(void **state)
{
	void *x = NULL;

	(void)state;
	assert_int_equal(quiz("Assur", &x), POPPER_AUTH_NO);
	module->auth->end(x);
	assert_int_equal(quiz("", &x), POPPER_AUTH_NO);
	module->auth->end(x);
}

static void
lookup_needs_no_proof(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	assert_int_equal(module->auth->lookup(self, "guest", &id, &e), 0);
	assert_int_equal(id.size, sizeof(id));
	assert_string_equal(id.maildrop, "/mail/guest");
	assert_int_equal(module->auth->lookup(self, "eve", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static void
what_does_not_fit_stops_the_start(void **state)
{
	static char name[POPPER_USER_MAX + 2];
	struct popper_error e = { .status = POPPER_OK };
	void *other = NULL;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	set("user", name);
	assert_int_equal(
	    module->auth->start(&auth_host, &conf, &other, &e), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
	assert_null(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_descriptor_is_sound),
		TEST(one_user_has_one_password),
		TEST(no_password_set_lets_nobody_in),
		TEST(quiz_asks_and_listens),
		TEST(quiz_refuses_other_answers),
		TEST(quiz_takes_no_initial_response),
		TEST(lookup_needs_no_proof),
		TEST(what_does_not_fit_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
