/*
 * listing.c - LIST and UIDL of all messages.
 *
 * Runs in: a session, as the user.
 *
 * The first line comes with the first message: until then a failure can be
 * told by -ERR, later only by closing the connection.
 */
#include "session/listing.h"

#include "base/error.h"
#include "base/log.h"
#include "base/number.h"
#include "session/pipeline.h"
#include "session/transaction.h"

struct listing {
	struct popper_lister lister;
	struct session *session;
	struct reply *reply;
	const char *command;
	bool answered; /* the first line is out */
	bool refused; /* it was -ERR: say no more */
	bool bad; /* ${error} is ours, not the driver's */
	struct popper_error error;
};

/* Tell the log, and the client if nothing was said yet. */
static enum outcome
give_up(struct listing *l, const struct popper_error *e)
{
	if (e->status != POPPER_INVALID || l->answered)
		log_failure(l->command, e);
	return l->answered ? OUTCOME_CLOSE : reply_error(l->reply, e);
}

/* "+OK 2 messages (320 octets)".  False: it was refused. */
static bool __attribute__((noinline)) answer(struct listing *l)
{
	struct session *s = l->session;
	struct popper_error e;
	uint64_t octets;
	size_t count;

	if (!messages_are_measured(&s->messages)) { /* UIDL needs no sizes */
		l->answered = true;
		transaction_count(
		    l->reply, s->maildrop.count - s->messages.deleted);
		return true;
	}
	if (messages_total(&s->messages, false, &count, &octets, &e) == -1) {
		l->refused = true;
		l->command = "sizes";
		give_up(l, &e);
		return false;
	}
	if (count == 1)
		reply_ok(l->reply, "%zu message (%llu octets)", count,
		    (unsigned long long)octets);
	else
		reply_ok(l->reply, "%zu messages (%llu octets)", count,
		    (unsigned long long)octets);
	l->answered = true;
	return true;
}

/* The same, once.  Apart from it, for each message comes by here, and an error
 * on the stack is more to clear than all the rest. */
static bool
begin(struct listing *l)
{
	return l->answered || (!l->refused && answer(l));
}

/* After the last message: there may have been none. */
static enum outcome
end(struct listing *l)
{
	return begin(l) ? reply_end(l->reply) : OUTCOME_REFUSED;
}

/* A message that is not there: whatever follows is wrong, too. */
static int __attribute__((noinline)) refuse(struct listing *l, size_t i)
{
	l->bad = true;
	error_set(&l->error, POPPER_PERMANENT,
	    "the drop module listed message %zu of %zu", i + 1,
	    l->session->maildrop.count);
	return 1;
}

static int
put_octets(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct listing *l = (struct listing *)lister;
	char digits[NUMBER_DIGITS];

	(void)uid;
	if (i >= l->session->maildrop.count)
		return refuse(l, i);
	if (messages_is_deleted(&l->session->messages, i))
		return 0;
	if (!begin(l))
		return 1;
	reply_pair(l->reply, i + 1,
	    popper_slice(digits, number_print(octets, digits)));
	return 0;
}

static int
put_uid(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct listing *l = (struct listing *)lister;

	(void)octets;
	if (i >= l->session->maildrop.count)
		return refuse(l, i);
	if (messages_is_deleted(&l->session->messages, i))
		return 0;
	l->bad = messages_uid_check(i, uid, &l->error) == -1;
	if (l->bad || !begin(l))
		return 1;
	reply_pair(l->reply, i + 1, uid);
	return 0;
}

static enum outcome
run(struct listing *l, unsigned want)
{
	struct popper_error e;

	if (messages_list(&l->session->messages, want, &l->lister, &e) == -1)
		return give_up(l, &e);
	return l->bad ? give_up(l, &l->error) : end(l);
}

int
listing_size(struct session *s, size_t i, struct popper_slice argument,
    uint64_t *octets, struct popper_error *e)
{
	struct popper_request request = { .size = sizeof(request),
		.command = "LIST",
		.i = i,
		.argument = argument,
		.lines = PIPELINE_ALL };

	if (argument.len == 0)
		return messages_octets(&s->messages, i, octets, e);
	return pipeline_measure(s, &request, octets, e);
}

enum outcome
listing_sizes(struct session *s, struct popper_slice argument, struct reply *r)
{
	struct listing l = { .lister = { .put = put_octets },
		.session = s,
		.reply = r,
		.command = "LIST" };
	uint64_t octets;

	if (argument.len == 0)
		return run(&l, POPPER_WANT_OCTETS);
	for (size_t i = 0; i < s->maildrop.count; i++) {
		if (messages_is_deleted(&s->messages, i))
			continue;
		if (listing_size(s, i, argument, &octets, &l.error) == -1)
			return give_up(&l, &l.error); /* the argument? */
		if (put_octets(&l.lister, i, octets, argument) != 0)
			break;
	}
	return end(&l);
}

enum outcome
listing_uids(struct session *s, struct reply *r)
{
	struct listing l = { .lister = { .put = put_uid },
		.session = s,
		.reply = r,
		.command = "UIDL" };

	return run(&l, POPPER_WANT_UID);
}
