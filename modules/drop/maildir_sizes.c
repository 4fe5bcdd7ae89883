/*
 * maildir_sizes.c - the sizes of messages, each measured once in a lifetime.
 *
 * Runs in: popper-session, as the user.
 *
 * A size is what LIST must say exactly, so the whole file is read.  The sizes
 * that other programs write into names (",S=", ",W=") are not believed: a wrong
 * one would be a wrong answer for ever.
 *
 * Few new messages are measured when the maildrop is opened.  Of many, as in a
 * Maildir that comes from elsewhere, the sizes wait until somebody asks: the
 * login answers at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maildir.h"

/* What was measured is kept after so many files and a share of all, or after
 * so many seconds: to write the index takes a while, too. */
#define KEEP_FILES 1024
#define KEEP_SHARE 4
#define KEEP_SECONDS 2

/* Returns 1, 0 if it is gone or cannot be read, -1 if that is our trouble. */
static int
measure_one(struct maildir *m, struct maildir_record *record, char *buffer,
    struct popper_error *error)
{
	int fd, result;

	fd = maildir_open_message(m, record, error);
	if (fd == -1) {
		if (error->system == ENOMEM || error->system == EMFILE ||
		    error->system == ENFILE)
			return -1; /* not this message's */
		if (error->status != POPPER_ABSENT)
			maildir_odd(m, maildir_where(record),
			    maildir_name(&m->list, record), error->text);
		return 0;
	}
	result = maildir_measure(fd, buffer, record);
	if (result == -1)
		maildir_odd(m, maildir_where(record),
		    maildir_name(&m->list, record), strerror(errno));
	(void)close(fd);
	if (result == -1)
		return 0;
	record->flags &= (uint8_t)~MAILDIR_UNSIZED;
	record->flags |= MAILDIR_MEASURED;
	return 1;
}

static char *
make_buffer(const struct maildir *m, struct popper_error *error)
{
	char *buffer = malloc(MAILDIR_BUFFER + 1);

	if (buffer == NULL)
		(void)m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s", m->path);
	return buffer;
}

void
maildir_add_up(const struct maildir_list *list, struct maildir_totals *totals)
{
	*totals = (struct maildir_totals){ .count = list->count };
	for (size_t i = 0; i < list->count; i++) {
		totals->octets += list->records[i].octets;
		totals->unsized +=
		    (list->records[i].flags & MAILDIR_UNSIZED) != 0;
	}
}

static void
drop_marked(struct maildir_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!(list->records[i].flags & MAILDIR_DROPPED))
			list->records[kept++] = list->records[i];
	list->count = kept;
}

int
maildir_measure_few(struct maildir *m, struct popper_error *error)
{
	struct maildir_totals totals;
	struct maildir_record *r;
	char *buffer;
	int shown = 0;

	maildir_add_up(&m->list, &totals);
	if (totals.unsized == 0 || totals.unsized > MAILDIR_AT_ONCE)
		return 0;
	if ((buffer = make_buffer(m, error)) == NULL)
		return -1;
	for (size_t i = 0; i < m->list.count && shown != -1; i++) {
		r = &m->list.records[i];
		if (!(r->flags & MAILDIR_UNSIZED))
			continue;
		shown = measure_one(m, r, buffer, error);
		if (shown == 0)
			r->flags |= MAILDIR_DROPPED;
	}
	free(buffer);
	if (shown == -1)
		return -1;
	drop_marked(&m->list);
	return 0;
}

/* Too late to leave a message out: the client may know the number. */
static int
size_one(struct maildir *m, struct maildir_record *record, char *buffer,
    struct popper_error *error)
{
	int shown = measure_one(m, record, buffer, error);

	if (shown == -1)
		return -1;
	if (shown == 0) {
		record->stored = record->octets = 0;
		record->flags &= (uint8_t)~MAILDIR_UNSIZED;
		record->flags |= MAILDIR_DROPPED;
		/* Let the next session look again. */
		memset(m->changed, 0, sizeof(m->changed));
	}
	m->totals.unsized--;
	m->totals.octets += record->octets;
	return 0;
}

int
maildir_size(struct maildir *m, struct maildir_record *record,
    struct popper_error *error)
{
	char *buffer;
	int result;

	if (!(record->flags & MAILDIR_UNSIZED))
		return 0;
	if ((buffer = make_buffer(m, error)) == NULL)
		return -1;
	result = size_one(m, record, buffer, error);
	free(buffer);
	return result;
}

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int
size_all(struct maildir *m, char *buffer, struct popper_error *error)
{
	const size_t enough = KEEP_FILES + m->list.count / KEEP_SHARE;
	int64_t kept = now();
	size_t files = 0;

	for (size_t i = 0; i < m->list.count; i++) {
		if (!(m->list.records[i].flags & MAILDIR_UNSIZED))
			continue;
		if (size_one(m, &m->list.records[i], buffer, error) == -1)
			return -1;
		files++;
		if (m->state == -1 || m->totals.unsized == 0 ||
		    (files < enough && now() - kept < KEEP_SECONDS))
			continue;
		(void)maildir_index_write(m);
		files = 0;
		kept = now();
	}
	return 0;
}

int
maildir_sizes(struct maildir *m, struct popper_error *error)
{
	char *buffer;
	int result;

	if (m->totals.unsized == 0)
		return 0;
	if (maildir_need(m, error) == -1)
		return -1;
	if ((buffer = make_buffer(m, error)) == NULL)
		return -1;
	result = size_all(m, buffer, error);
	free(buffer);
	return result;
}
