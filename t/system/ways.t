#!/usr/bin/python3
"""Each way in by clients that nobody here wrote: USER and PASS, AUTH PLAIN and
AUTH LOGIN.  Every message must come octet for octet.
"""

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


for NAME in clients.CLIENTS:
    for KIND in ("plain",):
        why = clients.lacks(NAME, KIND)
        if why:
            tap.skip("%s, %s" % (NAME, KIND), why)
            continue
        for MECHANISM in clients.MECHANISMS[NAME]:
            if MECHANISM in ("USER", "PLAIN", "LOGIN"):
                tap.run(lambda: fetch(NAME, KIND, MECHANISM),
                        "%s, %s, %s" % (NAME, KIND, MECHANISM))
tap.equal(SERVER.stop(), [], "the server ends clean")
tap.done()
