/*
 * pages.c - FILE.pag of an ndbm that is not GDBM's.
 *
 * Runs in: popauth and popperctl, as root or as the owner of the database.  The
 * file is distrusted: every number in it is checked before it is used.
 */
#include "tools/popauth/pages.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"

#define PAGE 1024u

struct page {
	bool swapped; /* of a machine with the other byte order */
	unsigned char octets[PAGE];
};

static unsigned
number(const struct page *p, unsigned i)
{
	unsigned low = p->octets[2 * i], high = p->octets[2 * i + 1];

	return p->swapped ? low << 8 | high : high << 8 | low;
}

/* Items must lie behind the numbers, each before the one ahead of it. */
static bool
is_sound(const struct page *p)
{
	unsigned count = number(p, 0), end = PAGE, at;

	if (count % 2 != 0 || 2 * (count + 1) > PAGE)
		return false;
	for (unsigned i = 1; i <= count; i++) {
		at = number(p, i);
		if (at > end || at < 2 * (count + 1))
			return false;
		end = at;
	}
	return true;
}

/* 1 with a page, 0 at the end, -1 for half a page or an error. */
static int
next(int fd, off_t at, struct page *p)
{
	ssize_t n = pread(fd, p->octets, PAGE, at);

	return n == 0 ? 0 : n == (ssize_t)PAGE ? 1 : -1;
}

/* Which byte order makes sense of all pages?  0: the other, 1: low first. */
static int
order(int fd)
{
	struct page p;
	bool sound[2] = { true, true };
	bool empty = true;
	int more;

	for (off_t at = 0; (more = next(fd, at, &p)) == 1; at += PAGE)
		for (unsigned i = 0; i < 2; i++) {
			p.swapped = i == 0;
			sound[i] = sound[i] && is_sound(&p);
			empty = empty && number(&p, 0) == 0;
		}
	secret_wipe(&p, sizeof(p));
	if (more == -1 || empty)
		return -1;
	return sound[1] ? 1 : sound[0] ? 0 : -1;
}

bool
pages_are(int fd)
{
	return order(fd) != -1;
}

static struct popper_slice
item(const struct page *p, unsigned i)
{
	unsigned end = i == 1 ? PAGE : number(p, i - 1);

	return popper_slice(p->octets + number(p, i), end - number(p, i));
}

static int
walk_page(const struct page *p, pages_each each, void *arg)
{
	int result = 0;

	for (unsigned i = 1; i < number(p, 0) && result == 0; i += 2)
		result = each(item(p, i), item(p, i + 1), arg);
	return result;
}

int
pages_walk(int fd, const char *path, pages_each each, void *arg,
    struct popper_error *e)
{
	struct page p = { .swapped = order(fd) == 0 };
	int result = 0, more = 1;

	for (off_t at = 0; result == 0 && (more = next(fd, at, &p)) == 1;
	     at += PAGE)
		if (is_sound(&p))
			result = walk_page(&p, each, arg);
	secret_wipe(&p, sizeof(p));
	(void)close(fd);
	if (more == -1)
		return error_set(
		    e, POPPER_TEMPORARY, "%s: cannot be read", path);
	return result == 0 ? 0 : error_system(e, POPPER_TEMPORARY, "%s", path);
}
