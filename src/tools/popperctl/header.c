/*
 * header.c - the header of a message, for people and for checks.
 *
 * Runs in: popperctl.
 */
#include "tools/popperctl/header.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

long
header_read(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, text + len, size - len)) != 0) {
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			len += (size_t)n;
	}
	return (long)len;
}

/* One physical line of the header, without its line end. */
struct line {
	const char *at;
	size_t len;
};

/* The line at ${*text}, and step over it; false at the header's end. */
static bool
next_line(const char **text, size_t *left, struct line *l)
{
	const char *lf = memchr(*text, '\n', *left);
	size_t whole = lf == NULL ? *left : (size_t)(lf - *text) + 1;

	l->at = *text;
	l->len = lf == NULL ? whole : whole - 1;
	if (l->len > 0 && l->at[l->len - 1] == '\r')
		l->len--;
	*text += whole;
	*left -= whole;
	return l->len > 0;
}

static void
append(char *out, size_t size, size_t *at, struct line l)
{
	for (; l.len > 0 && (*l.at == ' ' || *l.at == '\t'); l.len--)
		l.at++;
	if (*at > 0 && *at + 1 < size)
		out[(*at)++] = ' ';
	if (l.len > size - 1 - *at)
		l.len = size - 1 - *at;
	memcpy(out + *at, l.at, l.len);
	*at += l.len;
	out[*at] = '\0';
}

bool
header_field(
    const char *text, size_t len, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), at = 0;
	bool found = false;
	struct line l;

	out[0] = '\0';
	while (next_line(&text, &len, &l)) {
		if (*l.at == ' ' || *l.at == '\t') {
			if (found)
				append(out, size, &at, l);
			continue;
		}
		if (found)
			break;
		found = l.len > n && l.at[n] == ':' &&
		    strncasecmp(l.at, name, n) == 0;
		if (found)
			append(out, size, &at,
			    (struct line){ l.at + n + 1, l.len - n - 1 });
	}
	while (at > 0 && (out[at - 1] == ' ' || out[at - 1] == '\t'))
		out[--at] = '\0';
	return found;
}
