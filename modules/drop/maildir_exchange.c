/*
 * maildir_exchange.c - unique-ids as a list, for popperctl.
 *
 * Runs in: popperctl, as the user, with the session lock held.
 *
 * The key of a message is the part of its file name that never changes, with
 * "%XX" for what cannot stand in a line.
 */
#define _GNU_SOURCE
#include "maildir_foreign.h"
#include "pins_import.h"

int
maildir_export_uids(
    void *self, struct popper_sink *sink, struct popper_error *error)
{
	char key[MAILDIR_KEY_ROOM], uid[POPPER_UID_MAX + 1];
	struct pin pin = { .uid = uid, .key = key };
	struct maildir *m = self;
	size_t i;

	/* Who looks whether all is well must not end the other server's time
	 * with that. */
	m->looking = true;
	if (maildir_need(m, error) == -1 || maildir_sizes(m, error) == -1)
		return -1;
	for (i = 0; i < m->list.count; i++) {
		if (maildir_uid(m, i, uid, error) == -1)
			return -1;
		maildir_key(m, i, key);
		pin.octets = m->list.records[i].octets;
		if (pins_export(sink, &pin) == -1)
			return m->host->fail(error, POPPER_TEMPORARY,
			    "maildir %s: the list was not taken", m->path);
	}
	return 0;
}

/* A pin for each message, as it is now. */
static int
list_messages(struct maildir *m, struct pins_import *in)
{
	char key[MAILDIR_KEY_ROOM], *text;
	struct pin pin = { .uid = "" };
	size_t i;

	for (i = 0; i < m->list.count; i++) {
		maildir_key(m, i, key);
		if ((text = strdup(key)) == NULL ||
		    pins_adopt(&in->here, text) == -1)
			return pins_no_memory(in);
		pin.key = text;
		pin.octets = m->list.records[i].octets;
		pin.line = (uint32_t)i;
		if (pins_add(&in->here, &pin) == -1)
			return pins_no_memory(in);
	}
	pins_sort(&in->here);
	in->messages = calloc(m->list.count + 1, sizeof(*in->messages));
	if (in->messages == NULL)
		return pins_no_memory(in);
	for (i = 0; i < m->list.count; i++)
		in->messages[in->here.list[i].line] = &in->here.list[i];
	return 0;
}

int
maildir_import_uids(
    void *self, struct popper_slice lines, struct popper_error *error)
{
	struct maildir *m = self;
	struct pins_import in = { .host = m->host,
		.path = m->path,
		.state = m->state,
		.error = error };
	int result = -1;

	if (maildir_need(m, error) == 0 && maildir_sizes(m, error) == 0 &&
	    list_messages(m, &in) == 0)
		result = pins_import(&in, lines);
	maildir_given_free(m); /* it may say something else now */
	pins_free(&in.here);
	pins_free(&in.new);
	free(in.messages);
	return result;
}
