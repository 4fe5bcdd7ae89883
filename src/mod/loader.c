/*
 * loader.c - find modules, trust them or not, load them.
 *
 * Runs in: popper-auth and popper-session, in the warm parent, as root.
 */
#include "mod/loader.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <ltdl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/option.h"
#include "base/text.h"
#include "mod/trust.h"

#define SYMBOL "popper_module"

static const char *modules;

int
loader_start(const char *folder, struct popper_error *e)
{
	/* libltdl would look there even for root. */
	unsetenv("LTDL_LIBRARY_PATH");
	LTDL_SET_PRELOADED_SYMBOLS();
	modules = folder;
	if (lt_dlinit() == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT, "libltdl: %s", lt_dlerror());
}

/* The reason to refuse ${m}, or NULL.  Looks at nothing behind ${size} before
 * the fields in front of it are right. */
static const char *
abi_problem(const struct popper_module *m, const char *name)
{
	if (m->magic != POPPER_MODULE_MAGIC)
		return "it is not a module of popper";
	if (m->abi_major != POPPER_ABI_MAJOR)
		return "it was built for another interface version: build it "
		       "again with this popper's headers";
	if (m->abi_minor > POPPER_ABI_MINOR)
		return "it needs a newer popper";
	if (m->size != sizeof(*m))
		return "its descriptor has another size: build it again with "
		       "this popper's headers";
	if (m->name == NULL || strcmp(m->name, name) != 0)
		return "it calls itself by another name than its file";
	if (m->version == NULL || m->summary == NULL)
		return "it has no version or summary";
	if (m->auth == NULL && m->drop == NULL && m->ext == NULL)
		return "it offers neither auth nor drop nor ext";
	return NULL;
}

static const struct popper_module *
accept_module(const void *symbol, const char *name, const char *from,
    struct popper_error *e)
{
	const struct popper_module *m = symbol;
	const char *problem = abi_problem(m, name);

	if (problem == NULL)
		return m;
	error_set(e, POPPER_PERMANENT, "module %s refused: %s", from, problem);
	return NULL;
}

/* The descriptor of a module that is linked in, or NULL. */
static const void *
builtin(const char *name)
{
	const lt_dlsymlist *s = lt_preloaded_symbols;
	char symbol[128];

	if (!text_print(symbol, sizeof(symbol), "%s_LTX_" SYMBOL, name))
		return NULL;
	for (; s->name != NULL; s++)
		if (strcmp(s->name, symbol) == 0)
			return s->address;
	return NULL;
}

static bool
good_name(const char *name)
{
	if (!isalnum((unsigned char)name[0]))
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* Where the file is: in its folder, or as Libtool leaves it in a build. */
static int
find(const char *kind, const char *name, char *path, size_t size,
    struct popper_error *e)
{
	static const char *const below[] = { "", "/.libs" };
	char candidate[PATH_MAX];

	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		if (!text_print(candidate, sizeof(candidate), "%s/%s%s/%s.so",
			modules, kind, below[i], name))
			break;
		if (trust_path(candidate, path, size, e) == 0)
			return 0;
		if (e->status != POPPER_ABSENT)
			return -1;
	}
	return error_set(e, POPPER_PERMANENT,
	    "there is no module \"%s\" of kind %s: %s/%s/%s.so does not exist",
	    name, kind, modules, kind, name);
}

/* libltdl says "file not found" whatever happened; the loader knows. */
static const char *
real_reason(const char *path)
{
	const char *why;

	dlerror();
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL) != NULL)
		return "it has no symbol NAME_LTX_" SYMBOL
		       ": the first word in POPPER_MODULE(...) must be NAME, "
		       "as the file is called";
	why = dlerror();
	return why == NULL ? "no reason given" : why;
}

static const struct popper_module *
open_file(const char *path, const char *name, struct popper_error *e)
{
	lt_dladvise advice;
	lt_dlhandle h = NULL;
	const void *symbol = NULL;

	if (lt_dladvise_init(&advice) == 0) {
		lt_dladvise_local(&advice);
		lt_dladvise_resident(&advice);
		h = lt_dlopenadvise(path, advice);
		lt_dladvise_destroy(&advice);
	}
	if (h != NULL)
		symbol = lt_dlsym(h, SYMBOL);
	if (symbol == NULL) {
		error_set(e, POPPER_PERMANENT, "module %s refused: %s", path,
		    real_reason(path));
		return NULL;
	}
	return accept_module(symbol, name, path, e);
}

const struct popper_module *
loader_load(const char *kind, const char *name, struct popper_error *e)
{
	char path[PATH_MAX];
	const void *symbol;

	if (!good_name(name)) {
		error_set(e, POPPER_PERMANENT,
		    "\"%.60s\" cannot be a module's name: letters, digits "
		    "and _ only",
		    name);
		return NULL;
	}
	if ((symbol = builtin(name)) != NULL)
		return accept_module(symbol, name, "linked in", e);
	if (find(kind, name, path, sizeof(path), e) == -1)
		return NULL;
	return open_file(path, name, e);
}

static void
say(char *out, size_t size, const char *line)
{
	size_t len = strlen(out);

	text_print(out + len, size - len, "%s", line);
}

static bool
offers(const struct popper_module *m, const char *kind)
{
	return strcmp(kind, "auth") == 0 ? m->auth != NULL
	    : strcmp(kind, "drop") == 0	 ? m->drop != NULL
					 : m->ext != NULL;
}

static void
describe(const struct popper_module *m, const char *kind, char *out,
    size_t size)
{
	const struct popper_option *o = m->options;
	char line[768];

	text_print(line, sizeof(line), "%s %s %s: %s\n", kind, m->name,
	    m->version, m->summary);
	say(out, size, line);
	for (; o != NULL && o->name != NULL; o++) {
		text_print(line, sizeof(line), "\t%s = \"%s\"\t%s (%s)\n",
		    o->name, o->fallback == NULL ? "" : o->fallback,
		    o->help == NULL ? "" : o->help,
		    option_kind_name(o->kind));
		say(out, size, line);
	}
}

static void
list_one(const char *kind, const char *name, char *out, size_t size)
{
	struct popper_error e;
	const struct popper_module *m = loader_load(kind, name, &e);
	char line[sizeof(e.text) + 128];

	if (m != NULL) {
		if (offers(m, kind))
			describe(m, kind, out, size);
		return;
	}
	text_print(line, sizeof(line), "%s %s: %s\n", kind, name, e.text);
	say(out, size, line);
}

static int
is_module(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 3 && strcmp(d->d_name + n - 3, ".so") == 0;
}

static void
list_folder(const char *kind, const char *below, char *out, size_t size)
{
	char folder[PATH_MAX];
	struct dirent **d;
	int n;

	if (!text_print(folder, sizeof(folder), "%s/%s%s", modules, kind,
		below) ||
	    (n = scandir(folder, &d, is_module, alphasort)) == -1)
		return;
	for (int i = 0; i < n; i++) {
		d[i]->d_name[strlen(d[i]->d_name) - 3] = '\0';
		if (builtin(d[i]->d_name) == NULL)
			list_one(kind, d[i]->d_name, out, size);
		free(d[i]);
	}
	free(d);
}

void
loader_list(const char *kind, char *out, size_t size)
{
	const lt_dlsymlist *s = lt_preloaded_symbols;
	char name[128];
	const char *end;

	for (; s->name != NULL; s++)
		if ((end = strstr(s->name, "_LTX_" SYMBOL)) != NULL &&
		    text_from_slice(name, sizeof(name),
			popper_slice(s->name, (size_t)(end - s->name))))
			list_one(kind, name, out, size);
	list_folder(kind, "", out, size);
	list_folder(kind, "/.libs", out, size);
}
