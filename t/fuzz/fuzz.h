/*
 * fuzz.h - a fuzz target is one function and the name of its corpus.
 *
 * `make check` replays t/fuzz/corpus/NAME with replay.c; t/fuzz/build makes
 * the same targets with libFuzzer.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern const char fuzz_corpus[];

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Not assert(3): NDEBUG must not make a target blind. */
#define fuzz_check(condition)                                              \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #condition);                                   \
			abort();                                           \
		}                                                          \
	} while (0)

/* Lengths of pieces that follow from the input alone. */
static inline size_t
fuzz_piece(uint32_t *seed, size_t most)
{
	*seed = *seed * 1103515245u + 12345u;
	return most == 0 ? 0 : 1 + (*seed >> 16) % (most < 64 ? most : 64);
}

#endif
