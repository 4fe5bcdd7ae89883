#!/usr/bin/python3
"""The credential cache: a password that was right need not be hashed again,
and is forgotten at once when the account or the configuration changes."""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"


def hits(server):
    return len(server.log.find("credential cache: hit"))


def login(server, name, password=popper.PASSWORD):
    """The first word of the answer, and was it the cache's?"""
    before = hits(server)
    since = len(server.log.lines)
    client = server.connect()
    client.reply()
    answer = client.login(name, password)[:4].strip()
    if server.settings["cache-lifetime"]:
        server.log.wait("credential cache: (hit|miss)", since)
    client.quit()
    return answer, hits(server) > before


def start(**more):
    settings = {"cache-lifetime": 600, "debug": True, "max-tries": 100}
    settings.update(more)
    server = popper.Server(MODE, conf=settings, start=False)
    for name in ("alice", "bob"):
        server.add_user(name, "maildir")
    server.start()
    return server


def used():
    """Verified twice, then known."""
    with start() as server:
        tap.equal([login(server, "alice") for _ in range(4)],
                  [("+OK", False)] * 2 + [("+OK", True)] * 2,
                  "two logins are verified, the next ones are not")
        tap.equal([login(server, "alice", "wrong") for _ in range(4)],
                  [("-ERR", False)] * 4, "a wrong password never hits")
        tap.equal(login(server, "alice"), ("+OK", True),
                  "and drives nothing out")
        tap.equal(login(server, "bob"), ("+OK", False),
                  "the same password of another user is another")
        tap.ok(popper.PASSWORD not in server.log.text(),
               "no password in the log")


def forgets():
    """Changes of password, account and configuration are seen at once."""
    with start() as server:
        for _ in range(3):
            login(server, "alice")
        user = server.users["alice"]
        user.hash = popper.hashed("another")
        server.write_users()
        tap.equal(login(server, "alice"), ("-ERR", False),
                  "the old password is worth nothing once it is changed")
        tap.equal([login(server, "alice", "another") for _ in range(3)],
                  [("+OK", False)] * 2 + [("+OK", True)], "the new one is")
        user.hash = "!" + user.hash
        server.write_users()
        tap.equal(login(server, "alice", "another"), ("-ERR", False),
                  "a locked account")
        user.hash = user.hash[1:]
        server.write_users()
        tap.equal(login(server, "alice", "another")[0], "+OK",
                  "it is opened again")
        del server.users["alice"]
        server.write_users()
        tap.equal(login(server, "alice", "another"), ("-ERR", False),
                  "an account that is gone")
        for _ in range(3):
            login(server, "bob")
        since = len(server.log.lines)
        server.main.send_signal(signal.SIGHUP)
        server.log.wait(r"settings read again", since)
        tap.equal([login(server, "bob") for _ in range(3)],
                  [("+OK", False)] * 2 + [("+OK", True)],
                  "a reload begins with nothing")


def off():
    """Without the option nothing is kept."""
    with start(**{"cache-lifetime": 0}) as server:
        for _ in range(3):
            login(server, "alice")
        tap.equal(server.log.find("credential cache"), [], "off by default")


def other_modules():
    """A module in front that cannot vouch turns the cache off."""
    server = popper.Server(MODE, conf={
        "cache-lifetime": 600, "debug": True}, start=False)
    server.add_user("alice", "maildir")
    server.modules = 'auth auth_template { user = "x" question = "?" ' \
        'answer = "!" }\n' + server.modules
    server.start()
    with server:
        tap.equal([login(server, "alice") for _ in range(4)],
                  [("+OK", False)] * 4,
                  "a module for passwords in front that cannot vouch")


for test in (used, forgets, off, other_modules):
    tap.run(test)
tap.done()
