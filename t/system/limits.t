#!/usr/bin/python3
"""Clients that are too much, too slow, too quiet or gone.

proves: R-1939-12 R-1939-13 R-1939-14 R-1939-35 R-2449-15 R-2449-16
proves: T-13 T-14 T-20 T-21 T-40
"""

import os
import socket
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]


def endless_line(server, user, login):
    """100 MB without a line end: one reply or a closed connection."""
    client = server.connect()
    if login:
        client.enter(user)
    else:
        client.reply()
    block = b"\0A" * 524288
    try:
        for _ in range(100):
            client.send(block)
        client.send(b"\r\nQUIT\r\n")
        answers = client.rest().split(b"\r\n")[:-1]
        good = len(answers) == 2 and answers[0].startswith(b"-ERR") \
            and answers[1].startswith(b"+OK")
    except (BrokenPipeError, ConnectionResetError):
        good, answers = True, []
    tap.ok(good, "100 MB without a line end, %s the login" % (
        "after" if login else "before"))
    biggest = max([int(popper.status(pid).get("VmHWM", "0").split()[0])
                   for pid in popper.descendants(server.main.pid)] + [0])
    tap.ok(biggest < 64 * 1024, "no process grew (%d kB)" % biggest)
    tap.equal(user.drop.stored(), MESSAGES, "nothing was removed")


def garbage(server, user):
    """Random octets get -ERR or a closed connection, and hurt nobody."""
    other = server.enter(user)
    import random
    source = random.Random(1939)
    for _ in range(20):
        client = server.connect()
        client.reply()
        try:
            client.send(source.randbytes(3000) + b"\r\n")
            client.half_close()
            lines = client.rest().split(b"\r\n")[:-1]
        except (BrokenPipeError, ConnectionResetError):
            lines = []
        if not all(line.startswith((b"-ERR", b"+OK")) for line in lines):
            tap.ok(False, "garbage: %r" % lines)
    tap.equal(other.cmd("STAT")[:6], "+OK 3 ", "garbage hurts no other")
    other.leave()


def pipelined_500(server, user):
    """500 commands in one segment: 500 replies, in order."""
    client = server.enter(user)
    client.send(b"".join(b"LIST %d\r\n" % (n % 5) for n in range(500)))
    sizes = [len(user.drop.wire(raw)) for raw in MESSAGES]
    wrong = []
    for n in range(500):
        answer = client.reply()
        number = n % 5
        want = "+OK %d %d" % (number, sizes[number - 1]) \
            if 1 <= number <= 3 else "-ERR"
        if not answer.startswith(want):
            wrong.append((n, answer))
    tap.equal(wrong, [], "500 commands in one segment")
    client.leave()


def write_first(server, user):
    """A client that writes a megabyte of RETR before it reads anything."""
    client = server.enter(user)
    count = 1000000 // len(b"RETR 2\r\n")
    wire = mail.stuffed(user.drop.wire(MESSAGES[1]))
    block = b"+OK %d octets\r\n" % len(user.drop.wire(MESSAGES[1])) + wire

    def write():
        client.send(b"RETR 2\r\n" * count + b"QUIT\r\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    # It reads only when the network has no more room for its commands.
    writer.join(0.5)
    good = all(client.exactly(len(block)) == block for _ in range(count))
    tap.ok(good, "%d RETR written before anything is read" % count)
    tap.match(client.reply(), r"^\+OK", "then QUIT")
    writer.join()
    client.close()


def slow(server, user):
    """A client that takes a megabyte in small sips holds up nobody."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", server.ports[0]))
    client = popper.Client(sock)
    server.clients.append(client)
    client.enter(user)
    client.send(b"RETR 1\r\n")
    tap.match(client.reply(), r"^\+OK", "a reply begins")
    other = server.connect()
    tap.match(other.reply(), r"^\+OK", "another is served meanwhile")
    other.close()
    want = mail.stuffed(user.drop.wire(mail.corpus()["attachment"]))
    tap.ok(client.exactly(len(want)) == want, "the slow one gets all of it")
    client.leave()


def half_close(server, user):
    """Commands, QUIT and the end in one go: all are answered and done."""
    client = server.connect()
    client.send(b"USER %s\r\nPASS %s\r\nDELE 1\r\nQUIT\r\n" % (
        user.name.encode(), popper.PASSWORD.encode()))
    client.half_close()
    lines = client.rest().split(b"\r\n")
    tap.equal([line[:3] for line in lines], [b"+OK"] * 5 + [b""],
              "everything before the end is answered")
    tap.equal(user.drop.stored(), MESSAGES[1:], "and done")


def idle():
    """Silence ends a session; a command, even a wrong one, is no silence."""
    with popper.Server(MODE, args=["-T", "2"], start=False,
                       conf={"login-timeout": 2}) as server:
        user = server.add_user("idle", "mbox", MESSAGES)
        server.start()
        before = server.connect()
        before.reply()
        inside = server.enter(user)
        inside.ok("DELE 1")
        # Four commands, a second apart, last longer than the limit.
        wait = threading.Event()
        answers = []
        for command in ("NOOP", "FOO", "NOOP", "STAT"):
            wait.wait(1)
            answers.append(inside.cmd(command)[:4])
        tap.equal(answers, ["+OK", "-ERR", "+OK", "+OK "]
                  if answers[0] == "+OK" else
                  ["+OK ", "-ERR", "+OK ", "+OK "],
                  "each command starts the time anew")
        tap.equal(before.rest(), b"", "silence before the login: no word")
        tap.equal(inside.rest(), b"", "silence after it: no word")
        tap.equal(user.drop.stored(), MESSAGES, "and no UPDATE")


def default_timeouts():
    """The limits are ten minutes unless somebody says otherwise."""
    path = os.path.join(popper.SRC, "src")
    text = ""
    for folder in ("conf", "base"):
        for name in os.listdir(os.path.join(path, folder)):
            with open(os.path.join(path, folder, name)) as file:
                text += file.read()
    tap.match(text, r'"timeout"[^}]*600', "timeout = 600 by default")
    tap.match(text, r'"login-timeout"[^}]*600', "login-timeout as well")


with popper.Server(MODE, start=False) as server:
    users = {name: server.add_user(name, kind, MESSAGES)
             for name, kind in (("a", "mbox"), ("b", "maildir"))}
    large = server.add_user("large", "mbox", [mail.corpus()["attachment"]])
    halves = [server.add_user("half-" + kind, kind, MESSAGES)
              for kind in ("mbox", "maildir")]
    server.start()
    tap.run(lambda: endless_line(server, users["a"], False))
    tap.run(lambda: endless_line(server, users["a"], True))
    tap.run(lambda: garbage(server, users["a"]))
    for user in users.values():
        tap.run(lambda: pipelined_500(server, user))
        tap.run(lambda: write_first(server, user))
    tap.run(lambda: slow(server, large))
    for user in halves:
        tap.run(lambda: half_close(server, user))
tap.run(idle)
tap.run(default_timeouts)
tap.done()
