"""mail.py - messages, and the stores that hold them.

A message is the octets as they are stored.  wire() is what RETR must send for
them, before dots are stuffed; its length is what LIST must say.
"""

import os
import re


def wire(raw):
    """Line ends become CRLF, an open last line is closed (RFC 1939, 11)."""
    out = re.sub(rb"(?<!\r)\n", b"\r\n", raw)
    return out if not out or out.endswith(b"\r\n") else out + b"\r\n"


def top(raw, lines):
    """What TOP must send: header, empty line, so many lines of body."""
    out, body, left = [], False, lines
    for line in wire(raw).split(b"\n")[:-1]:
        if body and left == 0:
            break
        if body:
            left -= 1
        out.append(line + b"\n")
        if line == b"\r":
            body = True
    return b"".join(out)


def stuffed(data):
    """Dots stuffed, and the last line of a multi-line reply."""
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\n.", b"\n..") + b".\r\n"


def simple(number, body=b"", to=b"alice@example.org"):
    """A small message that looks like one somebody wrote."""
    return (b"Return-Path: <bob@example.net>\n"
            b"Received: from mx.example.net (mx.example.net [192.0.2.25])\n"
            b"\tby mail.example.org with ESMTP id 4%05d;\n"
            b"\tTue, 4 Mar 2025 09:%02d:00 +0000\n"
            b"From: Bob Miller <bob@example.net>\n"
            b"To: %s\n"
            b"Subject: subject-%d\n"
            b"Date: Tue, 04 Mar 2025 09:%02d:00 +0000\n"
            b"Message-ID: <20250304.%d@example.net>\n"
            b"\n" % (number, number % 60, to, number, number % 60, number)
            ) + (body or b"Line one of message %d.\nLine two.\n" % number)


def corpus():
    """Odd messages that a store may hold, by name.  None has a line that
    begins with "From " after an empty line, so any store may hold any."""
    head = b"From: a@example.org\nSubject: odd\n"
    multipart = (
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\n"
        b"Subject: =?utf-8?b?w6TDtsO8?=\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=\"=_b\"\n\n"
        b"This is a message in MIME format.\n--=_b\n"
        b"Content-Type: text/plain; charset=utf-8\n"
        b"Content-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9fe\n"
        b"--=_b\nContent-Type: application/octet-stream\n"
        b"Content-Transfer-Encoding: base64\n\nAAECAwQFBgc=\n--=_b--\n")
    attachment = (b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w"
                  b"cXJzdHV2d3h5\n") * 14000
    return {
        "plain": simple(1),
        "multipart": multipart,
        "eight-bit": head + b"X-Raw: \xe4\xf6\xfc\n\n\xff\xfe\x80 octets\n",
        "nul": head + b"\nbefore\0after\n\0\n.\0\n",
        "lone-cr": head + b"\none\rtwo\r\rthree\n\r.\n.\r.\n",
        "long-line": head + b"\n" + b"x" * 100000 + b"\n.end\n",
        "open-end": head + b"\nno line end at the end",
        "dots": head + b"\n.\n..\n...\n.x\nx.\n.",
        "from-lines": head + b"\nabove\nFrom here on it is text.\n>From quoted\n",
        "empty-body": head + b"\n",
        "header-only": head,
        "crlf": (head + b"\n.dot\nlast\n").replace(b"\n", b"\r\n"),
        "blank-lines": head + b"\n\n\n\nend\n\n\n",
        "attachment": head + b"Content-Type: application/pdf\n\n" + attachment,
    }


# Messages that only a store of one file per message can hold as they are.
def corpus_maildir():
    return {
        "empty": b"",
        "from-after-empty": b"Subject: x\n\nabove\n\nFrom a@b Tue Mar  4 "
                            b"09:00:00 2025\nbelow\n",
        "lone-dot-no-end": b"Subject: x\n\n.",
        "only-newline": b"\n",
    }


SEPARATOR = b"From bob@example.net Tue Mar  4 09:00:00 2025\n"


def mbox_octets(messages):
    """The messages as a delivery agent appends them."""
    out = []
    for raw in messages:
        out.append(SEPARATOR)
        out.append(raw)
        if not raw.endswith(b"\n"):
            out.append(b"\n")
        out.append(b"\n")
    return b"".join(out)


def mbox_wire(raw):
    """An open last line is closed by the delivery agent, with LF."""
    return wire(raw if raw.endswith(b"\n") else raw + b"\n")


class Drop:
    """A maildrop on disk, of one kind, owned by one uid."""

    def __init__(self, kind, path, uid, gid):
        self.kind, self.path, self.uid, self.gid = kind, path, uid, gid
        self.made = 0
        if kind == "maildir":
            for name in ("", "tmp", "new", "cur"):
                os.mkdir(os.path.join(path, name), 0o700)
                self._own(os.path.join(path, name))

    def _own(self, path):
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def spec(self):
        return self.kind + ":" + self.path

    def wire(self, raw):
        return mbox_wire(raw) if self.kind == "mbox" else wire(raw)

    def deliver(self, *messages):
        if self.kind == "mbox":
            with open(self.path, "ab") as file:
                file.write(mbox_octets(messages))
            os.chmod(self.path, 0o600)
            self._own(self.path)
        else:
            for raw in messages:
                self._deliver_file(raw)
        return self

    def _deliver_file(self, raw):
        self.made += 1
        name = "%d.M%06dP%d.example.org" % (
            1741078800 + self.made, self.made, os.getpid())
        there = os.path.join(self.path, "tmp", name)
        with open(there, "wb") as file:
            file.write(raw)
        os.chmod(there, 0o600)
        self._own(there)
        os.rename(there, os.path.join(self.path, "new", name))

    def stored(self):
        """The messages that are there now, as stored, in order."""
        if self.kind == "mbox":
            return self._stored_mbox()
        names = []
        for folder in ("new", "cur"):
            for name in os.listdir(os.path.join(self.path, folder)):
                if not name.startswith("."):
                    names.append((name, folder))
        out = []
        for name, folder in sorted(names):
            with open(os.path.join(self.path, folder, name), "rb") as file:
                out.append(file.read())
        return out

    def _stored_mbox(self):
        try:
            with open(self.path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return []
        if not data:
            return []
        if not data.startswith(b"From "):
            raise AssertionError("not an mbox: %r" % data[:80])
        parts = (b"\n\n" + data).split(b"\n\nFrom ")[1:]
        parts = [part.split(b"\n", 1)[1] + b"\n" for part in parts]
        if parts:  # the last one still has its empty line
            parts[-1] = parts[-1][:-1]
            if parts[-1].endswith(b"\n\n"):
                parts[-1] = parts[-1][:-1]
        return parts

    def subjects(self):
        found = []
        for raw in self.stored():
            for line in raw.replace(b"\r", b"").split(b"\n"):
                if line.lower().startswith(b"subject: "):
                    found.append(line[9:].decode("ascii", "replace"))
                    break
        return found
