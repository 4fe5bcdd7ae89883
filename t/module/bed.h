/*
 * bed.h - what the tests of drop and ext modules stand on: a folder of their
 * own, a place to open, the host's services with the log kept, a sink that
 * collects, and a slow and simple reference for sizes.
 */
#ifndef MODULE_BED_H
#define MODULE_BED_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <popper/drop.h>

/* The services of the server, but log lines go to bed_log. */
extern const struct popper_host bed_host;

/* All log lines since bed_open, each with "\n"; cut when full. */
extern char bed_log[16384];

/** bed_logged(text): how many log lines hold ${text}. */
unsigned bed_logged(const char *text);

struct bed {
	char path[256]; /* a fresh folder */
	struct popper_identity identity;
	struct popper_place place; /* state is the folder "state" in path */
};

/** bed_open(b): make it.  bed_close(b): remove the folder and all in it. */
void bed_open(struct bed *);
void bed_close(struct bed *);

/** bed_file(b, name, content, len): write ${name} below the folder. */
void bed_file(
    const struct bed *, const char *name, const void *content, size_t len);
/** bed_text(b, name, text): the same for a C string. */
void bed_text(const struct bed *, const char *name, const char *text);
void bed_folder(const struct bed *, const char *name);
void bed_move(const struct bed *, const char *from, const char *to);
void bed_remove(const struct bed *, const char *name);
bool bed_exists(const struct bed *, const char *name);
/** bed_path(b, name): its full path; good until the next call. */
const char *bed_path(const struct bed *, const char *name);

struct collect {
	struct popper_sink sink;
	char *ptr;
	size_t len, room;
	size_t enough; /* say "enough" from so many octets on; 0: never */
	bool fail; /* say "failed" */
};

void collect_start(struct collect *);
void collect_end(struct collect *);

/** slow_octets(content, len): what LIST must say, one octet at a time. */
uint64_t slow_octets(const char *content, size_t len);

/**
 * bed_as_nobody(b, run, arg):
 * Run ${run} in a child that is not root, give it the bed first.  Returns what
 * ${run} returned: 0, or the line number of what was wrong.
 */
int bed_as_nobody(const struct bed *, int (*run)(void *), void *arg);

/* In such a child cmocka's assertions do not work: */
#define CHECK(truth)                     \
	do {                             \
		if (!(truth))            \
			return __LINE__; \
	} while (0)

#endif
