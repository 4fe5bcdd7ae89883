/*
 * template.c - the auth module one copies.  It knows one user.
 *
 * Runs in:  the gate, one process per connection, with a deadline: block if
 *           you must, never sleep.  start runs earlier, in the warm parent.
 * Built:    with every popper, so that it stays true; never installed.
 *
 * To make your own:
 *  1. Copy this file; put your module's name in place of "auth_template" here
 *     and in "template" elsewhere.  Build it with
 *     cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags popper)
 *     -o NAME.so NAME.c, and install it, owned by root, beside passwd.so.
 *  2. Say which mechanisms you serve: template_mechanisms.
 *  3. State your options: struct template_conf and template_options.  The
 *     server parses modules.conf and hands you the struct, filled.
 *  4. Write start, begin and end; step too if begin ever says MORE.
 *  5. Name the module in modules.conf: auth NAME { option = "value" }
 *
 * What to keep in mind: a secret is octets with a length, not a string; an
 * empty password is never right; whoever you do not know is NEXT, not NO, and
 * takes as long; answer.error.text goes to the log, never to the client.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <popper/auth.h>

/* --- 2. Mechanisms. --- */

static const char *const template_mechanisms[] = { "USER", "X-QUIZ", NULL };

/* --- 3. Options. --- */

struct template_conf {
	const char *user;
	const char *password; /* "": nobody gets in by USER */
	const char *question;
	const char *answer; /* "": nobody gets in by X-QUIZ */
	const char *maildrop;
};

static const struct popper_option template_options[] = {
	POPPER_OPTION(TEXT, struct template_conf, user, "user", "guest",
	    "the one user there is"),
	POPPER_OPTION(TEXT, struct template_conf, password, "password", "",
	    "the user's password"),
	POPPER_OPTION(TEXT, struct template_conf, question, "question", "",
	    "what X-QUIZ asks"),
	POPPER_OPTION(TEXT, struct template_conf, answer, "answer", "",
	    "what X-QUIZ wants to hear"),
	POPPER_OPTION(TEXT, struct template_conf, maildrop, "maildrop", "",
	    "path of the user's maildrop"),
	POPPER_OPTIONS_END
};

/* --- 4. The driver. --- */

/* An instance: one section of modules.conf. */
struct template_self {
	const struct popper_host *host;
	const struct template_conf *conf;
};

static int
template_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct template_self *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "template");
	t->host = host;
	t->conf = conf;
	if (strlen(t->conf->user) > POPPER_USER_MAX ||
	    strlen(t->conf->maildrop) > POPPER_PATH_MAX ||
	    strlen(t->conf->question) > POPPER_CHALLENGE_MAX) {
		free(t);
		return host->fail(
		    e, POPPER_PERMANENT, "template: an option is too long");
	}
	*self = t;
	return 0;
}

static void
template_stop(void *self)
{
	free(self);
}

/* Does ${secret} spell ${right}?  The time depends on the length of what the
 * client sent, which the client knows. */
static bool
fits(struct popper_slice secret, const char *right)
{
	size_t len = strlen(right);
	unsigned char differ = secret.len != len || len == 0;

	for (size_t i = 0; i < secret.len; i++)
		differ |= (unsigned char)(secret.ptr[i] ^
		    right[len > 0 ? i % len : 0]);
	return differ == 0;
}

static enum popper_verdict
no(const struct template_self *t, const char *why, struct popper_answer *answer)
{
	(void)t->host->fail(&answer->error, POPPER_DENIED, "template: %s", why);
	return POPPER_AUTH_NO;
}

/* The answer is zeroed before: home and drop stay "". */
static enum popper_verdict
yes(const struct template_self *t, struct popper_answer *answer)
{
	struct popper_identity *id = &answer->identity;

	id->flags = POPPER_IDENTITY_VIRTUAL;
	id->uid = geteuid();
	id->gid = getegid();
	memcpy(id->user, t->conf->user, strlen(t->conf->user) + 1);
	memcpy(id->maildrop, t->conf->maildrop, strlen(t->conf->maildrop) + 1);
	return POPPER_AUTH_YES;
}

static enum popper_verdict
try_password(const struct template_self *t,
    const struct popper_attempt *attempt, struct popper_answer *answer)
{
	bool right = fits(attempt->secret, t->conf->password);

	if (strcmp(attempt->user, t->conf->user) != 0)
		return POPPER_AUTH_NEXT;
	return right ? yes(t, answer) : no(t, "wrong password", answer);
}

/* One X-QUIZ on its way: what step needs to go on. */
struct template_exchange {
	const struct template_self *self;
};

/* The server speaks first (RFC 4422 section 5): a response that came with
 * AUTH is a mistake. */
static enum popper_verdict
ask(const struct template_self *t, const struct popper_attempt *attempt,
    void **exchange, struct popper_answer *answer)
{
	struct template_exchange *x;

	if (attempt->initial)
		return no(t, "X-QUIZ has no initial response", answer);
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		(void)t->host->fail_system(
		    &answer->error, POPPER_TEMPORARY, "template");
		return POPPER_AUTH_LATER;
	}
	x->self = t;
	*exchange = x;
	answer->challenge_len = strlen(t->conf->question);
	memcpy(answer->challenge, t->conf->question, answer->challenge_len);
	return POPPER_AUTH_MORE;
}

static enum popper_verdict
template_begin(void *self, const struct popper_attempt *attempt,
    void **exchange, struct popper_answer *answer)
{
	const struct template_self *t = self;

	*exchange = NULL;
	if (strcmp(attempt->mechanism, "USER") == 0)
		return try_password(t, attempt, answer);
	if (strcmp(attempt->mechanism, "X-QUIZ") == 0)
		return ask(t, attempt, exchange, answer);
	return POPPER_AUTH_NEXT;
}

static enum popper_verdict
template_step(
    void *exchange, struct popper_slice response, struct popper_answer *answer)
{
	const struct template_exchange *x = exchange;

	if (fits(response, x->self->conf->answer))
		return yes(x->self, answer);
	return no(x->self, "wrong answer to the quiz", answer);
}

static void
template_end(void *exchange)
{
	free(exchange);
}

static int
template_lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	const struct template_self *t = self;
	struct popper_answer answer = { .size = sizeof(answer) };

	if (strcmp(user, t->conf->user) != 0)
		return t->host->fail(
		    e, POPPER_ABSENT, "template: no such user");
	answer.identity.size = id->size;
	(void)yes(t, &answer);
	*id = answer.identity;
	return 0;
}

static const struct popper_auth template_auth = {
	.size = sizeof(struct popper_auth),
	.traits = POPPER_AUTH_CLEAN,
	.mechanisms = template_mechanisms,
	.start = template_start,
	.begin = template_begin,
	.step = template_step,
	.end = template_end,
	.lookup = template_lookup,
	.stop = template_stop,
};

POPPER_MODULE(auth_template, .version = "1",
    .summary = "one user, to be copied",
    .conf_size = sizeof(struct template_conf), .options = template_options,
    .auth = &template_auth);
