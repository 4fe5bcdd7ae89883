/*
 * uidl_compare.c - two exports of unique-ids.
 *
 * Runs as:  the user whose mail it is.
 */
#include "tools/popperctl/uidl_compare.h"

#include <stdlib.h>
#include <string.h>

#include "tools/popperctl/popperctl.h"

struct entry {
	const char *uid, *octets, *key;
	size_t line;
};

struct entries {
	struct entry *entries;
	size_t count;
};

/* "uid SP octets SP key"; the key may hold spaces. */
static bool
split(char *line, struct entry *e)
{
	e->uid = strsep(&line, " ");
	e->octets = strsep(&line, " ");
	e->key = line;
	return e->key != NULL && e->uid[0] != '\0' && e->octets[0] != '\0' &&
	    e->key[0] != '\0';
}

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Take the lines of ${k} apart.  False, told: no such lines. */
static bool
read_lines(struct keeper *k, struct entries *out)
{
	char *rest = k->text, *line;
	size_t lines = 0, at = 0;

	if (strlen(k->text) != k->len) {
		popperctl_say("the file holds a NUL: it is no text");
		return false;
	}
	for (const char *p = k->text; *p != '\0'; p++)
		lines += *p == '\n';
	out->count = 0;
	out->entries = calloc(lines + 1, sizeof(*out->entries));
	if (out->entries == NULL) {
		popperctl_say("out of memory");
		return false;
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (++at > lines && line[0] == '\0')
			break; /* behind the last line end */
		out->entries[out->count].line = at;
		if (!split(line, &out->entries[out->count])) {
			popperctl_say("line %zu is not \"UNIQUE-ID OCTETS "
				      "KEY\", as popperctl uidl export "
				      "writes it",
			    at);
			return false;
		}
		out->count++;
	}
	return true;
}

/* A line "uid octets -" is about the next message; it gets that one's key. */
static void
name_keys(struct entries *file, const struct entries *now)
{
	size_t next = 0;

	for (size_t i = 0; i < file->count && next < now->count; i++)
		if (strcmp(file->entries[i].key, "-") == 0)
			file->entries[i].key = now->entries[next++].key;
}

/* Is the message of ${was} there as ${is}?  If not, why? */
static bool
compare(const struct entry *was, const struct entry *is, bool tells)
{
	bool same_id = strcmp(was->uid, is->uid) == 0;
	bool same_size = strcmp(was->octets, "-") == 0 ||
	    strcmp(was->octets, is->octets) == 0;

	if (tells && !same_id)
		popperctl_say("line %zu: unique-id %s is now %s", was->line,
		    was->uid, is->uid);
	else if (tells && !same_size)
		popperctl_say("line %zu: message %s has another size now",
		    was->line, was->uid);
	return same_id && same_size;
}

/* Both are sorted by key. */
static void
count(const struct entries *was, const struct entries *is, bool tells,
    struct uidl_counts *n)
{
	size_t i = 0, j = 0;
	int order;

	while (i < was->count || j < is->count) {
		order = i == was->count ? 1
		    : j == is->count
		    ? -1
		    : by_key(&was->entries[i], &is->entries[j]);
		if (order > 0)
			n->new ++, j++;
		else if (order < 0)
			n->gone++, i++;
		else if (compare(&was->entries[i++], &is->entries[j++], tells))
			n->same++;
		else
			n->differ++;
	}
}

int
uidl_compare(
    struct keeper *file, struct keeper *now, bool tells, struct uidl_counts *n)
{
	struct entries was = { .count = 0 }, is = { .count = 0 };
	int result = 1;

	*n = (struct uidl_counts){ .same = 0 };
	if (read_lines(file, &was) && read_lines(now, &is)) {
		name_keys(&was, &is);
		qsort(was.entries, was.count, sizeof(*was.entries), by_key);
		qsort(is.entries, is.count, sizeof(*is.entries), by_key);
		count(&was, &is, tells, n);
		result = 0;
	}
	free(was.entries);
	free(is.entries);
	return result;
}
