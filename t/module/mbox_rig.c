/*
 * mbox_rig.c - see mbox_rig.h.
 *
 * Runs in: tests, as root or as an ordinary user.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mod/host.h"

static char last_log[1024];

static void rig_log_line(enum popper_level, const char *, ...)
    POPPER_PRINTF(2, 3);
static int rig_fail(struct popper_error *, enum popper_status, const char *,
    ...) POPPER_PRINTF(3, 4);
static int rig_fail_system(struct popper_error *, enum popper_status,
    const char *, ...) POPPER_PRINTF(3, 4);

static void
rig_log_line(enum popper_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(last_log, sizeof(last_log), format, args);
	va_end(args);
}

static int
rig_fail(
    struct popper_error *e, enum popper_status status, const char *format, ...)
{
	va_list args;

	*e = (struct popper_error){ .status = status };
	va_start(args, format);
	(void)vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

static int
rig_fail_system(
    struct popper_error *e, enum popper_status status, const char *format, ...)
{
	int cause = errno;
	va_list args;

	*e = (struct popper_error){ .status = status, .system = cause };
	va_start(args, format);
	(void)vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

static const struct popper_host host = {
	.size = sizeof(host),
	.log = rig_log_line,
	.fail = rig_fail,
	.fail_system = rig_fail_system,
	.expand = host_expand,
};

const char *
rig_log(void)
{
	return last_log;
}

int
rig_recover(struct rig *r, struct popper_sink *sink)
{
	return r->drop->recover(&host, &r->conf, &r->place, sink, &r->error);
}

int
rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	const char *tmp = getenv("TMPDIR");
	char path[160];

	assert_non_null(r);
	if (tmp == NULL || strlen(tmp) > 30)
		tmp = "/tmp";
	(void)snprintf(r->top, sizeof(r->top), "%s/popper-mbox-XXXXXX", tmp);
	assert_non_null(mkdtemp(r->top));
	assert_int_equal(chmod(r->top, 0755), 0);
	(void)snprintf(r->spool, sizeof(r->spool), "%s/mail", r->top);
	assert_int_equal(mkdir(r->spool, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/state", r->top);
	assert_int_equal(mkdir(path, 0700), 0);
	r->state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(r->state, -1);
	(void)snprintf(r->path, sizeof(r->path), "%s/user", r->spool);
	(void)snprintf(r->lock, sizeof(r->lock), "%s.lock", r->path);
	r->conf = (struct mbox_conf){ .path = r->path,
		.lock_timeout = 0,
		.dotlock = true,
		.spool_dir = "",
		.home_dir_mail = "",
		.temp_dir = "",
		.temp_name = ".%u.pop",
		.check_old_spool_loc = true,
		.merge_temp_drop = true,
		.uw_kludge = true,
		.purge = "quit",
		.purge_time = "",
		.unique_id = "popper",
		.dovecot_format = "%08Xu%08Xv" };
	r->identity = (struct popper_identity){
		.size = sizeof(r->identity), .uid = getuid(), .gid = getgid()
	};
	(void)strcpy(r->identity.user, "user");
	(void)strcpy(r->identity.maildrop, r->path);
	r->place = (struct popper_place){ .size = sizeof(r->place),
		.identity = &r->identity,
		.client = "127.0.0.1",
		.state = r->state,
		.server_name = "pop.example.org",
		.suffix = "" };
	r->drop = mbox_LTX_popper_module.drop;
	last_log[0] = '\0';
	*state = r;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

int
rig_teardown(void **state)
{
	struct rig *r = *state;

	rig_close(r);
	(void)close(r->state);
	(void)nftw(r->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(r);
	return 0;
}

static void
append_to(struct rig *r, int flags, struct popper_slice text)
{
	int fd = open(r->path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text.ptr, text.len), text.len);
	assert_int_equal(close(fd), 0);
}

void
rig_put_slice(struct rig *r, struct popper_slice text)
{
	append_to(r, O_TRUNC, text);
}

void
rig_put(struct rig *r, const char *text)
{
	rig_put_slice(r, popper_slice_text(text));
}

void
rig_deliver(struct rig *r, const char *text)
{
	append_to(r, O_APPEND, popper_slice_text(text));
}

struct popper_slice
rig_get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	text = malloc((size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(
	    mbox_read_at(fd, text, (size_t)st.st_size, 0), st.st_size);
	(void)close(fd);
	text[st.st_size] = '\0';
	return popper_slice(text, (size_t)st.st_size);
}

void
rig_expect(struct rig *r, const char *text)
{
	struct popper_slice got = rig_get(r->path);

	assert_string_equal(got.ptr, text);
	assert_int_equal(got.len, strlen(text));
	free((void *)(uintptr_t)got.ptr);
}

int
rig_try_open(struct rig *r)
{
	return r->drop->open(&host, &r->conf, &r->place, &r->self, &r->error);
}

void
rig_open(struct rig *r)
{
	if (rig_try_open(r) == -1)
		fail_msg("open: %s", r->error.text);
}

void
rig_refused(struct rig *r, enum popper_status status)
{
	assert_int_equal(rig_try_open(r), -1);
	assert_int_equal(r->error.status, status);
	assert_null(r->self);
}

void
rig_close(struct rig *r)
{
	r->drop->close(r->self);
	r->self = NULL;
}

struct collector {
	struct popper_sink sink;
	char *text;
	size_t len;
};

static int
collect(struct popper_sink *sink, struct popper_slice piece)
{
	struct collector *c = (struct collector *)(void *)sink;

	c->text = realloc(c->text, c->len + piece.len + 1);
	assert_non_null(c->text);
	memcpy(c->text + c->len, piece.ptr, piece.len);
	c->len += piece.len;
	return 0;
}

struct popper_slice
rig_read(struct rig *r, size_t i, uint64_t offset)
{
	struct collector c = { .sink.put = collect, .text = malloc(1) };

	assert_non_null(c.text);
	if (r->drop->read(r->self, i, offset, &c.sink, &r->error) == -1)
		fail_msg("read: %s", r->error.text);
	c.text[c.len] = '\0';
	return popper_slice(c.text, c.len);
}

void
rig_uid(struct rig *r, size_t i, char uid[POPPER_UID_MAX + 1])
{
	struct popper_message message;

	if (r->drop->describe(
		r->self, i, POPPER_WANT_UID, &message, &r->error) == -1)
		fail_msg("describe: %s", r->error.text);
	(void)strcpy(uid, message.uid);
}

enum popper_outcome
rig_commit(struct rig *r, const char *marks)
{
	struct popper_changes changes = { .size = sizeof(changes),
		.count = strlen(marks) };
	unsigned char *bits = calloc(changes.count + 1, 1);
	enum popper_outcome outcome;
	size_t i;

	assert_non_null(bits);
	for (i = 0; i < changes.count; i++)
		bits[i] = marks[i] == 'D' ? POPPER_MARK_DELETED : 0;
	changes.marks = bits;
	r->error = (struct popper_error){ .status = POPPER_OK };
	outcome = r->drop->commit(r->self, &changes, &r->error);
	free(bits);
	return outcome;
}

int
rig_undelete(struct rig *r, uint64_t since, uint64_t *count)
{
	return r->drop->undelete(
	    &host, &r->conf, &r->place, since, count, &r->error);
}

bool
rig_exists(const struct rig *r, const char *name)
{
	struct stat st;

	return fstatat(r->state, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
rig_child(int (*function)(struct rig *), struct rig *r)
{
	int status;
	pid_t pid;

	if (getuid() == 0) {
		assert_int_equal(fchown(r->state, 65534, 65534), 0);
		if (access(r->path, F_OK) == 0)
			assert_int_equal(chown(r->path, 65534, 65534), 0);
	}
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (getuid() == 0 &&
		    (setgid(65534) == -1 || setuid(65534) == -1))
			_exit(255);
		_exit(function(r));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
