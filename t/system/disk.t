#!/usr/bin/python3
"""A full disk, no inodes, a read-only one, a quota: mail stays, and goes when
it is told to, and the client hears the truth.

proves: R-1939-35 T-14
"""

import atexit
import ctypes
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
tap.need_root()

BLOCK = 4096
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(CLONE_NEWNS) or libc.mount(
        b"none", b"/", None, MS_REC | MS_PRIVATE, None):
    tap.skip_all("needs the right to mount")


def message(number):
    """About 50 kB, every line of which tells where it belongs."""
    lines = b"".join(b"%s%d of %d: %s\n" % (
        b"." if n % 7 == 0 else b"", n, number, b"abcdefghij" * 6)
        for n in range(650 + number))
    return mail.simple(number, lines)


COUNT = 41
MESSAGES = [message(n) for n in range(1, COUNT + 1)]
WIRE = [mail.wire(raw) for raw in MESSAGES]
EVERY = range(COUNT)
PATTERNS = {"none": [], "first": [0], "middle": [COUNT // 2],
            "last": [COUNT - 1], "every other": list(EVERY)[::2],
            "all": list(EVERY)}
DEGREES = (0, 1, 2, 4, 8, 520)  # free blocks
QUOTAS = (-256, 0, 8, 520)  # less than none: over the limit
LEFTOVERS = re.compile(r"^commit\.|^rewrite\.|^mbox\.journal$|\.new$|\.lock$|\.tmp$")


# --- File systems -----------------------------------------------------------

def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise OSError("%s: %s" % (" ".join(command), result.stdout))
    return result.stdout


MOUNTS = []


def mount(*command):
    """What is mounted on a new folder, which only we see."""
    folder = tempfile.mkdtemp(prefix="popper-disk.")
    try:
        run("mount", *command, folder)
    except OSError:
        os.rmdir(folder)
        raise
    MOUNTS.append(folder)
    return folder


def unmount(folder):
    run("umount", folder)
    MOUNTS.remove(folder)
    os.rmdir(folder)


@atexit.register
def clean_up():
    """After a failure."""
    for server in list(popper.CLEANUP):
        server.stop()
    for folder in reversed(MOUNTS):
        run("umount", "-l", folder)
        os.rmdir(folder)


class Disk:
    """A small file system of our own, to be filled but for some blocks."""

    def __init__(self, options=""):
        self.folder = mount("-t", "tmpfs", "-o", "size=8m,mode=755" + options,
                            "popper-disk")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def room(self):
        """As much of it as there can be."""
        shutil.rmtree(self.path("filler"), ignore_errors=True)

    def sync(self):
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        if libc.syncfs(fd):
            raise OSError(ctypes.get_errno(), "syncfs")
        os.close(fd)

    def fill(self, free):
        """Until so many blocks are free."""
        self.room()
        self.sync()
        os.mkdir(self.path("filler"))
        step = 1024
        with open(self.path("filler", "blocks"), "wb") as file:
            size = 0
            while step > 0:
                try:
                    os.posix_fallocate(file.fileno(), size, step * BLOCK)
                    size += step * BLOCK
                except OSError:
                    os.ftruncate(file.fileno(), size)
                    step //= 2
            os.ftruncate(file.fileno(), size - free * BLOCK)
        self.sync()
        self.top_up(free)

    def top_up(self, free):
        """Truncating gave back blocks in which ext4 kept the file's map."""
        for n in range(8):
            over = self.free() - free
            if over <= 0:
                break
            with open(self.path("filler", "more%d" % n), "wb") as file:
                os.posix_fallocate(file.fileno(), 0, over * BLOCK)
            self.sync()

    def free(self):
        return os.statvfs(self.folder).f_bavail

    def read_only(self):
        run("mount", "-o", "remount,ro", self.folder)

    def read_write(self):
        run("mount", "-o", "remount,rw", self.folder)

    def close(self):
        unmount(self.folder)


class Inodes(Disk):
    """The same, for the number of files."""

    def __init__(self):
        super().__init__(",nr_inodes=400")

    def fill(self, free):
        self.room()
        os.mkdir(self.path("filler"))
        for n in range(self.free() - free):
            open(self.path("filler", str(n)), "wb").close()

    def free(self):
        return os.statvfs(self.folder).f_ffree


class Image(Disk):
    """A file system in a file, in memory."""

    def __init__(self, size, *mkfs):
        self.outer = mount("-t", "tmpfs", "-o", "size=256m,mode=755",
                           "popper-disk")
        try:
            image = os.path.join(self.outer, "image")
            with open(image, "wb") as file:
                file.truncate(size << 20)
            run(*mkfs, image)
            self.folder = mount("-o", "loop", image)
        except OSError:
            unmount(self.outer)
            raise
        os.chmod(self.folder, 0o755)

    def close(self):
        super().close()
        unmount(self.outer)


class Ext4(Image):
    def __init__(self):
        super().__init__(20, "mkfs.ext4", "-q", "-m", "0", "-b", str(BLOCK),
                         "-J", "size=4")


class Quota(Image):
    """A quota that is enforced: EDQUOT on a disk that has room.  btrfs, as
    ext4's needs a part of the kernel that many do not have."""

    def __init__(self):
        super().__init__(160, "mkfs.btrfs", "-q")
        self.top, self.left = self.folder, None
        self.folder = self.path("box")
        run("btrfs", "quota", "enable", self.top)
        run("btrfs", "subvolume", "create", self.folder)
        self.group = "0/" + run("btrfs", "inspect-internal", "rootid",
                                self.folder).strip()

    def room(self):
        run("btrfs", "qgroup", "limit", "none", self.group, self.top)

    def fill(self, free):
        """Over it, if ${free} is negative."""
        used = re.search("^%s +(\\d+)" % self.group, run(
            "btrfs", "qgroup", "show", "--raw", "--sync", self.top), re.M)
        run("btrfs", "qgroup", "limit", str(int(used[1]) + free * BLOCK),
            self.group, self.top)
        self.left = free

    def free(self):
        return self.left

    def close(self):
        self.folder = self.top
        super().close()


# --- A server on them -------------------------------------------------------

class Bed:
    """A server whose spool, state or both are on one disk."""

    def __init__(self, disk, where):
        self.disk, self.where = disk, where
        self.server = popper.Server("daemon", start=False)
        spool = state = self.server.folder
        if where in ("spool", "both"):
            spool = disk.path()
        if where in ("state", "both"):
            state = disk.path()
        self.homes = os.path.join(spool, "homes")
        self.state = os.path.join(state, "states")
        os.mkdir(self.homes)
        self.server.settings["state-folder"] = self.state
        self.users, self.uids = {}, {}
        for kind in popper.DROPS:
            self.users[kind] = self.add(kind, kind)
        self.server.start()
        for kind, user in self.users.items():
            self.restore(user)
            client = self.server.enter(user)
            self.uids[kind] = uids(client)
            client.quit()

    def add(self, name, kind):
        user = self.server.add_user(
            name, kind, home=os.path.join(self.homes, name))
        if kind == "mbox":
            user.drop.deliver(MESSAGES[0])  # the file is there
        return user

    def restore(self, user):
        """The maildrop as it was in the beginning; the state stays."""
        drop = user.drop
        if drop.kind == "mbox":
            with open(drop.path, "r+b") as file:
                file.truncate()
        else:
            for sub in ("new", "cur", "tmp"):
                for name in os.listdir(os.path.join(drop.path, sub)):
                    os.unlink(os.path.join(drop.path, sub, name))
        drop.made = 0
        drop.deliver(*MESSAGES)

    def leftovers(self, user):
        found = []
        for top in (self.homes, self.state):
            for folder, folders, files in os.walk(os.path.join(
                    top, user.name)):
                found += [os.path.join(folder, name)
                          for name in folders + files
                          if LEFTOVERS.search(name)]
                if os.path.basename(folder) == "tmp":
                    found += files + folders
        return found

    def close(self):
        try:
            wrong = self.server.stop()
        finally:
            self.disk.room()
            self.disk.close()
        tap.equal(wrong, [], self.where + ": the server leaves nothing")


def login(bed, user):
    """(client, reply to PASS)"""
    client = bed.server.connect()
    client.reply()
    return client, client.login(user)


def uids(client):
    return [line.split(" ", 1)[1] for line in client.lines("UIDL")]


class Check:
    """What is wrong in one case, all of it."""

    def __init__(self, bed, user):
        self.bed, self.user, self.wrong = bed, user, []

    def same(self, got, want, what):
        if got != want:
            self.wrong.append("%s: %.200r, not %.200r" % (what, got, want))

    def enter(self, what, left):
        """A session that shows just the messages that are left."""
        client = self.bed.server.enter(self.user)
        ids = self.bed.uids[self.user.drop.kind]
        octets = [len(WIRE[i]) for i in left]
        self.same(client.ok("STAT"), "+OK %d %d" % (len(left), sum(octets)),
                  what + ": STAT")
        self.same(client.lines("LIST"), [
            "%d %d" % item for item in enumerate(octets, 1)], what + ": LIST")
        self.same(uids(client), [ids[i] for i in left], what + ": UIDL")
        for number, i in enumerate(left, 1):
            if client.fetch("RETR %d" % number) != WIRE[i]:
                self.wrong.append("%s: RETR %d differs" % (what, number))
        return client

    def delete(self, client, pattern):
        """DELE and QUIT; the reply to QUIT."""
        for i in pattern:
            client.ok("DELE %d" % (i + 1))
        return client.quit()

    def stored(self, left, what):
        got = self.user.drop.stored()
        want = [MESSAGES[i] for i in left]
        if sorted(got) != sorted(want) or (
                self.user.drop.kind == "mbox" and got != want):
            self.wrong.append("%s: %d messages stored, %d wanted, %d of them "
                              "as they were" % (what, len(got), len(want),
                                                sum(x in want for x in got)))


REFUSED = re.compile(r"^-ERR \[SYS/(TEMP|PERM)\] ")


def one(bed, kind, pattern, degree):
    """Delete by a pattern with so much room; (deleted?, what is wrong)."""
    user, gone = bed.users[kind], PATTERNS[pattern]
    kept = [i for i in EVERY if i not in gone]
    check = Check(bed, user)
    bed.disk.room()
    bed.restore(user)
    bed.disk.fill(degree)
    check.same(bed.disk.free(), degree, "free")
    answer = check.delete(check.enter("full", EVERY), gone)
    done = answer.startswith("+OK")
    if not done and not REFUSED.match(answer):
        check.wrong.append("QUIT: " + answer)
    left = kept if done else EVERY
    served = True
    if isinstance(bed.disk, Quota) and not done and kind == "mbox":
        # Half rewritten, it may have to wait for room to be finished.
        client, answer = login(bed, user)
        served = answer.startswith("+OK")
        if not served and not REFUSED.match(answer):
            check.wrong.append("PASS: " + answer)
        if served and client.ok("STAT").split()[1] == str(len(kept)):
            left = kept
        client.leave()
    if served:
        check.stored(left, "after QUIT")
        check.same(check.enter("still full", left).quit()[:3], "+OK",
                   "reading")
    bed.disk.room()
    if not served:
        left = kept  # begun, and finished now
    client = check.enter("with room", left)
    answer = check.delete(client, [] if left == kept else gone)
    check.same(answer[:3], "+OK", "QUIT with room")
    check.stored(kept, "with room")
    if left != kept:
        check.enter("in the end", kept).quit()
    check.same(bed.leftovers(user), [], "left over")
    return done, check.wrong


def needs_room(bed, kind, pattern):
    """Up to so many free blocks a commit may be refused."""
    if kind == "mbox" and PATTERNS[pattern] and isinstance(bed.disk, Quota):
        return 1024  # btrfs writes nothing in place
    return -BLOCK


TABLE = []


def sweep(bed, title, degrees, room=needs_room):
    for kind in bed.users:
        for pattern in PATTERNS:
            row, wrong, needless = [], [], []
            for degree in degrees if pattern != "none" else degrees[:1]:
                done, found = one(bed, kind, pattern, degree)
                row.append("deleted" if done else "refused")
                wrong += ["%d free: %s" % (degree, line) for line in found]
                if not done and degree > room(bed, kind, pattern):
                    needless.append(degree)
            name = "%s, %s, %s" % (title, kind, pattern)
            tap.equal(wrong, [], name + ": nothing lost, nothing doubled")
            tap.equal(needless, [], name + ": deleted wherever it can be")
            TABLE.append((title, kind, pattern, dict(zip(degrees, row))))


def print_table():
    columns = QUOTAS[:1] + DEGREES
    tap.diag("%-14s %-8s %-12s %s" % (
        "full", "kind", "deleted", " ".join("%5s" % d for d in columns)))
    for title, kind, pattern, row in TABLE:
        cells = [{"deleted": "ok", "refused": "-ERR"}.get(row.get(d), ".")
                 for d in columns]
        tap.diag("%-14s %-8s %-12s %s" % (
            title, kind, pattern, " ".join("%5s" % c for c in cells)))


def full(make, where, title, degrees):
    try:
        disk = make()
    except OSError as error:
        tap.skip(title, str(error).split("\n")[0])
        return
    bed = Bed(disk, where)
    try:
        sweep(bed, title, degrees)
    finally:
        bed.close()


# --- A read-only disk -------------------------------------------------------

def read_only(where):
    bed = Bed(Disk(), where)
    try:
        for kind, user in bed.users.items():
            name = "read-only %s, %s: " % (where, kind)
            bed.restore(user)
            check = Check(bed, user)
            bed.disk.read_only()
            client, answer = login(bed, user)
            served = answer.startswith("+OK")
            client.leave()
            if served:
                quit = check.delete(check.enter("read-only", EVERY), [0, 2])
                tap.match(quit, REFUSED.pattern, name + "QUIT tells the truth")
            else:
                tap.match(answer, REFUSED.pattern, name + "refused")
            tap.ok(served or where != "spool",
                   name + "mail can be read, or its state is the cause")
            check.stored(EVERY, "then")
            bed.disk.read_write()
            quit = check.delete(check.enter("writable again", EVERY), [0, 2])
            check.same(quit[:3], "+OK", "QUIT")
            check.stored([i for i in EVERY if i not in (0, 2)], "in the end")
            check.same(bed.leftovers(user), [], "left over")
            tap.equal(check.wrong, [], name + "nothing lost")
            tap.diag(name + ("read; deletions refused" if served else answer))
    finally:
        bed.close()


# --- A first login ----------------------------------------------------------

def first_login(make, where, title):
    """Of a user who has no state folder yet, when nothing is free."""
    bed = Bed(make(), where)
    try:
        for kind in popper.DROPS:
            user = bed.add("new" + kind, kind)
            bed.restore(user)
            bed.disk.fill(0)
            client, answer = login(bed, user)
            tap.match(answer, r"^\+OK|" + REFUSED.pattern,
                      "%s, %s: a first login is told the truth" % (
                          title, kind))
            client.leave()
            tap.diag("%s, %s: first login: %s" % (title, kind, answer))
            bed.disk.room()
            check = Check(bed, user)
            check.enter("with room", EVERY).quit()
            check.stored(EVERY, "then")
            tap.equal(check.wrong, [], "%s, %s: it works with room" % (
                title, kind))
    finally:
        bed.close()


def nothing_left():
    """No mount and no loop device of ours."""
    with open("/proc/self/mounts") as file:
        tap.equal([line for line in file if "popper-disk" in line], [],
                  "no mount is left")
    found = []
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        with open(path) as file:
            found += [line for line in file if "popper-disk" in line]
    tap.equal(found, [], "no loop device is left")


began = time.monotonic()
for where in ("spool", "state", "both"):
    tap.run(lambda: full(Disk, where, "tmpfs " + where, DEGREES))
    tap.run(lambda: full(Inodes, where, "inodes " + where, (0, 1, 2, 4)))
    tap.run(lambda: read_only(where))
for where in ("spool", "both"):
    tap.run(lambda: full(Ext4, where, "ext4 " + where, (0, 1, 8)))
tap.run(lambda: full(Quota, "both", "quota both", QUOTAS))
for make, title in ((Disk, "tmpfs"), (Inodes, "inodes"), (Ext4, "ext4")):
    tap.run(lambda: first_login(make, "both", title))
print_table()
tap.diag("%.0f s" % (time.monotonic() - began))
nothing_left()
tap.done()
