/*
 * bulletin_post.c - "popperctl bulletin post" and "retract".
 *
 * Runs as:  who may write to the folder of bulletins.
 *
 * A number is never used twice, also if the newest bulletin was withdrawn:
 * users who had it would not get the next one.  What was withdrawn is therefore
 * remembered in the folder, in ".last"; who posts or withdraws locks the
 * folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/text.h"
#include "ext/bulletins_folder.h"
#include "tools/popperctl/bulletin.h"
#include "tools/popperctl/check.h"
#include "tools/popperctl/header.h"
#include "tools/popperctl/output.h"

#define LAST_FILE ".last"
#define LAST_NEW ".last.new"
#define NEW_FILE ".new"
#define MESSAGE_MAX (10u << 20) /* octets, the module's default */
#define SLUG_MAX 40

struct post {
	const char *directory, *group, *name, *file;
	unsigned allowed;
	bool check_only;
};

static int
fail(const char *directory, const char *what)
{
	popperctl_say("%s/%s: %s", directory, what, strerror(errno));
	return -1;
}

/* --- The folder. --- */

/* Open and lock it. */
static int
open_folder(struct bulletins_folder *f, const char *directory)
{
	if (bulletins_folder_open(f, directory) == -1)
		return fail(directory, "");
	if (flock(f->fd, LOCK_EX) == 0) {
		/* Somebody may have been faster. */
		int fd = f->fd;

		f->fd = -1;
		bulletins_folder_close(f);
		if (bulletins_folder_open(f, directory) == -1) {
			(void)close(fd);
			return fail(directory, "");
		}
		(void)close(f->fd);
		f->fd = fd;
		return 0;
	}
	(void)fail(directory, "");
	bulletins_folder_close(f);
	return -1;
}

static int64_t
remembered(int folder)
{
	char text[32] = "";
	uint64_t size;
	int fd = bulletins_file_open(folder, LAST_FILE, &size);
	int64_t n;

	if (fd == -1)
		return 0;
	if (header_read(fd, text, sizeof(text) - 1) == -1)
		text[0] = '\0';
	(void)close(fd);
	n = bulletins_number(text);
	return n == -1 ? BULLETINS_NUMBER_MAX : n;
}

static int64_t
highest(const struct bulletins_folder *f)
{
	int64_t last = remembered(f->fd);

	if (f->count > 0 && f->entries[f->count - 1].number > last)
		last = f->entries[f->count - 1].number;
	return last;
}

/* A file that is whole on the disk, or not there.  What has its name is a rest
 * of another time, or a link that somebody has put there: not written to. */
static int
write_file(int folder, const char *name, const char *text, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	bool good;
	int fd;

	(void)unlinkat(folder, name, 0);
	fd = openat(folder, name, flags, 0644);
	if (fd == -1)
		return -1;
	good = fd_write_all(fd, text, len) == 0 && fchmod(fd, 0644) == 0 &&
	    fsync(fd) == 0;
	if (close(fd) == -1)
		good = false;
	if (!good)
		(void)unlinkat(folder, name, 0);
	return good ? 0 : -1;
}

static int
remember(int folder, int64_t number)
{
	char text[32];

	(void)text_print(text, sizeof(text), "%" PRId64 "\n", number);
	if (write_file(folder, LAST_NEW, text, strlen(text)) == -1 ||
	    renameat(folder, LAST_NEW, folder, LAST_FILE) == -1)
		return -1;
	return fsync(folder);
}

/* Somebody else may have given the name. */
static int
print_name(const char *name)
{
	output_text(stdout, name);
	return putchar('\n') == EOF ? -1 : 0;
}

/* --- post --- */

/* The whole message, on the heap; "-" is standard input. */
static char *
read_message(const char *file, size_t *len)
{
	char *text = malloc(MESSAGE_MAX + 1);
	int fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO)
					: open(file, O_RDONLY | O_CLOEXEC);
	long n = -1;

	if (text != NULL && fd != -1)
		n = header_read(fd, text, MESSAGE_MAX + 1);
	if (n == -1)
		popperctl_say("%s: %s", file, strerror(errno));
	else if (n > (long)MESSAGE_MAX)
		popperctl_say("%s: larger than 10 MiB", file);
	if (fd != -1)
		(void)close(fd);
	if (n != -1 && n <= (long)MESSAGE_MAX) {
		*len = (size_t)n;
		return text;
	}
	free(text);
	return NULL;
}

/* Letters, digits and underscores of ${from}, fit for a file's name. */
static void
make_slug(char out[SLUG_MAX + 1], const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n < SLUG_MAX; from++) {
		bool plain = (*from >= 'a' && *from <= 'z') ||
		    (*from >= '0' && *from <= '9') || *from == '-';
		char c = *from;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (!plain)
			c = '_';
		if (c != '_' || (n > 0 && out[n - 1] != '_'))
			out[n++] = c;
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

static int
place(const struct post *p, const char *text, size_t len, const char *slug)
{
	struct bulletins_folder f;
	char name[NAME_MAX + 1];
	int64_t last;
	int result = -1;

	if (open_folder(&f, p->directory) == -1)
		return -1;
	if ((last = highest(&f)) == BULLETINS_NUMBER_MAX) {
		popperctl_say("%s: the highest number is in use", p->directory);
	} else if (!text_print(name, sizeof(name), "%" PRId64 ".%s%s%s",
		       last + 1, p->group, slug[0] == '\0' ? "" : ".", slug)) {
		popperctl_say("the name is too long");
	} else if (write_file(f.fd, NEW_FILE, text, len) == -1) {
		(void)fail(p->directory, NEW_FILE);
	} else if (renameat2(f.fd, NEW_FILE, f.fd, name, RENAME_NOREPLACE) ==
		-1 ||
	    fsync(f.fd) == -1) {
		(void)fail(p->directory, name);
		(void)unlinkat(f.fd, NEW_FILE, 0);
	} else {
		result = print_name(name);
	}
	bulletins_folder_close(&f);
	return result;
}

static bool
is_name(const char *s)
{
	return s[0] != '\0' && strlen(s) <= 64 &&
	    strspn(s,
		"abcdefghijklmnop"
		"qrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$") ==
	    strlen(s);
}

static bool
parse_post(struct post *p, char **args)
{
	const char *eight = NULL, *check = NULL, *long_lines = NULL;
	const struct argument_option options[] = { { "-8", ARGUMENT_FLAG, NULL,
						       &eight },
		{ "-c", ARGUMENT_FLAG, NULL, &check },
		{ "-l", ARGUMENT_FLAG, NULL, &long_lines },
		BULLETIN_DIRECTORY(&p->directory),
		{ "-g", ARGUMENT_VALUE, "a group", &p->group },
		{ "-n", ARGUMENT_VALUE, "a name", &p->name },
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = { { "a file", true, &p->file },
		{ NULL, false, NULL } };

	if (!arguments_parse(&bulletin_family, "post", args, options, words))
		return false;
	p->check_only = check != NULL;
	if (eight != NULL)
		p->allowed |= CHECK_EIGHT_BIT;
	if (long_lines != NULL)
		p->allowed |= CHECK_LONG_LINES;
	return true;
}

/* Is ${word} fit for a part of a file's name? */
static bool
is_good(const char *what, const char *word)
{
	if (is_name(word))
		return true;
	popperctl_say("%s \"%.200s\": must be 1 to 64 letters, digits, \"_\", "
		      "\"-\" or \"$\"",
	    what, word);
	return false;
}

int
bulletin_post(const struct popperctl *ctl, char **args)
{
	struct post p = { .group = "ALL", .file = "-" };
	char field[1024], slug[SLUG_MAX + 1], *text;
	struct bulletin_conf conf;
	struct popper_error e;
	int result = -1;
	size_t len;

	if (!parse_post(&p, args) || !is_good("group", p.group) ||
	    (p.name != NULL && !is_good("name", p.name)))
		return POPPERCTL_USAGE;
	if (strcmp(p.group, "ALL") != 0 && getgrnam(p.group) == NULL) {
		popperctl_say("there is no group \"%s\"", p.group);
		return POPPERCTL_FAILED;
	}
	if (!p.check_only &&
	    bulletin_conf_read(ctl, p.directory, &conf, &e) == -1)
		return popperctl_fail(&e);
	if (!p.check_only && p.directory == NULL &&
	    strcmp(p.group, "ALL") != 0 && !conf.group_bulletins) {
		popperctl_say("not posted: without group-bulletins = yes in "
			      "ext bulletins all users would get it");
		return POPPERCTL_FAILED;
	}
	if ((text = read_message(p.file, &len)) == NULL)
		return POPPERCTL_FAILED;
	if (check_message(p.file, text, len, p.allowed) > 0) {
		popperctl_say("not posted");
	} else if (p.check_only) {
		result = 0;
	} else {
		p.directory = conf.directory;
		(void)header_field(text, len, "Subject", field, sizeof(field));
		make_slug(slug, p.name == NULL ? field : p.name);
		result = place(&p, text, len, slug);
	}
	free(text);
	return result == 0 ? POPPERCTL_DONE : POPPERCTL_FAILED;
}

/* --- retract --- */

/* The one file that ${word}, a number or a name, means; or NULL, told. */
static const struct bulletins_entry *
find(const struct bulletins_folder *f, const char *word)
{
	const struct bulletins_entry *found = NULL;
	uint64_t number;
	bool is_number = number_parse(
	    popper_slice_text(word), BULLETINS_NUMBER_MAX, &number);
	unsigned many = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct bulletins_entry *b = &f->entries[i];

		if (strcmp(b->name, word) == 0)
			return b;
		if (is_number && b->number == (int64_t)number) {
			found = b;
			many++;
		}
	}
	if (many == 1)
		return found;
	if (many == 0)
		popperctl_say("there is no bulletin \"%.200s\"; popperctl "
			      "bulletin list shows all",
		    word);
	else
		popperctl_say("%u bulletins have the number %s; give the "
			      "name of one",
		    many, word);
	return NULL;
}

static int
withdraw(const char *directory, const char *word)
{
	const struct bulletins_entry *b;
	struct bulletins_folder f;
	int result = -1;

	if (open_folder(&f, directory) == -1)
		return -1;
	if ((b = find(&f, word)) == NULL)
		goto done;
	if (b->number > remembered(f.fd) && remember(f.fd, b->number) == -1)
		(void)fail(directory, LAST_FILE);
	else if (unlinkat(f.fd, b->name, 0) == -1 || fsync(f.fd) == -1)
		(void)fail(directory, b->name);
	else
		result = print_name(b->name);
done:
	bulletins_folder_close(&f);
	return result;
}

int
bulletin_retract(const struct popperctl *p, char **args)
{
	const char *directory = NULL, *which = NULL;
	const struct argument_option options[] = { BULLETIN_DIRECTORY(
						       &directory),
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = {
		{ "the number or the file of a bulletin", false, &which },
		{ NULL, false, NULL }
	};
	struct bulletin_conf conf;
	struct popper_error e;

	if (!arguments_parse(&bulletin_family, "retract", args, options, words))
		return POPPERCTL_USAGE;
	if (bulletin_conf_read(p, directory, &conf, &e) == -1)
		return popperctl_fail(&e);
	return withdraw(conf.directory, which) == 0 ? POPPERCTL_DONE
						    : POPPERCTL_FAILED;
}
