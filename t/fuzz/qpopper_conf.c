/*
 * qpopper_conf.c - fuzz: the syntax and the options of Qpopper's configuration.
 *
 * What was understood, written down in the plainest form, means the same
 * again; what is refused is refused with a line that is there; and a text
 * cannot be both Qpopper's and popper.conf.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "conf/file.h"
#include "conf/qpopper.h"

const char fuzz_corpus[] = "qpopper_conf";

#define ROOM (1u << 20)

struct plain {
	size_t len;
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

/* In quotes of a kind that is not in it, or with backslashes; as it is, if it
 * ends in one. */
static void
add_quoted(struct plain *p, const char *s)
{
	char quote = strchr(s, '\'') == NULL ? '\'' : '"', one[2] = "";

	if (s[0] != '\0' && s[strlen(s) - 1] == '\\') {
		add(p, s);
		return;
	}
	one[0] = quote;
	add(p, one);
	for (; *s != '\0'; s++) {
		if (*s == quote)
			add(p, "\\");
		one[0] = *s;
		add(p, one);
	}
	one[0] = quote;
	add(p, one);
}

static void
statement(void *context, const struct qpopper_statement *s)
{
	struct plain *p = context;

	fuzz_check(s->name[0] != '\0' && !(s->reset && s->value != NULL));
	add(p, s->reset ? "reset " : "set ");
	add(p, s->name);
	if (s->value != NULL) {
		add(p, " = ");
		add_quoted(p, s->value);
	}
	add(p, "\n");
}

static int
set_event(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	(void)context;
	(void)s;
	(void)e;
	fuzz_check(o->section != NULL && strchr(value, '\n') == NULL);
	return 0;
}

static int
apply(struct plain *out, char *text, struct popper_error *e)
{
	const struct qpopper_events events = {
		.context = out, .statement = statement, .set = set_event
	};
	struct qpopper q;

	qpopper_init(&q, &events);
	/* The chain is at its end: no file is opened. */
	q.files = QPOPPER_FILES;
	out->len = 0;
	out->text[0] = '\0';
	return qpopper_apply(&q, text, "fuzz", e);
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

static int
any(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	(void)context;
	(void)inside;
	(void)name;
	(void)value;
	(void)e;
	return 0;
}

static int
any_section(
    void *context, const char *kind, const char *name, struct popper_error *e)
{
	(void)context;
	(void)kind;
	(void)name;
	(void)e;
	return 0;
}

static void
check_whose(const char *text)
{
	static char copy[ROOM];
	const struct conf_reader r = { .section = any_section, .setting = any };
	struct popper_error e;

	strcpy(copy, text);
	if (qpopper_written(text))
		fuzz_check(conf_parse("fuzz", copy, &r, &e) == -1);
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
	check_whose(text);
	memcpy(copy, text, len + 1);
	if (apply(&once, text, &e) == -1) {
		check_line(&e, copy);
	} else {
		memcpy(copy, once.text, once.len + 1);
		fuzz_check(apply(&twice, copy, &e) == 0);
		fuzz_check(strcmp(once.text, twice.text) == 0);
	}
	free(text);
	return 0;
}
