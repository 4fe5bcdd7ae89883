/*
 * landlock.c - shut a process off from all paths but some.
 *
 * Runs in: popper-login's parent (no path at all) and each session.
 *
 * The C library has no functions for this and Debian 12's header knows only
 * version 2 of the interface, so numbers and structs are stated here.
 */
#include "priv/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_REFER (UINT64_C(1) << 13) /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_ALL_2 (FS_ALL_1 | FS_REFER)
#define FS_ALL_3 (FS_ALL_2 | FS_TRUNCATE)
#define FS_ALL_5 (FS_ALL_3 | (UINT64_C(1) << 15)) /* ioctl on devices */
#define NET_ALL UINT64_C(3) /* version 4: bind and connect TCP */
#define SCOPE_ALL UINT64_C(3) /* version 6: abstract sockets, signals */

#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1

struct ruleset {
	uint64_t fs, net, scope;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static uint64_t
handled(int version)
{
	if (version >= 5)
		return FS_ALL_5;
	if (version >= 3)
		return FS_ALL_3;
	return version == 2 ? FS_ALL_2 : FS_ALL_1;
}

int
landlock_version(void)
{
	static long v = -1;

	if (v == -1)
		v = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		    CREATE_VERSION);
	/* Version 1 forbids every rename between folders, which a commit in a
	 * Maildir is made of: no use to us. */
	return v < 2 ? 0 : (int)v;
}

int
landlock_start(int version)
{
	struct ruleset r = { .fs = handled(version) };
	size_t size = sizeof(r.fs);

	if (version >= 4) {
		r.net = NET_ALL;
		size += sizeof(r.net);
	}
	if (version >= 6) {
		r.scope = SCOPE_ALL;
		size += sizeof(r.scope);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0u);
}

static uint64_t
wanted(unsigned rights, bool folder)
{
	uint64_t w = 0;

	if (rights & POPPER_ALLOW_READ)
		w |= FS_READ_FILE | (folder ? FS_READ_DIR : 0);
	if (rights & POPPER_ALLOW_WRITE)
		w |= FS_WRITE_FILE | FS_TRUNCATE;
	if ((rights & POPPER_ALLOW_MAKE) && folder)
		w |= FS_MAKE_REG | FS_REMOVE_FILE | FS_MAKE_DIR |
		    FS_REMOVE_DIR | FS_REFER;
	return w;
}

int
landlock_allow(int rules, int version, int fd, unsigned rights)
{
	struct path_beneath p = { .parent = fd };
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	p.allowed = wanted(rights, S_ISDIR(st.st_mode)) & handled(version);
	if (p.allowed == 0)
		return 0;
	return (int)syscall(
	    SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &p, 0u);
}

int
landlock_enter(int rules)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, rules, 0u);
}
