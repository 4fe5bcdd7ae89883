/* letter.h - invented mail, the same for the same seed. */
#ifndef BENCH_LETTER_H
#define BENCH_LETTER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A message as it lies on disk: lines end in LF. */
struct letter {
	char *text;
	size_t len, room;
	uint64_t random;
};

/** letter_write(l, index, octets, seed): message ${index}, about so long. */
void letter_write(
    struct letter *, unsigned long index, size_t octets, uint64_t seed);

/** letter_time(index): when message ${index} came. */
time_t letter_time(unsigned long index);

/** random_below(state, n): a number from 0 to ${n} - 1. */
unsigned random_below(uint64_t *state, unsigned n);

/** random_unit(state): a number from 0 to 1, never 0 itself. */
double random_unit(uint64_t *state);

#endif
