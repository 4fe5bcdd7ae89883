/*
 * checksum.c - CRC-32C by tables, eight octets a step.
 *
 * Runs in:  bench/genbox and bench/popload.
 */
#include <string.h>

#include "checksum.h"

static uint32_t table[8][256];

void
checksum_prepare(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78U : 0);
		table[0][i] = c;
	}
	for (size_t k = 1; k < 8; k++)
		for (size_t i = 0; i < 256; i++) {
			uint32_t c = table[k - 1][i];

			table[k][i] = (c >> 8) ^ table[0][c & 0xff];
		}
}

static uint32_t
step8(uint32_t sum, const unsigned char *p)
{
	uint32_t a = sum ^
	    ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		(uint32_t)p[3] << 24);

	return table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^
	    table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^ table[3][p[4]] ^
	    table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
}

uint32_t
checksum_add(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (; len >= 8; len -= 8, p += 8)
		sum = step8(sum, p);
	for (; len > 0; len--, p++)
		sum = (sum >> 8) ^ table[0][(sum ^ *p) & 0xff];
	return sum;
}

uint64_t
mix64(uint64_t z)
{
	z += 0x9e3779b97f4a7c15U;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

uint64_t
checksum_message(uint32_t header, uint32_t body, uint64_t octets)
{
	return mix64(((uint64_t)header << 32 | body) ^ mix64(octets));
}

uint64_t
checksum_header(uint32_t header)
{
	return mix64((uint64_t)header + 0xaa);
}

uint64_t
checksum_body(uint32_t body)
{
	return mix64((uint64_t)body + 0x55);
}
