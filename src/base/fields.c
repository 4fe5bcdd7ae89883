/*
 * fields.c - one line of the log as an event and key=value fields.
 *
 * Runs in: any process.
 */
#include "base/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define VALUE_MAX 300

void
fields_start(struct fields *f, const char *event)
{
	text_copy(f->text, sizeof(f->text), event);
	f->len = strlen(f->text);
}

static void
add(struct fields *f, const char *key, const char *quote, const char *value)
{
	/* What does not fit is left out whole. */
	if (text_print(f->text + f->len, sizeof(f->text) - f->len, " %s=%s%s%s",
		key, quote, value, quote))
		f->len += strlen(f->text + f->len);
	f->text[f->len] = '\0';
}

static bool
is_plain(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

void
fields_word(struct fields *f, const char *key, const char *word)
{
	char value[VALUE_MAX + 1];
	size_t len = 0;

	for (; *word != '\0' && len < VALUE_MAX; word++)
		value[len++] = is_plain(*word) ? *word : '_';
	value[len] = '\0';
	add(f, key, "", len == 0 ? "-" : value);
}

void
fields_text(struct fields *f, const char *key, const char *text)
{
	char value[VALUE_MAX + 5];
	size_t len = 0;

	for (; *text != '\0' && len < VALUE_MAX; text++)
		if (is_plain(*text) || *text == ' ')
			value[len++] = *text;
		else
			len +=
			    (size_t)snprintf(value + len, sizeof(value) - len,
				"\\x%02x", (unsigned char)*text);
	value[len] = '\0';
	add(f, key, "\"", value);
}

void
fields_number(struct fields *f, const char *key, uint64_t number)
{
	char value[24];

	text_print(value, sizeof(value), "%llu", (unsigned long long)number);
	add(f, key, "", value);
}

void
fields_log(const struct fields *f, enum popper_level level)
{
	log_clean(level, f->text);
}
