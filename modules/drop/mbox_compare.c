/*
 * mbox_compare.c - which messages are in both of two mailboxes?
 *
 * Runs in: the session, as the user, at open; see mbox_merge.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_merge.h"

static int
sum_of(struct mbox_merge *g, const struct mbox_side *s, size_t i, uint64_t end,
    unsigned char sum[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx sha;
	struct popper_slice part;

	sha256_init(&sha);
	if (mbox_normal_start(&g->a, s->fd, &s->index.records[i], end) == -1)
		return -1;
	do {
		if (mbox_normal_next(&g->a, &part) == -1)
			return -1;
		sha256_update(&sha, part.len, (const uint8_t *)part.ptr);
	} while (part.len > 0);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, sum);
	return 0;
}

/* Does message ${j} of ${t} begin with all of message ${i} of ${s}?  1, 0, or
 * -1 with errno. */
static int
begins_with(struct mbox_merge *g, const struct mbox_side *t, size_t j,
    const struct mbox_side *s, size_t i)
{
	const struct mbox_record *small = &s->index.records[i];
	const struct mbox_record *large = &t->index.records[j];
	struct popper_slice a = { "", 0 }, b = { "", 0 };
	size_t n;

	if (small->from_len != large->from_len)
		return 0;
	if (mbox_normal_start(&g->a, s->fd, small, small->end) == -1 ||
	    mbox_normal_start(&g->b, t->fd, large, large->end) == -1)
		return -1;
	for (;;) {
		if (a.len == 0 && mbox_normal_next(&g->a, &a) == -1)
			return -1;
		if (a.len == 0)
			return 1;
		if (b.len == 0 && mbox_normal_next(&g->b, &b) == -1)
			return -1;
		n = a.len < b.len ? a.len : b.len;
		if (n == 0 || memcmp(a.ptr, b.ptr, n) != 0)
			return 0;
		a = popper_slice(a.ptr + n, a.len - n);
		b = popper_slice(b.ptr + n, b.len - n);
	}
}

/* Does the mbox have, from octet ${at} on, all octets that are in the other
 * file from ${from} to its end?  A copy that was cut anywhere.  1, 0 or -1. */
static int
is_copy(struct mbox_merge *g, uint64_t from, uint64_t at)
{
	uint64_t left = g->left.index.size - from;
	char *a = g->a.in, *b = g->b.in;
	size_t i, n;

	if (left > g->mbox.index.size - at)
		return 0;
	for (; left > 0; left -= n, from += n, at += n) {
		n = left < sizeof(g->a.in) ? (size_t)left : sizeof(g->a.in);
		if (mbox_read_at(g->left.fd, a, n, from) != (ssize_t)n ||
		    mbox_read_at(g->mbox.fd, b, n, at) != (ssize_t)n)
			return -1;
		for (i = 0; i < n; i++)
			if (a[i] != b[i] && (a[i] != ' ' || b[i] != '\0'))
				return 0;
	}
	return 1;
}

static int
compare_entries(const void *va, const void *vb)
{
	const struct mbox_entry *a = *(struct mbox_entry *const *)va;
	const struct mbox_entry *b = *(struct mbox_entry *const *)vb;
	int order = memcmp(a->sum, b->sum, sizeof(a->sum));

	return order != 0 ? order : (a->i > b->i) - (a->i < b->i);
}

/* Are the ${n} octets at ${at} of ${s} the beginning of a separator line of
 * ${t}?  1, 0, or -1 with errno. */
static int
is_half_separator(const struct mbox_side *s, uint64_t at, uint64_t n,
    const struct mbox_side *t)
{
	char line[MBOX_FROM_MAX], from[MBOX_FROM_MAX];
	const struct mbox_record *r = t->index.records;
	size_t i, len = (size_t)n;

	if (n >= sizeof(line) || n == 0)
		return 0;
	if (mbox_read_at(s->fd, line, len, at) != (ssize_t)len)
		return -1;
	for (i = 0; i < t->index.count; i++, r++)
		if (r->from_len > n &&
		    mbox_read_at(t->fd, from, len, r->offset) == (ssize_t)len &&
		    memcmp(from, line, len) == 0)
			return 1;
	return 0;
}

/* The last line of a copy that was cut may be half the separator of what comes
 * next in the other file ${t}: it is no part of the message before. */
static int
trim(struct mbox_merge *g, struct mbox_side *s, const struct mbox_side *t)
{
	struct mbox_record *last = &s->index.records[s->index.count - 1];
	int is;

	if (mbox_normal_start(&g->a, s->fd, last, last->end) == -1)
		return -1;
	is = is_half_separator(s, g->a.lines, last->end - g->a.lines, t);
	if (is == 1)
		last->end = s->index.size = g->a.lines;
	return is;
}

/* Sum and sort what was found in a file. */
static int
load_entries(struct mbox_merge *g, struct mbox_side *s)
{
	size_t i, count = s->index.count;

	s->entries = calloc(count + 1, sizeof(*s->entries));
	s->sorted = calloc(count + 1, sizeof(struct mbox_entry *));
	if (s->entries == NULL || s->sorted == NULL)
		return -1;
	s->first = g->m->conf->uw_kludge && count > 0 &&
	    mbox_is_internal(s->fd, s->index.records);
	for (i = 0; i < count; i++) {
		s->entries[i].i = i;
		s->sorted[i] = &s->entries[i];
		if (sum_of(g, s, i, s->index.records[i].end,
			s->entries[i].sum) == -1)
			return -1;
		mbox_lock_keep(g->m);
	}
	qsort(s->sorted, count, sizeof(struct mbox_entry *), compare_entries);
	return 0;
}

/* Equal messages of both files are the same ones, the first the first. */
static void
match(struct mbox_merge *g)
{
	struct mbox_side *l = &g->left, *r = &g->mbox;
	size_t i = 0, k = 0;
	int order;

	while (i < l->index.count && k < r->index.count) {
		order = memcmp(
		    l->sorted[i]->sum, r->sorted[k]->sum, SHA256_DIGEST_SIZE);
		if (order == 0) {
			l->sorted[i]->other = r->sorted[k];
			r->sorted[k]->other = l->sorted[i];
		}
		i += order <= 0;
		k += order >= 0;
	}
}

/* The sum of the last message of ${s}.  A last line that may be half the
 * separator of what would have come next is not part of it. */
static int
sum_of_last(struct mbox_merge *g, const struct mbox_side *s,
    const struct mbox_side *t, unsigned char sum[SHA256_DIGEST_SIZE])
{
	size_t last = s->index.count - 1;
	const struct mbox_record *r = &s->index.records[last];
	uint64_t end = r->end;
	int is;

	if (mbox_normal_start(&g->a, s->fd, r, end) == -1)
		return -1;
	is = is_half_separator(s, g->a.lines, end - g->a.lines, t);
	if (is == -1)
		return -1;
	if (is == 1)
		end = g->a.lines;
	return sum_of(g, s, last, end, sum);
}

/* The last message of the other file: a copy that was cut? */
static int
judge_last_left(struct mbox_merge *g)
{
	struct mbox_entry *last = &g->left.entries[g->left.index.count - 1];
	const struct mbox_record *r = &g->left.index.records[last->i];
	size_t i;
	int is;

	if (last->other != NULL || last->i < g->left.first)
		return 0;
	for (i = g->mbox.first; i < g->mbox.index.count; i++) {
		/* One that is whole is a message of its own. */
		if (memcmp(last->sum, g->mbox.entries[i].sum,
			sizeof(last->sum)) == 0)
			continue;
		is = begins_with(g, &g->mbox, i, &g->left, last->i);
		if (is == 0)
			is = is_copy(
			    g, r->offset, g->mbox.index.records[i].offset);
		if (is == -1)
			return -1;
		if (is == 1)
			last->fate = COVERED;
	}
	return 0;
}

/* The last message of the mbox: was it cut when it was written back? */
static int
judge_last_mbox(struct mbox_merge *g)
{
	struct mbox_entry *last = &g->mbox.entries[g->mbox.index.count - 1];
	unsigned char sum[SHA256_DIGEST_SIZE];
	struct mbox_entry *l;
	size_t i;
	int is;

	if (last->other != NULL || last->i < g->mbox.first)
		return 0;
	if (sum_of_last(g, &g->mbox, &g->left, sum) == -1)
		return -1;
	for (i = g->left.first; i < g->left.index.count; i++) {
		l = &g->left.entries[i];
		if (l->other != NULL || l->fate == COVERED)
			continue;
		is = memcmp(sum, l->sum, sizeof(sum)) == 0
		    ? 1
		    : begins_with(g, &g->left, i, &g->mbox, last->i);
		if (is == -1)
			return -1;
		if (is == 1)
			last->fate = COVERED;
	}
	return 0;
}

/* Find the messages of both files.  1; 0: something is no mailbox; or -1. */
static int
load(struct mbox_merge *g, const char **why)
{
	bool bad = false;
	int is;

	if (mbox_scan(g->m, g->mbox.fd, MBOX_SCAN_WINDOW, &g->mbox.index) ==
	    -1) {
		if (errno != EBADMSG)
			return -1;
		bad = true;
		mbox_index_free(&g->mbox.index);
		g->mbox.index.size = g->mbox_size;
	}
	*why = "it is no mailbox";
	if (mbox_scan(g->m, g->left.fd, MBOX_SCAN_WINDOW, &g->left.index) ==
	    -1) {
		if (errno != EBADMSG)
			return -1;
		/* The beginning of a copy, not even one separator line? */
		return g->left.index.size < MBOX_FROM_MAX && !bad
		    ? is_copy(g, 0, 0)
		    : 0;
	}
	if (g->left.index.count > 0 && trim(g, &g->left, &g->mbox) == -1)
		return -1;
	*why = "the mailbox cannot be read";
	/* Was not even its first line written back? */
	if (bad &&
	    (is = is_half_separator(&g->mbox, 0, g->mbox_size, &g->left)) != 1)
		return is;
	if (load_entries(g, &g->mbox) == -1 || load_entries(g, &g->left) == -1)
		return -1;
	return 1;
}

int
mbox_compare(struct mbox_merge *g, const char **why)
{
	int is = load(g, why);

	if (is != 1 || g->left.index.count == 0)
		return is;
	*why = "one has MMDF separators, the other \"From \" lines";
	if (g->mbox.index.count > 0 && g->mbox.index.mmdf != g->left.index.mmdf)
		return 0;
	match(g);
	if (judge_last_left(g) == -1)
		return -1;
	if (g->mbox.index.count > 0 && judge_last_mbox(g) == -1)
		return -1;
	return 1;
}
