#!/usr/bin/python3
"""The spool of a Qpopper host is served as it is: hashed folders, stored and
computed unique-ids, mail in .user.pop, Status headers.

proves: R-MBOX-10 T-23
"""

import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
if "mbox" not in popper.DROPS:
    tap.skip_all("needs the mbox module")
MODE = "daemon" if popper.ROOT else "user"
FROM = b"From bob@example.net Tue Mar  4 09:%02d:00 2025\n"
STORED = b"-!*!!SA^\"!$$#\"!~k!!q"
INTERNAL = (FROM % 0 + b"From: Mail System Internal Data <m@example.org>\n"
            b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
            b"X-IMAP: 1064912345 0000000003\nStatus: RO\n\nNot mail.\n\n")


def entry(number, extra=b""):
    """A message as it lies in an mbox."""
    return FROM % number + extra + mail.simple(number) + b"\n"


def computed(number):
    """What Qpopper 4 computes where it stores nothing."""
    line = FROM % number
    md5 = hashlib.md5(line)
    head = mail.simple(number).split(b"\n\n")[0] + b"\n"
    for header in head.splitlines(True):
        if header.lower().startswith(
                (b"received:", b"date:", b"message-id:", b"subject:")):
            md5.update(header)
    md5.update(line)
    out = ""
    for at in range(0, 16, 4):
        value = 0
        for octet in md5.digest()[at:at + 4]:
            value = value * 16 + octet
        for _ in range(5):
            value, digit = divmod(value, 80)
            out += "~" if digit == ord(".") - 0x21 else chr(0x21 + digit)
    return out


def put(server, name, content):
    path = server.path("spool", *name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o600)
    if popper.ROOT:
        os.chown(path, server.uid, server.gid)
    return path


def get(path):
    with open(path, "rb") as file:
        return file.read()


def start(more):
    server = popper.Server(MODE, start=False)
    for name in ("spool", os.path.join("spool", "o")):
        server._folder(name, 0o755)
        if popper.ROOT:
            os.chown(server.path(name), server.uid, server.gid)
    user = popper.User("maida", server.uid, server.gid, None)
    server.write("users", "maida:%s:%d:%d:\n" % (
        popper.hashed(popper.PASSWORD), user.uid, user.gid), 0o600)
    server.modules = (
        'auth passwd { file = "%s" }\ndrop mbox {\n'
        '\tspool-dir = "%s"\n\thash-spool = 1\n%s}\n' % (
            server.path("users"), server.path("spool"), more))
    server.start()
    return server


def uids(client):
    return [line.split(" ")[1] for line in client.lines("UIDL")]


def served_as_it_is():
    """Hashed, with the ids that the clients know, and not written to."""
    with start("\tunique-id = qpopper\n") as server:
        content = INTERNAL + entry(
            1, b"X-UIDL: %s\n" % STORED) + entry(2) + entry(3)
        path = put(server, ("o", "maida"), content)
        for _ in range(2):
            client = server.connect()
            client.reply()
            tap.match(client.login("maida"), r"^\+OK.* 3 messages",
                      "the UW message is not counted")
            tap.equal(uids(client), [STORED.decode(), computed(2),
                                     computed(3)], "the ids are Qpopper's")
            tap.equal(client.fetch("RETR 2"), mail.wire(mail.simple(2)),
                      "a message comes as it is")
            client.quit()
            tap.equal(get(path), content, "reading writes nothing")
        client = server.connect()
        client.reply()
        client.login("maida")
        client.ok("DELE 1")
        client.ok("DELE 3")
        client.quit()
        tap.equal(get(path), INTERNAL + entry(2),
                  "removing leaves the UW message where it was")


def crash_healed():
    """Mail that Qpopper left in .user.pop comes back, once."""
    with start("") as server:
        path = put(server, ("o", "maida"), entry(3))
        left = put(server, ("o", ".maida.pop"),
                   entry(1) + entry(2) + entry(3)[:-20])
        old = put(server, (".maida.pop",), entry(4))
        for count, content in (
                (3, entry(1) + entry(2) + entry(3)),
                (4, entry(4) + entry(1) + entry(2) + entry(3)),
                (4, entry(4) + entry(1) + entry(2) + entry(3))):
            client = server.connect()
            client.reply()
            tap.match(client.login("maida"), r"^\+OK.* %d message" % count,
                      "%d messages" % count)
            client.quit()
            tap.equal(get(path), content, "and the mbox has them")
            tap.ok(not os.path.exists(left), ".maida.pop is gone")
        tap.ok(not os.path.exists(old), "the one without hash, too")
        server.log.wait(r"2 of 3 messages of maida")
        server.log.wait(r"1 of 1 messages of maida")
        # The old server died after it had emptied the mbox and removed it.
        os.rename(path, left)
        client = server.connect()
        client.reply()
        tap.match(client.login("maida"), r"^\+OK.* 4 message",
                  "also if there is no mbox")
        client.quit()


def status_written():
    """Status and X-UIDL are written when asked for."""
    with start("\tupdate-status-headers = yes\n") as server:
        path = put(server, ("o", "maida"), entry(1) + entry(2))
        client = server.connect()
        client.reply()
        client.login("maida")
        known = uids(client)
        client.fetch("RETR 1")
        client.quit()
        head, body = mail.simple(1).split(b"\n\n", 1)
        other, more = mail.simple(2).split(b"\n\n", 1)
        tap.equal(get(path), (
            FROM % 1 + b"X-UIDL: " + known[0].encode() + b"\n" + head
            + b"\nStatus: RO\n\n" + body + b"\n" + FROM % 2 + b"X-UIDL: "
            + known[1].encode() + b"\n" + other + b"\nStatus: U\n\n" + more
            + b"\n"), "both are in the mbox")
        client = server.connect()
        client.reply()
        client.login("maida")
        tap.equal(uids(client), known, "and the ids are what they were")
        client.quit()


tap.run(served_as_it_is)
tap.run(crash_healed)
tap.run(status_written)
tap.done()
