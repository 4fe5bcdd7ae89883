/*
 * digest.c - what stands for a password in memory.
 *
 * Runs in: popper-auth; digest_start in the warm parent, the rest in gates, as
 * root.
 */
#include "auth/digest.h"

#include <string.h>
#include <sys/random.h>

#include <nettle/hmac.h>

#include "base/log.h"
#include "base/secret.h"

_Static_assert(DIGEST_LEN == SHA256_DIGEST_SIZE, "all of SHA-256");

static unsigned char key[DIGEST_LEN];

void
digest_start(void)
{
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		log_fatal("getrandom: the kernel has no random numbers");
}

/* With its NUL: where one ends and the next begins is part of the digest. */
static void
add_text(struct hmac_sha256_ctx *h, const char *text)
{
	hmac_sha256_update(h, strlen(text) + 1, (const uint8_t *)text);
}

void
digest_of(const char *purpose, const char *user, struct popper_slice s,
    unsigned char out[DIGEST_LEN])
{
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, sizeof(key), key);
	add_text(&h, purpose);
	add_text(&h, user);
	hmac_sha256_update(&h, s.len, (const uint8_t *)s.ptr);
	hmac_sha256_digest(&h, DIGEST_LEN, out);
	secret_wipe(&h, sizeof(h));
}
