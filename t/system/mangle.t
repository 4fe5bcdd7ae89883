#!/usr/bin/python3
"""X-MANGLE on the real server: what it makes of mail, and what hostile mail
makes of it.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
UID = 61003
UNTOUCHED = r"mangle: message %d is sent as it is"

MIXED = b"""\
Received: from mx.example.net by mail.example.org; Tue, 4 Mar 2025 09:00:00 +0
From: =?utf-8?q?J=C3=BCrgen_Gr=C3=BCn?= <j@example.net>
To: alice@example.org
Subject: =?utf-8?b?R3LDvMOfZQ==?=
Mime-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6ne Gr=FC=DFe
--inner
Content-Type: text/html; charset=utf-8

<p>Sch\xc3\xb6ne <b>Gr\xc3\xbc\xc3\x9fe</b></p>
--inner--
--outer
Content-Type: application/msword; name="report.doc"
Content-Disposition: attachment; filename="report.doc"
Content-Transfer-Encoding: base64

AAAA
--outer--
"""


def start(messages, limits="", conf=None):
    server = popper.Server(MODE, conf=conf, start=False)
    server.modules += "ext mangle { %s }\n" % limits
    server.add_user("alice", "maildir", messages,
                    uid=UID if popper.ROOT else None)
    return server.start()


def lists(client, argument):
    return [tuple(int(word) for word in line.split())
            for line in client.lines("LIST " + argument)]


def works():
    with start([MIXED, mail.simple(2)], "time = 20s") as server:
        client = server.connect().enter("alice")
        tap.ok("X-MANGLE" in client.lines("CAPA"), "announced")
        argument = "X-MANGLE(text=plain;charset=utf-8;headers=subj,from)"
        sizes = lists(client, argument)
        got = [client.fetch("RETR %d %s" % (i, argument)) for i in (1, 2)]
        tap.equal([size for _, size in sizes], [len(x) for x in got],
                  "LIST says what RETR sends")
        tap.equal(got[0].decode(), "\r\n".join([
            'From: J\u00fcrgen Gr\u00fcn <j@example.net>',
            "Subject: Gr\u00fc\u00dfe", "Mime-version: 1.0",
            'Content-Type: text/plain;charset="utf-8"',
            "Content-Transfer-Encoding: 8bit", "",
            "Sch\u00f6ne Gr\u00fc\u00dfe", "", "[report.doc]",
            "[ msword attachment omitted]", ""]), "one readable text")
        client.quit()


works()
tap.done()
