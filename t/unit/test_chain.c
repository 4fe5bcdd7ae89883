/*
 * test_chain.c - src/auth/chain.c, with modules made here.  The loader is one
 * that hands them out; what it really does is tested with real modules.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/chain.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "forgetful.h"
#include "mod/host.h"
#include "mod/loader.h"

struct fake_conf {
	const char *says; /* yes, no, next, later, more, huge, veto */
	const char *name;
	bool starts;
};

static const struct popper_option fake_options[] = {
	POPPER_OPTION(TEXT, struct fake_conf, says, "says", "next", ""),
	POPPER_OPTION(TEXT, struct fake_conf, name, "name", "", ""),
	POPPER_OPTION(BOOL, struct fake_conf, starts, "starts", "yes", ""),
	POPPER_OPTIONS_END
};

/* What was called, in order: "+a" begin, "-a" end. */
static char calls[256];

static void
note(char what, const char *name)
{
	size_t len = strlen(calls);

	snprintf(calls + len, sizeof(calls) - len, "%c%s ", what, name);
}

static int
start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	const struct fake_conf *c = conf;

	if (!c->starts)
		return (host->fail)(e, POPPER_PERMANENT, "%s: no", c->name);
	*self = calloc(1, sizeof(*c));
	assert_non_null(*self);
	memcpy(*self, c, sizeof(*c));
	return 0;
}

static enum popper_verdict
judge(const struct fake_conf *c, struct popper_answer *a)
{
	/* The answer is clean, whatever another module left in it. */
	assert_int_equal(a->identity.uid, 0);
	assert_int_equal(a->challenge_len, 0);
	assert_int_equal(a->error.status, POPPER_OK);
	a->identity.uid = 77;
	a->challenge_len = 3;
	a->error.status = POPPER_DENIED;
	if (strcmp(c->says, "huge") == 0)
		a->challenge_len = sizeof(a->challenge) + 1;
	switch (c->says[0]) {
	case 'y':
		return POPPER_AUTH_YES;
	case 'h':
	case 'm':
		return POPPER_AUTH_MORE;
	case 'l':
		return POPPER_AUTH_LATER;
	case 'v':
		a->delay = 5;
		return POPPER_AUTH_NEVER;
	case 'n':
		break;
	}
	return strcmp(c->says, "no") == 0 ? POPPER_AUTH_NO : POPPER_AUTH_NEXT;
}

static enum popper_verdict
begin(void *self, const struct popper_attempt *attempt, void **exchange,
    struct popper_answer *a)
{
	struct fake_conf *c = self;

	(void)attempt;
	note('+', c->name);
	*exchange = c;
	return judge(c, a);
}

static enum popper_verdict
step(void *exchange, struct popper_slice s, struct popper_answer *a)
{
	struct fake_conf c = *(struct fake_conf *)exchange;
	char says[16];

	note('=', c.name);
	assert_true(text_from_slice(says, sizeof(says), s));
	c.says = says;
	return judge(&c, a);
}

static void
end(void *exchange)
{
	note(
	    '-', exchange == NULL ? "?" : ((struct fake_conf *)exchange)->name);
}

/* Knows users unless it says "next" or "later"; stamps either way. */
static int
vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *error)
{
	const struct fake_conf *f = self;

	assert_int_equal(id->uid, 0);
	assert_int_equal(stamp->len, 0);
	assert_string_equal(user, "bob");
	stamp->len = strcmp(f->name, "long") == 0 ? sizeof(stamp->octets) : 1;
	memset(stamp->octets, f->name[0], stamp->len);
	id->uid = 5;
	if (strcmp(f->says, "later") == 0)
		return error_set(error, POPPER_TEMPORARY, "later");
	if (strcmp(f->says, "next") == 0)
		return error_set(error, POPPER_ABSENT, "not here");
	return 0;
}

static const char *const by_name[] = { "USER", "X-ONE", NULL };
static const char *const by_both[] = { "USER", "APOP", "X-ONE", "X-ON", NULL };

static const struct popper_auth one_auth = { .size = sizeof(struct popper_auth),
	.mechanisms = by_name,
	.vouch = vouch,
	.start = start,
	.begin = begin,
	.step = step,
	.end = end };
static const struct popper_auth two_auth = {
	.mechanisms = by_both, .start = start, .begin = begin
};
static const struct popper_module fakes[] = {
	{ .name = "one",
	    .conf_size = sizeof(struct fake_conf),
	    .options = fake_options,
	    .auth = &one_auth },
	{ .name = "two",
	    .conf_size = sizeof(struct fake_conf),
	    .options = fake_options,
	    .auth = &two_auth },
};

const struct popper_module *
loader_load(const char *kind, const char *name, struct popper_error *e)
{
	(void)kind;
	for (size_t i = 0; i < 2; i++)
		if (strcmp(name, fakes[i].name) == 0)
			return &fakes[i];
	error_set(e, POPPER_PERMANENT, "no such module");
	return NULL;
}

static struct chain c;
static struct popper_answer answer;
static struct popper_error e;

static int
make(const char *text)
{
	char path[] = "/tmp/popper-unit-XXXXXX";
	int fd = mkstemp(path), result;

	for (size_t i = 0; i < MODULES_MAX; i++)
		free(c.self[i]);
	memset(&c, 0, sizeof(c));
	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	result = chain_start(&c, &(struct modules_source){ path, NULL },
	    &host_services, &e);
	fd_close(&fd);
	unlink(path);
	calls[0] = '\0';
	return result;
}

static enum popper_verdict
ask(const char *mechanism)
{
	struct popper_attempt a = {
		.size = sizeof(a), .mechanism = mechanism, .user = "bob"
	};

	calls[0] = '\0';
	memset(&answer, 'x', sizeof(answer));
	return chain_begin(&c, &a, &answer);
}

static void
asks_in_order(void **state)
{
	(void)state;
	assert_int_equal(make("auth one { name = a }\n"
			      "auth one { name = b says = yes }\n"
			      "auth one { name = c says = no }\n"),
	    0);
	assert_int_equal(ask("USER"), POPPER_AUTH_YES);
	assert_string_equal(calls, "+a -a +b ");
	assert_int_equal(answer.identity.uid, 77);
	assert_string_equal(c.module, "one");
	chain_end(&c);
	chain_end(&c);
	assert_string_equal(calls, "+a -a +b -b ");
}

static void
stops_at_any_word_but_next(void **state)
{
	(void)state;
	assert_int_equal(make("auth one { name = a says = no }\n"
			      "auth one { name = b says = yes }\n"),
	    0);
	assert_int_equal(ask("USER"), POPPER_AUTH_NO);
	assert_int_equal(make("auth one { name = a says = later }\n"
			      "auth one { name = b says = yes }\n"),
	    0);
	assert_int_equal(ask("USER"), POPPER_AUTH_LATER);
	assert_string_equal(calls, "+a ");
}

static void
a_veto_takes_as_long_and_holds(void **state)
{
	static const char *const others[] = { "yes", "no", "next", "more",
		"veto" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(text, sizeof(text),
		    "auth one { name = a says = veto }\n"
		    "auth one { name = b says = %s }\n",
		    others[i]);
		assert_int_equal(make(text), 0);
		assert_int_equal(ask("USER"), POPPER_AUTH_NO);
		assert_string_equal(calls, "+a -a +b -b ");
		assert_int_equal(answer.error.status, POPPER_DENIED);
		assert_int_equal(answer.identity.uid, 0);
		assert_int_equal(answer.challenge_len, 0);
		assert_int_equal(answer.delay, 5);
		assert_null(c.driver);
	}
	/* Who cannot tell now could not for others either. */
	assert_int_equal(make("auth one { name = a says = veto }\n"
			      "auth one { name = b says = later }\n"),
	    0);
	assert_int_equal(ask("USER"), POPPER_AUTH_LATER);
	chain_end(&c);
}

static void
joins_the_stamps_up_to_who_knows(void **state)
{
	struct popper_identity id;
	struct popper_stamp stamp;

	(void)state;
	assert_int_equal(
	    make("auth one { name = a }\nauth one { name = b says = yes }\n"
		 "auth one { name = c says = yes }\n"),
	    0);
	assert_int_equal(chain_vouch(&c, "bob", &id, &stamp, &e), 0);
	assert_int_equal(stamp.len, 2);
	assert_memory_equal(stamp.octets, "ab", 2);
	assert_int_equal(id.uid, 5);
	assert_int_equal(make("auth one { name = a }\n"), 0);
	assert_int_equal(chain_vouch(&c, "bob", &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(make("auth one { name = a says = later }\n"
			      "auth one { name = b says = yes }\n"),
	    0);
	assert_int_equal(chain_vouch(&c, "bob", &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
	assert_int_equal(make("auth one { name = long }\n"
			      "auth one { name = b says = yes }\n"),
	    0);
	assert_int_equal(chain_vouch(&c, "bob", &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
	/* The second knows the user, as far as anybody can tell. */
	assert_int_equal(make("auth one { name = a }\nauth two { says = yes }\n"
			      "auth one { name = c says = yes }\n"),
	    0);
	assert_int_equal(chain_vouch(&c, "bob", &id, &stamp, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
}

static void
says_no_if_nobody_knows_the_user(void **state)
{
	(void)state;
	assert_int_equal(
	    make("auth one { name = a }\nauth two { name = b }\n"), 0);
	assert_int_equal(ask("USER"), POPPER_AUTH_NO);
	assert_string_equal(calls, "+a -a +b ");
	assert_int_equal(answer.error.status, POPPER_DENIED);
	assert_string_equal(answer.error.text, "no module knows the user");
	/* Nothing of what the modules wrote is left. */
	assert_int_equal(answer.identity.uid, 0);
	assert_null(c.driver);
}

static void
asks_those_who_offer_the_mechanism(void **state)
{
	(void)state;
	assert_int_equal(make("auth one { name = a says = yes }\n"
			      "auth two { name = b says = yes }\n"),
	    0);
	assert_int_equal(ask("APOP"), POPPER_AUTH_YES);
	assert_string_equal(calls, "+b ");
	chain_end(&c);
	assert_int_equal(ask("X-NONE"), POPPER_AUTH_NO);
	assert_string_equal(calls, "");
	assert_string_equal(
	    answer.error.text, "no module offers the mechanism");
	assert_int_equal(ask("user"), POPPER_AUTH_NO);
	assert_int_equal(ask(""), POPPER_AUTH_NO);
}

static void
holds_an_exchange(void **state)
{
	(void)state;
	assert_int_equal(make("auth one { name = a says = more }"), 0);
	assert_int_equal(ask("X-ONE"), POPPER_AUTH_MORE);
	assert_int_equal(answer.challenge_len, 3);
	assert_int_equal(chain_step(&c, S("more"), &answer), POPPER_AUTH_MORE);
	assert_int_equal(chain_step(&c, S("yes"), &answer), POPPER_AUTH_YES);
	chain_end(&c);
	assert_string_equal(calls, "+a =a =a -a ");
	/* Begun is begun: no other module takes it over. */
	assert_int_equal(ask("X-ONE"), POPPER_AUTH_MORE);
	assert_int_equal(chain_step(&c, S("next"), &answer), POPPER_AUTH_NO);
	chain_end(&c);
}

static void
takes_no_response_without_an_exchange(void **state)
{
	(void)state;
	assert_int_equal(make("auth two { name = b says = more }"), 0);
	assert_int_equal(chain_step(&c, S("yes"), &answer), POPPER_AUTH_NO);
	/* Nor for a module that knows no steps. */
	assert_int_equal(ask("X-ONE"), POPPER_AUTH_MORE);
	assert_int_equal(chain_step(&c, S("yes"), &answer), POPPER_AUTH_NO);
	chain_end(&c);
	assert_string_equal(calls, "+b ");
}

static void
bounds_a_challenge(void **state)
{
	(void)state;
	assert_int_equal(make("auth one { name = a says = huge }"), 0);
	assert_int_equal(ask("X-ONE"), POPPER_AUTH_LATER);
	chain_end(&c);
	assert_int_equal(make("auth one { name = a says = more }"), 0);
	assert_int_equal(ask("X-ONE"), POPPER_AUTH_MORE);
	assert_int_equal(chain_step(&c, S("huge"), &answer), POPPER_AUTH_LATER);
	chain_end(&c);
}

static void
lists_mechanisms_once(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(
	    make("auth one { name = a }\nauth two { name = b }\n"), 0);
	out[0] = '\0';
	chain_mechanisms(&c, out, sizeof(out));
	assert_string_equal(out, "USER=1 X-ONE=0 APOP=0 X-ON=0");
	assert_int_equal(make("auth two { }\nauth one { }"), 0);
	out[0] = '\0';
	chain_mechanisms(&c, out, sizeof(out));
	assert_string_equal(out, "USER=1 APOP=0 X-ONE=0 X-ON=0");
	/* No half names where there is no room. */
	out[0] = '\0';
	chain_mechanisms(&c, out, 17);
	assert_string_equal(out, "USER=1 APOP=0");
}

static void
starts_or_says_why_not(void **state)
{
	(void)state;
	assert_int_equal(make("drop x { }"), -1);
	assert_non_null(strstr(e.text, "names no auth module"));
	assert_int_equal(make("auth one { name = a starts = no }"), -1);
	assert_string_equal(e.text, "a: no");
	assert_int_equal(make("auth three { }"), -1);
	assert_non_null(strstr(e.text, ":1: no such module"));
}

static int
clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODULES_MAX; i++)
		free(c.self[i]);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_in_order),
		cmocka_unit_test(stops_at_any_word_but_next),
		cmocka_unit_test(a_veto_takes_as_long_and_holds),
		cmocka_unit_test(joins_the_stamps_up_to_who_knows),
		cmocka_unit_test(says_no_if_nobody_knows_the_user),
		cmocka_unit_test(asks_those_who_offer_the_mechanism),
		cmocka_unit_test(holds_an_exchange),
		cmocka_unit_test(takes_no_response_without_an_exchange),
		cmocka_unit_test(bounds_a_challenge),
		cmocka_unit_test(lists_mechanisms_once),
		cmocka_unit_test(starts_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
