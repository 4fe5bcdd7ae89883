/*
 * xmit_bed.h - XTND XMIT with a client, an attendant and a sendmail made for
 * it.
 */
#ifndef MODULE_XMIT_BED_H
#define MODULE_XMIT_BED_H

#include "ext_bed.h"

#include "modules/ext/xmit.h"

extern struct bed bed;
extern struct popper_error error;
extern struct xmit_conf conf;
extern struct xmit x;
extern void *self;

/* What the client has left to send. */
extern const char *sent;
extern size_t sent_len;

extern unsigned attended; /* errands so far */

const struct popper_ext *ext(void);

/** write_sendmail(body): the MTA is a shell script in the bed's folder.  As a
 * rule it writes the files "message" and "arguments". */
void write_sendmail(const char *body);

int set_up(void **state);
int tear_down(void **state);

/** transmit(text): XTND XMIT, then what the client sends; what the command
 * returns. */
int transmit(const char *text);
int transmit_octets(const char *octets, size_t len);

/** content(name): of a file in the bed's folder; good until the next call. */
const char *content(const char *name);

/** expect_refused(text, why): it was, for ${why}; no MTA was started, and all
 * was read to the dot. */
void expect_refused(const char *text, const char *why);

#define HEAD "From: alice@example.org\r\nTo: bob@example.net\r\n"
#define GOOD "+OK Start sending message.\n+OK Message sent successfully\n"

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
