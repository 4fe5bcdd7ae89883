/*
 * secret.c - passwords and digests.
 *
 * Runs in: any process that sees credentials (worker, gate).
 */
#include "base/secret.h"

#include <string.h>

void
secret_wipe(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differ = 0;
	size_t i;

	for (i = 0; i < len; i++)
		differ = (unsigned char)(differ | (x[i] ^ y[i]));
	return differ == 0;
}
