/*
 * mangle_buffer.c - octets that grow, up to a limit.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_buffer.h"

#include <stdlib.h>

void
mangle_buffer_start(struct mangle_buffer *b, size_t limit)
{
	*b = (struct mangle_buffer){ .limit = limit };
}

static int
grow(struct mangle_buffer *b, size_t need)
{
	size_t size = b->size == 0 ? 1024 : b->size;
	char *ptr;

	while (size < need)
		size *= 2; /* need is at most twice what there is, or small */
	if ((ptr = realloc(b->ptr, size)) == NULL)
		return -1;
	b->ptr = ptr;
	b->size = size;
	return 0;
}

int
mangle_buffer_add(struct mangle_buffer *b, struct popper_slice s)
{
	if (b->full || s.len > b->limit - b->len ||
	    (s.len > b->size - b->len && grow(b, b->len + s.len) == -1)) {
		b->full = true;
		return -1;
	}
	if (s.len > 0)
		memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
	return 0;
}

int
mangle_buffer_add_text(struct mangle_buffer *b, const char *text)
{
	return mangle_buffer_add(b, popper_slice_text(text));
}

struct popper_slice
mangle_buffer_view(const struct mangle_buffer *b)
{
	return popper_slice(b->len == 0 ? "" : b->ptr, b->len);
}

void
mangle_buffer_free(struct mangle_buffer *b)
{
	free(b->ptr);
	mangle_buffer_start(b, b->limit);
}
