/* import.h - secrets from the first popper's databases. */
#ifndef POPAUTH_IMPORT_H
#define POPAUTH_IMPORT_H

#include "tools/popauth/popauth.h"

/**
 * import_database(p, args, count): the sub-command "import FILE".
 * FILE is a GDBM database, or the name of an ndbm pair: FILE.pag is read,
 * FILE.dir is not needed.  Says on standard output, a line for each user,
 * what was taken and what was not.  FILE is only read.
 */
int import_database(const struct popauth *, char *const *args, int count);

#endif
