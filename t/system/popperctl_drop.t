#!/usr/bin/python3
"""popperctl asks drop modules: as whom, shut off from what, with what words.

A module of the test's own stands in for all of them and tells what it sees.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
if not os.path.exists(os.path.join(
        popper.BUILD, "modules/auth/.libs/passwd.so")):
    tap.skip_all("modules are linked into the programs")

SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <popper/drop.h>

struct conf { const char *path; };
static const struct popper_option options[] = {
	POPPER_OPTION(TEXT, struct conf, path, "path", "~/fake", ""),
	POPPER_OPTIONS_END };
static char path[POPPER_PATH_MAX + 1];

static int
where(const struct popper_host *h, const void *conf,
    const struct popper_place *p, struct popper_error *e)
{
	const struct conf *c = conf;

	return h->expand(path, sizeof(path), c->path, p->identity, e);
}

static int
paths(const struct popper_host *h, const void *conf,
    const struct popper_place *p, struct popper_allow *a,
    struct popper_error *e)
{
	return where(h, conf, p, e) == -1 ? -1
		: a->allow(a, path, POPPER_ALLOW_READ | POPPER_ALLOW_WRITE |
			POPPER_ALLOW_MAKE);
}

static int
open_it(const struct popper_host *h, const void *conf,
    const struct popper_place *p, void **self, struct popper_error *e)
{
	struct stat st;

	if (where(h, conf, p, e) == -1)
		return -1;
	if (stat(path, &st) == -1)
		return h->fail(e, POPPER_ABSENT, "no %s", path);
	*self = path;
#ifdef EMPTY
	strcat(path, "/left");
	if (unlink(path) == 0)
		h->log(POPPER_LOG_NOTICE, "put right \033%s", "something");
	h->log(POPPER_LOG_INFO, "opened");
#endif
	return 0;
}

static size_t count(const void *self) { (void)self; return 0; }
static void close_it(void *self) { (void)self; }

#ifndef EMPTY
static int
say(struct popper_sink *s, const char *text)
{
	return s->put(s, popper_slice_text(text)) == -1 ? -1 : 0;
}

/* What a session may not do either. */
static int
refused(long result)
{
	return result == -1 && errno == EPERM;
}

static int
is_filtered(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	    refused(socket(AF_UNIX, SOCK_STREAM, 0)) &&
	    refused(unshare(CLONE_NEWUSER)) &&
	    refused(ptrace(PTRACE_TRACEME, 0, 0, 0)) &&
	    refused(chmod("/nowhere", 0700)) &&
	    refused(execl("/nowhere", "nowhere", (char *)0));
}

static int
tell(const struct popper_host *h, const void *conf,
    const struct popper_place *p, struct popper_sink *s,
    struct popper_error *e)
{
	char line[800], file[POPPER_PATH_MAX + 20];
	mode_t mask = umask(0);
	struct stat st;
	void *self;
	int fd;

	if (open_it(h, conf, p, &self, e) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/crash", path);
	if (access(file, F_OK) == 0)
		abort();
	snprintf(file, sizeof(file), "%s/hang", path);
	if (access(file, F_OK) == 0)
		open(file, O_RDONLY | O_CLOEXEC); /* a FIFO */
	snprintf(file, sizeof(file), "%s/wrong", path);
	if (access(file, F_OK) == 0)
		return h->fail(e, POPPER_PERMANENT,
		    "\033[2Jask a person\xff");
	snprintf(file, sizeof(file), "%s/nothing", path);
	if (access(file, F_OK) == 0)
		return say(s, "nothing to do\n");
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	snprintf(line, sizeof(line), "uid %u %u umask %o user %s%s%s %s %s\n",
	    (unsigned)getuid(), (unsigned)geteuid(), (unsigned)mask,
	    p->identity->user, p->identity->folder[0] ? "+" : "",
	    p->identity->folder, fd == -1 ? "shut off" : "at large",
	    is_filtered() ? "filtered" : "free");
	if (fd != -1)
		close(fd);
	if (fstat(p->state, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    say(s, line) == -1 || say(s, "odd \033[2J\xff\n") == -1)
		return h->fail(e, POPPER_TEMPORARY, "cannot tell");
	return 0;
}

static int
check(const struct popper_host *h, const void *conf,
    const struct popper_place *p, struct popper_sink *s,
    struct popper_error *e)
{
	char file[POPPER_PATH_MAX + 20];
	void *self;

	if (open_it(h, conf, p, &self, e) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/wrong", path);
	return access(file, F_OK) == 0 ? say(s, "it is \033wrong\n") : 0;
}

static int
undelete(const struct popper_host *h, const void *conf,
    const struct popper_place *p, uint64_t since, uint64_t *n,
    struct popper_error *e)
{
	void *self;

	if (open_it(h, conf, p, &self, e) == -1)
		return -1;
	*n = since;
	return 0;
}

static const struct popper_host *host;

static int
open_uids(const struct popper_host *h, const void *conf,
    const struct popper_place *p, void **self, struct popper_error *e)
{
	host = h;
	return open_it(h, conf, p, self, e);
}

static int
export_uids(void *self, struct popper_sink *s, struct popper_error *e)
{
	char file[POPPER_PATH_MAX + 20], text[100];
	ssize_t n;
	int fd;

	snprintf(file, sizeof(file), "%s/uids", (char *)self);
	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) == -1)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n >= 0 && s->put(s, popper_slice(text, (size_t)n)) == 0)
		return 0;
	return host->fail(e, POPPER_TEMPORARY, "cannot tell");
}

static int
import_uids(void *self, struct popper_slice s, struct popper_error *e)
{
	char file[POPPER_PATH_MAX + 20];
	int fd;

	if (s.len >= 3 && memcmp(s.ptr, "bad", 3) == 0)
		return host->fail(e, POPPER_INVALID, "line 1: bad");
	snprintf(file, sizeof(file), "%s/uids", (char *)self);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, s.ptr, s.len) != (ssize_t)s.len)
		return host->fail(e, POPPER_TEMPORARY, "cannot write");
	close(fd);
	return 0;
}
#endif

static const struct popper_drop drop = {
	.size = sizeof(struct popper_drop), .paths = paths,
	.count = count, .close = close_it,
#ifdef EMPTY
	.open = open_it,
#else
	.open = open_uids, .undelete = undelete,
	.export_uids = export_uids, .import_uids = import_uids,
	.recover = tell, .dump = tell, .rebuild = tell, .check = check,
#endif
};
POPPER_MODULE(NAME, .version = "1", .summary = "tells what it sees",
    .conf_size = sizeof(struct conf), .options = options, .drop = &drop);
"""


def stage(mode):
    """A server that is not started, with a module folder of its own."""
    server = popper.Server(mode, start=False)
    folder = server.path("modules")
    there = os.path.join(popper.BUILD, "modules/auth/.libs/passwd.so")
    for kind in ("auth", "drop"):
        os.makedirs(os.path.join(folder, kind))
    shutil.copy(there, os.path.join(folder, "auth"))
    for name, flags in (("fake", []), ("bare", ["-DEMPTY"])):
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall",
             "-I" + os.path.join(popper.SRC, "include")]
            + flags + ["-o", os.path.join(folder, "drop", name + ".so"),
                       server.write("fake.c", SOURCE.replace(
                           "NAME", name))], check=True)
    for top, _, names in os.walk(folder):
        for path in [top] + [os.path.join(top, name) for name in names]:
            os.chmod(path, 0o755)
            server._own(path)
    server.settings["module-folder"] = folder
    server.settings["mailbox-separator"] = "+"
    server.modules = (
        'auth passwd { file = "%s" }\ndrop bare { path = "%s/%%u/bare" }\n'
        'drop fake { path = "%s/%%u/fake" }\n' % (
            server.path("users"), server.path("home"), server.path("home")))
    return server


def add(server, name, *files, kind="fake"):
    home = server.path("home", name)
    os.makedirs(os.path.join(home, kind))
    for file in files:
        open(os.path.join(home, kind, file), "wb").close()
    for top, _, names in os.walk(home):
        for path in [top] + [os.path.join(top, file) for file in names]:
            if popper.ROOT:
                os.chown(path, server.uid, server.gid)
    return "%s:*:%d:%d:\n" % (name, server.uid, server.gid)


def make_users(server):
    lines = [add(server, "alice"), add(server, "bob", "nothing"),
             add(server, "carol", "wrong"), add(server, "dave", "crash"),
             add(server, "erin", kind="bare"), add(server, "frank")]
    os.rmdir(server.path("home", "frank", "fake"))
    server.write("users", "".join(lines), 0o600)
    server.write_conf()


def sees(server):
    """In each sub-command that makes what is not there."""
    said = "uid %d %d umask 77 user alice shut off filtered\n" % (
        server.uid, server.uid)
    status, out, err = popperctl.run(server, "index", "dump", "alice")
    tap.equal((status, out), (1, ""), "nothing is made for looking")
    tap.match(err, "no session yet", "and that is told")
    for words in (("recover", "alice"), ("index", "rebuild", "alice"),
                  ("index", "dump", "alice"), ("recover", "alice+INBOX")):
        tap.equal(popperctl.run(server, *words),
                  (0, said + "odd \\x1b[2J\\xff\n", ""), " ".join(words))
    state = os.stat(server.path("state", "alice"))
    tap.equal((state.st_uid, state.st_mode & 0o7777), (server.uid, 0o700),
              "the state folder is the user's")
    status, out, err = popperctl.run(server, "recover", "alice+list")
    tap.equal((status, out.split("\n")[0], os.listdir(
        server.path("state", "alice%=list"))),
        (0, said.replace("alice", "alice+list").strip(), ["lock"]),
        "a sub-mailbox has a state folder of its own")
    tap.equal(popperctl.run(server, "index", "check", "alice"), (0, "", ""),
              "a check that finds nothing says nothing")


def fails(server):
    for user in ("bob", "carol", "dave", "erin", "frank"):
        os.mkdir(server.path("state", user), 0o700)
        if popper.ROOT:
            os.chown(server.path("state", user), server.uid, server.gid)
    for words, status, why in (
            (("recover", "carol"), 1,
             r"^popperctl: carol: \\x1b\[2Jask a person\\xff$"),
            (("index", "check", "carol"), 1, r"^it is \\x1bwrong$"),
            (("recover", "dave"), 1, "dave.* ended by signal 6"),
            (("index", "dump", "erin"), 1, "bare, .* has no index"),
            (("recover", "frank"), 1, "frank: no .*/frank/fake"),
            (("recover", "nobody-here"), 1,
             'user "nobody-here": no module knows an account'),
            (("recover", "a\033b"), 1, r'user "a\\x1bb": '),
            (("recover", "../alice"), 1, 'user "../alice": '),
            (("recover", "--al"), 2, '"--al" is no option of recover; is it "--all"?'),
            (("recover",), 2, r"usage: popperctl recover USER .*\| --all"),
            (("recover", "alice", "bob"), 2, "usage: popperctl recover"),
            (("index", "dmp", "alice"), 2, 'is it "dump"'),
            (("index", "dump"), 2, "usage: popperctl index dump USER"),
            (("recovr", "alice"), 2, 'is it "recover"')):
        got, out, err = popperctl.run(server, *words)
        if not (tap.equal((got, out), (status, ""), "refused: %r" % (words,))
                and tap.match(err, why, "and says why")):
            tap.diag(err)
    with open("/dev/full", "wb") as full:
        status, _, err = popperctl.run(server, "index", "dump", "alice",
                                       stdout=full)
    tap.ok(status == 1 and "standard output" in err, "output that is lost")


def by_opening(server):
    """A module without a recovery of its own is opened, and overheard."""
    path = server.path("home", "erin", "bare", "left")
    tap.equal(popperctl.run(server, "recover", "erin"),
              (0, "nothing to do\n", ""), "opened, and nothing was told")
    open(path, "w").close()
    tap.equal(popperctl.run(server, "recover", "erin"),
              (0, "put right \\x1bsomething\n", ""), "what it logs is shown")
    open(path, "w").close()
    tap.match(popperctl.run(server, "recover", "--all")[1],
              r"(?m)^erin: put right \\x1bsomething$", "with --all, too")


def everybody(server):
    """One line for each who had something, and only for them."""
    said = "uid %d %d umask 77 user alice shut off filtered; odd \\x1b[2J\\xff\n" % (
        server.uid, server.uid)
    os.mkdir(server.path("state", "gone"), 0o700)
    open(server.path("state", "%zz"), "wb").close()
    status, out, err = popperctl.run(server, "recover", "--all")
    tap.equal((status, out), (1, "alice: %salice+list: %s" % (
        said, said.replace("alice", "alice+list"))), "recover --all")
    for why in (r"state folder gone: no module knows",
                r"%zz is no state folder", r"carol: \\x1b",
                "dave was ended by signal 6"):
        tap.match(err, why, "and tells " + why)
    tap.equal([name for name in ("bob", "erin", "frank") if name in err], [],
              "not who is well, or whose module does not know of it")
    for name in ("carol", "dave", "erin", "gone"):
        shutil.rmtree(server.path("state", name))
    os.unlink(server.path("state", "%zz"))
    tap.equal(popperctl.run(server, "recover", "--all")[0], 0,
              "it is no failure to have found something")


def busy(server):
    with open(server.path("state/alice/lock"), "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, out, err = popperctl.run(server, "recover", "alice")
        tap.equal((status, out), (1, ""), "who is logged in is left alone")
        tap.match(err, "alice is logged in", "and that is told")
        status, out, err = popperctl.run(server, "recover", "--all")
        tap.equal((status, "alice:" in out, "alice" in err), (0, False, False),
                  "with --all that is no trouble")


def waits(server):
    """--wait: until the session has ended, or for so long."""
    for words in (("recover", "alice"), ("index", "rebuild", "alice"),
                  ("index", "dump", "alice"), ("index", "check", "alice"),
                  ("undelete", "alice"), ("uidl", "export", "alice"),
                  ("uidl", "import", "alice", "-")):
        lock = open(server.path("state/alice/lock"), "rb+")
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = popperctl.start(server, *words, "--wait")
        told = waiting.stderr.readline()
        tap.equal(told, "popperctl: alice is logged in: waiting up to 600s "
                  "for that session to end\n",
                  "%s --wait says that it waits" % " ".join(words))
        tap.equal(waiting.poll(), None, "and does")
        lock.close()
        out, err = waiting.communicate(timeout=popper.PATIENCE)
        tap.equal((waiting.returncode, err), (0, ""), "until it has ended")
    with open(server.path("state/alice/lock"), "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, out, err = popperctl.run(server, "recover", "alice",
                                         "--wait=0")
        tap.equal((status, out), (1, ""), "--wait=0 does not wait")
        tap.match(err, "alice is logged in .*give --wait$", "and says so")
        status, out, err = popperctl.run(server, "recover", "alice",
                                         "--wait=1s")
        tap.equal((status, out), (1, ""), "nor for ever")
        tap.match(err, "waiting up to 1s.*\n.*that session has not "
                  "ended$", "and says so")


def heedless(server):
    """Started by somebody who does not want to hear of children."""
    process = popperctl.start(
        server, "recover", "bob",
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    out, err = process.communicate(timeout=popper.PATIENCE)
    tap.equal((process.returncode, out, err), (0, "nothing to do\n", ""),
              "children are waited for")


def limits(server):
    """One who hangs does not keep the others from it."""
    state, fake = server.path("state", "bob"), server.path("home/bob/fake")
    os.unlink(os.path.join(fake, "nothing"))
    os.mkfifo(os.path.join(fake, "hang"), 0o600)
    for path in (state, os.path.join(fake, "hang")):
        if popper.ROOT:
            os.chown(path, server.uid, server.gid)
    status, out, err = popperctl.run(server, "recover", "--all", "--limit",
                                     "1")
    tap.equal((status, len(re.findall("(?m)^alice", out))), (1, 2),
              "recover --all comes to the end")
    tap.match(err, "(?m)^popperctl: bob: not done within 1s: ended; ",
              "who was too slow is told")
    tap.match(err, "(?m)^popperctl: [0-9]+ state folders; 1 not done within 1s: "
              "bob$", "and again at the end")
    status, out, err = popperctl.run(server, "recover", "bob", "--limit=1s")
    tap.equal((status, out), (1, ""), "one user can be limited, too")
    tap.match(err, "bob: not done within 1s", "told")
    os.unlink(os.path.join(fake, "hang"))
    tap.equal(popperctl.run(server, "recover", "--all")[0], 0,
              "all is well without it")


AUTH = r"""
#include <unistd.h>
#include <popper/auth.h>

static int
start(const struct popper_host *h, const void *conf, void **self,
    struct popper_error *e)
{
	static int nothing;

	(void)h, (void)conf, (void)e;
	*self = &nothing;
	return 0;
}

static int
lookup(void *self, const char *user, struct popper_identity *id,
    struct popper_error *e)
{
	(void)self, (void)user, (void)id, (void)e;
	for (;;)
		pause();
	return -1;
}

static enum popper_verdict
begin(void *self, const struct popper_attempt *a, void **exchange,
    struct popper_answer *answer)
{
	(void)self, (void)a, (void)exchange, (void)answer;
	return POPPER_AUTH_LATER;
}

static const char *const mechanisms[] = { "USER", NULL };

static const struct popper_auth auth = { .size = sizeof(auth),
	.mechanisms = mechanisms,
	.start = start, .begin = begin, .lookup = lookup };
POPPER_MODULE(deaf, .version = "1", .summary = "does not answer",
    .auth = &auth);
"""


def deaf(server):
    """A module that does not answer who a user is."""
    path = server.path("modules/auth/deaf.so")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall",
         "-I" + os.path.join(popper.SRC, "include"), "-o", path,
         server.write("deaf.c", AUTH)], check=True)
    os.chmod(path, 0o755)
    server._own(path)
    server.modules, old = "auth deaf { }\n" + server.modules, server.modules
    server.write_conf()
    status, out, err = popperctl.run(server, "recover", "--all",
                                     "--limit=1s")
    tap.equal((status, out), (1, ""), "recover --all does not wait for ever")
    tap.match(err, "^popperctl: state folder alice: the process with the auth "
              "modules does not answer\n"
              "popperctl: [0-9]+ state folders; [0-9]+ failed: alice, ",
              "and tells why, once")
    server.modules = old
    server.write_conf()


def on_terminal(server, *words):
    """What a terminal gets, of both outputs."""
    master, slave = os.openpty()
    process = popperctl.start(server, *words, stdout=slave, stderr=slave)
    os.close(slave)
    found = b""
    while True:
        try:
            found += os.read(master, 65536)
        except OSError:  # nobody has the other end any more
            break
    os.close(master)
    return process.wait(popper.PATIENCE), found


def terminal(server):
    """No octet of mail, files or modules commands the terminal."""
    evil = b"\033]0;owned\007\xff\xc3\x28\x9b2J\x7f"
    shown = rb"\x1b]0;owned\x07\xff\xc3(\x9b2J\x7f"
    path = server.path("home", "alice", "fake", "uids")
    with open(path, "wb") as file:
        file.write(b"a 1 " + evil + b"\n")
    if popper.ROOT:
        os.chown(path, server.uid, server.gid)
    tap.equal(on_terminal(server, "uidl", "export", "alice"),
              (0, b"a 1 " + shown + b"\r\n"), "uidl export")
    tap.equal(popperctl.run(server, "uidl", "export", "alice")[1]
              .encode("latin-1"), b"a 1 " + evil + b"\n",
              "which writes it as it is to others")
    os.unlink(path)
    odd = os.path.join(os.fsencode(server.path("home")), evil)
    for words in ((b"recover", evil), (b"recover", b"a", evil),
                  (b"recover", b"-" + evil), (b"index", evil), (evil,),
                  (b"uidl", b"import", b"alice", odd),
                  (b"undelete", b"alice", b"--since", evil),
                  (b"recover", b"alice", b"--wait=" + evil),
                  (b"bulletin", b"post", b"-d", odd, odd),
                  (b"bulletin", b"retract", b"-d", odd, b"1"),
                  (b"bulletin", b"status", b"-d", odd, evil),
                  (b"import", b"qpopper", odd)):
        status, found = on_terminal(server, *(os.fsdecode(w) for w in words))
        plain = all(0x20 <= octet <= 0x7e or octet in b"\r\n"
                    for octet in found)
        if not tap.ok(status != 0 and plain and shown in found,
                      "%r" % (words[:2],)):
            tap.diag(repr(found))
    name = os.path.join(os.fsencode(server.path("state")), evil)
    os.mkdir(name)
    found = on_terminal(server, "recover", "--all")[1]
    tap.ok(shown + b" is no state folder" in found and evil not in found,
           "the name of a state folder")
    os.rmdir(name)
    with open(server.path("qpopper.conf"), "wb") as file:
        file.write(b"set server-mode = true # " + evil +
                   b"\nset mail-command = " + evil + b"\n")
    status, found = on_terminal(server, "import", "qpopper",
                                server.path("qpopper.conf"))
    tap.ok(evil not in found and b"\033" not in found, "import qpopper")


def without_sandbox(server):
    server.settings["sandbox"], old = False, server.settings.get("sandbox")
    server.write_conf()
    tap.match(popperctl.run(server, "recover", "alice")[1],
              "(?m) at large free$", "without the sandbox it is not shut off")
    server.settings["sandbox"] = True if old is None else old
    server.write_conf()


def hostile(server):
    """State folders that are not what they should be."""
    state = server.path("state", "alice")
    victim = server.path("victim")
    os.mkdir(victim, 0o700)
    os.rename(state, state + ".old")
    os.symlink(victim, state)
    status, _, err = popperctl.run(server, "recover", "alice")
    tap.equal((status, os.listdir(victim)), (1, []), "a link is not followed")
    tap.match(err, "state folder alice", "and that is told")
    os.unlink(state)
    os.mkdir(state, 0o755)
    status, _, err = popperctl.run(server, "recover", "alice")
    tap.equal(status, 1, "one that others can read is not used")
    tap.match(err, "mode 0755", "and that is told")
    os.rmdir(state)
    if server.as_root:
        os.mkdir(state, 0o700)
        os.chown(state, server.uid + 1, -1)
        status, _, err = popperctl.run(server, "recover", "alice")
        tap.equal(status, 1, "nor one of somebody else")
        tap.match(err, "belongs to uid %d" % (server.uid + 1), "told, too")
        os.rmdir(state)
    os.rename(state + ".old", state)
    os.unlink(os.path.join(state, "lock"))
    os.symlink(os.path.join(victim, "made"), os.path.join(state, "lock"))
    status, _, err = popperctl.run(server, "recover", "alice")
    tap.equal((status, os.listdir(victim)), (1, []), "a lock that is a link")
    os.unlink(os.path.join(state, "lock"))
    os.chmod(server.path("state"), 0o777)
    status, _, err = popperctl.run(server, "recover", "alice")
    tap.equal(status, 1, "a state-folder that all can write to is not used")
    tap.match(err, "mode 0777", "and that is told")
    os.chmod(server.path("state"), 0o755)


def as_whom(server):
    """An ordinary user can do it for himself only; nobody for root."""
    text = open(server.path("users"), encoding="utf-8").read()
    server.write("users", text.replace(":%d:" % server.uid, ":0:", 1), 0o600)
    status, _, err = popperctl.run(server, "recover", "alice")
    tap.equal(status, 1, "mail of root is nobody's work")
    tap.match(err, "root", "and that is told")
    server.write("users", text.replace(":%d:" % server.uid, ":61234:", 1),
                 0o600)
    if not server.as_root:
        status, _, err = popperctl.run(server, "recover", "alice")
        tap.equal(status, 1, "nor can a user do it for another")
        tap.match(err, "61234", "and that is told")
    server.write("users", text, 0o600)


def undelete(server):
    now = time.time()
    local = time.localtime(now - 86400)
    for words, least, most in (
            ((), 0, 0), (("--since", "2d"), 172800, 172830),
            (("--since", "3h"), 10800, 10830), (("--since", "5m"), 300, 330),
            (("--since", time.strftime("%Y-%m-%d %H:%M:%S", local)),
             86399, 86401),
            (("--since", time.strftime("%Y-%m-%d %H:%M", local)),
             86400, 86459),
            (("--since", time.strftime("%Y-%m-%d", local)),
             86400, 86400 + 25 * 3600)):
        status, out, err = popperctl.run(server, "undelete", "alice", *words)
        since = int(out.split()[0])
        ago = int(now) - since if since else 0
        tap.ok(status == 0 and least - 30 <= ago <= most,
               "undelete %s: %s" % (" ".join(words), out.strip()))
    for since in ("2", "2x", "d", "-1d", "99999999999999d", "2026-02-31",
                  "2026-13-01", "2999-01-01", "yesterday", "", "2d ",
                  "2026-02-03 25:00", "2026-02-03T10:00"):
        status, out, err = popperctl.run(server, "undelete", "alice",
                                         "--since", since)
        tap.equal((status, out), (2, ""), "--since %r" % since)
        tap.match(err, "is no time that has been; times are: ", "told")
    for words in (("alice", "--since"), ("--since", "2d"), ("alice", "bob"),
                  ("alice", "--sinse", "2d"), ("--since",), ()):
        status, out, err = popperctl.run(server, "undelete", *words)
        tap.equal((status, out), (2, ""), "undelete %s" % " ".join(words))
        tap.match(err, r"usage: popperctl undelete USER \[--since TIME\]",
                  "tells how it is called")
    for words, why in ((("alice", "--sinse", "2d"),
                        '"--sinse" is no option of undelete; is it '
                        '"--since"'),
                       (("alice", "--since"), "--since needs a time")):
        tap.match(popperctl.run(server, "undelete", *words)[2], why, why)


def unique_ids(server):
    path = server.path("home", "alice", "fake", "uids")
    text = "a 1 key one\nb 22 key two\nc 3 key\\three\xe4\n"
    tap.equal(popperctl.run(server, "uidl", "export", "alice"), (0, "", ""),
              "no message, no line")
    tap.equal(popperctl.run(server, "uidl", "verify", "alice", "-"),
              (0, "0 as in the file, 0 different, 0 new, 0 no longer there\n",
               ""), "which can be verified")
    tap.equal(popperctl.run(server, "uidl", "import", "alice", "-",
                            text=text),
              (0, "3 unique-ids of alice imported\n", ""),
              "import from stdin")
    tap.equal(open(path, encoding="latin-1").read(), text, "as it came")
    tap.equal(popperctl.run(server, "uidl", "export", "alice"),
              (0, text, ""), "export writes what a program can read")
    file = server.write("ids", "c 3 key\\three\xe4\nx 9 gone\na 1 key one\n"
                        .encode("latin-1"))
    tap.equal(popperctl.run(server, "uidl", "verify", "alice", file),
              (0, "2 as in the file, 0 different, 1 new, 1 no longer there\n",
               ""), "verify")
    file = server.write("ids", "a 1 key one\nother 22 key two\nc 4 "
                        "key\\three\xe4\n".encode("latin-1"))
    status, out, err = popperctl.run(server, "uidl", "verify", "alice", file)
    tap.equal((status, out), (1, "1 as in the file, 2 different, 0 new, "
                              "0 no longer there\n"), "what differs")
    tap.match(err, "line 2: unique-id other is now b", "is told")
    tap.match(err, "line 3: message c has another size", "line by line")
    tap.equal(popperctl.run(server, "uidl", "verify", "alice", "-",
                            text="a 1 -\nb 22 -\nc - -\nd 5 -\n"),
              (0, "3 as in the file, 0 different, 0 new, 1 no longer there\n",
               ""), "lines without keys are about one after the other")
    status, out, err = popperctl.run(server, "uidl", "verify", "alice", "-",
                                     text="b 22 -\na 1 -\n")
    tap.equal((status, out), (1, "0 as in the file, 2 different, 1 new, "
                              "0 no longer there\n"), "in this order")
    for text, why in (("a 1\n", "line 1 is not"), ("a 1 k\n\nb 1 l\n",
                                                  "line 2 is not"),
                      ("a 1 k\nb  l\n", "line 2 is not"),
                      ("a 1 k\nb", "line 2 is not"),
                      ("a 1 k\0\n", "holds a NUL")):
        status, out, err = popperctl.run(server, "uidl", "verify", "alice",
                                         "-", text=text)
        tap.equal((status, out), (1, ""), "no export: %r" % text)
        tap.match(err, why, "told")
    status, out, err = popperctl.run(server, "uidl", "import", "alice", "-",
                                     text="bad")
    tap.equal((status, out, err), (1, "", "popperctl: alice: line 1: bad\n"),
              "a line that is refused")
    status, out, err = popperctl.run(server, "uidl", "import", "alice",
                                     server.path("none"))
    tap.equal((status, out), (1, ""), "a file that is not there")
    tap.match(err, "none: No such file", "told")
    os.unlink(path)


def play(as_root):
    with stage("daemon" if as_root else "user") as server:
        make_users(server)
        sees(server)
        fails(server)
        by_opening(server)
        everybody(server)
        undelete(server)
        unique_ids(server)
        busy(server)
        waits(server)
        heedless(server)
        limits(server)
        deaf(server)
        terminal(server)
        without_sandbox(server)
        hostile(server)
        as_whom(server)


if popper.ROOT:
    play(True)
play(False)
tap.done()
