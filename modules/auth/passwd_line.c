/*
 * passwd_line.c - one line "user:hash:uid:gid:maildrop" and what it means.
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

/* All ones is no uid and no gid but "leave it as it is" (setresuid(2)). */
static bool
parse_id(struct popper_slice s, uint32_t own, uint32_t *id)
{
	uint64_t n = 0;

	if (s.len == 0) {
		*id = own;
		return true;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
		if (n >= UINT32_MAX)
			return false;
	}
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
		return "fields after the maildrop are reserved";
	return NULL;
}

const char *
passwd_parse(struct popper_slice line, struct passwd_entry *entry)
{
	struct popper_slice rest = line;
	struct popper_slice uid, gid;

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
	if (entry->hash.len >= CRYPT_OUTPUT_SIZE)
		return "the hash is too long";
	entry->maildrop = rest;
	return passwd_check_maildrop(rest);
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
