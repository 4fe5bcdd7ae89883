/*
 * forgetful.h - for tests of what lives as long as a process: options and
 * modules are read once, and never given back.
 */
#ifndef FORGETFUL_H
#define FORGETFUL_H

#include <popper/module.h>

POPPER_EXPORT const char *__lsan_default_suppressions(void);

/* LeakSanitizer asks; without it nobody does. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:option_set\nleak:modules_read\nleak:table_of\n";
}

#endif
