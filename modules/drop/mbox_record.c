/*
 * mbox_record.c - copy octets aside, and know a record that is whole.
 *
 * Runs in: popper-session, as the user.
 */
#include "mbox_record.h"

#include <errno.h>
#include <stdlib.h>

#include <nettle/sha2.h>

int
mbox_copy(
    struct mbox *m, int from, uint64_t at, uint64_t len, int to, uint64_t place)
{
	char *buf = malloc(MBOX_WINDOW);
	uint64_t done;
	size_t n = 0;

	if (buf == NULL)
		return -1;
	for (done = 0; done < len; done += n) {
		n = len - done < MBOX_WINDOW ? (size_t)(len - done)
					     : MBOX_WINDOW;
		errno = ESTALE;
		if (mbox_read_at(from, buf, n, at + done) != (ssize_t)n ||
		    mbox_write_at(to, buf, n, place + done) == -1)
			break;
		mbox_lock_keep(m);
	}
	free(buf);
	return done == len ? 0 : -1;
}

int
mbox_record_sum(
    int fd, const void *head, size_t summed, size_t size, unsigned char sum[32])
{
	struct sha256_ctx sha;
	uint64_t at = size;
	char *buf = malloc(MBOX_WINDOW);
	ssize_t n;

	if (buf == NULL)
		return -1;
	sha256_init(&sha);
	sha256_update(&sha, summed, head);
	while ((n = mbox_read_at(fd, buf, MBOX_WINDOW, at)) > 0) {
		sha256_update(&sha, (size_t)n, (const uint8_t *)buf);
		at += (uint64_t)n;
	}
	free(buf);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, sum);
	return n == 0 ? 0 : -1;
}
