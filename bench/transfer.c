/*
 * transfer.c - RETR and DELE commands of a session, and what they must give.
 *
 * Runs in:  bench/popload.
 */
#include "checksum.h"
#include "client.h"
#include "transfer.h"
#include "wire.h"

static uint32_t
picked_count(const struct client *c)
{
	uint32_t k = c->set->pick_number, n = c->messages;

	if (c->set->pick == PICK_EVERY)
		return (n + k - 1) / k;
	if (c->set->pick == PICK_MIDDLE)
		return k < n - n / 2 ? k : n - n / 2;
	return k < n ? k : n;
}

/* The ${i}th message that DELE deletes, from 0. */
static uint32_t
picked(const struct client *c, uint32_t i)
{
	switch (c->set->pick) {
	case PICK_LAST:
		return c->messages - picked_count(c) + 1 + i;
	case PICK_MIDDLE:
		return c->messages / 2 + 1 + i;
	case PICK_EVERY:
		return 1 + i * c->set->pick_number;
	case PICK_FIRST:
	default:
		return 1 + i;
	}
}

static bool
is_picked(const struct client *c, uint32_t number)
{
	uint32_t count = picked_count(c);

	if (c->set->pick == PICK_EVERY)
		return (number - 1) % c->set->pick_number == 0;
	return number >= picked(c, 0) && number < picked(c, 0) + count;
}

bool
transfer_deletes(const struct client *c)
{
	return c->set->mode == DELE && c->first == NULL;
}

/* Does the session ask for each message? */
static bool
asks_all(const struct client *c)
{
	return c->set->mode == FETCH || c->set->mode == TOP || c->first != NULL;
}

/* Job ${i}: RETR or TOP, in mode DELE followed by DELE of the same message. */
static bool
is_dele(const struct client *c, uint32_t i)
{
	return transfer_deletes(c) && i % 2 == 1;
}

static void
send_jobs(struct client *c)
{
	uint32_t i;

	while ((i = c->asked) < c->jobs && i - c->answered < c->set->window &&
	    wire_room(c) >= 32) {
		uint32_t m = transfer_deletes(c) ? picked(c, i / 2) : i + 1;

		if (c->set->mode == TOP)
			wire_ask(c, "TOP ", m, " 0");
		else
			wire_ask(c, is_dele(c, i) ? "DELE " : "RETR ", m, "");
		c->asked++;
	}
	wire_flush(c);
}

void
transfer_begin(struct client *c)
{
	uint32_t limit = c->set->limit;

	if (transfer_deletes(c))
		c->jobs = 2 * picked_count(c);
	else if (asks_all(c))
		c->jobs =
		    limit > 0 && limit < c->messages ? limit : c->messages;
	if (c->jobs == 0) {
		client_ask_quit(c);
		return;
	}
	c->stage = TRANSFER;
	send_jobs(c);
}

static void
job_done(struct client *c)
{
	if (++c->answered == c->jobs)
		client_ask_quit(c);
	else
		send_jobs(c);
}

void
transfer_message(struct client *c)
{
	const struct content *m = &c->content;
	uint32_t body = content_body(m);

	c->in_message = false;
	c->got.messages++;
	c->got.octets += m->octets;
	c->got.exact += checksum_message(m->header, body, m->octets);
	c->got.body += checksum_body(body);
	c->got.header += checksum_header(m->header);
	if (c->set->mode == TOP && body != CHECKSUM_EMPTY)
		client_complain(c, FAULT_CONTENT, "TOP n 0 gave a body");
	c->results->messages++;
	c->results->octets += m->octets;
	c->results->bare_lf += m->bare_lf;
	job_done(c);
}

static void
check_headers(struct client *c)
{
	if (!c->set->have_manifest)
		return;
	if (c->got.header == c->set->manifest.header)
		c->results->exact++;
	else
		client_complain(
		    c, FAULT_CONTENT, "headers are not as generated");
}

static void
check_content(struct client *c)
{
	struct sums want = c->set->manifest;

	if (c->first != NULL) {
		want.exact -= c->first->got.exact;
		want.body -= c->first->got.body;
	}
	if (c->got.messages != c->jobs)
		client_complain(c, FAULT_COUNT, "messages are missing");
	if (c->jobs != c->messages)
		return;
	if (c->set->mode == TOP) {
		check_headers(c);
		return;
	}
	if (c->got.octets != c->octets)
		c->results->size_mismatch++;
	if (!c->set->have_manifest)
		return;
	if (c->got.exact == want.exact)
		c->results->exact++;
	else if (c->got.body == want.body)
		c->results->body_only++;
	else
		client_complain(
		    c, FAULT_CONTENT, "content is not as generated");
}

void
transfer_answered(struct client *c)
{
	if (is_dele(c, c->answered)) {
		job_done(c);
		return;
	}
	if (c->answered == 0 && c->number >= c->set->warm_up)
		results_time(c->results, SPAN_RETR, now() - c->began);
	c->in_message = true;
	content_begin(&c->content);
}

/* After a deletion: exactly the others are left, in their order. */
static void
check_deletion(struct client *c)
{
	struct client *f = c->first;
	size_t left = 0, wrong = 0;

	for (size_t i = 0; i < f->uids; i++) {
		if (is_picked(f, (uint32_t)i + 1))
			continue;
		if (left >= c->uids || c->uid[left] != f->uid[i])
			wrong++;
		left++;
	}
	if (wrong > 0 || left != c->uids)
		client_complain(c, FAULT_DELE, "not exactly those are deleted");
}

void
transfer_check(struct client *c)
{
	if (asks_all(c))
		check_content(c);
	if (c->first != NULL)
		check_deletion(c);
}
