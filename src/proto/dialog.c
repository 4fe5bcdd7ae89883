/*
 * dialog.c - the loop: a line, a command, its handler, one reply.
 *
 * Runs in: a login worker (AUTHORIZATION) and a session (TRANSACTION).
 */
#include "proto/dialog.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"

#define MINUTE 60000

/* Once a minute, talk or silence.  False if the session must end. */
static bool
beat(struct dialog *d)
{
	if (d->minute == NULL || deadline_left(d->beat) > 0)
		return true;
	d->beat = deadline_in(MINUTE);
	return d->minute(d->context) == 0;
}

/* A line of a command that may be long was read with a higher limit. */
static bool
is_too_long(const struct dialog *d, struct popper_slice line)
{
	size_t len;

	if (d->lengthy == NULL || line.len + 2 <= COMMAND_LINE_MAX)
		return false;
	len = strlen(d->lengthy);
	return strncasecmp(line.ptr, d->lengthy, len) != 0 ||
	    line.ptr[len] != ' ';
}

/*
 * The next command line, with a stop whenever a minute is over.  Returns false
 * with ${end} set if there is none.
 */
static bool
next_line(struct dialog *d, struct popper_slice *line, enum stream_line *result,
    enum dialog_end *end)
{
	size_t most = d->lengthy == NULL ? COMMAND_LINE_MAX : STREAM_LINE_MAX;
	deadline_t give_up, stop, lull = DEADLINE_NEVER;

	give_up = deadline_earlier(d->limit, deadline_in(d->idle));
	if (d->lull > 0)
		lull = deadline_in(d->lull);
	for (;;) {
		*end = DIALOG_CLOSE;
		if (!beat(d))
			return false;
		stop = deadline_earlier(give_up, lull);
		if (d->minute != NULL)
			stop = deadline_earlier(stop, d->beat);
		*result = stream_read_line(d->stream, most, line, stop);
		*end = DIALOG_WOKEN;
		if (d->woken != NULL &&
		    !d->woken(d->context, *result != STREAM_EXPIRED))
			return false;
		if (*result == STREAM_LINE && is_too_long(d, *line))
			*result = STREAM_LONG;
		if (*result == STREAM_CLOSED)
			*end = DIALOG_GONE;
		else if (*result != STREAM_EXPIRED)
			return true;
		else if (deadline_left(give_up) == 0)
			*end = DIALOG_EXPIRED;
		else {
			if (deadline_left(lull) == 0) {
				d->lulled(d->context);
				lull = DEADLINE_NEVER;
			}
			continue;
		}
		return false;
	}
}

/* A command that is in no table of ours. */
static enum outcome
run_unknown(struct dialog *d, struct popper_slice line)
{
	const struct command *other = NULL;
	struct arguments args;
	enum outcome outcome;

	if (d->elsewhere != NULL)
		command_find(d->elsewhere, line, &other, &args);
	if (other != NULL)
		return reply_refuse(&d->reply, POPPER_INVALID,
		    "command not valid in this state");
	if (d->extra != NULL && d->extra(d->context, line, &d->reply, &outcome))
		return outcome;
	return reply_refuse(&d->reply, POPPER_INVALID, "unknown command");
}

/* Find and run the command that ${line} spells. */
static enum outcome
run_line(struct dialog *d, struct popper_slice line)
{
	const struct command *c;
	struct arguments args;
	enum command_fault fault;

	fault = command_find(d->commands, line, &c, &args);
	if (d->before != NULL)
		d->before(d->context, c);
	if (d->working != NULL)
		d->working(d->context, c == NULL ? "" : c->keyword);
	switch (fault) {
	case COMMAND_FINE:
		return c->run(d->context, &args, &d->reply);
	case COMMAND_UNKNOWN:
		return run_unknown(d, line);
	case COMMAND_SYNTAX:
		return reply_refuse(
		    &d->reply, POPPER_INVALID, "malformed command");
	case COMMAND_ARGUMENTS:
		break;
	}
	return reply_refuse(
	    &d->reply, POPPER_INVALID, "wrong number of arguments");
}

/* A line that never became a command. */
static enum outcome
refuse_line(struct dialog *d, enum stream_line result)
{
	if (d->before != NULL)
		d->before(d->context, NULL);
	reply_refuse(&d->reply, POPPER_INVALID, "line too long");
	return result == STREAM_LONG ? OUTCOME_REFUSED : OUTCOME_CLOSE;
}

/* Did the command get its answer?  A missing one would shift all that follow,
 * and the client would take one message for another. */
static void
check_answered(const struct dialog *d, enum outcome outcome)
{
	if (!d->reply.answered &&
	    (outcome == OUTCOME_DONE || outcome == OUTCOME_REFUSED))
		log_panic("a command was not answered");
}

/* What ${outcome} means for the loop.  True: go on. */
static bool
go_on(struct dialog *d, enum outcome outcome, enum dialog_end *end)
{
	switch (outcome) {
	case OUTCOME_DONE:
	case OUTCOME_REFUSED:
		*end = DIALOG_GONE;
		return !d->stream->broken;
	case OUTCOME_QUIT:
		*end = DIALOG_QUIT;
		return false;
	case OUTCOME_CLOSE:
		*end = DIALOG_CLOSE;
		return false;
	case OUTCOME_HANDED_OVER:
		*end = DIALOG_HANDED_OVER;
		return false;
	}
	log_panic("outcome %d", (int)outcome);
}

enum dialog_end
dialog_run(struct dialog *d)
{
	struct popper_slice line;
	enum stream_line result;
	enum dialog_end end;
	enum outcome outcome;
	unsigned faults = 0;

	reply_start(&d->reply, d->stream);
	d->beat = deadline_in(MINUTE);
	for (;;) {
		if (d->working != NULL)
			d->working(d->context, NULL);
		if (!next_line(d, &line, &result, &end))
			return end;
		reply_begin(&d->reply);
		if (result == STREAM_LINE)
			outcome = run_line(d, line);
		else
			outcome = refuse_line(d, result);
		check_answered(d, outcome);
		faults = outcome == OUTCOME_REFUSED ? faults + 1 : 0;
		if (!go_on(d, outcome, &end))
			return end;
		if (faults >= DIALOG_FAULTS_MAX)
			return DIALOG_CLOSE;
	}
}
