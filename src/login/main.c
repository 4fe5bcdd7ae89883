/*
 * main.c - popper-login: accept connections and fork a worker for each.
 *
 * Runs as: root for its first lines; then as the login user, in an empty root
 * directory, with a system call filter and without any path, for good.  All of
 * that is done once here and inherited by the workers.
 * Talks to: clients; knocks at popper-auth.  Links no module, PAM or store
 * library.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "login/sources.h"
#include "login/tls.h"
#include "login/told.h"
#include "login/worker.h"
#include "priv/identity.h"
#include "priv/pool.h"
#include "priv/sandbox.h"
#include "priv/service.h"
#include "proto/language.h"

#define PORT_TLS 995 /* RFC 8314 section 7.3 */

static struct sources sources; /* of workers before the login */

/* What the parent says when it gives a worker a connection. */
enum word { WORD_CLEAR = 'c', WORD_TLS = 't' };

static void worker_free(struct service *, pid_t);

static struct pool pool = { .idle = worker_free, .parent = -1 };

/* Is a client who comes to ${listener} to speak TLS at once? */
static bool
is_tls(const struct service *s, int listener)
{
	const struct assignment *a = &s->assignment;

	return (uint64_t)(listener - SERVICE_INPUT) >=
	    a->inputs - a->inputs_tls;
}

/* Say no without waiting for anybody. */
static void
turn_away(struct service *s, int listener, int client)
{
	static const char words[] =
	    "-ERR [SYS/TEMP] too many connections, try again later\r\n";

	s->counters->turned_away++;
	if (is_tls(s, listener))
		return; /* a handshake is what we cannot afford now */
	if (send(client, words, sizeof(words) - 1,
		MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("a client was turned away without a word");
	if (shutdown(client, SHUT_WR) == -1)
		log_debug("shutdown: %s", strerror(errno));
}

/* At most one line a minute: a client must not be able to fill the log. */
static void
say_full(const struct service *s, const char *option, uint64_t limit)
{
	static deadline_t next;
	static uint64_t told;

	if (deadline_left(next) > 0)
		return;
	next = deadline_in(60 * 1000);
	log_warning("%s (%llu) reached: a client is turned away, %llu more "
		    "since the last such line",
	    option, (unsigned long long)limit,
	    (unsigned long long)(s->counters->turned_away - told));
	told = s->counters->turned_away + 1; /* with this one */
}

/* A worker has no connection before the login any more. */
static void
worker_free(struct service *s, pid_t pid)
{
	if (sources_remove(&sources, pid))
		s->counters->workers--;
}

/* Workers that are relays now are counted as sessions. */
static void
take_word(struct service *s)
{
	pid_t pid;

	/* First, so that what a worker told of its last connection is read
	 * before it is given another. */
	pool_look(&pool, s);
	while ((pid = told_next()) != 0)
		worker_free(s, pid);
}

static bool
too_many(const struct service *s, const struct sockaddr_storage *from)
{
	const struct settings *t = s->settings;

	if (s->counters->workers + s->counters->sessions >=
	    t->max_connections) {
		say_full(s, "max-connections", t->max_connections);
		return true;
	}
	if (t->max_per_source == 0 ||
	    sources_count(&sources, from) < t->max_per_source)
		return false;
	say_full(s, "max-connections-per-source", t->max_per_source);
	return true;
}

/* Out of descriptors or memory: a pause, or we would only spin. */
static void
accept_failed(int error)
{
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	log_error("accept: %s", strerror(error));
	if (poll(NULL, 0, 100) == -1)
		log_debug("poll: %s", strerror(errno));
}

/* In a worker: the connection it was made for, and then what the parent gives
 * it. */
static void
serve(const struct service *s, int client, bool tls)
{
	char word;

	for (;;) {
		worker_run(s, client, tls);
		if (!pool_next(&pool, &word, &client, 1))
			return;
		tls = word == WORD_TLS;
	}
}

/* Give the connection to a worker; its pid. */
static pid_t
employ(struct service *s, int client, bool tls)
{
	bool keep = pool.uses > 1;
	pid_t pid;

	if (keep) {
		pid = pool_give(&pool, tls ? WORD_TLS : WORD_CLEAR, &client, 1);
		if (pid != 0)
			return pid;
	}
	if ((pid = pool_fork(&pool, s, keep)) == 0) {
		serve(s, client, tls);
		service_exit(0);
	}
	return pid;
}

static void
take_connection(struct service *s, int listener)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int client;
	pid_t pid;

	memset(&from, 0, sizeof(from));
	client = accept4(listener, (struct sockaddr *)&from, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client == -1) {
		accept_failed(errno);
		return;
	}
	s->counters->connections++;
	take_word(s);
	if (tls_tend())
		pool_close(&pool); /* none keeps the old keys for longer */
	if (too_many(s, &from))
		turn_away(s, listener, client);
	else if ((pid = employ(s, client, is_tls(s, listener))) > 0 &&
	    sources_add(&sources, pid, &from))
		s->counters->workers++;
	fd_close(&client);
}

static void
worker_ended(struct service *s, pid_t pid, int status)
{
	(void)status;
	take_word(s);
	pool_ended(&pool, pid);
	worker_free(s, pid);
}

/* Give up everything that accepting connections does not need. */
static void
drop_privileges(const struct service *s)
{
	struct sandbox box = { .root_changed = false };
	const struct settings *t = s->settings;
	const struct passwd *pw = NULL;
	struct popper_error e;

	if (geteuid() == 0 && (pw = getpwnam(t->user)) == NULL)
		log_fatal("there is no account \"%s\" for popper-login: "
			  "useradd --system --no-create-home %s, or set user",
		    t->user, t->user);
	if (t->sandbox)
		box.root_changed = sandbox_empty_root();
	if (pw != NULL &&
	    identity_become(pw->pw_uid, pw->pw_gid, NULL, 0, &e) == -1)
		log_fatal("%s", e.text);
	/* Another uid has lost it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		log_fatal("prctl: %s", strerror(errno));
	identity_no_dump();
	if (!t->sandbox) {
		log_warning("popper-login: the sandbox is off");
		return;
	}
	box.landlock = sandbox_no_files();
	box.filtered = sandbox_filter_login();
	sandbox_tell("popper-login", &box);
}

static bool
is_at_port(int sock, uint16_t port)
{
	struct sockaddr_storage s = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(s);
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (getsockname(sock, (struct sockaddr *)&s, &len) == -1)
		return false;
	memcpy(&four, &s, sizeof(four));
	memcpy(&six, &s, sizeof(six));
	return (s.ss_family == AF_INET && ntohs(four.sin_port) == port) ||
	    (s.ss_family == AF_INET6 && ntohs(six.sin6_port) == port);
}

/* The one connection of inetd: TLS at once? */
static bool
is_tls_alone(const struct service *s)
{
	const char *support = s->settings->tls_support;

	return strcmp(support, "alternate-port") == 0 ||
	    (strcmp(support, "none") != 0 &&
		is_at_port(SERVICE_INPUT, PORT_TLS));
}

/* Certificates and keys, while we may still read them. */
static void
prepare_tls(const struct service *s)
{
	const struct assignment *a = &s->assignment;

	if (told_start() == -1)
		log_fatal("pipe: %s", strerror(errno));
	tls_start(s->settings);
	if (tls_context() == NULL &&
	    (a->inputs_tls > 0 || (a->single && is_tls_alone(s))))
		log_fatal("TLS is to begin at once, but there is no "
			  "certificate: set tls-certificate");
}

int
main(void)
{
	static struct service s;
	static struct readiness ready;

	s.take = take_connection;
	s.reaped = worker_ended;
	s.leave_children = true;
	service_start(&s, "popper-login");
	s.counters->workers = 0;
	pool.most = POOL_MAX;
	pool.uses = s.settings->worker_uses;
	language_load(s.settings->language_folder, s.settings->language);
	prepare_tls(&s);
	drop_privileges(&s);
	service_ready(&s, &ready);
	if (s.assignment.single) {
		service_alone(&s);
		worker_run(&s, SERVICE_INPUT, is_tls_alone(&s));
	} else
		service_run(&s);
	service_exit(0);
}
