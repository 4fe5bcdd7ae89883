/*
 * pam_talk.c - what PAM's modules ask and are told during one login.
 *
 * Runs in:  the gate, as root; called back by libpam and whatever modules the
 *           administrator put into the service's file.
 */
#include <stdlib.h>
#include <string.h>

#include "pam.h"

/* A copy of the password that libpam will wipe and free. */
static char *
copy_secret(struct popper_slice secret)
{
	char *copy = malloc(secret.len + 1);

	if (copy != NULL) {
		memcpy(copy, secret.ptr, secret.len);
		copy[secret.len] = '\0';
	}
	return copy;
}

/* Only a hidden prompt is one for the password: to put it where a module
 * shows it, or answers another question with it, would be wrong. */
static int
answer(const struct auth_pam_exchange *x, const struct pam_message *question,
    struct pam_response *response)
{
	const char *text = question->msg != NULL ? question->msg : "";

	switch (question->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
		response->resp = copy_secret(x->secret);
		return response->resp != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
	case PAM_ERROR_MSG:
	case PAM_TEXT_INFO:
		x->self->host->log(POPPER_LOG_DEBUG, "pam: says: %s", text);
		return PAM_SUCCESS;
	default:
		x->self->host->log(POPPER_LOG_NOTICE,
		    "pam: asks what POP3 has no answer for: %s", text);
		return PAM_CONV_ERR;
	}
}

static void
discard(const struct auth_pam_exchange *x, struct pam_response *all, int count)
{
	for (int i = 0; i < count; i++) {
		if (all[i].resp != NULL)
			x->self->host->wipe(all[i].resp, x->secret.len);
		free(all[i].resp);
	}
	free(all);
}

static int
converse(int count, const struct pam_message **questions,
    struct pam_response **responses, void *context)
{
	const struct auth_pam_exchange *x = context;
	struct pam_response *all;
	int result;

	if (count < 1 || count > PAM_MAX_NUM_MSG || x == NULL)
		return PAM_CONV_ERR;
	all = calloc((size_t)count, sizeof(*all));
	if (all == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		result = answer(x, questions[i], &all[i]);
		if (result != PAM_SUCCESS) {
			discard(x, all, count);
			return result;
		}
	}
	*responses = all;
	return PAM_SUCCESS;
}

/* libpam calls this instead of sleeping, also when the password was right:
 * the account may still be refused, and that must take as long. */
static void
note_delay(int result, unsigned microseconds, void *context)
{
	struct auth_pam_exchange *x = context;

	(void)result;
	if (x != NULL)
		x->delay = microseconds;
}

int
auth_pam_handle(const struct auth_pam *p, const char *user,
    struct auth_pam_exchange *x, pam_handle_t **handle)
{
	const struct pam_conv talk = { .conv = converse, .appdata_ptr = x };

	*handle = NULL;
	if (p->conf->folder[0] == '\0')
		return pam_start(p->conf->service, user, &talk, handle);
	return pam_start_confdir(
	    p->conf->service, user, &talk, p->conf->folder, handle);
}

int
auth_pam_describe(struct auth_pam_exchange *x, const char *client)
{
	/* ISO C has no conversion of a function's address; POSIX has. */
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = { .function = note_delay };
	int result;

	result = pam_set_item(x->handle, PAM_FAIL_DELAY, delay.item);
	if (result == PAM_SUCCESS)
		result = pam_set_item(x->handle, PAM_RHOST, client);
	if (result == PAM_SUCCESS)
		result = pam_set_item(x->handle, PAM_TTY, "popper");
	return result;
}
