#!/usr/bin/python3
"""What goes through the relay of a TLS connection, and how it ends.

proves: R-8314-02 T-14 T-48
"""

import os
import select
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]
LARGE = mail.simple(1) + b"".join(
    b"%07d %s\n" % (n, b"x" * (n % 70)) for n in range(120000))
LATER = r'session-end from=\S+ user="%s" .*why=%s '


def talk(server, **more):
    client = tls.Talk.to(server.tls_ports[0], server.authority, **more)
    server.clients.append(client)
    return client


def start(server):
    server.authority = tls.Authority(server.path("ca"))
    pair = server.authority.server()
    tls.own(server, pair)
    server.settings.update(server.authority.settings(pair))
    server.settings.update({"listen-tls": ["127.0.0.1:0"], "debug": True})
    server.start()


def relays(server):
    """Login workers that are there."""
    return server.children("popper-login")


def settle(server):
    """Until no connection is left."""
    left = popper.wait_gone({
        pid: popper.processes()[pid][1]
        for pid in relays(server) + server.children("popper-session")
        if pid in popper.processes()})
    tap.equal(left, [], "no relay and no session is left")


def large(server, user):
    wire = user.drop.wire(LARGE)
    client = talk(server).enter(user)
    client.ok("RETR 4")
    tap.ok(client.raw_multi() == mail.stuffed(wire),
           "%d octets through the relay, as they are" % len(wire))
    batch = [b"RETR 1\r\n", b"RETR 4\r\n", b"UIDL\r\n", b"RETR 2\r\n",
             b"NOOP\r\n"] * 5
    client.send(b"".join(batch) + b"QUIT\r\n")
    good = True
    for command in batch:
        good = client.reply().startswith("+OK") and good
        if command.startswith(b"RETR"):
            raw = MESSAGES + [LARGE]
            want = user.drop.wire(raw[int(command.split()[1]) - 1])
            good = client.raw_multi() == mail.stuffed(want) and good
        elif command.startswith(b"UIDL"):
            good = len(client.multi().splitlines()) == 4 and good
    tap.ok(good, "a batch in one packet, answered in order")
    tap.match(client.reply(), r"^\+OK", "the reply to QUIT is not lost")
    tap.equal(client.rest(), b"", "and is the last")
    tap.ok(client.notified, "close_notify comes before the end")
    client.close()
    settle(server)


def octets_one_by_one(server, user):
    """A record for each octet, and a greeting behind the handshake."""
    client = talk(server)
    client.reply()
    for octet in b"USER %b\r\nPASS %b\r\nSTAT\r\nQUIT\r\n" % (
            user.name.encode(), user.password.encode()):
        client.send(bytes([octet]))
    said = client.rest().split(b"\r\n")
    tap.ok(len(said) == 5 and all(x.startswith(b"+OK") for x in said[:-1]),
           "commands in records of one octet: %r" % said)
    client.close()


def slow_reader(server, user):
    """Who reads nothing for a while holds up nobody, and loses nothing."""
    client = talk(server).enter(user)
    client.send(b"RETR 4\r\n" * 3 + b"QUIT\r\n")
    # until the relay has nowhere to put it: its session waits in a write
    session = server.children("popper-session")[-1]
    until = time.monotonic() + popper.PATIENCE
    while popper.processes()[session][2] != "S" and \
            time.monotonic() < until:
        select.select([], [], [], 0.01)
    other = talk(server).enter(server.users["bob"])
    tap.match(other.cmd("STAT"), r"^\+OK", "another session goes on")
    other.quit()
    good = True
    for _ in range(3):
        good = client.reply().startswith("+OK") and good
        good = client.raw_multi() == mail.stuffed(
            user.drop.wire(LARGE)) and good
    tap.ok(good, "a slow reader gets all of it")
    tap.match(client.reply(), r"^\+OK", "and the reply to QUIT")
    client.rest()
    client.close()
    settle(server)


def floods(server, user):
    """Commands without end and nothing read: both ways get full."""
    client = talk(server).enter(user)
    client.sock.setblocking(False)
    data = b""
    while True:
        if not data:
            client.ssl.write(b"NOOP\r\n" * 200)
            data = client.outgoing.read()
        try:
            data = data[client.sock.send(data):]
        except BlockingIOError:
            if not select.select([], [client.sock], [], 0.5)[1]:
                break  # all buffers are full
    tap.ok(True, "a flood of commands without a look at the answers")
    client.reset()
    settle(server)


def ends(server, user):
    """Only QUIT deletes."""
    for name, end in (("TCP reset", lambda c: c.reset()),
                      ("TCP closed without close_notify",
                       lambda c: c.sock.close()),
                      ("close_notify without QUIT", lambda c: c.leave()),
                      ("a record that was changed on the way", spoil)):
        since = len(server.log.lines)
        client = talk(server).enter(user)
        client.ok("DELE 1")
        end(client)
        server.log.wait(LATER % (user.name, "lost"), since)
        tap.equal(len(user.drop.stored()), 4, name + ": nothing is removed")
        settle(server)


def spoil(client):
    """QUIT, in a record that does not verify."""
    client.ssl.write(b"QUIT\r\n")
    record = bytearray(client.outgoing.read())
    record[-1] ^= 1
    client.sock.sendall(record)
    client.rest()
    client.close()


def half_closed(server, user):
    client = talk(server).enter(user)
    client.send(b"RETR 4\r\nQUIT\r\n")
    client.half_close()
    client.reply()
    tap.ok(client.raw_multi() == mail.stuffed(user.drop.wire(LARGE)),
           "close_notify behind a batch: it is answered all the same")
    tap.match(client.reply(), r"^\+OK", "with QUIT")
    client.rest()
    client.close()


def quit_and_gone(server):
    """QUIT, and the client does not wait for the answer."""
    bob = server.users["bob"]
    since = len(server.log.lines)
    client = talk(server).enter(bob)
    client.ok("DELE 1")
    client.send(b"QUIT\r\n")
    client.sock.close()
    server.log.wait(LATER % ("bob", "quit"), since)
    tap.equal(bob.drop.stored(), MESSAGES[1:], "QUIT and gone: it counts")


def refused_logins(server, user):
    """A wrong password, a locked maildrop, then the right one."""
    first = talk(server).enter(user)
    client = talk(server)
    client.reply()
    tap.match(client.login(user, "wrong"), r"^-ERR \[AUTH\]", "wrong password")
    tap.match(client.login(user), r"^-ERR \[IN-USE\]", "in use")
    first.quit()
    tap.match(client.login(user), r"^\+OK", "then it opens, over TLS still")
    tap.match(client.cmd("STAT"), r"^\+OK 4 ", "and works")
    client.quit()


def counts(server):
    """Relays are no connections before the login."""
    held = []
    for number in range(3):
        held.append(talk(server).enter(server.users["m%d" % number]))
    late = talk(server)
    tap.match(late.reply(), r"^\+OK", "a limit on those before the login")
    late.login(server.users["m3"])
    for client in held + [late]:
        client.quit()


def stops(server):
    """A stop ends relays with their sessions."""
    client = talk(server).enter(server.users["bob"])
    server.main.send_signal(signal.SIGTERM)
    tap.equal(client.rest(), b"", "a stop ends a session over TLS")
    tap.equal(server.main.wait(popper.PATIENCE), 0, "and the server")
    tap.equal(server.stop(), [], "nothing of it is left")


with popper.Server(MODE, start=False,
                   conf={"max-connections-per-source": 2}) as SERVER:
    MARY = SERVER.add_user("mary", popper.DROPS[0], MESSAGES + [LARGE])
    SERVER.add_user("bob", popper.DROPS[0], MESSAGES)
    for NUMBER in range(4):
        SERVER.add_user("m%d" % NUMBER, popper.DROPS[0], MESSAGES)
    start(SERVER)
    tap.run(lambda: large(SERVER, MARY))
    tap.run(lambda: octets_one_by_one(SERVER, MARY))
    tap.run(lambda: slow_reader(SERVER, MARY))
    tap.run(lambda: floods(SERVER, MARY))
    tap.run(lambda: ends(SERVER, MARY))
    tap.run(lambda: half_closed(SERVER, MARY))
    tap.run(lambda: quit_and_gone(SERVER))
    tap.run(lambda: refused_logins(SERVER, MARY))
    tap.run(lambda: counts(SERVER))
    tap.run(lambda: stops(SERVER))
tap.done()
