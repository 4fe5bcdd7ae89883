/*
 * mbox_conf.h - the options of the mbox module.
 */
#ifndef MBOX_CONF_H
#define MBOX_CONF_H

#include <stdbool.h>
#include <stdint.h>

struct mbox_conf {
	const char *path;
	uint64_t lock_timeout; /* seconds */
	bool dotlock;
	bool nfs; /* take it for remote, whatever statfs(2) says */
	/* Where the mbox is, in Qpopper's words: instead of ${path}. */
	const char *spool_dir; /* or "" */
	uint64_t hash_spool; /* 0, 1 or 2 */
	const char *home_dir_mail; /* or "" */
	/* Where Qpopper kept a copy of the mbox during a session. */
	const char *temp_dir; /* or "": beside the mbox */
	const char *temp_name;
	bool check_old_spool_loc; /* look into spool_dir without hash, too */
	bool merge_temp_drop;
	bool uw_kludge;
	const char *unique_id; /* one of MBOX_SCHEMES */
	const char *dovecot_format; /* one of MBOX_FORMATS */
	bool old_style_uid;
	bool update_status_headers;
	uint64_t trash; /* seconds that removed mail is kept; 0: it is not */
	const char *purge; /* "quit" or "lazy" */
	const char *purge_time; /* "" or hours, as "2-5" */
	/* Blocks are cut out of the file if so many octets follow; 0: never. */
	uint64_t collapse;
};

/* How the unique-id of a message is made; up to Qpopper's, of one without
 * X-UIDL.  The last ones are of uid (U) and validity (V). */
enum mbox_scheme {
	MBOX_POPPER,
	MBOX_QPOPPER,
	MBOX_QPOPPER_OLD,
	MBOX_POPA3D,
	MBOX_SOLID,
	MBOX_TPOP3D,
	MBOX_IMAP_UV,
	MBOX_IMAP_VU,
	MBOX_IMAP_DOT,
	MBOX_IMAP_DASH,
	MBOX_IMAP_UID
};

#endif
