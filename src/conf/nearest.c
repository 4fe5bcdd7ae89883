/*
 * nearest.c - the option somebody may have meant.
 *
 * Runs in: popper, popper-auth and popper-session, at start.
 */
#include "conf/nearest.h"

#include <string.h>

#define LONGEST 63

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and changes that make ${b} of ${a}. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[LONGEST + 1], m = strlen(a), n = strlen(b);

	if (m > LONGEST || n > LONGEST)
		return SIZE_MAX; /* nothing is near such a word */
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t corner = row[0], above;

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = least(least(above, row[j - 1]) + 1,
			    corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[n];
}

const char *
nearest_word(const char *(*name)(size_t), const char *word)
{
	const char *best = NULL;
	size_t d, best_d = strlen(word) / 2 + 1;

	for (size_t i = 0; name(i) != NULL; i++)
		if ((d = distance(name(i), word)) < best_d) {
			best = name(i);
			best_d = d;
		}
	return best;
}

const char *
nearest_option(const struct popper_option *table, const char *word)
{
	const char *best = NULL;
	size_t d, best_d = strlen(word) / 2 + 1;

	for (; table != NULL && table->name != NULL; table++)
		if ((d = distance(table->name, word)) < best_d) {
			best = table->name;
			best_d = d;
		}
	return best;
}
