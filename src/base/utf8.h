/* utf8.h - UTF-8 as RFC 3629 has it. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>

#include <popper/slice.h>

/** utf8_is_ascii(s): no octet is above 127. */
bool utf8_is_ascii(struct popper_slice s);

/** utf8_is_proper(s): well-formed: no overlong form, no surrogate, nothing
 * beyond U+10FFFF (RFC 3629 sections 3 and 4).  ASCII is. */
bool utf8_is_proper(struct popper_slice s);

#endif
