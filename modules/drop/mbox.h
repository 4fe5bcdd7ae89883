/*
 * mbox.h - what the parts of the mbox module share.
 *
 * An mbox is one file: each message is a separator line ("From sender date"),
 * the message with LF line ends, and one empty line.  The separator and that
 * empty line belong to the container; a message is what lies between.
 *
 * Functions here return 0, or -1 with the error filled, unless they say more.
 */
#ifndef MBOX_H
#define MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <popper/drop.h>

#include "mbox_conf.h"

/* A separator line is never longer than this, its line end included. */
#define MBOX_FROM_MAX 1024
#define MBOX_HEAD_MAX 512 /* octets that tell a message from others */
/* A pad (mbox_pad.h) is never longer; and so far a search looks ahead. */
#define MBOX_PAD_MAX 5120
#define MBOX_LEAD_MAX (MBOX_FROM_MAX + MBOX_PAD_MAX)
#define MBOX_LOOK (MBOX_LEAD_MAX + MBOX_HEAD_MAX)

/* One message; 32 octets, since there may be very many. */
struct mbox_record {
	uint64_t offset; /* of the separator line */
	uint64_t end; /* behind the message's last octet */
	uint64_t octets; /* as LIST must say: line ends are CRLF */
	/* Of the separator line, with its line end; with the pad behind it, if
	 * it is more than MBOX_FROM_MAX.  Then the message begins. */
	uint16_t from_len;
	/* Of the header with the empty line behind it, as stored; UINT16_MAX:
	 * that or more.  TOP reads so much at first, and looks for the empty
	 * line itself: whatever stands here does no harm. */
	uint16_t head_len;
	uint32_t head_sum; /* mbox_head_sum of its beginning */
};

_Static_assert(MBOX_LEAD_MAX <= UINT16_MAX, "from_len has two octets");

struct mbox_index {
	struct mbox_record *records;
	size_t count, room;
	uint64_t size; /* octets of the file that were scanned */
	bool mmdf; /* separated by lines of four 0x01 */
};

/* 128 bits of a message's hash, and which of its equals it is. */
#define MBOX_HASH_SIZE 16
struct mbox_uid {
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t ordinal; /* from 1 on */
	uint32_t seen : 1; /* a mail program says it was read */
	/* Where in struct mbox_texts the id of the first of its equals is; 0:
	 * it is made of the hash. */
	uint32_t text : 31;
};

/* Unique-ids that are not made of a hash, each with its NUL.  The first is
 * empty, if there is any. */
struct mbox_texts {
	char *ptr;
	size_t len, room;
};

/* From the file "twins": a copy that remains of equal messages. */
struct mbox_twin {
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t ordinal;
	uint32_t most; /* highest ordinal that was ever given out */
	bool goes; /* a commit that may have failed was to remove it */
	uint32_t line; /* of the file */
};

struct mbox_twins {
	struct mbox_twin *list; /* by hash, then line */
	size_t count;
	bool loaded; /* the file was looked at */
	int failed; /* errno if it could not be read */
};

struct mbox_lock {
	bool kernel; /* the fcntl lock and flock are held */
	bool dotted; /* the dot lock is ours */
	bool told; /* the log knows that there can be no dot lock */
	ino_t inode; /* of our dot lock */
	struct timespec made; /* by the clock of its file system; 0: not */
	struct timespec touched; /* CLOCK_MONOTONIC */
	char name[256]; /* of the dot lock in the folder */
};

#define MBOX_MAGIC 0x6d626f78u
#define MBOX_BUFFER 65536 /* octets of one piece of a message */
#define MBOX_WINDOW 262144 /* octets that a commit copies at once */
#define MBOX_SCAN_WINDOW 131072 /* octets that a scan looks at at once */
#define MBOX_SCAN_LEAST (MBOX_LOOK + MBOX_FROM_MAX)

struct mbox {
	uint32_t magic;
	const struct popper_host *host;
	const struct mbox_conf *conf;
	int folder; /* O_PATH: the folder the mbox lies in */
	int fd; /* the mbox, or -1: there is none yet */
	int state; /* the user's state folder */
	bool writable; /* fd is open for writing */
	bool internal; /* record 0 is not a message: see mbox_is_internal */
	bool remote; /* its status is believed under the lock only */
	bool settled; /* a change after ${seen} cannot have the same ctime */
	bool looking; /* no ids of another server are to be taken over */
	bool finished; /* a removal that an earlier session had begun */
	bool unsaved; /* more is known than the file "mbox.index" says */
	struct mbox_kept *kept; /* that file, if it is true; or NULL */
	/* It was true of the beginning of the mbox, which has grown; or NULL */
	struct mbox_kept *older;
	struct stat seen; /* the file as it was scanned */
	/* A commit has padded the message whose separator was at ${padded}:
	 * its from_len is ${lead} now; 0: none. */
	uint64_t padded;
	uint16_t lead;
	struct mbox_lock lock;
	/* Its records are NULL before mbox_records if the file has them. */
	struct mbox_index index;
	struct mbox_uid *uids; /* one per message, or NULL: not asked yet */
	struct mbox_texts texts;
	enum mbox_scheme scheme;
	struct mbox_twins twins;
	struct mbox_waste *waste; /* see mbox_waste.h; or NULL */
	char *buffer; /* MBOX_BUFFER octets, or NULL: nothing read yet */
	const char *name; /* of the mbox in its folder: the end of ${path} */
	char path[POPPER_PATH_MAX + 1];
	char user[POPPER_USER_MAX + 1]; /* for the log */
};

/** mbox_from_self(self): the instance behind the driver's void pointer. */
struct mbox *mbox_from_self(void *self);

/* --- mbox_path.c: where things are --- */

/**
 * mbox_path(host, conf, place, path, error):
 * Write where the mbox is to ${path}, of POPPER_PATH_MAX + 1 octets.
 */
int mbox_path(const struct popper_host *, const struct mbox_conf *,
    const struct popper_place *, char *path, struct popper_error *);

/** See paths in popper/drop.h. */
int mbox_paths(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_allow *, struct popper_error *);

/* --- mbox_file.c: descriptors --- */

/**
 * mbox_read_at(fd, buf, len, offset):
 * Read ${len} octets, or up to the end of the file.  Returns how many came, or
 * -1 with errno.
 */
ssize_t mbox_read_at(int fd, void *buf, size_t len, uint64_t offset);

/** mbox_write_at(fd, buf, len, offset): all of it.  0, or -1 with errno. */
int mbox_write_at(int fd, const void *buf, size_t len, uint64_t offset);

/**
 * mbox_open_file(m, error):
 * Open folder and mbox of m->path and fill m->seen.  No such file: m->fd stays
 * -1.
 * POPPER_ABSENT: there is no folder, or the path is a folder.  A file that is
 * not a plain one, has other names or belongs to somebody else is refused.
 */
int mbox_open_file(struct mbox *, struct popper_error *);

/** mbox_is_current(m): does the path still name the file that is open? */
bool mbox_is_current(const struct mbox *);

/**
 * mbox_is_untouched(m, st):
 * Is ${st}, the open file now, certainly what it was when it was scanned?
 */
bool mbox_is_untouched(const struct mbox *, const struct stat *st);

/* --- mbox_read.c: messages --- */

/** See read and top in popper/drop.h. */
int mbox_read(void *self, size_t i, uint64_t offset, struct popper_sink *,
    struct popper_error *);
int mbox_top(void *self, size_t i, uint64_t lines, struct popper_sink *,
    struct popper_error *);

/* --- mbox_received.c: when a message came --- */

/**
 * mbox_received(m, record):
 * Unix time, the later one of the separator line and of the first Received
 * header, which the last host has written; 0 if the separator line has no date
 * that can be told.
 */
int64_t mbox_received(const struct mbox *, const struct mbox_record *);

/** mbox_from_time(line, len): of a separator line, in whatever zone: it was
 * not later.  0: not to be told. */
int64_t mbox_from_time(const char *line, size_t len);

/** mbox_received_time(header, len): of the first Received header in ${header},
 * which begins with a message; 0 if there is none. */
int64_t mbox_received_time(const char *header, size_t len);

/* --- mbox_from.c: separator lines --- */

/**
 * mbox_from(text, len):
 * Does a separator line begin at ${text}?  Returns its length with its line
 * end, or 0.  ${len} octets may be looked at.
 */
size_t mbox_from(const char *text, size_t len);

/* --- mbox_scan.c: where messages begin and end --- */

/**
 * mbox_scan(m, fd, window, index):
 * Find the messages in the first index->size octets of ${fd} with a buffer of
 * ${window} octets (at least MBOX_SCAN_LEAST) and fill ${index},
 * which is otherwise empty and is to be freed in either case.  If it has the
 * first ones already, the search begins with the last of them, once more.  ${m}
 * is NULL, or its dot lock is kept fresh.  Returns 0, or -1 with errno: EBADMSG
 * the file does not begin with a separator, ESTALE it became shorter.
 */
int mbox_scan(struct mbox *m, int fd, size_t window, struct mbox_index *index);

/** mbox_index_free(index): free the records and forget them. */
void mbox_index_free(struct mbox_index *);

/** mbox_region_end(index, i): where what belongs to record ${i} ends. */
uint64_t mbox_region_end(const struct mbox_index *, size_t i);

/** mbox_append(index, record): add it.  0, or -1 without memory. */
int mbox_append(struct mbox_index *, const struct mbox_record *);

/**
 * mbox_is_internal(fd, record):
 * Is this, the first message, the one in which IMAP servers keep their own
 * notes?  It is no mail: it is not shown and never removed.
 */
bool mbox_is_internal(int fd, const struct mbox_record *);

/* --- mbox_mmdf.c: messages between lines of four 0x01 --- */

/** mbox_mmdf(text, len): the length of the separator line of an MMDF mailbox
 * that begins at ${text}, or 0. */
size_t mbox_mmdf(const char *text, size_t len);

/** mbox_mmdf_scan(m, fd, buf, window, index): see mbox_scan; ${buf} has
 * ${window} octets. */
int mbox_mmdf_scan(
    struct mbox *m, int fd, char *buf, size_t window, struct mbox_index *index);

/* --- mbox_index.c: what a scan found, kept for the next session --- */

/** mbox_records(m, error): see to it that m->index has its records: whatever
 * looks at them comes after this. */
int mbox_records(struct mbox *, struct popper_error *);

/** mbox_kept_ids(m): take m->uids from the state file.  False: it has none. */
bool mbox_kept_ids(struct mbox *);

/** mbox_index_drop(m): the mbox will change: remove the state file. */
void mbox_index_drop(struct mbox *);

/* --- mbox_lock.c: locks as delivery programs take them --- */

/**
 * mbox_lock(m, kind, error):
 * Take the fcntl lock (${kind}: F_RDLCK or F_WRLCK) and then the dot lock, or
 * neither: POPPER_TEMPORARY after the configured time.  Needs an open m->fd.
 */
int mbox_lock(struct mbox *, short kind, struct popper_error *);

/** mbox_lock_keep(m): call now and then while holding them for long. */
void mbox_lock_keep(struct mbox *);

/** mbox_unlock(m): release both.  Keeps errno. */
void mbox_unlock(struct mbox *);

/* --- mbox_stale.c: dot locks of the dead --- */

/** mbox_stale(m): somebody has the dot lock; remove it if he is dead.  Needs
 * the kernel's locks. */
void mbox_stale(const struct mbox *);

/* --- mbox_uid.c: unique-ids --- */

/** mbox_uids(m, error): compute m->uids unless they are there. */
int mbox_uids(struct mbox *, struct popper_error *);

/** mbox_uid_text(m, uid, text): write ${uid} of ${m} as text, with its NUL. */
void mbox_uid_text(const struct mbox *, const struct mbox_uid *,
    char text[POPPER_UID_MAX + 1]);

/**
 * mbox_hash(fd, record, scheme, uid, text):
 * Fill hash and seen of ${uid} and, if the id is not made of the hash, ${text}
 * (else ""); ordinal: 0, or what a stored id says.  0, or -1 with errno.
 */
int mbox_hash(int fd, const struct mbox_record *, enum mbox_scheme,
    struct mbox_uid *, char text[POPPER_UID_MAX + 1]);

/** mbox_native_hash(fd, record, hash): popper's own, whatever a header says. */
int mbox_native_hash(
    int fd, const struct mbox_record *, unsigned char hash[MBOX_HASH_SIZE]);

/** mbox_is_private(line): a header field in which programs keep notes. */
bool mbox_is_private(struct popper_slice line);

/** mbox_hash_text(hash, text): 22 characters and a NUL.  mbox_hash_parse(text,
 * hash): the way back; false if it is none. */
#define MBOX_HASH_TEXT 22
void mbox_hash_text(
    const unsigned char hash[MBOX_HASH_SIZE], char text[MBOX_HASH_TEXT + 1]);
bool mbox_hash_parse(const char *text, unsigned char hash[MBOX_HASH_SIZE]);

/* --- mbox_still.c: what was scanned, is it still true? --- */

/** mbox_head_is(fd, record): does the message still begin as it did?  1, 0, or
 * -1 with errno. */
int mbox_head_is(int fd, const struct mbox_record *);

/** mbox_is_there(m, i, error): message ${i} is where it was, as it seems.
 * Cheap, and without a lock. */
int mbox_is_there(struct mbox *, size_t i, struct popper_error *);

/** mbox_was_there(m, i, error): called after message ${i} was read: did it lie
 * there, undisturbed?  Takes the lock if the file has been touched. */
int mbox_was_there(struct mbox *, size_t i, struct popper_error *);

/** mbox_still(m, error): the same for all messages. */
int mbox_still(struct mbox *, struct popper_error *);

/**
 * mbox_unchanged(m, now, error):
 * With the lock held: are all messages where they were?  Mail may have come.
 * ${now} is otherwise empty, is to be freed in either case, and has what is
 * there now unless the file is untouched.
 */
int mbox_unchanged(
    struct mbox *, struct mbox_index *now, struct popper_error *);

/* --- mbox_commit.c: removing messages --- */

/* A part of the file that moves down: ${len} octets from ${from} on. */
struct mbox_run {
	uint64_t from, len;
};

/* What is to be done to the file, worked out before anything is done. */
struct mbox_plan {
	struct mbox_run *runs; /* kept parts behind ${tail}, in order */
	size_t count, room;
	uint64_t tail; /* where the first removed message begins */
	uint64_t size; /* of the file before */
	uint64_t final; /* and after */
};

/** See commit in popper/drop.h. */
enum popper_outcome mbox_commit(
    void *self, const struct popper_changes *, struct popper_error *);

/** mbox_plan_keep(plan, from, to): keep what lies between two offsets, behind
 * all that is kept already.  0, or -1 without memory. */
int mbox_plan_keep(struct mbox_plan *, uint64_t from, uint64_t to);

/** mbox_plan_free(plan): free the runs. */
void mbox_plan_free(struct mbox_plan *);

/**
 * mbox_shorten(m, final, whole):
 * Cut the file at ${final}.  0; or -1 with errno and ${whole}: is all as it
 * was?
 */
int mbox_shorten(struct mbox *, uint64_t final, bool *whole);

/** mbox_set_times(m, old): after a change: show mail programs new mail only if
 * some came.  ${old}: the file before. */
void mbox_set_times(const struct mbox *, const struct stat *old);

/* --- A commit's notes, see mbox_journal.h --- */

/** mbox_journal_reserve(m): while there is room: see to it that a commit can
 * write its notes when there is none.  A failure costs nothing now. */
void mbox_journal_reserve(struct mbox *);

/** mbox_journal_exists(m): was a commit interrupted? */
bool mbox_journal_exists(const struct mbox *);

/* --- mbox_resume.c --- */

/**
 * mbox_resume(m, error):
 * A commit was interrupted: finish it.  Needs the locks for writing.  In doubt
 * nothing is touched and a person is asked for: POPPER_PERMANENT.
 */
int mbox_resume(struct mbox *, struct popper_error *);

/* --- mbox_recover.c: what older versions left --- */

/** mbox_backup_exists(m): did a session of popper 0.1 leave one behind? */
bool mbox_backup_exists(const struct mbox *);

/** mbox_recover(m, error): as mbox_resume, of such a backup: undo it. */
int mbox_recover(struct mbox *, struct popper_error *);

/** mbox_ends_well(m, offset, breaks): does the mbox end at ${offset}, or go on
 * there with another message, after at most ${breaks} line feeds? */
bool mbox_ends_well(const struct mbox *, uint64_t offset, int breaks);

/** mbox_is_mixture(now, old, new, len, at):
 * Is each block of ${now}, ${len} octets from octet ${at} of the mbox on, like
 * ${old} or like ${new}, or like one up to some octet and then like the other?
 */
bool mbox_is_mixture(
    const char *now, const char *old, const char *new, size_t len, uint64_t at);

#endif
