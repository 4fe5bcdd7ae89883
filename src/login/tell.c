/*
 * tell.c - what the log hears of a connection before its login.
 *
 * Runs in: a login worker.  Nothing with log-style popper: a failed login is
 * the gate's to tell, who knows why.
 */
#include "login/tell.h"

#include "base/log.h"
#include "conf/logging.h"
#include "login/address.h"
#include "proto/reply.h"

/* "user at host (address): -ERR ..."; the host's name nobody has asked for. */
static void
tell_refusal(void *context, const char *line)
{
	const struct authorization *a = context;
	char user[POPPER_USER_MAX + 1], from[ADDRESS_MAX];

	logging_word(user, sizeof(user), a->user);
	address_of(a->client, from);
	log_notice("%s at %s (%s): %s", user, from, from, line);
}

void
tell_start(struct authorization *a)
{
	char from[ADDRESS_MAX];

	if (a->assignment->settings.debug) {
		address_of(a->client, from);
		log_debug("(v%s) Servicing request from \"%s\" at %s",
		    settings_version, from, from);
	}
	if (logging_is_qpopper(&a->assignment->settings))
		reply_watch(tell_refusal, a);
}

void
tell_end(struct authorization *a, enum dialog_end end)
{
	char user[POPPER_USER_MAX + 1], from[ADDRESS_MAX];

	if (!logging_is_qpopper(&a->assignment->settings))
		return;
	reply_watch(NULL, NULL);
	logging_word(user, sizeof(user), a->user);
	address_of(a->client, from);
	if (end == DIALOG_EXPIRED)
		log_notice("(v%s) Timeout (%llu secs) during nw read from %s "
			   "at %s (%s)",
		    settings_version,
		    (unsigned long long)a->assignment->settings.timeout, user,
		    from, from);
	else if (end == DIALOG_GONE)
		tell_refusal(a, "-ERR POP EOF or I/O Error");
}
