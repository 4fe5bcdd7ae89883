/*
 * option.c - fill a struct from an option table.
 *
 * Runs in: popper, popper-auth, popper-session, at start, as root.
 */
#include "base/option.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "base/number.h"

static void *
field(const struct popper_option *o, void *conf)
{
	return (char *)conf + o->offset;
}

const char **
option_text(const struct popper_option *o, void *conf)
{
	return field(o, conf);
}

bool *
option_bool(const struct popper_option *o, void *conf)
{
	return field(o, conf);
}

uint64_t *
option_number(const struct popper_option *o, void *conf)
{
	return field(o, conf);
}

const struct popper_option *
option_find(const struct popper_option *table, const char *name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *
option_kind_name(enum popper_option_kind kind)
{
	switch (kind) {
	case POPPER_OPTION_TEXT:
		return "text";
	case POPPER_OPTION_BOOL:
		return "yes or no";
	case POPPER_OPTION_NUMBER:
		return "a number";
	case POPPER_OPTION_OCTETS:
		return "octets, as 10, 10k, 10M or 10G";
	case POPPER_OPTION_SECONDS:
		return "a time, as 10, 10s, 10m, 10h or 10d";
	case POPPER_OPTION_WORD:
		return "one of these words; the first is the default";
	}
	return "a value";
}

static bool
parse_bool(const char *value, bool *out)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0) {
			*out = true;
			return true;
		}
		if (strcasecmp(value, no[i]) == 0) {
			*out = false;
			return true;
		}
	}
	return false;
}

/* What a unit letter multiplies with, or 0 if it is none of the kind's. */
static uint64_t
unit(enum popper_option_kind kind, char letter)
{
	if (kind == POPPER_OPTION_OCTETS)
		switch (letter) {
		case 'k':
		case 'K':
			return UINT64_C(1) << 10;
		case 'M':
			return UINT64_C(1) << 20;
		case 'G':
			return UINT64_C(1) << 30;
		default:
			return 0;
		}
	if (kind == POPPER_OPTION_SECONDS)
		switch (letter) {
		case 's':
			return 1;
		case 'm':
			return 60;
		case 'h':
			return 3600;
		case 'd':
			return 86400;
		default:
			return 0;
		}
	return 0;
}

static bool
parse_number(enum popper_option_kind kind, const char *value, uint64_t *out)
{
	struct popper_slice s = popper_slice_text(value);
	uint64_t factor = 1, n;

	if (s.len > 1 && unit(kind, s.ptr[s.len - 1]) != 0)
		factor = unit(kind, s.ptr[--s.len]);
	if (!number_parse(s, INT64_MAX / factor, &n))
		return false;
	*out = n * factor;
	return true;
}

static int
set_text(const struct popper_option *o, void *conf, const char *value,
    struct popper_error *e)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return error_system(e, POPPER_TEMPORARY, "%s", o->name);
	*option_text(o, conf) = copy;
	return 0;
}

static bool
is_word(const char *words, const char *value)
{
	size_t len = strlen(value), n;

	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && strncmp(words, value, n) == 0)
			return true;
	}
	return false;
}

int
option_set(const struct popper_option *o, void *conf, const char *value,
    struct popper_error *e)
{
	switch (o->kind) {
	case POPPER_OPTION_TEXT:
		return set_text(o, conf, value, e);
	case POPPER_OPTION_WORD:
		if (is_word(o->fallback, value))
			return set_text(o, conf, value, e);
		return error_set(e, POPPER_PERMANENT,
		    "%s = \"%.80s\": must be one of: %s", o->name, value,
		    o->fallback);
	case POPPER_OPTION_BOOL:
		if (parse_bool(value, option_bool(o, conf)))
			return 0;
		break;
	case POPPER_OPTION_NUMBER:
	case POPPER_OPTION_OCTETS:
	case POPPER_OPTION_SECONDS:
		if (parse_number(o->kind, value, option_number(o, conf)))
			return 0;
		break;
	}
	return error_set(e, POPPER_PERMANENT, "%s = \"%.80s\": must be %s",
	    o->name, value, option_kind_name(o->kind));
}

/* The default as one would write it, in ${word} if only a part of the text. */
static const char *
fallback(const struct popper_option *o, char *word, size_t size)
{
	size_t len;

	if (o->fallback == NULL)
		return "";
	if (o->kind != POPPER_OPTION_WORD)
		return o->fallback;
	len = strcspn(o->fallback, " ");
	if (len >= size)
		log_panic("default of an option: %s", o->name);
	memcpy(word, o->fallback, len);
	word[len] = '\0';
	return word;
}

void
option_defaults(const struct popper_option *table, void *conf)
{
	struct popper_error e;
	char word[64];

	for (; table != NULL && table->name != NULL; table++)
		if (option_set(table, conf, fallback(table, word, sizeof(word)),
			&e) == -1)
			log_panic("default of an option: %s", e.text);
}
