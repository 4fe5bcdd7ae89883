/*
 * mangle_confine.c - what the child that mangles a message gives up.
 *
 * Runs in: that child, as the user.  It has inherited the session's own
 * Landlock and seccomp filter; this takes the user's mail away from it too.
 */
#include "mangle.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mangle_limits.h"

#define FILES 16 /* iconv opens its modules */

/* Landlock; the C library has no functions for it.  A right that is not handled
 * here is the session's: what it may cut, the child could empty. */
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13) /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define FS_IOCTL (UINT64_C(1) << 15) /* version 5 */
#define FS_READ (UINT64_C(1) << 2 | UINT64_C(1) << 3)
#define NET_ALL UINT64_C(3) /* version 4: bind and connect TCP */
#define SCOPE_ALL UINT64_C(3) /* version 6: abstract sockets, signals */
#define CREATE_VERSION 1u
#define PATH_BENEATH 1

struct ruleset {
	uint64_t fs, net, scope;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

const char *
mangle_confine_folder(void)
{
	static char folder[PATH_MAX + sizeof("/gconv")];
	char path[PATH_MAX], *slash;
	Dl_info where;
	void *in_libc = dlsym(RTLD_DEFAULT, "iconv_open");

	if (folder[0] != '\0')
		return folder;
	if (in_libc == NULL || dladdr(in_libc, &where) == 0 ||
	    realpath(where.dli_fname, path) == NULL ||
	    (slash = strrchr(path, '/')) == NULL)
		return "";
	*slash = '\0';
	(void)snprintf(folder, sizeof(folder), "%s/gconv", path);
	return folder;
}

static int
limit(int resource, uint64_t most)
{
	const struct rlimit r = { .rlim_cur = most, .rlim_max = most };

	return setrlimit((__rlimit_resource_t)resource, &r);
}

/* SIGXCPU first: so the session knows what it was. */
static int
limit_time(uint64_t seconds)
{
	const struct rlimit r = { .rlim_cur = seconds,
		.rlim_max = seconds + 1 };

	return setrlimit(RLIMIT_CPU, &r);
}

static int
limits(const struct mangle_conf *c)
{
	if (limit(RLIMIT_CORE, 0) == -1 || limit(RLIMIT_FSIZE, 0) == -1 ||
	    limit(RLIMIT_NPROC, 0) == -1 || limit(RLIMIT_NOFILE, FILES) == -1 ||
	    limit_time(c->time) == -1)
		return -1;
	if (c->memory == 0 || !MANGLE_LIMITS_MEMORY)
		return 0;
	return limit(RLIMIT_DATA, c->memory);
}

/* All that the kernel can take away. */
static int
make_ruleset(long version)
{
	struct ruleset r = {
		.fs = FS_ALL_1, .net = NET_ALL, .scope = SCOPE_ALL
	};
	size_t size = sizeof(r);

	r.fs |= version >= 2 ? FS_REFER : 0;
	r.fs |= version >= 3 ? FS_TRUNCATE : 0;
	r.fs |= version >= 5 ? FS_IOCTL : 0;
	if (version < 6)
		size -= sizeof(r.scope);
	if (version < 4)
		size -= sizeof(r.net);
	return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0u);
}

/* Only iconv's modules.  A kernel without Landlock: the session has said so in
 * the log. */
static int
paths(void)
{
	struct path_beneath p = { .allowed = FS_READ };
	long version = syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);
	int rules = make_ruleset(version), result;

	if (rules == -1)
		return 0;
	p.parent = open(mangle_confine_folder(), O_PATH | O_CLOEXEC);
	if (p.parent != -1) {
		(void)syscall(
		    SYS_landlock_add_rule, rules, PATH_BENEATH, &p, 0u);
		(void)close(p.parent);
	}
	result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, rules, 0u);
	(void)close(rules);
	return result;
}

/* ${in} and ${out} may be 0 or 1 themselves. */
static int
descriptors(int in, int out)
{
	if ((in = fcntl(in, F_DUPFD, 3)) == -1 ||
	    (out = fcntl(out, F_DUPFD, 3)) == -1 || dup2(in, 0) == -1 ||
	    dup2(out, 1) == -1)
		return -1;
	return close_range(2, ~0u, 0);
}

int
mangle_confine(const struct mangle_conf *c, int in, int out)
{
	sigset_t none;

	(void)signal(SIGALRM, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGXCPU, SIG_DFL);
	(void)sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    descriptors(in, out) == -1 || paths() == -1 || limits(c) == -1 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return -1;
	(void)alarm((unsigned)c->time * 2);
	return 0;
}
