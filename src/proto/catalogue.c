/*
 * catalogue.c - translations of our replies: a file that msgfmt(1) has made.
 *
 * Runs in: the parents of login workers and sessions, before they give up root
 * and files; catalogue_find in their children.  The format is the one that the
 * manual of GNU gettext describes ("The Format of GNU MO Files"): two tables
 * of lengths and offsets, the originals in ascending order.
 */
#include "proto/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/utf8.h"

#define MAGIC 0x950412deu
#define HEAD 20 /* octets before the first table can begin */

static uint32_t
number_at(const struct catalogue *c, size_t at)
{
	uint32_t n;

	memcpy(&n, c->octets + at, sizeof(n));
	return n;
}

/* Text ${i} of a table, or NULL if it does not lie in the file. */
static const char *
checked_text(const struct catalogue *c, uint32_t table, uint32_t i)
{
	uint32_t len = number_at(c, table + (size_t)8 * i);
	uint32_t at = number_at(c, table + (size_t)8 * i + 4);

	if (at >= c->size || len >= c->size - at ||
	    memchr(c->octets + at, '\0', (size_t)len + 1) !=
		c->octets + at + len)
		return NULL;
	return c->octets + at;
}

/* Once all is checked. */
static const char *
text_at(const struct catalogue *c, uint32_t table, uint32_t i)
{
	return c->octets + number_at(c, table + (size_t)8 * i + 4);
}

/* The next conversion of a format, from its "%" to its letter; "%%" is none.
 * Empty at the end. */
static struct popper_slice
next_conversion(const char **format)
{
	const char *p = *format, *start;

	while ((p = strchr(p, '%')) != NULL && p[1] == '%')
		p += 2;
	if (p == NULL)
		return popper_slice("", 0);
	start = p++;
	p += strspn(p, "0123456789.*+- #'$hljztL");
	if (*p != '\0')
		p++;
	*format = p;
	return popper_slice(start, (size_t)(p - start));
}

static bool
same_conversions(const char *one, const char *other)
{
	struct popper_slice a, b;

	do {
		a = next_conversion(&one);
		b = next_conversion(&other);
		if (a.len != b.len || memcmp(a.ptr, b.ptr, a.len) != 0)
			return false;
	} while (a.len > 0);
	return true;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* What is wrong with a translation, or NULL. */
static const char *
problem(const char *original, const char *translation)
{
	if (!utf8_is_proper(popper_slice_text(translation)))
		return "is not UTF-8";
	if (original[0] == '\0') /* the head of the file, in "Name: value" */
		return strstr(translation, "charset=UTF-8") != NULL
		    ? NULL
		    : "does not name the charset UTF-8";
	if (translation[0] == '\0' || strlen(translation) > CATALOGUE_TEXT_MAX)
		return "is empty or too long";
	if (has_control(translation))
		return "has control characters";
	if (!same_conversions(original, translation))
		return "has other conversions than the original";
	return NULL;
}

static int
check_texts(const struct catalogue *c, struct popper_error *e)
{
	const char *original, *translation, *previous = NULL, *why;

	for (uint32_t i = 0; i < c->count; i++) {
		original = checked_text(c, c->originals, i);
		translation = checked_text(c, c->translations, i);
		if (original == NULL || translation == NULL)
			return error_set(e, POPPER_PERMANENT,
			    "text %u is damaged or has plural forms",
			    (unsigned)i);
		if (previous != NULL && strcmp(previous, original) >= 0)
			return error_set(
			    e, POPPER_PERMANENT, "texts are not sorted");
		if ((why = problem(original, translation)) != NULL)
			return error_set(e, POPPER_PERMANENT,
			    "the translation of \"%.100s\" %s", original, why);
		previous = original;
	}
	return 0;
}

static bool
table_fits(const struct catalogue *c, uint32_t table)
{
	return table >= HEAD && table <= c->size &&
	    c->count <= (c->size - table) / 8;
}

int
catalogue_check(
    struct catalogue *c, char *octets, size_t size, struct popper_error *e)
{
	struct catalogue new = { .octets = octets, .size = size };

	if (size < HEAD || size > CATALOGUE_SIZE_MAX ||
	    number_at(&new, 0) != MAGIC || number_at(&new, 4) >> 16 != 0)
		return error_set(e, POPPER_PERMANENT,
		    "is no catalogue that msgfmt has made for this machine");
	new.count = number_at(&new, 8);
	new.originals = number_at(&new, 12);
	new.translations = number_at(&new, 16);
	if (new.count == 0 || !table_fits(&new, new.originals) ||
	    !table_fits(&new, new.translations))
		return error_set(e, POPPER_PERMANENT, "is damaged");
	if (check_texts(&new, e) == -1)
		return -1;
	if (text_at(&new, new.originals, 0)[0] != '\0')
		return error_set(e, POPPER_PERMANENT, "does not say a charset");
	*c = new;
	return 0;
}

static char *
read_all(int fd, size_t size, struct popper_error *e)
{
	char *octets = malloc(size + 1);
	ssize_t n = 0;
	size_t got = 0;

	if (octets == NULL) {
		error_system(e, POPPER_TEMPORARY, "memory");
		return NULL;
	}
	while (got < size && (n = read(fd, octets + got, size - got)) > 0)
		got += (size_t)n;
	if (got == size)
		return octets;
	if (n == -1)
		error_system(e, POPPER_PERMANENT, "read");
	else
		error_set(e, POPPER_PERMANENT, "became shorter");
	free(octets);
	return NULL;
}

int
catalogue_read(struct catalogue *c, const char *path, struct popper_error *e)
{
	char *octets = NULL;
	struct stat st;
	int fd, result = -1;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return error_system(e, POPPER_PERMANENT, "open");
	if (fstat(fd, &st) == -1)
		error_system(e, POPPER_PERMANENT, "fstat");
	else if (!S_ISREG(st.st_mode) || st.st_size > CATALOGUE_SIZE_MAX)
		error_set(e, POPPER_PERMANENT, "is no file or a large one");
	else if ((octets = read_all(fd, (size_t)st.st_size, e)) != NULL)
		result = catalogue_check(c, octets, (size_t)st.st_size, e);
	if (result == -1)
		free(octets);
	fd_close(&fd);
	return result;
}

const char *
catalogue_find(const struct catalogue *c, const char *original)
{
	uint32_t low = 0, high = c->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(original, text_at(c, c->originals, middle));
		if (order == 0)
			return text_at(c, c->translations, middle);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void
catalogue_free(struct catalogue *c)
{
	free(c->octets);
	*c = (struct catalogue){ .octets = NULL };
}
