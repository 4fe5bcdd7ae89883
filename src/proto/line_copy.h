/*
 * line_copy.h - copy a line and find its end in one pass.
 *
 * Runs in: the session.  Half of what it costs to send a message is here, so
 * it looks at 16 octets at once where each processor of the kind can; the C
 * library's memccpy(3) looks at each octet twice.
 */
#ifndef PROTO_LINE_COPY_H
#define PROTO_LINE_COPY_H

#include <stddef.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/* So much of [in, in + len) as comes in whole blocks, and no LF in them. */
static inline size_t
line_copy_blocks(char *out, const char *in, size_t len, size_t *lf)
{
	const __m128i wanted = _mm_set1_epi8('\n');
	size_t at;
	__m128i block;
	int found;

	for (at = 0; len - at >= sizeof(block); at += sizeof(block)) {
		memcpy(&block, in + at, sizeof(block));
		memcpy(out + at, &block, sizeof(block));
		found = _mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted));
		if (found != 0) {
			*lf = at + (size_t)__builtin_ctz((unsigned)found);
			return *lf;
		}
	}
	return at;
}
#else
static inline size_t
line_copy_blocks(char *out, const char *in, size_t len, size_t *lf)
{
	const char *end = memccpy(out, in, '\n', len);

	if (end == NULL)
		return len;
	*lf = (size_t)(end - out) - 1;
	return *lf;
}
#endif

/**
 * line_copy(out, in, len):
 * Copy [in, in + len) up to the first LF, and without it.  Returns how many
 * octets came before the LF, or ${len} if there is none.  Up to ${len} octets
 * of ${out} may be written to.
 */
static inline size_t
line_copy(char *out, const char *in, size_t len)
{
	size_t lf = len, at = line_copy_blocks(out, in, len, &lf);

	for (; at < lf && in[at] != '\n'; at++)
		out[at] = in[at];
	return at;
}

#endif
