#!/usr/bin/python3
"""popperctl when something is wrong: each line says what, and what to do."""

import ctypes
import os
import re
import shutil
import socket
import stat
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MESSAGES = [mail.simple(n) for n in range(1, 6)]
COMMANDS = ("index dump", "index check", "index rebuild", "recover",
            "undelete", "uidl export", "uidl verify", "uidl import")
NOT_MADE = ("index dump", "index check")  # make no state folder
ALL_THERE = {
    "index dump": (0, r"^@: .*messages=5 ", "^$"),
    "index check": (0, "^$", "^$"),
    "index rebuild": (0, r"^@: messages=5 octets=[0-9]+$", "^$"),
    "recover": (0, "^nothing to do$", "^$"),
    "undelete": (0, "^0 messages brought back$", "^$"),
    "uidl export": (0, r"^(\S+ \d+ \S+\n){5}$", "^$"),
    "uidl verify": (0, "^5 as in the file, 0 different, 0 new, 0 no longer "
                    "there$", "^$"),
    "uidl import": (0, "^5 unique-ids of % imported$", "^$"),
}
NO_ROOM = "No space left on device$"


def all_say(why):
    """All of them fail, with one line."""
    return {command: (1, "^$", why) for command in COMMANDS}


class Stage:
    def __init__(self, server, kind):
        self.server, self.kind = server, kind

    def user(self, name):
        """With an index, and a list of his unique-ids."""
        user = self.server.add_user("%s-%s" % (self.kind, name), self.kind,
                                    MESSAGES)
        user.index = self.server.path("state", user.name,
                                      self.kind + ".index")

        self.keep(user)
        user.ids = self.server.write(user.name + ".ids", popperctl.run(
            self.server, "uidl", "export", user.name)[1])
        return user

    def keep(self, user):
        def is_kept():
            client = self.server.enter(user)
            client.lines("UIDL")
            client.quit()
            return os.path.exists(user.index)

        popper.wait_until(is_kept, "an index that is kept")

    def expect(self, what, user, expected, **more):
        expected = dict(expected, **{key.replace("_", " "): value
                                     for key, value in more.items()})
        for command in COMMANDS:
            words = command.split() + [user.name]
            if command in ("uidl verify", "uidl import"):
                words.append(user.ids)
            status, out, err = popperctl.run(self.server, *words)
            code, good, bad = (
                x if isinstance(x, int) else x.replace("%", user.name)
                .replace("@", self.kind + r"\.index")
                for x in expected[command])
            if not tap.ok(status == code and re.search(good, out) and
                          re.search(bad, err, re.M) and
                          err.count("\n") <= err.count("popperctl: ") +
                          err.count(self.kind + ".index") +
                          err.count("waiting"),
                          "%s, %s: %s" % (self.kind, what, command)):
                tap.diag("%d\n%s%s" % (status, out, err))


def gone(stage):
    user = stage.user("gone")
    if stage.kind == "maildir":
        shutil.rmtree(user.drop.path)
        stage.expect("no maildrop", user,
                     all_say("^popperctl: %: maildir .*: no such folder$"))
        return
    os.unlink(user.drop.path)
    stage.expect(
        "no maildrop", user, ALL_THERE,
        index_dump=(0, "^@: version=", "^$"),  # what is kept
        index_rebuild=(0, "^@: none is kept: .*: there is no mbox$", "^$"),
        uidl_export=(0, "^$", "^$"),
        uidl_verify=(0, "^0 as .*, 5 no longer there$", "^$"),
        uidl_import=(0, "^0 unique-ids of % imported; 5 kept for mail that "
                     "is not here$", "^$"))


def owners(stage):
    user = stage.user("state")
    state = stage.server.path("state", user.name)
    os.chown(state, 61234, 61234)
    stage.expect("a foreign state folder", user, all_say(
        r"^popperctl: %: state folder % belongs to uid 61234 with mode 0700, "
        r"it must belong to uid \d+ with mode 0700: chown and chmod it "
        r"\(state-folder is /.*/state\)$"))
    status, out, err = popperctl.run(stage.server, "recover", "--all")
    tap.match(err, r"(?m)^popperctl: \d+ state folders; 1 failed: %s$" %
              user.name, "recover --all counts him")
    os.chown(state, stage.server.uid, stage.server.gid)
    user = stage.user("mail")
    os.chown(user.drop.path, 61234, 61234)
    more = {"index_dump": (0, "^@: version=", "^$")} \
        if stage.kind == "mbox" else {}
    stage.expect("a foreign maildrop", user, all_say(
        r"^popperctl: %: .*belongs to uid 61234.*(chown it|change the "
        "owner or the path)$"), **more)
    os.chown(user.drop.path, stage.server.uid, stage.server.gid)


def indexes(stage):
    for what, size in (("half an index", 0.5), ("an empty index", 0)):
        user = stage.user(what.split()[1])
        os.truncate(user.index, int(os.path.getsize(user.index) * size))
        stage.expect(what, user, ALL_THERE,
                     index_dump=(0, "^@: none that can be used$", "^$"),
                     index_check=(1, "^$", "^@: damaged.*; the next session "
                                  "makes it anew$"))
    user = stage.user("unknown")
    shutil.rmtree(stage.server.path("state", user.name))
    new = (1, "^$", r"^popperctl: %: no session yet: there is no state "
           r"folder % \(state-folder is /.*/state\)$")
    stage.expect("no state folder", user, ALL_THERE,
                 index_dump=new, index_check=new)


def accounts(stage):
    user = stage.user("former")
    with open(stage.server.path("users"), encoding="utf-8") as file:
        lines = file.readlines()
    stage.server.write("users", "".join(
        line for line in lines if not line.startswith(user.name + ":")), 0o600)
    stage.expect("no account", user, all_say(
        '^popperctl: user "%": no module knows an account of that name$'))
    tap.match(popperctl.run(stage.server, "recover", user.name + "r")[2],
              '^popperctl: user "%sr": no module knows an account of that '
              'name; is it "%s"\\?$' % (user.name, user.name),
              "who may be meant is told")
    status, out, err = popperctl.run(stage.server, "recover", "--all")
    tap.match(err, "(?m)^popperctl: state folder %s: no module knows an "
              "account of that name$" % user.name, "recover --all tells it")
    tap.equal(status, 0, "and leaves it alone")


def play(mode):
    server = popper.Server(mode, start=False)
    server.modules = 'auth passwd { file = "%s" }\n%s' % (
        server.path("users"), "".join(
            "drop %s { }\n" % kind if kind not in ("mbox", "maildir") else
            "drop %s { trash = 7d }\n" % kind for kind in popper.DROPS))
    with server.start():
        for kind in popper.DROPS:
            stage = Stage(server, kind)
            gone(stage)
            indexes(stage)
            if mode == "daemon":
                owners(stage)
            accounts(stage)


# --- A disk that is full. ----------------------------------------------------

CLONE_NEWNS, MS_REC, MS_PRIVATE, DETACH = 0x20000, 0x4000, 1 << 18, 2
libc = ctypes.CDLL(None, use_errno=True)


class Disk:
    """Everything of a server's users on a small file system of its own."""

    def __init__(self, server):
        self.path = server.path("disk")
        os.mkdir(self.path)
        if libc.mount(b"popper", self.path.encode(), b"tmpfs", 0,
                      b"size=8m,mode=755"):
            raise OSError(ctypes.get_errno(), "mount")
        for name, mode in (("home", 0o755), ("state", 0o711)):
            if os.path.isdir(server.path(name)):
                os.rmdir(server.path(name))
            os.mkdir(os.path.join(self.path, name))
            os.chmod(os.path.join(self.path, name), mode)
            os.symlink(os.path.join(self.path, name), server.path(name))
        server.settings["state-folder"] = os.path.join(self.path, "state")

    def fill(self):
        fd = os.open(os.path.join(self.path, "filler"),
                     os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            while True:
                os.write(fd, b"x" * 4096)
        except OSError:
            os.close(fd)

    def room(self):
        os.unlink(os.path.join(self.path, "filler"))

    def unmount(self):
        libc.umount2(self.path.encode(), DETACH)


def full(stage, disk):
    no_ids = (1, "^$", "^popperctl: %: .*cannot write the state file uids: " +
              NO_ROOM)
    user = stage.user("full")
    client = stage.server.enter(user)
    client.ok("DELE 1")
    client.ok("DELE 2")
    client.quit()
    stage.keep(user)
    disk.fill()
    more = {}
    if stage.kind == "mbox":
        more = dict(
            index_dump=(0, "^@: .*messages=3 ", "^$"),
            undelete=(1, "^$", "^popperctl: %: .*cannot bring back what % "
                      "deleted: " + NO_ROOM),
            # In the place of the old one.
            index_rebuild=(0, "^@: messages=3 octets", "^$"),
            uidl_export=(0, r"^(\S+ \d+ \S+\n){3}$", "^$"),
            uidl_verify=(0, "^3 as .* 2 no longer there$", "^$"))
    else:  # what is renamed needs no room
        more = dict(
            index_dump=(0, "^@: messages=[35] ", "^$"),
            index_rebuild=(0, "^@: messages=3 octets", "^$"),
            undelete=(0, "^2 messages brought back$", "^$"))
    stage.expect("a full disk", user, ALL_THERE, uidl_import=no_ids, **more)
    disk.room()
    tap.match(popperctl.run(stage.server, "undelete", user.name)[1],
              "^%d messages brought back$" % (2 if stage.kind == "mbox"
                                              else 0), "with room again")
    tap.equal(popperctl.run(stage.server, "uidl", "verify", user.name,
                            user.ids)[1], "5 as in the file, 0 different, "
              "0 new, 0 no longer there\n", "nothing is lost")
    user = stage.user("new")
    shutil.rmtree(stage.server.path("state", user.name))
    disk.fill()
    none = (1, "^$", "^popperctl: %: no session yet")
    stage.expect("a full disk and no state", user, ALL_THERE,
                 index_dump=none, index_check=none, uidl_import=no_ids,
                 index_rebuild=(1, "^$", r"^popperctl: %: .*\.index.*: " +
                                NO_ROOM))
    disk.room()


def play_full():
    server = popper.Server("daemon", start=False)
    server.modules = 'auth passwd { file = "%s" }\n%s' % (
        server.path("users"), "".join(
            "drop %s { trash = 7d }\n" % kind for kind in popper.DROPS
            if kind in ("mbox", "maildir")))
    disk = Disk(server)
    try:
        with server.start():
            for kind in popper.DROPS:
                if kind in ("mbox", "maildir"):
                    full(Stage(server, kind), disk)
    finally:
        disk.unmount()
        shutil.rmtree(os.path.dirname(disk.path), ignore_errors=True)


def own_devices():
    """/dev of our own: with /dev/log, which is returned, and little else."""
    kept = [(name, os.stat("/dev/" + name)) for name in
            ("null", "zero", "full", "random", "urandom")]
    if libc.mount(b"popper", b"/dev", b"tmpfs", 0, b"size=64k,mode=755"):
        raise OSError(ctypes.get_errno(), "mount")
    for name, st in kept:
        os.mknod("/dev/" + name, stat.S_IFCHR | 0o666, st.st_rdev)
        os.chmod("/dev/" + name, 0o666)
    os.symlink("/proc/self/fd", "/dev/fd")
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    log.settimeout(popper.PATIENCE)
    return log


def syslog():
    """Who works as the user, shut off, reaches syslog all the same."""
    server = popper.Server("daemon", start=False)
    server.modules = ('auth passwd { file = "%s" }\ndrop maildir { }\n'
                      % server.path("users"))
    log = own_devices()
    user = server.add_user("logged", "maildir", MESSAGES)
    for mode in (True, False):
        server.settings["sandbox"] = mode
        server.write_conf()
        os.makedirs(os.path.join(user.drop.path, "tmp/.popper-done/new"))
        for name in ("tmp/.popper-done/new", "tmp/.popper-done"):
            os.chown(os.path.join(user.drop.path, name), user.uid, user.gid)
        tap.equal(popperctl.run(server, "recover", user.name),
                  (0, "finished a removal\n", ""), "something is found")
        heard = b""
        while b"popperctl recover" not in heard:
            heard = log.recv(4096)
        tap.match(heard.decode(), r"popper\[\d+\]: popperctl recover: logged: "
                  "finished a removal", "and syslog hears of it")
    log.close()
    server.stop()
    libc.umount2(b"/dev", DETACH)


play("user")
if popper.ROOT:
    play("daemon")
    if libc.unshare(CLONE_NEWNS) or libc.mount(
            b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        tap.skip("a full disk, syslog", "needs the right to mount")
    else:
        play_full()
        if "maildir" in popper.DROPS:
            syslog()
tap.done()
