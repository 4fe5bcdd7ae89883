/*
 * mangle_arguments.c - what a client says behind RETR, TOP and LIST.
 *
 * Runs in: a session, as the user.
 */
#include "mangle_arguments.h"

#include <stdio.h>
#include <strings.h>

static const char *const keywords[] = { "x-mangle", "xmangle", "mangle" };

/* Length of the keyword in front of ${s}, or 0. */
static size_t
keyword(struct popper_slice s)
{
	size_t len;

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		len = strlen(keywords[i]);
		if (s.len >= len && strncasecmp(s.ptr, keywords[i], len) == 0)
			return len;
	}
	return 0;
}

bool
mangle_arguments_are(struct popper_slice s)
{
	return keyword(s) > 0;
}

void
mangle_arguments_default(struct mangle_arguments *a)
{
	*a = (struct mangle_arguments){ .text = MANGLE_PLAIN,
		.charset = "us-ascii",
		.headers = MANGLE_HEADERS };
}

/* Copy ${s} in lower case.  False if it is too long or has an octet that is
 * neither a letter, a digit nor one of ${others}. */
static bool
lower(char *out, size_t size, struct popper_slice s, const char *others)
{
	char c;

	if (s.len >= size)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		c = s.ptr[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(others, c) == NULL))
			return false;
		out[i] = c;
	}
	out[s.len] = '\0';
	return true;
}

static bool
abbreviates(struct popper_slice s, const char *word)
{
	return s.len > 0 && s.len <= strlen(word) &&
	    strncasecmp(s.ptr, word, s.len) == 0;
}

static bool
set_text(struct mangle_arguments *a, struct popper_slice s)
{
	static const char *const words[] = {
		[MANGLE_PLAIN] = "plain",
		[MANGLE_HTML] = "html",
		[MANGLE_ENRICHED] = "enriched",
	};

	for (int i = MANGLE_PLAIN; i <= MANGLE_ENRICHED; i++)
		if (abbreviates(s, words[i])) {
			a->text = (enum mangle_kind)i;
			return true;
		}
	return false;
}

static bool
set_charset(struct mangle_arguments *a, struct popper_slice s)
{
	char name[MANGLE_CHARSET_MAX + 1];

	/* One that cannot be is unknown: the one before stays. */
	if (s.len > 0 && lower(name, sizeof(name), s, "-_.:+"))
		(void)snprintf(a->charset, sizeof(a->charset), "%s", name);
	return true;
}

/* A field name is printable ASCII (RFC 5322 section 2.2). */
static bool
set_headers(struct mangle_arguments *a, struct popper_slice s)
{
	return lower(
	    a->headers, sizeof(a->headers), s, "!#$%&'*+-./:<>?@[\\]^_`{|}~,");
}

static bool
set_lang(struct mangle_arguments *a, struct popper_slice s)
{
	if (!lower(a->lang, sizeof(a->lang), s, "-"))
		a->lang[0] = '\0';
	return true;
}

static bool
set_wrap(struct mangle_arguments *a, struct popper_slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len && n <= MANGLE_WRAP_MOST; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return true;
		n = n * 10 + (unsigned)(s.ptr[i] - '0');
	}
	if (n == 0 || (n >= MANGLE_WRAP_LEAST && n <= MANGLE_WRAP_MOST))
		a->wrap = n;
	return true;
}

static const struct {
	const char *name;
	bool (*set)(struct mangle_arguments *, struct popper_slice);
} attributes[] = {
	{ "text", set_text },
	{ "headers", set_headers },
	{ "charset", set_charset },
	{ "lang", set_lang },
	{ "wrap", set_wrap },
};

static struct popper_slice
unquote(struct popper_slice s)
{
	if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		return popper_slice(s.ptr + 1, s.len - 2);
	return s;
}

static bool
set(struct mangle_arguments *a, struct popper_slice name,
    struct popper_slice value)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		if (abbreviates(name, attributes[i].name))
			return attributes[i].set(a, unquote(value));
	return name.len > 0;
}

/* Elements between semicolons.  A macro's value has no macros in it. */
static bool
elements(struct mangle_arguments *a, struct popper_slice s,
    const struct mangle_macros *macros)
{
	const char *end, *equals, *value;
	struct popper_slice e;

	while (s.len > 0) {
		end = memchr(s.ptr, ';', s.len);
		e = popper_slice(
		    s.ptr, end == NULL ? s.len : (size_t)(end - s.ptr));
		s = end == NULL ? popper_slice("", 0)
				: popper_slice(end + 1, s.len - e.len - 1);
		if (e.len == 0)
			continue;
		if ((equals = memchr(e.ptr, '=', e.len)) != NULL) {
			size_t n = (size_t)(equals - e.ptr);

			if (!set(a, popper_slice(e.ptr, n),
				popper_slice(equals + 1, e.len - n - 1)))
				return false;
		} else if (macros == NULL ||
		    (value = mangle_macros_find(macros, e)) == NULL ||
		    !elements(a, popper_slice_text(value), NULL)) {
			return false;
		}
	}
	return true;
}

bool
mangle_arguments_parse(struct popper_slice s,
    const struct mangle_macros *macros, struct mangle_arguments *a)
{
	size_t len = keyword(s);

	mangle_arguments_default(a);
	if (len == 0)
		return false;
	s = popper_slice(s.ptr + len, s.len - len);
	if (s.len == 0)
		return true;
	if (s.len < 2 || s.ptr[0] != '(' || s.ptr[s.len - 1] != ')')
		return false;
	return elements(a, popper_slice(s.ptr + 1, s.len - 2), macros);
}

/* Is ${s} a prefix of "name:"? */
static bool
begins(struct popper_slice s, const char *name)
{
	size_t len = strlen(name);

	if (s.len == len + 1)
		return strncasecmp(s.ptr, name, len) == 0 && s.ptr[len] == ':';
	return s.len > 0 && s.len <= len &&
	    strncasecmp(s.ptr, name, s.len) == 0;
}

bool
mangle_arguments_match(const char *headers, const char *name)
{
	size_t len;

	for (;; headers += len + 1) {
		len = strcspn(headers, ",");
		if (begins(popper_slice(headers, len), name))
			return true;
		if (headers[len] == '\0')
			return false;
	}
}

bool
mangle_arguments_same(
    const struct mangle_arguments *a, const struct mangle_arguments *b)
{
	return a->text == b->text && a->wrap == b->wrap &&
	    strcmp(a->charset, b->charset) == 0 &&
	    strcmp(a->headers, b->headers) == 0 &&
	    strcmp(a->lang, b->lang) == 0;
}
