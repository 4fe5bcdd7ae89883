/* test_spawner.c - src/session/spawner.c and attendant.c: what sessions may do
 * to them. */
#define _GNU_SOURCE /* prlimit */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "session/errand.h"
#include "session/spawner.h"
#include "session/state.h"
#include "obedient.h"

/* The user, if we are root. */
#define SOMEBODY 61001

/* --- The parent. --- */

static struct service service;
static struct counters counters;
static struct equipment equipment;
static struct spawner spawner;
static struct opening opening;
static struct popper_error e;
static char folder[] = "/tmp/popper-spawner.XXXXXX";

/* Numbers that service_fork() closes in its child shall not be ours. */
static void
occupy(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd < 12);
}

static int
group_set_up(void **state)
{
	(void)state;
	occupy();
	if (mkdtemp(folder) == NULL || chmod(folder, 0711) == -1)
		return -1;
	service =
	    (struct service){ .settings = &settings, .counters = &counters };
	equipment = (struct equipment){ .service = &service,
		.state_root = state_root(folder, &e) };
	for (size_t i = 0; i < 3; i++)
		equipment.exts.used[equipment.exts.count++] =
		    (struct used_module){ .module = &module[i],
			    .conf = &settings };
	text_copy(opening.identity.user, sizeof(opening.identity.user), "bob");
	text_copy(opening.client, sizeof(opening.client), "192.0.2.1");
	opening.identity.uid = geteuid() == 0 ? SOMEBODY : geteuid();
	opening.identity.gid = geteuid() == 0 ? SOMEBODY : getegid();
	opening.ahead = S("PASS secret\r\n");
	return equipment.state_root == -1 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
group_tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The lowest descriptor that is one test's own. */
static int lowest;

static int
start(void **state)
{
	(void)state;
	spawner_start(&spawner, &service, &equipment);
	lowest = spawner.channel;
	return spawner.channel == -1 ? -1 : 0;
}

/* It ends once there is no parent and no session: a test that failed left its
 * sessions open. */
static int
stop(void **state)
{
	int status;

	(void)state;
	spawner_forget(&spawner);
	if (close_range((unsigned)lowest, ~0u, 0) == -1)
		return -1;
	if (waitpid(spawner.pid, &status, 0) != spawner.pid)
		return -1;
	return status;
}

/* --- A session. --- */

static int
admitted(void)
{
	int channel = spawner_admit(&spawner, &opening);

	assert_true(channel != -1);
	return channel;
}

static void
ask(int channel, const char *name, struct popper_slice request, int fd)
{
	struct errand x = { .request = request };

	text_copy(x.module, sizeof(x.module), name);
	assert_int_equal(errand_send(channel, &x, fd), 0);
}

/* The next answer; false: nobody is there any more. */
static bool
answered(int channel)
{
	int r = errand_wait(channel, deadline_in(60000), &e);

	assert_int_not_equal(r, 0);
	return r == 1;
}

static void
is_good(int channel)
{
	ask(channel, "able", S(""), -1);
	assert_true(answered(channel));
	assert_int_equal(e.status, POPPER_OK);
}

/* --- The tests. --- */

static void
errands_are_done_as_the_user(void **state)
{
	int channel = admitted();
	char want[100];

	(void)state;
	ask(channel, "able", S("who"), -1);
	assert_true(answered(channel));
	assert_int_equal(e.status, POPPER_DENIED);
	snprintf(want, sizeof(want), "%u %u bob 192.0.2.1 pop.example.org",
	    (unsigned)opening.identity.uid, (unsigned)opening.identity.uid);
	assert_string_equal(e.text, want);
	is_good(channel);
	ask(channel, "able", S("nothing"), -1);
	assert_true(answered(channel));
	assert_int_equal(e.status, POPPER_PERMANENT);
	close(channel);
}

static void
attendants_have_few_descriptors(void **state)
{
	int other = admitted(), channel = admitted();

	(void)state;
	is_good(other);
	ask(channel, "able", S("descriptors"), -1);
	assert_true(answered(channel));
	/* Standard ones, the log, the channel, the state folder. */
	assert_string_equal(e.text, "0 1 2 3 4 6 ");
	ask(channel, "able", S("file"), -1);
	assert_true(answered(channel));
	assert_string_equal(e.text, "-1");
	ask(channel, "able", S("file"), 5); /* /dev/null */
	assert_true(answered(channel));
	assert_string_equal(e.text, "0");
	close(channel);
	close(other);
}

static void
who_somebody_is_cannot_be_said_again(void **state)
{
	static struct wire w;
	struct opening root = opening;
	int channel = admitted();

	(void)state;
	/* What only the parent may say, by the session's channel. */
	root.identity.uid = 0;
	text_copy(root.identity.user, sizeof(root.identity.user), "root");
	opening_put(&w, &root);
	assert_int_equal(wire_send(&w, channel, NULL, 0), 0);
	assert_false(answered(channel));
	close(channel);
	/* And what it says itself does not make it root. */
	assert_true((channel = spawner_admit(&spawner, &root)) != -1);
	ask(channel, "able", S("who"), -1);
	assert_false(answered(channel));
	close(channel);
}

static void
nonsense_ends_the_channel_only(void **state)
{
	static char octets[WIRE_MAX + 10];
	int other = admitted(), channel, fds[2] = { 0, 0 };

	(void)state;
	for (size_t len = 1; len < sizeof(octets); len = len * 3 + 1) {
		channel = admitted();
		memset(octets, (int)(len * 77), sizeof(octets));
		assert_int_equal(fd_send(channel, octets, len, NULL, 0), 0);
		assert_false(answered(channel));
		assert_int_equal(fd_send(channel, octets, len, NULL, 0), -1);
		close(channel);
	}
	channel = admitted();
	assert_int_equal(fd_send(channel, octets, 10, fds, 2), 0);
	assert_false(answered(channel));
	close(channel);
	is_good(other);
	close(other);
}

static void
only_modules_that_have_attendants(void **state)
{
	static const char *const none[] = { "unable", "older", "", "able2" };
	int channel = admitted();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ask(channel, none[i], S("who"), -1);
		assert_true(answered(channel));
		assert_int_equal(e.status, POPPER_PERMANENT);
	}
	close(channel);
}

static void
crashes_are_one_sessions(void **state)
{
	int other = admitted(), channel;

	(void)state;
	for (int i = 0; i < 2; i++) {
		channel = admitted();
		is_good(channel);
		ask(channel, "able", i == 0 ? S("crash") : S("xit"), -1);
		assert_false(answered(channel));
		close(channel);
	}
	is_good(other);
	close(other);
	channel = admitted();
	is_good(channel);
	close(channel);
}

static void
errands_are_done_one_by_one(void **state)
{
	char want[10];
	int channel = admitted();

	(void)state;
	for (int i = 0; i < 5; i++)
		ask(channel, "able", S("before"), -1);
	for (int i = 0; i < 5; i++) {
		assert_true(answered(channel));
		snprintf(want, sizeof(want), "%d", i);
		assert_string_equal(e.text, want);
	}
	/* One that does not wait for its answer is no harm. */
	ask(channel, "able", S("before"), -1);
	close(channel);
	channel = admitted();
	is_good(channel);
	assert_int_equal(shutdown(channel, SHUT_WR), 0);
	close(channel);
}

static void
errands_are_counted(void **state)
{
	struct errand x = { .module = "able" };
	int channel = admitted();

	(void)state;
	for (int i = 0; i < 1000; i++)
		is_good(channel);
	if (errand_send(channel, &x, -1) == 0)
		assert_false(answered(channel));
	close(channel);
}

static void
many_sessions_come_and_go(void **state)
{
	int channel[200];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		channel[i] = admitted();
	for (size_t i = 0; i < 200; i += 20)
		is_good(channel[i]);
	for (size_t i = 0; i < 200; i++)
		close(channel[i]);
	channel[0] = admitted();
	is_good(channel[0]);
	close(channel[0]);
}

/* Who finds no room goes without, and the others and later ones do not. */
static void
too_many_are_turned_away(void **state)
{
	const struct rlimit few = { .rlim_cur = 24, .rlim_max = 24 };
	struct errand x = { .module = "able" };
	size_t turned_away = 0;
	int channel[30];

	(void)state;
	channel[0] = admitted();
	is_good(channel[0]);
	assert_int_equal(prlimit(spawner.pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (size_t i = 1; i < 30; i++)
		channel[i] = admitted();
	for (size_t i = 1; i < 30; i++)
		if (errand_send(channel[i], &x, -1) == -1 ||
		    !answered(channel[i]))
			turned_away++;
	/* Which ones depends on when the first attendant is gone. */
	assert_in_range(turned_away, 29 - 24, 28);
	for (size_t i = 1; i < 30; i++)
		close(channel[i]);
	is_good(channel[0]);
	close(channel[0]);
	channel[0] = admitted();
	is_good(channel[0]);
	close(channel[0]);
}

/* Sessions outlive their parent, and the spawner them. */
static void
sessions_that_stay_keep_it(void **state)
{
	int channel = admitted(), gone;

	(void)state;
	is_good(channel);
	spawner_forget(&spawner);
	assert_int_equal(spawner_admit(&spawner, &opening), -1);
	is_good(channel);
	assert_int_equal(waitpid(spawner.pid, &gone, WNOHANG), 0);
	close(channel);
}

/* All of popper is told to stop: only the parent keeps it then. */
static void
it_stops_with_its_parent(void **state)
{
	struct errand x = { .module = "able" };
	int channel = admitted();

	(void)state;
	is_good(channel);
	assert_int_equal(kill(spawner.pid, SIGTERM), 0);
	is_good(channel);
	spawner_forget(&spawner);
	if (errand_send(channel, &x, -1) == 0 && answered(channel) &&
	    errand_send(channel, &x, -1) == 0) /* it was on its way */
		assert_false(answered(channel));
	close(channel);
}

static void
nobody_wants_one(void **state)
{
	static struct equipment none;
	struct spawner s;

	(void)state;
	none = equipment;
	none.exts.count = 2;
	none.exts.used[0].module = &module[1];
	none.exts.used[1].module = &module[2];
	spawner_start(&s, &service, &none);
	assert_int_equal(s.channel, -1);
	assert_int_equal(spawner_admit(&s, &opening), -1);
	spawner_forget(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(errands_are_done_as_the_user),
		TEST(attendants_have_few_descriptors),
		TEST(who_somebody_is_cannot_be_said_again),
		TEST(nonsense_ends_the_channel_only),
		TEST(only_modules_that_have_attendants),
		TEST(crashes_are_one_sessions),
		TEST(errands_are_done_one_by_one),
		TEST(errands_are_counted),
		TEST(many_sessions_come_and_go),
		TEST(too_many_are_turned_away),
		TEST(sessions_that_stay_keep_it),
		TEST(it_stops_with_its_parent),
		cmocka_unit_test(nobody_wants_one),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
