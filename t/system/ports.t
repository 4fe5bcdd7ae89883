#!/usr/bin/python3
"""Which sockets speak TLS at once: listen-tls, tls-support, sockets that were
passed, inetd.

proves: R-8314-01 R-8314-03 R-9325-03 R-2595-08
"""

import os
import signal
import subprocess
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


def rig(mode=MODE, certificate=True, start=True, kind=popper.Server,
        **settings):
    """A server with a certificate, its CA and a user."""
    server = kind(mode, start=False)
    server.ca = tls.Authority(server.path("ca"))
    if certificate:
        pair = server.ca.server()
        tls.own(server, pair)
        server.settings.update(server.ca.settings(pair))
    server.settings.update({name.replace("_", "-"): value
                            for name, value in settings.items()})
    server.mary = server.add_user("mary", popper.DROPS[0], MESSAGES)
    return server.start() if start else server


def offers_stls(client):
    client.reply()
    found = "STLS" in client.lines("CAPA")
    client.leave()
    return found


def serves_tls(server, client):
    """A client that has heard nothing yet speaks TLS and fetches mail."""
    client.enter(server.mary)
    got = client.fetch("RETR 2")
    client.ok("QUIT")
    client.close()
    return got == server.mary.drop.wire(MESSAGES[1])


def both():
    """listen and listen-tls."""
    server = rig(listen_tls=["127.0.0.1:0"])
    tap.equal((len(server.ports), len(server.tls_ports)), (1, 1),
              "one socket of each kind")
    tap.ok(offers_stls(server.connect()), "the one offers STLS")
    tap.ok(serves_tls(server, tls.connect(server.tls_ports[0], server.ca)),
           "the other speaks TLS at once")
    client = server.connect(server.tls_ports[0])
    client.send(b"USER mary\r\n")
    tap.ok(b"+OK" not in client.rest(), "and nothing else")
    client = tls.connect(server.tls_ports[0], server.ca)
    client.reply()
    tap.ok("STLS" not in client.lines("CAPA"), "and offers no STLS there")
    client.close()
    tap.equal(server.stop(), [], "both: the server ends clean")


def one_kind():
    """tls-support and the command line's -l."""
    server = rig(tls_support="alternate-port")
    tap.equal((len(server.ports), len(server.tls_ports)), (0, 1),
              "alternate-port: listen is for TLS")
    tap.ok(serves_tls(server, tls.connect(server.tls_ports[0], server.ca)),
           "which is spoken there")
    tap.equal(server.stop(), [], "alternate-port: the server ends clean")
    server = rig(tls_support="none", clear_text_password="always")
    tap.ok(not offers_stls(server.connect()), "none: no STLS")
    tap.equal(server.stop(), [], "none: the server ends clean")
    server = rig(start=False)
    server.args = ["-l", "2"]
    server.start()
    tap.equal(len(server.tls_ports), 1, "-l 2: listen is for TLS")
    tap.equal(server.stop(), [], "-l 2: the server ends clean")


def reloaded():
    """A socket comes and goes with SIGHUP."""
    server = rig()
    inside = server.enter(server.mary)
    server.settings["listen-tls"] = ["127.0.0.1:%d" % popper.free_port()]
    server.write_conf()
    since = len(server.log.lines)
    server.main.send_signal(signal.SIGHUP)
    port = int(server.log.wait(r"listening on 127\.0\.0\.1:(\d+) \(tls\)$",
                               since)[1])
    server.log.wait("settings read again", since)
    inside.leave()
    tap.ok(serves_tls(server, tls.connect(port, server.ca)),
           "SIGHUP: a new socket for TLS")
    del server.settings["listen-tls"]
    server.write_conf()
    since = len(server.log.lines)
    before = popper.descendants(server.main.pid)
    server.main.send_signal(signal.SIGHUP)
    server.log.wait("settings read again", since)
    tap.equal(popper.wait_gone(before), [], "the old services end")
    try:
        popper.Client.to(port).close()
        refused = False
    except ConnectionRefusedError:
        refused = True
    tap.ok(refused, "and it is closed again")
    tap.equal(server.stop(), [], "reloaded: the server ends clean")


class Passed(popper.Server):
    """As a service manager passes a socket, with a name."""

    name = "pop3s"

    def _start_named(self):
        self.log_fd = self._fifo()
        self.ports = [popper.free_port()]
        self._activate(["--fdname=" + self.name], self._script())


def passed(name, **settings):
    server = rig("named", start=False, kind=Passed, **settings)
    server.name = name
    return server.start()


def stop_passed(server, what):
    before = popper.descendants(server.main.pid)
    server.main.send_signal(signal.SIGTERM)
    tap.equal(server.main.wait(popper.PATIENCE), 0, what + ": it ends")
    tap.equal(popper.wait_gone(before), [], what + ": no process is left")
    tap.equal(server.stop(), [], what + ": the server ends clean")


def sockets():
    """Sockets of a service manager."""
    server = passed("pop3s")
    tap.ok(serves_tls(server, tls.connect(server.ports[0], server.ca)),
           "a socket named pop3s speaks TLS at once")
    stop_passed(server, "pop3s")
    server = passed("pop3")
    tap.ok(offers_stls(server.connect()), "one of another name does not")
    stop_passed(server, "pop3")
    server = passed("pop3", tls_support="alternate-port")
    tap.ok(serves_tls(server, tls.connect(server.ports[0], server.ca)),
           "with alternate-port it does")
    stop_passed(server, "alternate-port")
    server = passed("pop3s", tls_support="none",
                    clear_text_password="always")
    tap.ok(not offers_stls(server.connect()), "with none there is no TLS")
    stop_passed(server, "none")
    server = passed("pop3s", certificate=False)
    try:
        heard = server.connect().rest()
    except ConnectionError:  # it has ended already
        heard = b""
    tap.equal(heard, b"", "TLS without a certificate: no service")
    server.log.wait("was passed for TLS: set tls-certificate")
    tap.equal(server.main.wait(popper.PATIENCE), 1,
              "the log says what is missing, and it ends")
    server.stop()


def inetd():
    """One connection from inetd."""
    server = rig("inetd", tls_support="alternate-port")
    client = server.connect()
    tap.ok(serves_tls(server, tls.wrap(client, server.ca.context())),
           "alternate-port: TLS at once")
    tap.equal(server.stop(), [], "inetd: the server ends clean")
    server = rig("inetd")
    client = server.connect()
    client.reply()
    tls.upgrade(client, server.ca)
    tap.match(client.login(server.mary), r"^\+OK", "else STLS")
    client.ok("QUIT")
    client.close()
    tap.equal(server.stop(), [], "inetd with STLS: the server ends clean")


def certificate_check():
    """--check reads the files of certificates too."""
    server = rig(start=False)
    server.write_conf()

    def check():
        done = subprocess.run(
            server.command("--check"), env=server.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60,
            **({"user": server.uid, "group": server.gid,
                "extra_groups": []} if server.drop_to else {}))
        return done.returncode, done.stdout

    tap.equal(check()[0], 0, "--check of a good pair")
    server.settings["tls-key"] = server.path("nothing")
    server.write_conf()
    status, output = check()
    tap.ok(status == 1 and server.path("nothing") in output,
           "--check names a key that is not there")
    server.stop()


for TEST in (both, one_kind, reloaded, sockets, inetd, certificate_check):
    tap.run(TEST)
tap.done()
