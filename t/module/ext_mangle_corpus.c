/*
 * ext_mangle_corpus.c - messages as mail programs write them, and the text
 * that a person wants to read instead.
 *
 * Each t/corpus/mangle/NAME.eml is mangled as X-MANGLE(charset=utf-8) asks and
 * compared, octet for octet, with NAME.txt; and as the first line of NAME.N.txt
 * asks, with what follows that line.  With the argument "write" the results
 * are written instead; then somebody must read them.
 *
 * Runs in: tests.
 */
#include "mangle_engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGES_LEAST 100
#define VARIANTS_MAX 9

static const struct mangle_limits limits = {
	.parts = 1000,
	.depth = 50,
	.text = 4u << 20,
};

static char folder[4000];
static unsigned tests, failures;
static bool write_results;

static void
say(bool ok, const char *name, const char *what)
{
	printf("%sok %u - %s %s\n", ok ? "" : "not ", ++tests, name, what);
	failures += !ok;
}

/* The file ${name}, to be g_freed; NULL: there is none. */
static gchar *
content(const char *name, gsize *len)
{
	gchar *path = g_build_filename(folder, name, NULL), *text = NULL;

	if (!g_file_get_contents(path, &text, len, NULL))
		text = NULL;
	g_free(path);
	return text;
}

static void
store(const char *name, const char *first, struct popper_slice s)
{
	gchar *path = g_build_filename(folder, name, NULL);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(first, f) == EOF ||
	    fwrite(s.ptr, 1, s.len, f) != s.len || fclose(f) == EOF) {
		perror(path);
		exit(1);
	}
	g_free(path);
}

static void
show(const char *wanted, gsize len, struct popper_slice got)
{
	size_t i = 0, line = 1;

	while (i < len && i < got.len && wanted[i] == got.ptr[i])
		line += wanted[i++] == '\n';
	printf("# differs in line %zu, octet %zu of %zu (wanted %zu)\n", line,
	    i, got.len, (size_t)len);
}

/* Mangle ${name}.eml as ${arguments} say. */
static bool
mangle(const char *name, const char *arguments, struct mangle_buffer *out)
{
	const struct mangle_macros none = { 0 };
	struct mangle_arguments want;
	gchar *path = g_strdup_printf("%s/%s.eml", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	g_free(path);
	mangle_buffer_start(out, limits.text);
	mangle_arguments_default(&want);
	if (fd == -1 ||
	    !mangle_arguments_parse(popper_slice_text(arguments), &none, &want))
		return false;
	return mangle_engine_run(fd, &want, &limits, false, out) == 0;
}

/* Lines end, are not too long, and hold what the charset has. */
static bool
sound(struct popper_slice s)
{
	size_t column = 0;

	for (size_t i = 0; i < s.len; i++) {
		column = s.ptr[i] == '\n' ? 0 : column + 1;
		if (s.ptr[i] == '\0' || s.ptr[i] == '\r' || column > 998)
			return false;
	}
	return column == 0;
}

static void
compare(const char *name, const char *file, const char *arguments,
    const char *first)
{
	struct mangle_buffer out;
	gsize len = 0, skip = strlen(first);
	gchar *wanted = content(file, &len);
	bool done = mangle(name, arguments, &out);
	struct popper_slice got = mangle_buffer_view(&out);

	if (done && write_results)
		store(file, first, got);
	say(done && sound(got), file, "is a mail");
	if (wanted == NULL || len < skip || memcmp(wanted, first, skip) != 0) {
		say(false, file, "cannot be read");
	} else {
		bool same = len - skip == got.len &&
		    memcmp(wanted + skip, got.ptr, got.len) == 0;

		say(same, file, "is what was approved");
		if (!same)
			show(wanted + skip, len - skip, got);
	}
	g_free(wanted);
	mangle_buffer_free(&out);
}

/* NAME.1.txt and so on. */
static void
variants(const char *name)
{
	for (int i = 1; i <= VARIANTS_MAX; i++) {
		gchar *file = g_strdup_printf("%s.%d.txt", name, i);
		gsize len = 0;
		gchar *text = content(file, &len);
		gchar *arguments, *first;

		if (text != NULL) {
			arguments = g_strndup(text, strcspn(text, "\n"));
			first = g_strconcat(arguments, "\n", NULL);
			compare(name, file, arguments, first);
			g_free(first);
			g_free(arguments);
		}
		g_free(text);
		g_free(file);
	}
}

static int
is_message(const struct dirent *e)
{
	return g_str_has_suffix(e->d_name, ".eml");
}

/* README.md says of each message what it shows. */
static void
in_readme(const gchar *readme, const char *name)
{
	gchar *cell = g_strdup_printf("| %s |", name);

	say(readme != NULL && strstr(readme, cell) != NULL, name,
	    "is explained");
	g_free(cell);
}

int
main(int argc, char **argv)
{
	const char *source = getenv("POPPER_SRC");
	struct dirent **entry = NULL;
	gsize len;
	gchar *readme;
	int n;

	(void)argv;
	write_results = argc > 1;
	g_snprintf(folder, sizeof(folder), "%s/t/corpus/mangle",
	    source == NULL ? "." : source);
	mangle_engine_warm();
	readme = content("README.md", &len);
	n = scandir(folder, &entry, is_message, alphasort);
	for (int i = 0; i < n; i++) {
		gchar *name =
		    g_strndup(entry[i]->d_name, strlen(entry[i]->d_name) - 4);
		gchar *file = g_strdup_printf("%s.txt", name);

		in_readme(readme, name);
		compare(name, file, "X-MANGLE(charset=utf-8)", "");
		variants(name);
		g_free(file);
		g_free(name);
		free(entry[i]);
	}
	free(entry);
	g_free(readme);
	say(n >= MESSAGES_LEAST, "the corpus", "has enough messages");
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}
