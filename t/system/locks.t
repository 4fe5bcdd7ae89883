#!/usr/bin/python3
"""Dot locks that programs have left behind, seen from a session in its
sandbox: it may read them, and nothing else in that folder."""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"


def dead_pid():
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def leave_lock(server, user, text, age):
    path = user.drop.path + ".lock"
    with open(path, "x", encoding="ascii") as file:
        file.write(text)
    if popper.ROOT:
        os.chown(path, server.uid, server.gid)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def login(server, user):
    client = server.connect()
    client.reply()
    answer = client.login(user)
    if answer.startswith("+OK"):
        client.quit()
    return answer


def removed(server, user, text, age, what):
    since = len(server.log.lines)
    path = leave_lock(server, user, text, age)
    tap.match(login(server, user), r"^\+OK", what + ": removed")
    tap.ok(not os.path.exists(path), "and it is gone")
    server.log.wait(r"removed the stale lock mail\.lock", since)


def heeded(server, user, text, age, what):
    path = leave_lock(server, user, text, age)
    tap.match(login(server, user), r"^-ERR \[SYS/TEMP\]", what + ": heeded")
    tap.ok(os.path.exists(path), "and it is still there")
    os.unlink(path)


with popper.Server(MODE, start=False) as server:
    server.modules = server.default_modules(["mbox"]).replace(
        'drop mbox {', 'drop mbox { lock-timeout = 1s')
    server.start()
    # New mail each time: what is known needs no lock.
    for number, check in enumerate((
            lambda user: removed(server, user, "%d\n" % dead_pid(), 120,
                                 "two minutes old, and its process is dead"),
            lambda user: heeded(server, user, "%d\n" % os.getpid(), 400,
                                "seven minutes old, and its process lives"),
            lambda user: heeded(server, user, "0\n", 120,
                                "two minutes old, of nobody"),
            lambda user: removed(server, user, "0\n", 400,
                                 "seven minutes old, of nobody"))):
        user = server.add_user("user%d" % number, "mbox", [mail.simple(1)])
        tap.run(lambda: check(user))
tap.done()
