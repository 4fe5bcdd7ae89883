/* pam.h - what the files of the pam module share. */
#ifndef AUTH_PAM_H
#define AUTH_PAM_H

#include <security/pam_appl.h>

#include <popper/auth.h>

struct auth_pam_conf {
	const char *service; /* name of the file in /etc/pam.d */
	const char *folder; /* of service files instead of /etc/pam.d, or "" */
	const char *mail; /* maildrop of everybody, or "" */
	bool session;
};

/* The instance. */
struct auth_pam {
	const struct popper_host *host;
	const struct auth_pam_conf *conf;
	pam_handle_t *warm; /* keeps PAM's modules in memory; or NULL */
};

/* One login, and its PAM session if there is one. */
struct auth_pam_exchange {
	const struct auth_pam *self;
	pam_handle_t *handle;
	struct popper_slice secret; /* only while begin runs */
	uint64_t delay; /* microseconds a module asked for */
	int last; /* what the last call said, for pam_end */
	bool open; /* a PAM session is open */
};

/**
 * auth_pam_handle(self, user, exchange, handle):
 * Begin a PAM transaction whose prompts and delays go to ${exchange}.
 * Returns PAM_SUCCESS and stores the handle, or PAM's reason.
 */
int auth_pam_handle(const struct auth_pam *, const char *user,
    struct auth_pam_exchange *, pam_handle_t **handle);

/**
 * auth_pam_describe(exchange, client):
 * Tell PAM where the client is, by its address, and that nobody sleeps here.
 * Returns PAM_SUCCESS or PAM's reason.
 */
int auth_pam_describe(struct auth_pam_exchange *, const char *client);

/** auth_pam_judge(exchange, step, result, error): what ${result}, PAM's answer
 * in ${step}, means for the login. */
enum popper_verdict auth_pam_judge(const struct auth_pam_exchange *,
    const char *step, int result, struct popper_error *);

/** auth_pam_identify(exchange, identity, error): who it was in the end; PAM's
 * modules may have rewritten the name. */
enum popper_verdict auth_pam_identify(struct auth_pam_exchange *,
    struct popper_identity *, struct popper_error *);

/** auth_pam_lookup, auth_pam_vouch: see popper/auth.h. */
int auth_pam_lookup(void *self, const char *user, struct popper_identity *,
    struct popper_error *);
int auth_pam_vouch(void *self, const char *user, struct popper_identity *,
    struct popper_stamp *, struct popper_error *);

/** auth_pam_is_name(user): fit to be asked for: not empty, not too long,
 * without control characters, "/" and ":". */
bool auth_pam_is_name(const char *user);

/**
 * auth_pam_account(self, user, identity, error):
 * Fill ${identity} with the system's account of that name.  Returns 0, or -1
 * with POPPER_ABSENT if there is none.
 */
int auth_pam_account(const struct auth_pam *, const char *user,
    struct popper_identity *, struct popper_error *);

/** auth_pam_check_mail(text): NULL, or what is wrong with option mail. */
const char *auth_pam_check_mail(const char *);

/** auth_pam_check(conf): NULL, or what is wrong with the options. */
const char *auth_pam_check(const struct auth_pam_conf *);

/**
 * auth_pam_warm(self):
 * Load what logins need, so that forked gates have it.  Trouble is a warning:
 * it may be over when somebody logs in.
 */
void auth_pam_warm(struct auth_pam *);

#endif
