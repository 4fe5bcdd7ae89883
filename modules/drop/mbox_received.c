/*
 * mbox_received.c - when was a message delivered?
 *
 * Runs in: the session, as the user.
 *
 * For those who remove old mail, so every doubt makes a message younger: of two
 * dates the later counts, and a local time may be that of the westernmost zone.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "mbox.h"
#include "mbox_pad.h"

#define HEADER_MAX 8192 /* octets of a message that are looked at */
#define DATE_MAX 64
#define WEST (12 * 3600) /* seconds between local time there and UTC */

/* ${s} with an end, so that strptime can read it. */
static bool
copy(char out[DATE_MAX], struct popper_slice s)
{
	if (s.len >= DATE_MAX || memchr(s.ptr, '\0', s.len) != NULL)
		return false;
	memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	return true;
}

/* "Www Mmm dd hh:mm[:ss] [zone] yyyy", and whatever stands behind. */
static int64_t
asctime_value(const char *text)
{
	struct tm tm = { .tm_mday = 0 };
	const char *rest = strptime(text, "%a %b %d %H:%M", &tm);
	char *end;
	long year;

	if (rest != NULL && *rest == ':')
		rest = strptime(rest, ":%S", &tm);
	/* A zone is letters, or a sign and digits. */
	while (rest != NULL && *rest == ' ') {
		while (*rest == ' ')
			rest++;
		year = strtol(rest, &end, 10);
		if (*rest >= '0' && *rest <= '9' && end - rest == 4) {
			tm.tm_year = (int)year - 1900;
			return (int64_t)timegm(&tm) + WEST;
		}
		rest += strcspn(rest, " ");
	}
	return 0;
}

int64_t
mbox_from_time(const char *line, size_t len)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	char date[DATE_MAX];
	int64_t when;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	for (size_t at = 4; at + 4 < len; at++) {
		const char *day = days;

		while (*day != '\0' && memcmp(line + at + 1, day, 3) != 0)
			day += 3;
		if (line[at] != ' ' || *day == '\0' ||
		    !copy(date, popper_slice(line + at + 1, len - at - 1)))
			continue;
		if ((when = asctime_value(date)) > WEST)
			return when;
	}
	return 0;
}

/* The header field that begins at ${p}, with its folded lines. */
static struct popper_slice
field(const char *p, const char *end)
{
	const char *start = p, *lf;

	do {
		lf = memchr(p, '\n', (size_t)(end - p));
		p = lf == NULL ? end : lf + 1;
	} while (p < end && (*p == ' ' || *p == '\t'));
	return popper_slice(start, (size_t)(p - start));
}

/* What stands behind the last ";", line ends as blanks. */
static int64_t
header_value(struct popper_slice f)
{
	const char *semicolon = memrchr(f.ptr, ';', f.len);
	char date[DATE_MAX];
	struct tm tm = { .tm_mday = 0 };
	size_t skip;
	long offset;

	if (semicolon == NULL)
		return 0;
	skip = (size_t)(semicolon + 1 - f.ptr);
	f.len = f.len - skip < DATE_MAX ? f.len : skip + DATE_MAX - 1;
	if (!copy(date, popper_slice(f.ptr + skip, f.len - skip)))
		return 0;
	/* strptime takes any blanks for one. */
	if (strptime(date, " %a, %d %b %Y %H:%M:%S %z", &tm) == NULL &&
	    strptime(date, " %d %b %Y %H:%M:%S %z", &tm) == NULL)
		return 0;
	offset = tm.tm_gmtoff;
	return (int64_t)timegm(&tm) - offset;
}

int64_t
mbox_received_time(const char *header, size_t len)
{
	const char *p = header, *end = header + len;
	struct popper_slice f;

	while (p < end && *p != '\n' && *p != '\r') {
		f = field(p, end);
		if (f.len > 9 && strncasecmp(f.ptr, "Received:", 9) == 0)
			return header_value(f);
		p += f.len;
	}
	return 0;
}

int64_t
mbox_received(const struct mbox *m, const struct mbox_record *r)
{
	char buffer[MBOX_LEAD_MAX + HEADER_MAX];
	size_t len = (size_t)(r->end - r->offset);
	int64_t from, header;

	if (len > r->from_len + (size_t)HEADER_MAX)
		len = r->from_len + (size_t)HEADER_MAX;
	if (r->from_len > MBOX_LEAD_MAX || len < r->from_len ||
	    mbox_read_at(m->fd, buffer, len, r->offset) != (ssize_t)len ||
	    (from = mbox_from_time(
		 buffer, mbox_line_len(buffer, r->from_len))) == 0)
		return 0;
	header = mbox_received_time(buffer + r->from_len, len - r->from_len);
	return header > from ? header : from;
}
