/*
 * loader.h - find modules, trust them or not, load them.
 *
 * Only here is libltdl.  Modules are loaded in a warm parent, before any
 * connection, and never unloaded.
 */
#ifndef MOD_LOADER_H
#define MOD_LOADER_H

#include <stddef.h>

#include <popper/module.h>

/** loader_start(folder, error): modules lie in ${folder}/KIND/NAME.so.  0, or
 * -1 with ${error} filled. */
int loader_start(const char *folder, struct popper_error *);

/**
 * loader_load(kind, name, error):
 * The descriptor of module ${name}: one that is linked in, or the file's after
 * its owner and mode, magic, version and size were found good.  NULL: ${error}
 * names the file and the reason.  Asking twice gives the same.
 */
const struct popper_module *loader_load(
    const char *kind, const char *name, struct popper_error *);

/**
 * loader_list(kind, out, size):
 * Append to the text at ${out} (${size} octets in all) one paragraph per
 * module of ${kind} that is linked in or found in the folder: name, version,
 * file, summary, options; or why it is refused.
 */
void loader_list(const char *kind, char *out, size_t size);

#endif
