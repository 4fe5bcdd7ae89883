"""qpopper.py - what a host with Qpopper 4 leaves behind, and how it talked.

Made from descriptions of its files, for tests of what comes after it:

    box = [Letter("one", uid="..."), Letter("two")]
    mbox(box), mmdf(box)        octets of a spool file
    unique_id(letter)           what it told without storing it
    hashed(1, "maida")          the spool's folder for a user
    database(path, records)     GDBM, as popauth and the bulletins have it
    Old(port, drops)            a server that says what Qpopper said
"""

import hashlib
import os
import shutil
import socket
import struct
import subprocess
import threading

DIGITS = [chr(0x21 + value) for value in range(80)]
DIGITS[DIGITS.index(".")] = "~"
FENCE = b"\1\1\1\1\n"
HASHED = (b"received:", b"date:", b"message-id:", b"subject:")
GREETING = "+OK Qpopper (version 4.0.5) at %s starting.  "


def base80(octets):
    """16 octets as 20 characters, the way Qpopper's unique-ids look."""
    out = []
    for group in range(0, 16, 4):
        value = 0
        for octet in octets[group:group + 4]:
            value = value * 16 + octet
        for _ in range(5):
            out.append(DIGITS[value % 80])
            value //= 80
    return "".join(out)


class Letter:
    """A message in a spool.  uid: its X-UIDL field; status: its Status."""

    number = 0

    def __init__(self, subject, uid=None, status=None, body=None, extra=b""):
        Letter.number += 1
        self.subject, self.uid, self.status = subject, uid, status
        self.separator = b"From ann%d@example.net Tue Mar  4 09:%02d:%02d 2025\n" % (
            Letter.number, Letter.number // 60, Letter.number % 60)
        self.header = (
            b"Received: from mx.example.net by pop.example.org; "
            b"Tue, 4 Mar 2025 09:00:%02d +0000\n"
            b"\t(envelope-from ann@example.net)\n"
            b"Date: Tue, 4 Mar 2025 09:00:00 +0000\n"
            b"Message-Id: <%d.%s@example.net>\n"
            b"From: Ann <ann@example.net>\nTo: somebody@example.org\n"
            b"Subject: %s\n%s" % (Letter.number % 60, Letter.number,
                                  subject.encode().replace(b" ", b"."),
                                  subject.encode(), extra))
        self.body = body or b"This is %s.\n.\nFrom here on, text.\n" % (
            subject.encode())

    def raw(self):
        """The message as it is stored."""
        head = self.header
        if self.uid:
            head = b"X-UIDL: %s\n%s" % (self.uid.encode(), head)
        if self.status:
            head += b"Status: %s\n" % self.status.encode()
        return head + b"\n" + self.body

    def wire(self):
        return self.raw().replace(b"\n", b"\r\n")


def mbox(letters):
    return b"".join(one.separator + one.raw() + b"\n" for one in letters)


def mmdf(letters):
    return b"".join(FENCE + one.raw() + FENCE for one in letters)


def unique_id(letter, old_style=False, form=mbox):
    """The id that Qpopper computes if it does not keep Status fields."""
    separator = FENCE if form is mmdf else letter.separator
    told = hashlib.md5(separator)
    for line in letter.raw().partition(b"\n\n")[0].splitlines(True):
        if line.lower().startswith(HASHED):
            told.update(line if line.endswith(b"\n") else line + b"\n")
    if old_style:
        return told.hexdigest()
    told.update(separator)
    return base80(told.digest())


def hashed(kind, user):
    """The folder below the spool's, with a slash, or ""."""
    if kind == 1:
        return chr(ord("a") + sum(user[:5].encode()) % 26) + "/"
    if kind == 2:
        return "%s/%s/" % (user[0], (user + user[0])[1])
    return ""


# --- Databases --------------------------------------------------------------

_WRITE = r"""
use GDBM_File;
my $path = shift;
tie my %h, "GDBM_File", $path, GDBM_NEWDB, 0600 or die "$path: $!";
while (@ARGV) { my $k = pack "H*", shift; $h{$k} = pack "H*", shift; }
untie %h;
"""

_READ = r"""
use GDBM_File;
tie my %h, "GDBM_File", shift, GDBM_READER, 0600 or die "$!";
print unpack("H*", $_), " ", unpack("H*", $h{$_}), "\n" for keys %h;
"""


def has_gdbm():
    return shutil.which("perl") is not None and subprocess.run(
        ["perl", "-MGDBM_File", "-e", "1"],
        stderr=subprocess.DEVNULL).returncode == 0


def database(path, records):
    subprocess.run(["perl", "-e", _WRITE, path] + [
        octets.hex() for item in records.items() for octets in item],
        check=True)
    os.chmod(path, 0o600)


def records(path):
    text = subprocess.run(["perl", "-e", _READ, path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return {bytes.fromhex(line.split()[0]): bytes.fromhex(line.split()[1])
            for line in text.splitlines()}


def secret_record(secret):
    """What popauth keeps for a user."""
    return bytes(octet ^ 0xff for octet in secret.encode()) + b"\0\0"


def bulletin_record(number):
    """What a bulletin database keeps for a user: a long of this machine."""
    return struct.pack("@l", number)


# --- The old server ---------------------------------------------------------

class Old:
    """A server that speaks as Qpopper did: drops is {user: [(uid, octets)]},
    octets as RETR sends them."""

    def __init__(self, port, drops, host="pop.example.org"):
        self.drops, self.host = drops, host
        self.listener = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock, sock.makefile("rwb") as file:
                try:
                    self._talk(file)
                except OSError:
                    pass

    def _talk(self, file):
        def say(*lines):
            for line in lines:
                file.write(line if isinstance(line, bytes) else
                           line.encode() + b"\r\n")
            file.flush()

        say(GREETING % self.host)
        drop, user = None, None
        for line in file:
            words = line.decode().split() or [""]
            verb = words[0].upper()
            if verb == "USER":
                user = words[1]
                say("+OK Password required for %s." % user)
            elif verb == "PASS":
                drop = self.drops[user]
                say("+OK %s has %d visible messages (0 hidden) in %d octets."
                    % (user, len(drop), sum(len(raw) for _, raw in drop)))
            elif verb == "QUIT":
                say("+OK Pop server at %s signing off." % self.host)
                return
            elif verb == "CAPA":
                say("+OK Capability list follows", "TOP", "USER",
                    "LOGIN-DELAY 0", "EXPIRE 0", "UIDL", "RESP-CODES",
                    "AUTH-RESP-CODE", "X-MANGLE", "X-MACRO",
                    "IMPLEMENTATION Qpopper-version-4.0.5", ".")
            elif drop is None:
                say('-ERR Unknown command: "%s".' % verb.lower())
            else:
                say(*self._answer(drop, verb, words))

    @staticmethod
    def _answer(drop, verb, words):
        number = int(words[1]) if len(words) > 1 else None
        if verb == "STAT":
            return ["+OK %d %d" % (len(drop), sum(len(r) for _, r in drop))]
        if verb in ("LIST", "UIDL"):
            lines = ["%d %s" % (n, uid if verb == "UIDL" else len(raw))
                     for n, (uid, raw) in enumerate(drop, 1)]
            if number:
                return ["+OK " + lines[number - 1]]
            return ["+OK uidl command accepted." if verb == "UIDL" else
                    "+OK %d visible messages" % len(drop)] + lines + ["."]
        if verb in ("RETR", "TOP"):
            raw = drop[number - 1][1].replace(b"\r\n.", b"\r\n..")
            return ["+OK %d octets" % len(raw), raw, "."]
        return ["+OK no big woop" if verb == "NOOP" else
                '-ERR Unknown command: "%s".' % verb.lower()]
