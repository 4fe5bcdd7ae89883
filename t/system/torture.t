#!/usr/bin/python3
"""Deliveries, POP3 sessions and mail programs on the same maildrops at once.

Each message has a number, and its text follows from the number.  Everybody
writes down what he did to which number; in the end each number must be where
these records say, once and whole.  POPPER_TEST_SECONDS: how long per drop.

proves: R-LOCK-01 R-LOCK-08 R-MBOX-01
"""

import collections
import ctypes
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import mta  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
SECONDS = float(os.environ.get("POPPER_TEST_SECONDS", "5"))
DELIVERERS, SESSIONS, USERS = 4, 2, 2
MOST = 60  # messages in a maildrop, about: then its deliverers wait
OWNER = 64900  # uid of the mail that dma delivers
MOUNTS = []
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


ADDED = re.compile(rb"^(Status|Received|Date|Message-Id): .*\n(\s.*\n)*",
                   re.MULTILINE)


def plain_head(raw):
    head, split, rest = raw.partition(b"\n\n")
    return re.sub(rb"\nStatus: \w+(?=\n|\Z)", b"", head), split, rest


def plain(raw):
    """Without the notes of a mail program, and what dma does to mail."""
    head, split, rest = raw.partition(b"\n\n")
    if head.startswith(b"Received: "):
        # It writes an empty line in front of a message, others behind one.
        rest = rest.rstrip(b"\n") + b"\n"
        rest = rest.replace(b"\n>>From ", b"\n>From ")
    return ADDED.sub(b"", head + b"\n") + split[1:] + rest


def number_of(raw):
    """The number of a message as stored; an error if any octet is wrong."""
    found = re.search(rb"^X-Torture: (\d+)$", raw, re.MULTILINE)
    number = int(found[1]) if found else -1
    if not found or plain(raw) != message(number):
        raise AssertionError("damaged (%d): %r ... %r" % (
            number, raw[:400], raw[-100:]))
    return number


def blank_end(raw):
    """How many empty lines end it: as many as dma makes it, its id changes
    with them."""
    raw = raw.replace(b"\r", b"")
    return len(raw) - len(raw.rstrip(b"\n"))


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


# --- The mbox ---------------------------------------------------------------

SEPARATOR = re.compile(rb"^(From \S+ \w{3} \w{3} .*\n)", re.MULTILINE)


def parse(data):
    """[separator, message] of an mbox.  dma leaves the empty line out that
    ends a message."""
    parts = SEPARATOR.split(data)
    if parts[0]:
        raise AssertionError("no mbox: %r" % parts[0][:200])
    return [(line, raw.rstrip(b"\n") + b"\n")
            for line, raw in zip(parts[1::2], parts[2::2])]


def stored(drop):
    """The messages that are there, as stored."""
    if drop.kind == "maildir":
        return drop.stored()
    with open(drop.path, "rb") as file:
        return [raw for _, raw in parse(file.read())]


def deliver_mbox(me, path, number):
    mta.append(path, [message(number)], number % 2)


def with_status(raw, text):
    head, split, rest = plain_head(raw)
    return head + b"\nStatus: " + text + split + rest


def rewrite_mbox(me, path, may_replace=True):
    """A mail program: some messages go, some have been seen."""
    if me.pause(me.random.uniform(0.05, 0.4)):
        return
    box = mta.Mbox(path)
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
        data += [line, raw, b"\n"]
    data = b"".join(data)
    if may_replace and me.random.random() < 0.3:
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


# --- dma, which writes to /var/mail -----------------------------------------

def deliver_dma(me, path, number):
    """It comes back once it has delivered."""
    subprocess.run(["/usr/sbin/sendmail", "-D", "-i", "-f",
                    "sender@example.org", os.path.basename(path)],
                   input=message(number), check=True,
                   stdout=subprocess.DEVNULL)


def edit_dma(me, path):
    """dma does not look again what file it has locked."""
    rewrite_mbox(me, path, False)


def may_use_dma():
    """With a /var/mail and a spool that only we see; why not, or None."""
    if not popper.ROOT:
        return "needs root"
    if os.path.basename(os.path.realpath("/usr/sbin/sendmail")) != "dma":
        return "needs dma as the mail system"
    libc = ctypes.CDLL(None, use_errno=True)
    newns, recursive, private = 0x20000, 0x4000, 1 << 18
    if libc.unshare(newns) or libc.mount(
            b"none", b"/", None, recursive | private, None):
        return "needs mount namespaces"
    return None


def mount_for_dma(server, names):
    """tmpfs in the place of its folders, and accounts for the mail."""
    group = os.stat("/usr/sbin/dma").st_gid
    with open("/etc/passwd") as file:
        accounts = file.read() + "".join(
            "%s:x:%d:%d::/nonexistent:/bin/false\n" % (name, OWNER, group)
            for name in names)
    for command in (
            ("-t", "tmpfs", "-o", "mode=3777,gid=%d" % group, "popper-torture",
             "/var/mail"),
            ("-t", "tmpfs", "-o", "mode=2775,gid=%d" % group, "popper-torture",
             "/var/spool/dma"),
            ("--bind", server.write("passwd", accounts), "/etc/passwd"),
            ("--bind", server.write("mailname", "example.org\n"),
             "/etc/mailname")):
        subprocess.run(("mount",) + command, check=True)
        MOUNTS.append(command[-1])
    return group


def unmount():
    while MOUNTS:
        subprocess.run(["umount", MOUNTS.pop()], check=True)


def with_dma():
    with popper.Server(conf={}, start=False) as server:
        try:
            names = ["torture%d" % which for which in range(USERS)]
            group = mount_for_dma(server, names)
            users = []
            for name in names:
                user = server.add_user(name, "mbox", uid=OWNER)
                os.unlink(user.drop.path)
                user.gid = user.drop.gid = group
                user.drop.path = "/var/mail/" + name
                user.drop.deliver()
                os.chmod(user.drop.path, 0o660)
                users.append(user)
            server.write_users()
            server.start()
            torture(server, users, deliver_dma, edit_dma)
            tap.equal(os.listdir("/var/spool/dma"), [], "nothing is queued")
        finally:
            unmount()


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
        me.note("fetched", number, uid, blank_end(data))
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
        self.lazy = "purge = lazy" in server.modules
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
            number, uid, end = words
            if self.ids.setdefault((number, end), uid) != uid:
                self.wrong.append("%d has another id" % number)
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
            self.take("fetched", [number, uid, blank_end(raw)])
            found[number] = uid
        client.ok("QUIT")
        client.close()
        return found

    def close(self):
        there = self.left()
        numbers = sorted(number_of(raw) for raw in stored(self.user.drop))
        if self.lazy:  # what is gone is in the file for a while
            numbers = [number for number in numbers if number in there]
        if numbers != sorted(there):
            self.wrong.append("stored: %r, fetched: %r" % (numbers, there))
        gone = set(self.quit) | set(self.removed)
        # What is not certain after a rewriting is shown again, and told.
        uncertain = self.lazy and re.search(
            re.escape(self.user.drop.path) + ": changed by another program:"
            " .* are shown again", self.server.log.text())
        if uncertain:
            gone -= set(self.quit) & set(there)
        maybe = {number for some in self.unknown for number in some}
        self.say("lost", set(self.delivered) - set(there) - gone - maybe)
        self.say("there again", gone & set(there))
        self.say("from nowhere", set(there) - set(self.delivered))
        for some in [] if uncertain else self.unknown:
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


def on_own_files(kind, options=""):
    server = popper.Server(conf={}, start=False)
    if options:
        server.modules = 'auth passwd { file = "%s" }\ndrop %s { %s }\n' % (
            server.path("users"), kind, options)
    server.start()
    with server:
        users = []
        for which in range(USERS):
            users.append(server.add_user("user%d" % which, kind))
        torture(server, users, *{"mbox": (deliver_mbox, rewrite_mbox),
                                 "maildir": (deliver_maildir, tidy_maildir)}
                [kind])


NO_DMA = may_use_dma()
for drop_kind in popper.DROPS:
    tap.diag("seed %d" % SEED)
    tap.run(lambda: on_own_files(drop_kind), drop_kind)
if "mbox" in popper.DROPS:
    tap.run(lambda: on_own_files("mbox", 'purge = lazy purge-time = ""'),
            "purge = lazy")
if NO_DMA:
    tap.skip("dma", NO_DMA)
else:
    tap.run(with_dma, "dma")
tap.done()
