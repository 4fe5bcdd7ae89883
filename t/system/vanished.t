#!/usr/bin/python3
"""A client whose machine or line has died: its session ends, and with it the
lock, long before its timeout.

In network namespaces of its own: the client is at the other end of a cable
that is cut, while others still reach the server.  Root only.
"""

import ctypes
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
CLONE_NEWNET = 0x40000000
OURS, THEIRS = "192.0.2.1", "192.0.2.2"
MESSAGES = [mail.simple(n) for n in range(1, 4)]
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)


def enter_namespace(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Cable:
    """This process, and the server it starts, at one end; the other is a
    namespace that lives as long as its descriptor."""

    def __init__(self):
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        far = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        # ip(8) knows a namespace by a process in it.
        holder = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        near = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.far, self.near = far, near
        ip("link", "set", "lo", "up")
        ip("link", "add", "near", "type", "veth", "peer", "name", "far",
           "netns", str(holder.pid))
        holder.communicate()

    def plug(self):
        ip("address", "replace", OURS + "/24", "dev", "near")
        ip("link", "set", "near", "up")
        enter_namespace(self.far)
        try:
            ip("address", "replace", THEIRS + "/24", "dev", "far")
            ip("link", "set", "far", "up")
        finally:
            enter_namespace(self.near)

    def cut(self):
        enter_namespace(self.far)
        try:
            ip("link", "set", "far", "down")
        finally:
            enter_namespace(self.near)

    def connect(self, port):
        """A client of the other end; a socket stays in its namespace."""
        enter_namespace(self.far)
        try:
            return popper.Client(socket.create_connection((OURS, port)))
        finally:
            enter_namespace(self.near)


def session(cable, server, user):
    cable.plug()
    client = cable.connect(server.ports[0])
    client.reply()
    client.ok("USER " + user.name)
    client.ok("PASS " + popper.PASSWORD)
    client.ok("DELE 1")
    return client


def ends(server, user, since, what):
    server.log.wait(r'session-end .*why=(lost|closed)', since)
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK %d " % len(user.drop.stored()),
              what + ": the next login gets in, and nothing is deleted")
    client.quit()


def silent(cable, server, user):
    client = session(cable, server, user)
    since = len(server.log.lines)
    other = server.connect()
    other.reply()
    tap.match(other.login(user), r"^-ERR \[IN-USE\]", "somebody is in")
    cable.cut()
    ends(server, user, since, "a silent client vanished")
    other.close()
    client.sock.close()


def in_the_middle(cable, server, user):
    """There is an answer on its way, more than buffers hold."""
    user.drop.deliver(mail.simple(4) + b"a line\n" * 3000000)
    client = session(cable, server, user)
    since = len(server.log.lines)
    client.send(b"RETR 4\r\n")
    client.line()
    cable.cut()
    ends(server, user, since, "a client vanished from its RETR")
    client.sock.close()


if not popper.ROOT:
    tap.skip_all("needs network namespaces")
try:
    line = Cable()
except (OSError, subprocess.CalledProcessError) as why:
    tap.skip_all("no network namespaces here: %s" % why)
with popper.Server("daemon", {
        "listen": ["0.0.0.0:0"], "keepalive": 1, "keepalive-timeout": 2,
        "clear-text-password": "always"}) as server:
    one = server.add_user("one", popper.DROPS[0], MESSAGES)
    tap.run(lambda: silent(line, server, one))
    tap.run(lambda: in_the_middle(line, server, one))
tap.done()
