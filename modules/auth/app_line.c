/*
 * app_line.c - one line "user:device:hash:created" and what it means.
 *
 * Runs in:  the gate and the warm parent.  Pure: looks at nothing but its
 *           arguments.
 */
#include <string.h>

#include <nettle/sha2.h>

#include "app.h"

static const char method[] = "$sha256$";

bool
app_next(struct popper_slice *rest, struct popper_slice *line, bool *torn)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->ptr, '\n', rest->len);
	*torn = end == NULL;
	*line = *rest;
	if (*torn) {
		rest->len = 0;
		return true;
	}
	line->len = (size_t)(end - rest->ptr);
	rest->ptr = end + 1;
	rest->len -= line->len + 1;
	return true;
}

bool
app_is_comment(struct popper_slice line)
{
	size_t i = 0;

	while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
		i++;
	return i == line.len || line.ptr[i] == '#';
}

/* Cut the octets up to the next colon off ${rest}; all, if there is none. */
static bool
cut(struct popper_slice *rest, struct popper_slice *field)
{
	const char *colon =
	    rest->len > 0 ? memchr(rest->ptr, ':', rest->len) : NULL;

	*field = *rest;
	if (colon == NULL)
		return false;
	field->len = (size_t)(colon - rest->ptr);
	rest->ptr = colon + 1;
	rest->len -= field->len + 1;
	return true;
}

static bool
only_of(struct popper_slice s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || strchr(set, s.ptr[i]) == NULL)
			return false;
	return s.len > 0;
}

static bool
has_control(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static bool
is_hash(struct popper_slice s)
{
	const size_t len = sizeof(method) - 1;

	return s.len == APP_HASH_LEN && memcmp(s.ptr, method, len) == 0 &&
	    only_of(popper_slice(s.ptr + len, s.len - len), "0123456789abcdef");
}

const char *
app_parse(struct popper_slice text, struct app_line *line)
{
	struct popper_slice rest = text;

	if (text.len > APP_LINE_MAX)
		return "longer than 512 octets";
	if (has_control(text))
		return "a control character (CR at its end?)";
	if (!cut(&rest, &line->user) || !cut(&rest, &line->device) ||
	    !cut(&rest, &line->hash) || cut(&rest, &line->created))
		return "not four fields: user:device:hash:created";
	if (line->user.len == 0 || line->user.len > POPPER_USER_MAX)
		return "the user's name is empty or too long";
	if (line->device.len == 0 || line->device.len > APP_DEVICE_MAX)
		return "the device's name is empty or too long";
	if (!is_hash(line->hash))
		return "the hash is not $sha256$ and 64 hexadecimal digits";
	if (!only_of(line->created, "0123456789") || line->created.len > 19)
		return "the time is no number of seconds";
	return NULL;
}

/* Crockford's base 32: what is easily misread has one meaning.  0: none. */
static char
letter(char c)
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		c = '0';
	if (c == 'i' || c == 'l')
		c = '1';
	return c != '\0' && strchr(letters, c) != NULL ? c : '\0';
}

bool
app_hash(const struct app_self *a, struct popper_slice typed,
    char hash[APP_HASH_LEN])
{
	static const char digits[] = "0123456789abcdef";
	const size_t len = sizeof(method) - 1;
	char letters[APP_LETTERS] = { 0 };
	unsigned char digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	size_t n = 0;
	char c;

	for (size_t i = 0; i < typed.len && n <= APP_LETTERS; i++) {
		if (typed.ptr[i] == ' ' || typed.ptr[i] == '-')
			continue;
		c = letter(typed.ptr[i]);
		if (c != '\0' && n < APP_LETTERS)
			letters[n++] = c;
		else
			n = APP_LETTERS + 1; /* no app password */
	}
	sha256_init(&ctx);
	sha256_update(&ctx, sizeof(letters), (const uint8_t *)letters);
	sha256_digest(&ctx, sizeof(digest), digest);
	memcpy(hash, method, len);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hash[len + 2 * i] = digits[digest[i] >> 4];
		hash[len + 2 * i + 1] = digits[digest[i] & 15];
	}
	a->host->wipe(letters, sizeof(letters));
	a->host->wipe(&ctx, sizeof(ctx));
	return n == APP_LETTERS;
}

void
app_stamp(const struct app_text *text, const char *user, unsigned char *octets)
{
	struct popper_slice rest = popper_slice(text->octets, text->len);
	struct popper_slice line;
	const size_t len = strlen(user);
	struct sha256_ctx ctx;
	bool torn;

	sha256_init(&ctx);
	while (app_next(&rest, &line, &torn))
		if (line.len > len && line.ptr[len] == ':' &&
		    memcmp(line.ptr, user, len) == 0)
			sha256_update(&ctx, line.len + 1 - torn,
			    (const uint8_t *)line.ptr);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, octets);
}
