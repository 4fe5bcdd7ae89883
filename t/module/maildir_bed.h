/*
 * maildir_bed.h - a fresh Maildir for each test of the maildir module.
 */
#ifndef MODULE_MAILDIR_BED_H
#define MODULE_MAILDIR_BED_H

#include "bed.h"

#include "../../modules/drop/maildir.h"

extern const struct popper_module maildir_LTX_popper_module;

extern struct maildir_conf conf; /* path is ~/Maildir */
extern struct bed bed;
extern struct popper_error error; /* of the last call */

int maildir_set_up(void **state);
int maildir_tear_down(void **state);

#define MAILDIR_TEST(f) \
	cmocka_unit_test_setup_teardown(f, maildir_set_up, maildir_tear_down)

const struct popper_drop *drop(void);

/** opened(): open the Maildir; it must work. */
void *opened(void);
/** refused(): open it; it must not work.  Returns the status. */
enum popper_status refused(void);

uint64_t octets(void *self, size_t i);
/** uid(self, i): good until the next call but one. */
const char *uid(void *self, size_t i);
unsigned flags(void *self, size_t i);

void expect_content(void *self, size_t i, const char *content, size_t len);
void expect_text(void *self, size_t i, const char *text);

#define FIVE 5

/** make_five(): put five messages into the Maildir, 1.m to 5.m. */
void make_five(void);
/** path_of(i): where message ${i} of them is, counted from 1. */
const char *path_of(unsigned i);

/** commit(self, marks): with one mark for each message. */
enum popper_outcome commit(void *self, const unsigned char *marks);

/** expect_clean_tmp(): nothing of ours may stay in tmp. */
void expect_clean_tmp(void);

/** settled(): open the Maildir, its index being trusted; it is made first. */
void *settled(void);
/** index_read(content, size): its octets, which are fewer than ${size}. */
size_t index_read(char *content, size_t size);
/** index_write(content, len): without touching its inode, as a bad disk would.
 */
void index_write(const char *content, size_t len);

/** fill(p, len, seed): make mail with many CR, LF and dots. */
void fill(char *p, size_t len, uint32_t seed);

#endif
