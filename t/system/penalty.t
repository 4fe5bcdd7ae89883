#!/usr/bin/python3
"""Sources whose logins fail wait longer and longer; nobody else does.

Times are the server's own: a WAIT's length is in its debugging log, and the
table of delays is played in t/unit/test_penalty.c without a clock.
"""

import base64
import os
import re
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
FREE = 5  # PENALTY_FREE of src/auth/penalty.h


def waits(server):
    """Every wait so far, in ms."""
    return [int(re.search(r"waits (\d+) ms", line)[1])
            for line in server.log.find(r"a login from .* waits \d+ ms")]


def start(**more):
    settings = {"penalty-max": 2, "debug": True, "max-tries": 100}
    settings.update(more)
    server = popper.Server(MODE, conf=settings, start=False)
    users = [server.add_user(name, "maildir") for name in ("a", "b")]
    server.start()
    return server, users


def connect(server, source="127.0.0.1"):
    """A greeted connection from an address of 127/8."""
    client = popper.Client(socket.create_connection(
        ("127.0.0.1", server.ports[0]), popper.PATIENCE, (source, 0)))
    server.clients.append(client)
    client.reply()
    return client


def distinct(client, user, count, tag):
    return [client.login(user, "%s%d" % (tag, number))[:10]
            for number in range(count)]


def grows():
    """Failures are free at first, then each attempt waits longer."""
    server, (user, other) = start()
    with server:
        client = connect(server)
        tap.equal(distinct(client, user, FREE, "w"), ["-ERR [AUTH"] * FREE,
                  "%d wrong passwords" % FREE)
        tap.equal(waits(server), [], "none of them waits")
        tap.match(client.login(user, "w-more"), r"^-ERR \[AUTH\]", "one more")
        tap.match(client.login(user, "w-most"), r"^-ERR \[AUTH\]", "and more")
        server.log.wait(r"waits 2000 ms")
        tap.equal([n for n in waits(server) if n >= 1000], [1000, 2000],
                  "these wait, and ever longer")
        stranger = connect(server, "127.0.0.2")
        before = len(waits(server))
        tap.match(stranger.login(other), r"^\+OK", "another source logs in")
        tap.equal(len(waits(server)), before, "without waiting")
        late = connect(server)
        tap.match(late.login(user), r"^\+OK",
                  "the right password is right, after its wait")
        tap.ok(len(waits(server)) > before, "it did wait")


def hangs_up():
    """A client that goes away while it waits leaves nothing behind."""
    server, (user, other) = start(**{"penalty-max": 15})
    with server:
        client = connect(server)
        distinct(client, user, FREE + 3, "x")
        client.send(b"USER a\r\nPASS y\r\n")
        server.log.wait(r"waits 8000 ms")
        workers = {pid: popper.processes()[pid][1]
                   for pid in server.children("popper-login")}
        gates = {pid: popper.processes()[pid][1]
                 for pid in server.children("popper-auth")}
        client.reset()
        tap.equal(popper.wait_gone(workers, 6), [], "its worker ends at once")
        tap.equal(popper.wait_gone(gates, 6), [], "and its gate")
        tap.match(connect(server, "127.0.0.3").login(other), r"^\+OK",
                  "others are served")


def parallel():
    """Connections side by side guess no faster than one after another."""
    server, (user, _) = start(**{"penalty-max": 15})
    with server:
        clients = [connect(server) for _ in range(60)]
        for number, client in enumerate(clients):
            client.send(b"USER a\r\nPASS guess%d\r\n" % number)
        # Some are judged at once; most wait, and some are refused unread.
        server.log.wait(r"not even tried")
        turned = [line for line in server.log.find("login-failed code=AUTH ")]
        tap.ok(len(turned) <= 20,
               "of 60 guesses at once %d are judged" % len(turned))
        refused = 0
        for client in clients:
            client.sock.settimeout(0.01)
            try:
                while True:
                    if client.reply().startswith("-ERR [SYS/TEMP] too many"):
                        refused += 1
                        break
            except (socket.timeout, TimeoutError, popper.Closed):
                pass
            client.reset()
        tap.ok(refused > 0, "%d were told to come again later" % refused)


def forgotten_device():
    """The same wrong password again and again costs its owner nothing."""
    server, (user, other) = start()
    with server:
        client = connect(server)
        plain = base64.b64encode(b"\0a\0old password").decode()
        answers = []
        for _ in range(10):
            answers.append(client.login(user, "old password")[:10])
            answers.append(client.cmd("AUTH PLAIN " + plain)[:10])
        tap.equal(answers, ["-ERR [AUTH"] * 20,
                  "one wrong password, twenty times, by PASS and by PLAIN")
        tap.match(client.login(user), r"^\+OK", "then the right one")
        tap.equal(waits(server), [], "nobody has waited")


def exempt():
    """Networks of penalty-exempt are never slowed down."""
    server, (user, _) = start(**{
        "penalty-exempt": ["192.0.2.0/24", "127.0.0.0/30"]})
    with server:
        client = connect(server)
        distinct(client, user, 30, "z")
        tap.equal(waits(server), [], "30 failures of an exempt source")
        client = connect(server, "127.0.0.9")
        distinct(client, user, FREE + 1, "z")
        tap.ok(waits(server), "a source beside it waits")


def names_in_the_log():
    """A name with blanks cannot pretend to be another line's end."""
    server, _ = start()
    with server:
        client = connect(server)
        forged = b"\0x from host (192.0.2.9) 192.0.2.9: \0secret"
        client.cmd("AUTH PLAIN " + base64.b64encode(forged).decode())
        line = server.log.wait(r"login-failed .*").group(0)
        tap.match(line, r'^login-failed code=AUTH from=127\.0\.0\.1 '
                  r'user="x from host \(192\.0\.2\.9\) 192\.0\.2\.9: " mech',
                  "the log names the source")


def tries():
    """Whatever fails is a try: wrong passwords, cancelled and broken AUTH."""
    server, (user, _) = start(**{"max-tries": 3})
    with server:
        for name, lines in (
                ("cancelled", [b"AUTH PLAIN", b"*"]),
                ("no base64", [b"AUTH PLAIN", b"!"]),
                ("no base64 at once", [b"AUTH PLAIN !"]),
                ("too long", [b"AUTH PLAIN", b"A" * 20000])):
            client = connect(server)
            answers = []
            for _ in range(3):
                for line in lines:
                    client.send(line + b"\r\n")
                    answers.append(client.reply()[:4])
            want = ["+ ", "-ERR"][2 - len(lines):] * 3
            tap.equal([a.replace("-ERR", "-ERR") for a in answers], want,
                      "AUTH, %s: three times" % name)
            tap.equal(client.rest(), b"", "then the connection is closed")
        inside = server.enter(user)
        client = connect(server)
        answers = [client.login(user, "wrong")[:10] for _ in range(2)]
        answers.append(client.login(user)[:10])  # the maildrop is in use
        answers.append(client.login(user, "wrong")[:10])
        tap.equal(answers, ["-ERR [AUTH"] * 2 + ["-ERR [IN-U", "-ERR [AUTH"],
                  "two wrong passwords, a maildrop in use, a wrong password")
        tap.equal(client.rest(), b"", "that was the third")
        inside.leave()


for test in (grows, hangs_up, parallel, forgotten_device, exempt,
             names_in_the_log, tries):
    tap.run(test)
tap.done()
