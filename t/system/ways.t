#!/usr/bin/python3
"""Each way in by clients that nobody here wrote: USER and PASS, AUTH PLAIN and
AUTH LOGIN, over a plain connection, STLS, and TLS at once.  Every message must
come octet for octet.

proves: R-5034-18
"""

import base64
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
MESSAGES = [mail.simple(1)] + [mail.corpus()[name] for name in (
    "multipart", "eight-bit", "dots", "blank-lines", "crlf")]
PASSWORD = "pass word\"\\7"
SERVER = popper.Server("daemon" if popper.ROOT else "user", start=False)
CA = tls.Authority(SERVER.path("ca"))
PAIR = CA.server()
tls.own(SERVER, PAIR)
SERVER.settings.update(CA.settings(PAIR), **{"listen-tls": ["127.0.0.1:0"]})
USER = SERVER.add_user("one", popper.DROPS[0], MESSAGES, password=PASSWORD)
WIRES = [USER.drop.wire(raw) for raw in MESSAGES]
SERVER.start()


def fetch(name, kind, mechanism):
    port = SERVER.tls_ports[0] if kind == "tls" else SERVER.ports[0]
    what = "%s, %s, %s" % (name, kind, mechanism or "its own choice")
    home = clients.folder(SERVER, "%s-%s-%s" % (name, kind, mechanism))
    got = clients.CLIENTS[name](clients.Way(kind, port, CA), USER.name,
                                PASSWORD, home, mechanism)
    if not tap.equal(clients.wrong(got, WIRES), "", what):
        tap.diag(got.output.decode("latin-1"))


def capabilities(client):
    return [line.split() for line in client.lines("CAPA")]


def thunderbird():
    """Its way: CAPA, STLS, CAPA, AUTH PLAIN, the response on a second line."""
    client = SERVER.connect()
    client.reply()
    capa = capabilities(client)
    tap.ok(["STLS"] in capa, "Thunderbird's way: STLS is offered")
    tls.upgrade(client, CA)
    capa = capabilities(client)
    sasl = [words for words in capa if words[0] == "SASL"][0]
    tap.ok("PLAIN" in sasl and ["STLS"] not in capa,
           "then PLAIN, and STLS no more")
    tap.equal(client.cmd("AUTH PLAIN"), "+ ", "an empty challenge")
    response = base64.b64encode(("\0%s\0%s" % (USER.name, PASSWORD)).encode())
    tap.match(client.cmd(response.decode()), r"^\+OK", "the login")
    tap.equal(client.ok("STAT").split()[1:], [
        str(len(WIRES)), str(sum(map(len, WIRES)))], "STAT")
    tap.equal([int(line.split()[1]) for line in client.lines("LIST")],
              [len(wire) for wire in WIRES], "LIST")
    tap.equal(len({line.split()[1] for line in client.lines("UIDL")}),
              len(WIRES), "UIDL")
    client.fetch("TOP 1 20")
    tap.equal([client.fetch("RETR %d" % number)
               for number in range(1, len(WIRES) + 1)], WIRES, "RETR")
    tap.match(client.cmd("QUIT"), r"^\+OK", "QUIT")


for NAME in clients.CLIENTS:
    for KIND in clients.WAYS:
        why = clients.lacks(NAME, KIND)
        if why:
            tap.skip("%s, %s" % (NAME, KIND), why)
            continue
        for MECHANISM in clients.MECHANISMS[NAME]:
            if MECHANISM in ("USER", "PLAIN", "LOGIN"):
                tap.run(lambda: fetch(NAME, KIND, MECHANISM),
                        "%s, %s, %s" % (NAME, KIND, MECHANISM))
tap.run(thunderbird)
tap.equal(SERVER.stop(), [], "the server ends clean")
tap.done()
