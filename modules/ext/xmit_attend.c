/*
 * xmit_attend.c - a message comes from a session: check it, have it sent.
 *
 * Runs in: an attendant, as the user, without sandbox.  The session may have
 * been taken over.  Who the user is comes from elsewhere; the message is
 * whatever it is.
 */
#define _GNU_SOURCE /* F_ADD_SEALS */
#include "xmit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* From now on nobody can change ${fd}, and nobody shares the place where the
 * descriptor that is returned will be read. */
static int
take_over(const struct xmit *x, int fd, struct popper_error *error)
{
	char path[64];
	struct stat st;
	int own;

	if (fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		return x->host->fail_system(error, POPPER_TEMPORARY,
		    "xmit: the message cannot be sealed");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_RDONLY | O_CLOEXEC);
	if (own == -1 || fstat(own, &st) == -1) {
		(void)x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: %s", path);
	} else if ((uint64_t)st.st_size >
	    x->conf->size_limit + XMIT_ADDRESS_MAX) {
		(void)xmit_refuse(x, error, "it is too large");
	} else {
		return own;
	}
	if (own != -1)
		(void)close(own);
	return -1;
}

/* Up to the empty line. */
static size_t
header_length(const char *text, size_t len)
{
	const char *end;

	if (len > 0 && text[0] == '\n')
		return 0;
	end = memmem(text, len, "\n\n", 2);
	return end == NULL ? len : (size_t)(end + 1 - text);
}

static int
check(const struct xmit *x, int message, struct popper_error *error)
{
	/* With From, which a session may have added. */
	const size_t most = XMIT_HEADER_MAX + XMIT_ADDRESS_MAX;
	char *text = malloc(most);
	int result = -1;
	size_t len;
	ssize_t n;

	if (text == NULL || (n = pread(message, text, most, 0)) == -1) {
		free(text);
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: the message");
	}
	len = header_length(text, (size_t)n);
	if (len == most)
		(void)xmit_refuse(x, error, "the header is too long");
	else if (memchr(text, '\0', len) != NULL ||
	    memchr(text, '\r', len) != NULL)
		(void)xmit_refuse(x, error, "NUL or CR inside a line");
	else
		result = xmit_check(x, popper_slice(text, len), error);
	free(text);
	return result;
}

static int
deliver(const struct xmit *x, int message, struct popper_error *error)
{
	char sender[XMIT_ADDRESS_MAX];
	struct stat st;

	if (xmit_own(x, sender, sizeof(sender), error) == -1 ||
	    check(x, message, error) == -1 || xmit_rate(x, true, error) == -1 ||
	    xmit_run(x, message, sender, error) == -1)
		return -1;
	if (fstat(message, &st) == 0)
		x->host->log(POPPER_LOG_INFO,
		    "xmit: %s from %s sent a message of %llu octets",
		    x->place->identity->user, x->place->client,
		    (unsigned long long)st.st_size);
	return 0;
}

int
xmit_attend(const struct popper_host *host, const void *conf,
    const struct popper_place *place, const struct popper_errand *errand,
    struct popper_error *error)
{
	const struct xmit x = { .host = host, .conf = conf, .place = place };
	int message, result;

	if (errand->fd == -1)
		return xmit_refuse(&x, error, "there is none");
	if (x.conf->per_session > 0 && errand->before >= x.conf->per_session)
		return (host->fail)(error, POPPER_TEMPORARY,
		    "xmit: %llu messages in one session (per-session)",
		    (unsigned long long)errand->before);
	if ((message = take_over(&x, errand->fd, error)) == -1)
		return -1;
	result = deliver(&x, message, error);
	(void)close(message);
	return result;
}
