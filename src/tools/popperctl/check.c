/*
 * check.c - is a message fit to be sent to everybody?
 *
 * Runs in: popperctl.
 */
#include "tools/popperctl/check.h"

#include <string.h>
#include <strings.h>

#include "tools/popperctl/header.h"
#include "tools/popperctl/popperctl.h"

#define WRONG_MAX 50 /* more are not told */

struct check {
	const char *name;
	unsigned allowed, wrong;
	unsigned long number; /* of the line */
	bool body;
	bool any_field;
};

static void
wrong(struct check *c, const char *what)
{
	if (++c->wrong <= WRONG_MAX)
		popperctl_say("%s:%lu: %s", c->name, c->number, what);
}

/* A field's name, any visible ASCII but the colon, and a colon. */
static bool
is_field(const char *at, size_t len)
{
	size_t n = 0;

	while (n < len && at[n] > 0x20 && at[n] < 0x7f && at[n] != ':')
		n++;
	return n > 0 && n < len && at[n] == ':';
}

static void
check_header_line(struct check *c, const char *at, size_t len)
{
	bool from = c->number == 1 && len >= 5 && memcmp(at, "From ", 5) == 0;

	if (len == 0) {
		c->body = true;
		if (!c->any_field)
			wrong(c, "the header is empty");
	} else if (at[0] == ' ' || at[0] == '\t') {
		if (!c->any_field)
			wrong(c, "continues a field, but there is none");
	} else if (is_field(at, len)) {
		c->any_field = true;
	} else if (!from) {
		wrong(c,
		    "neither a header field (Name: text) nor the empty line "
		    "that ends the header");
	}
}

static void
check_octets(struct check *c, const char *at, size_t len)
{
	bool eight = false, control = false;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)at[i] >= 0x80)
			eight = true;
		else if ((at[i] < 0x20 && at[i] != '\t' && at[i] != '\f') ||
		    at[i] == 0x7f)
			control = true;
	}
	if (memchr(at, '\0', len) != NULL)
		wrong(c, "has a NUL octet");
	else if (memchr(at, '\r', len) != NULL)
		wrong(c, "has a CR that is not part of a line end");
	else if (control)
		wrong(c, "has a control character");
	if (eight && (c->allowed & CHECK_EIGHT_BIT) == 0)
		wrong(c,
		    c->body ? "has 8-bit characters; encode it as "
			      "quoted-printable, or allow them with -8"
			    : "has 8-bit characters in the header; encode "
			      "them (RFC 2047), or allow them with -8");
	if (len > CHECK_LINE_MAX && (c->allowed & CHECK_LONG_LINES) == 0)
		wrong(c,
		    "is longer than 998 octets; break it, or allow it with "
		    "-l");
}

static void
check_fields(struct check *c, const char *text, size_t len)
{
	static const char *const needed[] = { "From", "Subject", "Date" };
	char value[256];

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (header_field(text, len, needed[i], value, sizeof(value)) &&
		    value[0] != '\0')
			continue;
		c->wrong++;
		popperctl_say(
		    "%s: the header has no \"%s:\"", c->name, needed[i]);
	}
}

unsigned
check_message(const char *name, const char *text, size_t len, unsigned allowed)
{
	struct check c = { .name = name, .allowed = allowed };
	const char *at = text, *lf;
	size_t left = len, n;

	for (; left > 0; at += n, left -= n) {
		lf = memchr(at, '\n', left);
		n = lf == NULL ? left : (size_t)(lf - at) + 1;
		c.number++;
		{
			size_t line = n - (lf != NULL);

			if (lf != NULL && line > 0 && at[line - 1] == '\r')
				line--;
			check_octets(&c, at, line);
			if (!c.body)
				check_header_line(&c, at, line);
		}
		if (lf == NULL)
			wrong(&c, "has no line end");
	}
	if (!c.body)
		wrong(&c, "no empty line ends the header");
	check_fields(&c, text, len);
	if (c.wrong > WRONG_MAX)
		popperctl_say("%s: and more", name);
	return c.wrong;
}
