/*
 * bulletin_list.c - "popperctl bulletin list".
 *
 * Runs as:  whoever calls popperctl; reads only.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ext/bulletins_folder.h"
#include "tools/popperctl/bulletin.h"
#include "tools/popperctl/header.h"

/* A field made fit for a terminal. */
static const char *
shown(char *out, size_t size, const char *text, size_t most)
{
	struct popper_slice s = popper_slice_text(text);

	if (s.len > most)
		s.len = most;
	text_escape(out, size, s);
	return out;
}

static bool
print(int folder, const struct bulletins_entry *b)
{
	char text[HEADER_MAX], field[1024], date[256], subject[1024];
	char name[1024];
	uint64_t size;
	long len;
	int fd = bulletins_file_open(folder, b->name, &size);

	(void)shown(name, sizeof(name), b->name, 255);
	if (fd == -1 || (len = header_read(fd, text, sizeof(text))) == -1) {
		popperctl_say("%s: %s: users do not get it", name,
		    errno == EINVAL ? "not a regular file" : strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return false;
	}
	(void)close(fd);
	if (!header_field(text, (size_t)len, "Date", field, sizeof(field)))
		field[0] = '\0';
	(void)shown(date, sizeof(date), field, 31);
	if (!header_field(text, (size_t)len, "Subject", field, sizeof(field)))
		field[0] = '\0';
	(void)shown(subject, sizeof(subject), field, 200);
	(void)printf("%6lld  %-31s %8llu  %-20s %s\n", (long long)b->number,
	    date[0] == '\0' ? "-" : date, (unsigned long long)size, name,
	    subject);
	return true;
}

/* Sessions cannot tell a group that is not theirs from one that is not there:
 * tell it here. */
static bool
has_group(const struct bulletins_entry *b)
{
	char group[256], name[1024];
	const char *dot = strchr(b->name, '.');

	if (dot == NULL)
		return true;
	(void)text_print(
	    group, sizeof(group), "%.*s", (int)strcspn(dot + 1, "."), dot + 1);
	if (strcmp(group, "ALL") == 0 || getgrnam(group) != NULL)
		return true;
	popperctl_say("%s: there is no such group: nobody gets it",
	    shown(name, sizeof(name), b->name, 255));
	return false;
}

int
bulletin_list(const struct popperctl *p, char **args)
{
	struct bulletins_folder f;
	struct bulletin_conf conf;
	struct popper_error e;
	const char *directory = NULL;
	const struct argument_option options[] = { BULLETIN_DIRECTORY(
						       &directory),
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	static const struct argument_word none[] = { { NULL, false, NULL } };
	bool good = true;

	if (!arguments_parse(&bulletin_family, "list", args, options, none))
		return POPPERCTL_USAGE;
	if (bulletin_conf_read(p, directory, &conf, &e) == -1)
		return popperctl_fail(&e);
	if (bulletins_folder_open(&f, conf.directory) == -1) {
		popperctl_say("%s: %s", conf.directory, strerror(errno));
		return POPPERCTL_FAILED;
	}
	for (size_t i = 0; i < f.count; i++) {
		good = print(f.fd, &f.entries[i]) && good;
		if (conf.group_bulletins && !has_group(&f.entries[i]))
			good = false;
	}
	bulletins_folder_close(&f);
	return good ? POPPERCTL_DONE : POPPERCTL_FAILED;
}
