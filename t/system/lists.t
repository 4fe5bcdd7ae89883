#!/usr/bin/python3
"""Who may log in at all: auth-file, nonauth-file, check-shell.

proves: R-4422-05
"""

import base64
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
REFUSED = "-ERR [AUTH] login failed"


def plain(name, password=popper.PASSWORD):
    octets = b"\0" + name.encode() + b"\0" + password.encode()
    return "AUTH PLAIN " + base64.b64encode(octets).decode()


def answers(server, name):
    """What USER and PASS and what AUTH PLAIN are told."""
    found = []
    for way in ("pass", "plain"):
        client = server.connect()
        client.reply()
        found.append(client.login(name) if way == "pass"
                     else client.cmd(plain(name)))
        client.leave()
    return [answer[:3] if answer.startswith("+") else answer
            for answer in found]


def start(option):
    server = popper.Server(MODE, conf={"max-tries": 100}, start=False)
    for name in ("alice", "bob"):
        server.add_user(name, "maildir")
    server.settings[option] = server.write("list", "# these\nalice\n")
    server.start()
    return server


def lists():
    """Only those who are listed, or all but those, log in."""
    for option, alice, bob in (("auth-file", "+OK", REFUSED),
                               ("nonauth-file", REFUSED, "+OK")):
        with start(option) as server:
            tap.equal(answers(server, "alice"), [alice] * 2,
                      option + ": a name in it")
            tap.equal(answers(server, "bob"), [bob] * 2,
                      option + ": another name")
            client = server.connect()
            client.reply()
            tap.equal([client.login("alice", "x"), client.login("bob", "x"),
                       client.login("nobody-here", "x")], [REFUSED] * 3,
                      option + ": wrong passwords and strangers look the same")
            client.leave()
            since = len(server.log.lines)
            server.write("list", "bob\n")
            tap.equal(answers(server, "bob"), [alice] * 2,
                      option + ": the file is read afresh at each login")
            if alice == REFUSED:
                server.log.wait(r"bob is in nonauth-file", since)


def closed():
    """A list that cannot be trusted lets nobody in, and the log says why."""
    for option in ("auth-file", "nonauth-file"):
        with start(option) as server:
            path = server.path("list")
            for what, make, why in (
                    ("missing", lambda: os.unlink(path), "cannot be read"),
                    ("a symbolic link",
                     lambda: os.symlink(server.path("users"), path),
                     "symbolic link"),
                    ("writable by all",
                     lambda: (os.unlink(path),
                              server.write("list", "alice\nbob\n", 0o666)),
                     "others can write")):
                make()
                since = len(server.log.lines)
                found = answers(server, "alice") + answers(server, "bob")
                tap.ok(all(text.startswith("-ERR [SYS/TEMP]")
                           and "list" not in text for text in found),
                       "%s that is %s: nobody" % (option, what))
                client = server.connect()
                client.reply()
                tap.equal(client.login("alice", "wrong"), found[0],
                          "wrong passwords are told the same")
                client.leave()
                server.log.wait(why, since)


def at_the_start():
    """An administrator hears of it before the users do."""
    server = popper.Server(MODE, start=False)
    server.settings["nonauth-file"] = server.path("missing")
    server.start()
    with server:
        tap.ok(server.log.find(r"missing cannot be read, so nobody may log in"),
               "a list that is missing is told at the start")


for test in (lists, closed, at_the_start):
    tap.run(test)
tap.done()
