/*
 * mbox_tell.c - what popperctl index shows of an mbox, compares and renews.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mbox_index_rig.h"
#include "mod/host.h"
#include "modules/drop/mbox_index.h"

struct paper {
	struct popper_sink sink;
	char text[4096];
};

static int
write_down(struct popper_sink *sink, struct popper_slice s)
{
	struct paper *p = (struct paper *)sink;
	size_t len = strlen(p->text);

	assert_true(s.len < sizeof(p->text) - len);
	memcpy(p->text + len, s.ptr, s.len);
	p->text[len + s.len] = '\0';
	return 0;
}

typedef int tell_t(const struct popper_host *, const void *,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

/* What popperctl would show. */
static const char *
told(struct rig *r, tell_t *tell)
{
	static struct paper p;

	p = (struct paper){ .sink = { .put = write_down } };
	rig_close(r);
	assert_int_equal(
	    tell(&host_services, &r->conf, &r->place, &p.sink, &r->error), 0);
	return p.text;
}

static void
damage(struct rig *r, off_t at)
{
	int fd = openat(r->state, INDEX, O_RDWR | O_CLOEXEC);
	char c;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

/* Another length of the first header, and sums that say it is right. */
static void
lie(struct rig *r)
{
	struct mbox_head head;
	struct mbox_record records[4];
	int fd = openat(r->state, INDEX, O_RDWR | O_CLOEXEC);

	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(head.count, 4);
	assert_int_equal(
	    pread(fd, records, sizeof(records), sizeof(head)), sizeof(records));
	records[1].head_len = 7;
	head.sums[MBOX_RECORDS] =
	    mbox_index_sum(MBOX_RECORDS, records, sizeof(records));
	head.sum = mbox_head_sum_of(&head);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, records, sizeof(records), sizeof(head)),
	    sizeof(records));
	assert_int_equal(close(fd), 0);
}

static void
the_administrator_can_look(void **state)
{
	struct rig *r = *state;
	char before[POPPER_UID_MAX + 1], after[POPPER_UID_MAX + 1];
	const char *text;

	rig_put(r, INTERNAL ONE TWIN TWIN);
	assert_non_null(strstr(told(r, r->drop->dump), "none that can"));
	assert_string_equal(told(r, r->drop->check), "");
	assert_false(rig_exists(r, INDEX)); /* neither makes one */
	assert_non_null(strstr(told(r, r->drop->rebuild), "messages=3 "));
	text = told(r, r->drop->dump);
	assert_non_null(strstr(text, "messages=3 "));
	assert_non_null(strstr(text, "uid=-\n1 offset="));
	assert_non_null(strstr(text, " header=25 octets="));
	assert_int_equal(strcmp(text + strlen(text) - 3, ".2\n"), 0);
	assert_string_equal(told(r, r->drop->check), "");
	lie(r);
	text = told(r, r->drop->check);
	assert_non_null(strstr(text, "message 1 is at "));
	assert_non_null(strstr(text, " a header of 25; "));
	assert_non_null(strstr(text, " and 7"));
	assert_non_null(strstr(told(r, r->drop->dump), " header=7 octets="));
	assert_non_null(strstr(told(r, r->drop->rebuild), "messages=3 "));
	rig_open(r);
	rig_uid(r, 2, before);
	rig_close(r);
	damage(r, sizeof(struct mbox_head) + sizeof(struct mbox_record));
	assert_non_null(strstr(told(r, r->drop->check), "behind its head"));
	assert_non_null(strstr(told(r, r->drop->dump), "behind its head"));
	damage(r, 0);
	assert_non_null(strstr(told(r, r->drop->check), "another version"));
	assert_non_null(strstr(told(r, r->drop->rebuild), "messages=3 "));
	assert_string_equal(told(r, r->drop->check), "");
	rig_open(r);
	rig_uid(r, 2, after);
	assert_string_equal(after, before);
	/* What came since is no damage. */
	rig_deliver(r, TWO);
	assert_string_equal(told(r, r->drop->check), "");
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(the_administrator_can_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
