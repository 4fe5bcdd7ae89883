/*
 * passwd_vouch.c - who a user is, without a password.
 *
 * Runs in:  the gate, as root or the server's own user.
 *
 * A hash that begins with "!" locks the account for everybody; "*" only says
 * that there is no password, and other ways to log in stay open.
 */
#include <string.h>

#include <nettle/sha2.h>

#include "passwd.h"

_Static_assert(SHA256_DIGEST_SIZE <= POPPER_STAMP_MAX, "a digest is a stamp");

static int
identify(const struct passwd_self *p, const struct passwd_found *f,
    struct popper_identity *id, struct popper_error *e)
{
	const struct popper_slice *hash = &f->entry.proof.crypt;

	if (f->problem != NULL)
		return p->host->fail(e, POPPER_PERMANENT, "passwd: %s:%lu: %s",
		    p->conf->file, f->reader->line, f->problem);
	if (hash->len > 0 && hash->ptr[0] == '!')
		return p->host->fail(e, POPPER_DENIED,
		    "passwd: %s:%lu: the account is locked", p->conf->file,
		    f->reader->line);
	return passwd_identify(p, &f->entry, id, e);
}

/* The line says all there is to say of the user. */
static void
stamp_of(struct popper_slice line, struct popper_stamp *stamp)
{
	struct sha256_ctx h;

	sha256_init(&h);
	sha256_update(&h, line.len, (const uint8_t *)line.ptr);
	sha256_digest(&h, SHA256_DIGEST_SIZE, stamp->octets);
	stamp->len = SHA256_DIGEST_SIZE;
}

int
passwd_vouch(void *self, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	struct passwd_self *p = self;
	struct passwd_found f;
	int known = passwd_find(p, user, &f, e);
	int result = -1;

	stamp->len = 0;
	if (known == 1)
		result = identify(p, &f, id, e);
	else if (known == 0)
		(void)p->host->fail(e, POPPER_ABSENT,
		    "passwd: %s: no such user", p->conf->file);
	if (result == 0)
		stamp_of(f.line, stamp);
	passwd_close(p, f.reader);
	return result;
}

int
passwd_lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	struct popper_stamp unused;

	return passwd_vouch(self, user, id, &unused, e);
}
