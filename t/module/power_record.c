/*
 * power_record.c - the system calls that change something, recorded.
 *
 * Runs in: tests.  Nothing is really synced: it would take time, and the disk
 * of the test loses nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "power.h"

off_t power_full;

static struct power *current; /* NULL: nothing is recorded */

ssize_t __real_pwrite(int, const void *, size_t, off_t);
ssize_t __wrap_pwrite(int, const void *, size_t, off_t);
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t __real_writev(int, const struct iovec *, int);
ssize_t __wrap_writev(int, const struct iovec *, int);
int __real_ftruncate(int, off_t);
int __wrap_ftruncate(int, off_t);
int __real_fallocate(int, int, off_t, off_t);
int __wrap_fallocate(int, int, off_t, off_t);
int __wrap_fsync(int);
int __wrap_fdatasync(int);
int __real_openat(int, const char *, int, ...);
int __wrap_openat(int, const char *, int, ...);
int __real_mknodat(int, const char *, mode_t, dev_t);
int __wrap_mknodat(int, const char *, mode_t, dev_t);
int __real_mkdirat(int, const char *, mode_t);
int __wrap_mkdirat(int, const char *, mode_t);
int __real_linkat(int, const char *, int, const char *, int);
int __wrap_linkat(int, const char *, int, const char *, int);
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);
int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __real_renameat2(int, const char *, int, const char *, unsigned);
int __wrap_renameat2(int, const char *, int, const char *, unsigned);

static int
node_of(const struct stat *st)
{
	if (current != NULL && st->st_dev == current->device)
		for (size_t i = current->node_count; i-- > 0;)
			if (current->nodes[i].inode == st->st_ino)
				return (int)i;
	return -1;
}

static int
node_at(int fd)
{
	struct stat st;

	return current != NULL && fstat(fd, &st) == 0 ? node_of(&st) : -1;
}

static int
node_named(int folder, const char *name)
{
	struct stat st;

	if (current == NULL ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	return node_of(&st);
}

static void
grow(int node, size_t size)
{
	struct power_node *n = &current->nodes[node];

	if (size <= n->now)
		return;
	power_record(current,
	    &(struct power_op){
		.kind = POWER_GROW, .node = node, .len = size });
	n->now = size;
	if (n->room < size)
		n->room = size;
}

/* Block by block. */
static void
wrote(int node, const char *data, size_t len, size_t at)
{
	size_t n;

	if (node == -1)
		return;
	grow(node, at + len);
	for (; len > 0; at += n, data += n, len -= n) {
		n = current->block - at % current->block;
		if (n > len)
			n = len;
		power_record(current,
		    &(struct power_op){ .kind = POWER_WRITE,
			.node = node,
			.at = at,
			.len = n,
			.data = (char *)(uintptr_t)data });
	}
}

static void
cut(int node, size_t size)
{
	if (node == -1)
		return;
	grow(node, size);
	if (current->nodes[node].now == size)
		return;
	power_record(current,
	    &(struct power_op){ .kind = POWER_CUT, .node = node, .len = size });
	current->nodes[node].now = size;
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = __real_pwrite(fd, data, len, at);

	if (n > 0)
		wrote(node_at(fd), data, (size_t)n, (size_t)at);
	return n;
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	ssize_t n = __real_write(fd, data, len);

	if (n > 0 && node_at(fd) != -1)
		wrote(node_at(fd), data, (size_t)n,
		    (size_t)(lseek(fd, 0, SEEK_CUR) - n));
	return n;
}

ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t n = __real_writev(fd, parts, count), left = n;
	int node = node_at(fd);
	size_t at, len;

	if (n <= 0 || node == -1)
		return n;
	at = (size_t)(lseek(fd, 0, SEEK_CUR) - n);
	for (int i = 0; i < count && left > 0; i++) {
		len = parts[i].iov_len < (size_t)left ? parts[i].iov_len
						      : (size_t)left;
		wrote(node, parts[i].iov_base, len, at);
		at += len;
		left -= (ssize_t)len;
	}
	return n;
}

int
__wrap_ftruncate(int fd, off_t size)
{
	int result = __real_ftruncate(fd, size);

	if (result == 0)
		cut(node_at(fd), (size_t)size);
	return result;
}

/* Blocks are cut out: no file system promises that this is one step.  They are
 * taken out, the last extent first; the hole wanders to the end; then the size
 * is the new one. */
static void
collapsed(int node, size_t at, size_t len)
{
	struct power_op op = { .kind = POWER_HOLE, .node = node };
	size_t size = current->nodes[node].now,
	       last = (size + 4095) / 4096 * 4096 - len;

	op.len = (len / 4096 + 1) / 2 * 4096;
	op.at = at + len - op.len;
	power_record(current, &op);
	op.chained = true;
	op.at = at;
	op.len = len;
	power_record(current, &op);
	op.kind = POWER_SHIFT;
	for (; op.at < last; op.at = op.end) {
		op.end = op.at + (op.at == at ? 4096 : (size / 16384) * 4096);
		if (op.end > last || op.end == op.at)
			op.end = last;
		power_record(current, &op);
	}
	power_record(current,
	    &(struct power_op){ .kind = POWER_CUT,
		.node = node,
		.len = size - len,
		.chained = true });
	current->nodes[node].now = size - len;
}

/* Room: zeros, and the size if it was less. */
int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	int node = node_at(fd), result;

	if (power_full > 0 && at + len > power_full) {
		errno = ENOSPC;
		return -1;
	}
	result = __real_fallocate(fd, mode, at, len);
	if (result == 0 && node != -1 && mode == FALLOC_FL_COLLAPSE_RANGE)
		collapsed(node, (size_t)at, (size_t)len);
	else if (result == 0 && node != -1)
		grow(node, (size_t)(at + len));
	return result;
}

/* The C library writes by itself, for FILEs: see what it wrote. */
static void
catch_up(int node, int fd)
{
	struct power_image *image = power_image_new(current);
	char path[64], *data;
	struct stat st;
	int own;

	power_fold(current, NULL, current->count, image);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(own, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(pread(own, data, (size_t)st.st_size, 0), st.st_size);
	if (image->size[node] != (size_t)st.st_size ||
	    memcmp(image->data[node], data, (size_t)st.st_size) != 0) {
		cut(node, (size_t)st.st_size);
		wrote(node, data, (size_t)st.st_size, 0);
	}
	(void)close(own);
	free(data);
	power_image_free(image);
}

int
__wrap_fsync(int fd)
{
	int node = node_at(fd);

	if (node == -1)
		return 0;
	if (!current->nodes[node].folder)
		catch_up(node, fd);
	power_record(
	    current, &(struct power_op){ .kind = POWER_SYNC, .node = node });
	return 0;
}

/* All that is asked of it here: data, and the size that is needed to read it.
 * It is taken for fsync, which keeps no more of what is recorded. */
int
__wrap_fdatasync(int fd)
{
	return __wrap_fsync(fd);
}

/* A name that is new, of something that is new or, with ${link}, is not. */
static void
added(int folder, const char *name, bool link)
{
	struct power_op op = {
		.kind = POWER_ADD, .from = -1, .to = node_at(folder)
	};
	struct stat st;

	if (op.to == -1)
		return;
	assert_int_equal(fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (link) {
		op.node = node_of(&st);
	} else {
		op.node = (int)current->node_count++;
		assert_true(current->node_count <= POWER_NODES);
		current->nodes[op.node] =
		    (struct power_node){ .inode = st.st_ino,
			    .folder = S_ISDIR(st.st_mode) != 0 };
	}
	(void)snprintf(op.new, sizeof(op.new), "%s", name);
	power_record(current, &op);
}

int
__wrap_openat(int folder, const char *name, int flags, ...)
{
	bool is_new = (flags & O_CREAT) && current != NULL &&
	    faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == -1;
	mode_t mode = 0;
	va_list args;
	int fd;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	fd = __real_openat(folder, name, flags, mode);
	if (fd != -1 && is_new)
		added(folder, name, false);
	if (fd != -1 && (flags & O_TRUNC))
		cut(node_at(fd), 0);
	return fd;
}

int
__wrap_mknodat(int folder, const char *name, mode_t mode, dev_t device)
{
	int result = __real_mknodat(folder, name, mode, device);

	if (result == 0)
		added(folder, name, false);
	return result;
}

int
__wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	int result = __real_mkdirat(folder, name, mode);

	if (result == 0)
		added(folder, name, false);
	return result;
}

int
__wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
	int result = __real_linkat(from, old, to, new, flags);

	if (result == 0)
		added(to, new, true);
	return result;
}

int
__wrap_unlinkat(int folder, const char *name, int flags)
{
	struct power_op op = { .kind = POWER_REMOVE, .to = -1 };
	int result;

	op.from = node_at(folder);
	op.node = node_named(folder, name);
	result = __real_unlinkat(folder, name, flags);
	if (result == 0 && op.node != -1) {
		(void)snprintf(op.old, sizeof(op.old), "%s", name);
		power_record(current, &op);
	}
	return result;
}

int
__wrap_renameat2(
    int from, const char *old, int to, const char *new, unsigned flags)
{
	struct power_op op = { .kind = POWER_MOVE };
	int result;

	op.from = node_at(from);
	op.to = node_at(to);
	op.node = node_named(from, old);
	result = flags == 0 ? __real_renameat(from, old, to, new)
			    : __real_renameat2(from, old, to, new, flags);
	if (result == 0 && op.node != -1) {
		(void)snprintf(op.old, sizeof(op.old), "%s", old);
		(void)snprintf(op.new, sizeof(op.new), "%s", new);
		power_record(current, &op);
	}
	return result;
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
	return __wrap_renameat2(from, old, to, new, 0);
}

void
power_start(struct power *p, const char *root, size_t block)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->root, sizeof(p->root), "%s", root);
	p->block = block;
	p->said = SIZE_MAX;
	power_load(p);
	current = p;
}

void
power_stop(struct power *p)
{
	struct power_image *image;

	current = NULL;
	image = power_image_new(p);
	power_fold(p, NULL, p->count, image);
	assert_true(power_is(p, image));
	power_image_free(image);
}
