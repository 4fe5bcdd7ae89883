/*
 * maildir_listed.h - a Maildir with some messages, and what the slot list says
 * of them.
 */
#ifndef MODULE_MAILDIR_LISTED_H
#define MODULE_MAILDIR_LISTED_H

#include <stdio.h>
#include <string.h>

#include "maildir_bed.h"

#define MANY 200
#define VERY_MANY 4000

static const char *
file_of(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "Maildir/%s/%u.m%s",
	    i % 2 ? "new" : "cur", 10000 + i, i % 2 ? "" : ":2,S");
	return path;
}

static void
make_mail(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		bed_text(&bed, file_of(i), "12\n4\n");
}

struct listed {
	struct popper_lister lister;
	size_t count;
	uint64_t octets;
	char text[MANY * 64];
};

static int
put(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct listed *l = (struct listed *)lister;
	size_t len = strlen(l->text);

	assert_int_equal(i, l->count);
	l->count++;
	l->octets += octets;
	(void)snprintf(l->text + len, sizeof(l->text) - len, "%.*s %llu\n",
	    (int)uid.len, uid.ptr, (unsigned long long)octets);
	return 0;
}

static struct listed *
list(void *self, unsigned want)
{
	static struct listed l;

	memset(&l, 0, sizeof(l));
	l.lister.put = put;
	assert_int_equal(drop()->list(self, want, &l.lister, &error), 0);
	assert_int_equal(l.count, drop()->count(self));
	return &l;
}

#endif
