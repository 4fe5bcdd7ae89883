#!/usr/bin/python3
"""APOP by clients that nobody here wrote, and by what they would never send.

proves: R-1939-52 R-1939-53 R-1939-54 R-1939-55 R-1939-56 R-1939-64 R-5322-04
T-28 T-29
"""

import base64
import hashlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
POPAUTH = os.path.join(popper.BUILD, "src/popauth")
if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/apop.la")):
    tap.skip_all("built without GDBM")
MESSAGES = [mail.simple(1)] + [mail.corpus()[name] for name in (
    "multipart", "eight-bit", "dots")]
SECRET = "tanstaaf, said he"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
MSG_ID = r"<%s(?:\.%s)*@%s(?:\.%s)*>" % (ATOM, ATOM, ATOM, ATOM)
WRONG = r"-ERR \[AUTH\] .*"


def popauth(server, *args, secret=None):
    subprocess.run([POPAUTH, "-f", server.path("mailauth")] + list(args),
                   input=(secret or "").encode() + b"\n", check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=popper.PATIENCE)


def make(options="", conf=None):
    """mrose and carol have a mailbox; mrose has a secret, too."""
    server = popper.Server("daemon" if popper.ROOT else "user", start=False,
                           conf=conf)
    server.modules = 'auth apop { file = "%s" %s }\n%s' % (
        server.path("mailauth"), options, server.modules)
    for name in ("mrose", "carol"):
        server.add_user(name, popper.DROPS[0], MESSAGES)
    popauth(server, "init")
    popauth(server, "add", "mrose", secret=SECRET)
    return server


def stamp(client):
    """The greeting's timestamp; there is one."""
    return re.fullmatch(r"\+OK [^<>]* (<[^<> ]*>)", client.reply())[1]


def digest(timestamp, secret=SECRET):
    return hashlib.md5((timestamp + secret).encode()).hexdigest()


def wires(server):
    return [server.users["mrose"].drop.wire(raw) for raw in MESSAGES]


def fetch(server, authority, name, kind):
    why = clients.lacks(name, kind)
    if why:
        tap.skip("%s, %s" % (name, kind), why)
        return
    port = server.tls_ports[0] if kind == "tls" else server.ports[0]
    got = clients.CLIENTS[name](
        clients.Way(kind, port, authority), "mrose", SECRET,
        clients.folder(server, name + kind), "APOP")
    if not tap.equal(clients.wrong(got, wires(server)), "",
                     "%s, %s: APOP" % (name, kind)):
        tap.diag(got.output.decode("latin-1"))


def real_clients():
    """Each client fetches everything"""
    with make(conf={"listen-tls": ["127.0.0.1:0"]}) as server:
        authority = tls.Authority(server.path("ca"))
        pair = authority.server()
        tls.own(server, pair)
        server.settings.update(authority.settings(pair))
        server.start()
        for name in clients.CLIENTS:
            if "APOP" in clients.MECHANISMS[name]:
                for kind in clients.WAYS:
                    fetch(server, authority, name, kind)


def timestamps():
    """The greeting's timestamp has the form of a msg-id, and is new"""
    with make() as server:
        server.start()
        seen = []
        for _ in range(20):
            client = server.connect()
            seen.append(stamp(client))
            client.close()
        tap.equal([x for x in seen if not re.fullmatch(MSG_ID, x)], [],
                  "each is a msg-id of dot-atoms")
        tap.equal(len(set(seen)), 20, "none is said twice")
        tap.equal([x for x in seen if not x.endswith("@pop.example.org>")],
                  [], "each names the server")
        parts = [x[1:].split("@")[0] for x in seen]
        tap.equal([x for x in parts if len(x) < 32], [],
                  "each has 128 bits of chance")


def refusals():
    """Who is wrong learns nothing, and may try again"""
    with make(conf={"max-tries": 100}) as server:
        server.start()
        client = server.connect()
        here = stamp(client)
        right = digest(here)
        wrong = {
            "a wrong digest": "mrose " + digest(here, "other"),
            "an unknown user": "nobody " + digest(here),
            "a user without a secret": "carol " + digest(here),
            "capital letters": "mrose " + right.upper(),
            "no brackets": "mrose " + digest(here[1:-1]),
            "one digit less": "mrose " + right[:-1],
            "one digit more": "mrose " + right + "0",
            "the secret itself": "mrose tanstaaf",
            "a name of another case": "MROSE " + right,
        }
        answers = {what: client.cmd("APOP " + args)
                   for what, args in wrong.items()}
        tap.equal(len(set(answers.values())), 1, "all get the same answer")
        tap.match(answers["a wrong digest"], WRONG, "it has the code AUTH")
        for args in ("", " mrose", " mrose %s more" % right):
            tap.match(client.cmd("APOP" + args), r"-ERR (?!\[AUTH\])",
                      "%d arguments are not two" % len(args.split()))
        tap.match(client.cmd("STAT"), "-ERR", "all that time nobody was in")
        tap.match(client.cmd("APOP mrose " + right), r"\+OK",
                  "then the right one lets mrose in")
        tap.match(client.ok("STAT"), r"\+OK %d " % len(MESSAGES),
                  "to her mail")
        tap.match(client.cmd("APOP mrose " + right), "-ERR",
                  "APOP twice is refused")
        client.quit()
        client = server.connect()
        stamp(client)
        tap.match(client.cmd("APOP mrose " + right), WRONG,
                  "a digest replayed on another connection is refused")
        client.close()


def both_ways():
    """Without "only" the password still does, and changes count at once"""
    with make() as server:
        server.start()
        tap.match(server.enter("mrose").quit(), r"\+OK", "USER and PASS")
        client = server.connect()
        here = stamp(client)
        client.ok("USER mrose")
        tap.match(client.cmd("APOP mrose " + digest(here)), r"\+OK",
                  "APOP after USER counts, not the name before it")
        client.quit()
        popauth(server, "add", "mrose", secret="another word")
        client = server.connect()
        here = stamp(client)
        tap.match(client.cmd("APOP mrose " + digest(here)), WRONG,
                  "the old secret is refused without a signal")
        tap.match(client.cmd("APOP mrose " + digest(here, "another word")),
                  r"\+OK", "the new one is not")
        client.quit()
        popauth(server, "add", "ghost", secret=SECRET)
        client = server.connect()
        here = stamp(client)
        tap.match(client.cmd("APOP ghost " + digest(here)), WRONG,
                  "a secret without an account lets nobody in")
        server.log.wait(r'user="ghost" .*no account in any auth module')
        client.close()


def plain(user, password):
    return "AUTH PLAIN " + base64.b64encode(
        ("\0%s\0%s" % (user, password)).encode()).decode()


def only():
    """only = yes: no password of whom the database knows, and no word of it"""
    with make("only = yes", {"max-tries": 100}) as server:
        server.start()
        client = server.connect()
        here = stamp(client)
        said = [client.cmd("USER " + name)
                for name in ("mrose", "carol", "nobody")]
        tap.equal(len({answer.replace(name, "") for answer, name in zip(
            said, ("mrose", "carol", "nobody"))}), 1, "USER tells nothing")
        answers = [client.login("mrose"), client.login("carol", "wrong"),
                   client.login("nobody"), client.login("mrose", "wrong"),
                   client.cmd(plain("mrose", popper.PASSWORD)),
                   client.cmd(plain("carol", "wrong"))]
        tap.equal(len(set(answers)), 1,
                  "a right password of hers is answered as a wrong one")
        tap.match(answers[0], WRONG, "with the code AUTH")
        server.log.wait('user="mrose" .*must not send a password')
        tap.match(client.cmd("APOP mrose " + digest(here)), r"\+OK",
                  "by APOP she gets in")
        client.quit()
        tap.match(server.enter("carol").quit(), r"\+OK",
                  "others get in by password")


def broken():
    """A database that cannot be used is no wrong password"""
    with make("only = yes") as server:
        server.start()
        path = server.path("mailauth")
        with open(path, "rb") as file:
            whole = file.read()

        def look(what, pattern):
            client = server.connect()
            here = stamp(client)
            since = len(server.log.lines)
            tap.match(client.cmd("APOP mrose " + digest(here)),
                      r"-ERR \[SYS/TEMP\]", what)
            tap.match(client.login("mrose"), r"-ERR \[SYS/TEMP\]",
                      what + ": nor is the rule of \"only\" skipped")
            server.log.wait(pattern, since)
            client.close()

        os.chmod(path, 0o640)
        look("one that others can read", "mode 640 .*chmod 600")
        os.chmod(path, 0o600)
        for what, octets in (("an empty one", b""),
                             ("text", b"mrose: secret\n" * 50),
                             ("half of one", whole[:4096]),
                             ("a header turned over", bytes(
                                 255 - x for x in whole[:64]) + whole[64:])):
            with open(path, "wb") as file:
                file.write(octets)
            look(what, "mailauth")
        os.unlink(path)
        look("none", "mailauth.*popauth init")


for PART in (real_clients, timestamps, refusals, both_ways, only, broken):
    tap.run(PART)
tap.done()
