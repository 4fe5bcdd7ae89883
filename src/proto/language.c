/*
 * language.c - the language of the replies of this process.
 *
 * Runs in: language_load in the parents of login workers and sessions; the
 * rest in their children.
 */
#include "proto/language.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "proto/catalogue.h"

#define LANGUAGES_MAX 32
#define TAG_MAX 36 /* RFC 5646 section 4.4.1 */

struct language {
	char tag[TAG_MAX];
	struct catalogue catalogue; /* empty: English, no translation */
};

static struct language languages[LANGUAGES_MAX] = { { .tag = "en" } };
static unsigned count = 1;
static const struct language *now = languages;
static const char *preferred = "en";

/* "pt_BR" of a folder is "pt-BR" on the wire. */
static bool
take_tag(char tag[TAG_MAX], struct popper_slice name)
{
	if (!text_from_slice(tag, TAG_MAX, name))
		return false;
	for (char *p = tag; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return true;
}

static void
load(const char *folder, struct popper_slice name)
{
	struct language *l = languages + count;
	struct popper_error e;
	char path[4096];

	if (count == LANGUAGES_MAX || !take_tag(l->tag, name) ||
	    !text_print(path, sizeof(path), "%s/%.*s/LC_MESSAGES/popper.mo",
		folder, (int)name.len, name.ptr))
		return;
	if (catalogue_read(&l->catalogue, path, &e) == 0)
		count++;
	else
		log_warning(
		    "%s: %s: language %s is not offered", path, e.text, l->tag);
}

void
language_load(const char *folder, const char *wish)
{
	const char *p = settings_languages;
	size_t len;

	for (; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (!text_is(popper_slice(p, len), "en"))
			load(folder, popper_slice(p, len));
	}
	preferred = "en";
	if (language_match(popper_slice_text(wish)) != NULL)
		preferred = wish;
}

/* The range is the tag or a part of it that ends before a "-". */
static bool
covers(struct popper_slice range, const char *tag)
{
	size_t len = strlen(tag);

	if (range.len == 0 || range.len > len ||
	    (tag[range.len] != '\0' && tag[range.len] != '-'))
		return false;
	for (size_t i = 0; i < range.len; i++)
		if (!text_is(popper_slice(range.ptr + i, 1),
			(char[]){ tag[i], '\0' }))
			return false;
	return true;
}

const char *
language_match(struct popper_slice range)
{
	if (range.len == 1 && range.ptr[0] == '*')
		range = popper_slice_text(preferred);
	for (unsigned i = 0; i < count; i++)
		if (covers(range, languages[i].tag))
			return languages[i].tag;
	return NULL;
}

void
language_use(const char *tag)
{
	const struct language *wanted = languages;

	for (unsigned i = 0; i < count; i++)
		if (strcmp(languages[i].tag, tag) == 0)
			wanted = languages + i;
	if (now != wanted) /* or a page is copied in each session */
		now = wanted;
}

const char *
language_now(void)
{
	return now->tag;
}

const char *
language_tag(unsigned i)
{
	return i < count ? languages[i].tag : NULL;
}

static const char *
text_in(const struct language *l, const char *text)
{
	const char *translation = NULL;

	if (l->catalogue.count > 0)
		translation = catalogue_find(&l->catalogue, text);
	return translation != NULL ? translation : text;
}

const char *
language_name(unsigned i)
{
	/* TRANSLATORS: the name of your own language, in your language. */
	return text_in(languages + i, N_("English"));
}

const char *
language_text(const char *text)
{
	return text_in(now, text);
}
