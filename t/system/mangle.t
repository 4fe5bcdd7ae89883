#!/usr/bin/python3
"""X-MANGLE on the real server: what it makes of mail, and what hostile mail
makes of it.
"""

import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
if not os.path.exists(os.path.join(popper.BUILD, "modules/ext/mangle.la")):
    tap.skip_all("built without mangle")
MODE = "daemon" if popper.ROOT else "user"
UID = 61003
UNTOUCHED = r"mangle: message %d is sent as it is"
GIVEN_UP = r"mangle: 5 messages took too long: all others"

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
        capa = client.lines("CAPA")
        tap.ok("X-MANGLE" in capa, "announced")
        tap.ok("X-MACRO" in capa, "MDEF is announced")
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


HEAD = b"Subject: hostile\nMime-Version: 1.0\n"


def nested(depth):
    return HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i)
        for i in range(depth)) + b"\nthe end\n"


def inside(depth):
    return HEAD + b"Content-Type: message/rfc822\n\n" * depth + b"\ninside\n"


def bomb(charset, body):
    return (HEAD + b"Content-Type: text/plain; charset=" + charset +
            b"\n\n" + body + b"\n")


# Octets, and whether it must be as it was.
HOSTILE = [
    ("500,000 empty parts", HEAD + b"Content-Type: multipart/mixed; "
     b"boundary=a\n\n" + b"--a\n\n\n" * 500000 + b"\n" * 500000, True),
    ("multiparts, 10,000 deep", nested(10000), False),
    ("messages, 10,000 deep", inside(10000), False),
    ("UTF-7", bomb(b"utf-7", b"+" + b"AAAA" * 600000), None),
    ("ISO-2022-JP escapes", bomb(b"iso-2022-jp",
                                 b"\x1b$B0!\x1b(B" * 400000), None),
    ("UTF-16 in 3 MB", bomb(b"utf-16", b"\x4e\x2d" * 1500000), None),
    ("invalid octets", bomb(b"utf-8", b"\xff" * 3000000), None),
    ("a header of 3 MB", b"Subject: " + b"=?utf-8?q?=C3=A9?= " * 160000 +
     b"\n\nx\n", None),
    ("100,000 addresses", b"To: " + b"=?utf-8?q?a?= <a@b>,\n " * 100000 +
     b"c@d\n\nx\n", None),
    ("boundaries never closed", HEAD +
     b"Content-Type: multipart/mixed; boundary=" + b"x" * 70 + b"\n\n" +
     (b"--" + b"x" * 69 + b"\n") * 40000, None),
    ("HTML, 100,000 deep", HEAD + b"Content-Type: text/html\n\n" +
     b"<div><table><tr><td>" * 25000 + b"x\n", None),
    ("HTML of one tag", HEAD + b"Content-Type: text/html\n\n<a " +
     b"x=y " * 700000 + b">x\n", None),
    ("HTML of tables", HEAD + b"Content-Type: text/html\n\n" +
     (b"<table><tr>" + b"<td>x" * 1000) * 300 + b"\n", None),
    ("enriched, 100,000 deep", HEAD + b"Content-Type: text/enriched\n\n" +
     b"<bold><excerpt>" * 50000 + b"x\n", None),
    ("quotes, 1,000 deep", HEAD +
     b"Content-Type: text/plain; format=flowed\n\n" +
     (b">" * 900 + b"x \n") * 3000, None),
    ("base64 of nothing", HEAD + b"Content-Transfer-Encoding: base64\n\n" +
     b"=" * 3000000 + b"\n", None),
]


class Watch:
    """The most memory that a session and its children have at any time."""

    def __init__(self, server):
        self.server = server
        self.session = self.child = self.reserved = 0
        self.confined = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.stop.is_set():
            for session in self.server.children("popper-session"):
                self.session = max(self.session, peak(session))
                self.reserved = max(self.reserved, peak(session, "VmPeak"))
                for child in popper.descendants(session):
                    self.child = max(self.child, peak(child))
                    self.given_up(child)

    def given_up(self, child):
        """Keep what /proc says of a child that has given up all it can."""
        try:
            with open("/proc/%d/limits" % child) as file:
                limits = {line[:26].strip(): line[26:].split()[0]
                          for line in file.readlines()[1:]}
            files = sorted(os.listdir("/proc/%d/fd" % child))
            # The last limit is set, iconv has no module open, and it is not
            # ending.
            if limits["Max cpu time"] == "1" and "2" not in files and (
                    {"0", "1"} <= set(files)):
                self.confined = (files, limits)
        except (OSError, KeyError, IndexError):
            pass  # it has ended

    def end(self):
        self.stop.set()
        self.thread.join()


def peak(pid, field="VmHWM"):
    try:
        return int(popper.status(pid)[field].split()[0])
    except (OSError, KeyError):
        return 0


def hostile():
    """Nothing is lost, nobody waits long, nothing grows."""
    messages = [message for _, message, _ in HOSTILE] + [mail.simple(1)]
    with start(messages) as server:
        client = server.connect().enter("alice")
        watch = Watch(server)
        number = {client.fetch("RETR %d" % (i + 1)): i + 1
                  for i in range(len(messages))}
        for name, message, untouched in HOSTILE:
            i = number[mail.wire(message)]
            began = time.monotonic()
            got = client.fetch("RETR %d X-MANGLE" % i)
            tap.diag("%s: %.2f s" % (name, time.monotonic() - began))
            same = got == mail.wire(message)
            if untouched is not None:
                tap.equal(same, untouched, name + ": untouched")
            told = UNTOUCHED % i + "|" + GIVEN_UP
            if same:
                server.log.wait(told)
            tap.ok(server.log.find(GIVEN_UP) or
                   len(server.log.find(told)) == int(same),
                   name + ": the log knows")
            tap.equal(client.ok("LIST %d X-MANGLE" % i),
                      "+OK %d %d" % (i, len(got)), name + ": LIST agrees")
        tap.ok(client.quit().startswith("+OK"), "the session lives")
        client = server.connect().enter("alice")
        got = client.fetch("RETR %d X-MANGLE" % number[
            mail.wire(mail.simple(1))])
        tap.ok(b"\nMime-version: 1.0\r\n" in got, "the next one mangles")
        client.quit()
        watch.end()
        tap.diag("session %d kB, child %d kB" % (watch.session, watch.child))
        confinement(watch.confined)
        if watch.reserved > 1 << 30:  # kB: AddressSanitizer's shadow
            tap.skip("the session is under 64 MB", "a sanitizer needs more")
            return
        tap.ok(0 < watch.session < 65536, "the session is under 64 MB")
        tap.ok(watch.child < 65536, "so is its child")


def confinement(seen):
    name = "the child has the message and a pipe, and may make nothing"
    if seen is None:  # /proc of what is not dumpable is root's
        tap.skip(name, "its /proc could not be read")
        return
    files, limits = seen
    tap.equal((files, limits["Max processes"], limits["Max file size"],
               limits["Max core file size"]),
              (["0", "1"], "0", "0", "0"), name)


def many():
    """LIST costs one pass."""
    messages = [mail.simple(i) for i in range(300)]
    with start(messages, "time = 20s") as server:
        client = server.connect().enter("alice")
        times = []
        for _ in range(2):
            began = time.monotonic()
            sizes = lists(client, "X-MANGLE")
            times.append(time.monotonic() - began)
        tap.diag("LIST of 300: %.3f s, again %.3f s" % tuple(times))
        for i, size in sizes[::50]:
            tap.equal(len(client.fetch("RETR %d X-MANGLE" % i)), size,
                      "message %d has its size" % i)
        client.quit()


works()
hostile()
many()
tap.done()
