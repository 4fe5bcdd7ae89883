/*
 * talk.h - a session that talks to nobody, and runs one command of an
 * extension.
 */
#ifndef TALK_H
#define TALK_H

#include "drop.h"
#include "session/talk.h"

static const struct drop_message mail[] = {
	{ "one\n", DROP_WHOLE, NULL, false },
	{ "two two\n", DROP_WHOLE, NULL, false },
};

static struct stream stream;
static struct reply reply;
static struct drop drop;
static struct maildrop maildrop;
static struct messages messages;
static struct popper_error trouble;
static int attendant = -1;

static int
start(void **state)
{
	(void)state;
	stream_start(&stream, -1, 0);
	reply_start(&reply, &stream);
	drop_open(&maildrop, &drop, mail, 2);
	return messages_start(&messages, &maildrop, &trouble);
}

static int
stop(void **state)
{
	(void)state;
	messages_free(&messages);
	return 0;
}

/* Run ${command} with ${argument}, or with none. */
static enum outcome
run(int (*command)(void *, const struct popper_call *, struct popper_error *),
    const char *argument)
{
	struct popper_command c = { "XTEST", 0, 1, command };
	struct popper_slice args[1] = { popper_slice_text(argument) };
	struct part part = {
		.command = &c, .module = "test", .attendant = attendant
	};

	stream.out_len = 0;
	reply_begin(&reply);
	return talk_run(
	    &part, args, args[0].len > 0 ? 1 : 0, &messages, &reply);
}

#define assert_sent(literal) \
	assert_slice(popper_slice(stream.out, stream.out_len), literal)

#endif
