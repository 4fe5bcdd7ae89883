/* checksum.h - how generator and load generator agree on mail content. */
#ifndef BENCH_CHECKSUM_H
#define BENCH_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of no octets. */
#define CHECKSUM_EMPTY 0xffffffffU

/** checksum_prepare(): make the tables; call it once, before the others. */
void checksum_prepare(void);

/** checksum_add(sum, data, len): ${sum} carried on over ${len} octets. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);

/**
 * checksum_message(header, body, octets):
 * One number for a message, so that the numbers of many messages can be added
 * in any order.
 */
uint64_t checksum_message(uint32_t header, uint32_t body, uint64_t octets);

/** checksum_header(header), checksum_body(body): the same of one alone. */
uint64_t checksum_header(uint32_t header);
uint64_t checksum_body(uint32_t body);

/** mix64(z): ${z} spread over 64 bits; also steps the random numbers. */
uint64_t mix64(uint64_t z);

#endif
