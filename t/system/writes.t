#!/usr/bin/python3
"""LIST and UIDL of 20,000 messages leave as a few large writes.

Counted by a tracer, of both drops, in clear and over TLS.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import inject  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
COUNT = 20000
BUFFER = 65536  # STREAM_OUT_MAX
OUT = (inject.WRITE, inject.WRITEV, inject.SENDTO, inject.SENDMSG)


def fetch(client, pid, command):
    """How often did the process write, and how many octets came?"""
    with inject.Calls(pid) as calls:
        octets = len(client.fetch(command))
    return sum(calls.made[call] for call in OUT), octets


def counted(server, client, what):
    """Of the session, and of the worker that speaks TLS for it."""
    for service in ("popper-session", "popper-login")[:1 + ("TLS" in what)]:
        # That of the session before may take a moment to go.
        popper.wait_until(lambda: len(server.children(service)) == 1, service)
        pid, = server.children(service)
        for command in ("LIST", "UIDL"):
            writes, octets = fetch(client, pid, command)
            few = -(-octets // BUFFER)
            # A write that a full socket cuts in two is no fault.
            tap.ok(few <= writes <= 2 * few + 4,
                   "%s, %s: %s in %d writes, %d octets" % (
                       what, service, command, writes, octets))
            tap.ok(octets > 9 * COUNT, "%s, %s: %s of all" % (
                what, service, command))
    client.quit()


def all_ways():
    with popper.Server("tls", start=False) as server:
        users = {kind: server.add_user("many-" + kind, kind, [
            b"Subject: %d\n\nx\n" % n for n in range(COUNT)])
            for kind in popper.DROPS}
        server.start()
        for kind, user in users.items():
            client = server.enter(user)
            client.fetch("LIST")  # sizes are found out once
            client.quit()
            counted(server, server.enter(user), kind + ", TLS")
            client = popper.Client.to(server.ports[0])
            counted(server, client.enter(user), kind + ", in clear")
            client.close()


if inject.usable():
    all_ways()
else:
    tap.skip("large writes", "needs root and x86_64")
tap.done()
