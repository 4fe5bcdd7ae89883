/*
 * maildir_merge.c - the messages of a session from the index and what has
 * changed since.
 *
 * Runs in: popper-session, as the user, with the Maildir locked.
 *
 * Of a folder that has changed the names are listed, and each is looked for in
 * the index by its inode.  One that is there keeps its place, size and
 * unique-id; only those that are not are sorted, and merged into the others.
 * Whatever is not plain (a message that was seen twice while another program
 * renamed it, or two of one name) is left to maildir_scan.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir.h"

#define LEAST 64 /* messages; fewer are sorted as fast */

struct merging {
	struct maildir *m;
	const struct maildir_list *known; /* what the index has */
	uint32_t *slots; /* by inode: number of a known record + 1, or 0 */
	size_t mask;
	bool *seen; /* per known record: it is still there */
	struct maildir_list found; /* what is new or renamed */
	size_t renamed; /* so many of them are known; they come first */
	size_t *which; /* per renamed one, its known record */
	bool trusted[MAILDIR_FOLDERS]; /* as the index says */
};

static size_t
slot_of(const struct merging *g, uint64_t inode)
{
	return (size_t)((inode * 0x9e3779b97f4a7c15u) >> 32) & g->mask;
}

static bool
prepare(struct merging *g)
{
	const size_t count = g->known->count;
	size_t size = 64, at;

	while (size < count * 2)
		size *= 2;
	g->mask = size - 1;
	g->slots = calloc(size, sizeof(*g->slots));
	g->seen = calloc(count, sizeof(*g->seen));
	if (g->slots == NULL || g->seen == NULL)
		return false;
	for (size_t k = 0; k < count; k++) {
		at = slot_of(g, g->known->records[k].inode);
		while (g->slots[at] != 0)
			at = (at + 1) & g->mask;
		g->slots[at] = (uint32_t)k + 1;
		g->seen[k] = g->trusted[maildir_where(&g->known->records[k])];
	}
	return true;
}

static bool
same_base(const struct maildir_list *a, const struct maildir_record *x,
    const struct maildir_list *b, const struct maildir_record *y)
{
	return x->base == y->base &&
	    memcmp(maildir_name(a, x), maildir_name(b, y), x->base) == 0;
}

/* The known record of the file ${r}, or SIZE_MAX. */
static size_t
look_up(const struct merging *g, const struct maildir_record *r)
{
	const struct maildir_record *known;
	size_t at;

	for (at = slot_of(g, r->inode); g->slots[at] != 0;
	     at = (at + 1) & g->mask) {
		known = &g->known->records[g->slots[at] - 1];
		if (known->inode == r->inode &&
		    same_base(g->known, known, &g->found, r))
			return g->slots[at] - 1;
	}
	return SIZE_MAX;
}

/* List what the index does not know: new before cur, see maildir_list.c. */
static int
list_changed(struct merging *g)
{
	static const enum maildir_folder order[] = { MAILDIR_NEW, MAILDIR_CUR };
	struct maildir *m = g->m;
	struct stat st;

	for (size_t i = 0; i < MAILDIR_FOLDERS; i++) {
		enum maildir_folder folder = order[i];
		int fd = m->sub[folder];

		if (fd == -1)
			continue;
		if (fstat(fd, &st) == -1)
			return -1;
		m->changed[folder] = maildir_index_time(fd, &st);
		g->trusted[folder] = maildir_index_knows(m, folder, &st);
		if (!g->trusted[folder] &&
		    maildir_list_folder(m, &g->found, folder, true) == -1)
			return -1;
	}
	return 0;
}

static bool
is_renamed(const struct merging *g, const struct maildir_record *r, size_t k)
{
	const struct maildir_record *known = &g->known->records[k];

	return maildir_where(r) != maildir_where(known) ||
	    strcmp(maildir_name(&g->found, r), maildir_name(g->known, known)) !=
	    0;
}

/* Has the index another message of the same base as ${k}? */
static bool
has_twin(const struct merging *g, size_t k)
{
	const struct maildir_list *known = g->known;
	const struct maildir_record *r = &known->records[k];

	return (k > 0 && same_base(known, r, known, r - 1)) ||
	    (k + 1 < known->count && same_base(known, r, known, r + 1));
}

/* Leave among ${found} what is renamed, then what is new.  False: it is not
 * plain. */
static bool
find_known(struct merging *g)
{
	struct maildir_list *found = &g->found;
	struct maildir_record r;
	size_t i, k, kept = 0;

	g->which = calloc(found->count + 1, sizeof(*g->which));
	if (g->which == NULL)
		return false;
	for (i = 0; i < found->count; i++) {
		r = found->records[i];
		k = look_up(g, &r);
		if (k != SIZE_MAX) {
			if (g->seen[k])
				return false;
			g->seen[k] = true;
			if (!is_renamed(g, &r, k))
				continue;
			if (has_twin(g, k))
				return false;
			/* The first of the new ones makes room. */
			found->records[kept++] = found->records[g->renamed];
			g->which[g->renamed] = k;
			found->records[g->renamed++] = r;
			continue;
		}
		found->records[kept++] = r;
	}
	found->count = kept;
	return true;
}

/* Where ${r} belongs among the known ones. */
static size_t
place_of(const struct merging *g, const struct maildir_record *r)
{
	return maildir_first_at(g->known, maildir_base(&g->found, r));
}

/* Sort what is new.  False: a name is there twice. */
static bool
sort_new(struct merging *g)
{
	struct maildir_record *r = g->found.records + g->renamed;
	size_t count = g->found.count - g->renamed, at;

	if (count > 1)
		maildir_sort(&g->found, r, count);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && same_base(&g->found, &r[i - 1], &g->found, &r[i]))
			return false;
		at = place_of(g, &r[i]);
		if (at < g->known->count &&
		    same_base(
			g->known, &g->known->records[at], &g->found, &r[i]))
			return false;
	}
	return true;
}

/* --- Nothing gives up from here on. --- */

/* The known ones from ${from} up to ${to} that are still there. */
static void
put_known(struct merging *g, size_t from, size_t to, struct maildir_list *out)
{
	for (size_t k = from; k < to; k++)
		if (g->seen[k])
			out->records[out->count++] = g->known->records[k];
}

static int
put_new(const struct merging *g, const struct maildir_record *r,
    struct maildir_list *out)
{
	struct maildir_record *to = &out->records[out->count];

	memset(to, 0, sizeof(*to));
	if (maildir_set_name(
		out, to, maildir_name(&g->found, r), maildir_where(r)) == -1)
		return -1;
	to->inode = r->inode;
	to->flags |= MAILDIR_UNSIZED;
	out->count++;
	return 0;
}

/* The snapshot takes the names of the index over. */
static int
merge(struct merging *g)
{
	struct maildir_list *known = &g->m->index.list, *out = &g->m->list;
	const struct maildir_record *r = g->found.records;
	size_t at, done = 0, i;

	for (i = 0; i < g->renamed; i++, r++)
		if (maildir_set_name(known, &known->records[g->which[i]],
			maildir_name(&g->found, r), maildir_where(r)) == -1)
			return -1;
	out->room = known->count + g->found.count - i;
	out->records = malloc((out->room + 1) * sizeof(*out->records));
	if (out->records == NULL)
		return -1;
	out->names = known->names;
	out->used = known->used;
	out->size = known->size;
	for (; i < g->found.count; i++, r++) {
		at = place_of(g, r);
		put_known(g, done, at, out);
		done = at;
		if (put_new(g, r, out) == -1)
			break;
		known->names = out->names; /* which may have moved */
	}
	put_known(g, done, known->count, out);
	known->names = NULL; /* of the snapshot now */
	return i < g->found.count ? -1 : 0;
}

static int
run(struct merging *g)
{
	if (list_changed(g) == -1)
		return -1;
	if (!prepare(g) || !find_known(g) || !sort_new(g))
		return 0;
	if (merge(g) == -1)
		return -1;
	maildir_number_new(g->m);
	return 1;
}

int
maildir_merge(struct maildir *m, struct popper_error *error)
{
	struct merging g = { .m = m, .known = &m->index.list };
	int result;

	if (g.known->count < LEAST)
		return 0;
	result = run(&g);
	free(g.slots);
	free(g.seen);
	free(g.which);
	maildir_list_free(&g.found);
	if (result == -1)
		return m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: list", m->path);
	return result;
}
