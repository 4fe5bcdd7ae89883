/*
 * mangle_kept.c - results, so that RETR, TOP and LIST agree.
 *
 * Runs in: a session, as the user.
 */
#include "mangle.h"

#include <stdlib.h>

static bool
same(const struct mangle_wish *a, const struct mangle_wish *b)
{
	return a->headers_only == b->headers_only &&
	    mangle_arguments_same(&a->arguments, &b->arguments);
}

struct mangle_result
mangle_kept_find(
    const struct mangle_kept *k, const struct mangle_wish *wish, size_t i)
{
	for (size_t s = 0; s < k->count; s++)
		if (same(&k->set[s].wish, wish)) {
			if (i < k->set[s].count)
				return k->set[s].results[i];
			break;
		}
	return (struct mangle_result){ .state = MANGLE_NOT_YET };
}

static void
forget(struct mangle_kept *k)
{
	while (k->count > 0)
		free(k->set[--k->count].results);
}

static struct mangle_set *
set_for(struct mangle_kept *k, const struct mangle_wish *wish)
{
	struct mangle_set *set;

	for (size_t s = 0; s < k->count; s++)
		if (same(&k->set[s].wish, wish))
			return &k->set[s];
	if (k->count == MANGLE_SETS)
		return NULL;
	set = &k->set[k->count++];
	*set = (struct mangle_set){ .wish = *wish };
	return set;
}

static bool
make_room(struct mangle_set *set, size_t i)
{
	size_t count = set->count < 64 ? 64 : set->count;
	struct mangle_result *results;

	if (i < set->count)
		return true;
	while (count <= i)
		count *= 2;
	results = reallocarray(set->results, count, sizeof(*results));
	if (results == NULL)
		return false;
	memset(
	    results + set->count, 0, (count - set->count) * sizeof(*results));
	set->results = results;
	set->count = count;
	return true;
}

void
mangle_kept_note(struct mangle_kept *k, const struct mangle_wish *wish,
    size_t i, const struct mangle_result *result)
{
	struct mangle_set *set = set_for(k, wish);

	if (set != NULL && make_room(set, i))
		set->results[i] = *result;
}

void
mangle_kept_free(struct mangle_kept *k)
{
	forget(k);
	mangle_file_close(&k->file);
}
