"""popper.py - start the real server, talk to it, see that it leaves nothing.

Server starts popper from the build tree in one of several ways and gives each
the same face: connect(), log lines, stop().  Client is a POP3 client that
hides nothing: what it reads is what came over the wire.

As root the server runs as root, for virtual users of an unprivileged uid; with
mode "user" it runs as an ordinary user (nobody, if the test runs as root).
"""

import atexit
import ctypes
import ctypes.util
import encodings.idna  # noqa: F401 - threads would load it at once
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

import mail

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get("POPPER_SRC") or os.path.dirname(os.path.dirname(HERE))


def _find_build():
    for folder in (os.environ.get("POPPER_BUILD"), os.getcwd(), SRC):
        if folder and os.access(os.path.join(folder, "src/popper"), os.X_OK):
            return os.path.abspath(folder)
    return os.environ.get("POPPER_BUILD") or SRC


BUILD = _find_build()
ROOT = os.geteuid() == 0
NOBODY, NOGROUP = 65534, 65534
PASSWORD = "correct horse battery"
PATIENCE = 20  # seconds until a test calls something hung
DROPS = [kind for kind in ("maildir", "mbox") if os.path.exists(
    os.path.join(BUILD, "modules/drop", kind + ".la"))]
PROGRAMS = ("popper", "popper-login", "popper-auth", "popper-session")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us


def hashed(password, salt="$5$rounds=1000$popper$"):
    """A hash that costs little, for tests only."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), salt.encode()).decode()


_HASH = hashed(PASSWORD)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# --- Processes --------------------------------------------------------------

def processes():
    """{pid: (parent, start time, state)} of everything that runs."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
        except OSError:
            continue
        found[int(name)] = (int(fields[1]), int(fields[19]),
                            fields[0].decode())
    return found


def descendants(pid):
    """{pid: start time} of all that pid has started, and they in turn."""
    everything = processes()
    found, again = {}, True
    parents = {pid}
    while again:
        again = False
        for child, (parent, began, state) in everything.items():
            if parent in parents and child not in found and state != "Z":
                found[child] = began
                parents.add(child)
                again = True
    return found


def program(pid):
    """The name of the program that a process runs, or ""."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            name = file.read().split(b"\0")[0].decode("latin-1")
    except OSError:
        return ""
    return os.path.basename(name.split(": ")[0])  # a title may follow


def wait_until(is_so, what, patience=PATIENCE):
    """Wait for an event of which only its effect can be seen."""
    until = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > until:
            raise AssertionError("never: " + what)
        select.select([], [], [], .01)


def wait_gone(pids, patience=PATIENCE):
    """Wait until all of {pid: start time} have ended; returns the rest."""
    until = time.monotonic() + patience
    for pid, began in pids.items():
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            now = processes().get(pid)
            if now is None or now[1] != began or now[2] == "Z":
                continue
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.poll(max(0, until - time.monotonic()) * 1000)
        finally:
            os.close(handle)
    for pid in pids:  # those that came to us as orphans
        try:
            os.waitpid(pid, os.WNOHANG)
        except OSError:
            pass
    now = processes()
    return [pid for pid, began in pids.items()
            if pid in now and now[pid][1] == began and now[pid][2] != "Z"]


def status(pid):
    """The fields of /proc/PID/status."""
    with open("/proc/%d/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


# --- A client ---------------------------------------------------------------

class Closed(Exception):
    """The server has closed the connection."""


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buffer = b""

    @classmethod
    def to(cls, port, host="127.0.0.1"):
        return cls(socket.create_connection((host, port), PATIENCE))

    def send(self, data):
        self.sock.sendall(data)

    def _fill(self):
        try:
            more = self.sock.recv(262144)
        except ConnectionResetError:
            more = b""
        if not more:
            raise Closed(repr(self.buffer[-200:]))
        self.buffer += more

    def line(self):
        """One line with its CRLF, as octets."""
        while b"\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def exactly(self, count):
        parts, have = [], 0
        while have < count:
            if not self.buffer:
                self._fill()
            part = self.buffer[:count - have]
            self.buffer = self.buffer[len(part):]
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def reply(self):
        """A single-line reply without CRLF, as text."""
        line = self.line()
        if not line.endswith(b"\r\n"):
            raise AssertionError("reply without CRLF: %r" % line)
        return line[:-2].decode("latin-1")

    def raw_multi(self):
        """The rest of a multi-line reply, dots still stuffed."""
        data = self.buffer
        parts = []
        tail = b"\r\n"  # the status line has been read
        while True:
            window = tail + data
            at = window.find(b"\r\n.\r\n")
            if at >= 0:
                end = at + 5 - len(tail)
                parts.append(data[:end])
                self.buffer = data[end:]
                return b"".join(parts)
            parts.append(data)
            tail = window[-4:]
            self.buffer = b""
            self._fill()
            data = self.buffer

    def multi(self):
        """The rest of a multi-line reply, without stuffing and last dot."""
        data = (b"\r\n" + self.raw_multi()[:-3]).replace(b"\r\n.", b"\r\n")
        # Only a dot behind LF at the start of a line was stuffed.
        return data[2:]

    def cmd(self, text):
        self.send(text.encode("latin-1") + b"\r\n")
        return self.reply()

    def ok(self, text):
        answer = self.cmd(text)
        if not answer.startswith("+OK"):
            raise AssertionError("%s: %s" % (text, answer))
        return answer

    def fetch(self, text):
        """A multi-line reply's data; an -ERR is a failure of the test."""
        self.ok(text)
        return self.multi()

    def lines(self, text):
        return self.fetch(text).decode("latin-1").splitlines()

    def login(self, user, password=PASSWORD):
        """After the greeting: returns the reply to PASS."""
        self.ok("USER " + getattr(user, "name", user))
        return self.cmd("PASS " + password)

    def enter(self, user, password=PASSWORD):
        """The greeting and a login that must work."""
        greeting = self.reply()
        if not greeting.startswith("+OK"):
            raise AssertionError(greeting)
        answer = self.login(user, password)
        if not answer.startswith("+OK"):
            raise AssertionError(answer)
        return self

    def rest(self):
        """All until the server closes."""
        parts = [self.buffer]
        self.buffer = b""
        while True:
            try:
                more = self.sock.recv(262144)
            except ConnectionResetError:
                more = b""
            if not more:
                return b"".join(parts)
            parts.append(more)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def quit(self):
        answer = self.cmd("QUIT")
        if self.rest() != b"":
            raise AssertionError("data after the reply to QUIT")
        self.close()
        return answer

    def leave(self):
        """End without QUIT; returns when the server has let go."""
        try:
            self.half_close()
            self.rest()
        except OSError:
            pass
        self.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self):
        self.sock.close()


# --- The server -------------------------------------------------------------

class User:
    def __init__(self, name, uid, gid, drop):
        self.name, self.uid, self.gid, self.drop = name, uid, gid, drop
        self.password = PASSWORD


class Log:
    """Every line the server has logged, and waiting for one."""

    def __init__(self, fd):
        self.lines = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(fd,),
                                       daemon=True)
        self.thread.start()

    def _read(self, fd):
        with os.fdopen(fd, "rb") as file:
            for raw in file:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                with self.changed:
                    self.lines.append(line)
                    self.changed.notify_all()
        with self.changed:
            self.lines.append("<end of log>")
            self.changed.notify_all()

    def wait(self, pattern, since=0, patience=PATIENCE):
        """The first match of a line that matches, from line number on."""
        until = time.monotonic() + patience
        with self.changed:
            at = since
            while True:
                while at < len(self.lines):
                    found = re.search(pattern, self.lines[at])
                    if found:
                        return found
                    if self.lines[at] == "<end of log>":
                        raise AssertionError("log ended before %r:\n%s" % (
                            pattern, "\n".join(self.lines[-30:])))
                    at += 1
                if not self.changed.wait(until - time.monotonic()):
                    raise AssertionError("not logged: %r\n%s" % (
                        pattern, "\n".join(self.lines[-30:])))

    def find(self, pattern):
        with self.changed:
            return [x for x in self.lines if re.search(pattern, x)]

    def text(self):
        with self.changed:
            return "\n".join(self.lines)


def setting(name, value):
    """One line of popper.conf."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, int):
        text = str(value)
    elif isinstance(value, (list, tuple)):
        text = "{" + ", ".join('"%s"' % item for item in value) + "}"
    else:
        text = '"%s"' % value
    return "%s = %s\n" % (name, text)


def reachable(path):
    """Can every user of this machine come to path and execute it?"""
    while True:
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


MODES = ("daemon", "user", "inetd", "openbsd-inetd", "socket", "accept",
         "tls", "stls")

CLEANUP = []


def _cleanup():
    for server in list(CLEANUP):
        server.stop()


atexit.register(_cleanup)


class Server:
    def __init__(self, mode="daemon", conf=None, modules=None, args=(),
                 as_root=None, env=None, start=True, wrapper=()):
        self.mode = mode
        self.as_root = ROOT and mode != "user" if as_root is None else as_root
        self.drop_to = ROOT and not self.as_root
        if ROOT:
            self.uid, self.gid = NOBODY, NOGROUP
        else:
            self.uid, self.gid = os.getuid(), os.getgid()
        self.args, self.env = list(args), dict(env or {})
        self.wrapper = list(wrapper)
        self.users = {}
        self.clients, self.spawned = [], []
        self.ports, self.tls_ports = [], []  # "listen", "listen-tls"
        self.main = self.log = None
        self.folder = tempfile.mkdtemp(prefix="popper-test.")
        CLEANUP.append(self)
        os.chmod(self.folder, 0o755)
        for name, mode_bits in (("home", 0o755), ("state", 0o755),
                                ("reports", 0o1777), ("run", 0o755)):
            self._folder(name, mode_bits)
        self.build = self._usable_build()
        self.settings = {
            "listen": ["127.0.0.1:0"], "user": "nobody",
            "modules": self.path("modules.conf"),
            "module-folder": os.path.join(self.build, "modules"),
            "program-folder": os.path.join(self.build, "src"),
            "state-folder": self.path("state"),
            "language-folder": os.path.join(self.build, "po"),
            "server-name": "pop.example.org", "failure-delay": 0,
            "penalty-max": 0,
            "reverse-lookup": False}
        self.settings.update(conf or {})
        self.modules = modules if modules is not None else self.default_modules()
        if start:
            self.start()

    def default_modules(self, drops=DROPS):
        paths = {"maildir": "~/Maildir", "mbox": "~/mbox"}
        return 'auth passwd { file = "%s" }\n' % self.path("users") + "".join(
            'drop %s { path = "%s" }\n' % (kind, paths[kind])
            for kind in drops)

    # --- Files

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _own(self, path):
        if self.drop_to:
            os.chown(path, self.uid, self.gid)

    def _folder(self, name, mode):
        os.mkdir(self.path(name))
        os.chmod(self.path(name), mode)
        self._own(self.path(name))

    def _usable_build(self):
        """The build tree; or a copy, where the server could not use it: not
        reachable for an ordinary user, or neither root's nor ours."""
        owner = os.stat(os.path.join(BUILD, "src/popper")).st_uid
        programs = [os.path.join(BUILD, "src", name) for name in PROGRAMS]
        good = owner in (0, self.uid if self.drop_to else os.geteuid())
        if good and (not ROOT or all(reachable(path) for path in programs)):
            return BUILD
        there = self.path("build")
        os.makedirs(os.path.join(there, "src"))
        for path in programs + [os.path.join(BUILD, "src/popperctl")]:
            shutil.copy(path, os.path.join(there, "src"))
        shutil.copytree(
            os.path.join(BUILD, "modules"), os.path.join(there, "modules"),
            ignore=lambda folder, names: [
                name for name in names if not name.endswith((".la", ".so"))
                and not os.path.isdir(os.path.join(folder, name))])
        shutil.copytree(os.path.join(BUILD, "po"), os.path.join(there, "po"))
        return there

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        data = text if isinstance(text, bytes) else text.encode()
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.chmod(path + ".new", mode)
        self._own(path + ".new")
        os.rename(path + ".new", path)
        return path

    def add_user(self, name, kind="mbox", messages=(), uid=None, password=None,
                 home=None):
        """A virtual user with a maildrop of the kind, holding messages."""
        uid = self.uid if uid is None else uid
        gid = self.gid if uid == self.uid else uid
        home = home or self.path("home", name)
        os.mkdir(home, 0o700)
        if ROOT:
            os.chown(home, uid, gid)
        drop = mail.Drop(kind, os.path.join(home, "mail"), uid, gid)
        user = User(name, uid, gid, drop)
        user.home = home
        user.hash = hashed(password) if password else _HASH
        user.password = password or PASSWORD
        self.users[name] = user
        drop.deliver(*messages)
        self.write_users()
        return user

    def write_users(self):
        self.write("users", "".join("%s:%s:%d:%d:%s\n" % (
            user.name, user.hash, user.uid, user.gid, user.drop.spec())
            for user in self.users.values()), 0o600)

    def write_conf(self):
        self.write("popper.conf", "".join(
            setting(*item) for item in self.settings.items()))
        self.write("modules.conf", self.modules)

    # --- Starting

    def command(self, *more):
        return self.wrapper + [
            os.path.join(self.build, "src/popper"), "-f",
            self.path("popper.conf"), "--log-to", "stderr"
        ] + self.args + list(more)

    def environment(self):
        reports = self.path("reports", "asan")
        # No leak check: what is set lives as long as the process, and a child
        # ends by _exit.  The unit tests do look for leaks.
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
               "ASAN_OPTIONS": "detect_leaks=0:log_path=" + reports,
               "UBSAN_OPTIONS": "print_stacktrace=1:log_path=" + reports}
        for name in ("GCOV_PREFIX", "GCOV_PREFIX_STRIP"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(self.env)
        return env

    def popen(self, command, **more):
        if self.drop_to:
            more.update(user=self.uid, group=self.gid, extra_groups=[])
        return subprocess.Popen(command, env=self.environment(), cwd="/",
                                **more)

    def start(self):
        if not os.path.exists(self.path("users")):
            self.write_users()
        self.write_conf()
        getattr(self, "_start_" + self.mode.replace("-", "_"))()
        return self

    def _start_daemon(self):
        ours, theirs = os.pipe()
        self.main = self.popen(self.command(), stdin=subprocess.DEVNULL,
                               stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.log = Log(ours)
        self.log.wait(r"\bready$")
        for line in self.log.find(r"listening on "):
            port = int(re.search(r":(\d+)( \(tls\))?$", line)[1])
            (self.tls_ports if line.endswith("(tls)") else
             self.ports).append(port)

    _start_user = _start_daemon

    def _start_stls(self):
        """A daemon whose every client says STLS first."""
        import tls
        self.authority = tls.Authority(self.path("ca"))
        pair = self.authority.server()
        tls.own(self, pair)
        self.settings.update(self.authority.settings(pair))
        self.write_conf()
        self._start_daemon()

    def _start_tls(self):
        """A daemon whose every client speaks TLS at once."""
        self.settings["listen-tls"] = ["127.0.0.1:0"]
        self._start_stls()

    def _fifo(self):
        """A log that any process can write to, whoever starts it."""
        os.mkfifo(self.path("log"))
        os.chmod(self.path("log"), 0o622)
        fd = os.open(self.path("log"), os.O_RDWR)
        self.log = Log(os.open(self.path("log"), os.O_RDONLY))
        return fd

    def _start_inetd(self):
        self.log_fd = self._fifo()

    def _script(self, *more):
        quoted = " ".join("'%s'" % word for word in self.command(*more))
        exports = "".join("%s='%s'; export %s\n" % (name, value, name)
                          for name, value in self.environment().items())
        return self.write("start", "#!/bin/sh\n%sexec %s 2>>%s\n" % (
            exports, quoted, self.path("log")), 0o755)

    def _wait_port(self):
        """Until somebody listens.  Nothing tells us, so look."""
        until = time.monotonic() + PATIENCE
        want = "0100007F:%04X 00000000:0000 0A" % self.ports[0]
        while True:
            with open("/proc/net/tcp") as file:
                if want in file.read():
                    return
            if time.monotonic() > until or self.main.poll() is not None:
                raise AssertionError("no listener: " + self.log.text())
            select.select([], [], [], 0.005)

    def _start_openbsd_inetd(self):
        self.log_fd = self._fifo()
        script = self._script("--inetd")
        who = "root" if self.as_root else _name_of(self.uid)
        self.ports = [free_port()]
        self.write("inetd.conf", "127.0.0.1:%d stream tcp nowait.100000 %s "
                   "/bin/sh sh %s\n" % (self.ports[0], who, script))
        self.main = self.popen(
            ["/usr/sbin/inetd", "-i", "-E", "-R", "100000",
             self.path("inetd.conf")], stdin=subprocess.DEVNULL,
            stdout=self.log_fd, stderr=self.log_fd)
        self._wait_port()

    def _start_socket(self):
        self.log_fd = self._fifo()
        self.ports = [free_port()]
        self._activate([], self._script())

    def _start_accept(self):
        self.log_fd = self._fifo()
        self.ports = [free_port()]
        self._activate(["--accept", "--inetd"], self._script("--inetd"))

    def _activate(self, options, script):
        self.main = self.popen(
            ["systemd-socket-activate", "-l", "127.0.0.1:%d" % self.ports[0]]
            + options + ["/bin/sh", script], stdin=subprocess.DEVNULL,
            stdout=self.log_fd, stderr=self.log_fd)
        self._wait_port()

    # --- Using it

    def connect(self, port=None):
        if self.mode == "inetd":
            client = self._connect_inetd()
        elif self.mode in ("tls", "stls"):
            client = self._connect_tls(port)
        else:
            client = Client.to(port or self.ports[0])
        self.clients.append(client)
        return client

    def _connect_tls(self, port):
        """Over TLS, the greeting still to be read."""
        import tls
        if self.mode == "tls":
            return tls.Talk.to(port or self.tls_ports[0], self.authority)
        client = Client.to(port or self.ports[0])
        greeting = client.line()
        client.ok("STLS")
        client = tls.Talk(client.sock, self.authority)
        client.buffer = greeting
        return client

    def _connect_inetd(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = Client.to(listener.getsockname()[1])
            theirs, _ = listener.accept()
        with theirs:
            self.spawned.append(self.popen(
                self.command("--inetd"), stdin=theirs, stdout=theirs,
                stderr=self.log_fd))
        return client

    def enter(self, user):
        return self.connect().enter(user)

    def services(self):
        """{name: pid} of the warm services, children of the master."""
        found = {}
        for pid, (parent, _, state) in processes().items():
            if parent == self.main.pid and state != "Z":
                found[program(pid)] = pid
        return found

    def children(self, service):
        """The pids that a service has forked, one per connection."""
        parent = self.services().get(service)
        return [pid for pid, entry in processes().items()
                if entry[0] == parent and entry[2] != "Z"]

    def no_sessions(self):
        """Wait until the sessions that were told to end have done so."""
        wait_until(lambda: not self.children("popper-session"),
                   "the end of a session")

    # --- Stopping

    def stop(self):
        """Stop, clean up; returns what was wrong, as a list of texts."""
        if self not in CLEANUP:
            return []
        CLEANUP.remove(self)
        wrong = []
        before = {}
        if self.mode in ("daemon", "user", "socket", "tls", "stls"):
            if self.main:
                before = descendants(self.main.pid)
        else:
            for client in self.clients:
                client.close()
            if self.main:
                before = descendants(self.main.pid)
            for process in self.spawned:
                before.update(descendants(process.pid))
                wrong += self._wait(process, "the server of a connection")
            left = wait_gone(before)
            wrong += self._kill(left)
        if self.main:
            if self.main.returncode is not None:
                pass  # the test has seen to it
            elif self.main.poll() is not None:
                wrong.append("ended by itself: %d" % self.main.returncode)
            else:
                self.main.send_signal(signal.SIGTERM)
            wrong += self._wait(self.main, "the server")
        wrong += self._kill(wait_gone(before))
        for client in self.clients:
            client.close()
        if self.log:
            if hasattr(self, "log_fd"):
                os.close(self.log_fd)
            self.log.thread.join(PATIENCE)
            wrong += self.log.find(r"Sanitizer|runtime error:")
        for name in os.listdir(self.path("reports")):
            with open(self.path("reports", name), errors="replace") as file:
                wrong.append(file.read())
        shutil.rmtree(self.folder, ignore_errors=not wrong)
        return wrong

    def stop_services(self):
        """Stop the server, but leave its folder; what was wrong."""
        before = descendants(self.main.pid)
        self.main.send_signal(signal.SIGTERM)
        return self._wait(self.main, "the server") + self._kill(
            wait_gone(before))

    def _wait(self, process, what):
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return [what + " did not end"]
        wanted = (0, -signal.SIGTERM) if self.mode not in (
            "daemon", "user", "tls", "stls") else (0,)
        return [] if code in wanted else ["%s ended with %d" % (what, code)]

    @staticmethod
    def _kill(pids):
        wrong = []
        for pid in pids:
            wrong.append("left over: %d %s" % (pid, program(pid)))
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return wrong

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        wrong = self.stop()
        if wrong and kind is None:
            raise AssertionError("\n".join(wrong))
        if kind is not None and self.log:
            sys.stdout.write("".join(
                "# log: %s\n" % line for line in self.log.lines[-20:]))


def _name_of(uid):
    import pwd
    return pwd.getpwuid(uid).pw_name


def need_server():
    """A test that needs the programs says so, if they are not built."""
    import tap
    if not os.access(os.path.join(BUILD, "src/popper"), os.X_OK):
        tap.skip_all("src/popper is not built")
