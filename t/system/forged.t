#!/usr/bin/python3
"""Indexes of a user's own making, with good sums: no client gets a line that
is none, and mail that was not shown does not go."""

import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MASK = (1 << 64) - 1
FACTOR = 0x9e3779b97f4a7c15
COUNT = 120  # so many that the index is written once they have settled


def words(octets):
    return struct.unpack("=%dQ" % (len(octets) // 8), octets)


def swapped(total, word):
    total = ((total ^ word) * FACTOR) & MASK
    return (total << 32 | total >> 32) & MASK


def mbox_sum(start, octets):
    """doc/index-format.md, Sums."""
    lanes = [start ^ len(octets), 1, 2, 3]
    whole = len(octets) & ~31
    for at, word in enumerate(words(octets[:whole])):
        lanes[at % 4] = swapped(lanes[at % 4], word)
    total = lanes[0]
    for lane in lanes[1:]:
        total = swapped(total, lane)
    rest = octets[whole:]
    for word in words(rest[:len(rest) & ~7]):
        total = swapped(total, word)
    total = swapped(total, int.from_bytes(rest[len(rest) & ~7:], sys.byteorder)
                    if sys.byteorder == "little" else
                    words(rest[len(rest) & ~7:].ljust(8, b"\0"))[0])
    return total ^ total >> 32


def mixed(total, word):
    total = ((total ^ word) * FACTOR) & MASK
    return total ^ total >> 32


def maildir_sum(start, octets):
    lanes = [start ^ len(octets)] + [start + i & MASK for i in (1, 2, 3)]
    whole = len(octets) & ~31
    for at, word in enumerate(words(octets[:whole])):
        lanes[at % 4] = mixed(lanes[at % 4], word)
    rest = words(octets[whole:].ljust(32, b"\0"))
    for i in range(4):
        lanes[0] = mixed(lanes[0], mixed(lanes[i], rest[i]))
    return lanes[0]


def seal_part(index, at, start, total):
    """The sum of the one part of lists at ${at}."""
    count, octets = struct.unpack_from("=2I", index, at + 8)
    tap.equal(at + 16 + count + octets, len(index), "one part of lists")
    struct.pack_into("=Q", index, at, total(start, index[at + 8:]))


def seal_maildir(index):
    """All sums anew."""
    magic, = struct.unpack_from("=Q", index, 0)
    count, = struct.unpack_from("=Q", index, 56)
    names, lists = struct.unpack_from("=2Q", index, 80)
    middle = 112 + 32 * count
    total = maildir_sum(maildir_sum(magic, index[112:middle]),
                        index[middle:middle + names])
    struct.pack_into("=2Q", index, 96, total, 0)
    struct.pack_into("=Q", index, 104, maildir_sum(magic, index[:112]))
    if lists > 0:
        seal_part(index, middle + names, total, maildir_sum)


def seal_mbox(index):
    """All sums anew, of an index with one part of lists."""
    count, = struct.unpack_from("=Q", index, 80)
    texts, lists = struct.unpack_from("=2Q", index, 112)
    at = 160
    for i, size in enumerate((32 * count, 24 * count, texts)):
        struct.pack_into("=Q", index, 128 + 8 * i,
                         mbox_sum(i, index[at:at + size]))
        at += size
    ids, = struct.unpack_from("=Q", index, 136)
    if lists > 0:
        seal_part(index, at, ids, mbox_sum)
    magic, = struct.unpack_from("=Q", index, 0)
    struct.pack_into("=Q", index, 152, mbox_sum(magic, index[:152]))


def read(path):
    with open(path, "rb") as file:
        return bytearray(file.read())


def write(path, octets):
    """Without another inode or owner."""
    with open(path, "r+b") as file:
        file.write(octets)
        file.truncate()


def settled(server, user, path, is_good):
    """Log in until there is an index that is used; returns it."""
    def used():
        client = server.enter(user)
        client.lines("LIST")
        client.lines("UIDL")
        client.quit()
        return os.path.exists(path) and is_good(read(path))
    popper.wait_until(used, "an index of %s" % user.name)
    return read(path)


def in_step(client, what):
    """Nothing came that was not asked for."""
    client.send(b"NOOP\r\nSTAT\r\n")
    tap.match(client.reply(), r"^\+OK", what + ": NOOP is answered next")
    tap.match(client.reply(), r"^\+OK \d+ \d+$", what + ": and STAT")


def right_ids(server, user, uids, what):
    client = server.enter(user)
    tap.equal(client.lines("UIDL"), uids, what + ": the right ids")
    in_step(client, what)
    client.quit()


def no_line_of_ours(server, user, what):
    """UIDL is refused, or tells ids that are some."""
    client = server.enter(user)
    answer = client.cmd("UIDL")
    tap.match(answer, r"^-ERR \[SYS/PERM\]", what + ": UIDL is refused")
    in_step(client, what)
    client.quit()


def maildir(server):
    user = server.add_user("alice", "maildir", [mail.simple(1)] * COUNT)
    path = server.path("state", "alice", "maildir.index")
    first = sorted(os.listdir(user.drop.path + "/new"))[0]
    os.rename(user.drop.path + "/new/" + first,
              user.drop.path + "/new/1.a\r\n.\r\n+OK evil")
    index = settled(server, user, path, lambda x: all(
        struct.unpack_from("=q8xq", x, 24)))  # it knows both folders
    tap.ok(b"+OK evil\0" in index, "the index has the name")
    write(path, index)
    seal_maildir(index)
    tap.equal(read(path), index, "and sums that we can make")
    client = server.enter(user)
    uids = client.lines("UIDL")
    client.quit()
    for text in (b"\r\n.\r\n+OK", b"a b", b"\xff\0"):
        bad = bytearray(index)
        bad[-len(text):] = text
        seal_maildir(bad)
        write(path, bad)
        right_ids(server, user, uids, "%r" % text)
    twin, = struct.unpack_from("=H", index, 112 + 28)
    tap.equal(twin, 1, "the first one's unique-id is a hash")
    struct.pack_into("=H", index, 112 + 28, 0)
    del index[-struct.unpack_from("=Q", index, 88)[0]:]
    struct.pack_into("=Q", index, 88, 0)
    seal_maildir(index)
    write(path, index)
    no_line_of_ours(server, user, "a name for an id")
    tap.equal(read(path), index, "it was used")
    tap.equal(len(os.listdir(user.drop.path + "/new")), COUNT,
              "no mail is gone")


def mbox(server):
    user = server.add_user("bob", "mbox", [
        mail.simple(number) for number in range(COUNT)])
    path = server.path("state", "bob", "mbox.index")
    index = settled(server, user, path, lambda x: any(
        struct.unpack_from("=I", x, 100)))  # it has unique-ids
    right = bytearray(index)
    seal_mbox(right)
    tap.equal(right, index, "sums that we can make")
    client = server.enter(user)
    uids = client.lines("UIDL")
    client.quit()
    for text in (b"\r\n.\r\n+OK", b"a b", b"\xff\0"):
        bad = bytearray(index)
        bad[-len(text):] = text
        seal_mbox(bad)
        write(path, bad)
        right_ids(server, user, uids, "%r" % text)
    hidden(server, user, index, path)


def hidden(server, user, index, path):
    """The second record is not there: message 2 goes with message 1."""
    before = read(user.drop.path)
    size, = struct.unpack_from("=Q", index, 160 + 32 + 16)
    octets, = struct.unpack_from("=Q", index, 88)
    del index[160 + 32:160 + 64]
    del index[160 + 32 * (COUNT - 1) + 24:160 + 32 * (COUNT - 1) + 48]
    struct.pack_into("=2Q", index, 80, COUNT - 1, octets - size)
    end = 160 + 56 * (COUNT - 1) + struct.unpack_from("=Q", index, 112)[0]
    del index[end:]
    struct.pack_into("=Q", index, 120, 0)
    seal_mbox(index)
    write(path, index)
    client = server.enter(user)
    tap.match(client.ok("STAT"), r"^\+OK %d " % (COUNT - 1),
              "a message is hidden")
    client.ok("DELE 1")
    tap.match(client.cmd("QUIT"), r"^-ERR \[SYS/TEMP\]",
              "what would go with it is noticed")
    tap.equal(read(user.drop.path), before, "no octet has gone")
    client = server.enter(user)
    tap.match(client.ok("STAT"), r"^\+OK %d " % COUNT, "and it is back")
    client.quit()


with popper.Server(MODE) as SERVER:
    maildir(SERVER)
    mbox(SERVER)
tap.done()
