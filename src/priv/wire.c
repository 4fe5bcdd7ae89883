/*
 * wire.c - messages between our processes, field by field.
 *
 * Runs in: all programs.  What it takes apart came from another process of
 * ours and is distrusted all the same.
 */
#include "priv/wire.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/secret.h"

void
wire_start(struct wire *w)
{
	w->len = 0;
	w->at = 0;
	w->failed = false;
}

static void
set_len(struct wire *w, size_t len)
{
	w->len = len;
	if (w->used < len)
		w->used = len;
}

static void
put(struct wire *w, const void *p, size_t len)
{
	if (w->failed || len > sizeof(w->bytes) - w->len) {
		w->failed = true;
		return;
	}
	memcpy(w->bytes + w->len, p, len);
	set_len(w, w->len + len);
}

void
wire_put_number(struct wire *w, uint64_t n)
{
	unsigned char b[8];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(n >> (8 * i));
	put(w, b, sizeof(b));
}

void
wire_put_slice(struct wire *w, struct popper_slice s)
{
	wire_put_number(w, s.len);
	if (s.len > 0)
		put(w, s.ptr, s.len);
}

void
wire_put_text(struct wire *w, const char *text)
{
	wire_put_slice(w, popper_slice_text(text));
}

int
wire_send(const struct wire *w, int sock, const int *fds, size_t count)
{
	if (w->failed || w->len == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	return fd_send(sock, w->bytes, w->len, fds, count);
}

int
wire_receive(struct wire *w, int sock, int *fds, size_t most, size_t *count)
{
	ssize_t n;

	wire_start(w);
	n = fd_receive(sock, w->bytes, sizeof(w->bytes), fds, most, count);
	if (n == -1)
		w->used = sizeof(w->bytes); /* of a message that was too long */
	if (n <= 0)
		return (int)n;
	set_len(w, (size_t)n);
	return 1;
}

uint64_t
wire_get_number(struct wire *w, uint64_t max)
{
	uint64_t n = 0;

	if (w->failed || w->len - w->at < 8) {
		w->failed = true;
		return 0;
	}
	for (size_t i = 0; i < 8; i++)
		n |= (uint64_t)w->bytes[w->at + i] << (8 * i);
	w->at += 8;
	if (n > max) {
		w->failed = true;
		return 0;
	}
	return n;
}

struct popper_slice
wire_get_slice(struct wire *w)
{
	struct popper_slice s;
	size_t len = (size_t)wire_get_number(w, WIRE_MAX);

	if (w->failed || len > w->len - w->at) {
		w->failed = true;
		return popper_slice("", 0);
	}
	s = popper_slice(w->bytes + w->at, len);
	w->at += len;
	return s;
}

void
wire_get_text(struct wire *w, char *out, size_t size)
{
	struct popper_slice s = wire_get_slice(w);

	if (s.len >= size || memchr(s.ptr, '\0', s.len) != NULL) {
		w->failed = true;
		s.len = 0;
	}
	memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
}

bool
wire_end(const struct wire *w)
{
	return !w->failed && w->at == w->len;
}

void
wire_wipe(struct wire *w)
{
	secret_wipe(w->bytes, w->used);
	w->used = 0;
	wire_start(w);
}
