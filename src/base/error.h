/* error.h - fill a struct popper_error; the host services use these too. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <popper/module.h>

/** error_set(e, status, format, ...): fill ${e}; errno is not looked at.
 * Always -1. */
int error_set(struct popper_error *, enum popper_status, const char *format,
    ...) POPPER_PRINTF(3, 4);

/** error_system(e, status, format, ...): the same, with errno and its text
 * appended as ": text".  Always -1. */
int error_system(struct popper_error *, enum popper_status,
    const char *format, ...) POPPER_PRINTF(3, 4);

/** error_clear(e): no error. */
void error_clear(struct popper_error *);

#endif
