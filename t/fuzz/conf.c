/*
 * conf.c - fuzz: the syntax of popper.conf and modules.conf.
 *
 * What was understood, written down in the plainest form, is understood as
 * the same again; what is refused is refused with a line that is there.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "conf/file.h"

const char fuzz_corpus[] = "conf";

#define ROOM (1u << 20)

struct plain {
	size_t len;
	bool open; /* a section */
	char text[ROOM];
};

static void
add(struct plain *p, const char *s)
{
	size_t len = strlen(s);

	fuzz_check(len < ROOM - p->len);
	memcpy(p->text + p->len, s, len + 1);
	p->len += len;
}

static void
add_quoted(struct plain *p, const char *s)
{
	char one[2] = "";

	add(p, " = \"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			add(p, "\\");
		one[0] = *s;
		add(p, one);
	}
	add(p, "\"\n");
}

static void
close_section(struct plain *p)
{
	if (p->open)
		add(p, "}\n");
	p->open = false;
}

static int
section(
    void *context, const char *kind, const char *name, struct popper_error *e)
{
	struct plain *p = context;

	(void)e;
	fuzz_check(kind[0] != '\0' && name[0] != '\0');
	close_section(p);
	add(p, kind);
	add(p, " ");
	add(p, name);
	add(p, " {\n");
	p->open = true;
	return 0;
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	struct plain *p = context;

	(void)e;
	fuzz_check(name[0] != '\0');
	if (!inside)
		close_section(p);
	fuzz_check(inside == p->open);
	add(p, name);
	add_quoted(p, value);
	return 0;
}

static int
parse(struct plain *out, char *text, struct popper_error *e)
{
	struct conf_reader r = {
		.context = out, .section = section, .setting = setting
	};

	out->len = 0;
	out->open = false;
	out->text[0] = '\0';
	if (conf_parse("fuzz", text, &r, e) == -1)
		return -1;
	close_section(out);
	return 0;
}

/* "fuzz:LINE: ..." names a line of ${text}. */
static void
check_line(const struct popper_error *e, const char *text)
{
	unsigned long lines = 1, line;
	char *end;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	fuzz_check(strncmp(e->text, "fuzz:", 5) == 0);
	line = strtoul(e->text + 5, &end, 10);
	fuzz_check(*end == ':' && line >= 1 && line <= lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct plain once, twice;
	static char copy[ROOM];
	struct popper_error e = { .text = "" };
	char *text;

	if (len > ROOM / 8 || memchr(data, '\0', len) != NULL)
		return 0;
	if ((text = malloc(len + 1)) == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	memcpy(copy, text, len + 1);
	if (parse(&once, text, &e) == -1) {
		check_line(&e, copy);
	} else {
		memcpy(copy, once.text, once.len + 1);
		fuzz_check(parse(&twice, copy, &e) == 0);
		fuzz_check(strcmp(once.text, twice.text) == 0);
	}
	free(text);
	return 0;
}
