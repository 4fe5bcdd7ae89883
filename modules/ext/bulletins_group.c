/*
 * bulletins_group.c - bulletins for the members of a group.
 *
 * Runs in: the session, as the user.
 *
 * The groups are looked up once, before the session is shut off, by the user's
 * name and group; a bulletin is then a matter of comparing names.
 */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulletins.h"

#define GROUPS_MAX 256
#define EVERYBODY "ALL"

/* A session is a process. */
static struct {
	bool learnt;
	size_t count;
	char *names[GROUPS_MAX];
} groups;

static void
add(gid_t gid)
{
	const struct group *g = getgrgid(gid);
	char *name = g == NULL ? NULL : strdup(g->gr_name);

	if (name != NULL && groups.count < GROUPS_MAX)
		groups.names[groups.count++] = name;
	else
		free(name);
}

void
bulletins_groups_learn(const struct popper_place *place)
{
	const struct popper_identity *i = place->identity;
	gid_t gids[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (groups.learnt)
		return;
	groups.learnt = true;
	/* A virtual user's name may be that of somebody else's account. */
	if ((i->flags & POPPER_IDENTITY_VIRTUAL) != 0 ||
	    getgrouplist(i->user, i->gid, gids, &count) == -1) {
		gids[0] = i->gid;
		count = 1;
	}
	for (int k = 0; k < count; k++)
		add(gids[k]);
}

bool
bulletins_is_for(const char *name)
{
	const char *dot = strchr(name, '.'), *group;
	size_t len;

	if (dot == NULL)
		return true; /* a number and no more: for everybody */
	group = dot + 1;
	len = strcspn(group, ".");
	if (len == strlen(EVERYBODY) && memcmp(group, EVERYBODY, len) == 0)
		return true;
	for (size_t i = 0; i < groups.count; i++)
		if (strlen(groups.names[i]) == len &&
		    memcmp(groups.names[i], group, len) == 0)
			return true;
	return false;
}
