/*
 * mbox_exchange.c - unique-ids as a list, for popperctl.
 *
 * Runs in: popperctl, as the user, with the session lock held.
 *
 * The key of a message is popper's own hash of it; the second, third ... of
 * equal messages has ".2", ".3" ... behind it.
 */
#define _GNU_SOURCE
#include "mbox_foreign.h"
#include "mbox_index.h"
#include "mbox_waste.h"
#include "pins_import.h"

/* A pin without id for each message, in order. */
static int
list_keys(struct mbox *m, struct pins *pins, struct popper_error *e)
{
	size_t i, count = m->index.count - m->internal;
	unsigned char hash[MBOX_HASH_SIZE];
	const struct mbox_record *r;
	struct pin pin = { .uid = "" };

	if (mbox_records(m, e) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		r = &m->index.records[i + m->internal];
		pin.key = malloc(MBOX_HASH_TEXT + 1);
		pin.octets = r->octets;
		pin.line = (uint32_t)i;
		if (pin.key == NULL || pins_adopt(pins, pin.key) == -1 ||
		    mbox_native_hash(m->fd, r, hash) == -1 ||
		    pins_add(pins, &pin) == -1)
			return m->host->fail_system(e, POPPER_TEMPORARY,
			    "%s: cannot list the messages", m->path);
		mbox_hash_text(hash, pin.key);
	}
	return 0;
}

/* Number those with equal keys: after sorting they lie side by side. */
static uint32_t *
number_equals(struct pins *pins)
{
	uint32_t *numbers = calloc(pins->count + 1, sizeof(*numbers));
	const struct pin *p = pins->list;
	size_t i;

	if (numbers == NULL)
		return NULL;
	pins_sort(pins);
	for (i = 0; i < pins->count; i++)
		numbers[p[i].line] =
		    i > 0 && strcmp(p[i - 1].key, p[i].key) == 0
		    ? numbers[p[i - 1].line] + 1
		    : 1;
	return numbers;
}

static int
by_line(const void *va, const void *vb)
{
	const struct pin *a = va, *b = vb;

	return (a->line > b->line) - (a->line < b->line);
}

static int
put_lines(struct mbox *m, struct pins *pins, const uint32_t *numbers,
    struct popper_sink *sink)
{
	char key[MBOX_HASH_TEXT + 16], uid[POPPER_UID_MAX + 1];
	struct pin line = { .uid = uid, .key = key };
	size_t i;

	if (pins->count > 0)
		qsort(pins->list, pins->count, sizeof(*pins->list), by_line);
	for (i = 0; i < pins->count; i++) {
		mbox_uid_text(m, &m->uids[i], uid);
		line.octets = pins->list[i].octets;
		if (numbers[i] == 1)
			(void)snprintf(
			    key, sizeof(key), "%s", pins->list[i].key);
		else
			(void)snprintf(key, sizeof(key), "%s.%lu",
			    pins->list[i].key, (unsigned long)numbers[i]);
		if (pins_export(sink, &line) == -1)
			return -1;
	}
	return 0;
}

int
mbox_export_uids(void *self, struct popper_sink *sink, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	struct pins pins = { .count = 0 };
	uint32_t *numbers = NULL;
	int result = -1;

	/* Who looks whether all is well must not end the other server's time
	 * with that, not in the index either. */
	m->looking = true;
	if (mbox_uids(m, e) == -1 || list_keys(m, &pins, e) == -1)
		goto out;
	numbers = number_equals(&pins);
	if (numbers == NULL || put_lines(m, &pins, numbers, sink) == -1)
		m->host->fail(
		    e, POPPER_TEMPORARY, "%s: the list was not taken", m->path);
	else
		result = mbox_still(m, e);
out:
	m->unsaved = false;
	free(numbers);
	pins_free(&pins);
	return result;
}

/* What is only noted as gone does not count: lists are about what is shown. */
static void
leave_out(const struct mbox *m, struct pins *pins)
{
	size_t i, kept = 0;

	if (m->waste == NULL)
		return;
	for (i = 0; i < pins->count; i++) {
		if (m->waste->gone[i])
			continue;
		pins->list[kept] = pins->list[i];
		pins->list[kept].line = (uint32_t)kept;
		kept++;
	}
	pins->count = kept;
}

static int
point_to_messages(struct pins_import *in)
{
	size_t i;

	pins_sort(&in->here);
	in->messages = calloc(in->here.count + 1, sizeof(*in->messages));
	if (in->messages == NULL)
		return pins_no_memory(in);
	for (i = 0; i < in->here.count; i++)
		in->messages[in->here.list[i].line] = &in->here.list[i];
	return 0;
}

int
mbox_import_uids(void *self, struct popper_slice lines, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	struct pins_import in = { .host = m->host,
		.path = m->path,
		.state = m->state,
		.key_len = MBOX_HASH_TEXT,
		.error = e };
	int result = -1;

	if (list_keys(m, &in.here, e) == 0 && mbox_still(m, e) == 0) {
		leave_out(m, &in.here);
		if (point_to_messages(&in) == 0)
			result = pins_import(&in, lines);
	}
	mbox_index_drop(m); /* it has the ids that they had */
	mbox_kept_close(m->kept);
	m->kept = NULL;
	free(m->uids);
	m->uids = NULL;
	pins_free(&in.here);
	pins_free(&in.new);
	free(in.messages);
	return result;
}
