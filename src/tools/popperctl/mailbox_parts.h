/*
 * mailbox_parts.h - what mailbox.c and mailbox_work.c share.
 */
#ifndef POPPERCTL_MAILBOX_PARTS_H
#define POPPERCTL_MAILBOX_PARTS_H

#include "base/settings.h"
#include "conf/modules.h"
#include "tools/popperctl/mailbox.h"

/* What mailbox_start has read and opened. */
struct mailbox_server {
	struct settings settings;
	struct used_modules drops;
	gid_t mail_group;
	bool has_mail_group;
	int states; /* the folder of all state folders */
	bool journaled; /* lines go to the server's log, too */
};

extern struct mailbox_server mailbox_server;

/** mailbox_needs(): POPPER_NEEDS_ bits of all drop modules. */
unsigned mailbox_needs(void);

/** mailbox_refusal(name, text): tell the server's log, if it hears of us, why
 * something was not done for ${name}. */
void mailbox_refusal(const char *name, const char *text);

/** mailbox_work(identity, work): in a child: become the user and do it.  An
 * exit status; what was wrong was told. */
int mailbox_work(const struct popper_identity *, const struct mailbox_work *);

#endif
