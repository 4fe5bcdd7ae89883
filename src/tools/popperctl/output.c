/*
 * output.c - where popperctl writes what drop modules tell.
 *
 * Runs as:  the user whose mail it is.
 */
#include "tools/popperctl/output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_MAX (1024u * 1024 * 1024) /* octets */

static bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void
put_escaped(FILE *file, char c)
{
	if (is_plain(c))
		(void)putc(c, file);
	else
		(void)fprintf(file, "\\x%02x", (unsigned char)c);
}

void
output_text(FILE *file, const char *text)
{
	for (; *text != '\0'; text++)
		put_escaped(file, *text);
}

static int
put(struct popper_sink *sink, struct popper_slice s)
{
	struct output *o = (struct output *)sink;

	for (size_t i = 0; i < s.len; i++) {
		o->lines += s.ptr[i] == '\n';
		if (o->raw || s.ptr[i] == '\n' || s.ptr[i] == '\t')
			(void)putc(s.ptr[i], o->file);
		else
			put_escaped(o->file, s.ptr[i]);
	}
	return ferror(o->file) ? -1 : 0;
}

void
output_to(struct output *o, FILE *file)
{
	*o = (struct output){ .sink = { .put = put }, .file = file };
}

void
output_data(struct output *o, FILE *file)
{
	output_to(o, file);
	o->raw = isatty(fileno(file)) == 0;
}

static int
keep(struct popper_sink *sink, struct popper_slice s)
{
	struct keeper *k = (struct keeper *)sink;
	size_t room = k->room;
	char *text;

	if (s.len > KEEPER_MAX - k->len - 1)
		return -1;
	while (k->len + s.len + 1 > room)
		room = room == 0 ? 4096 : 2 * room;
	if (room > k->room) {
		if ((text = realloc(k->text, room)) == NULL)
			return -1;
		k->text = text;
		k->room = room;
	}
	if (s.len > 0)
		memcpy(k->text + k->len, s.ptr, s.len);
	k->len += s.len;
	k->text[k->len] = '\0';
	return 0;
}

void
keeper_start(struct keeper *k)
{
	*k = (struct keeper){ .sink = { .put = keep } };
}

void
keeper_end(struct keeper *k)
{
	free(k->text);
	*k = (struct keeper){ .text = NULL };
}
