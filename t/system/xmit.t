#!/usr/bin/python3
"""XTND XMIT: a client sends mail by POP3, and a real MTA takes it.

How the MTA is started, what its end means to the client, what a session that
ends in the middle leaves behind (nothing), and what becomes of it all when
attendants, or the process that forks them, are killed.

proves: R-1082-09
"""

import json
import os
import shutil
import signal
import socketserver
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
UID = 61001

# Notes how it was called, does what the file "order" says, ends with the status
# in it.
SENDMAIL = r"""#!/usr/bin/python3 -IS
import json, os, sys, signal, time
folder = %r
with open(os.path.join(folder, "order")) as file:
    order = file.read()
message = sys.stdin.buffer.read()
status = dict(line.rstrip("\n").split(":\t", 1) for line in
              open("/proc/self/status") if ":\t" in line)
seen = {"argv": sys.argv[1:], "environment": dict(os.environ),
        "uid": os.getresuid(), "gid": os.getresgid(),
        "groups": os.getgroups(), "cwd": os.getcwd(),
        "descriptors": sorted(os.listdir("/proc/self/fd"), key=int)[:-1],
        "status": status, "message": message.decode("latin-1")}
name = os.path.join(folder, str(os.getpid()))
with open(name + ".tmp", "w") as file:
    json.dump(seen, file)
os.chmod(name + ".tmp", 0o644)
os.rename(name + ".tmp", name + ".seen")
if order == "hang":
    signal.pause()
if order == "wait":
    with open(os.path.join(folder, "gate")) as file:
        file.read()
    order = "0"
    os.rename(name + ".seen", name + ".done")
sys.exit(int(order))
"""


class Sender:
    """A server with the module, and a sendmail that notes all."""

    def __init__(self, options="", **conf):
        self.server = popper.Server(MODE, conf=conf, start=False)
        self.folder = self.server.path("sendmail.seen")
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o1777)
        self.order("0")
        self.program = self.server.write(
            "sendmail", SENDMAIL % self.folder, 0o755)
        self.server.modules = 'ext xmit { sendmail = "%s" %s }\n' % (
            self.program, options) + self.server.modules
        self.uid = UID if popper.ROOT else os.getuid()
        self.users = [self.server.add_user(
            name, popper.DROPS[0], [mail.simple(1)], uid=self.uid)
            for name in ("alice", "bob")]
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *how):
        self.server.__exit__(*how)

    def order(self, text):
        path = os.path.join(self.folder, "order")
        with open(path + ".new", "w") as file:
            file.write(text)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def seen(self):
        """What was noted since the last time."""
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".seen"):
                path = os.path.join(self.folder, name)
                with open(path) as file:
                    found.append(json.load(file))
                os.unlink(path)
        return found

    def hanging(self):
        """Wait until one has begun, and is not going to end."""
        while not any(name.endswith(".seen")
                      for name in os.listdir(self.folder)):
            pass
        return int([name for name in os.listdir(self.folder)
                    if name.endswith(".seen")][0][:-5])

    def spawner(self):
        return attendants(self.server)


def attendants(server):
    """The pid of the process that forks attendants."""
    for pid in server.children("popper-session"):
        if popper.status(pid)["Name"] == "popper-attend":
            return pid
    return None


def begin(client):
    answer = client.cmd("XTND XMIT")
    if answer != "+OK Start sending message.":
        raise AssertionError(answer)


MESSAGE = (b"To: carol@example.net\r\nSubject: hello\r\n\r\n"
           b"One.\r\n..\r\n..two\r\nEnd\r\n")
STORED = ("From: alice@pop.example.org\nTo: carol@example.net\n"
          "Subject: hello\n\nOne.\n.\n.two\nEnd\n")


def send(client, message=MESSAGE):
    begin(client)
    client.send(message + b".\r\n")
    return client.reply()


def started():
    """The MTA gets what it should, as the user, and nothing else."""
    with Sender() as sender:
        server, alice = sender.server, sender.users[0]
        client = server.enter(alice)
        tap.equal(send(client), "+OK Message sent successfully",
                  "a message is sent")
        client.ok("STAT")
        seen = sender.seen()
        tap.equal(len(seen), 1, "once")
        seen = seen[0]
        tap.equal(seen["argv"], ["-i", "-f", "alice@pop.example.org", "-t"],
                  "its arguments")
        tap.equal(seen["message"], STORED, "the message, to the octet")
        tap.equal(seen["environment"],
                  {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                   "HOME": "/", "USER": "alice", "LOGNAME": "alice",
                   **({"LC_CTYPE": seen["environment"]["LC_CTYPE"]}
                      if "LC_CTYPE" in seen["environment"] else {})},
                  "a clean environment")
        uid = sender.uid if popper.ROOT else os.getuid()
        tap.equal(seen["uid"], [uid] * 3, "as the user")
        tap.equal(seen["gid"], [alice.gid] * 3, "and the user's group")
        if popper.ROOT:
            tap.equal(seen["groups"], [], "and no other")
        tap.equal(seen["cwd"], "/", "in the root directory")
        tap.equal(seen["descriptors"], ["0", "1", "2"],
                  "with three descriptors")
        tap.equal(seen["status"]["NoNewPrivs"], "0",
                  "it may be setgid: NoNewPrivs is off")
        tap.equal(seen["status"]["Seccomp"], "0", "it has no filter")
        tap.equal(int(seen["status"]["CapEff"], 16), 0, "no capability")
        server.log.wait("xmit: alice from 127.0.0.1 sent a message of %d "
                        "octets" % len(STORED))
        client.quit()


def sandboxed():
    """Sessions keep their sandbox; only attendants have none."""
    with Sender(sandbox=True) as sender:
        server = sender.server
        line = server.log.wait(r"popper-session: .*seccomp filter, "
                               r"Landlock version (\d+)")
        tap.ok(int(line[1]) > 0 or not server.log.find("Landlock version [1-9]"),
               "sessions have Landlock")
        client = server.enter(sender.users[0])
        inside = [pid for pid in server.children("popper-session")
                  if pid != sender.spawner()]
        status = popper.status(inside[0])
        tap.equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"),
                  "and the filter")
        tap.equal(popper.status(sender.spawner())["Seccomp"], "0",
                  "the spawner has none")
        tap.equal(send(client), "+OK Message sent successfully",
                  "and a message is sent all the same")
        tap.equal(sender.seen()[0]["status"]["Seccomp"], "0",
                  "by a program without one")
        client.quit()


def exit_codes():
    """Every status of sysexits.h, and the client's answer to it."""
    temporary = {69, 71, 73, 74, 75, 76}
    with Sender("per-session = 0 per-hour = 0") as sender:
        client = sender.server.enter(sender.users[0])
        for code in list(range(1, 4)) + list(range(64, 79)) + [127, 255]:
            sender.order(str(code))
            tap.equal(send(client), "-ERR [SYS/%s] Unable to send message" % (
                "TEMP" if code in temporary else "PERM"),
                "status %d" % code)
            sender.server.log.wait("ended with status %d:" % code)
        sender.order("0")
        tap.equal(send(client), "+OK Message sent successfully",
                  "and after all that it still works")
        os.unlink(sender.program)
        tap.equal(send(client), "-ERR [SYS/PERM] Unable to send message",
                  "no such program")
        sender.server.log.wait("cannot be started .sendmail.: No such file")
        client.quit()


def aborted():
    """A client that leaves in the middle sends nothing and leaves nothing."""
    with Sender() as sender:
        server, alice = sender.server, sender.users[0]
        for how in ("leave", "reset"):
            client = server.enter(alice)
            client.ok("DELE 1")
            begin(client)
            client.send(MESSAGE + b"QUIT\r\n")
            since = len(server.log.lines)
            getattr(client, how)()
            server.log.wait("XTND XMIT: the client was gone", since)
            client = server.connect()
            while "[IN-USE]" in client.enter_or_not(alice):
                client = server.connect()
            tap.match(client.cmd("STAT"), r"^\+OK 1 ",
                      how + ": nothing is deleted")
            client.quit()
        tap.equal(sender.seen(), [], "no MTA was started")
        left = os.listdir(server.path("state", "alice"))
        tap.equal([name for name in left if "xmit" in name
                   and name != "xmit.sent"], [], "nothing is left behind")


def enter_or_not(client, user):
    client.reply()
    return client.login(user)


popper.Client.enter_or_not = enter_or_not


def rules():
    """Sender, recipients, size, and how many in an hour."""
    with Sender('domain = "example.org example.com" max-recipients = 3 '
                "size-limit = 10k per-hour = 3") as sender:
        client = sender.server.enter(sender.users[0])
        tap.equal(send(client, b"From: bob@example.org\r\nTo: a@b\r\n\r\n"),
                  "-ERR Unable to send message: From must be "
                  "alice@example.org", "another's address is refused")
        tap.match(send(client, b"To: a@b, c@d, e@f\r\nBcc: g@h\r\n\r\n"),
                  "^-ERR .*too many recipients", "too many recipients are")
        tap.match(send(client, b"To: a@b\r\n\r\n" + b"xxx\r\n" * 3000),
                  "^-ERR .*too large", "a large message is")
        tap.equal(sender.seen(), [], "no MTA was started")
        tap.match(send(client, b"From: A <alice@example.com>\r\n"
                               b"To: a@b, c@d\r\nBcc: g@h\r\n\r\n"),
                  r"^\+OK", "one's own address, in another domain, is good")
        tap.equal(sender.seen()[0]["argv"][2], "alice@example.org",
                  "the envelope has the first domain")
        client.quit()
        client = sender.server.enter(sender.users[0])
        answers = [send(client)[:3] for _ in range(2)]
        tap.equal(answers, ["+OK"] * 2, "three in an hour")
        tap.equal(client.cmd("XTND XMIT"),
                  "-ERR [SYS/TEMP] too many messages, try again later",
                  "a fourth one is not even taken")
        other = sender.server.enter(sender.users[1])
        tap.match(send(other), r"^\+OK", "another user may")
        client.quit()
        other.quit()


def slow():
    """An MTA that hangs is ended."""
    with Sender("time-limit = 1s") as sender:
        client = sender.server.enter(sender.users[0])
        sender.order("hang")
        tap.equal(send(client), "-ERR [SYS/TEMP] Unable to send message",
                  "it takes too long")
        sender.server.log.wait("took longer than time-limit 1")
        pid = sender.hanging()
        left = popper.wait_gone({pid: popper.processes()[pid][1]}
                                if pid in popper.processes() else {})
        tap.equal(left, [], "and is gone")
        sender.order("0")
        tap.match(send(client), r"^\+OK", "the next one is not")
        client.quit()


def two_at_once():
    """Users do not wait for each other."""
    with Sender() as sender:
        first = sender.server.enter(sender.users[0])
        second = sender.server.enter(sender.users[1])
        sender.order("hang")
        begin(first)
        first.send(MESSAGE + b".\r\n")
        pid = sender.hanging()
        sender.order("0")
        tap.match(send(second), r"^\+OK", "one hangs, the other is served")
        os.kill(pid, signal.SIGTERM)
        tap.match(first.reply(), r"^-ERR \[SYS/TEMP\]",
                  "the one that hung was ended by a signal")
        first.quit()
        second.quit()


def killed():
    """Attendants die: the session goes on.  The spawner dies: so does it."""
    with Sender() as sender:
        server = sender.server
        client = server.enter(sender.users[0])
        sender.order("hang")
        begin(client)
        client.send(MESSAGE + b".\r\n")
        sender.hanging()
        attendant = [pid for pid, entry in popper.processes().items()
                     if entry[0] == sender.spawner()]
        os.kill(attendant[0], signal.SIGKILL)
        tap.equal(client.reply(),
                  "-ERR [SYS/TEMP] trouble here, try again later",
                  "an attendant is killed")
        server.log.wait(r"attendant \d+ ended with signal 9")
        sender.order("0")
        sender.seen()
        tap.equal(send(client), "-ERR [SYS/TEMP] trouble here, try again later",
                  "its session has no other")
        tap.match(client.cmd("STAT"), r"^\+OK 1 ", "but goes on")
        client.quit()
        client = server.enter(sender.users[0])
        tap.match(send(client), r"^\+OK", "and the next session has one")
        since = len(server.log.lines)
        os.kill(sender.spawner(), signal.SIGKILL)
        tap.equal(send(client), "-ERR [SYS/TEMP] trouble here, try again later",
                  "the spawner is killed")
        tap.match(client.cmd("STAT"), r"^\+OK 1 ", "the session goes on")
        server.log.wait("spawner of attendants has ended", since)
        second = server.enter(sender.users[1])
        tap.match(send(second), r"^\+OK", "a new login finds a new one")
        client.ok("DELE 1")
        client.quit()
        second.quit()
        tap.equal(sender.users[0].drop.stored(), [],
                  "the old session has ended well")


def reload_it():
    """After SIGHUP old sessions keep their attendants, until they end."""
    with Sender() as sender:
        server = sender.server
        client = server.enter(sender.users[0])
        old = sender.spawner()
        began = popper.processes()[old][1]
        since = len(server.log.lines)
        server.main.send_signal(signal.SIGHUP)
        server.log.wait("settings read again", since)
        tap.match(send(client), r"^\+OK", "an old session sends")
        tap.ok(sender.spawner() not in (None, old), "new ones have a new one")
        client.quit()
        tap.equal(popper.wait_gone({old: began}), [],
                  "the old spawner ends with its last session")


def stopped():
    """popper ends while a message is with the MTA: that goes on."""
    with Sender() as sender:
        server, gate = sender.server, os.path.join(sender.folder, "gate")
        os.mkfifo(gate)
        os.chmod(gate, 0o666)
        client = server.enter(sender.users[0])
        sender.order("wait")
        begin(client)
        client.send(MESSAGE + b".\r\n")
        opened = os.open(gate, os.O_WRONLY)  # once it waits there
        began = popper.descendants(server.main.pid)
        mine = {pid: began[pid] for pid in began
                if popper.status(pid)["Name"] not in (
                    "sendmail", "popper-session", "popper-attend")}
        server.main.send_signal(signal.SIGTERM)
        server.main.wait(popper.PATIENCE)
        tap.equal(popper.wait_gone(mine), [], "popper and its services end")
        os.close(opened)
        tap.equal(popper.wait_gone(began), [], "the rest ends")
        tap.equal(len([name for name in os.listdir(sender.folder)
                       if name.endswith(".done")]), 1,
                  "when the MTA has ended as it should")


def many():
    """Each session has a channel; none is lost, none is left."""
    with Sender() as sender:
        server = sender.server
        users = [server.add_user("u%d" % n, popper.DROPS[0],
                                 uid=sender.uid) for n in range(40)]
        clients = [server.enter(user) for user in users]
        spawner = sender.spawner()
        for client in clients:
            begin(client)
        for client in clients:
            client.send(MESSAGE + b".\r\n")
        tap.equal({client.reply() for client in clients},
                  {"+OK Message sent successfully"}, "40 at once")
        tap.equal(sorted(seen["environment"]["USER"]
                         for seen in sender.seen()),
                  sorted(user.name for user in users), "each as himself")
        for client in clients:
            client.quit()
        client = server.enter(users[0])
        tap.match(send(client), r"^\+OK", "and one more")
        tap.equal(sender.spawner(), spawner, "by the same spawner")
        client.quit()


# --- Real MTAs --------------------------------------------------------------

class Sink(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps what it gets; some recipients it refuses."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.port = self.server_address[1]
        self.changed, self.mails = threading.Condition(), []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait(self, count):
        with self.changed:
            if not self.changed.wait_for(
                    lambda: len(self.mails) >= count, popper.PATIENCE):
                raise AssertionError("no mail came: %r" % self.mails)
            return self.mails[count - 1]


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        sender, recipients = None, []
        self.say("220 sink.example.org ESMTP")
        for line in self.rfile:
            word = line.strip().upper()
            if word.startswith(b"MAIL"):
                sender, recipients = line.strip()[10:], []
                self.say("250 ok")
            elif word.startswith(b"RCPT TO:<REJECT"):
                self.say("550 no such user")
            elif word.startswith(b"RCPT TO:<DEFER"):
                self.say("451 later")
            elif word.startswith(b"RCPT"):
                recipients.append(line.strip()[8:])
                self.say("250 ok")
            elif word == b"DATA":
                self.say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                with self.server.changed:
                    self.server.mails.append((sender, recipients, data[:-3]))
                    self.server.changed.notify_all()
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


REAL = (b"To: Carol <carol@example.net>\r\nCc: dave@example.net\r\n"
        b"Bcc: erin@example.net\r\nSubject: real\r\n\r\n"
        b"One.\r\n..\r\n..two\r\n\xe4\r\nFrom here\r\n")
BODY = b"One.\r\n..\r\n..two\r\n\xe4\r\nFrom here\r\n"


def check_mail(who, found):
    sender, recipients, data = found
    head, body = data.split(b"\r\n\r\n", 1)
    tap.match(sender.decode(), "^<alice@pop.example.org>", who + ": sender")
    tap.equal(sorted(recipients), [b"<carol@example.net>",
                                   b"<dave@example.net>",
                                   b"<erin@example.net>"],
              who + ": recipients, Bcc too")
    tap.ok(b"erin" not in head, who + ": Bcc is not shown")
    tap.equal(body, BODY, who + ": every octet of the body")


def real_server(program, wrapper=()):
    server = popper.Server(MODE, start=False, wrapper=wrapper)
    server.modules = 'ext xmit { sendmail = "%s" per-hour = 0 }\n' % program \
        + server.modules
    user = server.add_user("alice", popper.DROPS[0],
                           uid=UID if popper.ROOT else None)
    return server, user


def with_msmtp():
    """msmtp hands the message on at once, and says what became of it."""
    sink = Sink()
    server, user = real_server("")
    with server:
        conf = server.write("msmtprc", "account default\nhost 127.0.0.1\n"
                            "port %d\nfrom nobody@example.org\n" % sink.port,
                            0o644)
        script = server.write("msmtp", "#!/bin/sh\nexec msmtp -C '%s' "
                              "\"$@\"\n" % conf, 0o755)
        server.modules = server.modules.replace(
            'sendmail = ""', 'sendmail = "%s"' % script)
        server.start()
        client = server.enter(user)
        tap.match(send(client, REAL), r"^\+OK", "msmtp: sent")
        check_mail("msmtp", sink.wait(1))
        tap.equal(send(client, b"To: reject@example.net\r\n\r\n"),
                  "-ERR [SYS/PERM] Unable to send message",
                  "msmtp: a recipient that is refused for good")
        server.log.wait("550 no such user")
        tap.equal(send(client, b"To: defer@example.net\r\n\r\n"),
                  "-ERR [SYS/TEMP] Unable to send message",
                  "msmtp: one that is refused for now")
        sink.shutdown()
        sink.server_close()
        tap.equal(send(client, REAL), "-ERR [SYS/TEMP] Unable to send message",
                  "msmtp: nobody there")
        client.quit()


def with_dma():
    """dma is setgid: it writes into a spool of its group."""
    sink = Sink()
    server, user = real_server("/usr/sbin/sendmail")
    spool = server.path("spool")
    shutil.copytree("/etc/dma", server.path("etc"))
    os.mkdir(spool)
    group = os.stat("/usr/sbin/dma").st_gid
    os.chown(spool, 0, group)
    os.chmod(spool, 0o2770)
    for name, text in (("dma.conf", "SMARTHOST 127.0.0.1\nPORT %d\n"
                        "MAILNAME pop.example.org\n" % sink.port),
                       ("auth.conf", "")):
        path = server.path("etc", name)
        with open(path, "w") as file:
            file.write(text)
        os.chown(path, 0, group)
        os.chmod(path, 0o640)
    # Private mounts: the machine's own dma notices nothing.
    script = server.write("start-it", "#!/bin/sh\nset -e\n"
                          "mount --bind '%s' /etc/dma\n"
                          "mount --bind '%s' /var/spool/dma\n"
                          "exec \"$@\"\n" % (server.path("etc"), spool), 0o755)
    server.wrapper = ["unshare", "--mount", "--propagation", "private", script]
    with server:
        server.start()
        client = server.enter(user)
        tap.match(send(client, REAL), r"^\+OK", "dma: taken")
        mails = [sink.wait(n) for n in (1, 2, 3)]
        check_mail("dma", (mails[0][0], sum((m[1] for m in mails), []),
                           mails[0][2]))
        client.quit()
        while os.listdir(spool) not in ([], ["flush"]):
            pass  # its background process empties the queue
    sink.shutdown()
    sink.server_close()


def may_mount():
    import subprocess
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "mount", "--bind",
         "/etc", "/mnt"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


for TEST in (started, sandboxed, exit_codes, aborted, rules, slow,
             two_at_once, killed, reload_it, stopped, many):
    tap.run(TEST)
if shutil.which("msmtp"):
    tap.run(with_msmtp)
else:
    tap.skip("msmtp", "needs msmtp")
if popper.ROOT and os.path.basename(os.path.realpath(
        "/usr/sbin/sendmail")) == "dma" and may_mount():
    tap.run(with_dma)
else:
    tap.skip("dma", "needs root, dma and mount namespaces")
tap.done()
