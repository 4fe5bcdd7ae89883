/*
 * passwd_hash.c - does a password fit a hash?  Always at the same price.
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

void
passwd_hash_keep(struct passwd_self *p, struct popper_slice hash)
{
	memcpy(p->dummy, hash.ptr, hash.len);
	p->dummy[hash.len] = '\0';
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
passwd_hash_verify(const struct passwd_self *p, struct popper_slice hash,
    struct popper_slice secret)
{
	char phrase[PASSWD_SECRET_MAX + 1] = { 0 };
	char setting[CRYPT_OUTPUT_SIZE] = LAST_RESORT;
	struct crypt_data *data = calloc(1, sizeof(*data));
	bool usable = passwd_hash_usable(hash);
	bool proper = secret.len > 0 && secret.len <= PASSWD_SECRET_MAX &&
	    memchr(secret.ptr, '\0', secret.len) == NULL;
	bool same;

	if (data == NULL)
		return -1;
	if (usable) {
		memcpy(setting, hash.ptr, hash.len);
		setting[hash.len] = '\0';
	} else if (p->dummy[0] != '\0') {
		memcpy(setting, p->dummy, sizeof(setting));
	}
	/* An improper secret must cost the same, but may never fit. */
	if (proper)
		memcpy(phrase, secret.ptr, secret.len);
	else
		phrase[0] = '-';
	same = fits(p, phrase, setting, data);
	p->host->wipe(phrase, sizeof(phrase));
	p->host->wipe(data, sizeof(*data));
	free(data);
	return usable && proper && same;
}
