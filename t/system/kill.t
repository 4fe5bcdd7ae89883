#!/usr/bin/python3
"""kill -9 of each process: mail stays whole, others go on, it starts again.

proves: R-1939-35 T-14 T-37 T-50
"""

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
MESSAGES = [mail.simple(n) for n in range(1, 4)]
SERVICES = ("popper-login", "popper-auth", "popper-session")


def service(server, name, user, other):
    """A service dies: it is started again, and logins work."""
    inside = server.enter(user)
    before = server.services()
    tap.ok(name in before, name + " runs")
    since = len(server.log.lines)
    os.kill(before[name], signal.SIGKILL)
    server.log.wait(name + r".*(signal|killed|died|ended|restart)", since)
    client = server.connect()  # waits in the listening socket meanwhile
    tap.match(client.reply(), r"^\+OK", name + ": a greeting afterwards")
    answer = client.login(other)
    tap.match(answer, r"^\+OK", name + ": and a login")
    after = server.services()
    tap.ok(after.get(name) not in (None, before[name]),
           name + " has been started again")
    tap.equal({key: pid for key, pid in after.items() if key != name},
              {key: pid for key, pid in before.items() if key != name},
              "the others are the same as before")
    client.leave()
    inside.leave()
    tap.equal(user.drop.stored(), MESSAGES, "no mail is lost")


def session(server, user, other):
    """One session dies: it alone, without UPDATE, and its lock is free."""
    bystander = server.enter(other)
    before = set(server.children("popper-session"))
    victim = server.enter(user)
    victim.ok("DELE 1")
    mine = set(server.children("popper-session")) - before
    tap.equal(len(mine), 1, "a session is one process")
    for pid in mine:
        os.kill(pid, signal.SIGKILL)
    tap.equal(victim.rest(), b"", "its connection is closed")
    tap.equal(bystander.cmd("STAT")[:6], "+OK 3 ", "another one goes on")
    again = server.enter(user)
    tap.equal(again.cmd("STAT")[:6], "+OK 3 ", "nothing was removed")
    again.leave()
    bystander.leave()


def master():
    """The master dies: nobody new gets in, who is in can end in peace."""
    server = popper.Server(MODE, start=False)
    user = server.add_user("m", "mbox", MESSAGES)
    server.start()
    client = server.enter(user)
    client.ok("DELE 1")
    below = popper.descendants(server.main.pid)
    services = server.services()
    tap.equal(sorted(services), sorted(SERVICES), "the services run")
    gate = {services[name]: below[services[name]]
            for name in ("popper-login", "popper-auth")}
    server.main.kill()
    server.main.wait()
    tap.equal(popper.wait_gone(gate), [], "who lets people in ends with it")
    tap.equal(client.cmd("STAT")[:6], "+OK 2 ", "a session goes on")
    client.leave()
    tap.equal(popper.wait_gone(below), [], "then every process has ended")
    tap.equal(user.drop.stored(), MESSAGES, "nothing was removed")
    server.stop()


def terminate():
    """SIGTERM: sessions end without UPDATE, and the status is 0."""
    server = popper.Server(MODE, start=False)
    user = server.add_user("t", "maildir", MESSAGES)
    server.start()
    client = server.enter(user)
    client.ok("DELE 1")
    tap.equal(server.stop(), [], "SIGTERM ends all of it")
    tap.equal(client.sock.fileno(), -1, "the connection is over")
    server = popper.Server(MODE, start=False)
    user = server.add_user("t", "mbox", MESSAGES)
    server.start()
    client = server.enter(user)
    client.ok("DELE 1")
    server.main.send_signal(signal.SIGTERM)
    tap.equal(client.rest(), b"", "no word to the client")
    server.main.wait()
    tap.equal(user.drop.stored(), MESSAGES, "and no UPDATE")
    tap.equal(server.main.returncode, 0, "exit status 0")
    tap.equal(server.stop(), [], "nothing is left over")


with popper.Server(MODE, start=False) as server:
    one = server.add_user("one", "mbox", MESSAGES)
    two = server.add_user("two", "maildir", MESSAGES)
    server.start()
    for name in SERVICES:
        tap.run(lambda: service(server, name, one, two), "kill " + name)
    tap.run(lambda: session(server, one, two))
    tap.run(lambda: session(server, two, one))
tap.run(master)
tap.run(terminate)
tap.done()
