#!/usr/bin/python3
"""App passwords: made and revoked by popauth app, used by real clients."""

import base64
import os
import re
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]
POPAUTH = os.path.join(popper.BUILD, "src/popauth")
FORM = r"^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}\n$"
LOGGED = []  # by servers that have ended
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def app(*args, file=None):
    """popauth app; returns (status, standard output, standard error)."""
    result = subprocess.run(
        [POPAUTH, "-f", file or FILE, "app"] + list(args) +
        ["--last-use", LAST_USE], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=60)
    return result.returncode, result.stdout, result.stderr


def restart():
    tap.equal(SERVER.stop_services(), [], "the server ends")
    LOGGED.extend(SERVER.log.lines)
    SERVER.ports.clear()
    SERVER.start()


def add(user, device):
    status, password, _ = app("add", user, device)
    if status != 0:
        raise AssertionError("popauth app add %s %s" % (user, device))
    return password.rstrip("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def enters(user, password, mechanism="USER"):
    client = SERVER.connect()
    client.reply()
    if mechanism == "USER":
        answer = client.login(user, password)
    else:
        answer = client.cmd("AUTH PLAIN " + base64.b64encode(
            ("\0%s\0%s" % (user.name, password)).encode()).decode())
    client.leave()
    return answer.startswith("+OK")


def devices(user):
    """{device: last use} of popauth app list."""
    _, listing, _ = app("list", user.name)
    return {line.split("\t")[1]: line.split("\t")[3]
            for line in listing.splitlines()}


def made(one, two):
    """An app password is random, shown once, and its user's alone."""
    status, password, said = app("add", one.name, "Phone")
    tap.equal((status, said), (0, ""), "popauth app add")
    tap.match(password, FORM, "shows a password and nothing else")
    password = password.rstrip("\n")
    tap.equal(stat.S_IMODE(os.stat(FILE).st_mode), 0o600,
              "the file is its owner's")
    bare = password.replace("-", "")
    tap.ok(bare not in read(FILE) and password not in read(FILE),
           "the password is not in the file")
    tap.equal([enters(one, password, how) for how in ("USER", "PLAIN")],
              [True, True], "it lets in: USER/PASS and PLAIN")
    tap.equal([enters(one, typed) for typed in (
        bare, bare.upper(), password.replace("-", " "))], [True] * 3,
        "dashes, spaces and case do not matter")
    tap.equal(enters(two, password), False, "not for somebody else")
    tap.equal([enters(one, typed) for typed in (bare[:-1], bare + "0")],
              [False] * 2, "nor with more or less of it")
    tap.equal([enters(one, one.password), enters(two, two.password)],
              [True, True], "the users' own passwords go on")
    return password


def listed(one, two):
    """Devices, dates, no hashes."""
    before = devices(one)
    add(one.name, "Old laptop")
    add(two.name, "Phone")
    status, listing, _ = app("list")
    tap.equal(status, 0, "popauth app list")
    tap.equal([re.sub(TIME, "T", line) for line in listing.splitlines()],
              ["one\tPhone\tT\tT", "one\tOld laptop\tT\tnever",
               "two\tPhone\tT\tnever"], "user, device, created, last use")
    tap.equal([part for line in read(FILE).splitlines()
               for part in line.split("$")[2:] if part[:64] in listing], [],
              "and no hash")
    tap.equal(sorted(devices(one)), ["Old laptop", "Phone"], "of one user")
    restart()
    tap.equal(devices(one)["Phone"], before["Phone"],
              "last use survives a restart")


def real_clients(user, password):
    wires = [user.drop.wire(raw) for raw in MESSAGES]
    for name, mechanism in (("curl", "PLAIN"), ("mpop", "USER"),
                            ("mpop", "PLAIN"), ("poplib", "USER")):
        got = clients.CLIENTS[name](
            clients.Way("plain", SERVER.ports[0]), user.name, password,
            clients.folder(SERVER, name + "-" + mechanism), mechanism)
        if not tap.equal(clients.wrong(got, wires), "",
                         "%s fetches with %s" % (name, mechanism)):
            tap.diag(got.output)


def revoked(one, two, password):
    """Refused from the next login on; the others are not touched."""
    laptop = add(one.name, "Laptop")
    inside = SERVER.connect()
    inside.enter(one, laptop)
    tap.equal(app("delete", one.name, "Laptop")[0], 0, "popauth app delete")
    tap.match(inside.cmd("STAT"), r"^\+OK 3 ", "who is inside stays")
    inside.leave()
    tap.equal([enters(one, laptop, how) for how in ("USER", "PLAIN")],
              [False, False], "then it is refused at once")
    tap.equal(enters(one, password), True, "the other device is not")
    tap.equal(sorted(devices(one)), ["Old laptop", "Phone"], "and is listed")
    again = add(one.name, "Laptop")
    tap.equal(devices(one)["Laptop"], "never",
              "a new device of an old name was never used")
    tap.equal([enters(one, again), enters(one, laptop)], [True, False],
              "and has a new password")
    tap.equal(app("delete", one.name, "--all")[0], 0, "all of a user")
    tap.equal([enters(one, again), enters(one, password),
               enters(one, one.password)], [False, False, True],
              "leaves the user's own password")
    tap.equal(sorted(devices(two)), ["Phone"], "and other users' devices")
    tap.equal(read(LAST_USE).count("00000000000000000000\n"), 2,
              "no date is kept of what is gone")


ODD = ("# comment\nzoe:Phone:$sha256$short:1\nbad line\n"
       "zoe:A b:$sha256$" + "0" * 64 + ":1\n")


def refusals(path):
    SERVER.write("odd", ODD, 0o600)
    for args, status, why in (
            (("add", "zoe", "A b"), 1, "delete it first"),
            (("add", "zoe"), 2, "usage"),
            (("add", "zoe", "x", "y"), 2, "not expected"),
            (("add", "zoe", "x:y"), 2, "colon"),
            (("add", "zoe", "x\ty"), 2, "control"),
            (("add", "z:oe", "x"), 2, "colon"),
            (("add", "#zoe", "x"), 2, "does not begin"),
            (("add", "zoe", "d" * 65), 2, "64 octets"),
            (("add", "", "x"), 2, "1 to 255"),
            (("delete", "zoe"), 2, "usage"),
            (("delete", "zoe", "Tablet"), 1, "zoe has no Tablet"),
            (("delete", "zo", "--all"), 1, "zo has no device"),
            (("delete", "zoe", "A b", "--all"), 2, "usage"),
            (("revoke", "zoe", "A b"), 2, "usage"),
            (("list", "--none"), 2, "not expected")):
        got, out, said = app(*args, file=path)
        tap.equal((got, out, why in said, read(path)), (status, "", True, ODD),
                  "refused: app " + " ".join(args).replace("\t", "\\t")[:40])
    status, _, said = app("add", "zoe", "Tablet", file=path)
    tap.match(said, r"odd:3: .*not used", "a bad line is told")
    tap.equal((status, read(path)[:len(ODD)]), (0, ODD), "and stays")
    SERVER.write("odd", ODD + "torn:", 0o600)
    status, out, said = app("add", "zoe", "Tablet", file=path)
    tap.equal((status, out, read(path)), (1, "", ODD + "torn:"),
              "nothing is put behind a torn line")
    os.chmod(path, 0o644)
    for args in (("add", "zoe", "Tablet"), ("list",),
                 ("delete", "zoe", "A b")):
        status, out, said = app(*args, file=path)
        tap.equal((status, out, "chmod 600" in said), (1, "", True),
                  "a file that others can read: " + args[0])


def full():
    """A password that nobody has seen is told of."""
    with open("/dev/full", "w") as nowhere:
        result = subprocess.run(
            [POPAUTH, "-f", SERVER.path("full"), "app", "add", "zoe", "x"],
            stdout=nowhere, stderr=subprocess.PIPE, text=True, timeout=60)
    tap.equal(result.returncode, 1, "a password that cannot be shown")
    tap.match(result.stderr, "delete x", "must be deleted")


def only(one, two):
    """With only = yes, who has a device uses it."""
    password = add(one.name, "Phone")
    SERVER.modules = SERVER.modules.replace("only = no", "only = yes")
    restart()
    app("delete", two.name, "--all")
    tap.equal([enters(one, password), enters(one, one.password),
               enters(two, two.password)], [True, False, True],
              "only = yes: the app password, or of others their own")
    SERVER.log.wait("only those are accepted")
    answers = []
    for user, typed in ((one, one.password), ("nobody", "x"), (two, "x")):
        client = SERVER.connect()
        client.reply()
        answers.append(client.login(user, typed))
        client.leave()
    tap.equal(len(set(answers)), 1, "all are refused with the same words")


def broken():
    """A file of app passwords that others can read lets nobody in."""
    user = SERVER.users["two"]
    os.chmod(FILE, 0o644)
    client = SERVER.connect()
    client.reply()
    tap.match(client.login(user), r"^-ERR \[SYS/TEMP\]", "is no wrong password")
    client.leave()
    SERVER.log.wait(r"app-passwords: mode 644 .*chmod 600")
    os.chmod(FILE, 0o600)
    tap.equal(enters(user, user.password), True, "mended, it works again")


with popper.Server(MODE, start=False) as SERVER:
    FILE, LAST_USE = SERVER.path("app-passwords"), SERVER.path("state", ".use")
    SERVER.modules = ('auth app { file = "%s" last-use = "%s" only = no }\n'
                      % (FILE, LAST_USE)) + SERVER.default_modules()
    ONE = SERVER.add_user("one", popper.DROPS[-1], MESSAGES)
    TWO = SERVER.add_user("two", popper.DROPS[0], MESSAGES, password="second")
    SERVER.write("app-passwords", "", 0o600)
    SERVER.start()
    PASSWORD = made(ONE, TWO)
    tap.run(lambda: listed(ONE, TWO))
    tap.run(lambda: real_clients(ONE, PASSWORD))
    tap.run(lambda: revoked(ONE, TWO, PASSWORD))
    tap.run(lambda: refusals(SERVER.path("odd")))
    tap.run(full)
    tap.run(lambda: only(ONE, TWO))
    tap.run(broken)
    tap.equal([line for line in LOGGED + SERVER.log.lines
               if PASSWORD in line], [], "no password is in the log")
tap.done()
