/*
 * bulletin_without_gdbm.c - "popperctl bulletin init" without GDBM.
 *
 * Runs as:  whoever calls popperctl.
 */
#include "tools/popperctl/bulletin.h"

int
bulletin_init(const struct popperctl *p, char **args)
{
	(void)p;
	(void)args;
	popperctl_say("this popper was built without GDBM: it has no bulldb");
	return POPPERCTL_FAILED;
}
