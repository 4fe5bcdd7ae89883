/*
 * print.c - options and their values, as popper.conf and modules.conf.
 *
 * Runs in: popper --print, and its popper-auth and popper-session; popperctl.
 */
#include "conf/print.h"

#include <string.h>

#include "base/option.h"
#include "base/text.h"

static void
add(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	text_print(out + len, size - len, "%s", text);
}

void
print_value(char *out, size_t size, const char *value)
{
	char one[3];

	add(out, size, "\"");
	for (; *value != '\0'; value++) {
		text_print(one, sizeof(one), "%s%c",
		    *value == '"' || *value == '\\' ? "\\" : "", *value);
		add(out, size, one);
	}
	add(out, size, "\"");
}

void
print_options(const struct popper_option *o, void *conf, const char *indent,
    char *out, size_t size)
{
	char number[24];

	for (; o != NULL && o->name != NULL; o++) {
		add(out, size, indent);
		add(out, size, o->name);
		add(out, size, " = ");
		switch (o->kind) {
		case POPPER_OPTION_TEXT:
		case POPPER_OPTION_WORD:
			print_value(out, size, *option_text(o, conf));
			break;
		case POPPER_OPTION_BOOL:
			add(out, size, *option_bool(o, conf) ? "yes" : "no");
			break;
		case POPPER_OPTION_NUMBER:
		case POPPER_OPTION_OCTETS:
		case POPPER_OPTION_SECONDS:
			text_print(number, sizeof(number), "%llu",
			    (unsigned long long)*option_number(o, conf));
			add(out, size, number);
			break;
		}
		add(out, size, "\n");
	}
}

void
print_modules(
    const struct used_modules *m, const char *kind, char *out, size_t size)
{
	char head[160];

	for (size_t i = 0; i < m->count; i++) {
		text_print(head, sizeof(head), "%s %s {\n", kind,
		    m->used[i].module->name);
		add(out, size, head);
		print_options(m->used[i].module->options, m->used[i].conf, "\t",
		    out, size);
		add(out, size, "}\n");
	}
}
