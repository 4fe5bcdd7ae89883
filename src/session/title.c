/*
 * title.c - what ps(1) shows of a session: whose it is, from where, and which
 * command it runs.
 *
 * Runs in: popper-session at its start; the session, as the user.
 *
 * Linux shows the memory in which the arguments lay at the start.  Whoever
 * starts popper-session gives it a blank argument to make room.  It costs some
 * octets in memory for each command, and no system call.
 */
#include "session/title.h"

#include <stddef.h>
#include <string.h>

#include <popper/slice.h>

#include "base/text.h"

#define TITLE_MAX 512

static char *room;
static size_t size;
static size_t whose; /* octets that title_set has written */

void
title_room(int argc, char **argv)
{
	if (argc < 1)
		return;
	room = argv[0];
	/* The kernel lays them one behind the other. */
	size = (size_t)(argv[argc - 1] - argv[0]) + strlen(argv[argc - 1]) + 1;
}

void
title_set(const char *user, const char *address)
{
	char plain[TITLE_MAX], title[TITLE_MAX];
	size_t len;

	text_escape(plain, sizeof(plain), popper_slice_text(user));
	text_print(
	    title, sizeof(title), "popper-session: %s [%s]", plain, address);
	len = strlen(title);
	if (size == 0)
		return;
	if (len > size - 1)
		len = size - 1;
	memset(room, 0, size);
	memcpy(room, title, len);
	whose = len;
}

void
title_doing(void *context, const char *keyword)
{
	size_t left = size - whose, len;

	(void)context;
	if (whose == 0)
		return;
	memset(room + whose, 0, left);
	if (keyword == NULL)
		return;
	if (keyword[0] == '\0')
		keyword = "another";
	len = strlen(keyword);
	if (left < len + 3)
		return;
	memcpy(room + whose, ": ", 2);
	memcpy(room + whose + 2, keyword, len);
}
