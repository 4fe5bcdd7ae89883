#!/usr/bin/python3
"""popauth scram and popauth passwd: one file of users for every mechanism."""

import base64
import os
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
NEW, OTHER = "wet paper boat", "four brown bears"
SASL = os.path.exists(os.path.join(popper.BUILD, "modules/auth/sasl.la"))


def popauth(*args, text="", file=None):
    """Run it on the server's file; returns (status, all it says)."""
    result = subprocess.run(
        [POPAUTH, "-f", file or USERS] + list(args), input=text, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return result.returncode, result.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def field(user):
    """The hash field of a user."""
    for line in read(USERS).splitlines():
        if line.startswith(user.name + ":"):
            return line.split(":")[1]
    return None


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


def logins(user, password, others, what):
    tap.equal([enters(user, password, how) for how in ("USER", "PLAIN")],
              [True, True], what + ": USER/PASS and PLAIN")
    tap.equal([enters(user, other, how) for other in others
               for how in ("USER", "PLAIN")],
              [False] * 2 * len(others), what + ": no other password")


def real_clients(user, password):
    """curl and mpop, with every mechanism that the file is good for."""
    ways = [("curl", "PLAIN"), ("mpop", "USER"), ("mpop", "PLAIN")]
    if SASL:
        ways += [("mpop", "SCRAM-SHA-256"), ("mpop", "SCRAM-SHA-1")]
    for name, mechanism in ways:
        got = clients.CLIENTS[name](
            clients.Way("plain", SERVER.ports[0]), user.name, password,
            clients.folder(SERVER, name + "-" + mechanism), mechanism)
        wires = [user.drop.wire(raw) for raw in MESSAGES]
        if not tap.equal(clients.wrong(got, wires), "",
                         "%s fetches with %s" % (name, mechanism)):
            tap.diag(got.output)


def scram(user, other):
    """The key is the only thing that proves the password."""
    before = read(USERS)
    status, said = popauth("scram", user.name, text=NEW + "\n")
    tap.equal((status, said), (0, ""), "popauth scram says nothing")
    tap.match(field(user), r"^\$scram-sha-256\$15000\$[^$,]{24}\$"
              r"[^$,]{44}\$[^$,]{44}$", "a key of SCRAM-SHA-256, no more")
    tap.equal(read(USERS).replace(field(user), user.hash), before,
              "all else in the file is as it was")
    logins(user, NEW, (user.password, ""), "with a key alone")
    logins(other, other.password, (NEW,), "the other user")
    first = field(user)
    popauth("scram", "--all", "--iterations", "20000", user.name,
            text=NEW + "\n")
    tap.equal([key.split("$")[1:3] for key in field(user).split(",")],
              [["scram-sha-256", "20000"], ["scram-sha-1", "20000"],
               ["scram-sha-512", "20000"]], "--all and --iterations")
    tap.equal(len({key.split("$")[3] for key in field(user).split(",")} |
                  {first.split("$")[3]}), 4, "each key has a salt of its own")
    logins(user, NEW, (user.password,), "with three keys")
    real_clients(user, NEW)


def hashes(user):
    """popauth passwd, and a hash that stays beside a key."""
    tap.equal(popauth("passwd", user.name, text=OTHER + "\n")[0], 0,
              "popauth passwd")
    tap.match(field(user), r"^\$y\$[^,]+$", "a hash of yescrypt, no more")
    logins(user, OTHER, (NEW,), "with a hash")
    old = field(user)
    status, said = popauth("scram", "--keep-hash", user.name,
                           text=NEW + "\n")
    tap.equal((status, field(user)), (1, old),
              "--keep-hash keeps no hash of another password")
    tap.match(said, "another password", "and says why")
    tap.equal(popauth("scram", "--keep-hash", user.name,
                      text=OTHER + "\n")[0], 0, "--keep-hash")
    tap.match(field(user), r"^\$scram-sha-256\$[^,]*,\$y\$", "keeps it")
    tap.equal(field(user).split(",")[1], old, "as it was")
    logins(user, OTHER, (NEW,), "with both")


def beyond_ascii(user):
    """Two ways to write the same letters are the same password."""
    composed, apart = "M\u00fcller\u00a0am See", "Mu\u0308ller am See"
    tap.equal(popauth("scram", user.name, text=apart + "\n")[0], 0,
              "a password beyond ASCII")
    tap.equal([enters(user, x.encode().decode("latin-1"))
               for x in (composed, apart, "Muller am See")],
              [True, True, False], "however its letters are put together")
    old = field(user)
    tap.equal([popauth("scram", user.name, text=x + "\n")[0]
               for x in ("\u0221bcdefghijkl", "abcdefgh\ue000ijk")], [1, 1],
              "code points that are nobody's are refused")
    tap.equal(field(user), old, "and change nothing")


ODD = ("# comment with gone: in it\n"
       "\n"
       "no line\n"
       "zoe:*:%d:%d:mbox:/m:login-delay=5\n"
       "gone:$scram-sha-256$5$x$y$z:1:2:/m/gone\n"
       "bad\tone:x:1:2:/m\n"
       "zoe:$6$second$line:1:2:/m\n"
       "torn:$6$x:1:2:/m") % (1, 2)


def odd_file(path):
    """What popauth does not understand stays, and is told."""
    SERVER.write("odd", ODD, 0o600)
    status, said = popauth("passwd", "zoe", text=NEW + "\n", file=path)
    tap.equal(status, 0, "a file with bad lines is changed")
    text = read(path)
    changed = [line for line in text.split("\n") if line.startswith("zoe:$y")]
    tap.equal(len(changed), 1, "one line")
    tap.equal(text.replace(changed[0].split(":")[1], "*"), ODD,
              "and that in one field")
    for number in (3, 6, 8):
        tap.match(said, r"odd:%d: .*not used" % number,
                  "line %d is told" % number)
    tap.match(said, r"odd:7: zoe is there again", "so is a user's second line")
    status, said = popauth("scram", "torn", text=NEW + "\n", file=path)
    tap.equal((status, read(path)), (1, text), "a torn line is not changed")
    tap.match(said, r"odd:8: .*newline", "but told")


def refusals(path):
    """Nothing is asked and nothing changed where it must not be."""
    SERVER.write("odd", ODD, 0o600)
    for args, status, why in (
            (("scram", "nobody"), 1, "no user nobody"),
            (("passwd", "gon"), 1, "no user gon"),
            (("passwd", "# comment with gone"), 1, "does not begin"),
            (("passwd", "zoe:*"), 1, "no colon"),
            (("passwd", "an\nn"), 1, "control"),
            (("passwd", ""), 1, "1 to 255"),
            (("passwd", "zoe", NEW), 2, "too many arguments"),
            (("scram", "zoe", NEW), 2, "not expected"),
            (("scram", "--none", "zoe"), 2, "not expected"),
            (("scram", "--iterations", "4095", "zoe"), 2, "4096 to 10000000"),
            (("scram", "--iterations", "10000001", "zoe"), 2, "4096 to"),
            (("scram", "--iterations", "1e5", "zoe"), 2, "4096 to"),
            (("scram", "--all"), 2, "no user")):
        got, said = popauth(*args, text=NEW + "\n", file=path)
        tap.equal((got, why in said, read(path)), (status, True, ODD),
                  "refused: " + " ".join(args).replace("\n", "\\n"))
    tap.equal((popauth("passwd", "zoe", text="\n", file=path)[0],
               popauth("passwd", "zoe", text="", file=path)[0], read(path)),
              (1, 1, ODD), "an empty password, or none")
    for mode in (0o640, 0o604, 0o620, 0o666):
        os.chmod(path, mode)
        status, said = popauth("passwd", "zoe", text=NEW + "\n", file=path)
        tap.equal((status, "chmod 600" in said, read(path)), (1, True, ODD),
                  "a file of mode %o" % mode)
    os.chmod(path, 0o600)
    os.symlink(path, path + ".link")
    status, said = popauth("passwd", "zoe", text=NEW + "\n",
                           file=path + ".link")
    tap.equal((status, "symbolic link" in said, read(path)), (1, True, ODD),
              "a symbolic link")
    tap.equal(popauth("passwd", "zoe", text=NEW + "\n",
                      file=path + ".none")[0], 1, "a file that is not there")


def owner_and_mode(path):
    """The new file has the old one's owner and mode."""
    SERVER.write("odd", ODD, 0o600)
    if popper.ROOT:
        os.chown(path, popper.NOBODY, popper.NOGROUP)
    os.chmod(path, 0o400)
    before = os.stat(path)
    popauth("passwd", "zoe", text=NEW + "\n", file=path)
    after = os.stat(path)
    tap.ok(before.st_ino != after.st_ino, "it is another file")
    tap.equal((after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)),
              (before.st_uid, before.st_gid, 0o400), "of the same owner")
    tap.ok(not os.path.exists(path + ".new"), "and nothing lies beside it")


def many_at_once(path):
    """Changes at the same time are all made."""
    names = ["user%d" % number for number in range(6)]
    SERVER.write("odd", "".join("%s:*:1:2:/m\n" % x for x in names), 0o600)
    running = [subprocess.Popen(
        [POPAUTH, "-f", path, "passwd", name], stdin=subprocess.PIPE,
        text=True) for name in names]
    for process in running:
        process.communicate(NEW + "\n", timeout=60)
    tap.equal([process.returncode for process in running], [0] * 6,
              "six changes at the same time")
    tap.equal([line.split(":")[0] for line in read(path).splitlines()
               if ":$y$" in line], names, "all are made")


with popper.Server(MODE, start=False) as SERVER:
    USERS = SERVER.path("users")
    SERVER.modules = SERVER.default_modules()
    if SASL:
        SERVER.modules += 'auth sasl { key-file = "%s" }\n' % SERVER.path(
            "run", "sasl-key")
    one = SERVER.add_user("one", popper.DROPS[-1], MESSAGES)
    two = SERVER.add_user("two", popper.DROPS[0], MESSAGES, password="second")
    SERVER.start()
    tap.run(lambda: scram(one, two))
    tap.run(lambda: hashes(one))
    tap.run(lambda: beyond_ascii(one))
    tap.run(lambda: odd_file(SERVER.path("odd")))
    tap.run(lambda: refusals(SERVER.path("odd")))
    tap.run(lambda: owner_and_mode(SERVER.path("odd")))
    tap.run(lambda: many_at_once(SERVER.path("odd")))
    tap.equal([line for line in SERVER.log.lines
               if NEW in line or OTHER in line], [],
              "no password is in the log")
tap.done()
