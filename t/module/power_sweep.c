/*
 * power_sweep.c - each state that a power cut may leave, once.
 *
 * Runs in: tests.
 *
 * Whatever was there before the fsync that ended a stretch of operations is
 * there, or not, in any combination (with POWER_JOURNAL: names and sizes in
 * order), so looking at the moment before each fsync is enough: that some of
 * the last operations are missing is one of the combinations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power.h"

#define SEED 20261122u
#define SEEN (1u << 18) /* states that are remembered */

struct sweep {
	const struct power *p;
	const struct power_sweep *how;
	size_t count; /* operations before the power went */
	unsigned char *there; /* for each operation */
	size_t *loose; /* the operations that may be missing */
	size_t loose_count;
	struct power_image *image;
	uint64_t *seen;
	uint64_t random;
	long states;
};

static uint32_t
roll(struct sweep *s)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->random >> 33);
}

static bool
is_data(const struct power_op *op)
{
	return op->kind == POWER_WRITE;
}

/* Did this fsync keep that?  A renaming needs both of its folders. */
static bool
synced(const struct power *p, size_t i, size_t count)
{
	const struct power_op *op = &p->ops[i];
	bool node = false, from = op->from == -1, to = op->to == -1;

	for (; i < count; i++)
		if (p->ops[i].kind == POWER_SYNC) {
			node = node || p->ops[i].node == op->node;
			from = from || p->ops[i].node == op->from;
			to = to || p->ops[i].node == op->to;
		}
	return op->kind < POWER_ADD ? node : from && to;
}

/* Find out what may be missing of the first ${s->count} operations. */
static void
loosen(struct sweep *s)
{
	const struct power *p = s->p;
	size_t order = 0; /* names and sizes before this are there */

	s->loose_count = 0;
	memset(s->there, 1, p->count);
	for (size_t i = 0; i < s->count; i++)
		if (s->how->order == POWER_JOURNAL && !is_data(&p->ops[i]) &&
		    p->ops[i].kind != POWER_SYNC && synced(p, i, s->count))
			order = i;
	for (size_t i = 0; i < s->count; i++)
		if (p->ops[i].kind != POWER_SYNC && !synced(p, i, s->count) &&
		    (is_data(&p->ops[i]) || i >= order))
			s->loose[s->loose_count++] = i;
}

static uint64_t
hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *c = data;

	while (len-- > 0)
		h = (h ^ *c++) * 1099511628211u;
	return h;
}

static uint64_t
hash_folder(const struct sweep *s, int folder, uint64_t h)
{
	const struct power_image *image = s->image;
	const struct power_entry *e = image->entries;
	uint64_t one, sum = 0;

	for (; e < image->entries + image->count; e++) {
		if (e->folder != folder)
			continue;
		one = hash(h, e->name, strlen(e->name) + 1);
		if (s->p->nodes[e->node].folder)
			sum += hash_folder(s, e->node, one ^ 1);
		else
			sum += hash(
			    one, image->data[e->node], image->size[e->node]);
	}
	return hash(h, &sum, sizeof(sum));
}

/* Has there been such a state?  It is remembered. */
static bool
known(struct sweep *s, bool said)
{
	uint64_t h = hash_folder(s, 0, 14695981039346656037u + said);
	size_t i = h % SEEN;

	for (; s->seen[i] != 0; i = (i + 1) % SEEN)
		if (s->seen[i] == h)
			return true;
	assert_true(s->states < SEEN / 2);
	s->seen[i] = h;
	return false;
}

static void
describe(const struct sweep *s)
{
	static const char *const kinds[] = { "write", "grow", "cut", "hole",
		"shift", "add", "remove", "move", "fsync" };
	const struct power_op *op = s->p->ops;

	for (size_t i = 0; i < s->count; i++, op++)
		fprintf(stderr, "# %s %zu %s node %d %zu+%zu %s -> %s\n",
		    s->there[i] ? "there  " : "MISSING", i, kinds[op->kind],
		    op->node, op->at, op->len, op->old, op->new);
}

/* The state that ${s->there} means. */
static void
visit(struct sweep *s)
{
	bool said = s->count >= s->p->said, missing = false;
	const char *wrong;

	for (size_t i = 0; i < s->loose_count; i++) {
		if (s->p->ops[s->loose[i]].chained &&
		    !s->there[s->loose[i] - 1])
			s->there[s->loose[i]] = 0;
		if (s->how->order == POWER_JOURNAL && missing &&
		    !is_data(&s->p->ops[s->loose[i]]))
			s->there[s->loose[i]] = 0;
		missing = missing ||
		    (!s->there[s->loose[i]] &&
			!is_data(&s->p->ops[s->loose[i]]));
	}
	power_fold(s->p, s->there, s->count, s->image);
	if (known(s, said))
		return;
	s->states++;
	power_put(s->p, s->image);
	wrong = s->how->judge(s->how->arg, said);
	if (wrong == NULL)
		return;
	describe(s);
	fail_msg("power lost after %zu operations, %s order, \"done\" %s: %s",
	    s->count, s->how->order == POWER_POSIX ? "no" : "journal's",
	    said ? "said" : "not said", wrong);
}

static void
set_all(struct sweep *s, unsigned char there)
{
	for (size_t i = 0; i < s->loose_count; i++)
		s->there[s->loose[i]] = there;
}

static void
every_subset(struct sweep *s)
{
	for (size_t mask = 0; mask < (size_t)1 << s->loose_count; mask++) {
		for (size_t i = 0; i < s->loose_count; i++)
			s->there[s->loose[i]] = mask >> i & 1;
		visit(s);
	}
}

/* Those that errors are most likely in, and random ones. */
static void
some_subsets(struct sweep *s)
{
	uint32_t names, part;

	for (size_t i = 0; i < s->loose_count; i++) {
		set_all(s, 1);
		s->there[s->loose[i]] = 0;
		visit(s);
		set_all(s, 0);
		s->there[s->loose[i]] = 1;
		visit(s);
		set_all(s, 0);
		for (size_t k = 0; k <= i; k++)
			s->there[s->loose[k]] = 1;
		visit(s);
	}
	for (size_t n = s->loose_count; n < s->how->limit; n++) {
		names = roll(s) % (uint32_t)(s->loose_count + 1);
		part = 1 + roll(s) % 7;
		for (size_t i = 0; i < s->loose_count; i++)
			s->there[s->loose[i]] =
			    s->how->order == POWER_JOURNAL &&
				!is_data(&s->p->ops[s->loose[i]])
			    ? i < names
			    : roll(s) % 8 < part;
		visit(s);
	}
}

/* The power goes after ${s->count} operations. */
static void
cut_power(struct sweep *s)
{
	loosen(s);
	set_all(s, 1);
	visit(s);
	if (s->count < s->p->count && s->p->ops[s->count].kind != POWER_SYNC &&
	    s->count != s->p->said)
		return;
	set_all(s, 0);
	visit(s);
	if (s->loose_count < 20 && (size_t)1 << s->loose_count <= s->how->limit)
		every_subset(s);
	else
		some_subsets(s);
}

long
power_sweep(const struct power *p, const struct power_sweep *how)
{
	struct sweep s = { .p = p, .how = how, .random = SEED };

	s.there = malloc(p->count + 1);
	s.loose = calloc(p->count + 1, sizeof(*s.loose));
	s.seen = calloc(SEEN, sizeof(*s.seen));
	s.image = power_image_new(p);
	assert_true(s.there != NULL && s.loose != NULL && s.seen != NULL);
	for (s.count = 0; s.count <= p->count; s.count++)
		cut_power(&s);
	power_image_free(s.image);
	free(s.seen);
	free(s.loose);
	free(s.there);
	return s.states;
}
