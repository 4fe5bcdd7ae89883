/*
 * lines.c - a text file with a line for each user or device.
 *
 * Runs in: popauth, as root or as the owner of the file.
 */
#include "tools/popauth/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/secret.h"

#define WARNINGS_MAX 20

static int
read_all(struct lines *l, int fd, struct popper_error *e)
{
	struct stat st;
	ssize_t n = 1;

	if (fstat(fd, &st) == -1)
		return error_system(e, POPPER_TEMPORARY, "%s", l->path);
	if (st.st_size > (off_t)l->form->file_max)
		return error_set(e, POPPER_PERMANENT,
		    "%s: larger than %zu octets", l->path, l->form->file_max);
	l->octets = malloc((size_t)st.st_size + 1);
	if (l->octets == NULL)
		return error_system(e, POPPER_TEMPORARY, "%s", l->path);
	while (n != 0 && l->len < (size_t)st.st_size) {
		n = read(fd, l->octets + l->len, (size_t)st.st_size - l->len);
		if (n == -1 && errno != EINTR)
			return error_system(e, POPPER_TEMPORARY, "%s", l->path);
		if (n > 0)
			l->len += (size_t)n;
	}
	return 0;
}

int
lines_load(struct lines *l, const struct lines_form *form, const char *path,
    struct popper_error *e)
{
	char name[256];
	int folder, result;
	int fd = replace_open(path, &folder, name, sizeof(name), e);

	*l = (struct lines){ .form = form, .path = path };
	if (fd == -1)
		return -1;
	result = read_all(l, fd, e);
	if (result == -1)
		lines_free(l);
	fd_close(&fd);
	fd_close(&folder);
	return result;
}

int
lines_begin(struct lines *l, const struct lines_form *form,
    struct replacement *r, const char *path, struct popper_error *e)
{
	*l = (struct lines){ .form = form, .path = path };
	if (replace_begin(r, path, e) == -1)
		return -1;
	if (r->old == -1 || read_all(l, r->old, e) == 0)
		return 0;
	lines_free(l);
	replace_end(r);
	return -1;
}

void
lines_free(struct lines *l)
{
	if (l->octets != NULL)
		secret_wipe(l->octets, l->len);
	free(l->octets);
	l->octets = NULL;
	l->len = 0;
}

static const char *
problem_of(const struct lines_form *form, struct popper_slice s, bool torn)
{
	size_t colons = 0;

	if (torn)
		return "it does not end with a newline";
	if (s.len > form->line_max)
		return "it is too long";
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return "it has a control character";
		colons += s.ptr[i] == ':';
	}
	if (colons < form->least)
		return form->fields;
	return s.ptr[0] == ':' ? "it has no name" : NULL;
}

static bool
is_comment(struct popper_slice s)
{
	size_t i = 0;

	while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t'))
		i++;
	return i == s.len || s.ptr[i] == '#';
}

bool
lines_next(const struct lines *l, size_t *at, struct line *line)
{
	const char *start, *end;

	if (*at >= l->len)
		return false;
	start = l->octets + *at;
	end = memchr(start, '\n', l->len - *at);
	line->number = *at == 0 ? 1 : line->number + 1;
	line->torn = end == NULL;
	line->text = popper_slice(
	    start, line->torn ? l->len - *at : (size_t)(end - start));
	line->comment = is_comment(line->text);
	line->problem =
	    line->comment ? NULL : problem_of(l->form, line->text, line->torn);
	*at += line->text.len + 1;
	return true;
}

void
lines_warn(const struct popauth *p, const struct lines *l)
{
	struct line line;
	size_t at = 0, told = 0;

	while (told < WARNINGS_MAX && lines_next(l, &at, &line))
		if (line.problem != NULL) {
			told++;
			popauth_say(p, "%s:%lu: %s; the line is not used",
			    l->path, line.number, line.problem);
		}
}

struct popper_slice
lines_field(struct popper_slice s, size_t n, size_t least)
{
	const char *colon;
	struct popper_slice field;

	for (size_t i = 0; i <= n; i++) {
		colon = s.len > 0 ? memchr(s.ptr, ':', s.len) : NULL;
		field = s;
		if (colon != NULL && i < least) {
			field.len = (size_t)(colon - s.ptr);
			s.ptr = colon + 1;
			s.len -= field.len + 1;
		} else {
			s = popper_slice(s.ptr + s.len, 0);
		}
	}
	return field;
}

int
lines_put(struct replacement *r, struct popper_slice s, struct popper_error *e)
{
	if (s.len == 0 || fd_write_all(r->fd, s.ptr, s.len) == 0)
		return 0;
	return error_system(e, POPPER_TEMPORARY, "%s.new", r->path);
}

int
lines_commit(
    const struct lines *l, struct replacement *r, struct popper_error *e)
{
	struct stat st;

	if (r->old != -1 &&
	    (fstat(r->old, &st) == -1 ||
		fchown(r->fd, st.st_uid, st.st_gid) == -1 ||
		fchmod(r->fd, st.st_mode & 0700) == -1))
		return error_system(e, POPPER_PERMANENT,
		    "%s.new: owner and mode of %s", l->path, l->path);
	return replace_commit(r, e);
}
