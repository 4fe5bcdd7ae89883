/*
 * ext_bulletins_crash.c - a session is killed at each of its writes, and
 * halfway through each.
 *
 * Runs in: tests.
 *
 * The program's own write() stands before the C library's, for GDBM as for the
 * module.  Whatever was written by then: the user who was killed and all others
 * get what they have not had, and nothing twice.
 */
#include "bulletins_bed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bulletins_db.h"

#define USERS 3
#define SEEDED 300
#define INSERTED 60
#define LIMIT 5000 /* writes; a sweep ends long before */

/* Of the child: die at this write, 0 for none. */
static unsigned fatal;
static bool halfway;

__attribute__((visibility("default"))) ssize_t
write(int fd, const void *octets, size_t len)
{
	if (fatal == 1 && !halfway)
		(void)kill(getpid(), SIGKILL);
	if (fatal == 1) {
		(void)syscall(SYS_write, fd, octets, len / 2);
		(void)kill(getpid(), SIGKILL);
	}
	if (fatal > 0)
		fatal--;
	return syscall(SYS_write, fd, octets, len);
}

static char folder[300];

static int
set_up(void **state)
{
	(void)bulletins_set_up(state);
	bed_folder(&bulletins_bed, "db");
	(void)snprintf(
	    folder, sizeof(folder), "%s", bed_path(&bulletins_bed, "db"));
	bulletins_bed.identity.home[0] = '\0';
	bed_text(&bulletins_bed, "db/bulldb", "");
	return 0;
}

/* Who logs in next. */
static void
become(int who)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "state-%d", who);
	(void)snprintf(bulletins_bed.identity.user,
	    sizeof(bulletins_bed.identity.user), "user%d", who);
	if (!bed_exists(&bulletins_bed, name))
		bed_folder(&bulletins_bed, name);
	(void)close(bulletins_bed.place.state);
	bulletins_bed.place.state = open(
	    bed_path(&bulletins_bed, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(bulletins_bed.place.state, -1);
}

/* Run ${f} in a child that dies at write ${at}.  False: it came to its end. */
static bool
dies(void (*f)(void), unsigned at)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		fatal = at;
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(status, 0);
	return false;
}

/* The database, to begin each round with the same one. */
static char *saved;
static size_t saved_len;

static void
save(void)
{
	struct stat st;
	int fd =
	    open(bed_path(&bulletins_bed, "db/bulldb"), O_RDONLY | O_CLOEXEC);

	assert_int_equal(fstat(fd, &st), 0);
	saved_len = (size_t)st.st_size;
	assert_non_null(saved = malloc(saved_len));
	assert_int_equal(read(fd, saved, saved_len), saved_len);
	(void)close(fd);
}

static void
restore(void)
{
	bed_file(&bulletins_bed, "db/bulldb", saved, saved_len);
}

/* --- A login that gets a bulletin. --- */

static void
login_and_break(void)
{
	if (bulletins_login() == 0)
		bulletins_logout();
}

static void
login_and_delete(void)
{
	if (bulletins_login() == 0)
		(void)bulletins_quit(1);
}

/* All have had bulletin 5 and deleted it. */
static void
have_had_five(void)
{
	for (int who = 0; who < USERS; who++) {
		become(who);
		(void)unlink(bed_path(&bulletins_bed, "bulletins/6"));
		bulletins_post("5", "five");
		if (bulletins_login() == 0)
			(void)bulletins_quit(1);
		assert_string_equal(bulletins_subjects(), "");
	}
	bulletins_post("6", "six");
}

static void
forget(void)
{
	char name[40];

	for (int who = 0; who < USERS; who++) {
		(void)snprintf(name, sizeof(name), "state-%d/bulletins", who);
		(void)unlink(bed_path(&bulletins_bed, name));
	}
	bed_text(&bulletins_bed, "db/bulldb", "");
}

/* Die at each write of ${f} in turn; then everybody must see six, or, if
 * ${f} deletes it, the first user may have done so. */
static void
sweep(void (*f)(void), bool deletes, bool with_db)
{
	const char *seen;
	unsigned at = 1;
	bool died = true;

	bulletins_options.bulldb = with_db ? folder : "";
	bulletins_options.bulldb_nonfatal = false;
	bulletins_post("6", "six");
	for (; died && at < LIMIT; at++) {
		forget();
		have_had_five();
		become(0);
		died = dies(f, at);
		for (int who = 0; who < USERS; who++) {
			become(who);
			seen = bulletins_subjects();
			if (deletes && who == 0 && *seen == '\0')
				continue;
			if (strcmp(seen, "six") != 0)
				fail_msg("killed at write %u: user%d sees "
					 "\"%s\"",
				    at, who, seen);
		}
		become(0);
		assert_int_equal(bulletins_login(), 0);
		assert_int_equal(bulletins_quit(1), POPPER_DONE);
		assert_string_equal(bulletins_subjects(), "");
	}
	assert_in_range(at, 3, LIMIT - 1);
	(void)printf("# %s: %u writes, killed at each%s\n",
	    with_db ? "bulldb" : "state folder", at - 2,
	    halfway ? ", halfway through" : "");
}

static void
a_login_killed_anywhere(void **state)
{
	(void)state;
	for (int with_db = 0; with_db <= 1; with_db++) {
		sweep(login_and_break, false, with_db);
		sweep(login_and_delete, true, with_db);
	}
}

static void
a_login_killed_halfway_through_a_write(void **state)
{
	(void)state;
	halfway = true;
	sweep(login_and_break, false, true);
	sweep(login_and_delete, true, true);
	halfway = false;
}

/* --- The database alone, with many users whose state folders are empty. --- */

static void
insert(void)
{
	const struct bulletins_db db = { &bed_host, folder, 75,
		bulletins_bed.place.state };
	struct popper_error e;
	char user[32];

	for (int i = 0; i < INSERTED; i++) {
		(void)snprintf(user, sizeof(user), "a-new-user-%d", i);
		(void)bulletins_db_put(&db, user, 1000 + i, &e);
	}
}

/* How many of ${count} are lost; a number that is wrong is a failure. */
static unsigned
lost(const char *pattern, int count, int first)
{
	const struct bulletins_db db = { &bed_host, folder, 75,
		bulletins_bed.place.state };
	struct popper_error e;
	unsigned gone = 0;
	int64_t number;
	char user[32];
	int found;

	for (int i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "%s-%d", pattern, i);
		found = bulletins_db_get(&db, user, &number, &e);
		if (found == -1)
			fail_msg("%s: %s", user, e.text);
		if (found == 0)
			gone++;
		else
			assert_int_equal(number, first + i);
	}
	return gone;
}

static void
inserting_killed_anywhere(bool half)
{
	const struct bulletins_db db = { &bed_host, folder, 75,
		bulletins_bed.place.state };
	unsigned at = 1, damaged = 0, gone, most = 0;
	struct popper_error e;
	bool died = true;
	char user[32];

	for (int i = 0; i < SEEDED; i++) {
		(void)snprintf(user, sizeof(user), "old-user-%d", i);
		assert_int_equal(bulletins_db_put(&db, user, i, &e), 0);
	}
	save();
	halfway = half;
	for (; died && at < LIMIT; at++) {
		restore();
		bed_log[0] = '\0';
		died = dies(insert, at);
		gone = lost("old-user", SEEDED, 0);
		(void)lost("a-new-user", INSERTED, 1000);
		assert_int_equal(bulletins_db_put(&db, "old-user-0", 0, &e), 0);
		damaged += bed_logged("made anew") > 0;
		/* Nobody is lost unless it had to be made anew. */

		if (gone > 0)
			assert_int_equal(bed_logged("made anew"), 1);
		most = gone > most ? gone : most;
	}
	halfway = false;
	free(saved);
	assert_in_range(at, 3, LIMIT - 1);
	(void)printf("# %d inserted: %u writes, killed at each%s: made anew "
		     "%u times, of %d users at most %u lost\n",
	    INSERTED, at - 2, half ? ", halfway through" : "", damaged, SEEDED,
	    most);
}

static void
many_inserted_and_killed(void **state)
{
	(void)state;
	inserting_killed_anywhere(false);
}

static void
many_inserted_and_killed_halfway(void **state)
{
	(void)state;
	inserting_killed_anywhere(true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bulletins_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_login_killed_anywhere),
		TEST(a_login_killed_halfway_through_a_write),
		TEST(many_inserted_and_killed),
		TEST(many_inserted_and_killed_halfway),
	};

	return cmocka_run_group_tests_name(
	    "ext_bulletins_crash", tests, NULL, NULL);
}
