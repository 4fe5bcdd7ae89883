/*
 * failure.c - what the log hears of a login that failed.
 *
 * Runs in: the gate of one connection, as root.  The name is what the client
 * sent: readers of the log, as fail2ban, act on these lines.
 */
#include "auth/failure.h"

#include "base/fields.h"
#include "base/log.h"
#include "conf/logging.h"
#include "proto/reply.h"

static void
tell_fields(enum popper_level level, const struct exchange *x,
    const struct popper_error *e)
{
	struct fields f;

	fields_start(&f, "login-failed");
	fields_word(&f, "code", reply_status_name(e->status));
	fields_word(&f, "from", x->client);
	fields_text(&f, "user", x->given);
	fields_word(&f, "mechanism", x->mechanism);
	fields_text(&f, "tls", x->manners.tls);
	fields_text(&f, "reason", e->text);
	fields_log(&f, level);
}

void
failure_tell(const struct exchange *x, const struct popper_error *e)
{
	char user[POPPER_USER_MAX + 1];

	/* A wrong password is worth a look, a database that is gone needs
	 * somebody. */
	if (!logging_is_qpopper(x->settings)) {
		tell_fields(e->status == POPPER_DENIED ? POPPER_LOG_NOTICE
						       : POPPER_LOG_ERROR,
		    x, e);
		return;
	}
	logging_word(user, sizeof(user), x->given);
	if (e->status == POPPER_DENIED)
		log_notice("[AUTH] Failed attempted login to %s from host "
			   "(%s) %s",
		    user, x->client, x->client);
	/* Its readers want that line to end there. */
	log_write(
	    e->status == POPPER_DENIED ? POPPER_LOG_INFO : POPPER_LOG_ERROR,
	    "login of %s from %s failed: %s", user, x->client, e->text);
}

void
failure_tell_untried(const struct exchange *x)
{
	struct popper_error e = { .status = POPPER_TEMPORARY,
		.text =
		    "not even tried: too many of that source wait already" };

	if (!logging_is_qpopper(x->settings))
		tell_fields(POPPER_LOG_NOTICE, x, &e);
	else
		log_notice("[AUTH] a login from %s is not even tried: too many "
			   "of that source wait already",
		    x->client);
}
