#!/usr/bin/python3
"""LOGIN-DELAY: from the last good login on, across restarts.

Time is not waited for: the file whose time is the last login is made older.
proves: R-2449-12 R-2449-13 R-2449-14 R-2449-24 T-27
"""

import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
KIND = popper.DROPS[0]
DELAY = 3600


def last(server, user):
    return server.path("state", user.name, "last-login")


def shift(server, user, seconds):
    """As if the last login had been so long ago."""
    then = time.time() - seconds
    os.utime(last(server, user), (then, then))


def refused(client, user, what):
    answer = client.login(user)
    found = re.fullmatch(r"-ERR \[LOGIN-DELAY\] wait (\d+) seconds .*", answer)
    tap.ok(found, what)
    if not found:
        tap.diag(answer)
    return int(found[1]) if found else -1


def capabilities(client):
    return [line for line in client.lines("CAPA") if "DELAY" in line]


def course(server, user):
    """Accepted, refused in the same connection, accepted again."""
    client = server.connect()
    client.reply()
    tap.equal(capabilities(client), ["LOGIN-DELAY %d USER" % DELAY],
              "announced before the login")
    tap.match(client.login(user), r"^\+OK", "the first login")
    tap.equal(capabilities(client), ["LOGIN-DELAY %d" % DELAY],
              "and the exact value after it")
    client.quit()
    client = server.connect()
    client.reply()
    left = refused(client, user, "the second is too soon")
    tap.ok(DELAY - 60 < left <= DELAY, "with the seconds left")
    since = os.stat(last(server, user)).st_mtime_ns
    refused(client, user, "the connection stays in AUTHORIZATION")
    client.ok("LANG de")
    tap.match(client.login(user), r"^-ERR \[LOGIN-DELAY\] noch \d+ Sekunden ",
              "in German, too")
    tap.match(client.login(user, "wrong"), r"^-ERR \[AUTH\]",
              "a wrong password is told first")
    tap.equal(os.stat(last(server, user)).st_mtime_ns, since,
              "what was refused does not count")
    shift(server, user, DELAY - 100)
    client.ok("LANG en")
    left = refused(client, user, "shortly before the end")
    tap.ok(0 < left <= 100, "so much is left")
    shift(server, user, DELAY + 1)
    tap.match(client.login(user), r"^\+OK", "then it is accepted")
    refused(popper_client(server), user, "and counts again") \
        if client.quit() else None


def popper_client(server):
    client = server.connect()
    client.reply()
    return client


def restart(server, user):
    """The time is kept; one in the future locks nobody out."""
    server.stop_services()
    server.ports = []
    server.start()
    client = popper_client(server)
    refused(client, user, "after a restart it is known")
    shift(server, user, -10 * DELAY)
    tap.match(client.login(user), r"^\+OK", "a time in the future is none")
    client.quit()
    refused(popper_client(server), user, "it counts from there")


def own_value(server, fast):
    """A user's own delay is shorter, never longer."""
    client = popper_client(server)
    tap.match(client.login(fast), r"^\+OK", "a user with a delay of 0")
    tap.equal(capabilities(client), ["LOGIN-DELAY 0"], "is told so")
    client.quit()
    client = popper_client(server)
    tap.match(client.login(fast), r"^\+OK", "and may come at once")
    client.quit()


def silent(user):
    """Without the setting nothing is announced or written."""
    client = other.enter(user)
    tap.equal(capabilities(client), [], "nothing is announced")
    client.quit()
    tap.equal(os.path.exists(last(other, user)), False, "nothing is kept")


with popper.Server(MODE, start=False) as main:
    main.settings["login-delay"] = DELAY
    main.settings["max-tries"] = 10
    slow = main.add_user("slow", KIND, [mail.simple(1)])
    fast = main.add_user("fast", KIND, [mail.simple(1)])
    lines = open(main.path("users")).read().splitlines()
    main.write("users", "".join(
        line + (":login-delay=0" if line.startswith("fast:") else
                ":login-delay=99999") + "\n" for line in lines), 0o600)
    main.start()
    tap.run(lambda: course(main, slow))
    tap.run(lambda: own_value(main, fast))
    tap.run(lambda: restart(main, slow))
with popper.Server(MODE, start=False) as other:
    someone = other.add_user("someone", KIND, [mail.simple(1)])
    other.start()
    tap.run(lambda: silent(someone))
tap.done()
