/*
 * xmit_rate.c - how many messages a user may send in an hour.
 *
 * Runs in: a session (may another one be sent?) and its attendant (it is), as
 * the user.  The file xmit.sent in the state folder holds the time of each
 * message of the last hour, one a line.
 */
#include "xmit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENTRY_MAX 21 /* octets of a line */
#define ENTRIES_MAX 4096

struct sent {
	int fd;
	size_t len;
	char text[ENTRIES_MAX * ENTRY_MAX + 1];
};

/* Keep the lines of the last hour.  Returns how many there are. */
static uint64_t
sift(struct sent *s, uint64_t now)
{
	char *from = s->text, *to = s->text, *end;
	uint64_t count = 0, when;

	while (*from >= '0' && *from <= '9') {
		when = strtoull(from, &end, 10);
		if (*end != '\n')
			break; /* torn */
		end++;
		/* A clock that was set back must not keep anybody out. */
		if (when <= now && now - when < XMIT_HOUR) {
			memmove(to, from, (size_t)(end - from));
			to += end - from;
			count++;
		}
		from = end;
	}
	*to = '\0';
	s->len = (size_t)(to - s->text);
	return count;
}

static int
load(const struct xmit *x, struct sent *s, struct popper_error *error)
{
	struct stat st;
	ssize_t n;

	s->fd = openat(x->place->state, "xmit.sent",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (s->fd == -1 || fstat(s->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (n = pread(s->fd, s->text, sizeof(s->text) - 1, 0)) == -1)
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: xmit.sent");
	s->text[n] = '\0';
	return 0;
}

static int
note(const struct xmit *x, struct sent *s, uint64_t now,
    struct popper_error *error)
{
	int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%llu\n",
	    (unsigned long long)now);
	size_t len = s->len + (size_t)n;

	if (pwrite(s->fd, s->text, len, 0) == (ssize_t)len &&
	    ftruncate(s->fd, (off_t)len) == 0)
		return 0;
	return x->host->fail_system(
	    error, POPPER_TEMPORARY, "xmit: writing xmit.sent");
}

static int
judge(
    const struct xmit *x, struct sent *s, bool take, struct popper_error *error)
{
	uint64_t now = (uint64_t)time(NULL), most = x->conf->per_hour;

	if (most >= ENTRIES_MAX)
		most = ENTRIES_MAX - 1;
	if (load(x, s, error) == -1)
		return -1;
	if (sift(s, now) < most)
		return take ? note(x, s, now, error) : 0;
	(void)(x->host->fail)(error, POPPER_TEMPORARY,
	    "xmit: %llu messages in an hour (per-hour)",
	    (unsigned long long)most);
	return xmit_reply(error, "too many messages, try again later");
}

int
xmit_rate(const struct xmit *x, bool take, struct popper_error *error)
{
	struct sent *s;
	int result;

	if (x->conf->per_hour == 0)
		return 0;
	if ((s = malloc(sizeof(*s))) == NULL)
		return x->host->fail_system(error, POPPER_TEMPORARY, "xmit");
	s->fd = -1;
	result = judge(x, s, take, error);
	if (s->fd != -1)
		(void)close(s->fd);
	free(s);
	return result;
}
