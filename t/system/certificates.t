#!/usr/bin/python3
"""Certificates and keys that change are picked up, and nobody is dropped."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(n) for n in range(1, 4)]
DONE = r"certificates read again$"
FAILED = r"still running with the old certificates: "


class Rig:
    """A server whose certificate and key are at paths of a test's choice."""

    def __init__(self, certificate, key):
        self.server = popper.Server(MODE, start=False)
        self.ca = tls.Authority(self.server.path("ca"))
        self.user = self.server.add_user("mary", popper.DROPS[0], MESSAGES)
        self.server.settings.update({
            "tls-certificate": self.server.path(certificate),
            "tls-key": self.server.path(key),
            "listen-tls": ["127.0.0.1:0"]})
        self.since = 0

    def path(self, name):
        return self.server.path(name)

    def folder(self, name):
        os.mkdir(self.path(name))
        os.chmod(self.path(name), 0o755)

    def put(self, source, name):
        tls.install(self.server, source, self.path(name))

    def link(self, target, name):
        """A symbolic link, in the place of the one that was there."""
        os.symlink(target, self.path(name + ".new"))
        os.rename(self.path(name + ".new"), self.path(name))

    def mark(self):
        self.since = len(self.server.log.lines)

    def wait(self, pattern):
        self.server.log.wait(pattern, self.since)
        self.mark()

    def enter(self):
        client = tls.connect(self.server.tls_ports[0], self.ca)
        self.server.clients.append(client)
        return client.enter(self.user)

    def serial(self):
        """Of the certificate that a new connection gets."""
        client = tls.connect(self.server.tls_ports[0], self.ca)
        client.reply()
        client.ok("QUIT")
        found = tls.serial(client)
        client.close()
        return found

    def stls_serial(self):
        client = self.server.connect()
        client.reply()
        tls.upgrade(client, self.ca)
        client.ok("QUIT")
        return tls.serial(client)

    def stop(self, name):
        tap.equal(self.server.stop(), [], name + ": the server ends clean")


def renamed():
    """Files that are replaced, one after the other."""
    rig = Rig("tls/pop.pem", "tls/pop.key")
    first, second, third = (rig.ca.server() for _ in range(3))
    rig.folder("tls")
    rig.put(first.certificate, "tls/pop.pem")
    rig.put(first.key, "tls/pop.key")
    rig.server.start()
    rig.mark()
    inside = rig.enter()
    tap.equal(rig.serial(), first.serial(), "at first the first certificate")

    rig.put(second.key, "tls/pop.key")
    rig.put(second.certificate, "tls/pop.pem")
    rig.wait(DONE)
    tap.equal(rig.serial(), second.serial(), "replaced: new ones get the new")
    tap.equal(rig.stls_serial(), second.serial(), "with STLS as well")
    tap.equal(inside.fetch("RETR 2"), rig.user.drop.wire(MESSAGES[1]),
              "an open session goes on")

    rig.put(third.certificate, "tls/pop.pem")
    rig.wait(FAILED)
    tap.equal(rig.serial(), second.serial(),
              "a certificate without its key: the old pair serves")
    rig.put(third.key, "tls/pop.key")
    rig.wait(DONE)
    tap.equal(rig.serial(), third.serial(), "its key comes: the new pair")

    os.chmod(rig.path("tls/pop.key"), 0o644)
    rig.wait(FAILED)
    tap.equal(rig.serial(), third.serial(),
              "a key that others can read: the old services serve")
    os.chmod(rig.path("tls/pop.key"), 0o600)
    rig.wait(DONE)

    os.unlink(rig.path("tls/pop.pem"))
    rig.wait(FAILED)
    tap.equal(rig.serial(), third.serial(), "no file: the old services serve")
    rig.put(first.certificate, "tls/pop.pem")
    rig.put(first.key, "tls/pop.key")
    rig.wait(DONE)
    tap.equal(rig.serial(), first.serial(), "and the files that come are read")

    inside.ok("DELE 1")
    tap.match(inside.cmd("QUIT"), r"^\+OK", "the open session ends as it should")
    inside.close()
    tap.equal(rig.user.drop.stored(), MESSAGES[1:], "its deletion is done")
    rig.stop("replaced")


def storm():
    """Files that change all the time, or not at all."""
    rig = Rig("tls/pop.pem", "tls/pop.key")
    pair, other = rig.ca.server(), rig.ca.server()
    rig.folder("tls")
    rig.put(pair.certificate, "tls/pop.pem")
    rig.put(pair.key, "tls/pop.key")
    rig.server.start()
    rig.mark()
    for number in range(200):
        rig.server.write("tls/other", "%d" % number)
    for _ in range(100):
        rig.put(pair.certificate, "tls/pop.pem")
    rig.put(other.key, "tls/pop.key")
    rig.put(other.certificate, "tls/pop.pem")
    while rig.serial() != other.serial():
        rig.wait(DONE)
    # 100 changes would be 100 reloads; a slow machine may see a few groups.
    lines = len(rig.server.log.find(DONE)) + len(rig.server.log.find(FAILED))
    tap.ok(lines <= 20, "302 changes: a few reloads (%d)" % lines)
    before = len(rig.server.log.find("read again"))
    for number in range(200):
        rig.server.write("tls/other", "%d" % number)
    rig.serial()
    tap.equal(len(rig.server.log.find("read again")), before,
              "a file beside them means nothing")
    rig.stop("storm")


def linked():
    """A link in the path is switched, as certbot does."""
    rig = Rig("live/pop/cert.pem", "live/pop/key.pem")
    for name in ("live", "live/pop", "archive"):
        rig.folder(name)
    first, second = rig.ca.server(), rig.ca.server()
    for number, pair in enumerate((first, second), 1):
        rig.put(pair.certificate, "archive/cert%d.pem" % number)
        rig.put(pair.key, "archive/key%d.pem" % number)
    rig.link("../../archive/cert1.pem", "live/pop/cert.pem")
    rig.link("../../archive/key1.pem", "live/pop/key.pem")
    rig.server.start()
    rig.mark()
    inside = rig.enter()
    rig.link("../../archive/key2.pem", "live/pop/key.pem")
    rig.link("../../archive/cert2.pem", "live/pop/cert.pem")
    rig.wait(DONE)
    tap.equal(rig.serial(), second.serial(), "a link is switched")
    rig.put(first.key, "archive/key2.pem")
    rig.put(first.certificate, "archive/cert2.pem")
    rig.wait(DONE)
    tap.equal(rig.serial(), first.serial(), "the link's target is replaced")
    tap.match(inside.cmd("STAT"), r"^\+OK 3 ", "an open session goes on")
    rig.stop("linked")


def moved():
    """A folder of links is switched, as a mounted secret is; and one that no
    event tells of."""
    rig = Rig("mount/cert.pem", "mount/key.pem")
    first, second, third = (rig.ca.server() for _ in range(3))
    for name in ("mount", "mount/1", "mount/2", "far", "far/3"):
        rig.folder(name)
    for pair, folder in ((first, "mount/1"), (second, "mount/2"),
                         (third, "far/3")):
        rig.put(pair.certificate, folder + "/cert.pem")
        rig.put(pair.key, folder + "/key.pem")
    rig.link("1", "mount/data")
    rig.link("data/cert.pem", "mount/cert.pem")
    rig.link("data/key.pem", "mount/key.pem")
    rig.server.start()
    rig.mark()
    everything = popper.processes()
    services = {pid: everything[pid][1]
                for pid in rig.server.services().values()}
    rig.link("2", "mount/data")
    rig.wait(DONE)
    tap.equal(rig.serial(), second.serial(), "a folder of links is switched")
    rig.link("../far/now", "mount/data")  # leads nowhere
    rig.wait(FAILED)
    tap.equal(rig.serial(), second.serial(), "to nowhere: the old ones serve")
    rig.link("3", "far/now")
    rig.wait(DONE)
    tap.equal(rig.serial(), third.serial(),
              "what happens in a folder that is not watched is seen as well")
    tap.equal((len(services), popper.wait_gone(services)), (3, []),
              "the first services are gone")
    rig.stop("moved")


for TEST in (renamed, storm, linked, moved):
    tap.run(TEST)
tap.done()
