/*
 * passwd_proof.c - the hash field: a hash of crypt(3), keys of SCRAM, or both.
 *
 * Runs in:  the gate and the warm parent.  Whatever the outcome, a password
 *           costs the same.
 */
#include <string.h>

#include "passwd.h"

static const char scram[] = "$scram-sha-";

/* Where the first item of ${s} ends.  crypt(3)'s own hashes may hold commas
 * ("$md5,rounds="), so one ends only where a key begins. */
static size_t
item_length(struct popper_slice s)
{
	struct popper_slice rest;

	for (size_t i = 0; i < s.len; i++) {
		rest = popper_slice(s.ptr + i + 1, s.len - i - 1);
		if (s.ptr[i] == ',' &&
		    (passwd_scram_is(s) || passwd_scram_is(rest)))
			return i;
	}
	return s.len;
}

bool
passwd_scram_is(struct popper_slice s)
{
	return s.len >= sizeof(scram) - 1 &&
	    memcmp(s.ptr, scram, sizeof(scram) - 1) == 0;
}

const char *
passwd_proof_parse(struct popper_slice field, struct passwd_proof *proof)
{
	struct popper_slice item;
	const char *problem = NULL;
	bool more = field.len > 0;

	*proof = (struct passwd_proof){ .crypt = { NULL, 0 } };
	while (more && problem == NULL) {
		item = popper_slice(field.ptr, item_length(field));
		more = item.len < field.len;
		if (more) {
			field.ptr += item.len + 1;
			field.len -= item.len + 1;
		}
		if (passwd_scram_is(item))
			problem = passwd_scram_parse(item, proof);
		else if (item.len == 0)
			problem = "an empty item in the hash field";
		else if (proof->crypt.len > 0)
			problem = "two hashes that are no SCRAM keys";
		else if (item.len >= CRYPT_OUTPUT_SIZE)
			problem = "the hash is too long";
		else
			proof->crypt = item;
	}
	return problem;
}

int
passwd_proof_best(const struct passwd_proof *proof)
{
	int kind = PASSWD_KINDS - 1;

	while (kind >= 0 && proof->key[kind].rounds == 0)
		kind--;
	return kind;
}

bool
passwd_proof_usable(const struct passwd_proof *proof)
{
	if (proof->crypt.len > 0)
		return passwd_hash_usable(proof->crypt);
	return passwd_proof_best(proof) >= 0;
}

void
passwd_proof_keep(struct passwd_self *p, const struct passwd_proof *proof)
{
	int best = passwd_proof_best(proof);

	p->dummy_rounds = 0;
	if (proof->crypt.len > 0)
		memcpy(p->dummy, proof->crypt.ptr, proof->crypt.len);
	p->dummy[proof->crypt.len] = '\0';
	if (proof->crypt.len == 0 && best >= 0) {
		p->dummy_kind = (enum passwd_kind)best;
		p->dummy_rounds = proof->key[best].rounds;
	}
}

/* A proof that is checked with crypt(3). */
static int
verify_hash(
    const struct passwd_self *p, struct popper_slice crypt, const char *phrase)
{
	char setting[CRYPT_OUTPUT_SIZE];

	memcpy(setting, crypt.ptr, crypt.len);
	setting[crypt.len] = '\0';
	return passwd_hash_verify(p, setting, phrase);
}

/* Spend what a wrong password would cost. */
static int
spend(const struct passwd_self *p, const char *phrase, size_t len)
{
	struct passwd_key key = { .rounds = p->dummy_rounds, .salt_len = 16 };

	if (p->dummy_rounds == 0)
		return passwd_hash_verify(p, p->dummy, phrase) == -1 ? -1 : 0;
	(void)passwd_scram_verify(
	    p, p->dummy_kind, &key, popper_slice(phrase, len));
	return 0;
}

int
passwd_proof_verify(const struct passwd_self *p,
    const struct passwd_proof *proof, struct popper_slice secret)
{
	char phrase[PASSWD_SECRET_MAX + 1] = "-";
	size_t len = 1;
	int best = passwd_proof_best(proof);
	bool proper = secret.len > 0 && secret.len <= PASSWD_SECRET_MAX &&
	    memchr(secret.ptr, '\0', secret.len) == NULL;
	int same;

	/* An improper secret must cost the same, but may never fit. */
	if (proper) {
		len = secret.len;
		memcpy(phrase, secret.ptr, len);
		phrase[len] = '\0';
	}
	if (!passwd_proof_usable(proof))
		same = spend(p, phrase, len);
	else if (proof->crypt.len > 0)
		same = verify_hash(p, proof->crypt, phrase);
	else
		same = passwd_scram_verify(p, (enum passwd_kind)best,
		    &proof->key[best], popper_slice(phrase, len));
	p->host->wipe(phrase, sizeof(phrase));
	return same == 1 && !proper ? 0 : same;
}
