/*
 * pam_vouch.c - who a user is, without a password.
 *
 * Runs in:  the gate, as root.  PAM's account checks run each time; nobody is
 *           authenticated.
 */
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#include "pam.h"

/* The services may be those of a server that is older than we are. */
static const char *
client_of(const struct popper_host *host)
{
	if (host->size <
		offsetof(struct popper_host, client) + sizeof(host->client) ||
	    host->client == NULL)
		return "";
	return host->client();
}

/* 0, or -1: the account may not be used now. */
static int
check(struct auth_pam_exchange *x, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	const struct auth_pam *p = x->self;
	enum popper_verdict verdict;

	x->last = auth_pam_handle(p, user, x, &x->handle);
	if (x->last == PAM_SUCCESS)
		x->last = auth_pam_describe(x, client_of(p->host));
	if (x->last == PAM_SUCCESS)
		x->last = pam_acct_mgmt(
		    x->handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (x->last == PAM_SUCCESS)
		verdict = auth_pam_identify(x, id, e);
	else
		verdict = auth_pam_judge(x, "account", x->last, e);
	if (x->last == PAM_USER_UNKNOWN)
		e->status = POPPER_ABSENT;
	return verdict == POPPER_AUTH_YES ? 0 : -1;
}

static int
look_up(const struct auth_pam *p, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	struct auth_pam_exchange x = { .self = p };
	int result;

	if (!auth_pam_is_name(user))
		return p->host->fail(
		    e, POPPER_ABSENT, "pam: no name of an account");
	if (auth_pam_account(p, user, id, e) == -1)
		return -1;
	result = check(&x, user, id, e);
	if (x.handle != NULL)
		(void)pam_end(x.handle, x.last);
	return result;
}

int
auth_pam_lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	int result = look_up(self, user, id, e);

	/* There is no exchange that could be kept. */
	id->flags &= ~POPPER_IDENTITY_KEEP;
	return result;
}

/* What changes with the password or the account.  Where the name service has
 * no shadow entry there is nothing to see. */
static void
stamp_of(const struct auth_pam *p, const char *user, struct popper_stamp *stamp)
{
	char buf[4096], *out = (char *)stamp->octets;
	struct spwd room, *entry = NULL;
	int len;

	stamp->len = 0;
	if (getspnam_r(user, &room, buf, sizeof(buf), &entry) != 0 ||
	    entry == NULL)
		return;
	len = snprintf(out, sizeof(stamp->octets), "%ld:%ld:%ld:%ld:%s",
	    entry->sp_lstchg, entry->sp_max, entry->sp_inact, entry->sp_expire,
	    entry->sp_pwdp);
	/* Salt and digest stand at the end of a hash: no half ones. */
	if (len > 0 && (size_t)len < sizeof(stamp->octets))
		stamp->len = (size_t)len;
	p->host->wipe(buf, sizeof(buf));
}

int
auth_pam_vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	int result = look_up(self, user, id, e);

	stamp->len = 0;
	if (result == 0)
		stamp_of(self, id->user, stamp);
	return result;
}
