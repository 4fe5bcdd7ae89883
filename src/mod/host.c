/*
 * host.c - the services that modules get.
 *
 * Runs in: popper-auth (gates, as root) and popper-session (as the user).
 */
#include "mod/host.h"

#include <string.h>

#include <popper/auth.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"

struct path {
	char *out;
	size_t size, len;
};

static bool
add(struct path *p, const char *s, size_t len)
{
	if (len >= p->size - p->len)
		return false;
	memcpy(p->out + p->len, s, len);
	p->len += len;
	p->out[p->len] = '\0';
	return true;
}

/* Can this name be one component of a path and nothing else? */
static bool
is_component(const char *s, size_t len)
{
	if (len == 0 || s[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '/' || (unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

static bool
add_component(struct path *p, const char *s, size_t len)
{
	return is_component(s, len) && add(p, s, len);
}

/* One character of the name as a folder; the last stands for those beyond. */
static bool
add_letter(struct path *p, const char *user, size_t at)
{
	size_t len = strlen(user);

	if (len == 0)
		return false;
	return add_component(p, user + (at < len ? at : len - 1), 1);
}

/* The folder of Qpopper's hash-spool 1: the sum of the first five octets of the
 * name, as a letter. */
static bool
add_hash(struct path *p, const char *user)
{
	unsigned sum = 0;
	char letter;

	for (size_t i = 0; i < 5 && user[i] != '\0'; i++)
		sum += (unsigned char)user[i];
	letter = (char)('a' + sum % 26);
	return *user != '\0' && add(p, &letter, 1);
}

static bool
add_percent(struct path *p, char what, const struct popper_identity *i)
{
	const char *at = strrchr(i->user, '@');
	size_t n = at == NULL ? strlen(i->user) : (size_t)(at - i->user);

	switch (what) {
	case '%':
		return add(p, "%", 1);
	case 'u':
		return add_component(p, i->user, strlen(i->user));
	case 'n':
		return add_component(p, i->user, n);
	case 'd':
		return at != NULL && add_component(p, at + 1, strlen(at + 1));
	case '1':
		return add_letter(p, i->user, 0);
	case '2':
		return add_letter(p, i->user, 1);
	case 'H':
		return add_hash(p, i->user);
	case 'f':
		if (i->folder[0] == '\0')
			return add(p, "INBOX", 5);
		return add_component(p, i->folder, strlen(i->folder));
	case 'h':
		return i->home[0] == '/' && add(p, i->home, strlen(i->home));
	default:
		return false;
	}
}

static bool
expand(struct path *p, const char *path, const struct popper_identity *i)
{
	if (path[0] == '~' && path[1] == '/') {
		if (!add_percent(p, 'h', i))
			return false;
		path++;
	}
	for (; *path != '\0'; path++) {
		if (*path != '%') {
			if (!add(p, path, 1))
				return false;
		} else if (*++path == '\0' || !add_percent(p, *path, i))
			return false;
	}
	return p->len > 0 && p->out[0] == '/';
}

int
host_expand(char *out, size_t size, const char *path,
    const struct popper_identity *i, struct popper_error *e)
{
	struct path p = { .out = out, .size = size };

	out[0] = '\0';
	if (expand(&p, path, i))
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "path \"%s\" cannot be made for user \"%s\" (home \"%s\"): it "
	    "must begin with / and its parts must exist for this user",
	    path, i->user, i->home);
}

const struct popper_host host_services = {
	.size = sizeof(struct popper_host),
	.log = log_write,
	.fail = error_set,
	.fail_system = error_system,
	.wipe = secret_wipe,
	.expand = host_expand,
};
