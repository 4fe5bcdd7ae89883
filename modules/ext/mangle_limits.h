/*
 * mangle_limits.h - which limits this build can have.
 *
 * AddressSanitizer reserves more memory than any limit would grant.
 */
#ifndef MANGLE_LIMITS_H
#define MANGLE_LIMITS_H

#define MANGLE_LIMITS_MEMORY 1

#if defined(__SANITIZE_ADDRESS__)
#undef MANGLE_LIMITS_MEMORY
#define MANGLE_LIMITS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#undef MANGLE_LIMITS_MEMORY
#define MANGLE_LIMITS_MEMORY 0
#endif
#endif

#endif
