/* test_fd.c - src/base/fd.c */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

static int pair[2];

static int
open_pair(void **state)
{
	(void)state;
	return fd_pair(pair);
}

static int
close_pair(void **state)
{
	(void)state;
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

/* The lowest free descriptor tells whether one was leaked. */
static int
lowest_free(void)
{
	int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void
closes_and_clears(void **state)
{
	int fd = -1;

	(void)state;
	errno = E2BIG;
	fd_close(&fd);
	fd = dup(STDIN_FILENO);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, E2BIG);
}

static void
pair_is_close_on_exec(void **state)
{
	(void)state;
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
}

static void
waits_for_events(void **state)
{
	(void)state;
	assert_int_equal(fd_wait(pair[0], POLLIN, deadline_in(0)), 0);
	assert_int_equal(fd_wait(pair[0], POLLIN, deadline_in(1)), 0);
	assert_int_equal(fd_wait(pair[0], POLLOUT, DEADLINE_NEVER), POLLOUT);
	fd_close(&pair[1]);
	assert_true((fd_wait(pair[0], POLLIN, DEADLINE_NEVER) & POLLHUP) != 0);
}

static void
refuses_to_wait_for_nothing(void **state)
{
	int fd = dup(pair[0]);

	(void)state;
	close(fd);
	assert_int_equal(fd_wait(fd, POLLIN, deadline_in(0)), -1);
	assert_int_equal(errno, EBADF);
}

static void
writes_all(void **state)
{
	char buf[8];
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fd_write_all(pipes[1], "octets", 6), 0);
	assert_int_equal(read(pipes[0], buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "octets", 6);
	close(pipes[1]);
	assert_int_equal(fd_write_all(pipes[1], "x", 1), -1);
	assert_int_equal(fd_write_all(pipes[1], "x", 0), 0);
	close(pipes[0]);
}

static void
passes_descriptors(void **state)
{
	int pipes[2], got[2] = { -1, -1 };
	char buf[16];
	size_t count;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fd_send(pair[0], "two", 3, pipes, 2), 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(
	    fd_receive(pair[1], buf, sizeof(buf), got, 2, &count), 3);
	assert_memory_equal(buf, "two", 3);
	assert_int_equal(count, 2);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(got[1], "!", 1), 1);
	assert_int_equal(read(got[0], buf, 1), 1);
	close(got[0]);
	close(got[1]);
}

static void
passes_plain_messages(void **state)
{
	char buf[16];
	size_t count = 9;

	(void)state;
	assert_int_equal(fd_send(pair[0], "a", 1, NULL, 0), 0);
	assert_int_equal(fd_send(pair[0], "bc", 2, NULL, 0), 0);
	assert_int_equal(
	    fd_receive(pair[1], buf, sizeof(buf), NULL, 0, &count), 1);
	assert_int_equal(count, 0);
	assert_int_equal(
	    fd_receive(pair[1], buf, sizeof(buf), NULL, 0, &count), 2);
	fd_close(&pair[0]);
	assert_int_equal(
	    fd_receive(pair[1], buf, sizeof(buf), NULL, 0, &count), 0);
	signal(SIGPIPE, SIG_DFL);
	errno = 0;
	assert_int_equal(fd_send(pair[1], "a", 1, NULL, 0), -1);
	assert_int_equal(errno, EPIPE); /* and we are still alive */
}

static void
leaks_nothing_it_refuses(void **state)
{
	int fds[FD_PASS_MAX] = { 0, 0, 0, 0 }, got[FD_PASS_MAX];
	int lowest = lowest_free();
	char buf[2];
	size_t count;

	(void)state;
	assert_int_equal(fd_send(pair[0], "ab", 2, fds, FD_PASS_MAX), 0);
	assert_int_equal(fd_receive(pair[1], buf, 2, got, 3, &count), -1);
	assert_int_equal(count, 0);
	assert_int_equal(fd_send(pair[0], "abc", 3, fds, 2), 0);
	assert_int_equal(
	    fd_receive(pair[1], buf, 2, got, FD_PASS_MAX, &count), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(count, 0);
	assert_int_equal(lowest_free(), lowest);
}

/* A peer that does not use fd_send may put more into one message. */
static void
refuses_a_flood_of_descriptors(void **state)
{
	int many[8] = { 0 }, got[FD_PASS_MAX], lowest = lowest_free();
	union {
		struct cmsghdr header;
		char octets[CMSG_SPACE(sizeof(many))];
	} control = { .octets = { 0 } };
	char octet = 'x';
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.octets) };
	size_t count;

	(void)state;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(many));
	memcpy(CMSG_DATA(&control.header), many, sizeof(many));
	assert_int_equal(sendmsg(pair[0], &m, 0), 1);
	assert_int_equal(
	    fd_receive(pair[1], &octet, 1, got, FD_PASS_MAX, &count), -1);
	assert_int_equal(lowest_free(), lowest);
}

static void
refuses_to_send_nonsense(void **state)
{
	int fds[FD_PASS_MAX + 1] = { 0 };

	(void)state;
	assert_int_equal(fd_send(pair[0], "", 0, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fd_send(pair[0], "a", 1, fds, FD_PASS_MAX + 1), -1);
	assert_int_equal(errno, EINVAL);
}

#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_and_clears),
		WITH_PAIR(pair_is_close_on_exec),
		WITH_PAIR(waits_for_events),
		WITH_PAIR(refuses_to_wait_for_nothing),
		cmocka_unit_test(writes_all),
		WITH_PAIR(passes_descriptors),
		WITH_PAIR(passes_plain_messages),
		WITH_PAIR(leaks_nothing_it_refuses),
		WITH_PAIR(refuses_a_flood_of_descriptors),
		WITH_PAIR(refuses_to_send_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
