/*
 * passwd_review.c - look at the whole file of users once, at start.
 *
 * Runs in:  the warm parent, before any connection.  Nothing of it stays in
 *           memory but one hash.  A bad line locks out nobody else, so it is a
 *           warning with its number.
 */
#include <stdint.h>
#include <stdlib.h>

#include "passwd.h"

/* A file of another kind must not flood the log. */
#define WARNINGS_MAX 20

/* A name, as a 64-bit digest: two names with the same one do not happen, and
 * would cost a wrong warning. */
struct seen {
	uint64_t digest;
	unsigned long line;
};

struct review {
	struct passwd_self *p;
	struct seen *seen;
	size_t count, room;
	unsigned long warnings;
	bool learnt; /* what an unknown user should cost */
};

static void
warn(struct review *v, unsigned long line, const char *problem)
{
	if (v->warnings++ < WARNINGS_MAX)
		v->p->host->log(POPPER_LOG_WARNING,
		    "passwd: %s:%lu: %s; the line is not used",
		    v->p->conf->file, line, problem);
}

/* FNV-1a. */
static uint64_t
digest(struct popper_slice s)
{
	uint64_t d = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.len; i++)
		d = (d ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
	return d;
}

static int
remember(struct review *v, struct popper_slice user, unsigned long line)
{
	size_t room = v->room == 0 ? 256 : v->room * 2;
	struct seen *seen = v->seen;

	if (v->count == v->room) {
		seen = reallocarray(seen, room, sizeof(*seen));
		if (seen == NULL)
			return -1;
		v->seen = seen;
		v->room = room;
	}
	seen[v->count++] = (struct seen){ digest(user), line };
	return 0;
}

static int
by_digest(const void *a, const void *b)
{
	const struct seen *x = a;
	const struct seen *y = b;

	if (x->digest != y->digest)
		return x->digest < y->digest ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static void
warn_of_doubles(struct review *v)
{
	if (v->count == 0)
		return;
	qsort(v->seen, v->count, sizeof(*v->seen), by_digest);
	for (size_t i = 1; i < v->count; i++) {
		if (v->seen[i].digest == v->seen[i - 1].digest)
			warn(v, v->seen[i].line,
			    "a user that an earlier line has");
	}
}

static int
review_line(
    struct review *v, const struct passwd_reader *r, struct popper_slice text)
{
	struct passwd_entry entry;
	const char *problem;

	if (passwd_is_comment(text))
		return 0;
	problem = passwd_problem(r, text, &entry);
	if (problem != NULL)
		warn(v, r->line, problem);
	else if (!v->learnt && passwd_proof_usable(&entry.proof)) {
		v->learnt = true;
		passwd_proof_keep(v->p, &entry.proof);
	}
	return entry.user.len > 0 ? remember(v, entry.user, r->line) : 0;
}

int
passwd_review(struct passwd_self *p, struct popper_error *e)
{
	struct review v = { .p = p };
	struct passwd_reader *r = passwd_open(p, e);
	struct popper_slice text;
	int more;

	if (r == NULL)
		return -1;
	while ((more = passwd_next(p, r, &text, e)) == 1) {
		if (review_line(&v, r, text) == -1) {
			more = p->host->fail_system(
			    e, POPPER_TEMPORARY, "%s", p->conf->file);
			break;
		}
	}
	if (more == 0)
		warn_of_doubles(&v);
	if (more == 0 && v.warnings > WARNINGS_MAX)
		p->host->log(POPPER_LOG_WARNING,
		    "passwd: %s: %lu more lines are not used", p->conf->file,
		    v.warnings - WARNINGS_MAX);
	free(v.seen);
	passwd_close(p, r);
	return more;
}
