/*
 * number.c - strict numbers.
 *
 * Runs in: any process.  Pure: works on memory.
 */
#include "base/number.h"

bool
number_saturate(struct popper_slice s, uint64_t *out)
{
	uint64_t n = 0, digit;
	size_t i;

	if (s.len == 0)
		return false;
	for (i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		digit = (uint64_t)(s.ptr[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			n = UINT64_MAX; /* and stays there */
		else
			n = n * 10 + digit;
	}
	*out = n;
	return true;
}

bool
number_parse(struct popper_slice s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0, digit;
	size_t i;

	if (s.len == 0)
		return false;
	for (i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		digit = (uint64_t)(s.ptr[i] - '0');
		if (digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

size_t
number_print(uint64_t n, char out[NUMBER_DIGITS])
{
	uint64_t limit = 10;
	size_t len = 1, i;

	for (; len < NUMBER_DIGITS && n >= limit; len++)
		limit *= 10; /* overflows only where it is not looked at */
	for (i = len; i-- > 0; n /= 10)
		out[i] = (char)('0' + n % 10);
	return len;
}
