/*
 * maildir_letters.c - see maildir_letters.h.
 *
 * Runs in: tests.
 */
#include "maildir_letters.h"

#include <stdio.h>
#include <string.h>

void
letters_make(int count)
{
	char name[64], text[64];
	void *self;

	for (int i = 1; i <= count; i++) {
		(void)snprintf(name, sizeof(name),
		    i % 2 ? "Maildir/cur/%d.m:2,S" : "Maildir/new/%d.m", i);
		(void)snprintf(text, sizeof(text), "message %d\n.\n", i);
		bed_text(&bed, name, text);
	}
	self = opened();
	drop()->close(self);
}

/* Is message ${i} of the maildrop the one of that number? */
static bool
is_message(void *self, size_t i, int number)
{
	char text[64], id[16];
	struct collect c;
	bool same;

	(void)snprintf(text, sizeof(text), "message %d\n.\n", number);
	(void)snprintf(id, sizeof(id), "%d.m", number);
	collect_start(&c);
	same = i < drop()->count(self) &&
	    drop()->read(self, i, 0, &c.sink, &error) == 0 &&
	    c.len == strlen(text) && memcmp(c.ptr, text, c.len) == 0 &&
	    strcmp(uid(self, i), id) == 0;
	collect_end(&c);
	return same;
}

bool
letters_are(void *self, int count, const char *marks)
{
	size_t n = 0;

	for (int i = 1; i <= count; i++)
		if ((marks == NULL || marks[i - 1] != 'D') &&
		    !is_message(self, n++, i))
			return false;
	return n == drop()->count(self);
}
