#!/usr/bin/python3
"""mary-no-mime: every way to log in, the sizes that belong to it, and accounts
that are really called so.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import issuer  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import sasl  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()


def built(module):
    return os.path.exists(os.path.join(popper.BUILD, "modules", module))


if not built("ext/mangle.la"):
    tap.skip_all("built without mangle")
MODE = "daemon" if popper.ROOT else "user"
SUFFIX = {"name-suffix": "-no-mime", "max-tries": 100}
EXT = 'ext mangle { time = 20s }\n'
REFUSED = "-ERR [AUTH] login failed"
MESSAGES = [mail.corpus()["multipart"], mail.simple(2), mail.simple(3)]


def encode(text):
    return base64.b64encode(text.encode()).decode()


def start(modules="", **conf):
    server = popper.Server(MODE, conf=dict(SUFFIX, **conf), start=False)
    server.modules = modules % {"folder": server.folder} + (
        server.modules) + EXT
    server.add_user("mary", "maildir", MESSAGES)
    return server


def is_plain(client, what):
    """All agree, no message has parts, and none is the one stored."""
    count, octets = (int(x) for x in client.ok("STAT").split()[1:3])
    sizes = [int(line.split()[1]) for line in client.lines("LIST")]
    got = [client.fetch("RETR %d" % (i + 1)) for i in range(count)]
    tap.equal((count, octets, sizes),
              (len(MESSAGES), sum(sizes), [len(x) for x in got]),
              what + ": STAT, LIST and RETR agree")
    tap.ok(all(b'\r\nContent-Type: text/plain;charset="us-ascii"\r\n' in x
               and b"Received:" not in x for x in got),
           what + ": plain text")
    client.quit()


def by_password(server, name):
    client = server.connect()
    client.reply()
    tap.match(client.login(name), r"^\+OK", name + ", USER and PASS")
    return client


def by_plain(server, name):
    client = server.connect()
    client.reply()
    client.ok("AUTH PLAIN " + encode("\0%s\0%s" % (name, popper.PASSWORD)))
    return client


def by_login(server, name):
    client = server.connect()
    client.reply()
    client.cmd("AUTH LOGIN")
    client.cmd(encode(name))
    client.ok(encode(popper.PASSWORD))
    return client


def passwords():
    with start().start() as server:
        for way in (by_password, by_plain, by_login):
            is_plain(way(server, "mary-no-mime"), way.__name__)
        client = server.connect().enter("mary")
        tap.ok(client.fetch("RETR 2") in [
            mail.wire(raw) for raw in MESSAGES], "mary's mail is as it was")
        uids = client.lines("UIDL")
        client.quit()
        client = by_password(server, "mary-no-mime")
        tap.equal(client.lines("UIDL"), uids, "unique-ids stay")
        client.ok("DELE 1")
        client.quit()
        client = server.connect().enter("mary")
        tap.equal(len(client.lines("LIST")), len(MESSAGES) - 1,
                  "what is deleted is gone for good")
        client.quit()
        client = by_password(server, "mary-no-mime")
        argument = "X-MANGLE(headers=message-id)"
        got = client.fetch("RETR 1 " + argument)
        tap.ok(got.startswith(b"Message-ID:"),
               "an argument asks for the message that is stored")
        tap.equal(client.ok("LIST 1 " + argument), "+OK 1 %d" % len(got),
                  "and LIST agrees")
        client.quit()
        client = server.connect()
        client.reply()
        tap.equal([client.login("mary-no-mime", "x"),
                   client.login("nobody-no-mime", "x"),
                   client.login("-no-mime", "x")], [REFUSED] * 3,
                  "wrong ones are told the same")
        client.leave()


def cached():
    with start(**{"cache-lifetime": 600, "debug": True}).start() as server:
        for _ in range(3):
            is_plain(by_password(server, "mary-no-mime"), "cached")
        server.log.wait("credential cache: hit")
        client = server.connect().enter("mary")
        tap.ok(b"Received:" in client.fetch("RETR 2"),
               "from the cache, too, mary is without suffix")
        client.quit()


def auto_delete():
    """Who got a text of a message has not had the message."""
    with start(**{"auto-delete": True}).start() as server:
        client = by_password(server, "mary-no-mime")
        for i in range(len(MESSAGES)):
            client.fetch("RETR %d" % (i + 1))
        client.ok("NOOP")
        client.quit()
        client = server.connect().enter("mary")
        tap.equal(len(client.lines("LIST")), len(MESSAGES),
                  "auto-delete leaves what went out as a text")
        client.fetch("RETR 1")
        client.ok("NOOP")
        client.quit()
        client = server.connect().enter("mary")
        tap.equal(len(client.lines("LIST")), len(MESSAGES) - 1,
                  "and removes what went out as it is")
        client.quit()


def domains():
    with start(**{"trim-domain": True}).start() as server:
        is_plain(by_password(server, "mary-no-mime@example.org"),
                 "in front of a domain")
    with start(**{"name-suffix-except": "eve-no-mime"}) as server:
        server.add_user("eve-no-mime", "maildir", MESSAGES)
        server.start()
        client = by_password(server, "eve-no-mime")
        tap.ok(any(b"Received:" in client.fetch("RETR %d" % i)
                   for i in (1, 2, 3)), "a real name: mail as it is")
        client.quit()
        is_plain(by_password(server, "eve-no-mime-no-mime"),
                 "a real name with the suffix")


def apop():
    if not built("auth/apop.la"):
        tap.skip("APOP", "built without GDBM")
        return
    server = start('auth apop { file = "%(folder)s/mailauth" }\n')
    for words in (["init"], ["add", "mary"]):
        subprocess.run([os.path.join(popper.BUILD, "src/popauth"), "-f",
                        server.path("mailauth")] + words, input=b"secret\n",
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=popper.PATIENCE)
    with server.start():
        client = server.connect()
        stamp = re.search("<[^>]*>", client.reply())[0]
        client.ok("APOP mary-no-mime " + hashlib.md5(
            (stamp + "secret").encode()).hexdigest())
        is_plain(client, "APOP")


def scram():
    if not built("auth/sasl.la"):
        tap.skip("SCRAM", "built without the sasl module")
        return
    server = start('auth sasl { key-file = "%(folder)s/state/.key" }\n')
    server.users["mary"].hash = sasl.keys(popper.PASSWORD)
    server.write_users()
    with server.start():
        client = server.connect()
        client.reply()
        side = sasl.Gsasl("SCRAM-SHA-256", "mary-no-mime", popper.PASSWORD)
        tap.match(sasl.login(client, side), r"^\+OK", "SCRAM: logged in")
        is_plain(client, "SCRAM")


def tokens():
    if not built("auth/oauth.la"):
        tap.skip("OAUTHBEARER", "built without the oauth module")
        return
    server = start('auth oauth { jwks = "%%(folder)s/jwks" issuer = "%s" '
                   'audience = "%s" }\n' % (issuer.ISSUER, issuer.AUDIENCE))
    ca = tls.Authority(server.path("ca"))
    pair = ca.server()
    tls.own(server, pair)
    server.settings.update(ca.settings(pair))
    server.settings["listen-tls"] = ["127.0.0.1:0"]
    name = "ann@example.org"
    server.add_user(name, "maildir", MESSAGES)
    keys = issuer.Issuer(server.path("issuer"))
    keys.make("e", "ES256")
    server.write("jwks", keys.jwks("e"))
    with server.start():
        for asked, token, good in (
                ("ann-no-mime@example.org", name, True),
                (name, "ann-no-mime@example.org", False)):
            client = tls.connect(server.tls_ports[0], ca)
            server.clients.append(client)
            client.reply()
            answer = client.cmd("AUTH OAUTHBEARER " + encode(
                "n,a=%s,\1auth=Bearer %s\1\1" % (
                    asked, keys.token("e", token))))
            if good:
                tap.match(answer, r"^\+OK", "OAUTHBEARER: logged in")
                is_plain(client, "OAUTHBEARER")
            else:
                tap.match(answer, r"^\+ ", "a token becomes no other")
                tap.match(client.cmd("AQ=="), "^-ERR", "and is refused")
                client.leave()


passwords()
cached()
auto_delete()
domains()
apop()
scram()
tokens()
tap.done()
