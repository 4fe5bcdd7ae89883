/*
 * pam_warm.c - what the pam module does once, before any connection.
 *
 * Runs in:  the warm parent, as root.
 *
 * It is pam_start that loads the modules a service names, 40 files for an
 * ordinary one, and pam_end of the last handle that unloads them.  A handle
 * kept open here keeps them in memory, so that a gate loads nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pam.h"

const char *
auth_pam_check(const struct auth_pam_conf *conf)
{
	if (conf->service[0] == '\0' || strchr(conf->service, '/') != NULL)
		return "service is no name of a file";
	if (conf->folder[0] != '\0' && conf->folder[0] != '/')
		return "confdir is no absolute path";
	return auth_pam_check_mail(conf->mail);
}

static bool
is_in(const char *folder, const char *service)
{
	char path[POPPER_PATH_MAX + 1];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, service);

	return len > 0 && (size_t)len < sizeof(path) && access(path, F_OK) == 0;
}

/* Without its file PAM falls back to "other", silently. */
static void
warn_if_missing(const struct auth_pam *p)
{
	const char *service = p->conf->service;
	const char *folder = p->conf->folder;

	if (folder[0] == '\0') {
		if (is_in("/usr/lib/pam.d", service))
			return;
		folder = "/etc/pam.d";
	}
	if (!is_in(folder, service))
		p->host->log(POPPER_LOG_WARNING,
		    "pam: %s/%s is missing, so PAM uses \"other\", which "
		    "refuses everybody as a rule: install popper's there",
		    folder, service);
}

void
auth_pam_warm(struct auth_pam *p)
{
	struct popper_identity id;
	struct popper_error ignored;
	int result;

	warn_if_missing(p);
	result = auth_pam_handle(p, NULL, NULL, &p->warm);
	if (result != PAM_SUCCESS) {
		p->warm = NULL;
		p->host->log(POPPER_LOG_WARNING,
		    "pam: service %s cannot be used now: %s", p->conf->service,
		    pam_strerror(NULL, result));
	}
	/* One lookup, of somebody who is local: nsswitch.conf is read. */
	(void)auth_pam_account(p, "root", &id, &ignored);
}
