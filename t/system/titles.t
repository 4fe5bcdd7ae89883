#!/usr/bin/python3
"""process-titles: what ps(1) shows of a session."""

import os
import select
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
LARGE = b"Subject: large\n\n" + b"x" * 70 + b"\n"


def titles(server):
    """What is shown of all that the server has started."""
    found = []
    for pid in popper.descendants(server.main.pid):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                found.append(file.read().rstrip(b"\0").decode("latin-1"))
        except OSError:
            pass
    return found


def shows(server, title):
    """Until ps would show it: the title changes when the command is read."""
    until = time.monotonic() + popper.PATIENCE
    while title not in titles(server):
        if time.monotonic() > until:
            tap.diag(repr(titles(server)))
            return False
        select.select([], [], [], 0.005)
    return True


def start(**conf):
    server = popper.Server(MODE, start=False, conf=conf)
    user = server.add_user("mary", popper.DROPS[0], [
        mail.simple(1), LARGE + b"y" * (1 << 25) + b"\n"])
    return server, user


def on():
    server, user = start(debug=True)
    other = server.add_user("o" * 200, popper.DROPS[0], [])
    with server.start():
        client = server.enter(user)
        client.ok("STAT")
        tap.ok(shows(server, "popper-session: mary [127.0.0.1]"),
               "a session that waits")
        client.send(b"RETR 2\r\n")
        tap.ok(shows(server, "popper-session: mary [127.0.0.1]: RETR"),
               "one that sends a message")
        client.reply()
        client.multi()
        client.cmd("FOO")
        client.ok("NOOP")
        tap.ok(shows(server, "popper-session: mary [127.0.0.1]"),
               "then it waits again")
        second = server.enter(other)
        second.send(b"NOOP\r\n" * 3 + b"QUIT\r\n")
        second.rest()
        client.quit()
        server.stop_services()
        tap.equal(server.log.find(r"killed by|out of memory"), [],
                  "and nothing is broken by it")


def off():
    server, user = start(**{"process-titles": False})
    with server.start():
        client = server.enter(user)
        client.ok("STAT")
        tap.equal([title for title in titles(server) if "mary" in title], [],
                  "with process-titles = no ps tells nobody who is here")
        client.quit()


tap.run(on)
tap.run(off)
tap.done()
