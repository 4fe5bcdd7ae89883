/*
 * ext_bulletins_db.c - bulldb: whoever wrote it, whoever holds it.
 *
 * Runs in: tests.
 */
#include "bulletins_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bulletins_db.h"

#define AT_ONCE 50
#define ROUNDS 20

static char folder[300], path[320];

static int
set_up(void **state)
{
	(void)bulletins_set_up(state);
	bed_folder(&bulletins_bed, "db");
	(void)snprintf(
	    folder, sizeof(folder), "%s", bed_path(&bulletins_bed, "db"));
	(void)snprintf(path, sizeof(path), "%s/bulldb", folder);
	bulletins_options.bulldb = folder;
	bulletins_options.bulldb_nonfatal = false;
	bulletins_options.bulldb_max_tries = 1;
	bed_text(&bulletins_bed, "db/bulldb", "");
	return 0;
}

/* Put a record in as another program would. */
static void
put(const char *file, const char *user, const void *value, size_t len)
{
	char name[64], octets[16];
	datum key = { name, (int)strlen(user) + 1 };
	datum content = { octets, (int)len };
	GDBM_FILE db = gdbm_open(file, 0, GDBM_WRCREAT, 0600, NULL);

	assert_non_null(db);
	(void)snprintf(name, sizeof(name), "%s", user);
	memcpy(octets, value, len);
	assert_int_equal(gdbm_store(db, key, content, GDBM_REPLACE), 0);
	assert_int_equal(gdbm_close(db), 0);
}

/* The value of a record, and its length. */
static size_t
get(const char *user, unsigned char out[16])
{
	char name[64];
	datum key = { name, (int)strlen(user) + 1 }, value;
	GDBM_FILE db = gdbm_open(path, 0, GDBM_READER, 0, NULL);

	assert_non_null(db);
	(void)snprintf(name, sizeof(name), "%s", user);
	value = gdbm_fetch(db, key);
	(void)gdbm_close(db);
	if (value.dptr == NULL)
		return 0;
	assert_in_range(value.dsize, 1, 16);
	memcpy(out, value.dptr, (size_t)value.dsize);
	free(value.dptr);
	return (size_t)value.dsize;
}

static void
expect_stored(const char *user, long number)
{
	unsigned char octets[16];

	assert_int_equal(get(user, octets), sizeof(number));
	assert_memory_equal(octets, &number, sizeof(number));
}

/* --- Formats. --- */

static void
a_new_user_is_put_in(void **state)
{
	(void)state;
	bulletins_post("6", "six");
	bulletins_post("7", "seven");
	assert_string_equal(bulletins_subjects(), "seven");
	expect_stored("alice", 7);
	assert_null(bulletins_text(".popbull"));
	bulletins_post("8", "eight");
	assert_string_equal(bulletins_subjects(), "seven,eight");
	expect_stored("alice", 8);
}

static void
qpoppers_longs_are_continued(void **state)
{
	const int32_t half = 6;
	const unsigned char other[8] = { 0, 0, 0, 0, 0, 0, 0, 6 };
	unsigned char octets[16];

	(void)state;
	put(path, "alice", &half, sizeof(half));
	bulletins_post("6", "six");
	bulletins_post("7", "seven");
	assert_string_equal(bulletins_subjects(), "seven");
	assert_int_equal(get("alice", octets), 4);
	assert_int_equal(octets[0] + octets[3], 7);
	/* A number that does not fit any more gets a longer one. */
	bulletins_post("20030412001", "late");
	assert_string_equal(bulletins_subjects(), "seven,late");
	expect_stored("alice", 20030412001);
	/* Written with the other byte order. */
	put(path, "alice", other, sizeof(other));
	bed_remove(&bulletins_bed, "state/bulletins");
	assert_string_equal(bulletins_subjects(), "seven,late");
	/* Of no length that a long has: as if there were none. */
	put(path, "alice", other, 3);
	bed_remove(&bulletins_bed, "state/bulletins");
	assert_string_equal(bulletins_subjects(), "late");
	expect_stored("alice", 20030412001);
}

static void
ndbms_pag_of_gdbm_is_used(void **state)
{
	const long six = 6;

	(void)state;
	bed_remove(&bulletins_bed, "db/bulldb");
	(void)snprintf(path, sizeof(path), "%s/bulldb.pag", folder);
	put(path, "alice", &six, sizeof(six));
	bulletins_post("6", "six");
	bulletins_post("7", "seven");
	assert_string_equal(bulletins_subjects(), "seven");
	expect_stored("alice", 7);
}

static void
popbull_is_continued(void **state)
{
	(void)state;
	bed_text(&bulletins_bed, ".popbull", "5\n");
	bulletins_post("5", "five");
	bulletins_post("6", "six");
	bulletins_post("7", "seven");
	assert_string_equal(bulletins_subjects(), "six,seven");
	expect_stored("alice", 7);
	assert_string_equal(bulletins_text(".popbull"), "5\n");
	/* Once he is in the database the file counts no more. */
	bed_text(&bulletins_bed, ".popbull", "0\n");
	assert_string_equal(bulletins_subjects(), "six,seven");
}

static void
a_lost_record_is_known_from_the_state_folder(void **state)
{
	(void)state;
	bulletins_post("6", "six");
	bulletins_options.max_bulletins = 5;
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	bed_text(&bulletins_bed, "db/bulldb", "");
	assert_string_equal(bulletins_subjects(), "");
	expect_stored("alice", 6);
}

/* --- What cannot be used. --- */

static void
expect_fatal(const char *why)
{
	const bool before = bulletins_options.bulldb_nonfatal;

	bulletins_options.bulldb_nonfatal = false;
	assert_int_equal(bulletins_login(), -1);
	assert_int_equal(bulletins_error.status, POPPER_TEMPORARY);
	assert_non_null(strstr(bulletins_error.text, why));
	bulletins_options.bulldb_nonfatal = true;
	(void)unlink(bed_path(&bulletins_bed, "state/bulletins"));
	bed_log[0] = '\0';
	assert_string_equal(bulletins_subjects(), "");
	assert_int_equal(bed_logged(why), 1);
	bulletins_options.bulldb_nonfatal = before;
}

static void
one_that_is_not_there(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	bed_remove(&bulletins_bed, "db/bulldb");
	expect_fatal("popperctl bulletin init");
	bed_folder(&bulletins_bed, "db/bulldb");
	expect_fatal("bulldb");
}

static void
one_that_others_can_write(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	assert_int_equal(chmod(path, 0666), 0);
	expect_fatal("must be root's");
	assert_int_equal(chmod(path, 0660), 0);
	assert_string_equal(bulletins_subjects(), "one");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	expect_fatal("bulldb");
	if (geteuid() != 0)
		return;
	assert_int_equal(unlink(path), 0);
	bed_text(&bulletins_bed, "db/bulldb", "");
	assert_int_equal(chown(path, 65534, 65534), 0);
	expect_fatal("uid 65534");
}

/* The pages of an ndbm that is not GDBM's are nothing to write to. */
static void
one_of_another_kind(void **state)
{
	static char pages[2048];

	(void)state;
	bulletins_post("1", "one");
	pages[0] = 2;
	bed_file(&bulletins_bed, "db/bulldb", pages, sizeof(pages));
	expect_fatal("not a GDBM database");
	assert_int_equal(bulletins_text("db/bulldb")[0], 2);
	bed_text(&bulletins_bed, "db/bulldb", "hello");
	expect_fatal("bulldb");
}

/* In the state folder his number is known: he gets on with what is new. */
static void
without_it_the_state_folder_serves(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	assert_string_equal(bulletins_subjects(), "one");
	bed_move(&bulletins_bed, "db/bulldb", "db/away");
	bulletins_options.bulldb_nonfatal = true;
	bulletins_post("2", "two");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_count(), 2);
	assert_int_equal(bulletins_quit(3), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "");
	bed_move(&bulletins_bed, "db/away", "db/bulldb");
	assert_string_equal(bulletins_subjects(), "");
	expect_stored("alice", 2);
}

/* --- Locks of others. --- */

/* A child that holds the database until it is told to end. */
static pid_t
hold(bool gdbms, int *pipe_end)
{
	int ready[2], end[2], fd;
	GDBM_FILE db;
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		(void)close(end[1]);
		if (gdbms) { /* as another program does */
			db = gdbm_open(path, 0, GDBM_WRCREAT, 0600, NULL);
			if (db == NULL)
				_exit(1);
		} else {
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (flock(fd, LOCK_EX) == -1)
				_exit(1);
		}
		if (write(ready[1], "", 1) != 1 || read(end[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	*pipe_end = end[1];
	return pid;
}

static void
another_process_that_holds_it(void **state)
{
	int end, status;
	pid_t pid;

	(void)state;
	bulletins_post("1", "one");
	for (int gdbms = 0; gdbms <= 1; gdbms++) {
		pid = hold(gdbms, &end);
		expect_fatal("bulldb-max-tries");
		(void)close(end);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_string_equal(bulletins_subjects(), "one");
}

/* --- Many at once. --- */

struct times {
	pthread_barrier_t barrier;
	unsigned failed;
	double milliseconds[AT_ONCE * ROUNDS];
};

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One user's logins, each with a look and a change, all users' together. */
static void
log_in_often(const struct bulletins_db *db, int who, struct times *t)
{
	struct popper_error e;
	char user[16];
	int64_t number;
	double start;

	(void)snprintf(user, sizeof(user), "user%d", who);
	for (int i = 0; i < ROUNDS; i++) {
		(void)pthread_barrier_wait(&t->barrier);
		start = seconds();
		if (bulletins_db_get(db, user, &number, &e) != (i > 0) ||
		    (i > 0 && number != i) ||
		    bulletins_db_put(db, user, i + 1, &e) == -1)
			__atomic_add_fetch(&t->failed, 1, __ATOMIC_SEQ_CST);
		t->milliseconds[who * ROUNDS + i] = (seconds() - start) * 1e3;
	}
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
fifty_at_once(void **state)
{
	const struct bulletins_db db = { &bed_host, folder, 75,
		bulletins_bed.place.state };
	struct times *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t shared;
	int status;

	(void)state;
	assert_ptr_not_equal(t, MAP_FAILED);
	assert_int_equal(pthread_barrierattr_init(&shared), 0);
	assert_int_equal(
	    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED), 0);
	assert_int_equal(
	    pthread_barrier_init(&t->barrier, &shared, AT_ONCE), 0);
	for (int i = 0; i < AT_ONCE; i++)
		if (fork() == 0) {
			log_in_often(&db, i, t);
			_exit(0);
		}
	for (int i = 0; i < AT_ONCE; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	assert_int_equal(t->failed, 0);
	qsort(t->milliseconds, AT_ONCE * ROUNDS, sizeof(double), compare);
	(void)printf("# %d users at once, %d times a look and a change: "
		     "median %.2f ms, p99 %.2f ms, longest %.2f ms\n",
	    AT_ONCE, ROUNDS, t->milliseconds[AT_ONCE * ROUNDS / 2],
	    t->milliseconds[AT_ONCE * ROUNDS * 99 / 100],
	    t->milliseconds[AT_ONCE * ROUNDS - 1]);
	expect_stored("user0", ROUNDS);
	expect_stored("user49", ROUNDS);
	(void)munmap(t, sizeof(*t));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bulletins_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_new_user_is_put_in),
		TEST(qpoppers_longs_are_continued),
		TEST(ndbms_pag_of_gdbm_is_used),
		TEST(popbull_is_continued),
		TEST(a_lost_record_is_known_from_the_state_folder),
		TEST(one_that_is_not_there),
		TEST(one_that_others_can_write),
		TEST(one_of_another_kind),
		TEST(without_it_the_state_folder_serves),
		TEST(another_process_that_holds_it),
		TEST(fifty_at_once),
	};

	return cmocka_run_group_tests_name(
	    "ext_bulletins_db", tests, NULL, NULL);
}
