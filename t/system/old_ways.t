#!/usr/bin/python3
"""What the popper line did and other tests do not look at: doc/qpopper-parity.md
names the cases."""

import os
import re
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so"
LOCAL1 = 17


def may_mount():
    return popper.ROOT and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
        stderr=subprocess.DEVNULL).returncode == 0


def in_namespace(server, *commands):
    """Start the server after these, which only it sees the effects of."""
    server.wrapper = ["unshare", "-m", "sh", "-ec", "\n".join(
        commands) + '\nexec "$@"', "sh"]


def addresses():
    """Where to listen, as arguments of the command line."""
    with popper.Server(MODE, args=["127.0.0.1:0", "127.0.0.2:0"],
                       conf={"listen": ["127.0.0.3:0"]}) as server:
        user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
        lines = server.log.find("listening on ")
        tap.equal([re.search(r"127\.0\.0\.\d", line)[0] for line in lines],
                  ["127.0.0.1", "127.0.0.2"],
                  "addresses on the command line, in place of listen")
        client = popper.Client.to(server.ports[1], "127.0.0.2").enter(user)
        tap.match(client.quit(), r"^\+OK", "each of them is served")


def too_many():
    """There is an end to what one server takes."""
    with popper.Server(MODE, conf={"max-connections": 2}) as server:
        user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
        first, second = server.enter(user), server.connect()
        second.reply()
        third = server.connect()
        tap.ok(not third.rest().startswith(b"+OK"),
               "max-connections: one more gets no greeting")
        server.log.wait(r"max-connections \(2\) reached")
        tap.match(first.cmd("STAT"), r"^\+OK 1 ", "the others go on")
        first.quit()
        second.leave()


def host_name():
    """A greeting names the host."""
    with popper.Server(MODE, start=False) as server:
        del server.settings["server-name"]
        server.start()
        client = server.connect()
        tap.ok(socket.gethostname() in client.reply(),
               "without server-name it is the host's own")
        client.leave()


def xinetd():
    """The example for xinetd, and what it starts."""
    with open(os.path.join(popper.SRC, "etc/xinetd.in")) as file:
        text = file.read()
    fields = dict(re.findall(r"^\t(\w+)\s+= (.+)$", text, re.MULTILINE))
    tap.equal({name: fields.get(name) for name in (
        "socket_type", "protocol", "wait", "user")},
        {"socket_type": "stream", "protocol": "tcp", "wait": "no",
         "user": "root"}, "xinetd: one process for each connection")
    tap.ok(fields["server"].endswith("/popper"), "which is popper")
    server = popper.Server("inetd", start=False,
                           args=fields["server_args"].split())
    user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
    command = server.command
    server.command = lambda *more: command()  # without --inetd of its own
    server.start()
    client = server.connect().enter(user)
    tap.match(client.quit(), r"^\+OK", "with these arguments it serves one")
    tap.equal(server.stop(), [], "the server ends clean")


# A value for each option of Qpopper's file that is not true or false.
VALUES = {
    "announce-expire": "30", "announce-login-delay": "60", "auth-file": "",
    "bulldb-max-tries": "10", "bulldir": "{folder}", "cache-dir": "/tmp",
    "cache-name": ".%s.cache", "chunky-writes": "always",
    "clear-text-password": "local", "config-file": "{folder}/more.conf",
    "drac-host": "localhost", "group-server-mode": "a",
    "group-no-server-mode": "b", "hash-spool": "0", "home-dir-mail": "mbox",
    "kerberos-service": "rcmd", "log-facility": "local0",
    "log-login": "'%1 %3'", "mail-command": "/bin/true",
    "mail-lock-check": "5000", "max-bulletins": "1", "nonauth-file": "",
    "spool-dir": "/var/mail", "temp-dir": "/var/mail",
    "temp-name": ".%s.pop", "timeout": "600", "tls-cipher-list": "",
    "tls-identity-file": "/x", "tls-passphrase": "x", "tls-options": "1",
    "tls-private-key-file": "", "tls-server-cert-file": "",
    "tls-support": "none", "tls-version": "default",
    "tracefile": "{folder}/trace"}


def file_options():
    """Every option of Qpopper's file is known, and what the table of
    doc/qpopper-parity.md says of it is what the server says."""
    with open(os.path.join(popper.SRC, "doc/qpopper-parity.md")) as file:
        section = file.read().split("## Options of the configuration file")[1]
    rows = re.findall(r"^\| (`.*?) \| .*? \| \w+(?: q4)? \| (.*?) \|",
                      section.split("\n## ")[0], re.MULTILINE)
    table = {name: here for names, here in rows
             for name in re.findall("`(.+?)`", names)}
    with popper.Server(MODE, start=False) as server:
        server.write_users()
        server.write_conf()
        server.write("more.conf", "reset debug\n")
        for name, here in sorted(table.items()):
            value = VALUES.get(name)
            line = "set " + name + ("" if value is None else " = " + (
                value.format(folder=server.folder) or '""'))
            path = server.write("qpopper.conf", line + "\n")
            done = subprocess.run(
                server.command("--check", "-f", path), text=True, timeout=60,
                env=server.environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            idle = re.search(r"conf:1: %s does nothing: ." % name, done.stdout,
                             re.IGNORECASE)
            want = here.startswith("accepted, does nothing")
            if name == "kerberos":
                tap.ok(done.returncode == 1 and "GSSAPI" in done.stdout,
                       "set kerberos: is refused, and says what to do")
            elif not tap.equal((done.returncode, bool(idle)), (0, want),
                               "set %s: is known" % name):
                tap.diag(done.stdout)
    tap.ok(len(table) > 55, "all of them")


def title():
    """ps shows whose a session is."""
    with popper.Server(MODE) as server:
        user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
        client = server.enter(user)
        client.ok("NOOP")
        pid, = server.children("popper-session")
        with open("/proc/%d/cmdline" % pid) as file:
            tap.equal(file.read().rstrip("\0"),
                      "popper-session: mary [127.0.0.1]",
                      "ps shows the user and the address")
        client.quit()
        server.no_sessions()
        long = server.add_user("m" * 200, popper.DROPS[0], [mail.simple(1)])
        client = server.enter(long)
        client.ok("NOOP")
        pid, = server.children("popper-session")
        with open("/proc/%d/cmdline" % pid) as file:
            tap.match(file.read(), "^popper-session: m{20,}\0$",
                      "a long name is cut")
        client.quit()


class Syslog:
    """What comes to /dev/log of a server."""

    def __init__(self, path):
        self.lines, self.changed = [], threading.Condition()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            line = self.sock.recv(65536).decode()
            if not line:
                return
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait(self, pattern):
        def found():
            return any(re.search(pattern, line) for line in self.lines)
        with self.changed:
            if not self.changed.wait_for(found, popper.PATIENCE):
                raise AssertionError("%r is not in:\n%s" % (
                    pattern, "\n".join(self.lines)))

    def stop(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(popper.PATIENCE)
        self.sock.close()


def syslog():
    """-y and -d, with priorities, as syslogd gets them."""
    if not may_mount():
        tap.skip("-y and -d", "needs root and a mount namespace")
        return
    server = popper.Server(MODE, args=["-y", "local1", "-d", "-s"],
                           start=False)
    dev = server.path("dev")
    os.mkdir(dev)
    log = Syslog(os.path.join(dev, "log"))
    nodes = ["null", "zero", "urandom", "random", "tty"]
    for name in nodes:
        open(os.path.join(dev, name), "w").close()
    in_namespace(server, *[
        "mount --bind /dev/%s %s/%s" % (name, dev, name) for name in nodes],
        "mount --bind %s /dev" % dev)
    server.args += ["--pid-file", server.path("run", "pid")]
    command = server.command
    server.command = lambda *more: [
        "syslog" if word == "stderr" else word for word in command(*more)]
    server.settings["listen"] = ["127.0.0.1:%d" % popper.free_port()]
    user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
    server.write_conf()
    server.main = server.popen(
        server.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        log.wait(r"ready$")
        port = int(server.settings["listen"][0].rsplit(":", 1)[1])
        client = popper.Client.to(port)
        client.reply()
        client.login("nobody-here", "x")
        client.leave()
        popper.Client.to(port).enter(user).quit()
        log.wait("Stats: mary 0 0 1 ")
    finally:
        tap.equal(server.stop(), [], "the server ends clean")
        log.stop()
    levels, facilities = {}, set()
    for line in log.lines:
        number = int(re.match(r"<(\d+)>", line)[1])
        facilities.add(number >> 3)
        levels.setdefault(number & 7, []).append(line)
    tap.equal(facilities, {LOCAL1}, "-y: all lines go to that facility")
    tap.ok(any("Stats: " in line for line in levels.get(5, [])),
           "a Stats line has priority notice")
    tap.ok(any("login-failed code=AUTH" in line
               for line in levels.get(5, [])), "so has a refused login")
    tap.ok(levels.get(7), "-d: there are debugging messages, of that priority")
    tap.ok(all(re.match(r"<\d+>\w+ +\d+ [\d:]+ popper\[\d+\]: ", line)
               for line in log.lines), "each is of popper[PID]")


def shells():
    """check-shell, and the line of /etc/shells that lets in any."""
    if not may_mount() or not os.path.exists(MATRIX):
        tap.skip("shells", "needs root, a mount namespace, libpam-wrapper")
        return
    for listed, answer in (("/bin/odd", r"^-ERR \[AUTH\]"),
                           ("/POPPER/ANY/SHELL/", r"^\+OK")):
        with popper.Server("daemon", start=False,
                           conf={"check-shell": True}) as server:
            os.mkdir(server.path("home", "mary"), 0o700)
            os.chown(server.path("home", "mary"), 30001, 30001)
            with open("/etc/passwd") as file:
                passwd = server.write("passwd", file.read() + (
                    "mary:x:30001:30001::%s:/opt/shell\n" %
                    server.path("home", "mary")))
            in_namespace(
                server, "mount --bind %s /etc/passwd" % passwd,
                "mount --bind %s /etc/shells" % server.write(
                    "shells", listed + "\n"))
            os.mkdir(server.path("pam"))
            server.write("pam/passdb", "mary:word:popper\n", 0o600)
            line = "required %s passdb=%s\n" % (
                MATRIX, server.path("pam", "passdb"))
            server.write("pam/popper", "auth %saccount %s" % (line, line))
            server.modules = (
                'auth pam { service = "popper" confdir = "%s" }\n'
                'drop mbox { path = "~/mbox" }\n' % server.path("pam"))
            server.start()
            client = server.connect()
            client.reply()
            tap.match(client.login("mary", "word"), answer,
                      "check-shell with %s in /etc/shells" % listed)
            client.leave()


tap.run(addresses)
tap.run(too_many)
tap.run(host_name)
tap.run(xinetd)
tap.run(file_options)
tap.run(title)
tap.run(syslog)
tap.run(shells)
tap.done()
