/*
 * hints.c - options of other popper servers that have nothing to do here.
 *
 * Runs in: the master, at start and at SIGHUP, as root.
 *
 * They tune or guard what we do not have: a second copy of the mail, a cache
 * that goes stale, a buffer of 512 octets.  Whoever comes with a configuration
 * of years may keep them; a value that was wrong there is wrong here.
 */
#include "conf/hints.h"

#include <string.h>

#include "base/log.h"
#include "base/option.h"
#include "base/text.h"

/* Where values go to be forgotten. */
static struct nowhere {
	const char *text;
	bool flag;
	uint64_t number;
} nowhere;

#define FLAG(n, d, h) POPPER_OPTION(BOOL, struct nowhere, flag, n, d, h)
#define TEXT(n, d, h) POPPER_OPTION(TEXT, struct nowhere, text, n, d, h)
#define NUMBER(n, d, h) POPPER_OPTION(NUMBER, struct nowhere, number, n, d, h)

#define NO_COPY "mail is read where it lies"
#define NO_CACHE "the index is in the state folder"

const struct popper_option hints[] = { FLAG("server-mode", "no", NO_COPY),
	TEXT("group-server-mode", "", NO_COPY),
	TEXT("group-no-server-mode", "", NO_COPY),
	TEXT("server-mode-group-include", "", NO_COPY),
	TEXT("server-mode-group-exclude", "", NO_COPY),
	FLAG("fast-update", "no", "QUIT writes no more than it must"),
	FLAG("keep-temp-drop", "no", "last-login is in the state folder"),
	TEXT("cache-dir", "", NO_CACHE), TEXT("cache-name", "", NO_CACHE),
	TEXT("chunky-writes", "always", "replies go out in large pieces"),
	NUMBER("mail-lock-check", "5000", "locks are refreshed by the clock"),
	FLAG("no-atomic-open", "no", "locks are made in a way NFS knows"),
	FLAG("check-old-spool-loc", "yes", "paths are the drop module's"),
	FLAG("check-hash-dir", "yes", "paths are the drop module's"),
	FLAG("check-password-expired", "yes", "the auth module always does"),
	POPPER_OPTIONS_END };

static bool given[sizeof(hints) / sizeof(*hints)];

void
hints_forget(void)
{
	memset(given, 0, sizeof(given));
}

int
hints_set(const char *name, const char *value, struct popper_error *e)
{
	const struct popper_option *o = option_find(hints, name);

	if (o == NULL)
		return 0;
	if (option_set(o, &nowhere, value, e) == -1)
		return -1;
	given[o - hints] = true;
	return 1;
}

void
hints_tell(void)
{
	char text[LOG_LINE_MAX];
	size_t len = 0;

	for (size_t i = 0; hints[i].name != NULL; i++)
		if (given[i] &&
		    text_print(text + len, sizeof(text) - len, "%s%s",
			len > 0 ? ", " : "", hints[i].name))
			len += strlen(text + len);
	if (len > 0)
		log_notice("accepted, but there is nothing to do: %s (see "
			   "popper.conf(5))",
		    text);
}
