/*
 * xmit_check.c - may this user send this message?
 *
 * Runs in: an attendant, as the user (xmit_field in the session as well).
 *
 * A header that different programs could understand in different ways is
 * refused: what was checked here must be what the MTA sees.
 */
#include "xmit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct review {
	const struct xmit *x;
	unsigned from, sender; /* fields of that name */
	uint64_t recipients;
};

bool
xmit_named(struct popper_slice name, const char *want)
{
	return name.len == strlen(want) &&
	    strncasecmp(name.ptr, want, name.len) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of the first line of ${s} with its LF, or what there is of it. */
static size_t
line_length(struct popper_slice s)
{
	const char *lf = memchr(s.ptr, '\n', s.len);

	return lf == NULL ? s.len : (size_t)(lf + 1 - s.ptr);
}

/* Length of the name at the start of ${s}: printable, no space, no colon. */
static size_t
name_length(struct popper_slice s)
{
	size_t n = 0;

	while (
	    n < s.len && s.ptr[n] > ' ' && s.ptr[n] < 0x7f && s.ptr[n] != ':')
		n++;
	return n;
}

bool
xmit_field(struct popper_slice *header, struct popper_slice *name,
    struct popper_slice *value)
{
	struct popper_slice h = *header;
	size_t colon, end;

	if (h.len == 0 || h.ptr[0] == '\n')
		return false;
	*name = popper_slice(h.ptr, name_length(h));
	for (colon = name->len; colon < h.len && is_blank(h.ptr[colon]);)
		colon++; /* once allowed: RFC 5322 section 4.5 */
	if (name->len == 0 || colon == h.len || h.ptr[colon] != ':')
		return false;
	end = line_length(h);
	while (end < h.len && is_blank(h.ptr[end]))
		end += line_length(popper_slice(h.ptr + end, h.len - end));
	*value = popper_slice(h.ptr + colon + 1, end - colon - 1);
	*header = popper_slice(h.ptr + end, h.len - end);
	return true;
}

/* Not more addresses than the MTA can find in ${value}: each comma counts, in
 * quotes and comments too. */
static uint64_t
count_addresses(struct popper_slice value)
{
	uint64_t count = 0;
	bool some = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == ',' || c == ';')
			some = false;
		else if (!some && !is_blank(c) && c != '\n') {
			some = true;
			count++;
		}
	}
	return count;
}

static bool
is_of(struct popper_slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (xmit_named(name, *names))
			return true;
	return false;
}

static int
check_sender(struct review *r, struct popper_slice name,
    struct popper_slice value, struct popper_error *error)
{
	char address[XMIT_ADDRESS_MAX], own[XMIT_ADDRESS_MAX], why[96];

	if (r->x->conf->any_sender)
		return 0;
	if (xmit_address(value, address, sizeof(address)) &&
	    xmit_is_own(r->x, popper_slice_text(address)))
		return 0;
	if (xmit_own(r->x, own, sizeof(own), error) == -1)
		return -1;
	(void)snprintf(why, sizeof(why), "%.*s must be %.70s", (int)name.len,
	    name.ptr, own);
	return xmit_refuse(r->x, error, why);
}

static int
check_field(struct review *r, struct popper_slice name,
    struct popper_slice value, struct popper_error *error)
{
	static const char *const authors[] = { "From", "Sender", "Resent-From",
		"Resent-Sender", NULL };
	static const char *const to[] = { "To", "Cc", "Bcc", "Resent-To",
		"Resent-Cc", "Resent-Bcc", "Apparently-To", NULL };

	r->from += xmit_named(name, "From");
	r->sender += xmit_named(name, "Sender");
	if (r->from > 1 || r->sender > 1)
		return xmit_refuse(
		    r->x, error, "From or Sender is there more than once");
	if (is_of(name, to))
		r->recipients += count_addresses(value);
	if (is_of(name, authors))
		return check_sender(r, name, value, error);
	return 0;
}

int
xmit_check(const struct xmit *x, struct popper_slice header,
    struct popper_error *error)
{
	struct review r = { .x = x };
	struct popper_slice name, value;

	while (xmit_field(&header, &name, &value))
		if (check_field(&r, name, value, error) == -1)
			return -1;
	if (header.len > 0 && header.ptr[0] != '\n')
		return xmit_refuse(x, error, "the header is malformed");
	if (r.from == 0)
		return xmit_refuse(x, error, "there is no From");
	if (r.recipients == 0)
		return xmit_refuse(x, error, "there are no recipients");
	if (r.recipients > x->conf->recipients)
		return xmit_refuse(x, error, "there are too many recipients");
	return 0;
}
