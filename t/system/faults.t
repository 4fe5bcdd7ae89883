#!/usr/bin/python3
"""Each system call of a session fails once: the client hears the truth.

A login, RETR, TOP, UIDL and LIST, QUIT with deletions, through the whole
server.  A reply that looks whole is whole; after +OK to QUIT exactly the kept
messages are there, after -ERR all; what is served is never something else.
And the mbox or message is cut, or another is put in its place, while it is
being sent.

POPPER_TEST_POINTS: every call and error (make check-deep), else a part.

proves: R-1939-35
"""

import errno
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import inject  # noqa: E402
import mail  # noqa: E402
import mta  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
DEEP = os.environ.get("POPPER_TEST_POINTS") == "all"
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR, errno.ENOMEM)
STEP = 1 if DEEP else 4
BIG = mail.simple(1, b"".join(b".%06d of the big message\n" % n
                              for n in range(20000)))
MESSAGES = [BIG] + [mail.simple(n) for n in range(2, 8)]
MARKS = [2, 4, 7]
KEPT = [raw for n, raw in enumerate(MESSAGES, 1) if n not in MARKS]


class Case:
    """One maildrop, and what is wrong with it."""

    def __init__(self, server, user):
        self.server, self.user, self.wrong = server, user, []
        self.wire = [user.drop.wire(raw) for raw in MESSAGES]
        client = server.enter(user)
        self.uids = [line.split()[1] for line in client.lines("UIDL")]
        client.quit()

    def restore(self):
        drop = self.user.drop
        if drop.kind == "mbox":
            mta.bury(drop.path)
            with open(drop.path, "r+b") as file:
                file.truncate()
        else:
            for sub in ("new", "cur", "tmp"):
                for name in os.listdir(os.path.join(drop.path, sub)):
                    os.unlink(os.path.join(drop.path, sub, name))
        drop.made = 0
        drop.deliver(*MESSAGES)

    def session_pid(self):
        return self.server.children("popper-session")[0]

    def ended(self):
        """Until no session is left."""
        pids = self.server.children("popper-session")
        everything = popper.processes()
        if popper.wait_gone({pid: everything[pid][1] for pid in pids
                             if pid in everything}):
            self.wrong.append("a session stays")
        if self.user.drop.kind == "mbox":
            mta.bury(self.user.drop.path)

    # --- What a client does while it happens; says what is wrong, or None

    def retr(self, client):
        answer = client.cmd("RETR 1")
        if answer.startswith("+OK") and client.multi() != self.wire[0]:
            return "RETR: another message, and a dot"
        return self.goes_on(client, answer)

    def top(self, client):
        answer = client.cmd("TOP 1 3")
        if answer.startswith("+OK") and client.multi() != mail.top(BIG, 3):
            return "TOP: other lines, and a dot"
        return self.goes_on(client, answer)

    def lists(self, client):
        answer = client.cmd("UIDL")
        if answer.startswith("+OK") and client.multi().split()[1::2] != [
                uid.encode() for uid in self.uids]:
            return "other unique-ids"
        if client.cmd("LIST").startswith("+OK") and client.multi().split()[
                1::2] != [b"%d" % len(data) for data in self.wire]:
            return "other sizes"
        return self.goes_on(client, answer)

    @staticmethod
    def goes_on(client, answer):
        if answer.startswith("-ERR") and not re.match(
                r"-ERR \[SYS/(TEMP|PERM)\] ", answer):
            return answer
        return None if client.cmd("NOOP").startswith("+OK") else "NOOP"

    def quit(self, client):
        answer = client.cmd("QUIT")
        self.ended()
        stored = sorted(self.user.drop.stored())
        if answer.startswith("+OK") and stored != sorted(KEPT):
            return "QUIT: +OK, %d are there" % len(stored)
        if "nothing" in answer and stored != sorted(MESSAGES):
            return "%s: %d are there" % (answer, len(stored))
        return None

    # --- The next session

    def check(self, what):
        """All messages, or exactly the kept ones; with their ids."""
        client = self.server.connect()
        client.reply()
        answer = client.login(self.user)
        if not answer.startswith("+OK"):
            self.wrong.append("%s: then PASS: %s" % (what, answer))
            return
        uids = [line.split()[1] for line in client.lines("UIDL")]
        got = [client.fetch("RETR %d" % n)
               for n in range(1, len(uids) + 1)]
        client.leave()
        every = list(zip(self.wire, self.uids))
        kept = [item for n, item in enumerate(every, 1) if n not in MARKS]
        if list(zip(got, uids)) not in (every, kept):
            self.wrong.append("%s: then %d messages, or others" % (
                what, len(got)))
        if len(got) != len(every):
            self.restore()

    def try_one(self, name, at, error):
        """Returns whether there was such a call."""
        client = self.server.enter(self.user)
        if name == "quit":
            for number in MARKS:
                client.ok("DELE %d" % number)
        with inject.Fault(self.session_pid(), at, error) as fault:
            try:
                wrong = getattr(self, name)(client)
            except popper.Closed:
                wrong = None
            except (AssertionError, OSError) as cause:
                wrong = repr(cause)
        client.leave()
        return self.judge(name, fault, error, wrong)

    def try_login(self, at, error):
        client = self.server.connect()
        client.reply()
        client.ok("USER " + self.user.name)
        service = self.server.services()["popper-session"]
        wrong = None
        with inject.Fault(service, at, error, child=True) as fault:
            try:
                answer = client.cmd("PASS " + popper.PASSWORD)
                if answer.startswith("+OK"):
                    wrong = self.lists(client)
                elif not re.match(r"-ERR \[(SYS/|IN-USE)", answer):
                    wrong = answer
            except popper.Closed:
                pass
            except (AssertionError, OSError) as cause:
                wrong = repr(cause)
        client.leave()
        return self.judge("login", fault, error, wrong)

    def judge(self, name, fault, error, wrong):
        what = "%s, %s at call %d (%d)" % (
            name, errno.errorcode[error], fault.seen, fault.number)
        self.ended()
        if wrong:
            self.wrong.append("%s: %s" % (what, wrong))
        if fault.done:
            self.check(what)
        elif name == "quit":
            self.restore()
        return fault.done

    def sweep(self, name):
        count = 0
        for error in ERRORS if DEEP else ERRORS[:2]:
            at = 1 + ERRORS.index(error) % STEP
            while (self.try_login(at, error) if name == "login" else
                   self.try_one(name, at, error)):
                at += STEP
                count += 1
        tap.equal(self.wrong, [], "%s, %s: %d failures, told as they are" % (
            self.user.drop.kind, name, count))
        self.wrong = []


def swept(kind):
    with popper.Server("daemon") as server:
        user = server.add_user(kind, kind, MESSAGES)
        case = Case(server, user)
        for name in ("login", "retr", "top", "lists", "quit"):
            case.sweep(name)


# --- Somebody else changes the message that is being sent -------------------

def cut(path):
    os.truncate(path, 100000)


def cut_and_grow(path):
    """The same size, and zeros."""
    size = os.path.getsize(path)
    os.truncate(path, 100000)
    os.truncate(path, size)


def moved(path):
    """A mail program has removed a message before it."""
    with open(path, "r+b") as file:
        data = file.read()[len(mail.mbox_octets(MESSAGES[1:2])):]
        file.seek(0)
        file.write(data)
        file.truncate()


def while_it_is_sent(kind, change):
    """The client reads slowly: then something else is in the file."""
    with popper.Server("daemon" if popper.ROOT else "user") as server:
        raws = MESSAGES[1:2] + [BIG * 8] + MESSAGES[2:]
        user = server.add_user(kind, kind, raws)
        client = server.enter(user)
        client.send(b"RETR 2\r\n")
        answer = client.reply()
        path = user.drop.path
        if kind == "maildir":
            folder = [os.path.join(path, sub) for sub in ("new", "cur")]
            names = [os.path.join(sub, name) for sub in folder
                     for name in os.listdir(sub)]
            path = max(names, key=os.path.getsize)
        change(path)
        try:
            good = client.multi() == user.drop.wire(raws[1])
        except popper.Closed:
            good = True
        tap.ok(answer.startswith("+OK") and good,
               "%s, %s while it is sent: whole, or without a dot" % (
                   kind, change.__name__.replace("_", " ")))
        client.leave()


for drop_kind in popper.DROPS:
    if inject.usable():
        tap.run(lambda: swept(drop_kind), drop_kind)
    else:
        tap.skip(drop_kind, "needs root and x86_64")
    for way in (cut, cut_and_grow, moved):
        # A Maildir's files are not changed by anybody.
        if way is cut or drop_kind == "mbox":
            tap.run(lambda: while_it_is_sent(drop_kind, way), way.__name__)
tap.done()
