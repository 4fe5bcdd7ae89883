#!/usr/bin/python3
"""An unknown user costs as much time as a wrong password.

Both are tried 200 times in turn, and both distributions are printed.  The
difference of the medians must be less than the noise: the larger of the two
spreads (the median absolute deviation, made comparable to a standard
deviation), and never less than 2 per cent.  A busy machine makes the noise
larger, and so the test less sharp, but not fail.

proves: R-4422-05
"""

import base64
import os
import random
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
ROUNDS = 200
HAS_PAM = os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la"))


def spread(values):
    middle = statistics.median(values)
    return 1.4826 * statistics.median(abs(v - middle) for v in values)


def same(one, other):
    """Is the difference of two distributions within their noise?"""
    noise = max(spread(one), spread(other), 0.02 * statistics.median(one))
    return abs(statistics.median(one) - statistics.median(other)) <= noise


def show(name, values):
    low, middle, high = statistics.quantiles(values, n=4)
    tap.diag("%-14s %4d times: quartiles %8.3f %8.3f %8.3f ms, spread %.3f ms"
             % (name, len(values), low * 1e3, middle * 1e3, high * 1e3,
                spread(values) * 1e3))


def compare(found, what):
    for name, values in found.items():
        show(name, values)
    first, *others = found.values()
    for other in others:
        tap.ok(same(first, other), what)


def by_pass(client, name, password):
    client.ok("USER " + name)
    return "PASS " + password


def by_plain(client, name, password):
    client.fetch("CAPA")  # a hundred refusals without a break are too many
    octets = b"\0" + name.encode() + b"\0" + password.encode()
    return "AUTH PLAIN " + base64.b64encode(octets).decode()


def one(client, way, name):
    """Seconds until a refusal comes."""
    command = way(client, name, "a wrong password")
    start = time.perf_counter()
    answer = client.cmd(command)
    took = time.perf_counter() - start
    if answer != "-ERR [AUTH] login failed":
        raise AssertionError(answer)
    return took


def in_turn(server, way, names):
    """{name: seconds of each attempt}, in a new order each round."""
    found = {name: [] for name in names}
    client = server.connect()
    client.reply()
    for name in names:
        one(client, way, name)  # the first touches what is still cold
    for _ in range(ROUNDS):
        for name in random.sample(names, len(names)):
            found[name].append(one(client, way, name))
    client.leave()
    return found


def start(**conf):
    server = popper.Server(MODE, start=False, conf=dict(
        {"max-tries": 100000}, **conf))
    for name in ("known", "other", "third"):
        server.add_user(name, "mbox")
    for user in server.users.values():
        user.hash = popper.hashed(
            popper.PASSWORD, "$6$rounds=20000$popper$")
    server.write_users()
    return server


def the_judge():
    """The criterion tells a difference that is there."""
    source = random.Random(4422)
    values = [source.gauss(0.012, 0.0005) for _ in range(ROUNDS)]
    later = [source.gauss(0.014, 0.0005) for _ in range(ROUNDS)]
    again = [source.gauss(0.012, 0.0005) for _ in range(ROUNDS)]
    tap.ok(not same(values, later), "a difference of 2 ms is one")
    tap.ok(same(values, again), "two samples of the same are the same")


def passwords():
    """No failure-delay: what is seen is what the modules need."""
    with start() as server:
        server.start()
        for way, what in ((by_pass, "PASS"), (by_plain, "AUTH PLAIN")):
            compare(in_turn(server, way, ["known", "stranger"]),
                    what + ": known and unknown user, no failure-delay")


def locked():
    """A locked user looks like any other."""
    with start() as server:
        server.users["other"].hash = "!" + server.users["other"].hash
        server.users["third"].hash = "*"
        server.write_users()
        server.start()
        compare(in_turn(server, by_pass, ["known", "other", "third"]),
                "PASS: known and locked user, no failure-delay")


def at_once(server, way, names, batches, each):
    """The same for refusals that are held back: several side by side."""
    found = {name: [] for name in names}
    for _ in range(batches):
        waiting = []
        for name in random.sample(names * each, len(names) * each):
            client = server.connect()
            client.reply()
            waiting.append([client, way(client, name, "wrong"), name, 0.0])
        for entry in waiting:
            entry[3] = time.perf_counter()
            entry[0].send(entry[1].encode() + b"\r\n")
        for client, _, name, began in waiting:
            client.reply()
            found[name].append(time.perf_counter() - began)
            client.close()
    return found


def held_back():
    """With failure-delay the answers come at its multiples."""
    with start(**{"failure-delay": 1}) as server:
        server.start()
        found = at_once(server, by_pass, ["known", "stranger"], 5, 4)
        compare(found, "PASS: known and unknown user, failure-delay 1")
        tap.ok(all(value >= 0.999 for values in found.values()
                   for value in values), "no answer comes before its time")


def chain():
    """A module that wants a longer delay does not show which one it was."""
    server = start(**{"failure-delay": 1})
    with server:
        # Strangers get to PAM, which asks for 1.2 s, give or take a half:
        # for 2 in the end, once it has asked for more than 1.
        server.write("popper", "auth optional pam_faildelay.so delay=1200000\n"
                     "auth required pam_debug.so auth=user_unknown\n"
                     "account required pam_permit.so\n")
        server.modules += 'auth pam { confdir = "%s" }\n' % server.folder
        server.start()
        for _ in range(20):
            slow = at_once(server, by_pass, ["stranger"], 1, 4)["stranger"]
            if max(slow) >= 1.999:
                break
        found = at_once(server, by_pass, ["known", "stranger"], 4, 4)
        compare(found, "PASS: known to the first module, or to none of two")
        tap.ok(min(found["known"]) >= 1.999,
               "both wait for what the second asks for")


for test in (the_judge, passwords, locked, held_back):
    tap.run(test)
if HAS_PAM:
    tap.run(chain)
else:
    tap.skip("a chain of two modules", "built without PAM")
tap.done()
