/*
 * bulletins_folder.h - which bulletins there are: numbers from file names.
 *
 * Used by the module bulletins and by popperctl; needs no library.
 */
#ifndef BULLETINS_FOLDER_H
#define BULLETINS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BULLETINS_NUMBER_MAX INT64_MAX /* dates are used as numbers */
#define BULLETINS_FILES_MAX 20000 /* in one folder */

struct bulletins_entry {
	int64_t number;
	char *name; /* of the file */
	bool hidden; /* not for this user */
};

struct bulletins_folder {
	int fd; /* the folder */
	size_t count;
	struct bulletins_entry *entries; /* ascending; equal ones by name */
	size_t overlong; /* names whose number is too large: left out */
};

/**
 * bulletins_number(name): the number that the file's name begins with, 0 for
 * one that begins with no digit, -1 if it is above BULLETINS_NUMBER_MAX.
 */
int64_t bulletins_number(const char *name);

/**
 * bulletins_folder_open(f, path):
 * List the folder: all names that begin with a number above 0.  What kind of
 * files they are is not looked at.  Returns 0, or -1 with errno (EFBIG: more
 * than BULLETINS_FILES_MAX) and nothing kept.
 */
int bulletins_folder_open(struct bulletins_folder *, const char *path);

/** bulletins_folder_close(f): also of one that is zero or was closed. */
void bulletins_folder_close(struct bulletins_folder *);

/**
 * bulletins_file_open(folder, name, size):
 * Open a file of the folder whose descriptor is ${folder}, if it is a regular
 * file and not a link; waits for nothing.  Returns a descriptor and stores the
 * ${size} in octets, or -1 with errno (EINVAL: not a regular file).
 */
int bulletins_file_open(int folder, const char *name, uint64_t *size);

#endif
