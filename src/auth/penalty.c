/*
 * penalty.c - sources whose logins fail wait longer and longer.
 *
 * Runs in: popper-auth; penalty_start in the warm parent, the rest in gates,
 * as root.
 */
#include "auth/penalty.h"

#include <stdatomic.h>
#include <string.h>

#include "auth/digest.h"
#include "auth/shared.h"

#define SETS 512
#define WAYS 8
#define BUSY 16 /* attempts of one source that are judged at a time */
#define WRONG 8 /* wrong passwords that are remembered */
#define LEVEL_MAX (PENALTY_FREE + 10)
#define CROWDED_MAX 60 /* tries to find room among those being judged */

/* Times are of deadline.h. */
struct slot {
	deadline_t used; /* last looked at; 0: free */
	deadline_t next; /* the last turn that was given */
	int64_t step; /* ms, what it cost */
	deadline_t last; /* failure that was counted */
	deadline_t pardoned; /* when a success last counted */
	deadline_t busy[BUSY]; /* until when a place is taken */
	unsigned level; /* failures at the time ${last} */
	unsigned oldest; /* of ${wrong} */
	uint64_t wrong[WRONG]; /* digests of user and password */
	unsigned char key[SOURCE_LEN];
};

struct table {
	pthread_mutex_t lock;
	_Atomic uint64_t slowest;
	struct slot slot[SETS][WAYS];
};

static struct table *table;
static int64_t delay_max; /* ms; 0: no penalties */
static int64_t patience; /* ms one judgement may take */
static const char *exempt;

void
penalty_start(const struct settings *s)
{
	table = shared_make(sizeof(*table));
	shared_lock_make(&table->lock);
	delay_max = (int64_t)s->penalty_max * 1000;
	patience = (int64_t)s->auth_timeout * 1000;
	exempt = s->penalty_exempt;
}

void
penalty_enter(struct penalty *p, const struct sockaddr_storage *from)
{
	memset(p, 0, sizeof(*p));
	p->counts = delay_max > 0 &&
	    (from->ss_family == AF_INET || from->ss_family == AF_INET6) &&
	    !source_is_in(exempt, from);
	source_key(from, p->key);
}

/* The set is a secret: nobody can drive a chosen source out of the table. */
static struct slot *
set_of(const unsigned char key[SOURCE_LEN])
{
	unsigned char digest[DIGEST_LEN];
	unsigned n;

	digest_of(
	    "source", "", popper_slice((const char *)key, SOURCE_LEN), digest);
	memcpy(&n, digest, sizeof(n));
	return table->slot[n % SETS];
}

/* The source's slot, or NULL; the table is locked. */
static struct slot *
find(const struct penalty *p)
{
	struct slot *set = set_of(p->key);

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used != 0 &&
		    memcmp(set[i].key, p->key, SOURCE_LEN) == 0)
			return &set[i];
	return NULL;
}

/* The same, but there is always one: the one longest not used makes room. */
static struct slot *
find_or_make(const struct penalty *p)
{
	struct slot *set = set_of(p->key), *s = find(p);

	if (s != NULL)
		return s;
	s = set;
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].used < s->used)
			s = &set[i];
	memset(s, 0, sizeof(*s));
	memcpy(s->key, p->key, SOURCE_LEN);
	return s;
}

/* Failures that still count. */
static unsigned
level_of(const struct slot *s, deadline_t now)
{
	int64_t undone = (now - s->last) / PENALTY_DECAY;

	if (undone < 0 || undone >= s->level)
		return undone < 0 ? s->level : 0;
	return s->level - (unsigned)undone;
}

/* 1, 2, 4 ... seconds behind the free ones. */
static int64_t
delay_of(unsigned level)
{
	int64_t delay = 1000;

	if (level < PENALTY_FREE)
		return 0;
	for (; level > PENALTY_FREE && delay < delay_max; level--)
		delay *= 2;
	return delay < delay_max ? delay : delay_max;
}

/* How many may be judged at a time, so that a hundred connections at once are
 * worth no more than one. */
static unsigned
room_of(unsigned level)
{
	if (level == 0)
		return BUSY;
	return level < PENALTY_FREE ? PENALTY_FREE - level : 1;
}

static bool
take_place(struct penalty *p, struct slot *s, deadline_t now)
{
	unsigned taken = 0;
	int free_place = -1;

	for (int i = 0; i < BUSY; i++) {
		if (s->busy[i] > now)
			taken++;
		else
			free_place = i;
	}
	if (free_place == -1 || taken >= room_of(level_of(s, now)))
		return false;
	/* Given up by itself, should this gate be killed. */
	p->until = s->busy[free_place] = now + patience;
	p->place = free_place;
	return true;
}

static void
leave_place(struct penalty *p, struct slot *s)
{
	if (s != NULL && p->until != 0 && s->busy[p->place] == p->until)
		s->busy[p->place] = 0;
	p->until = 0;
}

/* Behind all turns given so far, and as if those that wait would all fail.
 * False: that would be too long. */
static bool
queue(struct penalty *p, struct slot *s, int64_t delay, deadline_t now)
{
	deadline_t turn = s->next > now ? s->next : now;

	if (s->next > now && delay < 2 * s->step)
		delay = 2 * s->step < delay_max ? 2 * s->step : delay_max;
	turn += delay;
	if (turn > now + PENALTY_QUEUE)
		return false;
	p->turn = s->next = turn;
	p->paid = s->step = delay;
	return true;
}

static enum penalty_word
ask(struct penalty *p, struct slot *s, deadline_t now, uint64_t *wait)
{
	int64_t delay = delay_of(level_of(s, now));

	/* What was cheap when the exchange began may be dear by now. */
	if (p->turn == 0 && delay > p->paid && !queue(p, s, delay, now))
		return PENALTY_REFUSE;
	if (p->turn > now) {
		*wait = (uint64_t)(p->turn - now);
		return PENALTY_WAIT;
	}
	if (take_place(p, s, now)) {
		p->turn = 0;
		p->crowded = 0;
		return PENALTY_GO;
	}
	if (++p->crowded > CROWDED_MAX)
		return PENALTY_REFUSE;
	*wait = p->crowded < 20 ? p->crowded * 50 : 1000;
	return PENALTY_WAIT;
}

enum penalty_word
penalty_ask(struct penalty *p, bool begins, deadline_t now, uint64_t *wait)
{
	enum penalty_word word;
	struct slot *s;

	if (!p->counts)
		return PENALTY_GO;
	if (begins && !p->waits)
		p->paid = 0;
	shared_lock(&table->lock);
	s = find_or_make(p);
	s->used = now;
	leave_place(p, s);
	word = ask(p, s, now, wait);
	shared_unlock(&table->lock);
	p->waits = word == PENALTY_WAIT;
	if (word == PENALTY_REFUSE)
		p->turn = p->crowded = 0;
	return word;
}

void
penalty_pause(struct penalty *p)
{
	if (!p->counts)
		return;
	shared_lock(&table->lock);
	leave_place(p, find(p));
	shared_unlock(&table->lock);
}

/* Did the same fail lately?  If not it is remembered now. */
static bool
failed_before(struct slot *s, const unsigned char *digest)
{
	uint64_t d;

	memcpy(&d, digest, sizeof(d));
	for (size_t i = 0; i < WRONG; i++)
		if (s->wrong[i] == d)
			return true;
	s->wrong[s->oldest % WRONG] = d;
	s->oldest = (s->oldest + 1) % WRONG;
	return false;
}

void
penalty_failed(struct penalty *p, const unsigned char *digest, deadline_t now)
{
	struct slot *s;
	unsigned level;

	if (!p->counts)
		return;
	shared_lock(&table->lock);
	s = find_or_make(p);
	s->used = now;
	leave_place(p, s);
	if (digest == NULL || !failed_before(s, digest)) {
		level = level_of(s, now) + 1;
		s->level = level < LEVEL_MAX ? level : LEVEL_MAX;
		s->last = now;
	}
	shared_unlock(&table->lock);
}

void
penalty_passed(struct penalty *p, deadline_t now)
{
	struct slot *s;

	if (!p->counts)
		return;
	shared_lock(&table->lock);
	s = find_or_make(p);
	s->used = now;
	leave_place(p, s);
	/* Not each time: who has one password may not guess for ever. */
	if (s->pardoned == 0 || now - s->pardoned >= PENALTY_DECAY) {
		s->level = level_of(s, now) / 2;
		s->last = s->pardoned = now;
	}
	shared_unlock(&table->lock);
}

uint64_t
penalty_slowest(uint64_t ms)
{
	uint64_t before = atomic_load(&table->slowest);

	while (before < ms &&
	    !atomic_compare_exchange_weak(&table->slowest, &before, ms))
		;
	return before < ms ? ms : before;
}
