/*
 * mangle_rig.c - the mangle module with one message, as a session drives it.
 *
 * Runs in: tests.
 */
#include "mangle_rig.h"

#include <string.h>

#include "base/error.h"

struct bed rig_bed;
struct mangle_conf rig_conf;
struct mangle *rig;
struct popper_error rig_error;

static struct collect collected;

static const struct popper_ext *
ext(void)
{
	return mangle_LTX_popper_module.ext;
}

static void
open_session(const char *suffix)
{
	void *self;

	rig_bed.place.suffix = suffix;
	assert_int_equal(ext()->start(&bed_host, &rig_conf, &rig_bed.place,
			     &self, &rig_error),
	    0);
	rig = self;
}

void
rig_restart(const char *suffix)
{
	ext()->stop(rig);
	open_session(suffix);
}

int
rig_start(void **state)
{
	(void)state;
	bed_open(&rig_bed);
	bed_log[0] = '\0';
	rig_conf = (struct mangle_conf){ .parts = 1000,
		.depth = 50,
		.text = 4 << 20,
		.memory = 48 << 20,
		.time = 60,
		.largest = 100 << 20,
		.keep = 64 << 20 };
	collect_start(&collected);
	open_session("");
	return 0;
}

int
rig_stop(void **state)
{
	(void)state;
	ext()->stop(rig);
	collect_end(&collected);
	bed_close(&rig_bed);
	return 0;
}

/* In pieces, as a drop reads. */
static void
pour(struct popper_sink *sink, const char *message)
{
	size_t left = strlen(message), n;

	for (; left > 0; message += n, left -= n) {
		n = left < 1000 ? left : 1000;
		if (sink->put(sink, popper_slice(message, n)) != 0)
			return;
	}
}

const char *
rig_run(const char *command, uint64_t lines, const char *argument,
    const char *message)
{
	const struct popper_request request = { .size = sizeof(request),
		.command = command,
		.argument = popper_slice_text(argument),
		.lines = lines };
	struct popper_sink *sink;
	int result = 0;

	collect_end(&collected);
	collect_start(&collected);
	error_clear(&rig_error);
	sink = ext()->filter(rig, &request, &collected.sink, &rig_error);
	if (sink == NULL)
		return NULL;
	pour(sink, message);
	if (sink != &collected.sink)
		result = ext()->finish(sink, &rig_error);
	if (result == -1)
		return NULL;
	assert_int_equal(
	    collected.sink.put(&collected.sink, popper_slice("", 1)), 0);
	return collected.ptr;
}

const char *
rig_retr(const char *argument, const char *message)
{
	return rig_run("RETR", UINT64_MAX, argument, message);
}

const char *
rig_body(const char *argument, const char *message)
{
	const char *got, *body;

	rig_restart(""); /* nothing is kept */
	got = rig_retr(argument, message);
	assert_non_null(got);
	body = strstr(got, "\n\n");
	assert_non_null(body);
	return body + 2;
}
