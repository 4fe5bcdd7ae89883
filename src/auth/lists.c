/*
 * lists.c - who may log in at all: files of names, shells.
 *
 * Runs in: the gate of one connection, as root.  The files are read afresh at
 * each login.  Both fail closed: what cannot be read, or others can write,
 * lets nobody in.
 */
#include "auth/lists.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define FILE_MAX (16 << 20) /* more is no list of names */
/* A line in /etc/shells that stands for all shells, as the first popper has
 * it. */
#define ANY_SHELL "/POPPER/ANY/SHELL/"

static int
check_file(int fd, const char *option, const char *path, struct popper_error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_system(
		    e, POPPER_TEMPORARY, "%s: %s", option, path);
	if (!S_ISREG(st.st_mode))
		return error_set(e, POPPER_TEMPORARY,
		    "%s: %s is not a regular file, so nobody may log in",
		    option, path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & 022) != 0)
		return error_set(e, POPPER_TEMPORARY,
		    "%s: others can write %s (uid %u, mode %03o), so nobody "
		    "may log in: chown root and chmod 644 it",
		    option, path, (unsigned)st.st_uid,
		    (unsigned)st.st_mode & 0777);
	if (st.st_size > FILE_MAX)
		return error_set(e, POPPER_TEMPORARY,
		    "%s: %s is larger than 16 MiB, so nobody may log in",
		    option, path);
	return 0;
}

static int
open_file(const char *option, const char *path, struct popper_error *e)
{
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return error_system(e, POPPER_TEMPORARY,
		    "%s: %s cannot be read, so nobody may log in: make it, or "
		    "take the option out%s",
		    option, path,
		    errno == ELOOP ? " (a symbolic link is refused)" : "");
	if (check_file(fd, option, path, e) == -1)
		fd_close(&fd);
	return fd;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks around a name do not count; what begins with # is no name.  Where
 * names are made lower case, so is the list's. */
static bool
names(char *line, size_t len, const char *user, bool any_case)
{
	while (len > 0 && is_blank(line[len - 1]))
		line[--len] = '\0';
	while (is_blank(*line))
		line++;
	return line[0] != '#' &&
	    (any_case ? strcasecmp(line, user) : strcmp(line, user)) == 0;
}

/* find() in an open file; no line is longer than FILE_MAX. */
static int
search(FILE *file, const char *user, bool any_case)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int found = 0;

	errno = 0;
	while (found == 0 && (len = getline(&line, &size, file)) != -1) {
		if (memchr(line, '\0', (size_t)len) != NULL) {
			errno = EILSEQ; /* no text: what else is wrong? */
			found = -1;
		} else if (names(line, (size_t)len, user, any_case))
			found = 1;
	}
	free(line);
	return found == 0 && !feof(file) ? -1 : found;
}

/* 1: ${user} is in it, 0: not, -1: nobody can tell. */
static int
find(const struct settings *s, const char *option, const char *path,
    const char *user, struct popper_error *e)
{
	int fd = open_file(option, path, e), found;
	FILE *file;

	if (fd == -1)
		return -1;
	if ((file = fdopen(fd, "re")) == NULL) {
		error_system(e, POPPER_TEMPORARY, "%s: %s", option, path);
		fd_close(&fd);
		return -1;
	}
	found = search(file, user, s->downcase_user);
	if (found == -1 && errno == EILSEQ)
		error_set(e, POPPER_TEMPORARY,
		    "%s: %s has a NUL octet, so it is no list of names and "
		    "nobody may log in",
		    option, path);
	else if (found == -1)
		error_system(e, POPPER_TEMPORARY,
		    "%s: %s cannot be read, so nobody may log in", option,
		    path);
	(void)fclose(file); /* only read */
	return found;
}

int
lists_ready(const struct settings *s, struct popper_error *e)
{
	int fd;

	if (s->auth_file[0] != '\0') {
		if ((fd = open_file("auth-file", s->auth_file, e)) == -1)
			return -1;
		fd_close(&fd);
	}
	if (s->nonauth_file[0] != '\0') {
		if ((fd = open_file("nonauth-file", s->nonauth_file, e)) == -1)
			return -1;
		fd_close(&fd);
	}
	return 0;
}

static bool
is_listed_shell(const char *shell)
{
	const char *listed;
	bool found = false;

	setusershell();
	while (!found && (listed = getusershell()) != NULL)
		found = strcmp(listed, shell) == 0 ||
		    strcmp(listed, ANY_SHELL) == 0;
	endusershell();
	return found;
}

/* The account of the name, unless that is another uid's. */
static const struct passwd *
account_of(const struct popper_identity *i)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(i->user);
	if (pw != NULL && pw->pw_uid == i->uid)
		return pw;
	errno = 0;
	return getpwuid(i->uid);
}

static int
check_shell(const struct popper_identity *i, struct popper_error *e)
{
	const struct passwd *pw;
	const char *shell;

	if ((i->flags & POPPER_IDENTITY_VIRTUAL) != 0)
		return 0;
	pw = account_of(i);
	if (pw == NULL && errno != 0 && errno != ENOENT && errno != ESRCH)
		return error_system(e, POPPER_TEMPORARY,
		    "check-shell: account of uid %u", (unsigned)i->uid);
	if (pw == NULL)
		return error_set(e, POPPER_DENIED,
		    "check-shell: uid %u of %s has no account, so no shell",
		    (unsigned)i->uid, i->user);
	/* passwd(5): none is /bin/sh. */
	shell = pw->pw_shell[0] == '\0' ? "/bin/sh" : pw->pw_shell;
	if (is_listed_shell(shell))
		return 0;
	return error_set(e, POPPER_DENIED,
	    "check-shell: %s has shell %s, which is not in /etc/shells",
	    i->user, shell);
}

int
lists_check(const struct settings *s, const struct popper_identity *i,
    struct popper_error *e)
{
	int found;

	if (s->auth_file[0] != '\0') {
		found = find(s, "auth-file", s->auth_file, i->user, e);
		if (found == 0)
			return error_set(e, POPPER_DENIED,
			    "%s is not in auth-file %s", i->user, s->auth_file);
		if (found == -1)
			return -1;
	}
	if (s->nonauth_file[0] != '\0') {
		found = find(s, "nonauth-file", s->nonauth_file, i->user, e);
		if (found == 1)
			return error_set(e, POPPER_DENIED,
			    "%s is in nonauth-file %s", i->user,
			    s->nonauth_file);
		if (found == -1)
			return -1;
	}
	return s->check_shell ? check_shell(i, e) : 0;
}
