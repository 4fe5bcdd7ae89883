#!/usr/bin/python3
"""Bulletins: popperctl posts them, real clients fetch them, once each; the
mail behind them stays as it is, octet for octet."""

import os
import poplib
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
POPPERCTL = os.path.join(popper.BUILD, "src/popperctl")
GDBM = os.path.exists(os.path.join(popper.BUILD, "modules/auth/apop.la"))
MESSAGES = [mail.simple(n) for n in range(1, 4)]
SERVER = popper.Server("daemon" if popper.ROOT else "user", start=False)
FOLDER = SERVER.path("bulletins")
NUMBERS = SERVER.path("numbers")
DATABASE = SERVER.path("database")
ENV = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}
GOOD = ("From: Postmaster <postmaster@example.org>\nTo: everybody,\n"
        " really\nSubject: %s\nDate: Tue, 4 Mar 2025 09:00:00 +0000\n"
        "Status: RO\n\nA text.\n.\nFrom here on.\n")


def seen(subject, user, end="\r\n"):
    """What a client must get of GOOD."""
    return (GOOD % subject).replace(
        "To: everybody,\n really", "To: %s@pop.example.org" % user).replace(
            "Status: RO\n", "").replace("\n", end).encode()


def ctl(*args, text=""):
    """popperctl bulletin; returns (status, standard output, error)."""
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run(
        [POPPERCTL, "-f", SERVER.path("popper.conf"), "bulletin"] +
        list(args), input=data, env=ENV, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=popper.PATIENCE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def post(subject, *args):
    status, out, err = ctl("post", *args, text=GOOD % subject)
    if status != 0:
        raise AssertionError(err)
    return out.strip()


def use(**options):
    """Start the server with these options of the module."""
    stop()
    SERVER.modules = SERVER.default_modules() + (
        "ext bulletins {\n\tdirectory = \"%s\"\n%s}\n" % (FOLDER, "".join(
            "\t%s = \"%s\"\n" % (name.replace("_", "-"), value)
            for name, value in options.items())))
    SERVER.ports = []
    SERVER.start()


def stop():
    if SERVER.main and SERVER.main.poll() is None:
        wrong = SERVER.stop_services()
        if wrong:
            raise AssertionError("\n".join(wrong))


def newest():
    """The highest number of the folder."""
    return max(int(name.split(".")[0]) for name in os.listdir(FOLDER)
               if name[0].isdigit())


def tree(path):
    """{name: content} of everything below."""
    found = {}
    for top, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                found[os.path.relpath(os.path.join(top, name), path)] = \
                    file.read()
    return found


def mail_of(user):
    """The user's mail, octet for octet."""
    path = user.drop.path
    if os.path.isdir(path):
        return tree(path)
    with open(path, "rb") as file:
        return file.read()


def subjects(user):
    client = SERVER.enter(user)
    count = int(client.ok("STAT").split()[1])
    found = [client.fetch("TOP %d 0" % n) for n in range(1, count + 1)]
    client.quit()
    return [re.search(rb"Subject: (.*)", text)[1].decode().strip()
            for text in found][len(MESSAGES):]


# --- popperctl ----------------------------------------------------------------

def posting():
    tap.equal(post("Down on Sunday!"), "1.ALL.down_on_sunday",
              "post: number, group and a name from the subject")
    path = os.path.join(FOLDER, "1.ALL.down_on_sunday")
    with open(path, encoding="utf-8") as file:
        tap.equal(file.read(), GOOD % "Down on Sunday!", "post: verbatim")
    tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o644,
              "post: readable by all")
    tap.equal(post("x", "-g", "staff", "-n", "printer"), "2.staff.printer",
              "post: -g and -n")
    tap.equal(sorted(os.listdir(FOLDER)),
              ["1.ALL.down_on_sunday", "2.staff.printer"],
              "post: nothing else is left")
    status, out, _ = ctl("list")
    tap.equal((status, [line.split()[0] for line in out.splitlines()]),
              (0, ["1", "2"]), "list: both")
    tap.equal(ctl("retract", "2")[:2], (0, "2.staff.printer\n"),
              "retract: by number")
    tap.equal(post("next"), "3.ALL.next",
              "a number that was withdrawn is not used again")
    shutil.copy(os.path.join(FOLDER, "3.ALL.next"),
                os.path.join(FOLDER, "3.twin"))
    status, _, err = ctl("retract", "3")
    tap.ok(status == 1 and "2 bulletins have the number 3" in err,
           "retract: not one of twins")
    tap.equal(ctl("retract", "3.twin")[0], 0, "retract: by name")
    status, _, err = ctl("retract", "../popper.conf")
    tap.ok(status == 1 and "there is no bulletin" in err,
           "retract: of the folder only")
    ctl("retract", "3")


def checking():
    for text, words, name in (
            ("", ("no empty line", 'no "From:"', 'no "Subject:"',
                  'no "Date:"'), "an empty file"),
            ("Hello,\n\ntext\n", ("-:1: neither a header field",),
             "no header"),
            (GOOD.replace("Date", "X-Date") % "x", ('no "Date:"',),
             "a field that is missing"),
            (GOOD % "x" + "\xe4\n", ("-:11: has 8-bit",), "8-bit"),
            (GOOD % "\xe4", ("-:4: has 8-bit", "RFC 2047"),
             "8-bit in the header"),
            (GOOD % "x" + "a" * 999 + "\n", ("-:11: is longer than 998",),
             "a long line"),
            (GOOD % "x" + "a\0b\n", ("-:11: has a NUL",), "NUL"),
            (GOOD % "x" + "a\rb\n", ("-:11: has a CR",), "a lone CR"),
            (GOOD % "x" + "end", ("-:11: has no line end",),
             "no line end"),
            (" x\n" + GOOD % "x", ("-:1: continues a field",),
             "a continuation first"),
            ("A: b\n" * 60000, ("no empty line",), "no end of the header")):
        before = sorted(os.listdir(FOLDER))
        status, out, err = ctl("post", text=text)
        tap.ok(status == 1 and out == "" and "not posted" in err and
               all(word in err for word in words),
               "post refuses %s" % name)
        tap.equal(sorted(os.listdir(FOLDER)), before, "and posts nothing")
    tap.equal(ctl("post", "-8", "-l", "-c",
                  text=GOOD % "\xe4" + "a" * 2000 + "\n")[0], 0,
              "unless that is allowed; -c only checks")
    tap.equal(ctl("post", "-c", text=("From x y\n" + GOOD % "x")
                  .replace("\n", "\r\n"))[0], 0, "From_ and CRLF are good")
    tap.equal(ctl("post", "-n", "../x", text=GOOD % "x")[0], 2,
              "post: a name stays in the folder")
    status, _, err = ctl("post", "-g", "no-such-group", text=GOOD % "x")
    tap.ok(status == 1 and 'no group "no-such-group"' in err,
           "post: a group that is none")
    tap.equal(ctl("post", "--frog", text=GOOD % "x")[0], 2,
              "post: an option that is none")
    status, _, err = ctl("post", "/nonexistent")
    tap.ok(status == 1 and "No such file" in err, "post: a file that is none")


def many_posts():
    """At once: every one gets a number of its own."""
    running = [subprocess.Popen(
        [POPPERCTL, "-f", SERVER.path("popper.conf"), "bulletin", "post"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
        for _ in range(10)]
    names = []
    for process in running:
        names.append(process.communicate((GOOD % "many").encode())[0])
    tap.equal(len(set(names)), 10, "ten posts at once have ten numbers")
    for name in names:
        ctl("retract", name.decode().strip())


# --- Sessions -----------------------------------------------------------------

def users(prefix):
    return [SERVER.add_user("%s-%s" % (prefix, kind), kind, MESSAGES)
            for kind in popper.DROPS]


def a_session(user):
    before = mail_of(user)
    wires = [user.drop.wire(raw) for raw in MESSAGES]
    first = seen("One", user.name)
    client = SERVER.enter(user)
    want = [len(wire) for wire in wires] + [len(first)]
    tap.equal([int(line.split()[1]) for line in client.lines("LIST")], want,
              user.name + ": LIST tells the sizes")
    tap.equal(client.ok("STAT").split()[1:],
              [str(len(want)), str(sum(want))], user.name + ": STAT")
    uids = client.lines("UIDL")
    tap.equal(client.fetch("RETR 4"), first, user.name + ": RETR")
    client.ok("DELE 4")
    client.ok("RSET")
    client.reset()  # the connection breaks
    SERVER.no_sessions()
    client = SERVER.enter(user)
    tap.equal(client.lines("UIDL"), uids,
              user.name + ": it is not missed, its unique-id the same")
    client.ok("DELE 4")
    client.ok("RSET")
    client.quit()
    tap.equal(mail_of(user), before,
              user.name + ": no octet of the mail has changed")
    client = SERVER.enter(user)
    client.ok("DELE 4")
    client.quit()
    tap.equal(subjects(user), [], user.name + ": deleted, it does not return")
    tap.equal(mail_of(user), before, user.name + ": still the same mail")
    client = SERVER.enter(user)
    client.ok("DELE 1")
    client.quit()
    tap.equal(len(user.drop.stored()), len(MESSAGES) - 1,
              user.name + ": mail can be deleted")


def killed(user):
    """A session that is killed while it has a new one."""
    client = SERVER.enter(user)
    client.ok("STAT")
    for pid in SERVER.children("popper-session"):
        os.kill(pid, signal.SIGKILL)
    client.rest()
    SERVER.no_sessions()
    tap.equal(subjects(user), ["One"], user.name + ": killed, not missed")


def sessions():
    use(max_bulletins="4")
    post("One")
    ours = users("plain")
    for user in ours:
        a_session(user)
    for user in users("killed"):
        killed(user)
    for kind in popper.DROPS:
        large(kind)
    status, out, _ = ctl("status", ours[0].name)
    tap.ok(status == 0 and "number: " in out, "status: " + out.strip())


def large(kind):
    """A new Maildir is not measured before somebody asks, as without the
    module; what is told is right."""
    count = 200
    user = SERVER.add_user("large-" + kind, kind, MESSAGES[:1] * count)
    wire = len(user.drop.wire(MESSAGES[0]))
    sizes = [wire] * count + [len(seen("One", user.name))]
    said = " (%d octets)" % sum(sizes)
    for visit in ("a new user", "known"):
        client = SERVER.connect()
        client.reply()
        unasked = kind == "maildir" and visit == "a new user"
        tap.equal(client.login(user), "+OK maildrop has %d messages%s" % (
            count + 1, "" if unasked else said),
            "%s, %s: PASS" % (user.name, visit))
        uids = client.lines("UIDL")
        tap.equal([line.split()[0] for line in uids],
                  [str(number) for number in range(1, count + 2)],
                  user.name + ": UIDL numbers them")
        tap.equal(uids[-1], "201 " + client.ok("UIDL 201").split()[2],
                  user.name + ": the bulletin's is the same alone")
        tap.equal([int(line.split()[1]) for line in client.lines("LIST")],
                  sizes, user.name + ": LIST")
        tap.equal(client.ok("STAT").split()[1:],
                  [str(count + 1), str(sum(sizes))], user.name + ": STAT")
        client.ok("DELE 200")
        tap.equal(client.ok("STAT").split()[1:],
                  [str(count), str(sum(sizes) - wire)],
                  user.name + ": STAT without one")
        tap.equal([line.split()[0] for line in client.lines("LIST")[-2:]],
                  ["199", "201"], user.name + ": LIST without it")
        client.ok("RSET")
        client.quit()


def broken():
    """Bulletins that are no files."""
    os.symlink("/etc/passwd", os.path.join(FOLDER, "900.link"))
    os.mkfifo(os.path.join(FOLDER, "901.fifo"))
    os.mkdir(os.path.join(FOLDER, "902.folder"))
    with open(os.path.join(FOLDER, "903.huge"), "wb") as file:
        file.truncate(1 << 40)
    for user in users("broken"):
        tap.equal(subjects(user), [], user.name + ": gets at his mail")
        for name in ("900.link", "901.fifo", "902.folder", "903.huge"):
            SERVER.log.wait(r"bulletins of %s: .*%s" % (user.name, name))
    for name in ("900.link", "901.fifo", "903.huge"):
        os.unlink(os.path.join(FOLDER, name))
    os.rmdir(os.path.join(FOLDER, "902.folder"))


def real_clients():
    use(max_bulletins="10")
    way = clients.Way("plain", SERVER.ports[0])
    for name in ("curl", "poplib", "fetchmail"):
        lacks = clients.lacks(name, way)
        for user in users(name):
            if lacks:
                tap.skip(user.name, lacks)
                continue
            before = mail_of(user)
            wires = [user.drop.wire(raw) for raw in MESSAGES]
            wires.append(seen("One", user.name))
            got = clients.CLIENTS[name](
                way, user.name, popper.PASSWORD,
                clients.folder(SERVER, user.name))
            tap.equal(clients.wrong(got, wires), "",
                      user.name + ": mail and bulletin")
            tap.equal(mail_of(user), before, user.name + ": mail is as it was")


def leave_on_server():
    """A client that keeps what it has seen in mind fetches each once."""
    for user in users("keeper"):
        known, fetched = set(), []
        for subject in ("keep-1", "keep-2", None):
            if subject:
                post(subject)
            client = poplib.POP3("127.0.0.1", SERVER.ports[0])
            client.user(user.name)
            client.pass_(popper.PASSWORD)
            for line in client.uidl()[1]:
                number, uid = line.split()
                if uid not in known:
                    known.add(uid)
                    text = b"\n".join(client.retr(int(number))[1])
                    fetched.append(re.search(rb"Subject: (.*)", text)[1])
            client.quit()
        tap.equal(sorted(text.strip() for text in fetched),
                  [b"One", b"keep-1", b"keep-2"] +
                  [b"subject-%d" % n for n in (1, 2, 3)],
                  user.name + ": each once")
        ctl("retract", str(newest()))
        ctl("retract", str(newest()))


# --- Where the number is kept -------------------------------------------------

def number_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def folders():
    os.mkdir(NUMBERS)
    os.chmod(NUMBERS, 0o1777)
    use(popbull_directory=NUMBERS)
    last = newest()
    for user in users("folder"):
        path = os.path.join(NUMBERS, user.name + ".popbull")
        tap.equal(subjects(user), ["One"], user.name + ": a new user")
        tap.equal(number_of(path), "%d\n" % last,
                  user.name + ": Qpopper's format")
        tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600,
                  user.name + ": nobody else's")
        status, out, _ = ctl("status", user.name)
        tap.ok(status == 0 and "number: %d (%s" % (last, path) in out,
               "status: the number and where it is")
    known = SERVER.add_user("known", popper.DROPS[0], MESSAGES)
    path = os.path.join(NUMBERS, "known.popbull")
    with open(path, "w", encoding="ascii") as file:
        file.write("%d\n" % (last - 1))
    if popper.ROOT:
        os.chown(path, known.uid, known.gid)
    name = post("Two")
    tap.equal(subjects(known)[-1], "Two",
              "who has a number goes on from there")
    tap.equal(number_of(path), name.split(".")[0] + "\n", "and it is stored")
    ctl("retract", name)


def databases():
    if not GDBM:
        tap.skip("the database", "built without GDBM")
        return
    os.mkdir(DATABASE)
    os.chmod(DATABASE, 0o755)
    use(bulldb=DATABASE, bulldb_nonfatal="no")
    user = users("early")[0]
    client = SERVER.connect()
    client.reply()
    tap.match(client.login(user), r"-ERR \[SYS/TEMP\]",
              "no database and bulldb-nonfatal off: no login")
    SERVER.log.wait("popperctl bulletin init")
    SERVER.settings["mail-group"] = "mail"
    SERVER.write_conf()
    tap.equal(ctl("init")[0], 0, "init makes it")
    if not popper.ROOT or SERVER.drop_to:
        tap.ok(True, "it is ours")
    else:
        st = os.stat(DATABASE + "/bulldb")
        tap.equal((st.st_uid, stat.S_IMODE(st.st_mode)), (0, 0o660),
                  "init: root's, and its group's")
    for user in users("database"):
        tap.equal(subjects(user), ["One"], user.name + ": a new user")
        tap.equal(subjects(user), ["One"], user.name + ": still there")
        client = SERVER.enter(user)
        client.ok("DELE 4")
        client.quit()
        tap.equal(subjects(user), [], user.name + ": and gone")
        status, out, _ = ctl("status", user.name)
        tap.ok(status == 0 and "bulldb)" in out, "status: " + out.strip())
    at_once()
    os.unlink(DATABASE + "/bulldb")
    with open(DATABASE + "/bulldb.pag", "wb") as file:
        file.write(page({"ndbm-user": 1, "other": 77}))
    status, out, err = ctl("init")
    tap.ok(status == 0 and "2 users" in out, "init takes an ndbm's .pag over")
    status, out, err = ctl("status", "other")
    tap.ok("number: 77 " in out, "with its numbers: " + out + err)
    tap.ok("is there" in ctl("init")[1], "init again does no harm")
    damaged()


def damaged():
    """A session, shut off as it is, makes it anew of what can be read."""
    os.unlink(DATABASE + "/bulldb")
    records = [("old-user-%03d" % n, n) for n in range(600)]
    with open(DATABASE + "/bulldb.pag", "wb") as file:
        for at in range(0, len(records), 40):
            file.write(page(dict(records[at:at + 40])).ljust(1024, b"\0"))
    tap.ok("600 users" in ctl("init")[1], "a database of 600 users")
    os.unlink(DATABASE + "/bulldb.pag")
    with open(DATABASE + "/bulldb", "r+b") as file:
        data = file.read()
        folder, size = struct.unpack_from("@qi", data, 8)
        buckets = sorted(set(struct.unpack_from("@%dq" % (size // 8), data,
                                                folder)))
        for bucket in buckets[1:]:
            file.seek(bucket)
            file.write(b"\xff" * 64)
    user = users("damaged")[0]
    tap.equal(subjects(user), ["One"], "nobody is kept from his mail")
    kept = int(SERVER.log.wait(r"made anew with (\d+) users")[1])
    tap.ok(0 < kept < 600, "%d of 600 users could be read, with %d of %d "
           "buckets damaged" % (kept, len(buckets) - 1, len(buckets)))
    tap.equal(subjects(user), ["One"], "and it works again")
    tap.equal(os.listdir(SERVER.path("state", user.name)).count(
        "bulldb.rescue"), 0, "nothing is left of it")


def at_once():
    """Fifty users log in together while a bulletin is new to them."""
    ours = [SERVER.add_user("crowd-%d" % n, popper.DROPS[0], MESSAGES[:1])
            for n in range(50)]
    name = post("Crowd")
    got, gate = {}, threading.Barrier(len(ours))

    def come(user):
        gate.wait(popper.PATIENCE)
        client = SERVER.enter(user)
        got[user.name] = client.ok("STAT").split()[1]
        client.quit()

    threads = [threading.Thread(target=come, args=(user,)) for user in ours]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal([user.name for user in ours if got.get(user.name) != "2"], [],
              "of fifty at once everybody gets in and gets it")
    tap.equal(SERVER.log.find(r"bulletins of crowd"), [], "without trouble")
    wrong = [user.name for user in ours if "number: %s " % name.split(".")[0]
             not in ctl("status", user.name)[1]]
    tap.equal(wrong, [], "all are in the database")
    ctl("retract", name)


def page(records):
    """A page of an ndbm: numbers in front, items from the end down."""
    items, numbers, at = b"", [], 1024
    for user, number in records.items():
        for item in (user.encode() + b"\0", struct.pack(">l", number)):
            at -= len(item)
            numbers.append(at)
            items = item + items
    head = struct.pack(">%dH" % (1 + len(numbers)), len(numbers), *numbers)
    return head + b"\0" * (at - len(head)) + items


def strangers():
    status, out, _ = ctl("status", "nobody-of-this-name")
    tap.equal((status, out.splitlines()[-1]),
              (0, "number: none, a new user"), "status: a new user")
    tap.equal(ctl("status", "../state")[0], 2, "status: no path")


try:
    SERVER._folder("bulletins", 0o755)
    SERVER.modules += ('ext bulletins { directory = "%s" '
                       'group-bulletins = yes }\n' % FOLDER)
    SERVER.write_users()
    SERVER.write_conf()
    posting()
    checking()
    many_posts()
    ctl("retract", "1")
    sessions()
    broken()
    real_clients()
    leave_on_server()
    folders()
    databases()
    strangers()
finally:
    WRONG = SERVER.stop()
tap.equal(WRONG, [], "nothing is left over")
tap.done()
