/*
 * maildir.h - what the parts of the maildir module share.
 *
 * A Maildir is a folder with tmp, new and cur; each file in new and cur is one
 * message.  Its name is "unique" or "unique:2,FLAGS"; the part before ":" never
 * changes and is called the base here.
 */
#ifndef MAILDIR_H
#define MAILDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <popper/drop.h>

struct maildir_conf {
	const char *path;
	bool mark_seen;
	const char *unique_id; /* one of MAILDIR_SCHEMES */
	const char *dovecot_format; /* one of MAILDIR_FORMATS */
	uint64_t trash; /* seconds; 0: none */
};

enum maildir_folder { MAILDIR_CUR, MAILDIR_NEW, MAILDIR_FOLDERS };

/* Flags of a record. */
#define MAILDIR_IN_NEW 1u /* it lies in new, not in cur */
#define MAILDIR_SEEN 2u /* flag S */
#define MAILDIR_TRASHED 4u /* flag T: counts for no quota */
#define MAILDIR_MEASURED 8u /* measured in this session, not cached */
#define MAILDIR_DROPPED 16u /* leaves the list, or the index */
#define MAILDIR_REMOVED 32u /* by our commit */
#define MAILDIR_VANISHED 64u /* by another program, before it */
#define MAILDIR_UNSIZED 128u /* nobody has measured it yet */
/* Those that outlive a session, in the index. */
#define MAILDIR_KEPT \
	(MAILDIR_IN_NEW | MAILDIR_SEEN | MAILDIR_TRASHED | MAILDIR_UNSIZED)

/* Values of twin; from 2 on the number behind the unique-id. */
#define MAILDIR_PLAIN 0 /* the id is the stem of the name */
#define MAILDIR_HASHED 1 /* a hash of it, for it is no legal id */

/* One file; 32 octets, since there may be very many. */
struct maildir_record {
	uint64_t octets; /* with CRLF, as LIST says; the time while sorting */
	uint64_t stored; /* octets of the file */
	uint64_t inode;
	uint32_t name; /* offset of the NUL-terminated name */
	uint16_t twin; /* MAILDIR_PLAIN, once twins are numbered, or others */
	uint8_t base; /* length of the base */
	uint8_t flags; /* MAILDIR_ bits */
};

/* Files, in the order of maildir_compare once they are sorted. */
struct maildir_list {
	struct maildir_record *records;
	size_t count, room;
	char *names;
	size_t used, size; /* octets at names */
};

/* What the messages of a list amount to. */
struct maildir_totals {
	uint64_t count, unsized; /* messages; those without a size among them */
	uint64_t octets; /* of the others */
};

/* What an earlier session has kept. */
struct maildir_index {
	int file; /* or -1; what follows its head is read when it is needed */
	struct maildir_totals totals;
	uint64_t length, checksum; /* names; sum of them and the records */
	uint64_t lists; /* octets of unique-ids as text */
	struct timespec changed[MAILDIR_FOLDERS]; /* or 0: do not trust it */
	struct maildir_list list; /* once it was read */
};

#define MAILDIR_MAGIC 0x6d646972u
#define MAILDIR_BUFFER 131072 /* octets; malloc gives it back when freed */
#define MAILDIR_WARNINGS 10 /* lines in the log about odd entries */

struct maildir {
	uint32_t magic;
	const struct popper_host *host;
	const struct maildir_conf *conf;
	bool mark_seen;
	uint64_t trash; /* seconds; 0: none */
	bool uids_ready; /* twins are numbered */
	bool looking; /* no list of another server is to be taken over */
	bool stale_cache; /* a size in the index was wrong */
	bool indexed; /* the snapshot is what the index says */
	bool listed; /* the snapshot was read from there or the folders */
	bool told; /* unique-ids were told from there without reading it */
	int folder; /* the Maildir; holds the lock */
	uint64_t device, inode; /* of it */
	int sub[MAILDIR_FOLDERS]; /* cur and new, or -1 */
	int tmp; /* or -1 */
	int state; /* the user's state folder, or -1 */
	unsigned odd; /* entries that were left out */
	struct maildir_totals totals; /* of the snapshot */
	struct maildir_list list; /* the snapshot, if ${listed} */
	/* When the folders were last changed before it; 0: it is not sure that
	 * a later change can be told. */
	struct timespec changed[MAILDIR_FOLDERS];
	struct maildir_index index; /* until the snapshot is made of it */
	struct maildir_given *given; /* or NULL: not asked yet */
	struct maildir_list fresh; /* as the folders were when last looked */
	char path[POPPER_PATH_MAX + 1]; /* for the log */
};

/* --- maildir.c --- */

/**
 * maildir_path(host, conf, place, path, error):
 * Store in ${path} (POPPER_PATH_MAX + 1 octets) where the Maildir is.
 * Returns 0 or -1.
 */
int maildir_path(const struct popper_host *, const struct maildir_conf *,
    const struct popper_place *, char *path, struct popper_error *);

/** maildir_init(m, host): nothing is open. */
void maildir_init(struct maildir *, const struct popper_host *);

/**
 * maildir_attach(m, error):
 * Open the folder ${m->path}, check its owner, and open cur and new.  Without
 * either of them it is no Maildir: POPPER_ABSENT.  Returns 0, or -1; what was
 * opened is left to maildir_detach.
 */
int maildir_attach(struct maildir *, struct popper_error *);
void maildir_detach(struct maildir *);

/** maildir_lock(m, error): take the lock that keeps a second session out, until
 * it is detached.  0, or -1: POPPER_IN_USE. */
int maildir_lock(struct maildir *, struct popper_error *);

/**
 * maildir_begin(host, conf, place, error):
 * The Maildir, attached and locked; no message has been looked at.  NULL with
 * ${error} if that failed.  End with maildir_close.
 */
struct maildir *maildir_begin(const struct popper_host *,
    const struct maildir_conf *, const struct popper_place *,
    struct popper_error *);

/** maildir_close(self): keep the snapshot if it is worth it, let go.  Takes
 * NULL. */
void maildir_close(void *self);

/** maildir_odd(m, folder, name, why): log that an entry was left out. */
void maildir_odd(
    struct maildir *, enum maildir_folder, const char *name, const char *why);

/* --- maildir_snapshot.c --- */

/** maildir_snapshot(m, error): fix the messages of this session.  0 or -1. */
int maildir_snapshot(struct maildir *, struct popper_error *);

/**
 * maildir_need(m, error):
 * Have the snapshot in ${m->list}.  One that comes from the index is read only
 * now; if it is damaged there the folders are read, and must hold as many
 * messages as were told.  Returns 0 or -1.
 */
int maildir_need(struct maildir *, struct popper_error *);

/* --- maildir_list.c --- */

/**
 * maildir_scan(m, list, complain, error):
 * Fill the empty ${list} with the messages in new and cur, sorted.  Odd
 * entries are left out, and logged if ${complain}.  A folder that the index
 * knows is not read.  Returns 0 or -1.
 */
int maildir_scan(struct maildir *, struct maildir_list *, bool complain,
    struct popper_error *);
void maildir_list_free(struct maildir_list *);

/** maildir_list_folder(m, list, folder, complain): add what lies in one folder
 * to ${list}, not sorted; octets is the time.  Returns 0, or -1 with errno. */
int maildir_list_folder(struct maildir *, struct maildir_list *,
    enum maildir_folder, bool complain);

/** maildir_sort(list, records, count): put ${records}, some of ${list}, whose
 * octets are their times, in order. */
void maildir_sort(struct maildir_list *, struct maildir_record *, size_t count);

/** maildir_first_at(list, base): number of the first record whose base is not
 * before ${base}. */
size_t maildir_first_at(const struct maildir_list *, struct popper_slice base);

const char *maildir_name(
    const struct maildir_list *, const struct maildir_record *);
enum maildir_folder maildir_where(const struct maildir_record *);

/** maildir_time(base): the number ${base} begins with, or 0. */
uint64_t maildir_time(struct popper_slice base);

/** maildir_compare_octets(a, b): as memcmp answers, the shorter first. */
int maildir_compare_octets(struct popper_slice, struct popper_slice);

/** maildir_compare_base(a, b): the order of messages, as memcmp answers. */
int maildir_compare_base(struct popper_slice, struct popper_slice);

/** maildir_base(list, record): the part of the name that never changes. */
struct popper_slice maildir_base(
    const struct maildir_list *, const struct maildir_record *);

/**
 * maildir_set_name(list, record, name, folder):
 * Give ${record} the name ${name} in ${folder}, and the flags it tells.
 * Returns 0, or -1 with errno.
 */
int maildir_set_name(struct maildir_list *, struct maildir_record *,
    const char *name, enum maildir_folder);

/* --- maildir_merge.c --- */

/**
 * maildir_merge(m, error):
 * Make the snapshot of what the index has and what came or went since; sizes
 * that were known still are, others are marked MAILDIR_UNSIZED.  Returns 1, or
 * 0: it cannot be done so, the index is as it was; or -1.
 */
int maildir_merge(struct maildir *, struct popper_error *);

/* --- maildir_find.c --- */

/**
 * maildir_refind(m, record, error):
 * Another program renamed message ${record} of the snapshot, or removed it:
 * find it by its base and put its present name into the snapshot.  Returns 1
 * if it was found, 0 if it is gone, -1 on error.
 */
int maildir_refind(
    struct maildir *, struct maildir_record *, struct popper_error *);

/* So often a message may be renamed while we look for it. */
#define MAILDIR_TRIES 5

/* --- maildir_read.c --- */

/**
 * maildir_open_message(m, record, error):
 * Open a message, also if it was renamed.  Returns a descriptor of a regular
 * file, or -1 with POPPER_ABSENT if it is gone, or another status.
 */
int maildir_open_message(
    struct maildir *, struct maildir_record *, struct popper_error *);

/**
 * maildir_measure(fd, buffer, record):
 * Read the file on ${fd} to its end and set ${record}'s stored and octets:
 * each LF without a CR before it counts for two, a missing last line end for
 * two more (RFC 1939 section 11).  ${buffer} has 1 + MAILDIR_BUFFER octets.
 * Returns 0, or -1 with errno.
 */
int maildir_measure(int fd, char *buffer, struct maildir_record *);

int maildir_read(void *self, size_t i, uint64_t offset, struct popper_sink *,
    struct popper_error *);

/* --- maildir_sizes.c --- */

/* So many new messages are measured when the maildrop is opened: it takes less
 * time than to log in.  Of more the sizes wait until they are asked for. */
#define MAILDIR_AT_ONCE 64

/**
 * maildir_measure_few(m, error):
 * Measure the new messages of the snapshot if they are few.  Those that cannot
 * be read leave it.  Returns 0 or -1.
 */
int maildir_measure_few(struct maildir *, struct popper_error *);

/**
 * maildir_size(m, record, error):
 * See that the size of a message of the snapshot is known.  One that is gone or
 * cannot be read has none, and is logged: 0.  Returns 0 or -1.
 */
int maildir_size(
    struct maildir *, struct maildir_record *, struct popper_error *);

/**
 * maildir_sizes(m, error):
 * The same of all messages.  What was measured is kept in the index every now
 * and then, so that who is cut off need not begin again.  Returns 0 or -1.
 */
int maildir_sizes(struct maildir *, struct popper_error *);

/** maildir_add_up(list, totals): of the messages that will be kept. */
void maildir_add_up(const struct maildir_list *, struct maildir_totals *);

/* --- maildir_index.c: the file "maildir.index" in the state folder, --- */

/** maildir_checksum(sum, octets, len): going on from ${sum}.  It finds torn and
 * damaged files and need not withstand an attacker. */
uint64_t maildir_checksum(uint64_t sum, const void *octets, size_t len);

/** maildir_index_open(m): read its head into ${m->index}; file stays -1 if it
 * is not there, damaged or not ours. */
void maildir_index_open(struct maildir *);

/** maildir_index_read(m): read the rest, into ${m->index.list}, and close the
 * file.  Returns 0, or -1 if it is damaged: the list is empty, and no folder is
 * known. */
int maildir_index_read(struct maildir *);

/** maildir_index_uids(m, lister): put popper's own unique-ids, of an index that
 * is the snapshot and of which only the head was read.  Returns how many were
 * put: the rest is damaged.  All, if the lister said "enough". */
size_t maildir_index_uids(struct maildir *, struct popper_lister *);

/** maildir_index_knows(m, folder, st): does the index tell what is in that
 * folder, whose status is ${st}? */
bool maildir_index_knows(
    const struct maildir *, enum maildir_folder, const struct stat *);

/** maildir_index_time(fd, st): the ctime of a folder that is about to be read,
 * or 0 if a change after that might not alter it. */
struct timespec maildir_index_time(int fd, const struct stat *);

/** maildir_index_sizes(m): set stored and octets of the messages whose sizes
 * are known and mark all others MAILDIR_UNSIZED. */
void maildir_index_sizes(struct maildir *);

void maildir_index_free(struct maildir *);

/* --- maildir_keep.c: writing it --- */

/** maildir_index_save(m): keep the snapshot if that spares enough work. */
void maildir_index_save(struct maildir *);

/** maildir_index_write(m): keep it, or log why not; of those who only look
 * (m->looking) none is kept if there was none.  Returns 0 or -1. */
int maildir_index_write(struct maildir *);

/* --- maildir_uid.c --- */

/**
 * maildir_uid(m, i, uid, error):
 * Store the unique-id of message ${i} in ${uid} (POPPER_UID_MAX + 1 octets).
 * Returns 0 or -1.
 */
int maildir_uid(struct maildir *, size_t i, char *uid, struct popper_error *);

/** maildir_native_uid(m, i, uid): popper's own id of message ${i}, once twins
 * are numbered. */
void maildir_native_uid(const struct maildir *, size_t i, char *uid);

/** maildir_own_uid(list, record, text): popper's own id of ${record}, once
 * twins are numbered; ${text} may be used for it. */
struct popper_slice maildir_own_uid(const struct maildir_list *,
    const struct maildir_record *, char text[POPPER_UID_MAX + 1]);

/** maildir_list_uids(m, lister, error): put them all.  Returns 0 or -1. */
int maildir_list_uids(
    struct maildir *, struct popper_lister *, struct popper_error *);

/** maildir_number_new(m): the same, if those without a size are the only new
 * ones and it is sure that nobody's number changes by them; else it waits. */
void maildir_number_new(struct maildir *);

/** maildir_number_twins(m, error): tell messages of one name apart.  0 or -1.
 */
int maildir_number_twins(struct maildir *, struct popper_error *);

/* --- maildir_commit.c --- */

enum popper_outcome maildir_commit(
    void *self, const struct popper_changes *, struct popper_error *);

/** maildir_quota(m, octets, count): add to maildirsize if there is one. */
void maildir_quota(struct maildir *, int64_t octets, int64_t count);

/* --- maildir_trash.c: the private folders in tmp --- */

/**
 * maildir_recover(m, sink):
 * Finish or undo what a commit that was cut off left in tmp.  What was found is
 * logged, and goes to ${sink}, if that is not NULL, as lines.  Returns 0, or -1
 * if there was trouble, which is logged.
 */
int maildir_recover(struct maildir *, struct popper_sink *);

/** maildir_is_left(m): is there something that maildir_recover would do? */
bool maildir_is_left(const struct maildir *);

/* --- maildir_undelete.c --- */

/* See popper/drop.h. */
int maildir_undelete(const struct popper_host *, const void *conf,
    const struct popper_place *, uint64_t since, uint64_t *count,
    struct popper_error *);
int maildir_mend(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

/* --- maildir_tell.c: for popperctl; see popper/drop.h --- */

int maildir_dump(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);
int maildir_check(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);
int maildir_rebuild(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

/* --- maildir_deliver.c --- */

int maildir_deliver(const struct popper_host *, const void *conf,
    const struct popper_place *, int fd, struct popper_error *);

#endif
