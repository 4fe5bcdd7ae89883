/* auth.c - see auth.h. */
#include "auth.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mod/host.h"

struct popper_host auth_host;
struct popper_answer auth_answer;
char auth_folder[256];

static char lines[64][512];
static size_t count;

/* A test must not go on in a world that is not what it made. */
static void
must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void POPPER_PRINTF(2, 3)
    keep(enum popper_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	must(count < sizeof(lines) / sizeof(lines[0]), "too much log");
	va_start(args, format);
	(void)vsnprintf(lines[count++], sizeof(lines[0]), format, args);
	va_end(args);
}

size_t
auth_logged(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += strstr(lines[i], text) != NULL;
	return n;
}

void
auth_forget(void)
{
	count = 0;
}

void
auth_folder_make(void)
{
	const char *base = getenv("TMPDIR");

	auth_host = host_services;
	auth_host.log = keep;
	auth_forget();
	(void)umask(022);
	(void)snprintf(auth_folder, sizeof(auth_folder), "%s/popper-t-XXXXXX",
	    base != NULL ? base : "/tmp");
	must(mkdtemp(auth_folder) != NULL, auth_folder);
}

void
auth_folder_remove(void)
{
	DIR *d = opendir(auth_folder);
	const struct dirent *entry;

	must(d != NULL, auth_folder);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) == -1)
			must(unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR) ==
				0,
			    entry->d_name);
	}
	(void)closedir(d);
	must(rmdir(auth_folder) == 0, auth_folder);
}

const char *
auth_write(const char *name, unsigned mode, const char *text)
{
	static char path[512];
	int fd;
	size_t len = strlen(text);

	(void)snprintf(path, sizeof(path), "%s/%s", auth_folder, name);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd != -1, path);
	must(write(fd, text, len) == (ssize_t)len, path);
	must(fchmod(fd, (mode_t)mode) == 0, path);
	must(close(fd) == 0, path);
	return path;
}

enum popper_verdict
auth_login(const struct popper_auth *driver, void *self, const char *user,
    struct popper_slice password, void **exchange)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "USER",
		.user = user,
		.secret = password,
		.timestamp = "",
		.client = "192.0.2.7",
		.server = "192.0.2.1",
		.server_name = "pop.example.org",
		.certificate = "",
	};

	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
	*exchange = NULL;
	return driver->begin(self, &attempt, exchange, &auth_answer);
}
