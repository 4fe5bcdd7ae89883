/*
 * maildir_letters.h - a Maildir of numbered messages: 1.m, 2.m, 3.m ...
 */
#ifndef MODULE_MAILDIR_LETTERS_H
#define MODULE_MAILDIR_LETTERS_H

#include "maildir_bed.h"

/** letters_make(count): put them there, in cur and new by turns. */
void letters_make(int count);

/**
 * letters_are(self, count, marks):
 * Does the open maildrop have just those that are not marked "D", or, without
 * marks, all of them: in order, octet by octet, with their unique-ids?
 */
bool letters_are(void *self, int count, const char *marks);

#endif
