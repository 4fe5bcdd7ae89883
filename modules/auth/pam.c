/*
 * pam.c - auth module: the system's accounts, by way of PAM.
 *
 * Runs in:  the gate, as root, one login each; libpam and the modules that the
 *           service's file names run here too, and may block or crash.
 * Order:    authenticate, then always the account check; with option session
 *           credentials and a PAM session around the POP3 session.
 */
#include <stdlib.h>
#include <string.h>

#include "pam.h"

static const struct popper_option auth_pam_options[] = {
	POPPER_OPTION(TEXT, struct auth_pam_conf, service, "service", "popper",
	    "name of the service's file in /etc/pam.d"),
	POPPER_OPTION(TEXT, struct auth_pam_conf, folder, "confdir", "",
	    "folder of service files instead of /etc/pam.d"),
	POPPER_OPTION(BOOL, struct auth_pam_conf, session, "session", "no",
	    "open a PAM session around the POP3 session"),
	POPPER_OPTION(TEXT, struct auth_pam_conf, mail, "mail", "",
	    "maildrop of everybody, PATH or NAME:PATH"),
	POPPER_OPTIONS_END
};

static int
auth_pam_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct auth_pam *p;
	const char *problem = auth_pam_check(conf);

	if (problem != NULL)
		return host->fail(e, POPPER_PERMANENT, "pam: %s", problem);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "pam");
	p->host = host;
	p->conf = conf;
	auth_pam_warm(p);
	*self = p;
	return 0;
}

static void
auth_pam_stop(void *self)
{
	struct auth_pam *p = self;

	if (p != NULL && p->warm != NULL)
		(void)pam_end(p->warm, PAM_SUCCESS);
	free(p);
}

enum popper_verdict
auth_pam_judge(const struct auth_pam_exchange *x, const char *step, int result,
    struct popper_error *e)
{
	enum popper_verdict verdict = POPPER_AUTH_LATER;
	enum popper_status status = POPPER_TEMPORARY;

	switch (result) {
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_MAXTRIES:
	case PAM_CRED_INSUFFICIENT:
	case PAM_CRED_EXPIRED:
	case PAM_CRED_UNAVAIL:
	case PAM_CRED_ERR:
	case PAM_CONV_ERR:
		verdict = POPPER_AUTH_NO;
		status = POPPER_DENIED;
		break;
	default:
		break;
	}
	(void)x->self->host->fail(e, status, "pam: %s: %s (service %s)", step,
	    pam_strerror(x->handle, result), x->self->conf->service);
	return verdict;
}

enum popper_verdict
auth_pam_identify(struct auth_pam_exchange *x, struct popper_identity *id,
    struct popper_error *e)
{
	const struct auth_pam *p = x->self;
	const void *user = NULL;

	x->last = pam_get_item(x->handle, PAM_USER, &user);
	if (x->last != PAM_SUCCESS)
		return auth_pam_judge(x, "user", x->last, e);
	if (user == NULL || !auth_pam_is_name(user)) {
		(void)p->host->fail(e, POPPER_DENIED,
		    "pam: a module changed the name into one that is not fit");
		return POPPER_AUTH_NO;
	}
	if (auth_pam_account(p, user, id, e) == 0) {
		if (p->conf->session)
			id->flags |= POPPER_IDENTITY_KEEP;
		return POPPER_AUTH_YES;
	}
	if (e->status != POPPER_ABSENT)
		return POPPER_AUTH_LATER;
	e->status = POPPER_DENIED;
	return POPPER_AUTH_NO;
}

static enum popper_verdict
authenticate(struct auth_pam_exchange *x, struct popper_answer *answer)
{
	const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;

	x->last = pam_authenticate(x->handle, flags);
	if (x->last == PAM_USER_UNKNOWN)
		return POPPER_AUTH_NEXT;
	if (x->last != PAM_SUCCESS)
		return auth_pam_judge(
		    x, "authenticate", x->last, &answer->error);
	x->last = pam_acct_mgmt(x->handle, flags);
	if (x->last != PAM_SUCCESS)
		return auth_pam_judge(x, "account", x->last, &answer->error);
	return auth_pam_identify(x, &answer->identity, &answer->error);
}

/* What PAM cannot be asked about, since it takes a C string. */
static const char *
check_secret(struct popper_slice secret)
{
	if (secret.len == 0)
		return "the password is empty";
	if (secret.len >= PAM_MAX_RESP_SIZE)
		return "the password is too long";
	if (memchr(secret.ptr, '\0', secret.len) != NULL)
		return "a NUL in the password";
	return NULL;
}

static enum popper_verdict
auth_pam_begin(void *self, const struct popper_attempt *attempt,
    void **exchange, struct popper_answer *answer)
{
	const struct auth_pam *p = self;
	struct auth_pam_exchange *x;
	enum popper_verdict verdict;
	const char *problem = check_secret(attempt->secret);

	*exchange = NULL;
	if (strcmp(attempt->mechanism, "USER") != 0 || attempt->user == NULL ||
	    !auth_pam_is_name(attempt->user))
		return POPPER_AUTH_NEXT;
	if (problem != NULL) {
		(void)p->host->fail(
		    &answer->error, POPPER_DENIED, "pam: %s", problem);
		return POPPER_AUTH_NO;
	}
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		(void)p->host->fail_system(
		    &answer->error, POPPER_TEMPORARY, "pam");
		return POPPER_AUTH_LATER;
	}
	*exchange = x;
	x->self = p;
	x->secret = attempt->secret;
	x->last = auth_pam_handle(p, attempt->user, x, &x->handle);
	if (x->last == PAM_SUCCESS)
		x->last = auth_pam_describe(x, attempt->client);
	verdict = x->last == PAM_SUCCESS
	    ? authenticate(x, answer)
	    : auth_pam_judge(x, "start", x->last, &answer->error);
	x->secret = popper_slice(NULL, 0);
	if (verdict != POPPER_AUTH_YES)
		answer->delay = x->delay;
	return verdict;
}

static int
auth_pam_opened(void *exchange, struct popper_error *e)
{
	struct auth_pam_exchange *x = exchange;

	x->last = pam_setcred(x->handle, PAM_ESTABLISH_CRED | PAM_SILENT);
	if (x->last != PAM_SUCCESS) {
		(void)auth_pam_judge(x, "credentials", x->last, e);
		return -1;
	}
	x->last = pam_open_session(x->handle, PAM_SILENT);
	if (x->last != PAM_SUCCESS) {
		(void)auth_pam_judge(x, "session", x->last, e);
		(void)pam_setcred(x->handle, PAM_DELETE_CRED | PAM_SILENT);
		return -1;
	}
	x->open = true;
	return 0;
}

static void
auth_pam_closed(void *exchange)
{
	struct auth_pam_exchange *x = exchange;

	if (!x->open)
		return;
	x->open = false;
	x->last = pam_close_session(x->handle, PAM_SILENT);
	if (x->last != PAM_SUCCESS)
		x->self->host->log(POPPER_LOG_WARNING,
		    "pam: end of session: %s",
		    pam_strerror(x->handle, x->last));
	x->last = pam_setcred(x->handle, PAM_DELETE_CRED | PAM_SILENT);
}

static void
auth_pam_end(void *exchange)
{
	struct auth_pam_exchange *x = exchange;

	if (x == NULL)
		return;
	auth_pam_closed(x);
	if (x->handle != NULL)
		(void)pam_end(x->handle, x->last);
	free(x);
}

static const char *const auth_pam_mechanisms[] = { "USER", NULL };

static const struct popper_auth auth_pam_driver = {
	.size = sizeof(struct popper_auth),
	.mechanisms = auth_pam_mechanisms,
	.start = auth_pam_start,
	.begin = auth_pam_begin,
	.opened = auth_pam_opened,
	.closed = auth_pam_closed,
	.end = auth_pam_end,
	.lookup = auth_pam_lookup,
	.stop = auth_pam_stop,
	.vouch = auth_pam_vouch,
};

POPPER_MODULE(pam, .version = "1",
    .summary = "the system's accounts, by way of PAM",
    .conf_size = sizeof(struct auth_pam_conf), .options = auth_pam_options,
    .auth = &auth_pam_driver);
