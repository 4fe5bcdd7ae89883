/*
 * passwd_line.c - one line "user:hash:uid:gid:maildrop[:options]" and what it
 * means.
 *
 * Runs in:  the gate and the warm parent.  Pure: looks at nothing but its
 *           arguments and our own uid and gid.
 */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "passwd.h"

bool
passwd_is_comment(struct popper_slice line)
{
	size_t i = 0;

	while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
		i++;
	return i == line.len || line.ptr[i] == '#';
}

/* Cut the octets up to the next colon off ${rest}; false if there is none. */
static bool
cut(struct popper_slice *rest, struct popper_slice *field)
{
	const char *colon = memchr(rest->ptr, ':', rest->len);

	if (colon == NULL)
		return false;
	*field = popper_slice(rest->ptr, (size_t)(colon - rest->ptr));
	rest->ptr = colon + 1;
	rest->len -= field->len + 1;
	return true;
}

static bool
has_control(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static bool
parse_number(struct popper_slice s, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
		if (n > max)
			return false;
	}
	*number = n;
	return s.len > 0;
}

/* All ones is no uid and no gid but "leave it as it is" (setresuid(2)). */
static bool
parse_id(struct popper_slice s, uint32_t own, uint32_t *id)
{
	uint64_t n = own;

	if (s.len > 0 && !parse_number(s, UINT32_MAX - 1, &n))
		return false;
	*id = (uint32_t)n;
	return true;
}

_Static_assert(
    sizeof(((struct popper_identity *)NULL)->drop) == PASSWD_DROP_MAX + 1,
    "a drop's name fits");
_Static_assert(sizeof(uid_t) == 4 && sizeof(gid_t) == 4, "parse_id fits");

/* Cut "NAME:" off ${rest}, unless ${rest} is a path or empty. */
static const char *
cut_drop(struct popper_slice *rest, struct popper_slice *drop)
{
	*drop = popper_slice(NULL, 0);
	if (rest->len == 0 || rest->ptr[0] == '/')
		return NULL;
	if (!cut(rest, drop) || drop->len == 0)
		return "the maildrop is neither /path nor NAME:/path";
	if (drop->len > PASSWD_DROP_MAX)
		return "the maildrop's kind is too long";
	return rest->len == 0 ? "the maildrop names no place" : NULL;
}

const char *
passwd_check_maildrop(struct popper_slice maildrop)
{
	struct popper_slice drop;
	const char *problem = cut_drop(&maildrop, &drop);

	if (problem != NULL)
		return problem;
	if (maildrop.len > POPPER_PATH_MAX)
		return "the maildrop's path is too long";
	if (memchr(maildrop.ptr, ':', maildrop.len) != NULL)
		return "the maildrop has a colon";
	return NULL;
}

/* "NAME=VALUE,NAME=VALUE", or nothing. */
static const char *
parse_options(struct popper_slice rest, struct passwd_entry *entry)
{
	static const char name[] = "login-delay=";
	const size_t len = sizeof(name) - 1;

	if (rest.len == 0)
		return NULL;
	if (memchr(rest.ptr, ':', rest.len) != NULL)
		return "fields after the options are reserved";
	if (rest.len < len || memcmp(rest.ptr, name, len) != 0)
		return "an unknown option; there is login-delay=SECONDS";
	if (!parse_number(popper_slice(rest.ptr + len, rest.len - len),
		PASSWD_DELAY_MAX, &entry->login_delay))
		return "login-delay is no number of seconds up to 604800";
	entry->delayed = true;
	return NULL;
}

/* The maildrop, whose own colon is behind the drop's name, and the options. */
static const char *
parse_rest(struct popper_slice rest, struct passwd_entry *entry)
{
	struct popper_slice drop, path = rest;
	const char *problem = NULL, *colon;

	if (rest.len > 0 && rest.ptr[0] != ':')
		problem = cut_drop(&path, &drop);
	if (problem != NULL)
		return problem;
	colon = path.len > 0 ? memchr(path.ptr, ':', path.len) : NULL;
	entry->maildrop = rest;
	if (colon == NULL)
		return passwd_check_maildrop(rest);
	entry->maildrop.len = (size_t)(colon - rest.ptr);
	problem = passwd_check_maildrop(entry->maildrop);
	if (problem != NULL)
		return problem;
	return parse_options(
	    popper_slice(colon + 1, rest.len - entry->maildrop.len - 1), entry);
}

const char *
passwd_parse(struct popper_slice line, struct passwd_entry *entry)
{
	struct popper_slice rest = line;
	struct popper_slice uid, gid;
	const char *problem;

	*entry = (struct passwd_entry){ .user = { NULL, 0 } };
	if (!cut(&rest, &entry->user))
		return "no colon";
	if (line.len > PASSWD_LINE_MAX)
		return "longer than 2048 octets";
	if (has_control(line))
		return "a control character (CR at its end?)";
	if (entry->user.len == 0 || entry->user.len > POPPER_USER_MAX)
		return "the user's name is empty or too long";
	if (!cut(&rest, &entry->hash) || !cut(&rest, &uid) || !cut(&rest, &gid))
		return "too few fields: user:hash:uid:gid:maildrop";
	if (!parse_id(uid, geteuid(), &entry->uid))
		return "the uid is no number or too large";
	if (!parse_id(gid, getegid(), &entry->gid))
		return "the gid is no number or too large";
	problem = passwd_proof_parse(entry->hash, &entry->proof);
	return problem != NULL ? problem : parse_rest(rest, entry);
}

/* A file in the middle of being written may end anywhere, also in the middle
 * of a path: that would be somebody else's mail. */
const char *
passwd_problem(const struct passwd_reader *r, struct popper_slice line,
    struct passwd_entry *entry)
{
	const char *problem = passwd_parse(line, entry);

	if (problem == NULL && r->torn)
		return "it does not end with a newline";
	return problem;
}

/* Copy a slice that is known to fit. */
static void
copy(char *out, struct popper_slice s)
{
	if (s.len > 0)
		memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
}

int
passwd_identify(const struct passwd_self *p, const struct passwd_entry *entry,
    struct popper_identity *id, struct popper_error *e)
{
	struct popper_slice place = entry->maildrop;
	struct popper_slice drop;
	char path[POPPER_PATH_MAX + 1];

	if (place.len == 0)
		place = popper_slice_text(p->conf->maildrop);
	(void)cut_drop(&place, &drop);
	id->flags = POPPER_IDENTITY_VIRTUAL;
	if (entry->delayed) {
		id->flags |= POPPER_IDENTITY_DELAY;
		id->login_delay = entry->login_delay;
	}
	id->uid = entry->uid;
	id->gid = entry->gid;
	copy(id->user, entry->user);
	copy(id->drop, drop);
	id->home[0] = '\0';
	copy(path, place);
	if (strchr(path, '%') != NULL)
		return p->host->expand(
		    id->maildrop, sizeof(id->maildrop), path, id, e);
	memcpy(id->maildrop, path, place.len + 1);
	return 0;
}
