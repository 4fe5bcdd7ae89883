/*
 * catalogue.h - translations of our replies: a file that msgfmt(1) has made.
 *
 * The file is data, and texts in it become format strings: so all of it is
 * checked before any of it is used.  Why not gettext(3): see
 * doc/why/translations.md.
 */
#ifndef PROTO_CATALOGUE_H
#define PROTO_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <popper/error.h>

#define CATALOGUE_SIZE_MAX (1024 * 1024) /* octets of a file */
#define CATALOGUE_TEXT_MAX 400 /* octets of a translation */

struct catalogue {
	char *octets; /* the whole file; ours */
	size_t size;
	uint32_t count; /* of texts */
	uint32_t originals, translations; /* offsets of the two tables */
};

/**
 * catalogue_check(c, octets, size, error):
 * Make ${octets} (from malloc) the catalogue ${c}, if each translation in it
 * is UTF-8 of a length that fits a reply, without control characters, and has
 * the same conversions ("%s") as its original in the same order.  0, or -1
 * with ${error} filled; ${octets} stays the caller's then.
 */
int catalogue_check(
    struct catalogue *, char *octets, size_t size, struct popper_error *);

/** catalogue_read(c, path, error): the same with what the file ${path} holds.
 */
int catalogue_read(struct catalogue *, const char *path, struct popper_error *);

/** catalogue_find(c, original): its translation, or NULL. */
const char *catalogue_find(const struct catalogue *, const char *original);

/** catalogue_free(c): nothing is in it any more. */
void catalogue_free(struct catalogue *);

#endif
