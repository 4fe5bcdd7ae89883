/*
 * mbox_reference.c - a second, slow scanner that shares nothing with the first
 * but the rule for one separator line.
 *
 * Runs in: tests and the fuzzer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mbox_header.h"
#include "mbox_pad.h"
#include "mbox_reference.h"

#define require(condition)                                                 \
	do {                                                               \
		if (!(condition)) {                                        \
			(void)fprintf(stderr, "not so: " #condition "\n"); \
			abort();                                           \
		}                                                          \
	} while (0)

/* Octets that a client gets for these. */
static uint64_t
octets_sent(const char *p, size_t len)
{
	uint64_t octets = 0;
	char before = '\n';
	size_t i;

	for (i = 0; i < len; i++) {
		octets += p[i] == '\n' && before != '\r' ? 2 : 1;
		before = p[i];
	}
	return before == '\n' ? octets : octets + 2;
}

/* The line at ${at} is empty. */
static size_t
is_blank(struct popper_slice file, size_t at)
{
	if (file.ptr[at] == '\n')
		return 1;
	return at + 1 < file.len && file.ptr[at] == '\r' &&
		file.ptr[at + 1] == '\n'
	    ? 2
	    : 0;
}

static void
add(struct mbox_index *index, struct mbox_record record)
{
	index->records = realloc(
	    index->records, (index->count + 1) * sizeof(*index->records));
	require(index->records != NULL);
	index->records[index->count++] = record;
}

/* MMDF: what lies between two separators and is more than empty lines. */
static void
scan_mmdf(struct popper_slice file, struct mbox_index *index)
{
	struct mbox_record now = { .offset = 0 };
	bool blank = true;
	size_t at = 0, len;

	index->mmdf = true;
	while (at <= file.len) {
		len = at == file.len ? 0
				     : mbox_mmdf(file.ptr + at, file.len - at);
		if ((len > 0 || at == file.len) && !blank) {
			now.end = at;
			add(index, now);
		}
		if (len > 0) {
			now.offset = at;
			len +=
			    mbox_from(file.ptr + at + len, file.len - at - len);
			if (len > MBOX_FROM_MAX)
				len = mbox_mmdf(file.ptr + at, file.len - at);
			now.from_len = (uint16_t)len;
			blank = true;
			at += len;
			continue;
		}
		if (at == file.len)
			break;
		blank = blank && is_blank(file, at) > 0;
		while (at < file.len && file.ptr[at] != '\n')
			at++;
		at += at < file.len;
	}
}

/* Octets of the header, and of the empty line behind it. */
static size_t
header_len(struct popper_slice message)
{
	size_t at = 0, blank;

	while (at < message.len) {
		if ((blank = is_blank(message, at)) > 0)
			return at + blank;
		while (at < message.len && message.ptr[at] != '\n')
			at++;
		at += at < message.len;
	}
	return at;
}

int
reference_scan(struct popper_slice file, struct mbox_index *index)
{
	struct mbox_record *r;
	size_t at = 0, blank = 0, from, last, i;
	bool before = true; /* a separator may stand here */

	*index = (struct mbox_index){ .size = file.len };
	if (mbox_mmdf(file.ptr, file.len) > 0) {
		scan_mmdf(file, index);
		at = file.len;
	}
	while (at < file.len) {
		from = before ? mbox_lead(file.ptr + at, file.len - at) : 0;
		if (at == 0 && from == 0)
			return -1;
		if (from > 0) {
			if (index->count > 0)
				index->records[index->count - 1].end =
				    at - blank;
			add(index,
			    (struct mbox_record){
				.offset = at, .from_len = (uint16_t)from });
		}
		last = blank = is_blank(file, at);
		before = blank > 0;
		while (at < file.len && file.ptr[at] != '\n')
			at++;
		at += at < file.len;
		if (at == file.len)
			index->records[index->count - 1].end = at - last;
	}
	for (i = 0; i < index->count; i++) {
		r = &index->records[i];
		from = (size_t)r->offset + r->from_len;
		r->octets = octets_sent(file.ptr + from, (size_t)r->end - from);
		from = header_len(
		    popper_slice(file.ptr + from, (size_t)r->end - from));
		r->head_len = (uint16_t)(from < UINT16_MAX ? from : UINT16_MAX);
		r->head_sum = mbox_head_sum(file.ptr + r->offset,
		    (size_t)(r->end - r->offset), r->from_len);
	}
	return 0;
}

void
reference_check(struct popper_slice file, size_t window)
{
	struct mbox_index want, got = { .size = file.len };
	int fd = memfd_create("mbox", MFD_CLOEXEC);
	size_t i;

	require(fd != -1 && mbox_write_at(fd, file.ptr, file.len, 0) == 0);
	if (reference_scan(file, &want) == -1) {
		require(mbox_scan(NULL, fd, window, &got) == -1);
		require(errno == EBADMSG && got.count == 0);
	} else {
		require(mbox_scan(NULL, fd, window, &got) == 0);
		require(got.count == want.count);
		for (i = 0; i < got.count; i++)
			require(memcmp(&got.records[i], &want.records[i],
				    sizeof(*got.records)) == 0);
	}
	(void)close(fd);
	mbox_index_free(&want);
	mbox_index_free(&got);
}
