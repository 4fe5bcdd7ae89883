/*
 * passwd_hash.c - does a password fit a hash of crypt(3)?
 *
 * Runs in:  the gate.  Whatever crypt(3) of the system verifies is accepted.
 */
#include <stdlib.h>
#include <string.h>

#include "passwd.h"

/* Spent when the file has not one usable hash: yescrypt at its usual cost. */
#define LAST_RESORT "$y$j9T$BFkHsZlFrYxzYjFmZlEmB.$"

/* crypt(3) writes printable ASCII without these; "*0" is its failure, and
 * "!" and "*" in front are how passwd(1) locks. */
bool
passwd_hash_usable(struct popper_slice hash)
{
	static const char never[] = "*!:;\\ ";

	if (hash.len < 13 || hash.len >= CRYPT_OUTPUT_SIZE)
		return false;
	for (size_t i = 0; i < hash.len; i++) {
		if (hash.ptr[i] < 0x21 || hash.ptr[i] > 0x7e ||
		    strchr(never, hash.ptr[i]) != NULL)
			return false;
	}
	return true;
}

/* Does ${phrase} fit ${hash}?  The time of the comparison depends on the
 * length of ${hash} only. */
static bool
fits(const struct passwd_self *p, const char *phrase, const char *hash,
    struct crypt_data *data)
{
	const char *result = p->crypt(phrase, hash, data);
	size_t len = strlen(hash);
	unsigned char differ = 0;

	if (result == NULL || result[0] == '*') {
		/* The system does not know this kind: spend the time. */
		(void)p->crypt("-", LAST_RESORT, data);
		return false;
	}
	if (strlen(result) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(hash[i] ^ result[i]);
	return differ == 0;
}

int
passwd_hash_verify(
    const struct passwd_self *p, const char *hash, const char *phrase)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	bool same;

	if (data == NULL)
		return -1;
	same = fits(p, phrase, hash[0] == '\0' ? LAST_RESORT : hash, data);
	p->host->wipe(data, sizeof(*data));
	free(data);
	return same;
}
