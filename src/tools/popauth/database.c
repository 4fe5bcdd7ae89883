/*
 * database.c - the mailauth database: who has which secret for APOP.
 *
 * Runs in: popauth, as root or as the owner of the database.
 *
 * A change writes every record to a new file instead of changing a copy: what
 * was deleted leaves no octets behind, and a damaged file is found, not copied.
 * GDBM's own locks are of no use with files that are renamed; no mmap, so that
 * a full disk is an error and no SIGBUS.
 */
#include "tools/popauth/database.h"

#include <errno.h>
#include <gdbm.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/secret.h"
#include "base/text.h"
#include "tools/popauth/replace.h"

#define FLAGS (GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_CLOERROR)
#define VALUE_MAX 4096

/* What one change does on its way through the records. */
struct change {
	GDBM_FILE from, to;
	struct entry *entries; /* to put in */
	size_t count;
	bool keep; /* what is there */
	/* Whose record is not copied, or NULL: a record that is replaced in
	 * the new file would leave its octets there. */
	const char *without;
	bool had; /* there was such a record */
};

static int
fail(struct popper_error *e, const char *path)
{
	int system = errno;

	(void)error_set(e, POPPER_PERMANENT, "%s: %s%s%s", path,
	    gdbm_strerror(gdbm_errno),
	    gdbm_check_syserr(gdbm_errno) ? ": " : "",
	    gdbm_check_syserr(gdbm_errno) ? strerror(system) : "");
	return -1;
}

/* ${fd} belongs to GDBM from here on, whatever comes. */
static GDBM_FILE
open_fd(int fd, const char *path, int mode, struct popper_error *e)
{
	GDBM_FILE db = NULL;

	if (fd == -1)
		(void)error_system(e, POPPER_TEMPORARY, "%s", path);
	else if (lseek(fd, 0, SEEK_SET) == -1) {
		(void)error_system(e, POPPER_TEMPORARY, "%s", path);
		(void)close(fd);
	} else {
		db = gdbm_fd_open(fd, path, 0, mode | FLAGS, NULL);
		if (db == NULL)
			(void)fail(e, path);
	}
	return db;
}

static datum
key_of(const char *user)
{
	/* GDBM never writes to a key. */
	union {
		const char *in;
		char *out;
	} name = { .in = user };

	return (datum){ .dptr = name.out, .dsize = (int)strlen(user) + 1 };
}

static void
release(datum d)
{
	if (d.dptr == NULL)
		return;
	secret_wipe(d.dptr, (size_t)d.dsize);
	free(d.dptr);
}

static struct popper_slice
slice(datum d)
{
	return popper_slice(d.dptr, d.dptr == NULL ? 0 : (size_t)d.dsize);
}

static struct popper_slice
up_to_nul(struct popper_slice s)
{
	const char *nul = s.len == 0 ? NULL : memchr(s.ptr, '\0', s.len);

	return nul == NULL ? s : popper_slice(s.ptr, (size_t)(nul - s.ptr));
}

bool
database_decode(
    struct popper_slice key, struct popper_slice value, struct entry *entry)
{
	struct popper_slice secret = up_to_nul(value);
	struct popper_error e;

	memset(entry, 0, sizeof(*entry));
	if (!text_from_slice(
		entry->user, sizeof(entry->user), up_to_nul(key)) ||
	    popauth_check_name(entry->user, &e) == -1 ||
	    secret.len > DATABASE_SECRET_MAX)
		return false;
	for (size_t i = 0; i < secret.len; i++)
		entry->secret[i] = (char)~secret.ptr[i];
	entry->scram =
	    value.len > secret.len + 1 && value.ptr[secret.len + 1] != '\0';
	return true;
}

/* ${old}, what he had, may have a verifier, which stays.  The length. */
static size_t
encode(const struct entry *entry, struct popper_slice old, char *out)
{
	struct popper_slice verifier = { "", 0 };
	size_t len = strlen(entry->secret);
	size_t first = up_to_nul(old).len + 1;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)~entry->secret[i];
	out[len++] = '\0';
	if (old.len > first)
		verifier =
		    up_to_nul(popper_slice(old.ptr + first, old.len - first));
	if (verifier.len > VALUE_MAX - len - 1)
		verifier.len = 0;
	memcpy(out + len, verifier.ptr, verifier.len);
	len += verifier.len;
	out[len++] = '\0';
	return len;
}

static bool
is_of(datum key, const char *user)
{
	struct popper_slice name = up_to_nul(slice(key));

	return name.len == strlen(user) &&
	    memcmp(name.ptr, user, name.len) == 0;
}

/* Copy every record but that of a user who goes. */
static int
copy(struct change *c)
{
	datum key = gdbm_firstkey(c->from), value, next;
	int result = 0;

	while (key.dptr != NULL && result == 0) {
		if (c->without != NULL && is_of(key, c->without))
			c->had = true;
		else {
			value = gdbm_fetch(c->from, key);
			result = value.dptr == NULL
			    ? -1
			    : gdbm_store(c->to, key, value, GDBM_REPLACE);
			release(value);
		}
		if (result == 0) {
			next = gdbm_nextkey(c->from, key);
			release(key);
			key = next;
		}
	}
	release(key);
	return result == 0 && gdbm_errno == GDBM_ITEM_NOT_FOUND ? 0 : -1;
}

static int
put(struct change *c, struct entry *entry)
{
	datum key = key_of(entry->user), value;
	datum old = gdbm_fetch(c->keep ? c->to : c->from, key);
	char octets[VALUE_MAX];
	int result;

	if (old.dptr == NULL && gdbm_errno != GDBM_ITEM_NOT_FOUND)
		return -1;
	entry->kept = c->keep && up_to_nul(slice(old)).len > 0;
	if (entry->kept) {
		release(old);
		return 0;
	}
	value.dptr = octets;
	value.dsize = (int)encode(entry, slice(old), octets);
	release(old);
	result = gdbm_store(c->to, key, value, GDBM_REPLACE);
	secret_wipe(octets, sizeof(octets));
	return result;
}

/* Fill the new file. */
static int
fill(struct change *c, const char *path, struct popper_error *e)
{
	if (c->from != NULL && copy(c) == -1)
		return fail(e, path);
	for (size_t i = 0; i < c->count; i++)
		if (put(c, &c->entries[i]) == -1)
			return fail(e, path);
	return 0;
}

/* Make the new file from the old one.  A database that is not there is no
 * empty one, unless it shall begin so. */
static int
rebuild(
    struct replacement *r, bool fresh, struct change *c, struct popper_error *e)
{
	int result = -1;

	if (!fresh) {
		if (r->old == -1)
			return error_set(e, POPPER_ABSENT,
			    "%s: there is none; popauth init makes it",
			    r->path);
		c->from = open_fd(
		    dup(r->old), r->path, GDBM_READER | GDBM_XVERIFY, e);
		if (c->from == NULL)
			return -1;
	}
	c->to = open_fd(dup(r->fd), r->path, GDBM_NEWDB, e);
	if (c->to == NULL)
		goto err0;
	result = fill(c, r->path, e);
	if (gdbm_close(c->to) == -1 && result == 0)
		result = fail(e, r->path);
err0:
	if (c->from != NULL)
		(void)gdbm_close(c->from);
	return result;
}

static int
change(const char *path, struct change *c, struct popper_error *e)
{
	struct replacement r;
	int result = -1;

	if (replace_begin(&r, path, e) == -1)
		return -1;
	if (rebuild(&r, false, c, e) == 0)
		result = replace_commit(&r, e);
	replace_end(&r);
	return result;
}

int
database_init(const char *path, bool safe, struct popper_error *e)
{
	struct change c = { .count = 0 };
	struct replacement r;
	int result = -1;

	if (replace_begin(&r, path, e) == -1)
		return -1;
	if (safe && r.old != -1)
		result = 0;
	else if (rebuild(&r, true, &c, e) == 0 && replace_commit(&r, e) == 0)
		result = 1;
	replace_end(&r);
	return result;
}

int
database_import(const char *path, struct entry *entries, size_t count,
    struct popper_error *e)
{
	struct change c = { .entries = entries, .count = count, .keep = true };

	return change(path, &c, e);
}

int
database_set(const char *path, const char *user, const char *secret, bool *had,
    struct popper_error *e)
{
	struct entry entry = { .scram = false };
	struct change c = {
		.entries = &entry,
		.count = secret != NULL,
		.without = user,
	};
	int result;

	if (secret != NULL &&
	    (!text_copy(entry.user, sizeof(entry.user), user) ||
		!text_copy(entry.secret, sizeof(entry.secret), secret)))
		return error_set(
		    e, POPPER_INVALID, "the name or the secret is too long");
	result = change(path, &c, e);
	secret_wipe(&entry, sizeof(entry));
	*had = c.had;
	return result;
}

static GDBM_FILE
open_reader(const char *path, struct popper_error *e)
{
	char name[NAME_MAX + 1];
	int folder, fd = replace_open(path, &folder, name, sizeof(name), e);

	if (fd == -1)
		return NULL;
	fd_close(&folder);
	return open_fd(fd, path, GDBM_READER | GDBM_XVERIFY, e);
}

int
database_get(const char *path, const char *user, struct entry *entry,
    struct popper_error *e)
{
	GDBM_FILE db = open_reader(path, e);
	datum value;
	int result = -1;

	if (db == NULL)
		return -1;
	value = gdbm_fetch(db, key_of(user));
	if (value.dptr == NULL && gdbm_errno != GDBM_ITEM_NOT_FOUND)
		(void)fail(e, path);
	else if (value.dptr == NULL)
		(void)error_set(
		    e, POPPER_ABSENT, "%s: nobody called %s", path, user);
	else if (!database_decode(popper_slice_text(user), slice(value), entry))
		(void)error_set(e, POPPER_PERMANENT,
		    "%s: the entry of %s makes no sense", path, user);
	else
		result = 0;
	release(value);
	(void)gdbm_close(db);
	return result;
}

static int
walk(GDBM_FILE db, int (*each)(const struct entry *, void *), void *arg)
{
	datum key = gdbm_firstkey(db), value, next;
	struct entry entry;
	int result = 0;
	bool sound;

	while (key.dptr != NULL && result == 0) {
		value = gdbm_fetch(db, key);
		if (value.dptr == NULL)
			break;
		sound = database_decode(slice(key), slice(value), &entry);
		result = each(sound ? &entry : NULL, arg);
		secret_wipe(&entry, sizeof(entry));
		release(value);
		next = gdbm_nextkey(db, key);
		release(key);
		key = next;
	}
	release(key);
	return result != 0 || gdbm_errno == GDBM_ITEM_NOT_FOUND ? 0 : -1;
}

int
database_walk_fd(int fd, const char *path,
    int (*each)(const struct entry *, void *), void *arg,
    struct popper_error *e)
{
	GDBM_FILE db = open_fd(fd, path, GDBM_READER | GDBM_XVERIFY, e);
	int result;

	if (db == NULL)
		return -1;
	result = walk(db, each, arg) == 0 ? 0 : fail(e, path);
	(void)gdbm_close(db);
	return result;
}

int
database_walk(const char *path, int (*each)(const struct entry *, void *),
    void *arg, struct popper_error *e)
{
	char name[NAME_MAX + 1];
	int folder, fd = replace_open(path, &folder, name, sizeof(name), e);

	if (fd == -1)
		return -1;
	fd_close(&folder);
	return database_walk_fd(fd, path, each, arg, e);
}
