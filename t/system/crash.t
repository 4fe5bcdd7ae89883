#!/usr/bin/python3
"""kill -9 at random moments: each message is there, or was deleted by a QUIT.

One server, maildrops of both kinds.  Sessions delete, mail comes, processes
are killed while QUIT is under way or while the next login puts right what the
last one left; state folders are lost, indexes damaged.  Then a session must
show all messages or exactly the kept ones (after +OK: these), octet by octet,
with the unique-ids they had.

POPPER_TEST_SECONDS: how long per kind; POPPER_TEST_SEED: what is tried.

proves: R-1939-35 T-14
"""

import collections
import os
import random
import re
import select
import shutil
import signal
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import mta  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
SECONDS = float(os.environ.get("POPPER_TEST_SECONDS", "3"))
SEED = int(os.environ.get("POPPER_TEST_SEED", "0")) or os.getpid()
MODE = "daemon" if popper.ROOT else "user"
# More than one: the server comes again with another one.
EXTRA = [("maildir", "trash = 7d"), ("mbox", "trash = 7d"),
         ("mbox", "purge = lazy", "purge = quit")]


# --- Messages ---------------------------------------------------------------

ODD = mail.corpus()
ODD["attachment"] = ODD["attachment"][:200000] + b"\n"
PRIVATE = re.compile(rb"^Status: [^\n]*\n", re.M)


class Message:
    def __init__(self, raw):
        self.raw, self.uid = raw, None
        head, empty, body = raw.partition(b"\n\n")
        # Of equal ones the store must tell which is which; notes in the
        # header make no difference.
        self.key = PRIVATE.sub(b"", head + b"\n") + empty + body


class Author:
    """Each message differs from all others, or is the twin of one."""

    def __init__(self, dice):
        self.dice, self.count = dice, 0

    def write(self, others):
        self.count += 1
        number = b"X-Number: %d\n" % self.count
        way = self.dice.random()
        if others and way < 0.15:
            return Message(self.dice.choice(others).raw)
        if others and way < 0.2:
            return Message(b"Status: RO\n" + PRIVATE.sub(
                b"", self.dice.choice(others).raw, 1))
        if way < 0.5:
            odd = self.dice.choice(sorted(ODD))
            if odd == "crlf":
                number = number.replace(b"\n", b"\r\n")
            return Message(number + ODD[odd])
        if way < 0.6:
            noise = self.dice.randbytes(self.dice.randrange(1, 20000))
            noise = re.sub(rb"\n(?=From )", b"\n>", b"\n" + noise)
            return Message(number + b"Subject: noise\n" + noise + b"\n")
        size = int(10 ** self.dice.uniform(0, 4.3))
        return Message(number + b"Subject: text\n\n" +
                       (b"%d line\n" % self.count * size)[:size] + b"\n")


# --- A maildrop and what must be in it --------------------------------------

class Lost(Exception):
    """What no crash excuses."""


class Box:
    def __init__(self, server, user, dice, most, way):
        self.server, self.user, self.dice, self.most = (
            server, user, dice, most)
        self.way = way
        self.born = collections.Counter()
        self.kind = user.drop.kind
        self.author = Author(dice)
        self.may = [[]]  # lists of messages: one of them is true
        self.duration = 0.002  # of a QUIT
        self.tally = collections.Counter()
        self.wrong = []

    # --- Mail comes

    def deliver(self, count):
        new = []
        for _ in range(count):
            new.append(self.author.write(self.may[0] + new))
        self._store([message.raw for message in new])
        self.may = [some + new for some in self.may]
        self.born.update(message.raw for message in new)
        self.tally["delivered"] += count

    def _store(self, raws):
        if self.kind == "mbox":
            mta.append(self.user.drop.path, raws, True)
        else:
            self.user.drop.deliver(*raws)

    # --- Damage

    def state(self, *names):
        return self.server.path("state", self.user.name, *names)

    def forget_twins(self):
        """Which of equal messages is which is written down nowhere else."""
        if self.kind != "mbox":
            return
        keys = collections.Counter(m.key for m in self.may[0])
        for message in self.may[0]:
            if keys[message.key] > 1 or message.uid and "." in message.uid:
                message.uid = None

    def settle(self):
        """Nothing is kept of an mbox that has just changed; and nothing tells
        when it has not."""
        select.select([], [], [], 0.15)
        self.enter().quit()
        self.tally["settled"] += os.path.exists(
            self.state(self.kind + ".index"))

    def damage(self):
        """Only after a session that ended well: else what a crash left is
        needed."""
        if self.dice.random() < 0.15:
            self.settle()
        dice = self.dice.random()
        if dice < 0.1 and not self.way.state_is_needed:
            shutil.rmtree(self.state(), ignore_errors=True)
            self.forget_twins()
            self.tally["state folders lost"] += 1
            return
        name = self.kind + ".index"
        if dice > 0.4 or not os.path.exists(self.state(name)):
            return
        with open(self.state(name), "r+b") as file:
            size = os.path.getsize(file.name)
            if dice < 0.2:
                file.truncate(self.dice.randrange(size + 1))
            else:
                for _ in range(self.dice.choice((1, 1, 30))):
                    file.seek(int(size * self.dice.random() ** 2))
                    file.write(self.dice.randbytes(1))
        self.tally["indexes damaged"] += 1

    # --- A session

    def enter(self):
        """A session that shows what must be there; it says what is."""
        client = self.server.enter(self.user)
        sizes = client.lines("LIST")
        uids = [line.split()[1] for line in client.lines("UIDL")]
        client.send(b"".join(b"RETR %d\r\n" % n
                             for n in range(1, len(uids) + 1)))
        got = []
        for n in range(len(uids)):
            answer = client.reply()
            if not answer.startswith("+OK"):
                raise Lost("RETR %d: %s" % (n + 1, answer))
            got.append(client.multi())
        if sizes != ["%d %d" % (n, len(data)) for n, data in
                     enumerate(got, 1)]:
            raise Lost("LIST does not say the sizes")
        if len(set(uids)) != len(uids):
            raise Lost("a unique-id twice: %r" % sorted(uids))
        faults = []
        for some in self.may:
            there = self.match(some, got, uids, faults)
            if there is not None:
                break
        else:
            raise Lost("%d messages shown: %s" % (len(got), faults))
        if len(self.may) > 1:
            self.tally["undone" if some is self.may[0] else "done"] += 1
        self.may = [there]
        self.check_disk()
        return client

    def match(self, some, got, uids, faults):
        """The messages in the order shown, if they are these."""
        if len(some) != len(got):
            faults.append("not %d" % len(some))
            return None
        if self.kind == "maildir":
            some = self.by_uid(some, got, uids)
        for n, message in enumerate(some):
            if message is None or self.user.drop.wire(message.raw) != got[n]:
                faults.append("message %d is %.300r..." % (n + 1, got[n]))
                return None
            if message.uid not in (None, uids[n]):
                faults.append("message %d of %d has unique-id %s, not %s" % (
                    n + 1, len(some), uids[n], message.uid))
                return None
        for message, uid in zip(some, uids):
            message.uid = uid
        return some

    def by_uid(self, some, got, uids):
        """A Maildir has no order but that of its names."""
        known = {message.uid: message for message in some if message.uid}
        new = collections.defaultdict(list)
        for message in some:
            if message.uid is None:
                new[mail.wire(message.raw)].append(message)
        return [known.get(uid) or (new[data].pop() if new[data] else None)
                for uid, data in zip(uids, got)]

    def check_disk(self):
        want = [message.raw for message in self.may[0]]
        if not self.way.exact:
            pass
        elif self.kind == "mbox":
            with open(self.user.drop.path, "rb") as file:
                if file.read() != mail.mbox_octets(want):
                    raise Lost("the mbox has other octets")
        elif sorted(self.user.drop.stored()) != sorted(want):
            raise Lost("the files are others")
        left = [name for name in os.listdir(self.state())
                if name.startswith(("commit.", "rewrite."))]
        if left:
            raise Lost("left: %r" % left)

    def marks(self):
        """Numbers of messages, from 1 on."""
        count = len(self.may[0])
        every = list(range(1, count + 1))
        few = self.dice.randrange(1, 4)
        return self.dice.choice((
            every[:few], every[-few:], every[::2], every, [],
            every[count // 2:count // 2 + few],
            every[count // 3:], self.dice.sample(every, count // 2),
            self.dice.sample(every, min(few, count))))

    def leave(self, client, killer):
        """DELE and QUIT, with a death in between."""
        marks = self.marks()
        client.send(b"".join(b"DELE %d\r\n" % n for n in marks))
        for _ in marks:
            if not client.reply().startswith("+OK"):
                raise Lost("DELE")
        kept = [m for n, m in enumerate(self.may[0], 1) if n not in marks]
        mail_comes = self.mail_comes()
        victims = killer.victims() if self.dice.random() < 0.8 else None
        # What follows is the moment that all is about.
        client.send(b"QUIT\r\n")
        began = time.perf_counter()
        if mail_comes.new:
            mail_comes.start()
        if victims is not None:
            until = began + self.dice.uniform(0, 1.2 * self.duration)
            while time.perf_counter() < until:
                pass
            killer.kill(victims)
        answer = client.rest().decode("latin-1")
        if victims is None:
            self.duration += (time.perf_counter() - began -
                              self.duration) / 3
        else:
            killer.wait()
        self.bury()
        if mail_comes.new:
            mail_comes.join()
        self.may = {"+OK": [kept], "-ER": [self.may[0]]}.get(
            answer[:3], [self.may[0], kept])
        # The same list twice would count as undone.
        if len(self.may) == 2 and not marks:
            self.may = self.may[:1]
        self.tally["QUIT " + (answer[:3] or "unanswered")] += 1
        self.may = [some + mail_comes.new for some in self.may]
        if "UNKNOWN" in answer or victims is None and answer[:3] != "+OK":
            raise Lost(answer)

    def mail_comes(self):
        """A thread that delivers, or does nothing."""
        new = []
        if self.dice.random() < 0.3:
            new = [self.author.write(self.may[0])]
            self.born.update(message.raw for message in new)
            self.tally["delivered during QUIT"] += 1
        raws = [message.raw for message in new]
        thread = threading.Thread(target=self._store, args=(raws,))
        thread.new = new
        return thread

    def bury(self):
        if self.kind == "mbox" and mta.bury(self.user.drop.path):
            self.tally["dead locks"] += 1

    def die_early(self, killer):
        """A login that is killed while it looks at what is there."""
        client = self.server.connect()
        client.reply()
        client.ok("USER " + self.user.name)
        client.send(b"PASS %s\r\n" % popper.PASSWORD.encode())
        until = time.perf_counter() + self.dice.uniform(0, 0.006)
        while time.perf_counter() < until:
            pass
        killer.kill(killer.victims("session"))
        killer.wait()
        client.leave()  # it may not even have begun
        self.bury()
        self.tally["logins killed"] += 1

    def recover(self):
        """What the next login does, without one."""
        status, out, err = popperctl.run(
            self.server, "recover", self.user.name)
        self.tally["recovered"] += 1
        if status != 0:
            raise Lost("popperctl recover: %d %s %s" % (status, out, err))

    def whereabouts(self, keys):
        """The files that have these messages, for who hunts for them."""
        files = [self.user.drop.path]
        for top in (self.state(), self.user.drop.path):
            for folder, _, names in os.walk(top):
                files += [os.path.join(folder, name) for name in names]
        found = []
        for key in keys:
            found.append("%.80r" % key)
            number = re.search(rb"^X-Number: \d+\r?\n", key, re.M)
            for name in filter(os.path.isfile, files):
                with open(name, "rb") as file:
                    if number and number[0].rstrip() in [
                            line.rstrip() for line in file]:
                        found.append(name)
        return found

    def undelete(self):
        """All that ever came is there, and not more often.  If an equal one
        came since, but for notes in the header, that is as good."""
        status, out, err = popperctl.run(
            self.server, "undelete", self.user.name)
        client = self.server.enter(self.user)
        count = int(client.ok("STAT").split()[1])
        got = collections.Counter(
            PRIVATE.sub(b"", client.fetch("RETR %d" % n), 1)
            for n in range(1, count + 1))
        client.quit()
        want = collections.Counter()
        for raw, n in self.born.items():
            want[PRIVATE.sub(b"", self.user.drop.wire(raw), 1)] += n
        lost, doubled = set(want) - set(got), got - want
        if status != 0 or lost or doubled:
            raise Lost("undelete: %s%s%d of %d lost, %d doubled: %s" % (
                out, err, len(lost), want.total(), doubled.total(),
                self.whereabouts([*lost, *doubled][:3])))
        self.tally["brought back"] = count - len(self.may[0])

    def round(self, killer):
        count = len(self.may[0])
        if count < self.most // 2:
            self.deliver(self.dice.randrange(self.most - count))
        if len(self.may) == 1:
            self.damage()
        client = self.enter()
        self.leave(client, killer)
        client.close()
        if self.dice.random() < 0.4:
            self.deliver(1)
        while self.dice.random() < 0.3:
            if self.dice.random() < 0.3:
                self.recover()
            else:
                self.die_early(killer)
            if self.dice.random() < 0.3:
                self.deliver(1)
        self.tally["rounds"] += 1


class Way:
    """How a drop is configured: in one of some ways, by turns."""

    def __init__(self, kind, dice, *options):
        self.kind, self.dice, self.options = kind, dice, options
        text = " ".join(options)
        self.trash = "trash" in text
        self.state_is_needed = self.trash or "lazy" in text
        # What is in the file is just what is shown.
        self.exact = not ("lazy" in text or "collapse" in text)

    def choose(self, server):
        server.modules = 'auth passwd { file = "%s" }\ndrop %s { %s }\n' % (
            server.path("users"), self.kind, self.dice.choice(self.options))


class Killer:
    """Ends processes of the server, and lets it come again."""

    def __init__(self, server, dice, way):
        self.server, self.dice, self.way = server, dice, way
        self.dead = {}
        self.again, self.soon = False, 0
        self.tally = collections.Counter()

    def victims(self, which=None):
        which = which or self.dice.choices(
            ("session", "session and worker", "services", "all"),
            (80, 10, 6, 4))[0]
        if which == "services" and self.soon > 1:
            which = "all"  # the master makes ever longer pauses
        self.soon = {"services": self.soon + 1, "all": 0}.get(
            which, self.soon)
        server = self.server
        found = list(server.children("popper-session"))
        if which == "session and worker":
            found += server.children("popper-login")
        elif which == "services":
            found += server.services().values()
        elif which == "all":
            found += list(popper.descendants(server.main.pid))
            found.append(server.main.pid)
            self.again = True
        self.tally[which] += 1
        everything = popper.processes()
        self.dead = {pid: everything[pid][1] for pid in found
                     if pid in everything}
        return found

    @staticmethod
    def kill(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def wait(self):
        left = popper.wait_gone(self.dead)
        if left:
            raise AssertionError("not dead: %r" % left)
        if self.again:
            self.again = False
            self.server.main.wait()
            self.server.ports.clear()
            self.way.choose(self.server)
            self.server.start()


def play(boxes, killer, dice):
    """Until the time is over."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not all(b.wrong for b in boxes):
        box = dice.choices(boxes, (6, 4, 1))[0]
        if not box.wrong:
            guarded(box, lambda: box.round(killer))
    for box in boxes:
        if not box.wrong:
            guarded(box, lambda: box.enter().quit())
        if not box.wrong and box.way.trash:
            guarded(box, box.undelete)


def guarded(box, function):
    try:
        function()
    except Exception as error:
        box.wrong.append("%s: %s" % (type(error).__name__, error))
        tap.diag(traceback.format_exc())
        tap.diag("\n".join(box.server.log.lines[-5:]))


def crash(kind, *options):
    dice = random.Random("%d %s %s" % (SEED, kind, options))
    title = "%s, %s: " % (kind, " or ".join(options) or "as it comes")
    way = Way(kind, dice, *options or ("",))
    with popper.Server(MODE, start=False) as server:
        killer = Killer(server, dice, way)
        boxes = []
        for name, most in (("few", 12), ("some", 60), ("many", 500)):
            user = server.add_user(kind + name, kind)
            if kind == "mbox":
                user.drop.deliver()  # the file is there
            boxes.append(Box(server, user, dice, most, way))
        way.choose(server)
        server.start()
        play(boxes, killer, dice)
        for box in boxes:
            tap.diag("%s: %s" % (box.user.name, ", ".join(
                "%d %s" % (n, what) for what, n in sorted(
                    box.tally.items()))))
            tap.equal(box.wrong, [], "%s%d rounds at a maildrop of up to %d "
                      "messages: nothing lost" % (
                          title, box.tally["rounds"], box.most))
        deaths = sum(killer.tally.values())
        tap.ok(deaths > 3, title + "%d times killed" % deaths)
        tap.diag(str(dict(killer.tally)))


tap.diag("seed %d" % SEED)
for drop_kind in popper.DROPS:
    tap.run(lambda: crash(drop_kind), drop_kind)
for extra in EXTRA:
    tap.run(lambda: crash(*extra), str(extra))
tap.done()
