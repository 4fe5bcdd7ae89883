/*
 * mangle_macros.c - MDEF name(value): short names for what a client says often.
 *
 * Runs in: a session, as the user.
 */
#include "mangle_macros.h"

#include <strings.h>

static bool
is_name(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') &&
		    !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') &&
		    !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '-' &&
		    s.ptr[i] != '_' && s.ptr[i] != '.')
			return false;
	return s.len > 0;
}

/* A value goes back to the client, in a reply: printable ASCII only. */
static bool
is_value(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '(' ||
		    s.ptr[i] == ')')
			return false;
	return true;
}

/* Its index, or count. */
static size_t
find(const struct mangle_macros *m, struct popper_slice name)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (strlen(m->macro[i].name) == name.len &&
		    strncasecmp(m->macro[i].name, name.ptr, name.len) == 0)
			break;
	return i;
}

static void
set(char *out, struct popper_slice s)
{
	memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
}

enum mangle_define
mangle_macros_define(struct mangle_macros *m, struct popper_slice s,
    const struct mangle_macro **out)
{
	const char *open = memchr(s.ptr, '(', s.len);
	struct popper_slice name, value;
	struct mangle_macro *macro;
	size_t i;

	if (open == NULL || s.ptr[s.len - 1] != ')')
		return MANGLE_SYNTAX;
	name = popper_slice(s.ptr, (size_t)(open - s.ptr));
	value = popper_slice(open + 1, s.len - name.len - 2);
	if (!is_name(name) || !is_value(value))
		return MANGLE_SYNTAX;
	if (name.len > MANGLE_MACRO_NAME_MAX ||
	    value.len > MANGLE_MACRO_VALUE_MAX)
		return MANGLE_TOO_LONG;
	if ((i = find(m, name)) == MANGLE_MACROS_MAX)
		return MANGLE_TOO_MANY;
	if (i == m->count)
		m->count++;
	macro = &m->macro[i];
	set(macro->name, name);
	set(macro->value, value);
	*out = macro;
	return MANGLE_DEFINED;
}

const char *
mangle_macros_find(const struct mangle_macros *m, struct popper_slice name)
{
	size_t i = find(m, name);

	return i == m->count ? NULL : m->macro[i].value;
}
