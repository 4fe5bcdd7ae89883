/*
 * settled.h - will whatever changes a file or folder from now on give it
 * another ctime?  Its clock may be a coarse one, and another machine's.
 */
#ifndef DROP_SETTLED_H
#define DROP_SETTLED_H

#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

/* ms in which something can change without a new ctime, with a margin: a tick
 * of this machine's kernel is 10 at most, other file systems have up to 2 s. */
#define OWN_TICK 100
#define FOREIGN_TICK 3000

/* Does this machine's own clock make the times, at every tick? */
static inline bool
has_our_clock(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return false;
	return fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC ||
	    fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC;
}

/* Do other hosts write to it, while this one may believe for a while what it
 * has seen before?  Only of those that statfs(2) names. */
static inline bool
is_remote(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return false;
	return fs.f_type == NFS_SUPER_MAGIC || fs.f_type == CIFS_SUPER_MAGIC ||
	    fs.f_type == SMB2_SUPER_MAGIC || fs.f_type == SMB_SUPER_MAGIC ||
	    fs.f_type == CEPH_SUPER_MAGIC || fs.f_type == FUSE_SUPER_MAGIC;
}

/* ms from the last change of ${st} to ${now}. */
static inline int64_t
age_at(const struct stat *st, const struct timespec *now)
{
	return ((int64_t)now->tv_sec - st->st_ctim.tv_sec) * 1000 +
	    (now->tv_nsec - st->st_ctim.tv_nsec) / 1000000;
}

/** is_settled(fd, st): of ${fd}, whose status was ${st} a moment ago. */
static inline bool
is_settled(int fd, const struct stat *st)
{
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = age_at(st, &now);
	if (age > OWN_TICK && has_our_clock(fd))
		return true;
	return age > FOREIGN_TICK && !is_remote(fd);
}

#endif
