/* unit.h - what every unit test includes. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <popper/slice.h>

/* The octets of a string literal, NULs inside included. */
#define S(literal) popper_slice("" literal, sizeof(literal) - 1)

/* Is ${s} what the literal says? */
#define assert_slice(s, literal)                                   \
	do {                                                       \
		struct popper_slice slice_ = (s);                  \
		assert_int_equal(slice_.len, sizeof(literal) - 1); \
		assert_memory_equal(                               \
		    slice_.ptr, "" literal, sizeof(literal) - 1);  \
	} while (0)

#endif
