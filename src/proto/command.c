/*
 * command.c - the table is the protocol.
 *
 * Runs in: a login worker and a session.  Pure: works on memory, fuzzed.
 */
#include "proto/command.h"

#include "base/text.h"

static bool
is_control(char c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

/* May this line be cut at its spaces? */
static bool
is_well_formed(struct popper_slice line)
{
	size_t i;

	if (line.len == 0 || line.ptr[0] == ' ' ||
	    line.ptr[line.len - 1] == ' ')
		return false;
	for (i = 0; i < line.len; i++) {
		if (is_control(line.ptr[i]))
			return false;
		if (line.ptr[i] == ' ' && line.ptr[i + 1] == ' ')
			return false; /* i is not the last: that is no space */
	}
	return true;
}

/* Cut the first word and its space off ${rest}.  False: nothing is left. */
static bool
cut_word(struct popper_slice *rest, struct popper_slice *word)
{
	const char *space = NULL;

	*word = *rest;
	if (rest->len > 0)
		space = memchr(rest->ptr, ' ', rest->len);
	if (space == NULL) {
		*rest = popper_slice(rest->ptr + rest->len, 0);
		return false;
	}
	word->len = (size_t)(space - rest->ptr);
	*rest = popper_slice(space + 1, rest->len - word->len - 1);
	return true;
}

enum command_fault
command_split(struct popper_slice line, struct popper_slice *keyword,
    struct arguments *args)
{
	struct popper_slice left = line;
	bool more;

	args->count = 0;
	if (line.len == 0)
		left = popper_slice("", 0);
	more = cut_word(&left, keyword);
	args->rest = left;
	if (!is_well_formed(line))
		return COMMAND_SYNTAX;
	while (more) {
		if (args->count == COMMAND_ARGS_MAX)
			return COMMAND_SYNTAX;
		more = cut_word(&left, &args->word[args->count++]);
	}
	return COMMAND_FINE;
}

static const struct command *
find_keyword(const struct command *table, struct popper_slice keyword)
{
	const struct command *c;

	for (c = table; c->keyword != NULL; c++)
		if (text_is(keyword, c->keyword))
			return c;
	return NULL;
}

/* The one argument of a command with REST: any octets but NUL. */
static enum command_fault
take_rest(
    const struct command *c, struct popper_slice line, struct arguments *args)
{
	args->count = 0;
	if (memchr(line.ptr, '\0', line.len) != NULL)
		return COMMAND_SYNTAX;
	if (args->rest.len > 0)
		args->word[args->count++] = args->rest;
	if (args->count < c->least)
		return COMMAND_ARGUMENTS;
	return COMMAND_FINE;
}

enum command_fault
command_find(const struct command *table, struct popper_slice line,
    const struct command **found, struct arguments *args)
{
	struct popper_slice keyword;
	enum command_fault fault = command_split(line, &keyword, args);

	*found = find_keyword(table, keyword);
	if (*found == NULL)
		return fault == COMMAND_FINE ? COMMAND_UNKNOWN : fault;
	if ((*found)->rest)
		return take_rest(*found, line, args);
	if (fault != COMMAND_FINE)
		return fault;
	if (args->count < (*found)->least || args->count > (*found)->most)
		return COMMAND_ARGUMENTS;
	return COMMAND_FINE;
}
