#!/usr/bin/python3
"""EXPIRE, enforced: old mail goes, but not because a clock or date is wrong.

Time is not waited for: the times of the files that keep it are changed.
proves: R-2449-17 R-2449-19 T-26
"""

import email.utils
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
DAY = 86400
NOW = int(time.time())
ENFORCED = {"expire": "30", "enforce-expire": "any"}


def own(user, path, when=None):
    os.chmod(path, 0o600)
    if when is not None:
        os.utime(path, (when, when))
    if popper.ROOT:
        os.chown(path, user.uid, user.gid)


def fill_maildir(user, ages, seen):
    """Messages of such ages in days; None: a name without a time."""
    for number, age in enumerate(ages, 1):
        when = NOW - 99 * DAY if age is None else NOW - age * DAY
        name = "%s.M%06dP1.example.org" % (
            "x" if age is None else when, number)
        folder = "new"
        if number in seen:
            folder, name = "cur", name + ":2,S"
        path = os.path.join(user.drop.path, folder, name)
        with open(path, "wb") as file:
            file.write(mail.simple(number))
        own(user, path, when)


def fill_mbox(user, ages, seen):
    """The same; None: a year of two digits."""
    with open(user.drop.path, "wb") as file:
        for number, age in enumerate(ages, 1):
            date = time.gmtime(NOW - (age or 99) * DAY)
            file.write(b"From a@b " + time.strftime(
                "%a %b %e %H:%M:%S %Y" if age is not None else
                "%a %b %e %H:%M:%S 99", date).encode() + b"\n")
            if number in seen:
                file.write(b"Status: RO\n")
            file.write(mail.simple(number) + b"\n")
    own(user, user.drop.path)


def witness(server, user, ago=None):
    """As if the earlier session had been so many seconds ago."""
    path = server.path("state", user.name, "expire-witness")
    if ago is not None:
        then = time.time() - ago
        os.utime(path, (then, then))
    return os.stat(path).st_mtime


def visit(server, user):
    client = server.enter(user)
    count = int(client.ok("STAT").split()[1])
    client.quit()
    return count


def left(user):
    """Which of mail.simple()'s messages are there."""
    have = [raw[raw.index(b"Subject: "):] for raw in user.drop.stored()]
    return sorted(n for n in range(1, 9) if any(
        raw.startswith(part) for raw in have for part in [
            mail.simple(n)[mail.simple(n).index(b"Subject: "):][:24]]))


def course(server, user, fill):
    """Any message, once it was too old at an earlier session."""
    fill(user, [400, 29, 32, None, -5], ())
    tap.equal(visit(server, user), 5, "nothing is hidden")
    tap.equal(left(user), [1, 2, 3, 4, 5],
              "the first session removes nothing")
    visit(server, user)
    tap.equal(left(user), [1, 2, 3, 4, 5], "nor one at once")
    witness(server, user, DAY - 100)
    visit(server, user)
    tap.equal(left(user), [1, 2, 3, 4, 5], "nor one within a day")
    witness(server, user, DAY + 100)
    server.enter(user).leave()
    tap.equal(left(user), [1, 2, 3, 4, 5], "nor one without QUIT")
    since = time.time() - 5
    visit(server, user)
    tap.equal(left(user), [2, 4, 5],
              "a day later: what is too old, and nothing else")
    tap.ok(witness(server, user) >= since, "and that day is kept")
    witness(server, user, -20 * DAY)
    visit(server, user)
    tap.ok(witness(server, user) <= time.time(),
           "a clock that went back starts anew")
    tap.equal(left(user), [2, 4, 5], "and removes nothing")


def clock(server, user, fill):
    """What a session sees whose clock is 400 days ahead of the mail's and of
    the last session's."""
    fill(user, [400, 401], ())
    visit(server, user)
    witness(server, user, 400 * DAY)
    visit(server, user)
    tap.equal(left(user), [1, 2], "nothing was old at the last session")
    visit(server, user)
    tap.equal(left(user), [1, 2], "and a day must pass by the new clock")


def headers(server, user):
    """An mbox: the later of separator and Received counts."""
    old = time.strftime("%a %b %e %H:%M:%S %Y",
                        time.gmtime(NOW - 60 * DAY)).encode()

    def received(ago):
        return ("Received: from a by b\n\twith SMTP id 7; %s\n" %
                email.utils.formatdate(NOW - ago * DAY)).encode()

    with open(user.drop.path, "wb") as file:
        for number, head in enumerate((
                received(5) + received(60), received(60) + received(5),
                b"Received: nonsense\n"), 1):
            file.write(b"From a@b " + old + b"\n" + head +
                       mail.simple(number) + b"\n")
    own(user, user.drop.path)
    visit(server, user)
    witness(server, user, DAY + 100)
    visit(server, user)
    tap.equal(left(user), [1], "the first Received is our own host's")


def retrieved(kind, fill):
    """Only what was retrieved in an earlier session."""
    with popper.Server(MODE, start=False, conf=dict(
            ENFORCED, **{"enforce-expire": "retrieved"})) as server:
        user = server.add_user("mary", kind)
        server.start()
        fill(user, [60, 60, 60], (2,))
        visit(server, user)
        witness(server, user, DAY + 100)
        client = server.enter(user)
        client.fetch("RETR 3")
        client.ok("NOOP")
        client.quit()
        tap.equal(left(user), [1, 3], "%s: what was retrieved before" % kind)


def settings():
    """What contradicts itself is refused at the start."""
    with popper.Server(MODE, start=False) as server:
        server.write_users()
        for conf, word in (
                ({"enforce-expire": "any"}, "expire must be"),
                ({"enforce-expire": "any", "expire": "never"}, "expire must"),
                ({"enforce-expire": "any", "expire": "0"}, "auto-delete"),
                ({"enforce-expire": "yes", "expire": "3"}, "no, retrieved"),
                ({"auto-delete": True, "expire": "3"}, "must be 0"),
                ({"announce-login-delay": "5", "login-delay": 6},
                 "must not be less"),
                ({"announce-login-delay": "soon"}, "must be seconds")):
            before = dict(server.settings)
            server.settings.update(conf)
            server.write_conf()
            server.settings = before
            done = subprocess.run(
                server.command("--check"), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=60)
            tap.ok(done.returncode == 1 and word in done.stdout,
                   "%s: %s" % (conf, word))


with popper.Server(MODE, start=False, conf=ENFORCED) as main:
    FILL = {"maildir": fill_maildir, "mbox": fill_mbox}
    users = {(kind, test): main.add_user("%s-%s" % (kind, test), kind)
             for kind in popper.DROPS for test in ("age", "clock", "header")}
    main.start()
    for kind in popper.DROPS:
        tap.diag(kind)
        tap.run(lambda: course(main, users[kind, "age"], FILL[kind]))
        tap.run(lambda: clock(main, users[kind, "clock"], FILL[kind]))
    if "mbox" in popper.DROPS:
        tap.run(lambda: headers(main, users["mbox", "header"]))
for KIND in popper.DROPS:
    tap.run(lambda: retrieved(KIND, FILL[KIND]))
tap.run(settings)
tap.done()
