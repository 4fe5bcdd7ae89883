#!/usr/bin/python3
"""TLS: versions, names, certificates, resumption, and what STLS forgets.

proves: R-2595-01 R-2595-02 R-2595-03 R-2595-04 R-2595-05 R-2595-10
proves: R-8314-01 R-8314-02 R-8314-03 R-8314-04 R-8314-05 R-8314-06
proves: R-9325-01 R-9325-02 R-9325-04 R-9325-05 R-9325-06 R-9325-07 R-9325-08
proves: R-9325-09 R-9325-10 R-9325-11 R-9325-12 R-9325-13 R-9325-14 R-8996-01
proves: R-9266-01 R-9266-02 R-6186-05 R-7677-02 R-7817-02 R-5034-18 R-5034-22 R-8314-12 R-8314-13 T-17 T-18 T-48
"""

import os
import re
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


class Rig:
    """A server with a CA, certificates and a user; made, then started."""

    def __init__(self, **settings):
        self.server = popper.Server(MODE, start=False)
        self.ca = tls.Authority(self.server.path("ca"))
        self.server.settings["listen-tls"] = ["127.0.0.1:0"]
        self.server.settings.update(
            {name.replace("_", "-"): value
             for name, value in settings.items()})
        self.user = self.server.add_user("mary", popper.DROPS[0], MESSAGES)

    def start(self, *pairs):
        self.pairs = pairs or (self.ca.server(),)
        tls.own(self.server, *self.pairs)
        self.server.settings.update(self.ca.settings(*self.pairs))
        self.server.start()
        self.port = self.server.tls_ports[0]
        return self

    def talk(self, **more):
        client = tls.Talk.to(self.port, self.ca, **more)
        self.server.clients.append(client)
        return client

    def s_client(self, *options, text="QUIT\r\n", port=None):
        """What openssl s_client prints; the server's last line in it."""
        return subprocess.run(
            ["openssl", "s_client", "-connect",
             "127.0.0.1:%d" % (port or self.port), "-CAfile",
             self.ca.certificate, "-ign_eof"] + list(options),
            input=text.encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60).stdout.decode("latin-1")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        wrong = self.server.stop()
        if kind is None:
            tap.equal(wrong, [], "the server ends clean")
        elif self.server.log:
            tap.diag(self.server.log.text())


def refused(rig, name, pattern, *options):
    tap.match(rig.s_client(*options), pattern, name)


def renegotiate(rig):
    """What openssl s_client says when told to; it ends by itself."""
    client = subprocess.Popen(
        ["timeout", "60", "openssl", "s_client", "-tls1_2", "-connect",
         "127.0.0.1:%d" % rig.port], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    client.stdin.write(b"R\n")
    client.stdin.flush()
    said = client.stdout.read().decode("latin-1")
    client.stdin.close()
    client.stdout.close()
    client.wait()
    return said


def versions():
    with Rig().start() as rig:
        for option, version in (("-tls1_2", "TLSv1.2"), ("-tls1_3",
                                                         "TLSv1.3")):
            said = rig.s_client(option)
            tap.match(said, r"(?s)New, %s.*\+OK .*\+OK " % version,
                      version + " at once: greeting and QUIT")
            tap.match(said, "Compression: NONE", version + ": no compression")
            said = rig.s_client(option, "-starttls", "pop3",
                                port=rig.server.ports[0])
            tap.match(said, r"(?s)New, %s.*\n\+OK " % version,
                      version + " after STLS")
        refused(rig, "TLS 1.1 is refused with protocol_version",
                "alert protocol version", "-tls1_1", "-cipher",
                "ALL:@SECLEVEL=0")
        refused(rig, "TLS_RSA is refused", "alert handshake failure",
                "-tls1_2", "-cipher", "AES128-GCM-SHA256")
        refused(rig, "CBC is refused", "alert handshake failure", "-tls1_2",
                "-cipher", "ECDHE-ECDSA-AES128-SHA")
        tap.match(rig.s_client("-tls1_2", "-cipher",
                               "ECDHE-ECDSA-AES256-GCM-SHA384:"
                               "ECDHE-ECDSA-AES128-GCM-SHA256"),
                  "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256",
                  "the server's order of ciphers counts")
        tap.match(renegotiate(rig), "no renegotiation",
                  "renegotiation is refused")
        tap.match(rig.s_client("-tls1_2"), "Extended master secret: yes",
                  "TLS 1.2 has the extended master secret")
        tap.match(rig.s_client("-tls1_3"), "Early data was not sent",
                  "no early data")
        tap.ok(rig.server.log.find(r"TLS handshake with 127\.0\.0\.1 failed"),
               "the log says why a handshake failed")
        client = rig.talk()
        client.enter(rig.user)
        client.quit()
        rig.server.log.wait(
            r'login from=127\.0\.0\.1 user="mary" mechanism=USER '
            r'tls="TLSv1\.3 TLS_AES_128_GCM_SHA256" messages=3 ')
        tap.ok(True, "the log says version and cipher of a login")
    with Rig(tls_minimum="1.3").start() as rig:
        refused(rig, "tls-minimum 1.3: TLS 1.2 is refused",
                "alert protocol version", "-tls1_2")


def protocols():
    with Rig().start() as rig:
        tap.match(rig.s_client("-alpn", "imap,pop3"), "ALPN protocol: pop3",
                  "ALPN: pop3 is taken")
        refused(rig, "ALPN: nothing but imap is refused",
                "alert no application protocol", "-alpn", "imap")
    with Rig(tls_strict_alpn=False).start() as rig:
        tap.match(rig.s_client("-alpn", "imap"), r"(?s)No ALPN.*\+OK ",
                  "tls-strict-alpn = no: imap is ignored")


def subject(said):
    return re.search(r"subject=(.*)", said)[1]


def names():
    rig = Rig()
    pairs = [rig.ca.server(["one.example"], "ecdsa", "first"),
             rig.ca.server(["one.example"], "rsa", "first-rsa"),
             rig.ca.server(["*.two.example"], "ecdsa", "wild"),
             rig.ca.server(["in.two.example"], "ecdsa", "exact")]
    rsa = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    with rig.start(*pairs):
        for host, want, more in (
                ("one.example", "first", ()), ("ONE.Example", "first", ()),
                ("one.example", "first-rsa", rsa),
                ("any.two.example", "wild", ()),
                ("in.two.example", "exact", ()),
                ("a.b.two.example", "first", ()),
                ("two.example", "first", ()),
                ("else.example", "first", ()),
                ("else.example", "first-rsa", rsa)):
            said = rig.s_client("-servername", host, *more)
            tap.equal(subject(said), "CN = " + want, "%s gets %s" % (
                host, want))
        tap.equal(subject(rig.s_client("-noservername")), "CN = first",
                  "no name gets the first")
        refused(rig, "a name without an RSA certificate and an RSA client",
                "alert handshake failure", "-servername", "in.two.example",
                *rsa)
    rig = Rig(tls_strict_names=True)
    with rig.start(rig.ca.server(["one.example"])):
        tap.match(rig.s_client("-servername", "one.example"), r"\+OK ",
                  "tls-strict-names: a known name")
        tap.match(rig.s_client("-noservername"), r"\+OK ",
                  "tls-strict-names: no name")
        refused(rig, "tls-strict-names: an unknown one",
                "unrecognized name", "-servername", "else.example")


def resumption():
    with Rig().start() as rig:
        kept = rig.server.path("run", "session")
        for option in ("-tls1_2", "-tls1_3"):
            first = rig.s_client(option, "-sess_out", kept)
            again = rig.s_client(option, "-sess_in", kept)
            tap.match(first, "New, TLS", option + ": a new session")
            tap.match(again, r"(?s)Reused, TLS.*\+OK ",
                      option + ": another worker takes its ticket")


def one_packet():
    """What stands behind STLS in its packet came from nobody knows whom."""
    with Rig().start() as rig:
        client = rig.server.connect()
        client.reply()
        client.ok("USER mary")
        client.send(b"STLS\r\nCAPA\r\nUSER mary\r\nNOOP\r\n")
        tap.match(client.reply(), r"^\+OK", "STLS is answered")
        talk = tls.Talk(client.sock, rig.ca)
        tap.equal(client.buffer, b"", "and nothing behind it in clear")
        tap.match(talk.cmd("PASS " + rig.user.password), r"^-ERR",
                  "the first answer inside TLS is that to the first command; "
                  "the name is forgotten")
        lines = talk.lines("CAPA")
        tap.ok("STLS" not in lines, "no STLS in CAPA inside TLS")
        tap.match(talk.cmd("STLS"), r"^-ERR", "nor is the command taken")
        tap.match(talk.login(rig.user), r"^\+OK", "USER and PASS work")
        tap.ok("STLS" not in talk.lines("CAPA"), "no STLS after the login")
        tap.match(talk.cmd("STLS"), r"^-ERR", "nor the command")
        talk.quit()

        client = rig.server.connect()
        client.reply()
        tap.ok("STLS" in client.lines("CAPA"), "STLS in CAPA before")
        client.ok("LANG de")
        client.ok("STLS")
        talk = tls.Talk(client.sock, rig.ca)
        tap.match(talk.cmd("NOOP"), r"not valid in this state",
                  "the language is forgotten too")

        client = rig.server.connect()
        client.reply()
        client.ok("STLS")
        client.send(b"CAPA\r\nQUIT\r\n")
        said = client.rest()
        tap.ok(b"+OK" not in said and b"-ERR" not in said,
               "a failed handshake is the end: %r" % said[:20])
        tap.equal(rig.user.drop.stored(), MESSAGES, "nothing was removed")


def without():
    """No certificate, or none wanted: no STLS."""
    for settings, name in (({}, "no certificate"),
                           ({"tls-support": "none"}, "tls-support = none")):
        server = popper.Server(MODE, start=False)
        with server:
            ca = tls.Authority(server.path("ca"))
            if settings:
                pair = ca.server()
                tls.own(server, pair)
                server.settings.update(ca.settings(pair))
                server.settings.update(settings)
            server.start()
            client = server.connect()
            client.reply()
            tap.ok("STLS" not in client.lines("CAPA"), name + ": not in CAPA")
            tap.match(client.cmd("STLS"), r"^-ERR", name + ": -ERR")
            tap.match(client.cmd("QUIT"), r"^\+OK", name + ": still there")
            client.close()


def starts(name, pattern, change):
    """The server refuses to start and says why."""
    rig = Rig()
    pair = rig.ca.server()
    rig.server.settings.update(rig.ca.settings(pair))
    change(rig, pair)
    tls.own(rig.server, pair)
    rig.server.write_conf()
    main = rig.server.popen(rig.server.command(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = main.communicate(timeout=popper.PATIENCE)[0].decode()
    tap.ok(main.returncode != 0, name + ": it does not start")
    tap.match(said, pattern, name + ": and says why")
    rig.server.stop()


def weak(rig, pair, *words):
    """A certificate of its own that openssl makes with the words."""
    tls._openssl(rig.ca.folder, "req", "-x509", "-nodes", "-subj", "/CN=weak",
                 "-keyout", pair.key, "-out", pair.certificate, *words)


def signed_with_sha1(rig, pair):
    tls._openssl(rig.ca.folder, "req", "-x509", "-nodes", "-subj", "/CN=weak",
                 "-newkey", "rsa:2048", "-keyout", pair.key, "-out",
                 pair.certificate, "-sha1", "-CA", rig.ca.pair.certificate,
                 "-CAkey", rig.ca.pair.key)


def refusals():
    starts("a key others can read", r"%s: holds a key and has mode 0644.*"
           r"chmod 600" % ".*key", lambda rig, pair:
           os.chmod(pair.key, 0o644))
    starts("a key the group can read", r"mode 0640", lambda rig, pair:
           os.chmod(pair.key, 0o640))
    starts("another key", r"fits no certificate", lambda rig, pair:
           os.rename(rig.ca.server().key, pair.key))
    starts("no key", r"no key fits this certificate.*tls-key",
           lambda rig, pair: rig.server.settings.update({"tls-key": []}))
    starts("no certificate", r"no certificate in it", lambda rig, pair:
           rig.server.settings.update({"tls-certificate": [
               rig.server.path("modules.conf")]}))
    starts("RSA 1024", r"RSA key of 1024 bits; 2048", lambda rig, pair:
           weak(rig, pair, "-newkey", "rsa:1024"))
    starts("SHA-1", r"signed with SHA1", signed_with_sha1)
    starts("a cipher that is none", r"tls-ciphers", lambda rig, pair:
           rig.server.settings.update({"tls-ciphers": "NOTHING"}))
    starts("a CA that is none", r"tls-client-ca", lambda rig, pair:
           rig.server.settings.update({"tls-client-ca": pair.key}))
    rig = Rig()
    pair = rig.ca.server()
    tls._openssl(rig.ca.folder, "x509", "-in", pair.certificate, "-signkey",
                 pair.key, "-days", "-1", "-out", pair.certificate)
    with rig.start(pair):
        tap.ok(rig.server.log.find("certificate has expired"),
               "an expired certificate is a warning")


def together():
    """Chain and key in one file, two keys in another, in any order."""
    rig = Rig()
    one, other, third = (rig.ca.server(), rig.ca.server(kind="rsa"),
                         rig.ca.server(["third.example"], name="third"))
    with open(third.certificate, "ab") as target:
        for path in (rig.ca.certificate, third.key):
            with open(path, "rb") as source:
                target.write(source.read())
    os.chmod(third.certificate, 0o600)
    with open(one.key, "rb") as file:
        keys = file.read()
    with open(other.key, "ab") as target:
        target.write(keys)
    if rig.server.drop_to:
        os.chown(third.certificate, rig.server.uid, rig.server.gid)
    with rig:
        tls.own(rig.server, other)
        rig.server.settings.update({
            "tls-certificate": [one.certificate, other.certificate,
                                third.certificate],
            "tls-key": other.key})
        rig.server.start()
        rig.port = rig.server.tls_ports[0]
        tap.match(rig.s_client("-servername", "third.example"),
                  r"(?s)subject=CN = third.*\+OK ", "key in the chain's file")
        tap.match(rig.s_client("-tls1_2", "-cipher",
                               "ECDHE-RSA-AES128-GCM-SHA256"), r"\+OK ",
                  "the RSA key of a file with two")
        tap.match(rig.s_client("-tls1_2", "-cipher",
                               "ECDHE-ECDSA-AES128-GCM-SHA256"), r"\+OK ",
                  "and the ECDSA key")


def external(client):
    """The reply to AUTH EXTERNAL without a word of the client's own."""
    return client.cmd("AUTH EXTERNAL =")


def persons():
    """Certificates of clients, and whose name is in them."""
    rig = Rig()
    good, bad = rig.ca.client("mary", email="x@y"), rig.ca.client("mary")
    stranger = tls.Authority(rig.server.path("other")).client("mary")
    rig.server.settings.update({
        "tls-client-ca": rig.ca.certificate, "tls-client-name": "cn",
        "tls-client-crl": rig.ca.crl(bad)})
    with rig.start():
        client = rig.talk()
        client.reply()
        tap.ok(not re.search("EXTERNAL", "".join(client.lines("CAPA"))),
               "no certificate: no EXTERNAL")
        tap.match(external(client), r"^-ERR", "nor is it taken")
        tap.match(client.login(rig.user), r"^\+OK", "but a password")
        client.quit()
        client = rig.talk(pair=good)
        client.reply()
        tap.match("\n".join(client.lines("CAPA")), "SASL .*EXTERNAL",
                  "a good certificate: EXTERNAL")
        tap.match(external(client), r"^\+OK maildrop has 3",
                  "which logs in whom it names")
        client.quit()
        for pair, alert, name in (
                (bad, "certificate revoked", "a revoked one"),
                (stranger, "unknown ca", "one of an unknown CA")):
            for option in ("-tls1_2", "-tls1_3"):
                refused(rig, name + " is refused, " + option,
                        "alert " + alert, option, "-cert", pair.certificate,
                        "-key", pair.key)
        kept = rig.server.path("run", "session")
        rig.s_client("-sess_out", kept, "-cert", good.certificate, "-key",
                     good.key)
        tap.ok(not os.path.exists(kept) or "Reused" not in rig.s_client(
            "-sess_in", kept), "nobody resumes what a certificate has begun")
    rig = Rig(tls_client_required=True)
    good = rig.ca.client("anybody")
    rig.server.settings["tls-client-ca"] = rig.ca.certificate
    with rig.start():
        client = rig.talk()
        client.reply()
        lines = client.lines("CAPA")
        tap.ok("USER" not in lines and "SASL" not in "".join(lines),
               "tls-client-required: nothing is offered without one")
        for command in ("USER mary", "AUTH PLAIN", "AUTH EXTERNAL =",
                        "APOP mary " + 32 * "0"):
            tap.match(client.cmd(command), r"^-ERR", command + " is refused")
        client.close()
        client = rig.talk(pair=good)
        tap.match(client.reply(), r"^\+OK", "with one, a greeting")
        tap.match(client.login(rig.user), r"^\+OK",
                  "and certificate and password log in")
        client.quit()


for test in (versions, protocols, names, resumption, one_packet, without,
             refusals, together, persons):
    tap.run(test)
tap.done()
