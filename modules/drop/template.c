/*
 * template.c - a maildrop of one message: the drop module that one copies.
 *
 * Runs in: popper-session, as the user.
 *
 * The message is the text of an option, so that nothing here is about files and
 * everything is about the interface (popper/drop.h).  To make your own:
 *
 *   1. Copy this file and choose a name; it is the file's name without suffix,
 *      the first argument of POPPER_MODULE at the end, and the word after
 *      "drop" in modules.conf.
 *   2. State your options: a struct, and a table that says which line of
 *      modules.conf fills which field.  The server parses and checks them.
 *   3. Write open: take the lock, look at the mail once, fix the number, order
 *      and size of the messages.  Say POPPER_ABSENT if this user has no
 *      maildrop of your kind, so that the next module is asked.
 *   4. Write count, describe and read: they show the snapshot and never a mail
 *      that came later.  The size counts each line end as CRLF.  The unique-id
 *      of a message is the same in each session.  read either pours all of the
 *      message or returns -1.
 *   5. Write commit: all marked messages or none, and POPPER_DONE only when it
 *      would survive a power failure.  Then close.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <popper/drop.h>

/* --- Step 2: options. --- */

struct template_conf {
	const char *user; /* who gets the message, or "" for everybody */
	const char *subject;
	const char *text;
};

static const struct popper_option template_options[] = {
	POPPER_OPTION(TEXT, struct template_conf, user, "user", "",
	    "the only user who has this maildrop; empty: every user"),
	POPPER_OPTION(TEXT, struct template_conf, subject, "subject", "Hello",
	    "subject of the message"),
	POPPER_OPTION(TEXT, struct template_conf, text, "text",
	    "There is no other mail.", "the message, one line"),
	POPPER_OPTIONS_END,
};

/* --- Step 3: open. --- */

/* One open maildrop.  The magic finds pointers that are not ours. */
struct template
{
	unsigned magic;
	const struct popper_host *host;
	char *message; /* with LF line ends, as mail is stored on Unix */
	size_t length, lines;
};

#define TEMPLATE_MAGIC 0x746d706cu

static const struct template *
template_from(const void *self)
{
	const struct template *t = self;

	assert(t != NULL && t->magic == TEMPLATE_MAGIC);
	return t;
}

/* Errors have a status for the client and a text for the log. */
static int
template_open(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *error)
{
	const struct template_conf *c = conf;
	struct template *t;
	int length;

	if (c->user[0] != '\0' && strcmp(c->user, place->identity->user) != 0)
		return host->fail(error, POPPER_ABSENT,
		    "template: no message for %s", place->identity->user);
	if ((t = calloc(1, sizeof(*t))) == NULL)
		goto err0;
	t->magic = TEMPLATE_MAGIC;
	t->host = host;
	length =
	    asprintf(&t->message, "Subject: %s\n\n%s\n", c->subject, c->text);
	if (length == -1)
		goto err1;
	t->length = (size_t)length;
	t->lines = 3;
	*self = t;
	return 0;

err1:
	free(t);
err0:
	return host->fail_system(error, POPPER_TEMPORARY, "template");
}

/* --- Step 4: show the snapshot. --- */

static size_t
template_count(const void *self)
{
	(void)template_from(self);
	return 1;
}

static int
template_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *error)
{
	const struct template *t = template_from(self);

	assert(i == 0);
	(void)error; /* nothing here can fail */
	if (want & POPPER_WANT_OCTETS)
		message->octets = t->length + t->lines; /* LF goes as CRLF */
	if (want & POPPER_WANT_UID)
		(void)snprintf(
		    message->uid, sizeof(message->uid), "template-1");
	if (want & POPPER_WANT_FLAGS)
		message->flags = 0;
	return 0;
}

static int
template_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *error)
{
	const struct template *t = template_from(self);

	assert(i == 0);
	if (offset >= t->length)
		return 0;
	/* 1 is "enough": no failure. */
	if (sink->put(sink,
		popper_slice(t->message + offset, t->length - offset)) != -1)
		return 0;
	return t->host->fail(
	    error, POPPER_TEMPORARY, "template: the reader failed");
}

/* --- Step 5: remove, and close. --- */

static enum popper_outcome
template_commit(void *self, const struct popper_changes *changes,
    struct popper_error *error)
{
	const struct template *t = template_from(self);

	assert(changes->count == 1);
	if (!(changes->marks[0] & POPPER_MARK_DELETED))
		return POPPER_DONE;
	(void)t->host->fail(error, POPPER_PERMANENT,
	    "template: the message is part of modules.conf, remove it there");
	return POPPER_NOT_DONE;
}

/* Takes NULL, as free does. */
static void
template_close(void *self)
{
	struct template *t = self;

	if (t == NULL)
		return;
	assert(t->magic == TEMPLATE_MAGIC);
	t->magic = 0;
	free(t->message);
	free(t);
}

/* No paths: this driver opens no file, so the session may open none. */
static const struct popper_drop template_drop = {
	.size = sizeof(struct popper_drop),
	.open = template_open,
	.count = template_count,
	.describe = template_describe,
	.read = template_read,
	.commit = template_commit,
	.close = template_close,
};

/* --- Step 1: the name. --- */

POPPER_MODULE(drop_template, .version = "1",
    .summary = "one message from modules.conf; an example to copy",
    .conf_size = sizeof(struct template_conf), .options = template_options,
    .drop = &template_drop);
