/* print.h - options and their values, as popper.conf and modules.conf. */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include <stddef.h>

#include "conf/modules.h"

/** print_value(out, size, value): add ${value} in quotes to the text at
 * ${out}, which has room for ${size} octets in all; what does not fit is cut.
 */
void print_value(char *out, size_t size, const char *value);

/** print_options(table, conf, indent, out, size): add each option, one a line.
 */
void print_options(const struct popper_option *, void *conf, const char *indent,
    char *out, size_t size);

/** print_modules(used, kind, out, size): add the sections of modules.conf that
 * would make ${used}. */
void print_modules(
    const struct used_modules *, const char *kind, char *out, size_t size);

#endif
