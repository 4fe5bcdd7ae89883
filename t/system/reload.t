#!/usr/bin/python3
"""SIGHUP: new settings for new connections, sessions go on."""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]


def hangup(server):
    since = len(server.log.lines)
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"settings read again", since)


def reload_settings(server, user, other):
    """An old session goes on, a new one has the new settings."""
    inside = server.enter(user)
    server.settings["last"] = True
    server.write_conf()
    hangup(server)
    tap.equal(inside.cmd("STAT")[:6], "+OK 3 ", "the old session goes on")
    tap.match(inside.cmd("LAST"), r"^-ERR", "with its old settings")
    inside.ok("DELE 1")
    tap.match(inside.quit(), r"^\+OK", "and ends as it should")
    tap.equal(user.drop.stored(), MESSAGES[1:], "its deletion is done")
    client = server.enter(other)
    tap.match(client.cmd("LAST"), r"^\+OK", "a new one has the new setting")
    client.leave()


def wrong_settings(server, other):
    """Settings that are wrong are told, and the old ones stay."""
    server.settings["timeout"] = 9999999
    server.write_conf()
    since = len(server.log.lines)
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"timeout: must be", since)
    client = server.enter(other)
    tap.match(client.cmd("LAST"), r"^\+OK", "the old settings stay")
    client.leave()


def between(server, other):
    """No connection is refused while the settings are read."""
    server.settings["timeout"] = 600
    server.write_conf()
    good = 0
    for _ in range(10):
        server.main.send_signal(signal.SIGHUP)
        client = server.enter(other)
        good += client.cmd("STAT").startswith("+OK 3 ")
        client.leave()
    tap.equal(good, 10, "ten logins while it reads them ten times")


with popper.Server(MODE, start=False) as server:
    one = server.add_user("one", popper.DROPS[-1], MESSAGES)
    two = server.add_user("two", popper.DROPS[0], MESSAGES)
    server.start()
    tap.run(lambda: reload_settings(server, one, two))
    tap.run(lambda: wrong_settings(server, two))
    tap.run(lambda: between(server, two))
tap.done()
