/*
 * mangle.c - messages as one readable text, for clients that know no MIME.
 *
 * Runs in: popper-session, as the user; warm_up in the warm parent when the
 * module is loaded.  What looks into mail is a child: mangle_child.c.
 */
#include "mangle.h"

#include <stdlib.h>

#include "mangle_engine.h"

static const struct popper_option mangle_options[] = {
	POPPER_OPTION(NUMBER, struct mangle_conf, parts, "parts", "1000",
	    "a message of more parts is sent as it is"),
	POPPER_OPTION(NUMBER, struct mangle_conf, depth, "depth", "50",
	    "parts inside each other deeper than that are left out"),
	POPPER_OPTION(OCTETS, struct mangle_conf, text, "text", "4M",
	    "a longer text is sent as it is"),
	POPPER_OPTION(OCTETS, struct mangle_conf, memory, "memory", "48M",
	    "what looking into a message may take; 0: any"),
	POPPER_OPTION(SECONDS, struct mangle_conf, time, "time", "1s",
	    "processor time that a message may take"),
	POPPER_OPTION(OCTETS, struct mangle_conf, largest, "largest", "100M",
	    "a larger message is sent as it is"),
	POPPER_OPTION(OCTETS, struct mangle_conf, keep, "keep", "64M",
	    "results kept in the state folder until the session ends"),
	POPPER_OPTIONS_END,
};

/* GMime and iconv load what they need before there is any mail: children of
 * the warm parent share it. */
static void __attribute__((constructor)) warm_up(void)
{
	mangle_engine_warm();
	mangle_sizes_warm();
}

static int
check(const struct popper_host *host, const struct mangle_conf *c,
    struct popper_error *e)
{
	if (c->parts == 0 || c->parts > 100000)
		return host->fail(
		    e, POPPER_PERMANENT, "mangle: parts must be 1 to 100000");
	if (c->depth == 0 || c->depth > 500)
		return host->fail(
		    e, POPPER_PERMANENT, "mangle: depth must be 1 to 500");
	if (c->time == 0 || c->time > 600)
		return host->fail(
		    e, POPPER_PERMANENT, "mangle: time must be 1s to 10m");
	if (c->text < 1024 || c->text > UINT64_C(1) << 30)
		return host->fail(
		    e, POPPER_PERMANENT, "mangle: text must be 1k to 1G");
	return 0;
}

static int
mangle_start(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *e)
{
	struct mangle *m;

	if (check(host, conf, e) == -1)
		return -1;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return host->fail_system(e, POPPER_TEMPORARY, "mangle");
	m->host = host;
	m->conf = conf;
	m->state = place->state;
	m->always = strcmp(place->suffix, "no-mime") == 0;
	m->spool = (struct mangle_file){ .rw = -1, .ro = -1 };
	m->kept.file = (struct mangle_file){ .rw = -1, .ro = -1 };
	*self = m;
	return 0;
}

static void
mangle_stop(void *self)
{
	struct mangle *m = self;

	if (m == NULL)
		return;
	mangle_kept_free(&m->kept);
	mangle_file_close(&m->spool);
	free(m);
}

static int
mangle_paths(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_allow *allow,
    struct popper_error *e)
{
	const char *folder = mangle_confine_folder();

	(void)conf;
	(void)place;
	if (folder[0] == '\0' ||
	    allow->allow(allow, folder, POPPER_ALLOW_READ) == 0)
		return 0;
	return host->fail_system(e, POPPER_TEMPORARY, "mangle: %s", folder);
}

static bool
mangle_accepts(const void *self, struct popper_slice argument)
{
	(void)self;
	return mangle_arguments_are(argument);
}

/* --- MDEF name(value) --- */

static int
refuse(const struct mangle *m, struct popper_error *e, const char *reply)
{
	(void)m->host->fail(e, POPPER_INVALID, "mangle: MDEF: %s", reply);
	memcpy(e->reply, reply, strlen(reply) + 1);
	return -1;
}

static int
mdef(void *self, const struct popper_call *call, struct popper_error *e)
{
	struct mangle *m = self;
	const struct mangle_macro *macro;

	switch (mangle_macros_define(&m->macros, call->args[0], &macro)) {
	case MANGLE_DEFINED:
		break;
	case MANGLE_TOO_LONG:
		return refuse(m, e, "MDEF name too long");
	case MANGLE_TOO_MANY:
		return refuse(m, e, "Server only takes a maximum of 16 MDEFs");
	case MANGLE_SYNTAX:
		return refuse(m, e, "Syntax error");
	}
	return call->talk->ok(call->talk, "Macro \"%s\" accepted", macro->name);
}

_Static_assert(MANGLE_MACROS_MAX == 16, "the reply says so");

static const struct popper_command mangle_commands[] = {
	{ "MDEF", 1, 1, mdef },
	{ NULL, 0, 0, NULL },
};

static const char *const mangle_capabilities[] = { "X-MANGLE", "X-MACRO",
	NULL };

static const struct popper_ext mangle_ext = {
	.size = sizeof(struct popper_ext),
	.start = mangle_start,
	.stop = mangle_stop,
	.commands = mangle_commands,
	.capabilities = mangle_capabilities,
	.accepts = mangle_accepts,
	.filter = mangle_filter,
	.finish = mangle_finish,
	.paths = mangle_paths,
	.wrap = mangle_wrap_drop,
};

POPPER_MODULE(mangle, .version = "1",
    .summary = "X-MANGLE: messages as one readable text",
    .conf_size = sizeof(struct mangle_conf), .options = mangle_options,
    .ext = &mangle_ext);
