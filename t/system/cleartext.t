#!/usr/bin/python3
"""clear-text-password: which connections may show a password, from the
loopback address and from elsewhere.  Where it may not, right and wrong ones
are refused alike, before they are looked at, and are not in CAPA.

proves: R-2595-06 R-2595-09 R-5034-19 R-5034-22 R-4616-06 R-8314-09 R-9325-03
proves: T-47
"""

import base64
import ctypes
import fcntl
import hashlib
import os
import re
import socket
import struct
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
FAR = "192.0.2.1"  # for documentation: nobody's (RFC 5737)
SECRET = "tanstaaf, said he"
APOP = os.path.exists(os.path.join(popper.BUILD, "modules/auth/apop.la"))
PLACES = ("near", "near, TLS", "near, STLS", "far", "far, TLS", "far, STLS")
ENCRYPTED = {place for place in PLACES if "TLS" in place}
NEAR = {place for place in PLACES if place.startswith("near")}
TAKEN = {"default": NEAR | ENCRYPTED, "local": NEAR, "tls": ENCRYPTED,
         "always": set(PLACES), "never": set()}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def apart():
    """Go to a network of our own, which has nothing but this host, under
    127.0.0.1 and FAR.  False if the system does not let us."""
    user, group = os.geteuid(), os.getegid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(0x40000000 | (0 if popper.ROOT else 0x10000000)) != 0:
        return False  # CLONE_NEWNET, CLONE_NEWUSER
    if not popper.ROOT:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", "%d %d 1" % (user, user))
        write("/proc/self/gid_map", "%d %d 1" % (group, group))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack(  # SIOCSIFFLAGS: up, running
            "16sh22x", b"lo", 0x41))
        fcntl.ioctl(sock, 0x8916, struct.pack(  # SIOCSIFADDR
            "16sHH4s16x", b"lo:1", socket.AF_INET, 0,
            socket.inet_aton(FAR)))
    return True


def make(rule):
    server = popper.Server(MODE, start=False)
    server.ca = tls.Authority(server.path("ca"))
    pair = server.ca.server()
    tls.own(server, pair)
    server.settings.update(server.ca.settings(pair), **{
        "listen": ["127.0.0.1:0", FAR + ":0"], "max-tries": 100,
        "listen-tls": ["127.0.0.1:0", FAR + ":0"]})
    if rule != "default":
        server.settings["clear-text-password"] = rule
    server.mary = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
    if APOP:
        server.modules = 'auth apop { file = "%s" }\n%s' % (
            server.path("mailauth"), server.modules)
        for words, text in ((["init"], ""), (["add", "mary"], SECRET)):
            subprocess.run([os.path.join(popper.BUILD, "src/popauth"), "-f",
                            server.path("mailauth")] + words, check=True,
                           input=text + "\n", text=True, timeout=60,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        if server.drop_to:
            os.chown(server.path("mailauth"), server.uid, server.gid)
    server.start()
    return server


def connect(server, place):
    """A client there; it and its greeting."""
    host = "127.0.0.1" if place in NEAR else FAR
    ports = {}
    for line in server.log.find(r"listening on "):
        address, port, kind = re.search(
            r"on (\S+):(\d+)( \(tls\))?$", line).groups()
        ports[address, bool(kind)] = int(port)
    client = popper.Client.to(ports[host, place.endswith(" TLS")], host)
    server.clients.append(client)
    if place.endswith(" TLS"):
        tls.wrap(client, server.ca.context())
    greeting = client.reply()
    if place.endswith("STLS"):
        tls.upgrade(client, server.ca)
    return client, greeting


def offered(client):
    """What CAPA has of USER, PLAIN, LOGIN."""
    lines = client.lines("CAPA")
    words = [line.split() for line in lines if line.startswith("SASL")]
    return {"USER"} & set(lines) | {"PLAIN", "LOGIN"} & set(sum(words, []))


def plain(name, password):
    octets = b"\0" + name.encode() + b"\0" + password.encode()
    return "AUTH PLAIN " + base64.b64encode(octets).decode()


def taken(client, what):
    tap.equal(offered(client), {"USER", "PLAIN", "LOGIN"}, what + ": in CAPA")
    tap.match(client.cmd(plain("mary", "wrong")), r"^-ERR \[AUTH\]",
              what + ": a wrong password is looked at")
    tap.match(client.login("mary"), r"^\+OK maildrop", what + ": taken")
    client.quit()


def refused(client, rule, place):
    what = "%s, %s" % (rule, place)
    tap.equal(offered(client), set(), what + ": not in CAPA")
    hint = place == "far" and "far, TLS" in TAKEN[rule] or rule == "tls"
    for name, lines, pattern in (
            ("USER", ("USER mary", "USER nobody"),
             "not without encryption" if hint else "not offered"),
            ("AUTH", ("AUTH PLAIN", "AUTH LOGIN",
                      plain("mary", popper.PASSWORD), plain("mary", "wrong"),
                      plain("nobody", "wrong")), r"^-ERR [^\[]"),
            ("PASS", ("PASS " + popper.PASSWORD, "PASS wrong"),
             r"^-ERR [^\[]")):
        answers = {client.cmd(line) for line in lines}
        tap.equal(len(answers), 1, "%s: %s has one answer" % (what, name))
        tap.match(answers.pop(), pattern, "%s: %s is refused" % (what, name))


def apop(client, greeting, what):
    stamp = re.search(r"<.*>", greeting)[0]
    tap.match(client.cmd("APOP mary " + hashlib.md5(
        (stamp + SECRET).encode()).hexdigest()), r"^\+OK maildrop",
        what + ": APOP logs in")
    client.quit()


def play(rule):
    server = make(rule)
    for place in PLACES:
        what = "%s, %s" % (rule, place)
        client, greeting = connect(server, place)
        if place in TAKEN[rule]:
            taken(client, what)
        else:
            refused(client, rule, place)
            if APOP:
                apop(client, greeting, what)
    tap.equal(server.stop(), [], rule + ": the server ends clean")
    tap.equal(len(server.log.find("login-failed code=AUTH ")),
              len(TAKEN[rule]), rule + ": nothing was looked at elsewhere")


if not apart():
    tap.skip_all("no network namespace of our own here")
for RULE in TAKEN:
    tap.run(lambda: play(RULE), RULE)
tap.done()
