/*
 * waste_rig.h - sessions with an mbox of messages A, B, C and D that may be
 * gone and still there.
 */
#ifndef MODULE_WASTE_RIG_H
#define MODULE_WASTE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "mbox_index_rig.h"

#define A FROM_A "Subject: A\n\nText of A\n\n"
#define B FROM_B "Subject: B\n\nText of B\n\n"
#define C FROM_B "Subject: C\n\nText of C\n\n"
#define D FROM_A "Subject: D\n\nText of D\n\n"

static void
session(struct rig *r, const char *marks)
{
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	rig_close(r);
}

/* The next session sees the messages with these first words of the subject. */
static void
expect_shown(struct rig *r, const char *subjects)
{
	struct popper_slice text;
	struct popper_message message;
	uint64_t octets, sum = 0;
	char got[32];
	size_t i;

	rig_open(r);
	assert_int_equal(r->drop->count(r->self), strlen(subjects));
	for (i = 0; i < strlen(subjects); i++) {
		text = rig_read(r, i, 0);
		got[i] = strstr(text.ptr, "Subject: ")[9];
		free((void *)(uintptr_t)text.ptr);
		assert_int_equal(r->drop->describe(r->self, i,
				     POPPER_WANT_OCTETS, &message, &r->error),
		    0);
		sum += message.octets;
	}
	got[i] = '\0';
	assert_string_equal(got, subjects);
	assert_int_equal(r->drop->total(r->self, &octets, &r->error), 0);
	assert_int_equal(octets, sum);
	rig_close(r);
}

#endif
