#!/usr/bin/python3
"""A hundred thousand messages: listed, and the session stays small.

proves: R-1939-21 R-1939-42 T-52
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
COUNT = 100000
LIMIT = 64 * 1024  # kB


def message(number):
    return b"Subject: %d\n\nx\n" % number


def session(server, user, kind, total):
    client = server.connect()
    client.sock.settimeout(120)  # the first look at so many takes its time
    client.enter(user)
    tap.equal(client.cmd("STAT"), "+OK %d %d" % (COUNT, total),
              kind + ": STAT")
    listing = client.fetch("LIST").count(b"\r\n")
    tap.equal(listing, COUNT, kind + ": LIST")
    ids = [line.split()[1] for line in client.lines("UIDL")]
    tap.equal(len(set(ids)), COUNT, kind + ": UIDL, all different")
    tap.equal(client.fetch("RETR %d" % COUNT),
              message(COUNT).replace(b"\n", b"\r\n"), kind + ": the last one")
    pid = server.children("popper-session")[0]
    peak = int(popper.status(pid)["VmHWM"].split()[0])
    tap.ok(peak < LIMIT, "%s: the session needs %d kB" % (kind, peak))
    client.quit()
    server.no_sessions()
    return ids


with popper.Server("daemon" if popper.ROOT else "user", start=False) as server:
    users = {}
    for kind in popper.DROPS:
        users[kind] = server.add_user(
            "many-" + kind, kind, [message(n) for n in range(1, COUNT + 1)])
    server.start()
    total = sum(len(message(n)) + 3 for n in range(1, COUNT + 1))
    for kind, user in users.items():
        first = session(server, user, kind, total)
        second = session(server, user, kind, total)
        tap.ok(first == second, kind + ": the same ids in the next session")
tap.done()
