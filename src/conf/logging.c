/*
 * logging.c - the settings that shape lines of the log.
 *
 * Runs in: the master, at start and at SIGHUP, as root; a login worker, a gate
 * and a session.
 */
#include "conf/logging.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define TEMPLATE_MAX 256
#define USUAL "(v%0) POP login by user \"%1\" at (%2) %3"

static const char *template(const struct settings *s)
{
	return strcmp(s->log_login, "yes") == 0 ? USUAL : s->log_login;
}

static int
check_template(const char *text, struct popper_error *e)
{
	if (strlen(text) > TEMPLATE_MAX)
		return error_set(e, POPPER_PERMANENT,
		    "log-login: must have at most %d octets", TEMPLATE_MAX);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			return error_set(e, POPPER_PERMANENT,
			    "log-login: must be printable ASCII");
		if (*p != '%')
			continue;
		p++;
		if ((*p < '0' || *p > '3') && *p != '%')
			return error_set(e, POPPER_PERMANENT,
			    "log-login: behind %% must stand 0 (version), 1 "
			    "(user), 2 (host), 3 (address) or %%");
	}
	return 0;
}

int
logging_check(const struct settings *s, struct popper_error *e)
{
	if (strcmp(s->log_style, "popper") != 0 && !logging_is_qpopper(s))
		return error_set(e, POPPER_PERMANENT,
		    "log-style = \"%.80s\": must be popper or qpopper",
		    s->log_style);
	return check_template(s->log_login, e);
}

bool
logging_is_qpopper(const struct settings *s)
{
	return strcmp(s->log_style, "qpopper") == 0;
}

void
logging_word(char *out, size_t size, const char *text)
{
	static const char odd[] = " \"'()<>[]";
	unsigned char c;

	text_copy(out, size, text[0] == '\0' ? "(null)" : text);
	if (text[0] == '\0')
		return;
	for (; *out != '\0'; out++) {
		c = (unsigned char)*out;
		if (c < 0x20 || c == 0x7f || strchr(odd, c) != NULL)
			*out = '_';
	}
}

bool
logging_asks(const struct settings *s, char what)
{
	const char *p = template(s);

	while ((p = strchr(p, '%')) != NULL && p[1] != '\0') {
		if (p[1] == what)
			return true;
		p += 2;
	}
	return false;
}

void
logging_login(const struct settings *s, const char *const values[4], char *out,
    size_t size)
{
	char word[TEMPLATE_MAX];
	size_t len = 0;

	for (const char *p = template(s); *p != '\0' && len + 1 < size; p++) {
		if (*p != '%' || *++p == '%') {
			out[len++] = *p;
			continue;
		}
		logging_word(word, sizeof(word), values[*p - '0']);
		text_copy(out + len, size - len, word);
		len += strlen(out + len);
	}
	out[len] = '\0';
}
