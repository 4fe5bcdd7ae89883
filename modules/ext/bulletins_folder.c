/*
 * bulletins_folder.c - which bulletins there are: numbers from file names.
 *
 * Runs in: the session, as the user; popperctl.
 */
#include "bulletins_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t
bulletins_number(const char *name)
{
	int64_t n = 0;

	for (; *name >= '0' && *name <= '9'; name++) {
		if (n > (BULLETINS_NUMBER_MAX - (*name - '0')) / 10)
			return -1;
		n = n * 10 + (*name - '0');
	}
	return n;
}

static int
compare(const void *a, const void *b)
{
	const struct bulletins_entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
add(struct bulletins_folder *f, int64_t number, const char *name)
{
	struct bulletins_entry *more;

	if (f->count == BULLETINS_FILES_MAX) {
		errno = EFBIG;
		return -1;
	}
	if ((f->count & (f->count - 1)) == 0) { /* full at powers of two */
		more = reallocarray(f->entries,
		    f->count == 0 ? 1 : f->count * 2, sizeof(*more));
		if (more == NULL)
			return -1;
		f->entries = more;
	}
	f->entries[f->count] = (struct bulletins_entry){ .number = number };
	if ((f->entries[f->count].name = strdup(name)) == NULL)
		return -1;
	f->count++;
	return 0;
}

static int
list(struct bulletins_folder *f, DIR *dir)
{
	const struct dirent *d;
	int64_t number;

	while (errno = 0, (d = readdir(dir)) != NULL) {
		number = bulletins_number(d->d_name);
		if (number == -1)
			f->overlong++;
		else if (number > 0 && add(f, number, d->d_name) == -1)
			return -1;
	}
	return errno == 0 ? 0 : -1;
}

int
bulletins_folder_open(struct bulletins_folder *f, const char *path)
{
	DIR *dir;
	int fd, saved;

	*f = (struct bulletins_folder){ .fd = -1 };
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (f->fd == -1 || (dir = fdopendir(fd)) == NULL) {
		saved = errno;
		(void)close(fd);
		goto err;
	}
	if (list(f, dir) == -1) {
		saved = errno;
		(void)closedir(dir);
		goto err;
	}
	(void)closedir(dir);
	if (f->count > 0)
		qsort(f->entries, f->count, sizeof(*f->entries), compare);
	return 0;
err:
	bulletins_folder_close(f);
	errno = saved;
	return -1;
}

void
bulletins_folder_close(struct bulletins_folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->entries[i].name);
	free(f->entries);
	if (f->fd > 0)
		(void)close(f->fd);
	*f = (struct bulletins_folder){ .fd = -1 };
}

int
bulletins_file_open(int folder, const char *name, uint64_t *size)
{
	struct stat st;
	int fd = openat(folder, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}
