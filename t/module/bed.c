/*
 * bed.c - what the tests of drop and ext modules stand on.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "mod/host.h"

char bed_log[16384];

static void log_line(enum popper_level, const char *, ...) POPPER_PRINTF(2, 3);

static void
log_line(enum popper_level level, const char *format, ...)
{
	size_t used = strlen(bed_log);
	va_list ap;

	(void)level;
	va_start(ap, format);
	(void)vsnprintf(bed_log + used, sizeof(bed_log) - used, format, ap);
	va_end(ap);
	used = strlen(bed_log);
	(void)snprintf(bed_log + used, sizeof(bed_log) - used, "\n");
}

const struct popper_host bed_host = {
	.size = sizeof(struct popper_host),
	.log = log_line,
	.fail = error_set,
	.fail_system = error_system,
	.wipe = secret_wipe,
	.expand = host_expand,
};

unsigned
bed_logged(const char *text)
{
	const char *at = bed_log;
	unsigned count = 0;

	while ((at = strstr(at, text)) != NULL) {
		count++;
		at = strchr(at, '\n');
		if (at == NULL)
			break;
	}
	return count;
}

const char *
bed_path(const struct bed *b, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", b->path, name);
	return path;
}

void
bed_open(struct bed *b)
{
	const char *tmp = getenv("TMPDIR");

	bed_log[0] = '\0';
	memset(b, 0, sizeof(*b));
	(void)snprintf(b->path, sizeof(b->path), "%s/popper-test-XXXXXX",
	    tmp != NULL && strlen(tmp) < 200 ? tmp : "/tmp");
	assert_non_null(mkdtemp(b->path));
	bed_folder(b, "state");
	b->identity.size = sizeof(b->identity);
	b->identity.uid = geteuid();
	b->identity.gid = getegid();
	(void)snprintf(b->identity.user, sizeof(b->identity.user), "alice");
	(void)snprintf(
	    b->identity.home, sizeof(b->identity.home), "%s", b->path);
	b->place.size = sizeof(b->place);
	b->place.identity = &b->identity;
	b->place.client = "192.0.2.1";
	b->place.server_name = "pop.example.org";
	b->place.suffix = "";
	b->place.state =
	    open(bed_path(b, "state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(b->place.state, -1);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
bed_close(struct bed *b)
{
	(void)close(b->place.state);
	assert_int_equal(
	    nftw(b->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void
bed_file(const struct bed *b, const char *name, const void *content, size_t len)
{
	int fd = open(
	    bed_path(b, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, content, len), len);
	assert_int_equal(close(fd), 0);
}

void
bed_text(const struct bed *b, const char *name, const char *text)
{
	bed_file(b, name, text, strlen(text));
}

void
bed_folder(const struct bed *b, const char *name)
{
	assert_int_equal(mkdir(bed_path(b, name), 0700), 0);
}

void
bed_move(const struct bed *b, const char *from, const char *to)
{
	char old[1024];

	(void)snprintf(old, sizeof(old), "%s", bed_path(b, from));
	assert_int_equal(rename(old, bed_path(b, to)), 0);
}

void
bed_remove(const struct bed *b, const char *name)
{
	assert_int_equal(unlink(bed_path(b, name)), 0);
}

bool
bed_exists(const struct bed *b, const char *name)
{
	struct stat st;

	return lstat(bed_path(b, name), &st) == 0;
}

static int
collect_put(struct popper_sink *sink, struct popper_slice s)
{
	struct collect *c = (struct collect *)sink;

	if (c->fail)
		return -1;
	if (s.len > c->room - c->len) {
		c->room = (c->len + s.len) * 2;
		c->ptr = realloc(c->ptr, c->room);
		assert_non_null(c->ptr);
	}
	memcpy(c->ptr + c->len, s.ptr, s.len);
	c->len += s.len;
	return c->enough != 0 && c->len >= c->enough;
}

void
collect_start(struct collect *c)
{
	memset(c, 0, sizeof(*c));
	c->sink.put = collect_put;
	c->ptr = calloc(1, c->room = 64);
	assert_non_null(c->ptr);
}

void
collect_end(struct collect *c)
{
	free(c->ptr);
	memset(c, 0, sizeof(*c));
}

uint64_t
slow_octets(const char *content, size_t len)
{
	uint64_t octets = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		octets++;
		if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r'))
			octets++;
	}
	if (len > 0 && content[len - 1] != '\n')
		octets += 2;
	return octets;
}

static uid_t nobody;

static int
give(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return lchown(path, nobody, (gid_t)nobody);
}

static bool
become_nobody(void)
{
	const gid_t group = (gid_t)nobody;

	return geteuid() != 0 ||
	    (setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
		setresuid(nobody, nobody, nobody) == 0);
}

int
bed_as_nobody(const struct bed *b, int (*run)(void *), void *arg)
{
	int *answer, result, status;
	pid_t child;

	nobody = geteuid() == 0 ? 65534 : geteuid();
	if (geteuid() == 0)
		assert_int_equal(nftw(b->path, give, 16, FTW_PHYS), 0);
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(answer, MAP_FAILED);
	*answer = -1;
	(void)fflush(NULL);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (become_nobody())
			*answer = run(arg);
		(void)fflush(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	result = *answer;
	(void)munmap(answer, sizeof(*answer));
	return result;
}
