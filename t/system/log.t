#!/usr/bin/python3
"""The log: the Stats line, failed logins, forged lines, names of clients."""

import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]


def stats():
    """-s: one line per session, as log readers of popper know it."""
    with popper.Server(MODE, args=["-s"], start=False) as server:
        user = server.add_user("mary", popper.DROPS[-1], MESSAGES)
        server.start()
        sizes = [len(user.drop.wire(raw)) for raw in MESSAGES]
        client = server.enter(user)
        client.ok("DELE 2")
        since = len(server.log.lines)
        client.quit()
        line = server.log.wait(r"Stats: .*", since)
        tap.equal(line[0], "Stats: mary 1 %d 2 %d 127.0.0.1 127.0.0.1" % (
            sizes[1], sizes[0] + sizes[2]), "Stats after a deletion")
        tap.match(line.string, r"^popper\[\d+\]: Stats: ",
                  "as log readers of popper want it")
        since = len(server.log.lines)
        server.enter(user).quit()
        line = server.log.wait(r"Stats: .*", since)
        tap.equal(line[0], "Stats: mary 0 0 2 %d 127.0.0.1 127.0.0.1" % (
            sizes[0] + sizes[2]), "Stats of a session that changed nothing")
        since = len(server.log.lines)
        client = server.enter(user)
        client.ok("DELE 1")
        client.leave()
        server.stop_services()
        lines = [x for x in server.log.lines[since:] if "Stats:" in x]
        tap.equal([x for x in lines if re.search(r"mary [1-9]", x)], [],
                  "no deletion is told where none was done")


def no_stats():
    """Without -s there is none."""
    with popper.Server(MODE, start=False) as server:
        user = server.add_user("mary", popper.DROPS[-1], MESSAGES)
        server.start()
        server.enter(user).quit()
        server.stop_services()
        tap.equal(server.log.find("Stats:"), [], "no Stats without -s")


def failures():
    """A failed login: who and from where; never the password."""
    with popper.Server(MODE, start=False) as server:
        user = server.add_user("mary", popper.DROPS[-1], MESSAGES)
        server.start()
        client = server.connect()
        client.reply()
        client.login(user, "my-secret-word")
        server.log.wait(r'login-failed code=AUTH from=127\.0\.0\.1 '
                        r'user="mary" mechanism=USER tls="" reason="')
        tap.ok(True, "a failed login is logged")
        client.send(b"USER a\" at (x) 1.2.3.4\r\n")
        client.reply()
        client.send(b"USER \x1b[2J\r\n")
        client.reply()
        client.send(b"USER x\\ny\r\nPASS my-secret-word\r\n")
        client.reply()
        client.reply()
        server.log.wait(r'login-failed .*user="x')
        client.send(b"my-secret-word\r\nPASS my-secret-word\r\n")
        client.reply()
        client.reply()
        client.leave()
        server.stop_services()
        text = server.log.text()
        tap.ok("my-secret-word" not in text, "no password is in the log")
        tap.equal([line for line in server.log.lines
                   if not re.match(r"popper\[\d+\]: [ -~]*$", line)
                   and line != "<end of log>"], [],
                  "each line is one of ours, printable ASCII")


def trace_file():
    """-t: the log goes to a file; SIGHUP opens it anew."""
    with popper.Server(MODE, start=False) as server:
        path = server.path("run", "trace")
        server.args += ["-t", path]
        user = server.add_user("mary", popper.DROPS[-1], MESSAGES)
        server.write_conf()
        server.write_users()
        command = [word for word in server.command()
                   if word not in ("--log-to", "stderr")]
        server.main = server.popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        wait_for(server, path, r"ready")
        with open(path) as file:
            text = file.read()
        server.ports = [int(re.search(r"listening on .*:(\d+)", text)[1])]
        tap.equal(os.stat(path).st_mode & 0o077, 0,
                  "the trace file is nobody else's")
        os.rename(path, path + ".1")
        server.main.send_signal(signal.SIGHUP)
        wait_for(server, path, r"")
        server.enter(user).leave()
        wait_for(server, path, r'login from=\S+ user="mary"')
        tap.ok(True, "after SIGHUP a new trace file is written")


def wait_for(server, path, pattern):
    """Until a file has a line; it is another process that writes it."""
    until = time.monotonic() + popper.PATIENCE
    while time.monotonic() < until and server.main.poll() is None:
        try:
            with open(path) as file:
                if re.search(pattern, file.read()):
                    return
        except FileNotFoundError:
            pass
        select.select([], [], [], 0.005)
    raise AssertionError("%s: no %s" % (path, pattern))


class Resolver:
    """A name server on 127.0.0.77: knows a liar and a nobody, and about
    anyone else it says nothing until release()."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.77", 53))
        self.asked = threading.Event()
        self.waiting = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(512)
            except OSError:
                return
            self.asked.set()
            answer = self.answer(query)
            if answer:
                self.sock.sendto(answer, peer)
            else:
                self.waiting.append((query, peer))

    def release(self):
        for query, peer in self.waiting:
            self.sock.sendto(query[:2] + b"\x81\x83" + query[4:6] +
                             b"\0\0\0\0\0\0" + query[12:], peer)

    @staticmethod
    def answer(query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        name, data = ".".join(labels).lower(), None
        if kind == 12 and name.startswith("11.0.0.127."):
            data = b"\4liar\7example\0"
        elif kind == 12 and name.startswith("12.0.0.127."):
            data = b"\7unknown\7example\0"
        elif kind == 12:
            return None
        elif kind == 1 and name == "liar.example":
            data = bytes([192, 0, 2, 1])
        head = query[:2] + struct.pack(
            "!HHHHH", 0x8180 if data or name == "liar.example" else 0x8183,
            1, 1 if data else 0, 0, 0)
        record = b"" if data is None else b"\xc0\x0c" + struct.pack(
            "!HHIH", kind, 1, 60, len(data)) + data
        return head + question + record


def names():
    """Names of clients are found while the session goes on."""
    if subprocess.run(["unshare", "-m", "true"],
                      stderr=subprocess.DEVNULL).returncode:
        tap.skip("names of clients", "needs a mount namespace")
        return
    try:
        resolver = Resolver()
    except OSError as error:
        tap.skip("names of clients", "no name server here: %s" % error)
        return
    with popper.Server(MODE, args=["-s"], start=False,
                       conf={"reverse-lookup": True, "log-login": "yes"}
                       ) as server:
        conf = server.write("resolv.conf", "nameserver 127.0.0.77\n"
                            "options timeout:30 attempts:1\n")
        hosts = server.write("hosts", "127.0.0.1 localhost\n"
                             "127.0.0.9 client.example.org\n")
        nss = server.write("nsswitch.conf", "hosts: files dns\n"
                           "passwd: files\ngroup: files\n")
        server.wrapper = ["unshare", "-m", "sh", "-c",
                          "mount --bind %s /etc/resolv.conf && "
                          "mount --bind %s /etc/hosts && "
                          "mount --bind %s /etc/nsswitch.conf && "
                          "exec \"$@\"" % (conf, hosts, nss), "sh"]
        user = server.add_user("mary", popper.DROPS[-1], MESSAGES)
        server.start()

        def session(source):
            sock = socket.create_connection(
                ("127.0.0.1", server.ports[0]), popper.PATIENCE,
                (source, 0))
            return popper.Client(sock).enter(user)

        session("127.0.0.9").quit()
        server.log.wait(r"Stats: mary 0 0 3 \d+ client\.example\.org "
                        r"127\.0\.0\.9$")
        tap.ok(True, "a client's name in the Stats line")
        server.log.wait(r'\]: \(v[\d.]+\) POP login by user "mary" at '
                        r'\(client\.example\.org\) 127\.0\.0\.9$')
        server.log.wait(r'session-end from=127\.0\.0\.9 user="mary" '
                        r'host=client\.example\.org ')
        tap.ok(True, "in the line of log-login and in a session's end")
        client = session("127.0.0.11")
        server.log.wait(r'Client address "127\.0\.0\.11" not listed for its '
                        r'host name "liar\.example"')
        tap.ok(True, "a name that leads elsewhere is told")
        client.quit()
        server.log.wait(r"Stats: mary 0 0 3 \d+ 127\.0\.0\.11 127\.0\.0\.11$")
        tap.ok(True, "and not believed")
        client = session("127.0.0.12")
        server.log.wait(r'Client at "127\.0\.0\.12" resolves to an unknown '
                        r'host name "unknown\.example"')
        tap.ok(True, "a name without address is told")
        client.leave()
        resolver.asked.clear()
        client = session("127.0.0.13")
        tap.ok(resolver.asked.wait(popper.PATIENCE),
               "a resolver that never answers has been asked")
        tap.equal(client.cmd("STAT")[:6], "+OK 3 ",
                  "greeting, login and commands do not wait for it")
        resolver.release()
        client.leave()
    resolver.sock.close()


tap.run(stats)
tap.run(no_stats)
tap.run(failures)
tap.run(trace_file)
if popper.ROOT and shutil.which("unshare"):
    tap.run(names)
else:
    tap.skip("names of clients", "needs root")
tap.done()
