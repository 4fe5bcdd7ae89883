/*
 * file.c - the syntax of popper.conf and modules.conf.
 *
 * Runs in: popper, popper-auth and popper-session, at start, as root.
 */
#include "conf/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

#define FILE_MAX (1 << 20)
#define VALUE_MAX 4096

enum token {
	END,
	WORD,
	QUOTED,
	EQUALS,
	OPEN,
	CLOSE,
	COMMA,
	UNENDED, /* a quoted text without its end */
	WRONG /* a character that begins nothing */
};

struct lexer {
	const char *name; /* of the file */
	unsigned line; /* of the token */
	char *at;
	char saved; /* what stood where the token's NUL is now */
	enum token token;
	char *text; /* of WORD, QUOTED and UNENDED */
	struct popper_error *e;
};

static const char *
token_name(enum token t)
{
	static const char *const names[] = { [END] = "the end of the file",
		[WORD] = "a word",
		[QUOTED] = "a text in quotes",
		[EQUALS] = "\"=\"",
		[OPEN] = "\"{\"",
		[CLOSE] = "\"}\"",
		[COMMA] = "\",\"" };

	return names[t];
}

/* Put "file:line: " in front of what the error says. */
static int
located(const struct lexer *l, unsigned line)
{
	struct popper_error inner = *l->e;

	return error_set(
	    l->e, POPPER_PERMANENT, "%s:%u: %.400s", l->name, line, inner.text);
}

static int
unexpected(const struct lexer *l, const char *wanted)
{
	if (l->token == UNENDED)
		error_set(l->e, POPPER_PERMANENT,
		    "the text \"%.40s does not end on its line: a \" is "
		    "missing",
		    l->text);
	else if (l->token == WRONG)
		error_set(l->e, POPPER_PERMANENT,
		    "'%.1s' where %s must be: write such text in quotes", l->at,
		    wanted);
	else if (l->token == WORD || l->token == QUOTED)
		error_set(l->e, POPPER_PERMANENT, "\"%.80s\" where %s must be",
		    l->text, wanted);
	else
		error_set(l->e, POPPER_PERMANENT, "%s where %s must be",
		    token_name(l->token), wanted);
	return located(l, l->line);
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) ||
	    (c != '\0' && strchr("_-./:@%+~*[]", c) != NULL);
}

static enum token
quoted(struct lexer *l)
{
	char *out = l->text = ++l->at;

	for (; *l->at != '"'; l->at++) {
		if (*l->at == '\0' || *l->at == '\n') {
			*out = '\0';
			return UNENDED;
		}
		if (*l->at == '\\' && (l->at[1] == '"' || l->at[1] == '\\'))
			l->at++;
		*out++ = *l->at;
	}
	l->at++;
	*out = '\0';
	return QUOTED;
}

static enum token
word(struct lexer *l)
{
	l->text = l->at;
	while (is_word(*l->at))
		l->at++;
	l->saved = *l->at;
	*l->at = '\0';
	return WORD;
}

static void
skip_blank(struct lexer *l)
{
	for (;; l->at++) {
		if (*l->at == '#')
			l->at += strcspn(l->at, "\n");
		if (*l->at == '\n')
			l->line++;
		else if (*l->at == '\0' || !isspace((unsigned char)*l->at))
			return;
	}
}

static enum token
next(struct lexer *l)
{
	if (l->token == WORD)
		*l->at = l->saved;
	skip_blank(l);
	switch (*l->at) {
	case '\0':
		return l->token = END;
	case '=':
		l->at++;
		return l->token = EQUALS;
	case '{':
		l->at++;
		return l->token = OPEN;
	case '}':
		l->at++;
		return l->token = CLOSE;
	case ',':
		l->at++;
		return l->token = COMMA;
	case '"':
		return l->token = quoted(l);
	default:
		return l->token = is_word(*l->at) ? word(l) : WRONG;
	}
}

static int
append(struct lexer *l, char *value)
{
	size_t len = strlen(value);

	if (text_print(value + len, VALUE_MAX - len, "%s%s", len > 0 ? " " : "",
		l->text))
		return 0;
	error_set(l->e, POPPER_PERMANENT, "the list is too long");
	return located(l, l->line);
}

/* After "=": one value or a list; the next token is read when it returns. */
static int
value(struct lexer *l, char *out)
{
	out[0] = '\0';
	if (next(l) != OPEN) {
		if (l->token != WORD && l->token != QUOTED)
			return unexpected(l, "a value");
		if (append(l, out) == -1)
			return -1;
		next(l);
		return 0;
	}
	for (next(l); l->token != CLOSE;) {
		if (l->token != WORD && l->token != QUOTED)
			return unexpected(l, "a value or \"}\"");
		if (append(l, out) == -1)
			return -1;
		if (next(l) == COMMA)
			next(l);
		else if (l->token != CLOSE)
			return unexpected(l, "\",\" or \"}\"");
	}
	next(l);
	return 0;
}

/* ${name} was read and "=" is the token. */
static int
setting(
    struct lexer *l, bool inside, const char *name, const struct conf_reader *r)
{
	char out[VALUE_MAX];
	unsigned line = l->line;

	if (value(l, out) == -1)
		return -1;
	if (r->setting(r->context, inside, name, out, l->e) == -1)
		return located(l, line);
	return 0;
}

/* "kind name" was read; "{" must be next. */
static int
section(struct lexer *l, const char *kind, const struct conf_reader *r)
{
	char name[64];
	unsigned line = l->line;

	if (r->section == NULL)
		return unexpected(l, "\"=\"");
	if (!text_copy(name, sizeof(name), l->text))
		return unexpected(l, "a module's name");
	if (next(l) != OPEN)
		return unexpected(l, "\"{\"");
	if (r->section(r->context, kind, name, l->e) == -1)
		return located(l, line);
	next(l);
	while (l->token == WORD) {
		if (!text_copy(name, sizeof(name), l->text))
			return unexpected(l, "an option's name");
		if (next(l) != EQUALS)
			return unexpected(l, "\"=\"");
		if (setting(l, true, name, r) == -1)
			return -1;
	}
	if (l->token != CLOSE)
		return unexpected(l, "an option's name or \"}\"");
	next(l);
	return 0;
}

int
conf_parse(const char *file, char *text, const struct conf_reader *r,
    struct popper_error *e)
{
	struct lexer l = { .name = file, .line = 1, .at = text, .e = e };
	char name[64];
	int result;

	for (next(&l); l.token != END;) {
		if (l.token != WORD || !text_copy(name, sizeof(name), l.text))
			return unexpected(&l, "an option's name");
		if (next(&l) == EQUALS)
			result = setting(&l, false, name, r);
		else if (l.token == WORD)
			result = section(&l, name, r);
		else
			return unexpected(&l, "\"=\"");
		if (result == -1)
			return -1;
	}
	return 0;
}

/* Is this a file that only root and we could have written? */
static int
check(const char *path, const struct stat *st, struct popper_error *e)
{
	if (!S_ISREG(st->st_mode))
		return error_set(
		    e, POPPER_PERMANENT, "%s is not a regular file", path);
	if (st->st_size > FILE_MAX)
		return error_set(e, POPPER_PERMANENT,
		    "%s is larger than 1 MiB: not a configuration", path);
	if ((st->st_uid != 0 && st->st_uid != geteuid()) ||
	    (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s can be changed by others: chown it to root and "
		    "chmod go-w",
		    path);
	return 0;
}

/* The whole file as a text, the caller's; NULL with the error filled. */
static char *
load(int fd, const char *path, struct popper_error *e)
{
	struct stat st;
	char *text;
	size_t len = 0;
	ssize_t n;

	if (fstat(fd, &st) == -1) {
		error_system(e, POPPER_PERMANENT, "%s", path);
		return NULL;
	}
	if (check(path, &st, e) == -1)
		return NULL;
	if ((text = malloc(FILE_MAX + 1)) == NULL) {
		error_system(e, POPPER_TEMPORARY, "%s", path);
		return NULL;
	}
	while (
	    len < FILE_MAX && (n = read(fd, text + len, FILE_MAX - len)) != 0) {
		if (n == -1) {
			error_system(e, POPPER_PERMANENT, "%s", path);
			free(text);
			return NULL;
		}
		len += (size_t)n;
	}
	text[len] = '\0';
	if (strlen(text) != len) {
		error_set(e, POPPER_PERMANENT, "%s holds a NUL", path);
		free(text);
		return NULL;
	}
	return text;
}

char *
conf_load(const char *path, struct popper_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text;

	if (fd == -1) {
		error_system(e,
		    errno == ENOENT ? POPPER_ABSENT : POPPER_PERMANENT, "%s",
		    path);
		return NULL;
	}
	text = load(fd, path, e);
	fd_close(&fd);
	return text;
}

int
conf_read(const char *path, const struct conf_reader *r, struct popper_error *e)
{
	char *text = conf_load(path, e);
	int result;

	if (text == NULL)
		return -1;
	result = conf_parse(path, text, r, e);
	free(text);
	return result;
}
