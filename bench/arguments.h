/* arguments.h - what popload was asked to do. */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

#include "client.h"

struct load {
	struct settings set;
	struct results results;
	struct user *users;
	size_t user_count, user_next, users_max;
	struct client **clients;
	size_t client_count;
	long started;
};

/** arguments_read(l, argc, argv): fill ${l}, or say why not and exit. */
void arguments_read(struct load *, int argc, char **argv);

/** mode_name(mode): as on the command line. */
const char *mode_name(enum mode);

#endif
