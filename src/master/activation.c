/*
 * activation.c - inetd, systemd sockets, sd_notify.
 *
 * Runs in: the master, at start.  The two protocols are a few environment
 * variables; libsystemd would bring compressors and more into a root process.
 */
#include "master/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/number.h"

#define FIRST 3 /* systemd's first descriptor */

/* Number of sockets that were passed to this very process. */
static int
passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p, n;

	if (pid == NULL || fds == NULL ||
	    !number_parse(popper_slice_text(pid), INT32_MAX, &p) ||
	    !number_parse(popper_slice_text(fds), LISTEN_MAX, &n) ||
	    (pid_t)p != getpid())
		return 0;
	return (int)n;
}

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	    on != 0;
}

/* A connection of the Internet: a pair of local sockets is what some programs
 * and remote shells give to whatever they start. */
static bool
is_connected(int fd)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(a);

	return is_socket(fd) &&
	    getpeername(fd, (struct sockaddr *)&a, &len) == 0 &&
	    (a.ss_family == AF_INET || a.ss_family == AF_INET6);
}

/* Nothing of ours may go to the client through descriptors 0 to 2. */
static void
silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
	    dup2(null, 2) == -1)
		log_fatal("/dev/null: %s", strerror(errno));
	fd_close(&null);
}

int
activation_connection(bool wanted)
{
	int from = -1, fd;

	if (passed() == 1 && is_connected(FIRST))
		return FIRST;
	if (is_connected(0) || (wanted && is_socket(0) && !is_listening(0)))
		from = 0;
	if (from == -1)
		return -1;
	fd = fcntl(from, F_DUPFD_CLOEXEC, FIRST);
	if (fd == -1)
		log_fatal("dup: %s", strerror(errno));
	silence();
	return fd;
}

/* Take the next name off the list in LISTEN_FDNAMES: is it that of POP3 with
 * TLS?  systemd has it from FileDescriptorName in the socket unit. */
static bool
is_named_tls(const char **names)
{
	size_t len = strcspn(*names, ":");
	bool is = len == 5 && memcmp(*names, "pop3s", len) == 0;

	*names += len + ((*names)[len] == ':');
	return is;
}

void
activation_listeners(struct sockets *s)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int n = passed();
	bool tls;

	if (names == NULL)
		names = "";
	for (int fd = FIRST; fd < FIRST + n; fd++) {
		tls = is_named_tls(&names);
		if (!is_socket(fd) || !is_listening(fd)) {
			log_warning("descriptor %d is no listening socket", fd);
			continue;
		}
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
		    fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
			log_fatal("fcntl: %s", strerror(errno));
		sockets_adopt(
		    s, fd, tls || sockets_port(fd) == LISTEN_PORT_TLS);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

void
activation_notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, len);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		(const struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ==
	    -1)
		log_warning("NOTIFY_SOCKET %s: %s", path, strerror(errno));
	fd_close(&fd);
}
