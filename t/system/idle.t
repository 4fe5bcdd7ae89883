#!/usr/bin/python3
"""A new login ends an idle session of the same user, if takeover says so.

Nothing is removed by the session that ends so; one that is busy or in the
middle of its QUIT is left alone; of two new ones one gets in.
"""

import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
BUSY = r"^-ERR \[IN-USE\] lock busy!  Is another session active\?"
MESSAGES = [mail.simple(n) for n in range(1, 4)]


def state(server, user):
    return server.path("state", user.name)


def is_offered(server, user):
    """Does a session of the user hold the lease?"""
    try:
        inode = os.stat(os.path.join(state(server, user), "takeover")).st_ino
    except FileNotFoundError:
        return False
    with open("/proc/locks", encoding="ascii") as locks:
        return any("LEASE" in line and ":%d " % inode in line
                   for line in locks)


def wait_offered(server, user):
    popper.wait_until(lambda: is_offered(server, user), "the session is idle")


def idle_one_ends(server, user, other):
    bystander = server.enter(other)
    old = server.enter(user)
    old.ok("DELE 1")
    wait_offered(server, user)
    wait_offered(server, other)
    new = server.connect()
    new.reply()
    tap.match(new.login(user), r"^\+OK", "%s: the new one gets in" %
              server.mode)
    tap.match(new.cmd("STAT"), r"^\+OK 3 ", "and no message is missing")
    tap.match(old.line().decode(), r"^-ERR \[SYS/TEMP\] another session has "
              r"taken over", "the old one is told")
    tap.equal(old.rest(), b"", "and closed")
    server.log.wait(r'session-end .*user="?%s"? .*why=taken-over' % user.name)
    tap.match(bystander.cmd("NOOP"), r"^\+OK",
              "a session of another user with the same uid goes on")
    new.ok("DELE 2")
    new.quit()
    bystander.quit()
    tap.equal(user.drop.stored(), [MESSAGES[0], MESSAGES[2]],
              "only what the new one has deleted is gone")
    user.drop.deliver(MESSAGES[1])


def two_at_once(server, user):
    old = server.enter(user)
    wait_offered(server, user)
    clients = [server.connect() for _ in range(2)]
    answers = {}

    def login(client):
        client.reply()
        answers[client] = client.login(user)

    threads = [threading.Thread(target=login, args=(client,))
               for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(popper.PATIENCE)
    inside = []
    for client in clients:
        if answers.get(client, "").startswith("+OK"):
            if client.cmd("NOOP").startswith("+OK"):
                inside.append(client)
        else:
            tap.match(answers.get(client, "nothing"), BUSY,
                      "the loser hears why")
    tap.equal(len(inside), 1, "of two new ones one has the maildrop")
    for client in inside:
        client.quit()
    old.close()


def busy_one_stays(server, user):
    """A client that does not read: its command is at work."""
    large = mail.simple(9) + b"large line\n" * 2000000
    user.drop.deliver(large)
    old = server.enter(user)
    number = int(old.cmd("STAT").split()[1])
    old.send(b"RETR %d\r\n" % number)
    tap.match(old.line().decode(), r"^\+OK", "a long answer has begun")
    new = server.connect()
    new.reply()
    tap.match(new.login(user), BUSY, "its session is not ended")
    new.close()
    got = old.raw_multi()
    tap.ok(got.count(b"large line") == 2000000, "the answer is whole")
    old.ok("DELE %d" % number)
    old.quit()


def commit_goes_on(server, user):
    """QUIT waits for a lock of the mail program's: nobody gets in before it is
    done."""
    old = server.enter(user)
    old.ok("DELE 1")
    wait_offered(server, user)
    lock = user.drop.path + ".lock"
    with open(lock, "xb"):
        pass
    old.send(b"QUIT\r\n")
    popper.wait_until(lambda: "QUIT" in titles(server), "QUIT is at work")
    new = server.connect()
    new.reply()
    tap.match(new.login(user), BUSY, "a commit is not ended")
    os.unlink(lock)
    tap.match(old.line().decode(), r"^\+OK", "it comes to its end")
    tap.match(new.login(user), r"^\+OK", "then the new one gets in")
    tap.match(new.cmd("STAT"), r"^\+OK 2 ", "and sees what is left")
    new.quit()
    user.drop.deliver(MESSAGES[0])


def titles(server):
    text = ""
    for pid in popper.descendants(server.main.pid):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                text += file.read().decode(errors="replace") + "\n"
        except OSError:
            pass
    return text


def not_yet(server, user):
    """Off, or not idle for long enough."""
    old = server.enter(user)
    new = server.connect()
    new.reply()
    tap.match(new.login(user), BUSY, "takeover = %s: the words of old" %
              server.settings.get("takeover", "default"))
    tap.ok(not is_offered(server, user), "and no lease")
    tap.match(old.cmd("NOOP"), r"^\+OK", "the old one goes on")
    old.quit()
    new.close()


for conf in ({}, {"takeover": "1d"}):
    with popper.Server(MODE, conf) as server:
        one = server.add_user("one", popper.DROPS[0], MESSAGES)
        tap.run(lambda: not_yet(server, one))
for mode in (MODE, "tls") if popper.ROOT else (MODE,):
    with popper.Server(mode, {"takeover": 1}) as server:
        users = [server.add_user(kind, kind, MESSAGES)
                 for kind in popper.DROPS]
        for user in users:
            tap.run(lambda: idle_one_ends(
                server, user, users[1 - users.index(user)]))
            tap.run(lambda: two_at_once(server, user))
        tap.run(lambda: busy_one_stays(server, users[0]))
        tap.run(lambda: commit_goes_on(server, server.users["mbox"]))
tap.done()
