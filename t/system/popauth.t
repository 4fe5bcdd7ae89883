#!/usr/bin/python3
"""popauth: every sub-command, whoever calls it; killed, full, hostile."""

import ctypes
import os
import pty
import re
import resource
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
POPAUTH = os.path.join(popper.BUILD, "src/popauth")
# The same, for a database "mailauth" where it is started.
POPAUTH_HERE = os.path.join(popper.BUILD, "t/system/popauth_here")
if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/apop.la")):
    tap.skip_all("built without GDBM")
FOLDER = tempfile.mkdtemp(prefix="popper-test.")
DATABASE = os.path.join(FOLDER, "mailauth")
SECRET = "Tanstaaf, said he"
OTHER = "There is 1 free lunch"
FIRST = "Until it changes 2"
ENV = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}


def run(*args, secret="", program=POPAUTH, file=DATABASE, **more):
    """Returns (status, standard output, standard error)."""
    command = [program] + (["-f", file] if file else []) + list(args)
    done = subprocess.run(command, input=secret.encode(), env=ENV,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=popper.PATIENCE, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def octets(path=DATABASE):
    with open(path, "rb") as file:
        return file.read()


def turned(secret):
    return bytes(255 - octet for octet in secret.encode())


def holds(secret, path=DATABASE):
    return turned(secret) in octets(path)


def good(*args, **more):
    status, out, err = run(*args, **more)
    if status != 0:
        raise AssertionError("%r: %d %s" % (args, status, err))
    return out


def names(path=DATABASE):
    return sorted(line.split()[0] for line in good(
        "list", "ALL", file=path).splitlines())


def fresh(*users):
    for name in os.listdir(FOLDER):
        path = os.path.join(FOLDER, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    good("init")
    for user in users:
        good("add", user, secret=SECRET + "\n")


def sub_commands():
    """init, add, list, delete, change"""
    status, _, err = run("add", "mrose", secret=SECRET + "\n")
    tap.ok(status == 1 and "popauth init" in err, "first there is none")
    good("init")
    mode = os.stat(DATABASE)
    tap.equal((stat.S_IMODE(mode.st_mode), mode.st_uid),
              (0o600, os.geteuid()), "init makes one for its owner alone")
    tap.equal(good("list"), "", "it is empty")
    status, out, err = run("-debug", "add", "mrose", secret=SECRET + "\n")
    tap.equal((status, out), (0, ""), "add")
    tap.match(err, r"added the secret of mrose in .*mailauth", "is logged")
    tap.ok(SECRET not in err, "without the secret")
    tap.ok(b"mrose\0" in octets() and turned(SECRET) + b"\0" in octets(),
           "it lies there as the first popper's tool writes it")
    tap.equal(good("list"), "mrose           : APOP\n", "list")
    tap.equal(good("list", "mrose"), "mrose           : APOP\n", "list USER")
    tap.match(run("list", "bob")[2], "nobody called bob", "list nobody")
    _, _, err = run("-debug", "add", "mrose", secret=OTHER + "\n")
    tap.match(err, "changed the secret of mrose", "add again changes it")
    tap.equal((holds(SECRET), holds(OTHER)), (False, True),
              "of the old one no octet is left")
    good("change", secret=SECRET + "\n")
    tap.equal(len(names()), 2, "change adds the caller")
    me = [name for name in names() if name != "mrose"][0]
    good(secret=SECRET + "\n")
    tap.equal(len(names()), 2, "so does nothing at all")
    good("add", "a b\\ü", secret=SECRET)
    tap.match(good("list"), r"a b\\x5c\\xc3\\xbc", "odd names are escaped")
    good("delete", "a b\\ü")
    good("add", "bob", secret="caf\u0065\u0301 \u2168\n")
    tap.ok(holds("caf\u00e9 IX"),
           "a secret is stored as the server prepares passwords")
    tap.match(run("add", "bob", secret="\ue000private\n")[2], "password",
              "one that can never be prepared is refused")
    good("delete", "bob")
    tap.equal(run("delete", "bob")[0], 1, "delete nobody")
    _, _, err = run("-debug", "delete", "mrose")
    tap.match(err, "deleted mrose from", "delete is logged")
    tap.equal((names(), holds(OTHER)), ([me], False),
              "and leaves no octet of the secret")
    good("init", "-safe")
    tap.equal(names(), [me], "init -safe leaves what is there")
    good("init")
    tap.equal(names(), [], "init does not")


def first_forms():
    """-init, -list, -user, -delete, as mailauth too"""
    fresh()
    good("-user", "mrose", secret=SECRET)
    tap.equal(good("-list", "ALL"), "mrose           : APOP\n", "-list ALL")
    tap.equal(good("-list", "mrose"), "mrose           : APOP\n",
              "-list USER")
    tap.equal(run("-list")[0], 1, "-list alone is one's own")
    good("-init", "-safe")
    tap.equal(names(), ["mrose"], "-init -safe")
    good("-delete", "mrose")
    tap.equal(names(), [], "-delete")
    good("-init")
    os.mkdir(os.path.join(FOLDER, "bin"))
    for name in ("mailauth", "apopauth", "qpopauth"):
        path = os.path.join(FOLDER, "bin", name)
        os.symlink(POPAUTH, path)
        tap.match(good("-help", program=path), "usage: %s " % name,
                  "by its other name " + name)
    tap.match(good("-version"), r"popauth \d", "-version")


def wrong_words():
    """Secrets as arguments, wrong words, empty and overlong secrets"""
    fresh("mrose")
    before = octets()
    for args in (("-user", "mrose", OTHER), ("add", "mrose", OTHER),
                 ("change", OTHER)):
        status, _, err = run(*args, secret=SECRET + "\n")
        tap.ok(status == 2 and "everybody can see it" in err,
               "%s: a secret is no argument" % args[0])
    for args in (("add",), ("delete",), ("frobnicate",), ("-x",),
                 ("init", "safe"), ("init", "-safe", "x"), ("import",)):
        tap.equal(run(*args)[0], 2, "%s is a wrong use" % " ".join(args))
    for secret, why in (("", "ended"), ("\n", "empty"), ("a\tb\n", "control"),
                        ("x" * 256 + "\n", "255"), ("a\0b\n", "control")):
        status, _, err = run("add", "mrose", secret=secret)
        tap.ok(status == 1 and why in err, "a secret that is: " + why)
    status, _, err = run("add", "mrose", secret="*\n")
    tap.ok(status == 1 and "see delete" in err, "a star is no secret")
    path = os.path.join(FOLDER, "trace")
    status, _, err = run("-trace", path, "list")
    tap.ok(status == 2 and "-debug" in err and not os.path.exists(path),
           "-trace writes no file")
    for user in ("", "a\nb", "a\x7f", "n" * 256):
        tap.equal(run("add", user, secret=SECRET)[0], 1,
                  "a name that is none: %r" % user[:5])
    tap.equal(octets(), before, "all that has changed nothing")
    good("add", "mrose", secret="x" * 255 + "\n")
    tap.ok(holds("x" * 255), "255 octets are not too many")
    status, _, err = run("add", "mrose", secret="mrose\n")
    tap.ok(status == 0 and "easy to guess" in err,
           "who is in charge is only warned of a weak one")


def terminal():
    """On a terminal: asked twice, and nothing is echoed"""
    fresh()

    def talk(args, answers):
        pid, master = pty.fork()
        if pid == 0:
            # Ignored where the tests were started in the background.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(POPAUTH, [POPAUTH, "-f", DATABASE] + args, ENV)
        seen = b""
        while True:
            ready, _, _ = select.select([master], [], [], popper.PATIENCE)
            if not ready:
                os.kill(pid, signal.SIGKILL)
                raise AssertionError("no answer behind %r" % seen)
            try:
                more = os.read(master, 4096)
            except OSError:
                break
            if not more:
                break
            seen += more
            if answers and re.search(answers[0][0].encode(), seen):
                os.write(master, answers[0][1].encode() + b"\n")
                answers.pop(0)
        os.close(master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()

    status, seen = talk(["add", "mrose"], [
        ("New secret for mrose: ", SECRET), ("Again: ", SECRET)])
    tap.equal((status, holds(SECRET)), (0, True), "the same one twice")
    tap.ok("said" not in seen, "is not echoed")
    status, seen = talk(["add", "mrose"], [
        ("New secret for mrose: ", OTHER), ("Again: ", SECRET)])
    tap.ok(status == 1 and "not the same" in seen and holds(SECRET),
           "two different ones change nothing")
    status, seen = talk(["-init"], [("really|Really", "n")])
    tap.equal((status, holds(SECRET)), (1, True), "-init asks; no means no")
    status, seen = talk(["-init"], [("really|Really", "yes")])
    tap.equal((status, names()), (0, []), "and yes means yes")
    status, seen = talk(["add", "mrose"], [("New secret", "\x03")])
    tap.ok(status == -signal.SIGINT, "Ctrl-C ends it")


def files():
    """Files and folders that others reach are refused"""
    fresh("mrose")
    for mode in (0o640, 0o604, 0o620):
        os.chmod(DATABASE, mode)
        status, _, err = run("list")
        tap.ok(status == 1 and "chmod 600" in err, "mode %o" % mode)
        tap.equal(run("add", "bob", secret=SECRET)[0], 1,
                  "nor is it changed")
    os.chmod(DATABASE, 0o600)
    for mode in (0o770, 0o707, 0o1777):
        os.chmod(FOLDER, mode)
        status, _, err = run("add", "bob", secret=SECRET)
        tap.ok(status == 1 and "chmod go-w" in err,
               "a folder of mode %o" % mode)
    os.chmod(FOLDER, 0o700)
    os.rename(DATABASE, DATABASE + ".real")
    os.symlink(DATABASE + ".real", DATABASE)
    for args in (("list",), ("add", "bob"), ("init",)):
        status, _, err = run(*args, secret=SECRET)
        tap.ok(status == 1 and "symbolic link" in err,
               "%s: a symbolic link" % args[0])
    os.unlink(DATABASE)
    os.mkfifo(DATABASE)
    tap.match(run("list")[2], "not a regular file", "a FIFO")
    os.unlink(DATABASE)
    os.rename(DATABASE + ".real", DATABASE)
    whole = octets()
    for what, damage in (("text", b"mrose:secret\n"), ("nothing", b""),
                         ("half", whole[:5000])):
        with open(DATABASE, "wb") as file:
            file.write(damage)
        status, _, err = run("add", "bob", secret=SECRET)
        tap.ok(status == 1 and "mailauth" in err and octets() == damage,
               "%s is refused and left as it is" % what)
    tap.equal(sorted(os.listdir(FOLDER)), ["mailauth", "mailauth.lock"],
              "nothing lies about")


def together():
    """Many at once lose nothing"""
    fresh()
    started = [subprocess.Popen([POPAUTH, "-f", DATABASE, "add", "u%d" % n],
                                stdin=subprocess.PIPE, env=ENV,
                                stderr=subprocess.DEVNULL)
               for n in range(12)]
    for process in started:
        process.stdin.write(SECRET.encode())
        process.stdin.close()
    tap.equal([process.wait(popper.PATIENCE) for process in started],
              [0] * 12, "twelve at once")
    tap.equal(names(), sorted("u%d" % n for n in range(12)), "all are there")


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]


def run_to(stops, secret):
    """Change mrose's secret; SIGKILL at the stop-th entry to or return from
    the kernel.  False if it has ended before."""
    source, sink = os.pipe()
    os.write(sink, secret.encode() + b"\n")
    os.close(sink)
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(source, 0)
            os.dup2(null, 2)
            LIBC.ptrace(0, 0, None, None)  # PTRACE_TRACEME
            os.execve(POPAUTH, [POPAUTH, "-f", DATABASE, "add", "mrose"], ENV)
        finally:
            os._exit(99)
    os.close(source)
    _, status = os.waitpid(pid, 0)  # the stop at its execve
    while os.WIFSTOPPED(status) and stops > 0:
        LIBC.ptrace(24, pid, None, None)  # PTRACE_SYSCALL
        _, status = os.waitpid(pid, 0)
        stops -= 1
    if not os.WIFSTOPPED(status):
        return False
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def count_stops():
    count, step = 0, 4096
    while step:
        if run_to(count + step, SECRET):
            count += step
        else:
            step //= 2
    return count


def killed():
    """kill -9 at every system call leaves a good database"""
    users = ["u%d" % n for n in range(20)]
    fresh(*users + ["mrose"])
    total = count_stops()
    tap.ok(total > 100, "it can be stopped at its system calls")
    wrong, changed = [], 0
    # All of the last 300, where the work is; some of those before.
    points = [n for n in range(total) if n >= total - 300 or n % 10 == 0]
    for at in points:
        good("add", "mrose", secret=FIRST)
        run_to(at, OTHER)
        was, now = holds(FIRST), holds(OTHER)
        changed += now
        if was == now or names() != sorted(users + ["mrose"]):
            wrong.append(at)
    tap.equal(wrong, [], "at each of %d points it is the old one or the new"
              % len(points))
    tap.ok(0 < changed < len(points), "both were seen")
    tap.equal(sorted(os.listdir(FOLDER)), ["mailauth", "mailauth.lock"],
              "the next change removes what was left")


def full():
    """A full disk changes nothing"""
    fresh("mrose")
    before = octets()

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    for size in (0, 1, 100, 4096, 8192, len(before) - 1):
        status, _, err = run("add", "bob", secret=SECRET,
                             preexec_fn=lambda: limit(size))
        tap.ok(status == 1 and octets() == before and "mailauth" in err,
               "files of at most %d octets" % size)
    tap.equal(sorted(os.listdir(FOLDER)), ["mailauth", "mailauth.lock"],
              "nothing is left")


def full_disk():
    """A file system without room"""
    place = os.path.join(FOLDER, "disk")
    fresh()
    os.mkdir(place)
    script = (
        "mount -t tmpfs -o size=40k,mode=700 none %(d)s || exit 77\n"
        "%(p)s -f %(d)s/m init && echo '%(s)s' | %(p)s -f %(d)s/m add one\n"
        "cp %(d)s/m %(d)s/before; head -c 12k /dev/zero >%(d)s/fill\n"
        "echo '%(s)s' | %(p)s -f %(d)s/m add two && exit 1\n"
        "cmp %(d)s/m %(d)s/before && %(p)s -f %(d)s/m list\n" % {
            "d": place, "p": POPAUTH, "s": SECRET})
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], text=True,
                          env=dict(ENV, PATH=os.environ["PATH"]),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 77 or "unshare" in done.stderr:
        tap.skip("a full file system", "may not mount one")
        return
    tap.equal((done.returncode, done.stdout), (0, "one             : APOP\n"),
              "a full file system")
    tap.match(done.stderr, "No space left|/m: ", "is told")


def set_user_id():
    """Set-user-id to the owner: one's own entry, and no more"""
    owner, caller = 65533, popper.NOBODY
    fresh()
    os.chmod(FOLDER, 0o711)
    os.chown(FOLDER, owner, owner)
    tool = os.path.join(FOLDER, "popauth")
    shutil.copy(POPAUTH_HERE, tool)

    def mode(uid, gid, bits):
        os.chown(tool, uid, gid)
        os.chmod(tool, bits)

    def call(*args, secret="", uid=caller):
        return run(*args, secret=secret, program=tool, file=None, cwd=FOLDER,
                   user=uid, group=uid, extra_groups=[])

    good("init")
    good("add", "mrose", secret=SECRET)
    os.chown(DATABASE, owner, owner)
    good("add", "carol", secret=SECRET)
    tap.equal(os.stat(DATABASE).st_uid, owner,
              "what root changes stays the owner's")
    tap.equal(os.stat(DATABASE + ".lock").st_uid, owner,
              "and so does the lock")
    mode(owner, owner, 0o4755)
    me = "nobody"
    status, _, err = call(secret=OTHER + "\n")
    tap.equal((status, names()), (0, ["carol", "mrose", me]),
              "somebody gives himself a first secret")
    tap.match(call("-list")[1], r"^nobody +: APOP$", "and sees himself")
    tap.equal(call(secret="wrong\n" + SECRET + "\n")[0], 1,
              "the next needs the old one")
    tap.equal(call(secret=OTHER + "\nshort\n")[0], 1,
              "and may not be weak")
    tap.ok(holds(OTHER), "nothing has changed")
    tap.equal(call(secret=OTHER + "\n" + SECRET + "\n")[0], 0, "so it goes")
    tap.ok(not holds(OTHER), "the old one is gone")
    for args in (("list", "mrose"), ("list", "ALL"), ("add", me),
                 ("delete", me), ("init",), ("import", "x"),
                 ("-f", DATABASE, "list")):
        status, out, err = call(*args, secret=SECRET + "\n")
        tap.ok(status == 1 and out == "" and "only" in err,
               "not for him: " + " ".join(args[-2:]))
    tap.equal(call("list", "ALL", uid=owner)[0], 0, "for the owner all")
    mode(0, 0, 0o4755)
    status, _, err = call(secret=OTHER + "\n")
    tap.ok(status == 1 and "neither to root" in err, "set-user-id root: no")
    mode(owner, owner, 0o2755)
    status, _, err = call(secret=OTHER + "\n")
    tap.ok(status == 1 and "nor to a group" in err, "set-group-id: no")
    mode(owner, owner, 0o755)
    tap.equal(call(secret=OTHER + "\n")[0], 1, "without it: no")


def perl(module, text):
    done = subprocess.run(["perl", "-MFcntl", "-M" + module, "-e", text],
                          cwd=FOLDER, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        tap.skip("import of " + module, "perl has none: " +
                 done.stderr.splitlines()[0][:60])
    return done.returncode == 0


RECORDS = r"""
my $not = "\xff" x 6;
$h{"one\0"} = ("secret" ^ $not) . "\0\0";
$h{"two\0"} = ("Secret" ^ $not) . "\0dmVyaWZpZXI=\0";
$h{"scram\0"} = "\0dmVyaWZpZXI=\0";
$h{"empty\0"} = "\0\0";
$h{"mrose\0"} = ("secret" ^ $not) . "\0\0";
$h{"old\0"} = ("SECRET" ^ $not);
$h{"\0"} = "nonsense";
$h{"big\0"} = "x" x 300;
"""


def check_import(what, name):
    fresh_users = names()
    status, out, err = run("import", os.path.join(FOLDER, name))
    tap.equal((fresh_users, status), (["mrose"], 0), what + ": import")
    lines = sorted(out.splitlines())
    tap.equal(lines, sorted([
        "one: taken", "two: taken", "old: taken",
        "mrose: not taken, it is there already",
        "scram: not taken, it has a SCRAM-MD5 verifier only",
        "empty: not taken, it has no secret",
        "(a record): not taken, it makes no sense",
        "(a record): not taken, it makes no sense",
        "3 taken, 5 not taken"]), what + ": says what it took")
    tap.equal(names(), ["mrose", "old", "one", "two"], what + ": they are in")
    tap.ok(holds("Secret") and holds("SECRET") and holds(SECRET),
           what + ": with their secrets")


def import_gdbm():
    """import of a GDBM database"""
    fresh("mrose")
    if perl("GDBM_File", "tie %h, 'GDBM_File', 'pop.auth', "
            "&GDBM_NEWDB, 0644 or die;" + RECORDS):
        check_import("GDBM", "pop.auth")
        good("import", DATABASE, file=DATABASE)
        tap.equal(len(names()), 4, "of itself it takes nothing")


def import_ndbm():
    """import of an ndbm pair"""
    fresh("mrose")
    if perl("NDBM_File", "tie %h, 'NDBM_File', 'pop', O_RDWR|O_CREAT, 0600 "
            "or die;" + RECORDS) and os.path.exists(
                os.path.join(FOLDER, "pop.pag")):
        check_import("ndbm", "pop")


def swap(raw):
    """The pages, as a machine of the other byte order writes them."""
    out = b""
    for at in range(0, len(raw), 1024):
        page = raw[at:at + 1024]
        count = struct.unpack_from("<H", page)[0]
        numbers = struct.unpack_from("<%dH" % (count + 1), page)
        out += struct.pack(">%dH" % (count + 1), *numbers) + page[
            2 * (count + 1):]
    return out


def import_pages():
    """import of an ndbm pair that is not GDBM's, of either byte order"""
    fresh("mrose")
    if not perl("SDBM_File", "tie %h, 'SDBM_File', 'pop', O_RDWR|O_CREAT, "
                "0600 or die;" + RECORDS):
        return
    raw = octets(os.path.join(FOLDER, "pop.pag"))
    check_import("pages", "pop")
    for what, pages in (("other order", swap(raw)), ("torn", raw[:-1])):
        fresh("mrose")
        with open(os.path.join(FOLDER, "pop.pag"), "wb") as file:
            file.write(pages)
        if what == "torn":
            tap.equal(run("import", os.path.join(FOLDER, "pop"))[0], 1,
                      "half a page is no page")
        else:
            check_import(what, "pop.pag")


def import_nothing():
    """import of what is no database"""
    fresh("mrose")
    before = octets()
    for what, data in (("text", b"one:secret\n" * 200), ("nothing", b""),
                       ("zeros", bytes(4096)), ("noise", bytes(
                           n * 7 % 256 for n in range(8192)))):
        with open(os.path.join(FOLDER, "x"), "wb") as file:
            file.write(data)
        tap.equal((run("import", os.path.join(FOLDER, "x"))[0],
                   octets() == before), (1, True), what + " is refused")
    tap.equal(run("import", os.path.join(FOLDER, "y"))[0], 1, "and none")
    tap.equal(run("import", FOLDER)[0], 1, "and a folder")


try:
    for PART in (sub_commands, first_forms, wrong_words, terminal, files,
                 together, killed, full, import_gdbm, import_ndbm,
                 import_pages, import_nothing):
        tap.run(PART)
    if not popper.ROOT:
        tap.skip("set-user-id and a full file system", "needs root")
    elif not os.path.exists(POPAUTH_HERE):
        tap.skip("set-user-id", "make check builds what it needs")
    else:
        tap.run(full_disk)
        tap.run(set_user_id)
finally:
    shutil.rmtree(FOLDER)
tap.done()
