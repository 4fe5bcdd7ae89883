/*
 * apop_digest.c - the digest of APOP, RFC 1939 section 7.
 *
 * Runs in:  the gate.  Pure.
 */
#include <nettle/md5.h>
#include <nettle/memops.h>

#include "apop.h"

bool
apop_fits(const char *timestamp, const char *secret, struct popper_slice digest)
{
	static const char digits[] = "0123456789abcdef";
	char given[APOP_DIGEST_LEN] = { 0 }, right[APOP_DIGEST_LEN];
	uint8_t octets[MD5_DIGEST_SIZE];
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, strlen(timestamp), (const uint8_t *)timestamp);
	md5_update(&md5, strlen(secret), (const uint8_t *)secret);
	md5_digest(&md5, sizeof(octets), octets);
	for (size_t i = 0; i < sizeof(octets); i++) {
		right[2 * i] = digits[octets[i] >> 4];
		right[2 * i + 1] = digits[octets[i] & 15];
	}
	explicit_bzero(&md5, sizeof(md5));
	explicit_bzero(octets, sizeof(octets));
	/* A digest of another length fits none: "given" has NULs. */
	if (digest.len == sizeof(given))
		memcpy(given, digest.ptr, sizeof(given));
	return memeql_sec(given, right, sizeof(right)) == 1;
}
