/* host.h - the services that modules get (popper/module.h). */
#ifndef MOD_HOST_H
#define MOD_HOST_H

#include <popper/module.h>

extern const struct popper_host host_services;

/** host_expand: the service expand, see popper/module.h. */
int host_expand(char *out, size_t size, const char *path,
    const struct popper_identity *, struct popper_error *);

#endif
