/*
 * power_disk.c - states of files and folders, from the disk and to it.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.h"

#define PATH 512

static void
join(char path[PATH], const char *folder, const char *name)
{
	int n = snprintf(path, PATH, "%s/%s", folder, name);

	assert_true(n > 0 && n < PATH);
}

/* What is in the file; to be freed. */
static char *
content(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char *data;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	data = malloc(*size + 1);
	assert_non_null(data);
	assert_int_equal(pread(fd, data, *size, 0), *size);
	(void)close(fd);
	return data;
}

/* Call for each name in a folder; its number is returned. */
static size_t
each(const char *path, void (*call)(void *, const char *), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		n++;
		if (call != NULL)
			call(arg, entry->d_name);
	}
	(void)closedir(dir);
	return n;
}

struct place {
	struct power *p;
	const struct power_image *image;
	const char *path;
	int folder;
};

static void
load_one(void *arg, const char *name)
{
	const struct place *at = arg;
	struct power *p = at->p;
	int node = (int)p->node_count++;
	struct power_node *n = &p->nodes[node];
	struct power_entry *e = &p->entries[p->entry_count++];
	char path[PATH];
	struct stat st;

	assert_true(p->node_count <= POWER_NODES);
	assert_true(p->entry_count <= POWER_NODES);
	join(path, at->path, name);
	assert_int_equal(lstat(path, &st), 0);
	n->inode = st.st_ino;
	n->folder = S_ISDIR(st.st_mode) != 0;
	e->folder = at->folder;
	e->node = node;
	assert_true(strlen(name) < sizeof(e->name));
	(void)strcpy(e->name, name);
	if (n->folder) {
		(void)each(path, load_one,
		    &(struct place){ .p = p, .path = path, .folder = node });
		return;
	}
	n->data = content(path, &n->size);
	n->now = n->room = n->size;
}

void
power_load(struct power *p)
{
	struct stat st;

	assert_int_equal(stat(p->root, &st), 0);
	p->device = st.st_dev;
	p->nodes[0] = (struct power_node){ .inode = st.st_ino, .folder = true };
	p->node_count = 1;
	(void)each(p->root, load_one,
	    &(struct place){ .p = p, .path = p->root, .folder = 0 });
}

static void remove_all(void *, const char *);

/* Whatever is below ${at} and not in the image goes. */
static void
remove_other(void *arg, const char *name)
{
	const struct place *at = arg;
	int node = power_find(at->image, at->folder, name);
	char path[PATH];
	struct stat st;

	join(path, at->path, name);
	assert_int_equal(lstat(path, &st), 0);
	if (node == -1 ||
	    at->p->nodes[node].folder != (S_ISDIR(st.st_mode) != 0))
		remove_all(arg, name);
	else if (S_ISDIR(st.st_mode))
		(void)each(path, remove_other,
		    &(struct place){ at->p, at->image, path, node });
}

static void
remove_all(void *arg, const char *name)
{
	const struct place *at = arg;
	char path[PATH];
	struct stat st;

	join(path, at->path, name);
	assert_int_equal(lstat(path, &st), 0);
	if (S_ISDIR(st.st_mode))
		(void)each(path, remove_all,
		    &(struct place){ at->p, at->image, path, -1 });
	assert_int_equal(remove(path), 0);
}

/* Blocks of zeros are holes. */
static void
put_blocks(int fd, const char *data, size_t size)
{
	static const char zeros[4096];
	size_t at, n;

	for (at = 0; at < size; at += n) {
		n = size - at < sizeof(zeros) ? size - at : sizeof(zeros);
		if (memcmp(data + at, zeros, n) != 0)
			assert_int_equal(
			    pwrite(fd, data + at, n, (off_t)at), n);
	}
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static void
put_file(const char *path, const char *data, size_t size)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	put_blocks(fd, data, size);
	assert_int_equal(close(fd), 0);
}

static void
put_folder(const struct power *p, const struct power_image *image, int folder,
    const char *at)
{
	const struct power_entry *e = image->entries;
	char path[PATH];

	for (; e < image->entries + image->count; e++) {
		if (e->folder != folder)
			continue;
		join(path, at, e->name);
		if (!p->nodes[e->node].folder) {
			put_file(
			    path, image->data[e->node], image->size[e->node]);
			continue;
		}
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		put_folder(p, image, e->node, path);
	}
}

void
power_put(const struct power *p, const struct power_image *image)
{
	struct place at = { (struct power *)(uintptr_t)p, image, p->root, 0 };

	(void)each(p->root, remove_other, &at);
	put_folder(p, image, 0, p->root);
}

static bool
is_file(const struct power_image *image, int node, const char *path)
{
	size_t size;
	char *data = content(path, &size);
	bool same = size == image->size[node] &&
	    memcmp(data, image->data[node], size) == 0;

	free(data);
	return same;
}

static bool
is_folder(const struct power *p, const struct power_image *image, int folder,
    const char *at)
{
	const struct power_entry *e = image->entries;
	bool same = true;
	char path[PATH];
	size_t n = 0;

	for (; same && e < image->entries + image->count; e++) {
		if (e->folder != folder)
			continue;
		n++;
		join(path, at, e->name);
		same = access(path, F_OK) == 0 &&
		    (p->nodes[e->node].folder
			    ? is_folder(p, image, e->node, path)
			    : is_file(image, e->node, path));
	}
	return same && n == each(at, NULL, NULL);
}

bool
power_is(const struct power *p, const struct power_image *image)
{
	return is_folder(p, image, 0, p->root);
}
