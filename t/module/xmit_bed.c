/*
 * xmit_bed.c - XTND XMIT with a client, an attendant and a sendmail made for
 * it.
 *
 * Runs in: tests.
 */
#include "xmit_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const struct popper_module xmit_LTX_popper_module;

struct bed bed;
struct popper_error error;
struct xmit_conf conf;
void *self;
struct xmit x;
static char sendmail[300];
static uint64_t before;
unsigned attended;

const struct popper_ext *
ext(void)
{
	return xmit_LTX_popper_module.ext;
}

void
write_sendmail(const char *body)
{
	char text[2000];

	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\ncd '%s' || exit 99\n%s\n", bed.path, body);
	bed_text(&bed, "sendmail", text);
	assert_int_equal(chmod(bed_path(&bed, "sendmail"), 0755), 0);
}

int
set_up(void **state)
{
	(void)state;
	bed_open(&bed);
	bed.place.server_name = "example.org";
	strcpy(bed.identity.user, "alice");
	write_sendmail("cat >message; echo \"$@\" >arguments");
	(void)snprintf(sendmail, sizeof(sendmail), "%s/sendmail", bed.path);
	conf = (struct xmit_conf){ .sendmail = sendmail,
		.domain = "",
		.size_limit = 100000,
		.recipients = 5,
		.per_session = 100,
		.per_hour = 100,
		.time_limit = 20 };
	x = (struct xmit){
		.host = &bed_host, .conf = &conf, .place = &bed.place
	};
	before = attended = 0;
	memset(&error, 0, sizeof(error));
	return ext()->start(&bed_host, &conf, &bed.place, &self, &error);
}

int
tear_down(void **state)
{
	(void)state;
	ext()->stop(self);
	bed_close(&bed);
	return 0;
}

/* --- The conversation: octets that the client sends. --- */

const char *sent;
size_t sent_len;
static bool last_crlf;

static long
read_line(struct popper_talk *talk, char *buf, size_t size)
{
	const char *lf = memchr(sent, '\n', sent_len);
	size_t len = lf == NULL ? 0 : (size_t)(lf - sent);

	(void)talk;
	if (lf == NULL)
		return POPPER_READ_GONE;
	last_crlf = len > 0 && sent[len - 1] == '\r';
	len -= last_crlf;
	if (len <= size)
		memcpy(buf, sent, len);
	sent_len -= (size_t)(lf + 1 - sent);
	sent = lf + 1;
	return len <= size ? (long)len : POPPER_READ_LONG;
}

static bool
read_crlf(struct popper_talk *talk)
{
	(void)talk;
	return last_crlf;
}

static int
attend(const struct popper_call *call, struct popper_slice request, int fd,
    struct popper_error *e)
{
	const struct popper_errand errand = { .size = sizeof(errand),
		.request = request,
		.fd = fd,
		.before = before++ };

	(void)call;
	attended++;
	return ext()->attend(&bed_host, &conf, &bed.place, &errand, e);
}

/* XTND XMIT, then the ${len} octets at ${octets}. */
int
transmit_octets(const char *octets, size_t len)
{
	struct popper_talk talk = bed_talk;
	const struct popper_call call = { .size = sizeof(call),
		.talk = &talk,
		.view = &bed_view,
		.attend = attend };

	talk.go_ahead = bed_talk.ok;
	talk.read_line = read_line;
	talk.read_crlf = read_crlf;
	sent = octets;
	sent_len = len;
	bed_said[0] = '\0';
	memset(&error, 0, sizeof(error));
	return ext()->commands[0].run(self, &call, &error);
}

int
transmit(const char *text)
{
	return transmit_octets(text, strlen(text));
}

/* What the MTA got, or anything else below the bed. */
const char *
content(const char *name)
{
	static char text[200001];
	FILE *file = fopen(bed_path(&bed, name), "r");
	size_t len;

	if (file == NULL)
		return "(none)";
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

/* Refused for ${why}; no MTA was started, all was read to the dot. */
void
expect_refused(const char *text, const char *why)
{
	assert_int_equal(transmit(text), -1);
	assert_int_equal(error.status, POPPER_INVALID);
	assert_non_null(strstr(error.reply, why));
	assert_string_equal(bed_said, "+OK Start sending message.\n");
	assert_false(bed_exists(&bed, "message"));
	assert_int_equal(sent_len, 0);
}
