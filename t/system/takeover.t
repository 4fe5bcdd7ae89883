#!/usr/bin/python3
"""What a process could do for somebody who has taken it over.

Running workers and sessions are made to try, one system call each: open files,
connect, trace, signal, become somebody else, start a program.  What is refused
here is what doc/security.md says is refused.
"""

import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import intrude  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
AT_FDCWD = -100
INET, STREAM = 2, 1
PTRACE_ATTACH = 16


def loopback(port):
    return (INET).to_bytes(2, "little") + port.to_bytes(2, "big") + \
        bytes([127, 0, 0, 1]) + b"\0" * 8


def attempts(server):
    """(what, call, arguments): what an attacker would try first."""
    master = server.main.pid
    return [
        ("open /etc/passwd", "openat", (AT_FDCWD, "/etc/passwd", 0, 0)),
        ("open /", "openat", (AT_FDCWD, "/", 0, 0)),
        ("make a file", "openat", (AT_FDCWD, "/x", 0o102, 0o600)),
        ("make a socket", "socket", (INET, STREAM, 0)),
        ("connect", "connect", (0, loopback(server.ports[0]), 16)),
        ("trace the master", "ptrace", (PTRACE_ATTACH, master, 0, 0)),
        ("read another's memory", "process_vm_readv",
         (master, 0, 0, 0, 0, 0)),
        ("take another's descriptor", "pidfd_open", (master, 0)),
        ("signal the master", "kill", (master, 0)),
        ("become root", "setuid", (0,)),
        ("become another user", "setresuid", (61002, 61002, 61002)),
        ("join root's group", "setgroups", (1, b"\0\0\0\0")),
        ("start a program", "execve", ("/bin/true", 0, 0)),
        ("change the root directory", "chroot", ("/",)),
        ("make a namespace", "unshare", (0x10000000,)),
        ("use io_uring", "io_uring_setup", (8, 0)),
        ("load a kernel program", "bpf", (0, 0, 0)),
    ]


def one(pid, call, arguments):
    intruder = intrude.Intruder(pid)
    try:
        return intruder.call(call, *arguments)
    finally:
        intruder.leave()


def against_worker(server):
    """A login worker: each of these is its end."""
    for what, call, arguments in attempts(server):
        client = server.connect()
        client.reply()
        pid = newest(server, "popper-login")
        tap.equal(one(pid, call, arguments), intrude.KILLED,
                  "a login worker that wants to %s is killed" % what)
        client.close()
    client = server.connect()
    client.reply()
    intruder = intrude.Intruder(newest(server, "popper-login"))
    tap.ok(intruder.call("read", 99, 0, 0) == "EBADF",
           "and it really is the worker who calls")
    intruder.leave()
    client.close()


def against_relay(server, user):
    """The worker of a session over TLS: no more than before the login."""
    authority = server.authority
    for what, call, arguments in attempts(server):
        client = server.connect()
        client.reply()
        client = tls.upgrade(client, authority)
        if not client.login(user).startswith("+OK"):
            raise AssertionError("no login over TLS")
        tap.equal(one(newest(server, "popper-login"), call, arguments),
                  intrude.KILLED, "a relay that wants to %s is killed" % what)
        client.close()
        popper.wait_gone({pid: popper.processes()[pid][1]
                          for pid in server.children("popper-session")
                          if pid in popper.processes()})


def newest(server, name):
    began = popper.processes()
    return max(server.children(name), key=lambda pid: began[pid][1])


def against_session(server, alice, bob):
    """A session: its user's rights, its maildrop, no more."""
    client = server.connect().enter(alice)
    pid = newest(server, "popper-session")
    intruder = intrude.Intruder(pid)
    want = {"EPERM", "EACCES", "ENOENT"}
    for what, call, arguments in attempts(server):
        if call in ("connect", "pidfd_open"):
            continue
        tap.ok(intruder.call(call, *arguments) in want,
               "a session may not %s" % what)
    for what, path in places(server, bob):
        got = intruder.call("openat", AT_FDCWD, path, 0, 0)
        tap.ok(got in want, "a session may not open %s: %s" % (what, got))
    for call, arguments in (
            ("chmod", (bob.drop.path, 0o777)),
            ("fchmodat", (AT_FDCWD, bob.drop.path, 0o777)),
            ("fchmodat2", (AT_FDCWD, bob.drop.path, 0o777, 0)),
            ("chown", (bob.drop.path, bob.uid, bob.gid)),
            ("fchownat", (AT_FDCWD, bob.drop.path, bob.uid, bob.gid, 0)),
            ("setxattr", (bob.drop.path, "user.x", b"x", 1, 0))):
        tap.ok(intruder.call(call, *arguments) in want,
               "a session may not %s another user's mail" % call)
    got = intruder.call("openat", AT_FDCWD, alice.drop.path, 0, 0)
    tap.ok(isinstance(got, int), "but its own maildrop: %s" % got)
    intruder.leave()
    tap.equal(client.cmd("NOOP")[:3], "+OK", "and works on after that")
    client.quit()


def places(server, bob):
    state = [os.path.join(server.path("state"), name)
             for name in os.listdir(server.path("state"))]
    yield "another user's mail", bob.drop.path
    yield "another user's home", bob.home
    for path in state:
        if os.path.basename(path) == bob.name:
            yield "another user's state", path
    yield "the state folder", server.path("state")
    yield "the users' file", server.path("users")
    yield "/etc/shadow", "/etc/shadow"
    yield "/proc", "/proc/1/environ"
    yield "the master's memory", "/proc/%d/mem" % server.main.pid


def against_attended(server, alice, bob):
    """A session that may ask for attendants: no more rights than others, and
    none of the channels by which it is said who somebody is."""
    server.connect().enter(bob).quit()
    client = server.connect().enter(alice)
    pid = [child for child in server.children("popper-session")
           if popper.status(child)["Uid"].split()[0] == str(alice.uid)][0]
    parent = server.services()["popper-session"]
    spawner = [child for child in server.children("popper-session")
               if popper.status(child)["Name"] == "popper-attend"]
    tap.equal(len(spawner), 1, "there is one spawner")
    tap.equal(sockets(pid) & (sockets(spawner[0]) - sockets(parent)), set(),
              "a session has none of the spawner's descriptors")
    tap.equal(sockets(pid) & sockets(parent) - sockets(parent, "3", "4"),
              set(), "nor of the parent's, by one of which it is said who "
              "somebody is")
    intruder = intrude.Intruder(pid)
    want = {"EPERM", "EACCES", "ENOENT", "ESRCH"}
    for what, call, arguments in attempts(server) + [
            ("signal the spawner", "kill", (spawner[0], 0)),
            ("trace the spawner", "ptrace",
             (PTRACE_ATTACH, spawner[0], 0, 0))]:
        if call in ("connect", "pidfd_open"):
            continue
        tap.ok(intruder.call(call, *arguments) in want,
               "a session with attendants may not %s" % what)
    intruder.leave()
    tap.equal(client.cmd("NOOP")[:3], "+OK", "and works on after that")
    client.quit()


def sockets(pid, *names):
    """What sockets it has; 3 is the log, 4 leads to the next service."""
    found = set()
    for name in names or os.listdir("/proc/%d/fd" % pid):
        link = os.readlink("/proc/%d/fd/%s" % (pid, name))
        if link.startswith("socket:"):
            found.add(link)
    return found


def attended(drop):
    with popper.Server("daemon", conf={"sandbox": True},
                       start=False) as server:
        server.modules = 'ext xmit { sendmail = "/bin/true" }\n' + \
            server.modules
        alice = server.add_user("alice", drop, [mail.simple(1)], uid=61001)
        bob = server.add_user("bob", drop, [mail.simple(1)], uid=61002)
        server.start()
        against_attended(server, alice, bob)


def whole(drop, same_uid):
    settings = {"sandbox": True}
    with popper.Server("daemon", conf=settings, start=False) as server:
        alice = server.add_user("alice", drop, [mail.simple(1)], uid=61001)
        bob = server.add_user("bob", drop, [mail.simple(1)],
                              uid=61001 if same_uid else 61002)
        server.authority = tls.Authority(server.path("ca"))
        server.settings.update(
            server.authority.settings(server.authority.server()))
        server.start()
        server.connect().enter(bob).quit()
        if not same_uid:
            against_worker(server)
            against_relay(server, alice)
        against_session(server, alice, bob)


if not intrude.usable():
    tap.skip_all("needs root, on x86_64")
for kind in popper.DROPS:
    tap.run(lambda: whole(kind, False), "users of their own uid, " + kind)
    tap.run(lambda: whole(kind, True), "users of one uid, " + kind)
tap.run(lambda: attended(popper.DROPS[0]), "a session with attendants")
tap.done()
