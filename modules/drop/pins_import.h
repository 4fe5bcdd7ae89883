/*
 * pins_import.h - unique-ids as lists: out of a maildrop, and into it.
 *
 * Each driver includes it in one file, and says which key each message has.
 */
#ifndef DROP_PINS_IMPORT_H
#define DROP_PINS_IMPORT_H

#include "pins.h"

/* What is being imported, into what. */
struct pins_import {
	const struct popper_host *host;
	const char *path; /* of the maildrop, for the log */
	int state;
	size_t key_len; /* so much of a key counts; 0: all of it */
	struct pins here; /* a pin per message, its number as line; sorted */
	const struct pin **messages; /* the same, in the messages' order */
	struct pins new;
	struct popper_error *error;
};

static inline int
pins_wrong(struct pins_import *in, uint32_t line, const char *why)
{
	return in->host->fail(in->error, POPPER_INVALID,
	    "%s: line %lu of the list %s; nothing is taken", in->path,
	    (unsigned long)line, why);
}

static inline int
pins_no_memory(struct pins_import *in)
{
	return in->host->fail(in->error, POPPER_TEMPORARY,
	    "%s: out of memory for the list", in->path);
}

/* The lines as pins. */
static inline int
pins_import_parse(struct pins_import *in, struct popper_slice lines)
{
	uint32_t line = 0;
	char *text = malloc(lines.len + 2);
	size_t len = lines.len;

	if (text == NULL)
		return pins_no_memory(in);
	if (len > 0)
		memcpy(text, lines.ptr, len);
	if (len > 0 && text[len - 1] != '\n')
		text[len++] = '\n';
	text[len] = '\0';
	if (pins_adopt(&in->new, text) == -1)
		return pins_no_memory(in);
	if (strlen(text) != len)
		return pins_wrong(in, 0, "is no text: it has a NUL");
	if (pins_add_lines(&in->new, text, "", &line) == -1)
		return errno == EINVAL
		    ? pins_wrong(in, line,
			  "is not \"unique-id octets key\", the id having 1 "
			  "to 70 of the characters from ! to ~")
		    : pins_no_memory(in);
	if (in->new.taken[0][0] != '\0' || in->new.scheme[0] != '\0')
		return pins_wrong(in, 1, "or another one has no key");
	return 0;
}

/* A line "uid octets -" is about the next message. */
static inline int
pins_import_next(struct pins_import *in, struct pin *pin, size_t *next)
{
	const struct pin *message;

	if (*next == in->here.count)
		return pins_wrong(
		    in, pin->line, "is about a message that is not there");
	message = in->messages[(*next)++];
	if (pin->octets != message->octets)
		return pins_wrong(in, pin->line,
		    "has another size than the message of that number");
	pin->key = message->key;
	return 0;
}

/* Find the message of each line, as far as it is there. */
static inline int
pins_import_match(struct pins_import *in)
{
	size_t i, next = 0, found = 0;
	struct pin *pin, *message;

	for (i = 0; i < in->new.count; i++) {
		pin = &in->new.list[i];
		if (strcmp(pin->key, "-") == 0) {
			if (pins_import_next(in, pin, &next) == -1)
				return -1;
			found++;
			continue;
		}
		if (in->key_len > 0 && strlen(pin->key) > in->key_len)
			pin->key[in->key_len] = '\0';
		if ((message = pins_take(&in->here, pin->key)) == NULL)
			continue;
		found++;
		if (pin->octets != PINS_NO_SIZE &&
		    pin->octets != message->octets)
			return pins_wrong(
			    in, pin->line, "has another size than its message");
	}
	if (found == 0 && in->new.count > 0 && in->here.count > 0)
		return pins_wrong(in, 1, "and all others are about other mail");
	return 0;
}

static inline int
pins_compare_uids(const void *va, const void *vb)
{
	const struct pin *const *a = va, *const *b = vb;

	return strcmp((*a)->uid, (*b)->uid);
}

/* Pointers to all new pins, by id; NULL: none is told twice, or no memory. */
static inline struct pin **
pins_import_by_uid(struct pins_import *in)
{
	struct pin **list = calloc(in->new.count + 1, sizeof(*list));
	size_t i;

	if (list == NULL) {
		pins_no_memory(in);
		return NULL;
	}
	for (i = 0; i < in->new.count; i++)
		list[i] = &in->new.list[i];
	qsort(list, in->new.count, sizeof(*list), pins_compare_uids);
	for (i = 1; i < in->new.count; i++)
		if (pins_compare_uids(&list[i - 1], &list[i]) == 0) {
			pins_wrong(in,
			    list[i]->line > list[i - 1]->line
				? list[i]->line
				: list[i - 1]->line,
			    "has an id that another line has");
			free(list);
			return NULL;
		}
	return list;
}

/* Add the old pins that say nothing about keys and ids of the new ones. */
static inline int
pins_import_merge(struct pins_import *in, struct pins *old)
{
	struct pin **by_uid = pins_import_by_uid(in), *p;
	size_t i, at, count = in->new.count, kept = 0;

	if (by_uid == NULL)
		return -1;
	for (i = 0; i < old->count; i++) {
		p = &old->list[i];
		at = pins_find(&in->new, p->key);
		if ((at == count ||
			strcmp(in->new.list[at].key, p->key) != 0) &&
		    bsearch(&p, by_uid, count, sizeof(*by_uid),
			pins_compare_uids) == NULL)
			old->list[kept++] = *p;
	}
	free(by_uid);
	for (i = 0; i < count; i++)
		in->new.list[i].line += UINT32_MAX / 2; /* behind old ones */
	old->count = kept;
	for (i = 0; i < count; i++)
		if (pins_add(old, &in->new.list[i]) == -1)
			return pins_no_memory(in);
	pins_sort(old);
	return 0;
}

/** pins_import(in, lines): all of it; ${in} has everything but new.  0 or -1,
 * and in->new is to be freed. */
static inline int
pins_import(struct pins_import *in, struct popper_slice lines)
{
	struct pins old = { .count = 0 };
	int result = -1;

	if (pins_import_parse(in, lines) == -1 || pins_import_match(in) == -1)
		return -1;
	pins_sort(&in->new);
	if (pins_read(&old, in->state) == -1)
		return in->host->fail_system(in->error, POPPER_PERMANENT,
		    "%s: the state file " PINS_FILE
		    " cannot be read or is damaged; remove it first",
		    in->path);
	if (pins_import_merge(in, &old) == -1)
		goto out;
	result = pins_write(&old, in->state);
	if (result == -1)
		in->host->fail_system(in->error, POPPER_TEMPORARY,
		    "%s: cannot write the state file " PINS_FILE, in->path);
out:
	pins_free(&old);
	return result;
}

/** pins_export(sink, message): put one line.  0, or -1: it was not taken. */
static inline int
pins_export(struct popper_sink *sink, const struct pin *message)
{
	char line[POPPER_UID_MAX + 24 + PINS_KEY_MAX];
	int n = snprintf(line, sizeof(line), "%s %llu %s\n", message->uid,
	    (unsigned long long)message->octets, message->key);

	return sink->put(sink, popper_slice(line, (size_t)n)) == -1 ? -1 : 0;
}

#endif
