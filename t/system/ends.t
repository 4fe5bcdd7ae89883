#!/usr/bin/python3
"""Clients that end at any octet, logins that fail and are tried again.

Whatever a client does, nothing is removed without its QUIT, nothing of ours
stays behind, and the next login works.
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


def workers(server):
    """{pid: start} of all that serves somebody: children of the services, but
    for the gates that are kept (at most eight, t/system/pool.t)."""
    everything = popper.descendants(server.main.pid)
    for pid in list(server.services().values()) + kept(server):
        everything.pop(pid, None)
    return everything


def kept(server):
    gates = server.children("popper-auth")
    return gates if len(gates) <= 8 else []


def all_gone(server):
    return popper.wait_gone(workers(server)) == []


def any_octet(server, user, reset):
    """One session, cut after each of its octets."""
    script = ("USER %s\r\nPASS %s\r\nDELE 1\r\nQUIT\r\n" % (
        user.name, popper.PASSWORD)).encode()
    wrong = []
    for length in range(len(script)):
        client = server.connect()
        client.reply()
        client.send(script[:length])
        if reset:
            client.reset()
        else:
            client.leave()
    left = popper.wait_gone(workers(server))
    if left:
        wrong.append("%d processes are left" % len(left))
    if user.drop.stored() != MESSAGES:
        wrong.append("a message was removed without QUIT")
    tap.equal(wrong, [], "%s at each of %d octets, %s" % (
        "reset" if reset else "end of file", len(script), user.drop.kind))


def gone_in_login(server, user):
    """The client is gone before popper-auth has looked at its password."""
    auth = server.services()["popper-auth"]
    os.kill(auth, signal.SIGSTOP)
    for _ in range(5):
        client = server.connect()
        client.reply()
        client.send(("USER %s\r\nPASS %s\r\nDELE 1\r\n" % (
            user.name, popper.PASSWORD)).encode())
        client.reply()
        client.reset()
    os.kill(auth, signal.SIGCONT)
    tap.ok(all_gone(server), "five clients gone during their login")
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK 3 ", "the next one gets in")
    client.leave()
    tap.equal(user.drop.stored(), MESSAGES, "nothing was removed")


def again(server, user):
    """One connection that is refused in every way, and gets in at last."""
    inside = server.enter(user)
    client = server.connect()
    client.reply()
    for _ in range(3):
        tap.match(client.login(user), r"^-ERR \[IN-USE\]", "somebody is in")
    tap.match(client.login(user, "wrong"), r"^-ERR \[AUTH\]",
              "then a wrong password")
    tap.match(client.login(user), r"^-ERR \[IN-USE\]", "and the right one")
    inside.ok("DELE 2")
    inside.quit()
    tap.match(client.login(user), r"^\+OK", "the other is out: in")
    tap.match(client.cmd("STAT"), r"^\+OK 2 ", "and sees what is left")
    client.quit()
    user.drop.deliver(MESSAGES[1])


def pipelined(server, user):
    """What is sent behind PASS is the session's, however it is cut."""
    name = user.name
    for cut in (1, 7, 100):
        script = ("USER nobody\r\nPASS x\r\nUSER %s\r\nPASS %s\r\nSTAT\r\n"
                  "NOOP\r\nUIDL 1\r\nQUIT\r\n" % (
                      name, popper.PASSWORD)).encode()
        client = server.connect()
        client.reply()
        for at in range(0, len(script), cut):
            client.send(script[at:at + cut])
        answers = [line[:4] for line in
                   client.rest().decode().split("\r\n")[:-1]]
        tap.equal(answers, ["+OK ", "-ERR", "+OK ", "+OK ", "+OK ", "+OK ",
                            "+OK ", "+OK "],
                  "eight commands in pieces of %d octets" % cut)
        client.close()


def reload_and_end(server, user):
    """Sessions of before a reload end after it; their count is not ours."""
    inside = [server.enter(other) for other in server.users.values()]
    since = len(server.log.lines)
    old = popper.descendants(server.main.pid)
    for pid in server.services().values():
        old.pop(pid)
    services = dict(server.services())
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"settings read again", since)
    for client in inside:
        client.ok("NOOP")
        client.leave()
    # The old popper-session has counted its last child when it is gone.
    began = {pid: entry[1] for pid, entry in popper.processes().items()
             if pid in services.values()}
    tap.equal(popper.wait_gone({**old, **began}), [],
              "the old services end with their last session")
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK 3 ", "and the new ones take more")
    client.leave()
    tap.equal(server.log.find(r"max-connections"), [],
              "nobody was one too many")


def hangup_of_one(server, user):
    """SIGHUP is nothing to a popper of inetd."""
    client = server.enter(user)
    server.spawned[-1].send_signal(signal.SIGHUP)
    tap.match(client.cmd("STAT"), r"^\+OK 3 ", "SIGHUP under inetd")
    tap.match(client.quit(), r"^\+OK", "and the session ends as ever")
    tap.equal(server.log.find(r"listening on|settings read again"), [],
              "it does not begin to listen")


def stop_of_one(server):
    """SIGTERM ends one of inetd that waits for a login, at once."""
    client = server.connect()
    client.reply()
    process = server.spawned[-1]
    process.send_signal(signal.SIGTERM)
    tap.equal(client.rest(), b"", "SIGTERM under inetd before the login")
    # It would be killed after its patience, and then say so.
    process.wait(popper.PATIENCE)
    tap.equal(process.returncode, 0, "it ends by itself")


with popper.Server(MODE) as server:
    one = server.add_user("one", popper.DROPS[0], MESSAGES)
    two = server.add_user("two", popper.DROPS[-1], MESSAGES)
    for cut_user in (one, two):
        tap.run(lambda: any_octet(server, cut_user, False))
        tap.run(lambda: any_octet(server, cut_user, True))
    tap.run(lambda: gone_in_login(server, one))
    tap.run(lambda: again(server, one))
    tap.run(lambda: pipelined(server, two))
    tap.run(lambda: reload_and_end(server, two))
with popper.Server("inetd") as server:
    one = server.add_user("one", popper.DROPS[0], MESSAGES)
    tap.run(lambda: hangup_of_one(server, one))
    tap.run(lambda: stop_of_one(server))
tap.done()
