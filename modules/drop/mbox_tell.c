/*
 * mbox_tell.c - show, compare and renew mbox.index, for popperctl.
 *
 * Runs in: popperctl's child, as the user; the session lock is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_foreign.h"
#include "mbox_index.h"
#include "mbox_journal.h"
#include "mbox_tell.h"
#include "mbox_trash.h"
#include "tell.h"

#define TOLD_MOST 10 /* differences of one kind */

typedef unsigned long long ull; /* what %llu takes */

static int
not_taken(const struct popper_host *host, struct popper_error *e)
{
	return host->fail(e, POPPER_TEMPORARY, "the text was not taken");
}

/* The state file, by itself. */
static struct mbox_kept *
open_kept(const struct popper_host *host, const struct popper_place *place)
{
	const struct mbox m = {
		.magic = MBOX_MAGIC, .host = host, .state = place->state
	};

	return mbox_kept_open(&m);
}

static bool
is_there(const struct popper_place *place)
{
	struct stat st;

	return fstatat(place->state, MBOX_INDEX_FILE, &st,
		   AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- dump --- */

static int
dump_head(struct popper_sink *sink, const struct mbox_head *h)
{
	return say(sink,
	    MBOX_INDEX_FILE ": version=%u messages=%llu octets=%llu size=%llu "
			    "device=%llu inode=%llu mtime=%lld.%09lld "
			    "ctime=%lld.%09lld mmdf=%u internal=%u "
			    "unique-ids=%u",
	    (unsigned)h->version, (ull)(h->count - h->internal), (ull)h->octets,
	    (ull)h->size, (ull)h->device, (ull)h->inode, (long long)h->mtime[0],
	    (long long)h->mtime[1], (long long)h->ctime[0],
	    (long long)h->ctime[1], (unsigned)h->mmdf, (unsigned)h->internal,
	    (unsigned)h->with_uids);
}

/* The one that is not shown has the number 0 and no unique-id. */
static int
dump_records(struct popper_sink *sink, const struct mbox_head *h,
    const struct mbox_record *records, const struct mbox_uid *uids,
    const struct mbox_texts *texts)
{
	char uid[POPPER_UID_MAX + 1] = "-";

	for (size_t i = 0; i < h->count; i++) {
		if (uids != NULL && i >= h->internal)
			mbox_uid_string(texts, &uids[i - h->internal], uid);
		if (say(sink,
			"%zu offset=%llu end=%llu from=%u header=%u "
			"octets=%llu uid=%s",
			i + 1 - h->internal, (ull)records[i].offset,
			(ull)records[i].end, (unsigned)records[i].from_len,
			(unsigned)records[i].head_len, (ull)records[i].octets,
			uid) == -1)
			return -1;
	}
	return 0;
}

static int
dump(struct popper_sink *sink, const struct mbox_kept *kept)
{
	struct mbox_record *records = mbox_kept_records(kept);
	struct mbox_texts texts = { .ptr = NULL };
	struct mbox_uid *uids = NULL;
	int result;

	if (kept->head.with_uids != 0)
		uids = mbox_kept_uids(kept, &texts);
	if (dump_head(sink, &kept->head) == -1)
		result = -1;
	else if (records == NULL || (uids == NULL && kept->head.with_uids != 0))
		result = say(sink, MBOX_INDEX_FILE ": damaged behind its head");
	else
		result = dump_records(sink, &kept->head, records, uids, &texts);
	free(records);
	free(uids);
	free(texts.ptr);
	return result;
}

int
mbox_dump(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	struct mbox_kept *kept;
	int waiting = 0, result;
	void *self;

	kept = open_kept(host, place);
	if (kept == NULL &&
	    (waiting = mbox_waiting(host, conf, place, sink, e)) == -1)
		return -1;
	if (kept != NULL) {
		result = dump(sink, kept);
	} else if (waiting > 0) {
		result = say(sink, MBOX_INDEX_FILE ": none that can be used");
	} else {
		/* Is it an mbox that this user has? */
		if (mbox_open(host, conf, place, &self, e) == -1)
			return -1;
		((struct mbox *)self)->unsaved = false; /* only looked at */
		mbox_close(self);
		result = say(sink, MBOX_INDEX_FILE ": none that can be used");
	}
	mbox_kept_close(kept);
	return result == -1 ? not_taken(host, e) : 0;
}

/* --- check --- */

/* Is the index about the mbox as it is?  If not a session sees that itself. */
static bool
is_of(const struct mbox_head *h, const struct stat *st)
{
	return h->device == st->st_dev && h->inode == st->st_ino &&
	    h->size == (uint64_t)st->st_size &&
	    h->mtime[0] == st->st_mtim.tv_sec &&
	    h->mtime[1] == st->st_mtim.tv_nsec &&
	    h->ctime[0] == st->st_ctim.tv_sec &&
	    h->ctime[1] == st->st_ctim.tv_nsec;
}

static int
compare(struct popper_sink *sink, const struct mbox_head *h,
    const struct mbox_record *known, const struct mbox_index *now)
{
	unsigned told = 0;

	if (now->count != h->count &&
	    say(sink, MBOX_INDEX_FILE ": messages=%llu, in the mbox are %zu",
		(ull)h->count, now->count) == -1)
		return -1;
	for (size_t i = 0; i < now->count && i < h->count; i++) {
		if (memcmp(&known[i], &now->records[i], sizeof(*known)) == 0 ||
		    told++ >= TOLD_MOST)
			continue;
		if (say(sink,
			MBOX_INDEX_FILE ": message %zu is at %llu to %llu, "
					"with %llu octets and a header of %u; "
					"the index says %llu to %llu, %llu and "
					"%u",
			i + 1 - h->internal, (ull)now->records[i].offset,
			(ull)now->records[i].end, (ull)now->records[i].octets,
			(unsigned)now->records[i].head_len,
			(ull)known[i].offset, (ull)known[i].end,
			(ull)known[i].octets,
			(unsigned)known[i].head_len) == -1)
			return -1;
	}
	if (told > TOLD_MOST)
		return say(
		    sink, MBOX_INDEX_FILE ": and %u more", told - TOLD_MOST);
	return 0;
}

/* 0, -1 with the error filled. */
static int
check(struct mbox *m, struct mbox_kept *kept, struct popper_sink *sink,
    struct popper_error *e)
{
	struct mbox_index now = { .size = kept->head.size };
	struct mbox_record *known = mbox_kept_records(kept);
	struct mbox_texts texts = { .ptr = NULL };
	struct mbox_uid *uids = NULL;
	struct stat st;
	int result = 0;

	if (kept->head.with_uids != 0)
		uids = mbox_kept_uids(kept, &texts);
	if (known == NULL || (kept->head.with_uids != 0 && uids == NULL)) {
		if (say(sink,
			MBOX_INDEX_FILE ": damaged behind its head; the next "
					"session makes it anew") == -1)
			result = not_taken(m->host, e);
	} else if (m->fd != -1 && fstat(m->fd, &st) == 0 &&
	    is_of(&kept->head, &st)) {
		if (mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, &now) == -1)
			result = m->host->fail_system(
			    e, POPPER_TEMPORARY, "%s: scan", m->path);
		else if (compare(sink, &kept->head, known, &now) == -1)
			result = not_taken(m->host, e);
	}
	mbox_index_free(&now);
	free(known);
	free(uids);
	free(texts.ptr);
	return result;
}

int
mbox_check(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	int result = mbox_waiting(host, conf, place, sink, e);
	bool there = is_there(place);
	struct mbox_kept *kept;
	void *self;

	if (result != 0) /* to open it would change it */
		return result == -1 ? -1 : 0;
	kept = open_kept(host, place);
	if (mbox_open(host, conf, place, &self, e) == -1) {
		mbox_kept_close(kept);
		return -1;
	}
	if (kept != NULL)
		result = check(self, kept, sink, e);
	else if (there &&
	    say(sink,
		MBOX_INDEX_FILE ": damaged or of another version; the next "
				"session makes it anew") == -1)
		result = not_taken(host, e);
	((struct mbox *)self)->unsaved = false; /* it was only looked at */
	mbox_close(self);
	mbox_kept_close(kept);
	return result;
}

/* --- rebuild --- */

/* Why is none kept?  ${cause}: errno of the attempt. */
static int
tell_none(const struct mbox *m, int cause, struct popper_sink *sink,
    struct popper_error *e)
{
	const char *why;
	struct stat st;

	if (m->fd == -1)
		why = "there is no mbox";
	else if (m->index.count == 0)
		why = "the mbox is empty";
	else if (fstat(m->fd, &st) == -1 || !mbox_is_untouched(m, &st))
		why = "the mbox was changed a moment ago; a later session "
		      "makes one";
	else {
		errno = cause;
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    MBOX_INDEX_FILE " of the state folder cannot be written; "
				    "each session reads the whole mbox");
	}
	return say(sink, MBOX_INDEX_FILE ": none is kept: %s: %s", m->path,
		   why) == -1
	    ? not_taken(m->host, e)
	    : 0;
}

/* Write it and tell what is in it. */
static int
renew(struct mbox *m, struct popper_sink *sink, struct popper_error *e)
{
	size_t count = m->index.count - (m->internal ? 1 : 0);
	const struct popper_place place = { .state = m->state };
	uint64_t octets = 0;
	int cause;

	if (mbox_total(m, &octets, e) == -1 ||
	    (count > 0 && mbox_uids(m, e) == -1))
		return -1;
	errno = 0;
	if (m->fd != -1)
		mbox_index_save(m);
	cause = errno;
	m->unsaved = false;
	if (!is_there(&place))
		return tell_none(m, cause, sink, e);
	return say(sink, MBOX_INDEX_FILE ": messages=%zu octets=%llu", count,
		   (ull)octets) == -1
	    ? not_taken(m->host, e)
	    : 0;
}

int
mbox_rebuild(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	void *self;
	int result;

	if (unlinkat(place->state, MBOX_INDEX_FILE, 0) == -1 && is_there(place))
		return host->fail_system(e, POPPER_PERMANENT,
		    MBOX_INDEX_FILE " of the state folder");
	if (mbox_open(host, conf, place, &self, e) == -1)
		return -1;
	result = renew(self, sink, e);
	mbox_close(self);
	return result;
}
