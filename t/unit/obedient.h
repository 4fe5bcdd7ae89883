/*
 * obedient.h - ext modules for the tests of attendants: one whose attend does
 * what the request says, and some that have none.
 */
#ifndef OBEDIENT_H
#define OBEDIENT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "base/settings.h"

static struct settings settings = { .server_name = "pop.example.org" };

/* "0 1 3 ...": what is open, but for the folder that is read. */
static void
list_descriptors(char *out, size_t size)
{
	DIR *folder = opendir("/proc/self/fd");
	bool open[64] = { false };
	struct dirent *d;
	int n;

	while (folder != NULL && (d = readdir(folder)) != NULL) {
		n = atoi(d->d_name);
		if (n >= 0 && n < 64 && n != dirfd(folder) &&
		    d->d_name[0] != '.')
			open[n] = true;
	}
	if (folder != NULL)
		closedir(folder);
	out[0] = '\0';
	for (n = 0; n < 64; n++)
		if (open[n])
			(void)text_print(
			    out + strlen(out), size - strlen(out), "%d ", n);
}

static int
attend(const struct popper_host *host, const void *conf,
    const struct popper_place *place, const struct popper_errand *errand,
    struct popper_error *e)
{
	struct popper_slice r = errand->request;
	char text[800];

	assert_ptr_equal(conf, &settings);
	if (r.len == 0)
		return 0;
	switch (r.ptr[0]) {
	case 'c':
		abort();
	case 'x':
		_exit(3);
	case 'n':
		return -1; /* and no reason */
	case 'd':
		list_descriptors(text, sizeof(text));
		break;
	case 'b':
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)errand->before);
		break;
	case 'f':
		snprintf(text, sizeof(text), "%d",
		    errand->fd == -1 ? -1 : (int)read(errand->fd, text, 4));
		break;
	default:
		snprintf(text, sizeof(text), "%u %u %s %s %s",
		    (unsigned)getuid(), (unsigned)geteuid(),
		    place->identity->user, place->client, place->server_name);
		break;
	}
	(host->fail)(e, POPPER_DENIED, "%s", text);
	return -1;
}

static const struct popper_ext able = { .size = sizeof(able),
	.attend = attend };
static const struct popper_ext unable = { .size = sizeof(unable) };
/* As a module of 1.1 has it. */
static const struct popper_ext older = {
	.size = offsetof(struct popper_ext, attend), .attend = attend
};
static const struct popper_module module[] = {
	{ .name = "able", .ext = &able },
	{ .name = "unable", .ext = &unable },
	{ .name = "older", .ext = &older },
};

#endif
