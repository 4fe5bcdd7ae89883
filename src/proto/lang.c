/*
 * lang.c - LANG (RFC 6856 section 3), in both states.
 *
 * Runs in: a login worker (AUTHORIZATION) and a session (TRANSACTION).
 */
#include "proto/lang.h"

#include "base/text.h"
#include "proto/language.h"

static enum outcome
list(struct reply *r)
{
	char line[REPLY_LINE_MAX];
	const char *tag;

	reply_ok(r, "languages follow");
	for (unsigned i = 0; (tag = language_tag(i)) != NULL; i++)
		if (text_print(
			line, sizeof(line) - 2, "%s %s", tag, language_name(i)))
			reply_octets(r, popper_slice_text(line));
	return reply_end(r);
}

enum outcome
lang_run(const struct arguments *args, struct reply *r)
{
	const char *tag;

	if (args->count == 0)
		return list(r);
	if ((tag = language_match(args->word[0])) == NULL)
		return reply_refuse(r, POPPER_INVALID, "no such language here");
	language_use(tag);
	return reply_tagged(r, tag, "language changed");
}
