#!/usr/bin/python3
"""A day in the life of a Qpopper 4 host, the day popper took its place.

Yesterday real clients fetched mail from a server that told them what Qpopper
told; over night mail came.  Today popper runs with Qpopper's configuration
file, spool, bulletins, databases and remains, on the same port: nobody gets
anything twice, nothing is lost, and log readers see what they saw.

proves: T-26 T-27
"""

import fcntl
import grp
import os
import poplib
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import popper  # noqa: E402
import qpopper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402
from qpopper import Letter  # noqa: E402

popper.need_server()
tap.need_root()
MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so"
WORD = "pass-word"
LONG_ID = "A" * 70
OLD_HEX = "0123456789abcdef0123456789abcdef"


def needs():
    if not os.path.exists(MATRIX):
        tap.skip_all("needs pam_matrix.so of libpam-wrapper")
    if subprocess.run(["unshare", "-m", "true"],
                      stderr=subprocess.DEVNULL).returncode:
        tap.skip_all("needs a mount namespace")
    for name in ("auth/pam", "ext/bulletins", "drop/mbox"):
        if not os.path.exists(os.path.join(popper.BUILD, "modules",
                                           name + ".la")):
            tap.skip_all("the module %s is not built" % name)
    if not qpopper.has_gdbm():
        tap.skip_all("needs perl's GDBM_File")


class Account:
    """A user of the host: letters lie in its spool, bulletins were seen up to
    a number (None: no .popbull)."""

    def __init__(self, name, letters=(), seen=None, form=qpopper.mbox,
                 hidden=b"", remains=()):
        self.name, self.letters, self.seen = name, list(letters), seen
        self.form, self.hidden, self.remains = form, hidden, list(remains)
        self.gone = set()

    def octets(self):
        """What the spool must hold."""
        left = [one for one in self.remains + self.letters
                if one.subject not in self.gone]
        return self.hidden + self.form(left)


class Host(popper.Server):
    """A host on which Qpopper ran: accounts, spool, files of its own."""

    def __init__(self, accounts, hash_spool):
        popper.Server.__init__(self, "daemon", start=False)
        self.hash_spool, self.accounts = hash_spool, {}
        self.port = popper.free_port()
        self.mail_gid = grp.getgrnam("mail").gr_gid
        for name in ("mail", "bulls", "pop", "pam.d", "etc"):
            os.mkdir(self.path(name))
        os.chown(self.path("mail"), 0, self.mail_gid)
        os.chmod(self.path("mail"), 0o2775)
        for number, account in enumerate(accounts):
            self.add(account, 30001 + number)
        self.system()
        self.modules = (
            'auth pam { service = "popper" confdir = "%s" }\n'
            "drop mbox { }\n" % self.path("pam.d"))

    def add(self, account, uid):
        """The account's home and spool, as Qpopper left them."""
        self.accounts[account.name] = account
        account.uid = uid
        account.home = self.path("home", account.name)
        os.mkdir(account.home, 0o700)
        os.chown(account.home, uid, uid)
        folder = self.path("mail", qpopper.hashed(
            self.hash_spool, account.name))
        if not os.path.isdir(folder):
            os.makedirs(folder)
            for top in (os.path.dirname(folder.rstrip("/")), folder):
                os.chown(top, 0, self.mail_gid)
                os.chmod(top, 0o2775)
        account.spool = os.path.join(folder, account.name)
        account.temp = os.path.join(folder, ".%s.pop" % account.name)
        if account.letters or account.hidden:
            self.leave(account, account.spool,
                       account.hidden + account.form(account.letters))
        if account.remains:
            self.leave(account, account.temp, account.form(account.remains))
        if account.seen is not None:
            self.leave(account, os.path.join(account.home, ".popbull"),
                       b"%d\n" % account.seen)

    def leave(self, account, path, octets):
        with open(path, "wb") as file:
            file.write(octets)
        os.chmod(path, 0o600)
        os.chown(path, account.uid, self.mail_gid)

    def system(self):
        """/etc of that host, seen by its server only."""
        def own(name, lines):
            with open("/etc/" + name) as file:
                self.write("etc/" + name, file.read() + "".join(lines))
        users = self.accounts.values()
        own("passwd", ["%s:x:%d:%d::%s:/bin/sh\n" % (
            one.name, one.uid, one.uid, one.home) for one in users])
        own("group", ["%s:x:%d:\n" % (one.name, one.uid) for one in users] + [
            "chem:x:30900:chet\n"])
        self.write("passdb", "".join("%s:%s:popper\n" % (one.name, WORD)
                                     for one in users), 0o600)
        line = "required %s passdb=%s\n" % (MATRIX, self.path("passdb"))
        self.write("pam.d/popper", "auth %saccount %s" % (line, line))
        binds = ["mount --bind %s /etc/%s" % (self.path("etc", name), name)
                 for name in ("passwd", "group")]
        self.wrapper = ["unshare", "-m", "sh", "-c", " && ".join(
            binds + ['exec "$@"']), "sh"]

    def command(self, *more):
        """As the old one was started: address first, then its file."""
        words = []
        for name in ("user", "modules", "module-folder", "program-folder",
                     "state-folder", "language-folder", "server-name",
                     "failure-delay", "penalty-max"):
            words += ["-o", "%s=%s" % (name, self.settings[name])]
        return self.wrapper + [
            os.path.join(self.build, "src/popper"),
            "127.0.0.1:%d" % self.port, "-f", self.path("qpopper.conf"), "-s",
            "--log-to", "stderr"] + self.args + words + list(more)

    def deliver(self, name, *letters):
        """What a delivery agent does."""
        account = self.accounts[name]
        lock = account.spool + ".lock"
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with open(account.spool, "ab") as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                file.write(account.form(letters))
            os.chmod(account.spool, 0o600)
            os.chown(account.spool, account.uid, self.mail_gid)
        finally:
            os.unlink(lock)
        account.letters += letters

    def bulletin(self, name, subject):
        """What the administrator did with a new one."""
        letter = Letter(subject, uid="1.1", status="RO")
        letter.header = letter.header.replace(
            b"To: somebody@example.org\n",
            b"To: all of us\n\tand everybody else\n")
        self.write("bulls/" + name, letter.separator + letter.raw() + b"\n")
        return letter

    def again(self):
        """Stop and start, as at night."""
        self.stop_services()
        self.start()

    def old(self, told):
        """The server of yesterday; told: the id of each letter."""
        return qpopper.Old(self.port, {
            name: [(told(account, one), one.wire())
                   for one in account.remains + account.letters]
            for name, account in self.accounts.items()})


# --- Clients: each has a folder of its own, which is kept over night ---------

class Poplib:
    """Keeps the ids it has seen; as most mail programs do."""

    def __init__(self, host, name, secret=None):
        self.host, self.name, self.secret = host, name, secret
        self.seen, self.last = {}, b""

    def poll(self):
        """Subjects of what is new to the client."""
        return self.session([])

    def session(self, remove):
        pop = poplib.POP3("127.0.0.1", self.host.port,
                          timeout=popper.PATIENCE)
        if self.secret:
            pop.apop(self.name, self.secret)
        else:
            pop.user(self.name)
            pop.pass_(WORD)
        new = []
        for line in pop.uidl()[1]:
            number, uid = line.split()
            if uid not in self.seen:
                raw = b"\r\n".join(pop.retr(int(number))[1])
                self.seen[uid] = subject(raw)
                new.append(self.seen[uid])
                self.last = raw
            if self.seen[uid] in remove:
                pop.dele(int(number))
        pop.quit()
        return new


class Curl:
    """curl, over STLS, asked for each id that it has not seen."""

    def __init__(self, host, name):
        self.host, self.name, self.seen = host, name, {}

    def run(self, path, *more):
        ca = [] if not hasattr(self.host, "authority") else [
            "--ssl-reqd", "--cacert", self.host.authority.certificate]
        status, text = clients.run(
            ["curl", "-sS", "-u", "%s:%s" % (self.name, WORD), *ca, *more,
             "pop3://127.0.0.1:%d/%s" % (self.host.port, path)])
        if status:
            raise AssertionError(text)
        return text

    def poll(self):
        new = []
        for line in self.run("", "-X", "UIDL").splitlines():
            number, uid = line.split()
            if uid not in self.seen:
                self.seen[uid] = subject(self.run(number.decode()))
                new.append(self.seen[uid])
        return new


class Fetchmail:
    """fetchmail, with its idfile."""

    def __init__(self, host, name):
        self.host, self.name = host, name
        self.home = clients.folder(host, "fetchmail-" + name)

    def poll(self, how="keep"):
        box, rc = (os.path.join(self.home, name) for name in ("in", "rc"))
        with open(rc, "w") as file:
            file.write('set idfile "%s/ids"\nset no bouncemail\n'
                       'poll 127.0.0.1 protocol pop3 port %d uidl no dns\n'
                       'user "%s" password "%s" %s sslproto "" '
                       'mda "cat >>%s; echo ===END=== >>%s"\n'
                       % (self.home, self.host.port, self.name, WORD, how,
                          box, box))
        os.chmod(rc, 0o600)
        clients.give(self.home)
        status, text = clients.run(
            ["fetchmail", "-f", rc, "--nosyslog", "--pidfile",
             os.path.join(self.home, "pid")],
            {"FETCHMAILHOME": self.home, "HOME": self.home}, as_user=True)
        if status not in (0, 1):
            raise AssertionError(text)
        if not os.path.exists(box):
            return []
        with open(box, "rb") as file:
            got = file.read().split(b"===END===\n")[:-1]
        os.unlink(box)
        return [subject(raw) for raw in got]


class Mpop:
    """mpop, with its file of ids; over STLS if the host has it."""

    def __init__(self, host, name):
        self.host, self.name = host, name
        self.home = clients.folder(host, "mpop-" + name)

    def poll(self, keep="on"):
        box = clients.make_maildir(os.path.join(self.home, "box"))
        ca = ["--tls=off"] if not hasattr(self.host, "authority") else [
            "--tls=on", "--tls-starttls=on",
            "--tls-trust-file=" + self.host.authority.certificate]
        status, text = clients.run(
            ["mpop", "--host=127.0.0.1", "--port=%d" % self.host.port,
             "--timeout=20", "--user=" + self.name,
             "--passwordeval=echo " + WORD, "--auth=user",
             "--delivery=maildir," + box, "--keep=" + keep,
             "--uidls-file=" + os.path.join(self.home, "ids"),
             "--received-header=off"] + ca, {"HOME": self.home})
        if status:
            raise AssertionError(text)
        got = [subject(raw) for raw in clients.files(box)]
        shutil.rmtree(box)
        return got


def subject(raw):
    return re.search(rb"^Subject: (.*?)\r?$", raw, re.MULTILINE)[1].decode()


def everybody(pollers, want, when):
    """Each polls; want: {name: subjects} of those who get something."""
    for name, poller in pollers.items():
        try:
            got = sorted(poller.poll())
        except Exception as error:  # the others shall poll as well
            got = str(error)
        tap.equal(got, sorted(want.get(name, [])), "%s: %s gets %s" % (
            when, name, "what is new" if want.get(name) else "nothing"))


def untouched(host, when):
    """Each spool holds what it must, to the octet."""
    for name, account in host.accounts.items():
        try:
            with open(account.spool, "rb") as file:
                got = file.read()
        except FileNotFoundError:
            got = b""
        tap.equal(got, account.octets(),
                  "%s: %s's mail file to the octet" % (when, name))


# --- The first host: ids in X-UIDL fields, .popbull files, STLS --------------

INTERNAL = (
    b"From MAILER-DAEMON Tue Mar  4 08:00:00 2025\n"
    b"Date: 04 Mar 2025 08:00:00 +0000\n"
    b"From: Mail System Internal Data <MAILER-DAEMON@pop.example.org>\n"
    b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
    b"X-IMAP: 1041000000 0000000003\nStatus: RO\n\n"
    b"This text is part of the internal format of your mail folder.\n\n")

CONF = """# Qpopper of pop.example.org
#
set debug = false
set spool-dir = "{folder}/mail"      # not /var/mail
set temp-dir = '{folder}/mail'
set hash-spool = 1
set bulldir = `{folder}/bulls`
SET max-bulletins = 0x1
set group-bulletins
\tset statistics = 1
set timeout = 600
set clear-text-password = always
set config-file = {folder}/more.conf
set server-mode
reset server-mode
set UW-kludge
set mail-lock-check = 5000
set reverse-lookup = false
"""

MORE = """set trim-domain = true   # a nested file
set downcase-user
set nonauth-file = "{folder}/deny"
set tls-support = stls
set tls-server-cert-file = "{cert}"
set tls-private-key-file = "{key}"
set log-login = "(v%0) POP login by user \\"%1\\" at (%2) %3"
set drac-host = localhost
set chunky-writes = tls
"""

STATS = (r"(in\.q|q)?popper\[\d+\]: Stats: \S+ \d+ \d+ \d+ \d+ "
         r"(?:\S+ )?(\d+\.\d+\.\d+\.\d+)$")
LOGIN = (r"(?:in\.)?q?popper\[\d+\]: \([^)]*\) POP login by user "
         r'"[^"]+" at \([^)]+\) (\d+\.\d+\.\d+\.\d+)')


def letters(who, *uids):
    return [Letter("%s %d" % (who, number), uid=uid,
                   status="RO" if uid else None)
            for number, uid in enumerate(uids, 1)]


def first_host():
    ids = ['-!*!!SA^"!%02d!!!!!!!!' % number for number in range(40)]
    accounts = [
        Account("poppy", letters("poppy", ids[0], ids[1], LONG_ID), 2),
        Account("fetty", letters("fetty", ids[2], OLD_HEX, ids[3]), 2),
        Account("curly", letters("curly", ids[4], ids[5]), 3,
                hidden=INTERNAL),
        Account("mpopp", letters("mpopp", ids[6], ids[7], ids[8]), 2,
                form=qpopper.mmdf),
        Account("crash", letters("spool", ids[9]), 3,
                remains=letters("crash", ids[10], ids[11])),
        Account("chet", letters("chet", ids[12]), 3),
        Account("newby"),
        Account("apopa", letters("apopa", ids[13]), 3),
        Account("denny", letters("denny", ids[14]), 3),
    ]
    host = Host(accounts, 1)
    host.authority = tls.Authority(host.path("ca"))
    pair = host.authority.server()
    host.write("qpopper.conf", CONF.format(folder=host.folder))
    host.write("more.conf", MORE.format(
        folder=host.folder, cert=pair.certificate, key=pair.key), 0o600)
    host.write("deny", "root\ndenny\n")
    qpopper.database(host.path("pop", "pop.auth"), {
        b"apopa\0": qpopper.secret_record("tanstaaf")})
    host.modules = ('auth apop { file = "%s" only = yes }\n' % host.path(
        "pop", "pop.auth") + host.modules)
    for number, name in ((1, "001.ALL.welcome"), (2, "002"),
                         (3, "003.ALL.move")):
        host.bulletin(name, "bulletin %d" % number)
    return host


def yesterday(host, pollers, told):
    """The clients poll the old server, and keep what they keep."""
    authority = host.__dict__.pop("authority", None)
    old = host.old(told)
    try:
        everybody(pollers, {
            name: [one.subject for one in
                   host.accounts[name].remains + host.accounts[name].letters]
            for name in pollers}, "yesterday")
    finally:
        old.stop()
        if authority:
            host.authority = authority


def log_lines(host):
    """What pop-before-smtp and its like read."""
    def told(what):
        return sum(what in line for line in host.log.lines)

    with host.log.changed:  # the last Stats line comes after QUIT's answer
        host.log.changed.wait_for(
            lambda: told("Stats: ") == told("POP login"), popper.PATIENCE)
        lines = list(host.log.lines)
    text = [line for line in lines if "Stats: " in line]
    tap.equal([line for line in text if not re.search(STATS, line)], [],
              "each Stats line is as log readers want it")
    logins = [line for line in lines if "POP login" in line]
    tap.equal([line for line in logins if not re.search(LOGIN, line)], [],
              "so is each line of a login")
    tap.equal({re.search('"(.*?)"', line)[1] for line in logins},
              set(host.accounts) - {"denny"}, "each who logged in has one")
    tap.ok(len(text) == len(logins) > 8, "one of each per session")
    tap.match(host.log.text(),
              r"\[AUTH\] Failed attempted login to denny from host "
              r"\(\S+\) 127\.0\.0\.1", "a refused login has its own")


def refused(host):
    """Who was kept out is kept out."""
    client = host.connect(host.port)
    client.reply()
    tap.match(client.login("denny", WORD), r"^-ERR \[AUTH\]",
              "nonauth-file: denny is refused")
    client.leave()
    client = host.connect(host.port)
    client.reply()
    tap.match(client.login("apopa", WORD), r"^-ERR \[AUTH\]",
              "who is in the APOP database may not send a password")
    client.leave()


def still_there(host):
    """A session of the old server that goes on: its mail is left alone."""
    with open(host.accounts["crash"].temp, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        client = host.connect(host.port)
        client.reply()
        tap.match(client.login("crash", WORD), r"^-ERR \[IN-USE\]",
                  "a .pop file that the old server holds")
        client.leave()
        tap.ok(os.fstat(file.fileno()).st_size > 0, "is not touched")


def names_in_any_form(host):
    """downcase-user and trim-domain, of the nested file."""
    client = host.connect(host.port)
    client.reply()
    tap.match(client.login("POPPY@example.org", WORD), r"^\+OK",
              "POPPY@example.org is poppy")
    client.quit()


def header_day():
    host = first_host()
    try:
        pollers = {
            "poppy": Poplib(host, "poppy"), "fetty": Fetchmail(host, "fetty"),
            "curly": Curl(host, "curly"), "mpopp": Mpop(host, "mpopp"),
            "crash": Poplib(host, "crash"), "chet": Poplib(host, "chet"),
            "apopa": Poplib(host, "apopa", "tanstaaf")}
        apop, pollers["apopa"].secret = pollers["apopa"].secret, None
        yesterday(host, pollers, lambda account, one: one.uid)
        pollers["apopa"].secret = apop
        pollers["newby"] = Poplib(host, "newby")
        host.deliver("poppy", Letter("poppy, at night"))
        host.deliver("curly", Letter("curly, at night"))
        host.deliver("mpopp", Letter("mpopp, at night"))
        host.start()
        tap.run(lambda: still_there(host))
        third = ["bulletin 3"]
        everybody(pollers, {
            "poppy": ["poppy, at night"] + third, "fetty": third,
            "curly": ["curly, at night"],
            "mpopp": ["mpopp, at night"] + third, "newby": third}, "morning")
        untouched(host, "morning")
        raw = pollers["newby"].last
        tap.match(raw.decode(), r"(?m)^To: newby@pop\.example\.org\r?$",
                  "a bulletin is to the user")
        tap.equal(re.findall(rb"(?mi)^(?:Status:.*|\tand everybody.*)", raw),
                  [], "without the old To: and Status:")
        tap.ok(not os.path.exists(host.accounts["crash"].temp) or
               os.path.getsize(host.accounts["crash"].temp) == 0,
               "nothing is left of .crash.pop")
        everybody(pollers, {}, "at once")

        host.deliver("fetty", Letter("fetty, at noon"))
        host.deliver("crash", Letter("crash, at noon"))
        host.bulletin("004.chem.lab", "for chem")
        host.bulletin("005.ALL.all", "for all")
        everybody(pollers, {
            name: ["for all"] + (["for chem"] if name == "chet" else []) + (
                ["%s, at noon" % name] if name in ("fetty", "crash") else [])
            for name in pollers}, "noon")
        tap.run(lambda: refused(host))
        tap.run(lambda: names_in_any_form(host))

        host.accounts["poppy"].gone = {"poppy 2"}
        pollers["poppy"].session(["poppy 2", "for all", "bulletin 3"])
        host.accounts["crash"].gone = {"crash 1", "spool 1"}
        pollers["crash"].session(["crash 1", "spool 1"])
        host.accounts["mpopp"].gone = {
            one.subject for one in host.accounts["mpopp"].letters}
        tap.equal(pollers["mpopp"].poll("off"), [], "mpop removes all")
        tap.equal(pollers["fetty"].poll("nokeep flush"), [],
                  "fetchmail flushes")
        host.accounts["fetty"].gone = {
            one.subject for one in host.accounts["fetty"].letters}
        untouched(host, "evening")
        everybody(pollers, {}, "evening")
        tap.run(lambda: log_lines(host))

        host.again()
        everybody(pollers, {}, "after a restart")
        host.bulletin("006", "good night")
        everybody(pollers, dict.fromkeys(pollers, ["good night"]), "night")
        untouched(host, "night")
        for name in sorted(pollers):
            with open(os.path.join(host.accounts[name].home,
                                   ".popbull")) as file:
                tap.equal(file.read(), "6\n", "%s's .popbull, as it was "
                          "written before" % name)
    finally:
        tap.equal(host.stop(), [], "the first host's server ends clean")


# --- Other hosts: computed ids, a bulletin database, other spools ------------

COMPUTED = """set spool-dir = {folder}/mail
set hash-spool = {hash_spool}
set update-status-headers = false
set old-style-uid = {old}
set server-mode
set clear-text-password = always
set reverse-lookup = false
"""


def computed_day(hash_spool, old_style, bulldb):
    """Ids that were never stored come out as they were told."""
    what = "hash-spool %d, old-style-uid %d" % (hash_spool, old_style)
    host = Host([
        Account("mary", letters("mary", None, None, None), 1),
        Account("x", letters("x", None), 1),
        Account("maida", [Letter("status", status="RO"),
                          Letter("folded", extra=b"References: <a@b>\n"
                                 b"\t<c@d>\n")], None if bulldb else 1),
        Account("mmdf", letters("mmdf", "1-70.octets", None), 1,
                form=qpopper.mmdf),
    ], hash_spool)
    try:
        host.write("qpopper.conf", COMPUTED.format(
            folder=host.folder, hash_spool=hash_spool,
            old="true" if old_style else "false") + (
                "set bulldb-nonfatal\n" if bulldb else ""))
        host.bulletin("1", "bulletin 1")
        if bulldb:
            qpopper.database(host.path("bulls", "bulldb"), {
                b"maida\0": qpopper.bulletin_record(1)})
            with open(host.path("qpopper.conf"), "a") as file:
                file.write("set bulldir = %s\n" % host.path("bulls"))
            os.chmod(host.path("bulls", "bulldb"), 0o660)
            os.chown(host.path("bulls", "bulldb"), 0, host.mail_gid)
            host.modules += 'ext bulletins { bulldb = "%s" }\n' % host.path(
                "bulls")
        else:
            host.args = ["-b", host.path("bulls")]
        pollers = {name: Poplib(host, name) for name in host.accounts}
        yesterday(host, pollers,
                  lambda account, one: one.uid or qpopper.unique_id(
                      one, old_style, account.form))
        host.deliver("mary", Letter("at night"))
        host.start()
        everybody(pollers, {"mary": ["at night"]}, what)
        host.bulletin("2", "bulletin 2")
        everybody(pollers, dict.fromkeys(pollers, ["bulletin 2"]),
                  what if bulldb else
                  "-b: bulletins without a word of them in the file")
        host.accounts["mary"].gone = {"mary 1"}
        pollers["mary"].session(["mary 1"])
        host.again()
        everybody(pollers, {}, what + ", after a restart")
        untouched(host, what)
        if bulldb:
            host.stop_services()
            found = qpopper.records(host.path("bulls", "bulldb"))
            tap.equal(found, {name.encode() + b"\0":
                              qpopper.bulletin_record(2)
                              for name in pollers},
                      "the bulletin database, as it was written before")
    finally:
        tap.equal(host.stop(), [], what + ": the server ends clean")


STATES = """set spool-dir = {folder}/mail
set bulldir = {folder}/bulls
set group-bulletins
set clear-text-password = always
set reverse-lookup = false
"""


def states_day():
    """Odd .popbull files, files in one folder, groups that are not there."""
    host = Host([Account(name) for name in (
        "junk", "blank", "later", "there", "alone")], 0)
    try:
        host.write("qpopper.conf", STATES.format(folder=host.folder))
        os.mkdir(host.path("popbull"))
        os.chown(host.path("popbull"), 0, host.mail_gid)
        os.chmod(host.path("popbull"), 0o2770)
        accounts = host.accounts
        for name, octets in (("junk", b"junk\n"), ("blank", b""),
                             ("later", b"1\n"), ("there", b"0\n")):
            host.leave(accounts[name], os.path.join(
                accounts[name].home, ".popbull"), octets)
        host.leave(accounts["there"], host.path("popbull", "there.popbull"),
                   b"2\n")
        for number, name in ((1, "001.ALL.a"), (2, "002"), (3, "003.ALL.c"),
                             (4, "004.nobody-here.d")):
            host.bulletin(name, "bulletin %d" % number)
        letter = host.bulletin("005", "bulletin 5")
        host.write("bulls/005", letter.separator + letter.raw().rstrip(b"\n"))
        # Their own group has no entry: they get those for all, all the same.
        with open(host.path("etc", "group")) as file:
            host.write("etc/group", "".join(
                line for line in file if not line.startswith("alone:")))
        host.start()
        for name, want, what in (
                ("junk", ["bulletin 5"], ".popbull with junk: as a new user"),
                ("blank", [], ".popbull that is empty: all were seen"),
                ("alone", ["bulletin 5"],
                 "a group without an entry: those for all"),
                ("later", ["bulletin 2", "bulletin 3", "bulletin 5"],
                 "a group that is not there: nobody gets it")):
            poller = Poplib(host, name)
            tap.equal(poller.poll(), want, what)
            with open(os.path.join(accounts[name].home, ".popbull")) as file:
                tap.equal(file.read(), "5\n", name + ": and it is noted")
        tap.ok(poller.last.endswith(b"text."),
               "a bulletin without an end of its last line has one")
        host.modules += ('ext bulletins { popbull-directory = "%s" }\n' %
                         host.path("popbull"))
        host.again()
        tap.equal(Poplib(host, "there").poll(), ["bulletin 3", "bulletin 5"],
                  "USER.popbull in a folder of its own")
        tap.equal(Poplib(host, "later").poll(),
                  ["bulletin 2", "bulletin 3", "bulletin 5"],
                  "without one ~/.popbull is continued: they stay")
        for name in ("there", "later"):
            with open(host.path("popbull", name + ".popbull")) as file:
                tap.equal(file.read(), "5\n", name + ": noted there")
    finally:
        tap.equal(host.stop(), [], "the third host's server ends clean")


BACK = """set spool-dir = {folder}/mail
set update-status-headers = true
set clear-text-password = always
set reverse-lookup = false
"""


def stored(path):
    """(X-UIDL, octets) of each message of a spool file."""
    with open(path, "rb") as file:
        parts = re.split(rb"(?m)^From \S+ \w{3} .*\n", file.read())[1:]
    return [(re.search(rb"^X-UIDL: (\S+)$", part.partition(b"\n\n")[0],
                       re.MULTILINE)[1].decode(),
             part.replace(b"\n", b"\r\n")) for part in parts]


def back_day():
    """With update-status-headers a host can go back the next day."""
    host = Host([Account("mary", letters("mary", "-!*!!SA^", None)),
                 Account("bob")], 0)
    try:
        host.write("qpopper.conf", BACK.format(folder=host.folder))
        pollers = {name: Poplib(host, name) for name in host.accounts}
        host.deliver("bob", Letter("bob, at night"))
        host.start()
        everybody(pollers, {"mary": ["mary 1", "mary 2"],
                            "bob": ["bob, at night"]}, "a day of popper")
        pollers["mary"].session(["mary 1"])
        host.stop_services()
        mail = {name: stored(account.spool)
                for name, account in host.accounts.items()}
        old = qpopper.Old(host.port, mail)
        try:
            everybody(pollers, {}, "back at the old server")
        finally:
            old.stop()
        tap.equal([len(mail["mary"]), len(mail["bob"])], [1, 1],
                  "and all mail is there")
    finally:
        tap.equal(host.stop(), [], "the fourth host's server ends clean")


def vectors():
    """What was written down of the old ids."""
    tap.equal([qpopper.base80(octets) for octets in (
        bytes(16), b"\xff" * 16, bytes(range(16)),
        bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e"))],
        ["!" * 20, "0'/#!" * 4, "T$!!!(_#!!LI&!!p3)!!",
         'j2Z"!5n,"!i7k"!O,"#!'], "the digits of base 80")
    tap.equal([qpopper.hashed(1, name) for name in ("maida", "mary", "root")]
              + [qpopper.hashed(2, name) for name in ("mary", "x")],
              ["o/", "z/", "k/", "m/a/", "x/x/"], "hashed folders")


needs()
tap.run(vectors)
tap.run(header_day)
tap.run(states_day)
tap.run(back_day)
for HASH_SPOOL, OLD_STYLE, BULLDB in ((2, False, True), (0, True, False)):
    tap.run(lambda: computed_day(HASH_SPOOL, OLD_STYLE, BULLDB))
tap.done()
