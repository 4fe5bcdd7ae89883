/*
 * mechanisms.c - ways to log in and what each asks of the connection.
 *
 * Runs in: popper-auth, login workers, sessions.
 */
#include "priv/mechanisms.h"

#include <popper/auth.h>

#include "base/text.h"

struct entry {
	struct popper_slice name;
	unsigned needs;
};

/* Take one entry off the start of ${list}; NULL at its end. */
static const char *
next(const char *list, struct entry *e)
{
	size_t len = strcspn(list, "=");

	if (list[len] == '\0')
		return NULL;
	e->name = popper_slice(list, len);
	e->needs = 0;
	for (list += len + 1; *list >= '0' && *list <= '9'; list++)
		e->needs = (e->needs * 10 + (unsigned)(*list - '0')) & 0xff;
	return *list == ' ' ? list + 1 : list;
}

static bool
equal(struct popper_slice a, const char *b)
{
	return strlen(b) == a.len && memcmp(a.ptr, b, a.len) == 0;
}

static bool
find(const char *list, struct popper_slice name, struct entry *e)
{
	while ((list = next(list, e)) != NULL)
		if (e->name.len == name.len &&
		    memcmp(e->name.ptr, name.ptr, name.len) == 0)
			return true;
	return false;
}

bool
mechanisms_add(char *list, size_t size, const char *name, unsigned needs)
{
	size_t len = strlen(list);
	struct entry e;

	if (find(list, popper_slice_text(name), &e))
		return true;
	if (text_print(list + len, size - len, "%s%s=%u", len > 0 ? " " : "",
		name, needs))
		return true;
	list[len] = '\0'; /* no half names */
	return false;
}

bool
mechanisms_allow(const char *list, struct popper_slice name, unsigned have)
{
	struct entry e;

	return find(list, name, &e) && (e.needs & ~have) == 0;
}

void
mechanisms_sasl(const char *list, unsigned have, char *out, size_t size)
{
	size_t len = 0;
	struct entry e;

	out[0] = '\0';
	while ((list = next(list, &e)) != NULL) {
		if ((e.needs & ~have) != 0 || equal(e.name, "USER") ||
		    equal(e.name, "APOP"))
			continue;
		if (!text_print(out + len, size - len, "%s%.*s",
			len > 0 ? " " : "", (int)e.name.len, e.name.ptr)) {
			out[len] = '\0';
			return;
		}
		len += strlen(out + len);
	}
}
