#!/usr/bin/python3
"""Commits that cannot be done: -ERR, and nothing unmarked is gone.

proves: R-1939-36 R-3206-01 R-LOCK-01 T-13 T-16 T-49
"""

import fcntl
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 6)]
FAILED = "-ERR [SYS/TEMP] some deleted messages not removed"


def forbidden(server):
    """The folders may not be written any more when QUIT comes."""
    user = server.add_user("forbidden", "maildir", MESSAGES)
    client = server.enter(user)
    client.ok("DELE 2")
    folders = [os.path.join(user.drop.path, name) for name in ("new", "cur")]
    folders.append(user.drop.path)
    for path in folders:
        os.chmod(path, 0o500)
    answer = client.quit()
    tap.equal(answer, FAILED, "QUIT that cannot be done")
    tap.equal(user.drop.stored(), MESSAGES, "nothing is removed")
    for path in folders:
        os.chmod(path, 0o700)
    again(server, user, "maildir")


def again(server, user, kind):
    """When the trouble is over the same deletion works."""
    client = server.enter(user)
    client.ok("DELE 2")
    tap.match(client.quit(), r"^\+OK", kind + ": later it can be done")
    tap.equal(user.drop.stored(), MESSAGES[:1] + MESSAGES[2:],
              kind + ": only that one is gone")


def vanished(server):
    """A message that somebody else removed counts as removed."""
    user = server.add_user("vanished", "maildir", MESSAGES)
    client = server.enter(user)
    names = sorted(os.listdir(os.path.join(user.drop.path, "new")))
    os.unlink(os.path.join(user.drop.path, "new", names[1]))
    client.ok("DELE 2")
    client.ok("DELE 4")
    tap.match(client.cmd("RETR 2"), r"^-ERR", "a vanished message is refused")
    tap.match(client.cmd("STAT"), r"^\+OK 3 ", "and the session goes on")
    tap.match(client.quit(), r"^\+OK", "its deletion is done")
    tap.equal(user.drop.subjects(), ["subject-1", "subject-3", "subject-5"],
              "and so is the other")


def rewritten(server):
    """Somebody rewrote the mbox: nothing is removed."""
    user = server.add_user("rewritten", "mbox", MESSAGES)
    client = server.enter(user)
    client.ok("DELE 1")
    other = [mail.simple(n) for n in (31, 32, 33)]
    with open(user.drop.path, "r+b") as file:
        file.truncate(0)
        file.write(mail.mbox_octets(other))
    tap.match(client.quit(), r"^-ERR \[SYS/TEMP\]",
              "an mbox that somebody rewrote: -ERR")
    tap.equal(user.drop.stored(), other, "and not an octet is touched")


def cut(server):
    """The file shrinks: -ERR, or it is dropped without an end of message."""
    user = server.add_user("cut", "mbox", [mail.corpus()["attachment"],
                                           mail.simple(2)])
    client = server.enter(user)
    os.truncate(user.drop.path, 300000)
    answer = client.cmd("RETR 1")
    if answer.startswith("+OK"):
        tap.ok(not client.rest().endswith(b"\r\n.\r\n"),
               "a message that is cut short has no end")
    else:
        tap.match(answer, r"^-ERR \[SYS/", "a message that was cut: -ERR")
        client.leave()


def cut_meanwhile(server, kind):
    """The same, while it is on its way."""
    raw = mail.corpus()["attachment"] * 8
    user = server.add_user("meanwhile-" + kind, kind, [raw])
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", server.ports[0]))
    client = popper.Client(sock).enter(user)
    tap.match(client.cmd("RETR 1"), r"^\+OK", kind + ": a reply begins")
    path = user.drop.path if kind == "mbox" else [
        os.path.join(user.drop.path, folder, name) for folder in ("new", "cur")
        for name in os.listdir(os.path.join(user.drop.path, folder))][0]
    os.truncate(path, 1000)
    data = client.rest()
    tap.ok(len(data) < len(raw), kind + ": not all of it comes")
    tap.ok(not data.endswith(b"\r\n.\r\n"), kind + ": and it has no end")
    client.close()


def locked():
    """Whatever lock another program holds, popper waits, and gives up."""
    server = popper.Server(MODE, start=False)
    server.modules = server.default_modules(()) + (
        'drop mbox { lock-timeout = "1s" }\n')
    user = server.add_user("locked", "mbox", MESSAGES)
    with server.start():
        def lock_by_file():
            os.close(os.open(user.drop.path + ".lock",
                             os.O_CREAT | os.O_EXCL))

        for name, take in (
                ("flock", lambda: fcntl.flock(file, fcntl.LOCK_EX)),
                ("fcntl", lambda: fcntl.lockf(file, fcntl.LOCK_EX)),
                ("dot lock", lock_by_file)):
            inside = server.enter(user)
            inside.ok("DELE 1")
            with open(user.drop.path, "r+b") as file:
                take()
                tap.equal(inside.quit(), FAILED, name + " held at QUIT")
                os.utime(user.drop.path)  # so that a login looks at it anew
                client = server.connect()
                client.reply()
                tap.match(client.login(user), r"^-ERR \[SYS/TEMP\]",
                          name + " held at login")
                client.leave()
            if name == "dot lock":
                os.unlink(user.drop.path + ".lock")
            tap.equal(user.drop.stored(), MESSAGES, name + ": mail unchanged")
        again(server, user, "when they are let go")


class Small:
    """A file system of our own that is full, or None where we may not."""

    def __init__(self, path, size):
        self.path = path
        self.mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "mode=0755,size=%d" % size,
             "tmpfs", path], stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        """Take every octet that is left; returns the file that does."""
        name = os.path.join(self.path, "filler")
        with open(name, "wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return name

    def end(self):
        if self.mounted:
            subprocess.run(["umount", self.path], check=True)


def full(kind, what):
    """The disk is full when QUIT comes."""
    server = popper.Server(MODE, start=False)
    place = server.path("home" if what == "mail" else "state")
    disk = Small(place, 1 << 20)
    name = "%s: disk of the %s full" % (kind, what)
    if not disk.mounted:
        tap.skip(name, "mount is not permitted")
        server.stop()
        return
    try:
        user = server.add_user("full", kind, MESSAGES)
        server.start()
        client = server.enter(user)
        client.ok("DELE 2")
        filler = disk.fill()
        answer = client.quit()
        stored = user.drop.stored()
        if answer.startswith("+OK"):
            tap.equal(stored, MESSAGES[:1] + MESSAGES[2:],
                      name + ": done, and exactly so")
        else:
            tap.equal(answer, FAILED, name + ": -ERR")
            tap.equal(stored, MESSAGES, name + ": nothing is removed")
        os.unlink(filler)
        client = server.enter(user)
        count = len(stored)
        tap.match(client.cmd("STAT"), r"^\+OK %d " % count,
                  name + ": later it is as it was")
        for number, raw in enumerate(stored, 1):
            if client.fetch("RETR %d" % number) != user.drop.wire(raw):
                tap.ok(False, name + ": message %d differs" % number)
        client.ok("DELE 1")
        tap.match(client.quit(), r"^\+OK", name + ": later it can be done")
        tap.equal(user.drop.stored(), stored[1:], name + ": exactly")
        tap.equal(server.stop_services(), [], name + ": ends clean")
    finally:
        if server.main.poll() is None:
            server.main.kill()
            server.main.wait()
        disk.end()
        server.stop()


def full_login(kind):
    """The disk of the state is full when somebody logs in."""
    server = popper.Server(MODE, start=False)
    disk = Small(server.path("state"), 1 << 16)
    name = kind + ": disk of the state full at login"
    if not disk.mounted:
        tap.skip(name, "mount is not permitted")
        server.stop()
        return
    try:
        user = server.add_user("full", kind, MESSAGES)
        server.start()
        filler = disk.fill()
        client = server.connect()
        client.reply()
        answer = client.login(user)
        tap.match(answer, r"^(\+OK maildrop has 5 |-ERR \[SYS/TEMP\])",
                  name + ": mail, or [SYS/TEMP]")
        client.leave()
        os.unlink(filler)
        client = server.enter(user)
        tap.match(client.cmd("STAT"), r"^\+OK 5 ", name + ": later all is well")
        client.quit()
        tap.equal(server.stop_services(), [], name + ": ends clean")
    finally:
        if server.main.poll() is None:
            server.main.kill()
            server.main.wait()
        disk.end()
        server.stop()


with popper.Server(MODE, start=False) as server:
    server.start()
    tap.run(lambda: forbidden(server))
    tap.run(lambda: vanished(server))
    if "mbox" in popper.DROPS:
        tap.run(lambda: rewritten(server))
        tap.run(lambda: cut(server))
    for kind in popper.DROPS:
        tap.run(lambda: cut_meanwhile(server, kind))
tap.run(locked)
for kind in popper.DROPS:
    tap.run(lambda: full(kind, "mail"))
    tap.run(lambda: full(kind, "state"))
    tap.run(lambda: full_login(kind))
tap.done()
