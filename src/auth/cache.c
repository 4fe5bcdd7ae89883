/*
 * cache.c - passwords that were right a moment ago.
 *
 * Runs in: popper-auth; cache_start in the warm parent, the rest in gates, as
 * root.
 */
#include "auth/cache.h"

#include <string.h>

#include "auth/shared.h"
#include "base/secret.h"

#define WAYS 8

struct entry {
	unsigned char tag[DIGEST_LEN];
	unsigned char stamp[DIGEST_LEN];
	deadline_t ends; /* 0: free */
	uint64_t stamped;
};

struct table {
	pthread_mutex_t lock;
	struct entry entry[]; /* sets of WAYS */
};

static struct table *table;
static size_t sets;
static int64_t lifetime; /* ms */

void
cache_start(const struct settings *s)
{
	if (s->cache_lifetime == 0)
		return;
	lifetime = (int64_t)s->cache_lifetime * 1000;
	sets = (s->cache_size + WAYS - 1) / WAYS;
	table =
	    shared_make(sizeof(*table) + sets * WAYS * sizeof(struct entry));
	shared_lock_make(&table->lock);
}

static struct entry *
set_of(const struct credential *c)
{
	uint64_t n;

	memcpy(&n, c->tag, sizeof(n));
	return table->entry + n % sets * WAYS;
}

/* The entry, or NULL; the table is locked.  How long it takes tells nothing
 * of the digest. */
static struct entry *
find(const struct credential *c, deadline_t now)
{
	struct entry *set = set_of(c), *found = NULL;

	for (size_t i = 0; i < WAYS; i++)
		if (secret_equal(set[i].tag, c->tag, DIGEST_LEN) &&
		    set[i].ends > now)
			found = &set[i];
	return found;
}

/* Room for one: the first to end makes it.  Only right passwords come here. */
static struct entry *
make(const struct credential *c)
{
	struct entry *set = set_of(c), *e = set;

	for (size_t i = 1; i < WAYS; i++)
		if (set[i].ends < e->ends)
			e = &set[i];
	memset(e, 0, sizeof(*e));
	memcpy(e->tag, c->tag, DIGEST_LEN);
	return e;
}

void
cache_ask(struct credential *c, const char *user, struct popper_slice secret,
    deadline_t now)
{
	const struct entry *e;

	memset(c, 0, sizeof(*c));
	if (table == NULL)
		return;
	digest_of("credential", user, secret, c->tag);
	c->state = CACHE_UNKNOWN;
	shared_lock(&table->lock);
	e = find(c, now);
	if (e != NULL) {
		c->state = e->stamped != 0 ? CACHE_KNOWN : CACHE_SEEN;
		memcpy(c->stamp, e->stamp, DIGEST_LEN);
	}
	shared_unlock(&table->lock);
}

static void
digest_stamp(const char *user, const struct popper_stamp *stamp,
    unsigned char out[DIGEST_LEN])
{
	digest_of("stamp", user,
	    popper_slice((const char *)stamp->octets, stamp->len), out);
}

bool
cache_fits(const struct credential *c, const char *user,
    const struct popper_stamp *stamp)
{
	unsigned char digest[DIGEST_LEN];

	digest_stamp(user, stamp, digest);
	return c->state == CACHE_KNOWN &&
	    secret_equal(digest, c->stamp, DIGEST_LEN);
}

void
cache_learn(const struct credential *c, const char *user,
    const struct popper_stamp *stamp, deadline_t now)
{
	unsigned char digest[DIGEST_LEN] = { 0 };
	struct entry *e;

	if (c->state == CACHE_OFF)
		return;
	if (stamp != NULL)
		digest_stamp(user, stamp, digest);
	shared_lock(&table->lock);
	e = find(c, now);
	if (e == NULL)
		e = make(c);
	/* Its holder may be killed here: it must not fit half written. */
	e->ends = 0;
	e->stamped = stamp != NULL;
	memcpy(e->stamp, digest, DIGEST_LEN);
	e->ends = now + lifetime;
	shared_unlock(&table->lock);
}
