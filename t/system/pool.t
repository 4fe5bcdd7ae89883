#!/usr/bin/python3
"""Gates that are kept: used again, bounded, and nothing of one connection is
left for the next."""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402


KEPT = 8  # GATES of src/auth/gates.c


def gates(server):
    return set(server.children("popper-auth"))


def wait(server, pids):
    """Until those processes have ended; returns the rest."""
    now = popper.processes()
    return popper.wait_gone({pid: now[pid][1] for pid in pids if pid in now})


def refused(client):
    return client.login("nobody-here", "x").startswith("-ERR [AUTH]")


def start(**settings):
    server = popper.Server("daemon" if popper.ROOT else "user", start=False)
    server.settings.update(settings)
    users = [server.add_user("u%d" % number, "maildir") for number in range(30)]
    server.start()
    return server, users


server, users = start()
seen = set()
for user in users:
    server.enter(user).quit()
    seen |= gates(server)
tap.ok(0 < len(seen) <= KEPT,
       "30 logins, one after another, were made by %d gates" % len(seen))

clients = []
for number in range(KEPT + 4):
    client = server.connect()
    client.reply()
    clients.append(client)
tap.ok(all(refused(client) for client in clients),
       "each of 12 connections is refused once and holds its gate")
held = gates(server)
tap.equal(len(held), KEPT + 4, "as many gates as connections want one")
for client, user in zip(clients, users):
    if not client.login(user).startswith("+OK"):
        tap.ok(False, user.name)
    client.quit()
for user in users:
    server.enter(user).quit()
tap.ok(len(gates(server)) <= KEPT, "eight of them are kept at most")
tap.ok(gates(server) <= held, "no new one was made meanwhile")

for what in ("a connection", "the next one"):
    client = server.connect()
    client.reply()
    tap.equal([refused(client), refused(client)], [True, True],
              what + " has tries of its own")
    client.leave()
server.enter(users[0]).quit()

victims = gates(server)
for pid in victims:
    os.kill(pid, signal.SIGKILL)
tap.equal(wait(server, victims), [], "all gates are killed")
server.enter(users[1]).quit()
tap.ok(gates(server) and not gates(server) & victims,
       "the next login has a new one")
tap.equal(server.stop(), [], "the server ends clean")

server, users = start(**{"reverse-lookup": True})
server.enter(users[0]).quit()
tap.equal(wait(server, gates(server)), [],
          "a gate that asks the resolver dies with its connection")
tap.equal(server.stop(), [], "the server ends clean")
tap.done()
