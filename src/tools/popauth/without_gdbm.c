/*
 * without_gdbm.c - the place of mailauth.c in a build --without-gdbm.
 *
 * Runs in: popauth.
 */
#include "tools/popauth/popauth.h"

const struct subcommand mailauth_subcommands[] = {
	{ .name = NULL },
};
