#!/usr/bin/python3
"""Deliveries, POP3 sessions and mail programs on the same maildrops at once.

Each message has a number, and its text follows from the number.  Everybody
writes down what he did to which number; in the end each number must be where
these records say, once and whole.  POPPER_TEST_SECONDS: how long per drop.

proves: R-LOCK-01 R-LOCK-08 R-MBOX-01
"""

import collections
import fcntl
import json
import os
import random
import re
import select
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
SECONDS = float(os.environ.get("POPPER_TEST_SECONDS", "8"))
DELIVERERS, SESSIONS, USERS = 4, 2, 2
MOST = 60  # messages in a maildrop, about: then its deliverers wait
SEED = int(os.environ.get("POPPER_TEST_SEED", "0")) or os.getpid()


# --- Messages ---------------------------------------------------------------

def body(number):
    """Few sizes, so that many neighbours are of the same one."""
    size = (3, 3, 3, 40, 40, 3000)[number // 20 % 6]
    line = b"%08d of the body\n" % number
    return line + (b".\n..\n>From quoted\n" + line) * size + b".\n"


def message(number):
    return (b"From: sender@example.org\nX-Torture: %08d\n"
            b"Subject: torture-%08d\n\n" % (number, number)) + body(number)


def plain_head(raw):
    head, split, rest = raw.partition(b"\n\n")
    return re.sub(rb"\nStatus: \w+(?=\n|\Z)", b"", head), split, rest


def plain(raw):
    """Without the notes of a mail program."""
    return b"".join(plain_head(raw))


def number_of(raw):
    """The number of a message as stored; an error if any octet is wrong."""
    found = re.search(rb"^X-Torture: (\d+)$", raw, re.MULTILINE)
    number = int(found[1]) if found else -1
    if not found or plain(raw) != message(number):
        raise AssertionError("damaged (%d): %r ... %r" % (
            number, raw[:200], raw[-100:]))
    return number


# --- Everybody is a process that writes down what it did --------------------

class Person:
    """Runs work(self) as the maildrops' owner until `stop` is closed."""

    def __init__(self, server, name, uid, stop, work, *args):
        self.name, self.stop = name, stop[0]
        self.random = random.Random("%d %s" % (SEED, name))
        self.path = server.path("run", name)
        self.file = open(self.path, "w")
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._live(stop[1], uid, work, args)
        self.file.close()

    def _live(self, write_end, uid, work, args):
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.close(write_end)
            if popper.ROOT:
                os.setgroups([])
                os.setresgid(*[uid[1]] * 3)
                os.setresuid(*[uid[0]] * 3)
            os.umask(0o077)
            while not self.pause(0):
                work(self, *args)
            status = 0
        except BaseException:
            self.note("fault", traceback.format_exc())
        finally:
            self.file.flush()
            os._exit(status)

    def pause(self, seconds):
        """Until the time is over, or all is; says whether all is."""
        return bool(select.select([self.stop], [], [], seconds)[0])

    def note(self, what, *words):
        self.file.write(json.dumps([what] + list(words)) + "\n")

    def end(self):
        """What it wrote down, once it has ended."""
        os.waitpid(self.pid, 0)
        with open(self.path) as file:
            return [json.loads(line) for line in file]


# --- The mbox, with the locks of a Debian mail program ----------------------

class Mbox:
    """Open and locked: fcntl, flock, dot lock, whoever is in our way."""

    def __init__(self, me, path, by_link):
        self.path, self.lock = path, path + ".lock"
        while True:
            self.file = open(path, "r+b", buffering=0)
            fcntl.lockf(self.file, fcntl.LOCK_EX)
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self._dot(me, by_link)
            if os.path.samestat(os.fstat(self.file.fileno()), os.stat(path)):
                return
            self.close()  # another program put a new file there

    def _dot(self, me, by_link):
        own = "%s.%d" % (self.lock, os.getpid())
        until = time.monotonic() + popper.PATIENCE
        while True:
            try:
                if by_link:
                    os.close(os.open(own, os.O_CREAT | os.O_WRONLY))
                    os.link(own, self.lock)
                else:
                    os.close(os.open(self.lock, os.O_CREAT | os.O_EXCL))
                return
            except FileExistsError:
                if time.monotonic() > until:
                    raise
            finally:
                if by_link:
                    os.unlink(own)
            select.select([], [], [], 0.002)  # nothing tells us

    def close(self):
        os.unlink(self.lock)
        self.file.close()

    def write(self, data, piece):
        while data:
            done = self.file.write(data[:piece])
            data = data[done:]


def parse(data):
    """[separator, message] of an mbox."""
    if data and not (data.startswith(b"From ") and data.endswith(b"\n\n")):
        raise AssertionError("no mbox: %r ... %r" % (data[:80], data[-80:]))
    parts = ("\n\n" + data.decode("latin-1"))[:-2].split("\n\nFrom ")[1:]
    return [[b"From " + x.encode("latin-1"), y.encode("latin-1") + b"\n"]
            for x, y in (part.split("\n", 1) for part in parts)]


def deliver_mbox(me, path, number):
    box = Mbox(me, path, number % 2)
    box.file.seek(0, os.SEEK_END)
    box.write(mail.mbox_octets([message(number)]), 1 << 30)
    os.fsync(box.file.fileno())
    box.close()


def with_status(raw, text):
    head, split, rest = plain_head(raw)
    return head + b"\nStatus: " + text + split + rest


def rewrite_mbox(me, path):
    """A mail program: some messages go, some have been seen."""
    if me.pause(me.random.uniform(0.05, 0.4)):
        return
    box = Mbox(me, path, False)
    old = box.file.read()
    data, gone = [], []
    for line, raw in parse(old):
        number = number_of(raw)
        dice = me.random.random()
        if dice < 0.05:
            gone.append(number)
            continue
        if dice < 0.15:
            raw = with_status(raw, me.random.choice([b"O", b"R", b"RO"]))
        data += [line, b"\n", raw, b"\n"]
    data = b"".join(data)
    if me.random.random() < 0.3:
        replace(box, data)
        me.note("replaced")
    elif data != old:
        same = len(os.path.commonprefix([old, data]))
        box.file.seek(same)
        box.write(data[same:], 4096)
        box.file.truncate(len(data))
        os.fsync(box.file.fileno())
        me.note("rewritten")
    for number in gone:
        me.note("removed", number)
    box.close()


def replace(box, data):
    with open(box.path + ".new", "wb") as new:
        new.write(data)
        new.flush()
        os.fsync(new.fileno())
    os.rename(box.path + ".new", box.path)


# --- The Maildir ------------------------------------------------------------

def deliver_maildir(me, path, number):
    name = "%d.M%06dP%d.example.org" % (time.time(), number, os.getpid())
    there = os.path.join(path, "tmp", name)
    with open(there, "xb") as file:
        file.write(message(number))
        file.flush()
        os.fsync(file.fileno())
    target = os.path.join(path, "new", name)
    if number % 2:
        os.link(there, target)
        os.unlink(there)
    else:
        os.rename(there, target)


def tidy_maildir(me, path):
    """A mail program: new mail to cur, flags, some messages go."""
    if me.pause(me.random.uniform(0, 0.02)):
        return
    for folder in ("new", "cur"):
        for name in os.listdir(os.path.join(path, folder)):
            here = os.path.join(path, folder, name)
            dice = me.random.random()
            try:
                if dice < 0.02:
                    with open(here, "rb") as file:
                        number = number_of(file.read())
                    os.unlink(here)
                    me.note("removed", number)
                elif dice < 0.3:
                    os.rename(here, os.path.join(
                        path, "cur", name.split(":")[0] + ":2," +
                        me.random.choice(["", "S", "RS", "F"])))
                    me.note("renamed")
            except FileNotFoundError:
                pass  # a POP3 session was faster


# --- Deliverers and sessions ------------------------------------------------

def count_in(drop):
    """About how many messages there are, by a glance."""
    if drop.kind == "maildir":
        return sum(len(os.listdir(os.path.join(drop.path, folder)))
                   for folder in ("new", "cur"))
    return os.path.getsize(drop.path) / 10000


def deliver(me, which, users, how):
    number = getattr(me, "next", which)
    me.next = number + DELIVERERS
    user = users[me.random.randrange(len(users))]
    how(me, user.drop.path, number)
    me.note("delivered", user.name, number)
    while not me.pause(me.random.expovariate(60)) and \
            count_in(user.drop) > MOST:
        pass


def read_some(me, client):
    """Fetch and delete some; returns the numbers deleted."""
    answer = client.cmd("UIDL")
    if not answer.startswith("+OK"):
        me.note("refused", answer)
        return []
    ids = [line.split() for line in client.multi().decode().splitlines()]
    if len({uid for _, uid in ids}) != len(ids):
        raise AssertionError("a unique-id twice: %r" % ids)
    sizes = dict(line.split() for line in client.lines("LIST"))
    marked, seen = [], set()
    for index, uid in me.random.sample(ids, min(len(ids), 12)):
        me.pause(me.random.expovariate(300))
        answer = client.cmd("RETR " + index)
        if not answer.startswith("+OK"):
            me.note("refused", answer)
            continue
        data = client.multi()
        number = number_of(data.replace(b"\r\n", b"\n"))
        if len(data) != int(sizes[index]) or number in seen:
            raise AssertionError("size of %d, or twice" % number)
        seen.add(number)
        me.note("fetched", number, uid)
        if me.random.random() < 0.4:
            client.ok("DELE " + index)
            marked.append(number)
    return marked


def leave(me, client, marked):
    """One of the ways in which sessions end."""
    me.turn = getattr(me, "turn", 0) + 1
    if me.turn % 12 == 2:
        client.leave()
        me.note("left")
    elif me.turn % 12 == 4:
        client.reset()
        me.note("reset")
    elif me.turn % 6 == 1:
        client.send(b"QUIT\r\n")
        client.reset()
        me.note("unknown", marked)
    else:
        try:
            answer = client.quit()
        except popper.Closed:
            me.note("unknown", marked)
            return
        me.note("quit" if answer.startswith("+OK") else "kept", marked,
                answer)


def session(me, port, user):
    client = popper.Client.to(port)
    try:
        client.reply()
        answer = client.login(user)
        if not answer.startswith("+OK"):
            found = re.match(r"-ERR \[(IN-USE|SYS/TEMP)\]", answer)
            if not found:
                raise AssertionError(answer)
            me.note("busy" if found[1] == "IN-USE" else "later", answer)
            return
        leave(me, client, read_some(me, client))
    except popper.Closed:
        me.note("broken")  # rather than a message that is not one
    finally:
        client.close()


# --- The account ------------------------------------------------------------

class Account:
    """What became of each number of one user."""

    def __init__(self, server, user):
        self.server, self.user = server, user
        self.delivered, self.quit, self.removed = [], [], []
        self.unknown, self.kept, self.wrong = [], [], []
        self.ids = {}
        self.tally = collections.Counter()

    def take(self, what, words):
        self.tally[what] += 1
        if what == "delivered":
            self.delivered.append(words[0])
        elif what == "removed":
            self.removed.append(words[0])
        elif what == "fetched":
            if self.ids.setdefault(words[0], words[1]) != words[1]:
                self.wrong.append("%d has another id" % words[0])
        elif what == "quit":
            self.quit += words[0]
        elif what == "unknown":
            self.unknown.append(words[0])

    def left(self):
        """What a last session gets: {number: unique-id}."""
        client = self.server.enter(self.user)
        found = {}
        for line in client.lines("UIDL"):
            index, uid = line.split()
            raw = client.fetch("RETR " + index).replace(b"\r\n", b"\n")
            number = number_of(raw)
            if number in found:
                self.wrong.append("%d is there twice" % number)
            self.take("fetched", [number, uid])
            found[number] = uid
        client.ok("QUIT")
        client.close()
        return found

    def close(self):
        there = self.left()
        stored = sorted(number_of(raw)
                        for raw in self.user.drop.stored())
        if stored != sorted(there):
            self.wrong.append("stored: %r, fetched: %r" % (stored, there))
        gone = set(self.quit) | set(self.removed)
        maybe = {number for some in self.unknown for number in some}
        self.say("lost", set(self.delivered) - set(there) - gone - maybe)
        self.say("there again", gone & set(there))
        self.say("from nowhere", set(there) - set(self.delivered))
        for some in self.unknown:
            if set(some) & set(there) and set(some) - set(there) - gone - {
                    n for other in self.unknown if other is not some
                    for n in other}:
                self.wrong.append("half a QUIT: %r" % some)
        return there

    def say(self, what, numbers):
        if numbers:
            self.wrong.append("%s: %r" % (what, sorted(numbers)))


def torture(server, users, deliver_how, tidy):
    """All at once, for a while; then the account of each user."""
    stop, people = os.pipe(), []
    owner = (users[0].uid, users[0].gid)
    for which in range(DELIVERERS):
        people.append((None, Person(server, "deliver-%d" % which, owner, stop,
                                    deliver, which, users, deliver_how)))
    for user in users:
        people.append((user, Person(
            server, "tidy-" + user.name, owner, stop, tidy, user.drop.path)))
        people += [(user, Person(
            server, "pop3-%d-%s" % (which, user.name), owner, stop, session,
            server.ports[0], user)) for which in range(SESSIONS)]
    accounts = {user.name: Account(server, user) for user in users}
    select.select([], [], [], SECONDS)  # what the test is
    os.close(stop[1])
    faults = []
    for user, person in people:
        for what, *words in person.end():
            if what == "fault":
                faults.append("%s: %s" % (person.name, words[0]))
            elif what == "delivered":
                accounts[words[0]].take(what, words[1:])
            else:
                accounts[user.name].take(what, words)
    os.close(stop[0])
    report(server, users, accounts, faults)


def report(server, users, accounts, faults):
    tap.equal(faults, [], "nobody saw anything wrong")
    for user in users:
        account = accounts[user.name]
        there = account.close()
        counts = account.tally
        tap.diag("%s: %s; %d there in the end" % (user.name, ", ".join(
            "%d %s" % (counts[name], name) for name in sorted(counts)),
            len(there)))
        tap.equal(account.wrong, [], "%s %s: %d messages, %d deleted, %d "
                  "removed: all accounted for" % (
                      user.drop.kind, user.name, len(account.delivered),
                      len(account.quit), len(account.removed)))
        tap.ok(min(counts["quit"], counts["removed"], counts["unknown"],
                   counts["busy"]) > 0 and account.quit,
               "%d sessions deleted, %d broke off in QUIT, %d were refused" % (
                   counts["quit"], counts["unknown"], counts["busy"]))
        state = [name for top, _, names in os.walk(server.path("state"))
                 for name in names if name.startswith(("commit.", "rewrite."))]
        tap.equal(state, [], "no commit is left half done")
        folder = os.path.dirname(user.drop.path)
        name = os.path.basename(user.drop.path)
        tap.equal([x for x in os.listdir(folder) if x.startswith(name + ".")],
                  [], "no lock file is left")


def on_own_files(kind):
    with popper.Server(conf={}) as server:
        users = []
        for which in range(USERS):
            users.append(server.add_user("user%d" % which, kind))
        torture(server, users, *{"mbox": (deliver_mbox, rewrite_mbox),
                                 "maildir": (deliver_maildir, tidy_maildir)}
                [kind])


for drop_kind in popper.DROPS:
    tap.diag("seed %d" % SEED)
    tap.run(lambda: on_own_files(drop_kind), drop_kind)
tap.done()
