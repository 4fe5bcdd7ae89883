#!/usr/bin/python3
"""Option files of users and of the administrator: what they may say, and which
files are not trusted."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
NAME = ".qpopper-options"
MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so"
BOTH = {"user-options": True, "spool-options": True}
OFFERS = "set announce-expire = 30\n"


def announced(server, user):
    """EXPIRE in a session of the user's: what his files have said."""
    client = server.enter(user)
    found = [line for line in client.lines("CAPA") if "EXPIRE" in line]
    client.quit()
    return found


class File:
    """An option file, where the server looks for it."""

    def __init__(self, path, uid, gid):
        self.path, self.uid, self.gid = path, uid, gid

    def put(self, text=OFFERS, mode=0o600, uid=None):
        self.drop()
        with open(self.path, "w") as file:
            file.write(text)
        os.chmod(self.path, mode)
        if popper.ROOT:
            os.chown(self.path, self.uid if uid is None else uid, self.gid)

    def drop(self):
        if os.path.lexists(self.path):
            os.unlink(self.path)


def trust(server, user, file, what, name):
    """Which files are not read."""
    wanted = ["EXPIRE 30"]
    file.drop()
    tap.equal(announced(server, user), [], what + ": no file, no harm")
    file.put(mode=0o644)
    tap.equal(announced(server, user), wanted, what + ": a file that is good")

    def refused(reason, case):
        since = len(server.log.lines)
        tap.equal(announced(server, user), [], "%s: %s" % (what, case))
        server.log.wait(r"%s is not read: %s" % (name, reason), since)

    file.put(mode=0o664)
    refused("can be written by others", "written by a group")
    file.put(mode=0o646)
    refused("can be written by others", "written by others")
    file.put(text=OFFERS + "#" * 20000, mode=0o644)
    refused("too large", "too large")
    file.put(mode=0o644)
    os.link(file.path, file.path + ".other")
    refused("has other names", "a hard link")
    os.unlink(file.path + ".other")
    target = file.path + ".target"
    os.rename(file.path, target)
    os.symlink(target, file.path)
    refused("Too many levels of symbolic links", "a symbolic link")
    file.drop()
    os.unlink(target)
    os.mkfifo(file.path, 0o644)
    if popper.ROOT:
        os.chown(file.path, file.uid, file.gid)
    refused("not a regular file", "a FIFO, and nobody waits for it")
    file.drop()
    os.mkdir(file.path)
    refused("not a regular file|belongs to", "a folder")
    os.rmdir(file.path)
    if popper.ROOT:
        file.put(mode=0o644, uid=file.uid + 1)
        refused("belongs to somebody else", "somebody else's")
        file.put(mode=0o000, uid=0)
        refused("Permission denied", "unreadable to the user")
    file.put(text="set announce-expire = 5\0\n", mode=0o644)
    since = len(server.log.lines)
    tap.equal(announced(server, user), [], what + ": a NUL in it")
    server.log.wait("is no text", since)
    file.drop()


def meaning(server, user, own, spool):
    """Both are read, the administrator's last; wrong lines hurt nobody."""
    own.put("set announce-expire = 30\nset update-on-abort = true\n")
    spool.put("set announce-expire = 60\nset statistics\n", 0o644)
    since = len(server.log.lines)
    tap.equal(announced(server, user), ["EXPIRE 60"],
              "the administrator's word is the last")
    server.log.wait(r"Stats: mary ", since)
    tap.ok(True, "who may ask for statistics")
    client = server.enter(user)
    client.ok("DELE 1")
    client.leave()
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK 1 ", "a user's update-on-abort")
    client.quit()
    own.put("set update-on-abort = true\n"
            'POP login by user "root" at (x) 192.0.2.9\n'
            'set log-login = "root"\nset statistics\nset config-file = '
            "/etc/passwd\nset announce-expire = 30\n")
    spool.drop()
    since = len(server.log.lines)
    tap.equal(announced(server, user), ["EXPIRE 30"],
              "lines behind wrong ones count")
    server.log.wait(r"%s:2: this is no" % own.path, since)
    for line, name in ((3, "log-login"), (4, "statistics"),
                       (5, "config-file")):
        server.log.wait(r"%s:%d: %s: only the administrator sets this$" % (
            own.path, line, name), since)
    tap.ok(True, "each wrong line is told with file and line")
    tap.equal(server.log.find(r'"root"|192\.0\.2\.9|/etc/passwd'), [],
              "but nothing of its text")
    own.put("set timeout = 1\n")
    client = server.enter(user)
    tap.equal(client.rest(), b"", "a user's own timeout")
    own.drop()


def system_account(server):
    """An account with a home, and PAM to log it in."""
    user = server.add_user("mary", popper.DROPS[0],
                           [mail.simple(1), mail.simple(2)])
    with open("/etc/passwd") as file:
        lines = [line for line in file if not line.startswith("mary:")]
    accounts = server.write("passwd", "".join(lines) +
                            "mary:x:%d:%d::%s:/bin/sh\n" % (
                                user.uid, user.gid, user.home))
    os.mkdir(server.path("pam"))
    server.write("passdb", "mary:%s:popper\n" % user.password, 0o600)
    line = "required %s passdb=%s\n" % (MATRIX, server.path("passdb"))
    server.write("pam/popper", "auth %saccount %s" % (line, line))
    server.modules = ('auth pam { service = "popper" confdir = "%s" }\n'
                      'drop %s { path = "~/mail" }\n' % (
                          server.path("pam"), popper.DROPS[0]))
    server.wrapper = ["unshare", "-m", "sh", "-c", "mount --bind %s "
                      "/etc/passwd && exec \"$@\"" % accounts, "sh"]
    return user


def start(make, **conf):
    server = popper.Server(MODE, start=False, conf=dict(conf))
    user = make(server)
    spool = server.path("options")
    os.mkdir(spool, 0o755)
    if server.drop_to:
        os.chown(spool, server.uid, server.gid)
    server.settings["spool-options-folder"] = spool
    owner = 0 if server.as_root else server.uid
    server.start()
    return (server, user, File(os.path.join(user.home, NAME), user.uid,
                               user.gid),
            File(os.path.join(spool, ".mary" + NAME), owner, server.gid))


def virtual(server):
    return server.add_user("mary", popper.DROPS[0], [mail.simple(1)])


def off():
    """Without the settings no file is looked at."""
    server, user, own, spool = start(virtual)
    with server:
        own.put()
        spool.put(mode=0o644)
        tap.equal(announced(server, user), [], "off by default")


def administrator():
    server, user, _, spool = start(virtual, **BOTH)
    with server:
        trust(server, user, spool, "the administrator's", spool.path)


def users():
    server, user, own, spool = start(system_account, **BOTH)
    with server:
        trust(server, user, own, "~/.qpopper-options", own.path)
        meaning(server, user, own, spool)


tap.run(off)
tap.run(administrator)
if (popper.ROOT and shutil.which("unshare") and os.path.exists(MATRIX) and
        os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la")) and
        not subprocess.run(["unshare", "-m", "true"],
                           stderr=subprocess.DEVNULL).returncode):
    tap.run(users)
else:
    tap.skip("files of users", "needs root, a mount namespace, the pam module "
             "and pam_matrix.so of libpam-wrapper")
tap.done()
