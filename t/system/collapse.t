#!/usr/bin/python3
"""What is deleted from a large mbox is cut out of it as whole blocks, and
nobody sees what is left over."""

import ctypes
import hashlib
import mailbox
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
COUNT = 300
FIELD = b"X-Popper-Space: "
COLLAPSE_RANGE = 8
BLOCKS = (0xef53, 0x58465342)  # ext4, XFS


def message(number):
    line = b"%d: the quick brown fox jumps over the lazy dog, once more.\n"
    return mail.simple(number, (line % number) * (600 + number % 7))


MESSAGES = [message(number) for number in range(COUNT)]


def can_cut(server):
    """Can the file system that the mailboxes lie in cut blocks out?"""
    libc = ctypes.CDLL(None, use_errno=True)
    path = server.path("blocks")
    with open(path, "wb+") as file:
        file.truncate(65536)
        done = libc.fallocate64(
            file.fileno(), COLLAPSE_RANGE, ctypes.c_longlong(0),
            ctypes.c_longlong(4096)) == 0
    statfs = (ctypes.c_long * 64)()
    libc.statfs(path.encode(), statfs)
    os.unlink(path)
    return done and statfs[0] in BLOCKS and statfs[1] <= 4096


def look(server, user):
    """{unique-id: (LIST's octets, what RETR sends)}, in order."""
    client = server.enter(user)
    sizes = [line.split()[1] for line in client.lines("LIST")]
    uids = [line.split()[1] for line in client.lines("UIDL")]
    texts = [hashlib.sha256(client.fetch("RETR %d" % (i + 1))).digest()
             for i in range(len(uids))]
    client.leave()
    return list(zip(uids, sizes, texts))


def delete(server, user, *numbers):
    client = server.enter(user)
    for number in numbers:
        client.ok("DELE %d" % number)
    client.quit()


def stored(user):
    with open(user.drop.path, "rb") as file:
        return file.read()


def pads(user):
    return stored(user).count(b"\n" + FIELD)


def others_see(user, expected, what):
    """Python's reader, and one that splits at an empty line and "From "."""
    box = mailbox.mbox(user.drop.path, create=False)
    found = []
    for entry in box:
        del entry[FIELD.decode().strip(": ")]
        found.append(entry["Subject"])
    box.close()
    wanted = ["subject-%d" % number for number in expected]
    tap.equal(found, wanted, what + ": Python's mailbox finds each message")
    parts = [b"From " + part for part in
             (b"\n\n" + stored(user)).split(b"\n\nFrom ")[1:]]
    bodies = [part.split(b"\n\n", 1)[1].rstrip(b"\n") for part in parts]
    tap.equal(bodies, [MESSAGES[i].split(b"\n\n", 1)[1].rstrip(b"\n")
                       for i in expected],
              what + ": so does one that looks for separators, whole")


def step(server, user, state, numbers, what):
    """Delete those of what is there; all others are as they were."""
    seen, expected, cuts = state
    before = os.stat(user.drop.path)
    delete(server, user, *numbers)
    after = os.stat(user.drop.path)
    seen = [one for i, one in enumerate(seen, 1) if i not in numbers]
    expected = [one for i, one in enumerate(expected, 1) if i not in numbers]
    gone = before.st_size - after.st_size
    tap.ok(before.st_ino == after.st_ino and gone > 0,
           what + ": the same file, and smaller")
    if cuts:
        tap.equal(gone % 1024, 0, what + ": by whole blocks")
    tap.ok(look(server, user) == seen,
           what + ": ids, sizes and texts of the rest are what they were")
    others_see(user, expected, what)
    return seen, expected, cuts


def course(server):
    user = server.add_user("alice", "mbox", MESSAGES)
    cuts = can_cut(server)
    tap.ok(True, "the file system %s cut blocks out" %
           ("can" if cuts else "cannot"))
    state = look(server, user), list(range(COUNT)), cuts
    state = step(server, user, state, [20], "one in the middle")
    tap.equal(pads(user), int(cuts), "it left a field for the next")
    state = step(server, user, state, [19], "the one before that")
    tap.equal(pads(user), int(cuts), "there is never more than one of these")
    state = step(server, user, state, [1, 2, 4], "some at the front")
    state = step(server, user, state, [16], "the one with the field")
    tap.equal(pads(user), 2 * int(cuts), "its field went with it")


def lazily(server):
    """What was only noted leaves the file in the same way."""
    user = server.add_user("bob", "mbox", MESSAGES)
    seen = look(server, user)
    delete(server, user, 3)
    before = os.stat(user.drop.path).st_size
    return user, seen[:2] + seen[3:], before


def purged(server, user, seen, before):
    delete(server, user, 1)
    gone = before - os.stat(user.drop.path).st_size
    if can_cut(server):
        tap.equal(gone % 1024, 0, "purge = lazy: blocks are cut out")
    tap.ok(gone > 30000 and look(server, user) == seen[1:],
           "purge = lazy: the rest is what it was")


def configure(server, options):
    server.modules = 'auth passwd { file = "%s" }\ndrop mbox { %s }\n' % (
        server.path("users"), options)


def main():
    server = popper.Server(MODE, start=False)
    configure(server, 'collapse = 8M purge = lazy purge-time = ""')
    server.start()
    with server:
        late = lazily(server)
        configure(server, "collapse = 8M")
        server.write_conf()
        server.main.send_signal(signal.SIGHUP)
        server.log.wait(r"settings read again")
        purged(server, *late)
        course(server)


main()
tap.done()
