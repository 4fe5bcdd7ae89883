/*
 * passwd.c - auth module: virtual users in one file, with hashes of crypt(3)
 * and keys of SCRAM.
 *
 * Runs in:  the gate, as root or the server's own user; one login each.
 * Reads:    the file of users, afresh at every login, and nothing else.
 * See also: passwd_file.c for who may own it, passwd_line.c for its form.
 *
 * Whoever is not in the file costs one hash, like a wrong password.
 */
#include <stdlib.h>
#include <string.h>

#include "passwd.h"

static const struct popper_option passwd_options[] = {
	POPPER_OPTION(TEXT, struct passwd_conf, file, "file",
	    "/etc/popper/users",
	    "file of users, user:hash:uid:gid:maildrop:options"),
	POPPER_OPTION(TEXT, struct passwd_conf, maildrop, "default-maildrop",
	    "", "maildrop of users whose own field is empty"),
	POPPER_OPTIONS_END
};

static int
passwd_start(const struct popper_host *host, const void *conf, void **self,
    struct popper_error *e)
{
	struct passwd_self *p = calloc(1, sizeof(*p));
	const char *problem;

	if (p == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "passwd");
	p->host = host;
	p->conf = conf;
	p->crypt = crypt_r;
	p->derive = passwd_scram_derive;
	problem = passwd_check_maildrop(popper_slice_text(p->conf->maildrop));
	if (problem != NULL) {
		(void)host->fail(e, POPPER_PERMANENT,
		    "passwd: default-maildrop = \"%s\": %s", p->conf->maildrop,
		    problem);
		goto err0;
	}
	if (passwd_review(p, e) == -1)
		goto err0;
	*self = p;
	return 0;
err0:
	free(p);
	return -1;
}

static void
passwd_stop(void *self)
{
	free(self);
}

/* Can ${user} be in a file at all?  Such names would match half a line. */
static bool
is_name(const char *user)
{
	for (const char *c = user; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == ':')
			return false;
	}
	return user[0] != '\0' && strlen(user) <= POPPER_USER_MAX;
}

static bool
is_line_of(struct popper_slice line, const char *user, size_t len)
{
	return line.len > len && line.ptr[len] == ':' &&
	    memcmp(line.ptr, user, len) == 0;
}

/* Learn from a line passed by what an unknown user should cost. */
static bool
learn(struct passwd_self *p, struct popper_slice line)
{
	struct passwd_entry entry;

	if (passwd_is_comment(line) || passwd_parse(line, &entry) != NULL ||
	    !passwd_proof_usable(&entry.proof))
		return false;
	passwd_proof_keep(p, &entry.proof);
	return true;
}

int
passwd_find(struct passwd_self *p, const char *user, struct passwd_found *f,
    struct popper_error *e)
{
	struct popper_slice line;
	size_t len = strlen(user);
	bool name = is_name(user);
	bool learnt = false;
	int more;

	*f = (struct passwd_found){ .reader = passwd_open(p, e) };
	if (f->reader == NULL)
		return -1;
	while ((more = passwd_next(p, f->reader, &line, e)) == 1) {
		if (!learnt)
			learnt = learn(p, line);
		if (name && is_line_of(line, user, len) &&
		    !passwd_is_comment(line)) {
			f->line = line;
			f->problem = passwd_problem(f->reader, line, &f->entry);
			return 1;
		}
	}
	return more;
}

/* The verdict on a line found, once its password was looked at. */
static enum popper_verdict
decide(const struct passwd_self *p, const struct passwd_found *f, int fits,
    struct popper_answer *answer)
{
	const char *why = "wrong password";

	if (f->problem != NULL)
		why = f->problem;
	else if (!passwd_proof_usable(&f->entry.proof))
		why = "the account is locked";
	else if (fits == 1)
		return passwd_identify(
			   p, &f->entry, &answer->identity, &answer->error) == 0
		    ? POPPER_AUTH_YES
		    : POPPER_AUTH_LATER;
	(void)p->host->fail(&answer->error, POPPER_DENIED, "passwd: %s:%lu: %s",
	    p->conf->file, f->reader->line, why);
	return POPPER_AUTH_NO;
}

static enum popper_verdict
passwd_begin(void *self, const struct popper_attempt *attempt, void **exchange,
    struct popper_answer *answer)
{
	struct passwd_self *p = self;
	struct passwd_found f;
	enum popper_verdict verdict = POPPER_AUTH_LATER;
	int known, fits;

	*exchange = NULL;
	if (strcmp(attempt->mechanism, "USER") != 0 || attempt->user == NULL)
		return POPPER_AUTH_NEXT;
	known = passwd_find(p, attempt->user, &f, &answer->error);
	if (known == -1)
		goto done;
	fits = passwd_proof_verify(p, &f.entry.proof, attempt->secret);
	if (fits == -1)
		(void)p->host->fail_system(
		    &answer->error, POPPER_TEMPORARY, "passwd");
	else if (known == 0)
		verdict = POPPER_AUTH_NEXT;
	else
		verdict = decide(p, &f, fits, answer);
done:
	passwd_close(p, f.reader);
	return verdict;
}

static void
passwd_end(void *exchange)
{
	(void)exchange; /* begin decides and keeps nothing */
}

/* What passwd_secret answers of a line found. */
static int
tell(const struct passwd_self *p, const struct passwd_found *f,
    const char *kind, char *out, size_t size, struct popper_error *e)
{
	const char *why = f->problem;
	int told = 0;

	if (why == NULL && !passwd_proof_usable(&f->entry.proof))
		why = "the account is locked";
	if (why != NULL)
		return p->host->fail(e, POPPER_DENIED, "passwd: %s:%lu: %s",
		    p->conf->file, f->reader->line, why);
	told = passwd_scram_write(kind, &f->entry.proof, out, size);
	if (told == 1)
		return 0;
	return p->host->fail(e, told == 0 ? POPPER_ABSENT : POPPER_TEMPORARY,
	    "passwd: %s:%lu: %s", p->conf->file, f->reader->line,
	    told == 0 ? "no key of that kind" : "the key is too long");
}

static int
passwd_secret(void *self, const char *user, const char *kind, char *out,
    size_t size, struct popper_error *e)
{
	struct passwd_self *p = self;
	struct passwd_found f;
	int known = passwd_find(p, user, &f, e);
	int result = -1;

	if (known == 1)
		result = tell(p, &f, kind, out, size, e);
	else if (known == 0)
		(void)p->host->fail(e, POPPER_ABSENT,
		    "passwd: %s: no such user", p->conf->file);
	passwd_close(p, f.reader);
	return result;
}

static const char *const passwd_mechanisms[] = { "USER", NULL };

static const struct popper_auth passwd_auth = {
	.size = sizeof(struct popper_auth),
	.traits = POPPER_AUTH_CLEAN,
	.mechanisms = passwd_mechanisms,
	.start = passwd_start,
	.begin = passwd_begin,
	.end = passwd_end,
	.lookup = passwd_lookup,
	.stop = passwd_stop,
	.vouch = passwd_vouch,
	.secret = passwd_secret,
};

POPPER_MODULE(passwd, .version = "1",
    .summary = "virtual users in a file, with hashes of crypt(3) or SCRAM keys",
    .conf_size = sizeof(struct passwd_conf), .options = passwd_options,
    .auth = &passwd_auth);
