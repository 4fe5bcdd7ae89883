/*
 * account.c - what the log hears of a session: its login, and its end.
 *
 * Runs in: a session, as the user.  The lines of log-style qpopper, of
 * log-login and of statistics are read by programs that are older than popper:
 * no octet of them may change.
 */
#include "session/account.h"

#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/fields.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/logging.h"

/* How long a line waits for the name of the client. */
#define NAME_PATIENCE 5000

typedef unsigned long long ull; /* what %llu takes */

/* The name of the client, if the gate has found one in time; else its address.
 */
static const char *
host(struct session *s, int64_t patience)
{
	static struct wire w;
	size_t count;

	if (s->host[0] != '\0')
		return s->host;
	if (s->opening->named && s->gate != -1 &&
	    fd_wait(s->gate, POLLIN, deadline_in(patience)) > 0) {
		if (wire_receive(&w, s->gate, NULL, 0, &count) == 1 &&
		    host_get(&w, s->host))
			return s->host;
		text_copy(s->host, sizeof(s->host), s->opening->client);
	}
	return s->opening->client;
}

static const char *
user(const struct session *s)
{
	static char word[POPPER_USER_MAX + 1];

	logging_word(word, sizeof(word), s->opening->identity.user);
	return word;
}

/* "user at host (address): -ERR ..." */
static void
tell_refusal(void *context, const char *line)
{
	struct session *s = context;

	log_notice(
	    "%s at %s (%s): %s", user(s), host(s, 0), s->opening->client, line);
}

void
account_start(struct session *s)
{
	s->began = deadline_in(0);
	if (logging_is_qpopper(s->settings))
		reply_watch(tell_refusal, s);
}

/* Who it is, as every line of a session begins. */
static void
introduce(struct fields *f, const char *event, const struct session *s)
{
	const struct popper_identity *i = &s->opening->identity;

	fields_start(f, event);
	fields_word(f, "from", s->opening->client);
	fields_text(f, "user", i->user);
	if (i->folder[0] != '\0')
		fields_text(f, "mailbox", i->folder);
}

static void
describe_way(struct fields *f, const struct session *s)
{
	fields_word(f, "mechanism", s->opening->mechanism);
	fields_text(f, "tls", s->opening->manners.tls);
}

/* Is it the client's doing? */
static bool
is_everyday(enum popper_status status)
{
	return status == POPPER_IN_USE || status == POPPER_INVALID ||
	    status == POPPER_TOO_SOON;
}

void
account_refused(struct session *s, const struct popper_error *e)
{
	enum popper_level level =
	    is_everyday(e->status) ? POPPER_LOG_NOTICE : POPPER_LOG_ERROR;
	struct fields f;

	if (logging_is_qpopper(s->settings)) {
		log_write(
		    level, "maildrop of %s not opened: %s", user(s), e->text);
		return;
	}
	fields_start(&f, "login-failed");
	fields_word(&f, "code", reply_status_name(e->status));
	fields_word(&f, "from", s->opening->client);
	fields_text(&f, "user", s->opening->identity.user);
	describe_way(&f, s);
	fields_text(&f, "reason", e->text);
	fields_log(&f, level);
}

/* log-login; its readers are waited for a name that they want. */
static void
tell_template(struct session *s)
{
	char line[LOG_LINE_MAX + 1];
	const char *values[4] = { settings_version, s->opening->identity.user,
		"", s->opening->client };

	if (s->settings->log_login[0] == '\0')
		return;
	if (logging_asks(s->settings, '2')) {
		stream_flush(s->stream);
		values[2] = host(s, NAME_PATIENCE);
	}
	logging_login(s->settings, values, line, sizeof(line));
	log_notice("%s", line);
}

void
account_login(struct session *s, size_t count, const uint64_t *octets)
{
	struct fields f;

	s->opened = deadline_in(0);
	tell_template(s);
	if (logging_is_qpopper(s->settings))
		return;
	introduce(&f, "login", s);
	describe_way(&f, s);
	fields_number(&f, "messages", count);
	if (octets != NULL)
		fields_number(&f, "octets", *octets);
	fields_log(&f, POPPER_LOG_INFO);
}

/* As the popper line has it: what was deleted, what is left. */
static void
tell_statistics(struct session *s, const struct tally *t)
{
	if (!s->settings->statistics)
		return;
	log_notice("Stats: %s %zu %llu %zu %llu %s %s", user(s), t->deleted,
	    (ull)t->deleted_octets, t->left, (ull)t->left_octets,
	    host(s, NAME_PATIENCE), s->opening->client);
}

static const char *
why(enum dialog_end end, int result)
{
	switch (end) {
	case DIALOG_QUIT:
		return result == 0 ? "quit" : "update-failed";
	case DIALOG_CLOSE:
		return "closed";
	case DIALOG_EXPIRED:
		return "timeout";
	case DIALOG_WOKEN:
		return "taken-over";
	case DIALOG_GONE:
	case DIALOG_HANDED_OVER:
		break;
	}
	return "lost";
}

static uint64_t
between(deadline_t from, deadline_t to)
{
	return to > from ? (uint64_t)(to - from) : 0;
}

/* What the session did, in popper's own words. */
static void
tell_end(struct session *s, const char *reason, const struct tally *t)
{
	struct fields f;
	deadline_t now = deadline_in(0);

	introduce(&f, "session-end", s);
	if (s->host[0] != '\0')
		fields_word(&f, "host", s->host);
	fields_word(&f, "why", reason);
	fields_number(&f, "seconds", between(s->began, now) / 1000);
	fields_number(&f, "retr", s->retrieved);
	fields_number(&f, "top", s->topped);
	fields_number(&f, "deleted", t->deleted);
	fields_number(&f, "deleted-octets", t->deleted_octets);
	if (s->expired > 0)
		fields_number(&f, "expired", s->expired);
	fields_number(&f, "left", t->left);
	if (t->measured)
		fields_number(&f, "left-octets", t->left_octets);
	fields_number(&f, "sent", s->stream->octets_out);
	fields_number(&f, "received", s->stream->octets_in);
	if (s->settings->timing) {
		fields_number(&f, "auth-ms", s->opening->judged);
		fields_number(&f, "open-ms", between(s->began, s->opened));
		fields_number(&f, "end-ms", between(s->ending, now));
	}
	fields_log(&f, POPPER_LOG_INFO);
}

/* The same, as it was told in the 1990s. */
static void
tell_end_qpopper(struct session *s, enum dialog_end end, int result)
{
	const char *address = s->opening->client, *name = host(s, 0);
	deadline_t now = deadline_in(0);

	if (end == DIALOG_EXPIRED)
		log_notice("(v%s) Timeout (%llu secs) during nw read from %s "
			   "at %s (%s)",
		    settings_version, (ull)s->settings->timeout, user(s), name,
		    address);
	else if (end == DIALOG_GONE)
		tell_refusal(s, "-ERR POP EOF or I/O Error");
	if (s->settings->timing)
		log_info("(v%s) Timing for %s@%s (%s) auth=%llu init=%llu "
			 "clean=%llu",
		    settings_version, user(s), name,
		    end == DIALOG_QUIT && result == 0 ? "normal" : "error",
		    (ull)(s->opening->judged / 1000),
		    (ull)(between(s->began, s->opened) / 1000),
		    (ull)(between(s->ending, now) / 1000));
	log_debug("(v%s) Ending request from \"%s\" at (%s) %s",
	    settings_version, user(s), name, address);
}

void
account_end(
    struct session *s, enum dialog_end end, int result, const struct tally *t)
{
	tell_statistics(s, t);
	if (logging_is_qpopper(s->settings))
		tell_end_qpopper(s, end, result);
	else
		tell_end(s, why(end, result), t);
}
