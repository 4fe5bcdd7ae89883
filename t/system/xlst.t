#!/usr/bin/python3
"""A client that knows messages by XTND XLST Message-Id instead of UIDL.

Thunderbird and its ancestors ask so where a server has no UIDL, and keep what
comes behind the second space as the message's id.  What they send is replayed,
and their way to take the answer apart is copied.

proves: R-1082-09
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
FOLDED = (b"Message-Id:\n <folded.7@example.net>\nFrom: a@example.org\n"
          b"Subject: folded\n\nx\n")
MESSAGES = [mail.simple(n) for n in (1, 2, 3)] + [FOLDED]


def words(line):
    """As strtok() finds them: runs of spaces part words."""
    return [word for word in line.split(" ") if word]


def ids(client):
    """{number: id} as the client keeps it."""
    found = {}
    for line in client.lines("XTND XLST Message-Id"):
        parts = words(line)
        if parts and parts[0].isdigit() and int(parts[0]) > 0:
            found[int(parts[0])] = parts[2] if len(parts) > 2 else ""
    return found


class Reader:
    """Leaves mail on the server and knows what it has."""

    def __init__(self, server, user):
        self.server, self.user = server, user
        self.state, self.inbox = set(), []

    def poll(self, forget=()):
        """Fetch what is new, delete what is in forget; what was fetched."""
        client = self.server.connect()
        client.reply()
        client.send(b"AUTH\r\n")
        if client.reply().startswith("+OK"):
            client.raw_multi()
        client.fetch("CAPA")
        client.login(self.user)
        count = int(client.ok("STAT").split()[1])
        sizes = client.lines("LIST")
        found, new = ids(client), []
        tap.equal((len(sizes), sorted(found)),
                  (count, list(range(1, count + 1))),
                  "every message has an id")
        tap.ok("" not in found.values() and
               len(set(found.values())) == count, "each its own")
        for number, name in found.items():
            if name in forget:
                client.ok("DELE %d" % number)
                self.state.discard(name)
            elif name not in self.state:
                new.append(client.fetch("RETR %d" % number))
                self.state.add(name)
        self.state &= set(found.values())
        client.quit()
        self.inbox += new
        return new


def replay(kind):
    """Leave on server, by Message-Id: nothing twice, nothing missed."""
    mode = "daemon" if popper.ROOT else "user"
    with popper.Server(mode, start=False) as server:
        server.modules = "ext xlst { }\n" + server.modules
        user = server.add_user("alice", kind, MESSAGES)
        server.start()
        reader = Reader(server, user)
        wires = [user.drop.wire(raw) for raw in MESSAGES]
        tap.equal(reader.poll(), wires, kind + ": the first time, all of it")
        tap.ok("<folded.7@example.net>" in reader.state,
               kind + ": a folded id is found behind the second space")
        tap.equal(reader.poll(), [], kind + ": then nothing")
        user.drop.deliver(mail.simple(9))
        tap.equal(reader.poll(), [user.drop.wire(mail.simple(9))],
                  kind + ": only what has come")
        tap.equal(reader.poll(forget=["<20250304.2@example.net>"]), [],
                  kind + ": nothing again when one is deleted")
        tap.equal(user.drop.subjects(),
                  ["subject-1", "subject-3", "folded", "subject-9"],
                  kind + ": and it was that one")
        tap.equal(reader.poll(), [], kind + ": nor when it is gone")


def vanished():
    """Another program removes a message meanwhile: the others are listed."""
    with popper.Server("user", start=False) as server:
        server.modules = "ext xlst { }\n" + server.modules
        user = server.add_user("bob", "maildir", MESSAGES)
        server.start()
        client = server.enter(user)
        names = sorted(os.listdir(os.path.join(user.drop.path, "new")))
        os.unlink(os.path.join(user.drop.path, "new", names[1]))
        tap.equal(sorted(ids(client)), [1, 3, 4],
                  "what another program removed hurts no other message")
        tap.match(client.cmd("XTND XLST Message-Id 2"), r"^-ERR",
                  "and asked for itself it is an error")
        tap.match(client.cmd("NOOP"), r"^\+OK", "the session goes on")
        client.quit()


for KIND in popper.DROPS:
    tap.run(lambda: replay(KIND), "replay " + KIND)
if "maildir" in popper.DROPS:
    tap.run(vanished)
tap.done()
