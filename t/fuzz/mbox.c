/*
 * mbox.c - fuzz: the mbox scanner against a slow one, and the unique-ids.
 *
 * The first octet chooses the window.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mbox_reference.h"

const char fuzz_corpus[] = "mbox";

/* No id may depend on what lies around the message. */
static void
hash_all(struct popper_slice file, const struct mbox_index *index)
{
	struct mbox_record moved;
	char text[POPPER_UID_MAX + 1], other[POPPER_UID_MAX + 1];
	struct mbox_uid uid, alone;
	enum mbox_scheme scheme;
	int fd = memfd_create("mbox", MFD_CLOEXEC);
	int part = memfd_create("message", MFD_CLOEXEC);
	size_t i, len;

	fuzz_check(fd != -1 && part != -1);
	fuzz_check(mbox_write_at(fd, file.ptr, file.len, 0) == 0);
	for (i = 0; i < index->count; i++) {
		moved = index->records[i];
		len = (size_t)(moved.end - moved.offset);
		scheme = (enum mbox_scheme)(i % 3);
		fuzz_check(mbox_hash(fd, &moved, scheme, &uid, text) == 0);
		fuzz_check(ftruncate(part, 0) == 0);
		fuzz_check(
		    mbox_write_at(part, file.ptr + moved.offset, len, 0) == 0);
		moved.end = len;
		moved.offset = 0;
		fuzz_check(mbox_hash(part, &moved, scheme, &alone, other) == 0);
		fuzz_check(strcmp(text, other) == 0);
		fuzz_check(memcmp(uid.hash, alone.hash, MBOX_HASH_SIZE) == 0);
	}
	close(part);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mbox_index index;
	struct popper_slice file;

	if (len < 1)
		return 0;
	file = popper_slice(data + 1, len - 1);
	reference_check(file, (size_t)MBOX_SCAN_LEAST + data[0]);
	if (reference_scan(file, &index) == 0)
		hash_all(file, &index);
	mbox_index_free(&index);
	return 0;
}
