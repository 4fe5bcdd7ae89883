/*
 * mangle_buffer.h - octets that grow, up to a limit.
 */
#ifndef MANGLE_BUFFER_H
#define MANGLE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/slice.h>

struct mangle_buffer {
	char *ptr; /* not NUL-terminated */
	size_t len, size;
	size_t limit; /* never longer than that */
	bool full; /* something did not fit; it stays so */
};

/** mangle_buffer_start(b, limit): empty, without memory of its own yet. */
void mangle_buffer_start(struct mangle_buffer *, size_t limit);

/** mangle_buffer_add(b, s), mangle_buffer_add_text(b, text): append.  0, or -1
 * with ${b} as it was but full: the limit is reached or memory is short. */
int mangle_buffer_add(struct mangle_buffer *, struct popper_slice);
int mangle_buffer_add_text(struct mangle_buffer *, const char *text);

/** mangle_buffer_view(b): what is in it; dies at the next call. */
struct popper_slice mangle_buffer_view(const struct mangle_buffer *);

/** mangle_buffer_free(b): leaves it empty, with its limit. */
void mangle_buffer_free(struct mangle_buffer *);

#endif
