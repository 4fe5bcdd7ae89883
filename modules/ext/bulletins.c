/*
 * bulletins.c - the module: messages of a folder for every user, once.
 *
 * Runs in: the session, as the user.
 */
#include "bulletins.h"

#include <stdlib.h>

static const struct popper_option options[] = {
	POPPER_OPTION(TEXT, struct bulletins_conf, directory, "directory", "",
	    "folder of the bulletins"),
	POPPER_OPTION(NUMBER, struct bulletins_conf, max_bulletins,
	    "max-bulletins", "1", "how many of the newest a new user gets"),
	POPPER_OPTION(BOOL, struct bulletins_conf, group_bulletins,
	    "group-bulletins", "no", "NUMBER.GROUP.TEXT is for that group"),
	POPPER_OPTION(TEXT, struct bulletins_conf, popbull_directory,
	    "popbull-directory", "",
	    "instead of ~/.popbull: USER.popbull in it"),
	POPPER_OPTION(TEXT, struct bulletins_conf, bulldb, "bulldb", "",
	    "instead of such files: folder of the database bulldb"),
	POPPER_OPTION(BOOL, struct bulletins_conf, bulldb_nonfatal,
	    "bulldb-nonfatal", "yes", "log in although bulldb cannot be had"),
	POPPER_OPTION(NUMBER, struct bulletins_conf, bulldb_max_tries,
	    "bulldb-max-tries", "75", "of 250 ms, until bulldb is free"),
	POPPER_OPTION(OCTETS, struct bulletins_conf, max_size, "max-size",
	    "10M", "larger bulletins are not shown"),
	POPPER_OPTIONS_END
};

/* Sub-mailboxes have none; the folder may not be set up yet. */
static bool
wanted(const struct bulletins *b)
{
	return b->conf->directory[0] != '\0' &&
	    b->place->identity->folder[0] == '\0';
}

static int
paths(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_allow *allow,
    struct popper_error *e)
{
	const struct bulletins b = {
		.host = host, .conf = conf, .place = place
	};

	if (!wanted(&b))
		return 0;
	if (b.conf->group_bulletins)
		bulletins_groups_learn(place);
	if (allow->allow(allow, b.conf->directory, POPPER_ALLOW_READ) == 0 &&
	    bulletins_number_paths(&b, allow, e) == 0)
		return 0;
	return host->fail(
	    e, POPPER_TEMPORARY, "bulletins: a path cannot be allowed");
}

static int
start(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *e)
{
	struct bulletins *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "bulletins");
	b->host = host;
	b->conf = conf;
	b->place = place;
	b->folder.fd = -1;
	bulletins_address(
	    b->to, sizeof(b->to), place->identity->user, place->server_name);
	*self = b;
	if (b->conf->directory[0] == '\0')
		host->log(POPPER_LOG_WARNING,
		    "bulletins: the option directory is not set, so there are "
		    "none");
	return 0;
}

static const struct popper_drop *
wrap(void *self, const struct popper_drop *inner, void *inner_self,
    void **outer, struct popper_error *e)
{
	struct bulletins *b = self;

	if (!wanted(b)) {
		*outer = inner_self;
		return inner;
	}
	/* Without a sandbox nobody has asked for paths. */
	if (b->conf->group_bulletins)
		bulletins_groups_learn(b->place);
	if (bulletins_number_paths(b, NULL, e) == -1 ||
	    bulletins_open(b, e) == -1)
		return NULL;
	b->inner = inner;
	b->inner_self = inner_self;
	b->inner_count = inner->count(inner_self);
	*outer = b;
	return &bulletins_drop;
}

static void
stop(void *self)
{
	struct bulletins *b = self;

	if (b == NULL)
		return;
	bulletins_folder_close(&b->folder);
	free(b->list.held);
	free(b->shown);
	free(b);
}

static const struct popper_ext ext = {
	.size = sizeof(struct popper_ext),
	.start = start,
	.stop = stop,
	.paths = paths,
	.wrap = wrap,
};

POPPER_MODULE(bulletins, .version = "1",
    .summary = "messages for every user, from a folder",
    .conf_size = sizeof(struct bulletins_conf), .options = options,
    .ext = &ext);
