/*
 * import_write.c - popper.conf and modules.conf, as popperctl import writes
 * them.
 *
 * Runs as:  whoever calls popperctl.
 */
#include <string.h>

#include "tools/popperctl/import.h"

/* Bare if nobody would put it in quotes. */
static void
print_value(FILE *out, const char *value)
{
	bool bare = strcmp(value, "yes") == 0 || strcmp(value, "no") == 0 ||
	    (value[0] != '\0' && value[strspn(value, "0123456789")] == '\0');

	if (!bare)
		(void)fputc('"', out);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', out);
		(void)fputc(*value, out);
	}
	if (!bare)
		(void)fputc('"', out);
	(void)fputc('\n', out);
}

/* Each line of the comment, moved to the right. */
static void
print_comment(FILE *out, const char *indent, const char *comment)
{
	size_t len;

	for (; *comment != '\0'; comment += len) {
		len = strcspn(comment, "\n");
		(void)fprintf(out, "%s%.*s\n", indent, (int)len, comment);
		len += comment[len] == '\n';
	}
}

/* Is the option set again by a later entry? */
static bool
is_over(const struct import *m, size_t i)
{
	const struct import_entry *a = &m->entries[i], *b;

	if (a->option == NULL)
		return false;
	for (b = a + 1; b < m->entries + m->count; b++)
		if (b->option != NULL && strcmp(a->section, b->section) == 0 &&
		    strcmp(a->option, b->option) == 0)
			return true;
	return false;
}

/* A statement that changes what another has said sets two options: one of them
 * again, which need not be told twice. */
static bool
is_echo(const struct import *m, size_t i)
{
	return i > 0 && is_over(m, i) &&
	    strcmp(m->entries[i - 1].comment, m->entries[i].comment) == 0;
}

/* The entries of a section, or of popper.conf; commented out if ${used} is
 * false. */
static void
print_entries(FILE *out, const struct import *m, const char *section, bool used)
{
	const char *indent = section[0] == '\0' ? "" : "\t";

	for (size_t i = 0; i < m->count; i++) {
		const struct import_entry *e = &m->entries[i];

		if (strcmp(e->section, section) != 0 || is_echo(m, i))
			continue;
		print_comment(out, indent, e->comment);
		if (e->option == NULL)
			continue;
		if (is_over(m, i)) {
			(void)fprintf(out, "%s#   set again below\n", indent);
			continue;
		}
		(void)fprintf(
		    out, "%s%s%s = ", used ? "" : "# ", indent, e->option);
		print_value(out, e->value);
	}
}

void
import_popper_conf(FILE *out, const struct import *m)
{
	(void)fprintf(out,
	    "# popper.conf, from Qpopper's %s; see popper.conf(5).\n"
	    "# What is not here has popper's default, which may be stricter: "
	    "passwords that\n"
	    "# are not encrypted are taken from the loopback address only, "
	    "unless\n"
	    "# clear-text-password says more.\n",
	    m->path);
	if (m->modules_conf != NULL) {
		(void)fputs("modules = ", out);
		print_value(out, m->modules_conf);
	}
	(void)fputs("# What Qpopper always did.\n", out);
	for (size_t i = 0; qpopper_always[i].option != NULL; i++) {
		(void)fprintf(out, "%s = ", qpopper_always[i].option);
		print_value(out, qpopper_always[i].value);
	}
	(void)fputc('\n', out);
	print_entries(out, m, "", true);
}

static bool
is_used(const struct import *m, const char *section)
{
	for (const char *const *s = qpopper_modules; *s != NULL; s++)
		if (strcmp(*s, section) == 0)
			return true;
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i].opens &&
		    strcmp(m->entries[i].section, section) == 0)
			return true;
	return false;
}

static void
print_section(FILE *out, const struct import *m, const char *section)
{
	bool used = is_used(m, section);

	if (!used)
		(void)fprintf(
		    out, "\n# Not used, since nothing asks for it:\n");
	else
		(void)fputc('\n', out);
	(void)fprintf(out, "%s%s {\n", used ? "" : "# ", section);
	print_entries(out, m, section, used);
	(void)fprintf(out, "%s}\n", used ? "" : "# ");
}

/* Has an entry before ${i} been of this section? */
static bool
is_printed(const struct import *m, size_t i)
{
	const char *section = m->entries[i].section;

	if (section[0] == '\0')
		return true;
	for (size_t j = 0; j < i; j++)
		if (strcmp(m->entries[j].section, section) == 0)
			return true;
	return false;
}

static bool
is_auth(const char *section)
{
	return strncmp(section, "auth ", 5) == 0;
}

static bool
is_ext(const char *section)
{
	return strncmp(section, "ext ", 4) == 0;
}

void
import_modules_conf(FILE *out, const struct import *m)
{
	(void)fprintf(out,
	    "%s# modules.conf, from Qpopper's %s; see modules.conf(5).\n"
	    "# Accounts are those of PAM, and mail lies in mbox files, as "
	    "there.\n",
	    m->modules_conf == NULL ? "\n" : "", m->path);
	/* What the build adds to ask before PAM. */
	for (size_t i = 0; i < m->count; i++)
		if (!is_printed(m, i) && is_auth(m->entries[i].section) &&
		    strcmp(m->entries[i].section, "auth pam") != 0)
			print_section(out, m, m->entries[i].section);
	for (const char *const *s = qpopper_modules; *s != NULL; s++)
		if (!is_ext(*s))
			print_section(out, m, *s);
	for (size_t i = 0; i < m->count; i++)
		if (!is_printed(m, i) && !is_auth(m->entries[i].section) &&
		    strcmp(m->entries[i].section, "drop mbox") != 0)
			print_section(out, m, m->entries[i].section);
	/* Behind the bulletins, so that these are mangled too. */
	for (const char *const *s = qpopper_modules; *s != NULL; s++)
		if (is_ext(*s))
			print_section(out, m, *s);
}
