/* number.h - strict numbers: digits only, all of them, in range. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <popper/slice.h>

/**
 * number_parse(s, max, out):
 * Store in ${out} the number that ${s} spells in decimal digits, all of ${s},
 * at most ${max}.  Leading zeros are fine.  False if it is anything else.
 */
bool number_parse(struct popper_slice s, uint64_t max, uint64_t *out);

/** number_saturate(s, out): the same, but what is too large is UINT64_MAX. */
bool number_saturate(struct popper_slice s, uint64_t *out);

#define NUMBER_DIGITS 20 /* of the largest */

/** number_print(n, out): the decimal digits of ${n}, no NUL; how many. */
size_t number_print(uint64_t n, char out[NUMBER_DIGITS]);

#endif
