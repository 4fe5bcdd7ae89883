/* secret.h - passwords and digests: compare in constant time, wipe. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/** secret_wipe(p, len): overwrite; no compiler removes it.  NULL is fine. */
void secret_wipe(void *p, size_t len);

/** secret_equal(a, b, len): compare; the time depends on ${len} only. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
