/*
 * bulk.c - a drop that counts how it is asked, for tests of those that wrap it.
 *
 * Runs in: tests.
 */
#include "bulk.h"

#include <stdio.h>
#include <string.h>

struct bulk bulk;

/* As long as a unique-id may be. */
#define LONGEST                                             \
	"bulletin-0123456789012345678901234567890123456789" \
	"012345678901234567890"

_Static_assert(sizeof(LONGEST) == POPPER_UID_MAX + 1, "it is 70");

static const char *const spoofs[] = { "bulletin-1-0123456789abcdef",
	"~bulletin-", "~~bulletin-x", LONGEST, "~", "bulletin", "b" };
#define SPOOFS (sizeof(spoofs) / sizeof(*spoofs))

uint64_t
bulk_octets(size_t i)
{
	return 5 + i % 7;
}

void
bulk_uid(size_t i, char uid[POPPER_UID_MAX + 1])
{
	if (i < SPOOFS)
		(void)snprintf(uid, POPPER_UID_MAX + 1, "%s", spoofs[i]);
	else
		(void)snprintf(uid, POPPER_UID_MAX + 1, "u%zu", i);
}

static size_t
inner_count(const void *self)
{
	(void)self;
	return bulk.count;
}

static int
inner_describe(void *self, size_t i, unsigned want, struct popper_message *m,
    struct popper_error *e)
{
	(void)self;
	(void)e;
	assert_true(i < bulk.count);
	bulk.described++;
	if (want & POPPER_WANT_OCTETS)
		m->octets = bulk_octets(i);
	if (want & POPPER_WANT_UID)
		bulk_uid(i, m->uid);
	return 0;
}

static int
inner_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	(void)self;
	(void)i;
	(void)e;
	if (!bulk.readable)
		fail_msg("nobody wants to read");
	assert_int_equal(offset, 0);
	return sink->put(sink, popper_slice_text(BULK_TEXT)) == -1 ? -1 : 0;
}

static int
inner_top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *e)
{
	(void)self;
	(void)e;
	bulk.tops++;
	assert_true(i < bulk.count);
	assert_int_equal(lines, 9);
	return sink->put(sink, popper_slice_text(BULK_TEXT)) == -1 ? -1 : 0;
}

static enum popper_outcome
inner_commit(void *self, const struct popper_changes *c, struct popper_error *e)
{
	(void)self;
	(void)e;
	assert_int_equal(c->count, bulk.count);
	return POPPER_DONE;
}

static void
inner_close(void *self)
{
	(void)self;
}

static int
inner_total(void *self, uint64_t *octets, struct popper_error *e)
{
	(void)self;
	bulk.totals++;
	if (bulk.fails) {
		e->status = POPPER_TEMPORARY;
		return -1;
	}
	*octets = 0;
	for (size_t i = 0; i < bulk.count; i++)
		*octets += bulk_octets(i);
	return 0;
}

/* A unique-id has no NUL behind it and dies when put returns. */
static int
inner_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	char uid[POPPER_UID_MAX + 1];
	size_t len;
	int said;

	(void)self;
	bulk.listed++;
	for (size_t i = 0; i < bulk.count; i++) {
		if (bulk.fails && i == bulk.count / 2) {
			e->status = POPPER_TEMPORARY;
			return -1;
		}
		bulk_uid(i, uid);
		len = strlen(uid);
		uid[len] = 'X';
		said = want == POPPER_WANT_UID
		    ? lister->put(lister, i, 0, popper_slice(uid, len))
		    : lister->put(
			  lister, i, bulk_octets(i), popper_slice(NULL, 0));
		memset(uid, 'Y', sizeof(uid));
		if (said != 0)
			break;
	}
	return 0;
}

static bool
inner_is_measured(const void *self)
{
	(void)self;
	return bulk.measured;
}

const struct popper_drop bulk_drop = { .size = sizeof(bulk_drop),
	.count = inner_count,
	.describe = inner_describe,
	.read = inner_read,
	.commit = inner_commit,
	.close = inner_close,
	.total = inner_total,
	.list = inner_list,
	.is_measured = inner_is_measured,
	.top = inner_top };

const struct popper_drop bulk_old_drop = { .size = offsetof(
					       struct popper_drop, recover),
	.count = inner_count,
	.describe = inner_describe,
	.read = inner_read,
	.commit = inner_commit,
	.close = inner_close,
	/* What lies behind the end of the struct is not looked at. */
	.total = inner_total,
	.list = inner_list,
	.is_measured = inner_is_measured,
	.top = inner_top };

/* --- What a wrapper says. --- */

struct reader {
	struct popper_sink sink;
	char text[256];
	size_t len;
};

static int
read_piece(struct popper_sink *sink, struct popper_slice s)
{
	struct reader *r = (struct reader *)sink;

	assert_true(s.len < sizeof(r->text) - r->len);
	memcpy(r->text + r->len, s.ptr, s.len);
	r->len += s.len;
	return 0;
}

bool
bulk_top(const struct popper_drop *drop, void *self, size_t i)
{
	struct reader r = { .sink = { .put = read_piece } };
	struct popper_error e;

	assert_int_equal(drop->top(self, i, 9, &r.sink, &e), 0);
	assert_true(r.len > 0);
	return strcmp(r.text, BULK_TEXT) == 0;
}

struct compare {
	struct popper_lister lister;
	const struct popper_drop *drop;
	void *self;
	unsigned want;
	size_t count, enough;
};

static int
compare(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct compare *c = (struct compare *)lister;
	struct popper_message m;
	struct popper_error e;

	assert_int_equal(i, c->count);
	assert_true(c->count < c->enough);
	c->count++;
	assert_int_equal(c->drop->describe(c->self, i, c->want, &m, &e), 0);
	if (c->want == POPPER_WANT_OCTETS) {
		assert_int_equal(octets, m.octets);
	} else {
		assert_int_equal(uid.len, strlen(m.uid));
		assert_memory_equal(uid.ptr, m.uid, uid.len);
	}
	return c->count == c->enough ? 1 : 0;
}

static void
list_agrees(
    const struct popper_drop *drop, void *self, unsigned want, size_t enough)
{
	struct compare c = { .lister = { .put = compare },
		.drop = drop,
		.self = self,
		.want = want,
		.enough = enough };
	size_t count = drop->count(self);
	struct popper_error e;

	assert_int_equal(drop->list(self, want, &c.lister, &e), 0);
	assert_int_equal(c.count, enough < count ? enough : count);
}

void
bulk_agrees(const struct popper_drop *drop, void *self)
{
	size_t count = drop->count(self);
	uint64_t sum = 0, octets = 0;
	struct popper_message m;
	struct popper_error e;

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
		    drop->describe(self, i, POPPER_WANT_OCTETS, &m, &e), 0);
		sum += m.octets;
	}
	assert_int_equal(drop->total(self, &octets, &e), 0);
	assert_int_equal(octets, sum);
	list_agrees(drop, self, POPPER_WANT_OCTETS, SIZE_MAX);
	list_agrees(drop, self, POPPER_WANT_UID, SIZE_MAX);
	for (size_t enough = 1; enough <= count; enough++) {
		list_agrees(drop, self, POPPER_WANT_OCTETS, enough);
		list_agrees(drop, self, POPPER_WANT_UID, enough);
	}
}
