/*
 * bulletins_bed.c - a user, a folder of bulletins and sessions.
 *
 * Runs in: tests.
 */
#include "bulletins_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct popper_module bulletins_LTX_popper_module;

struct bed bulletins_bed;
struct bulletins_options bulletins_options;
struct popper_error bulletins_error;
const struct popper_drop *bulletins_inner = &bed_drop;
const struct popper_drop *bulletins_session;
void *bulletins_outer;

static void *self;
static char folder[512];

static const struct popper_ext *
ext(void)
{
	return bulletins_LTX_popper_module.ext;
}

int
bulletins_set_up(void **state)
{
	(void)state;
	bed_open(&bulletins_bed);
	bed_folder(&bulletins_bed, "bulletins");
	(void)snprintf(folder, sizeof(folder), "%s",
	    bed_path(&bulletins_bed, "bulletins"));
	bulletins_options = (struct bulletins_options){ .directory = folder,
		.popbull_directory = "",
		.bulldb = "",
		.max_bulletins = 1,
		.max_size = 10 << 20,
		.bulldb_max_tries = 75,
		.bulldb_nonfatal = true };
	return 0;
}

int
bulletins_tear_down(void **state)
{
	(void)state;
	bed_close(&bulletins_bed);
	return 0;
}

int
bulletins_login(void)
{
	assert_int_equal(ext()->start(&bed_host, &bulletins_options,
			     &bulletins_bed.place, &self, &bulletins_error),
	    0);
	bulletins_session = ext()->wrap(self, bulletins_inner, &bed_drop_self,
	    &bulletins_outer, &bulletins_error);
	if (bulletins_session != NULL)
		return 0;
	ext()->stop(self);
	return -1;
}

void
bulletins_logout(void)
{
	bulletins_session->close(bulletins_outer);
	ext()->stop(self);
	bulletins_session = NULL;
}

size_t
bulletins_count(void)
{
	return bulletins_session->count(bulletins_outer) - 3;
}

enum popper_outcome
bulletins_quit(unsigned delete)
{
	unsigned char marks[64] = { 0 };
	size_t count = bulletins_count();
	struct popper_changes c = {
		.size = sizeof(c), .count = count + 3, .marks = marks
	};
	enum popper_outcome o;

	assert_in_range(count, 0, 32);
	for (size_t i = 0; i < count; i++)
		if (delete &(1u << i))
			marks[3 + i] = POPPER_MARK_DELETED;
	o = bulletins_session->commit(bulletins_outer, &c, &bulletins_error);
	bulletins_logout();
	return o;
}

const char *
bulletins_read(size_t i)
{
	static char text[65536];
	struct popper_message m;
	struct collect c;
	size_t whole;

	assert_int_equal(bulletins_session->describe(bulletins_outer, 3 + i,
			     POPPER_WANT_OCTETS, &m, &bulletins_error),
	    0);
	collect_start(&c);
	assert_int_equal(bulletins_session->read(bulletins_outer, 3 + i, 0,
			     &c.sink, &bulletins_error),
	    0);
	assert_in_range(c.len, 0, sizeof(text) - 1);
	memcpy(text, c.ptr, c.len);
	text[whole = c.len] = '\0';
	assert_int_equal(slow_octets(text, whole), m.octets);
	for (size_t at = 1; at < whole + 2; at = at * 2 + 1) {
		c.len = 0;
		assert_int_equal(bulletins_session->read(bulletins_outer, 3 + i,
				     at, &c.sink, &bulletins_error),
		    0);
		assert_int_equal(c.len, at < whole ? whole - at : 0);
		if (c.len > 0)
			assert_memory_equal(c.ptr, text + at, c.len);
	}
	collect_end(&c);
	return text;
}

const char *
bulletins_uid(size_t i)
{
	static struct popper_message m;

	assert_int_equal(bulletins_session->describe(bulletins_outer, 3 + i,
			     POPPER_WANT_UID, &m, &bulletins_error),
	    0);
	return m.uid;
}

void
bulletins_post(const char *name, const char *subject)
{
	char path[300], text[300];

	(void)snprintf(path, sizeof(path), "bulletins/%s", name);
	(void)snprintf(text, sizeof(text),
	    "From root Mon Jan  1 00:00:00 2001\nTo: all\nSubject: %s\n\n"
	    "Text.\n",
	    subject);
	bed_text(&bulletins_bed, path, text);
}

const char *
bulletins_text(const char *name)
{
	static char text[65536];
	int fd = open(bed_path(&bulletins_bed, name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	assert_int_not_equal(n, -1);
	text[n] = '\0';
	return text;
}

const char *
bulletins_subjects(void)
{
	static char said[4096];
	const char *subject;
	size_t len = 0;

	said[0] = '\0';
	assert_int_equal(bulletins_login(), 0);
	for (size_t i = 0; i < bulletins_count(); i++) {
		subject = strstr(bulletins_read(i), "Subject: ");
		assert_non_null(subject);
		subject += strlen("Subject: ");
		len += (size_t)snprintf(said + len, sizeof(said) - len,
		    "%s%.*s", i == 0 ? "" : ",", (int)strcspn(subject, "\n"),
		    subject);
	}
	bulletins_logout();
	return said;
}
