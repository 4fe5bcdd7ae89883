#!/usr/bin/python3
"""AUTH inside TLS: every mechanism by STLS and at once, and the channel
binding of SCRAM's -PLUS variants."""

import os
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import sasl  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
sasl.need_module()
WAYS = ("stls", "tls")
PLUS = ["SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]
REFUSED = r"^-ERR \[AUTH\]"


class Middle:
    """A client's side that says what it was told to."""

    def __init__(self, mechanism, *messages):
        self.mechanism, self.messages = mechanism, list(messages)
        self.server_first = False

    def first(self):
        return self.next(b"")

    def next(self, challenge):
        return self.messages.pop(0)


def bound(scene, way, kind, mechanism, spoil=False, more=(), **names):
    """A login with the binding of this very connection; the reply."""
    port = (scene.server.tls_ports if way == "tls" else
            scene.server.ports)[0]
    client = sasl.Bound(port, scene.authority, way == "stls", more)
    data = bytes(32) if spoil else client.binding
    side = kind(mechanism, "one", names.get("password", sasl.PASSWORD),
                binding=data)
    try:
        answer = sasl.login(client, side)
        if answer.startswith("+OK"):
            client.ok("STAT")
            tap.ok(side.satisfied(), "the server proves itself, too")
            client.ok("QUIT")
    finally:
        client.end()
    return answer


def binding():
    """SCRAM bound to the connection"""
    scene = sasl.Scene(proof=sasl.keys(sasl.PASSWORD), secure=True)
    scene.start()
    tap.equal([name for name in scene.mechanisms() if "PLUS" in name], [],
              "no -PLUS without TLS")
    for way in WAYS:
        tap.equal(scene.mechanisms(way), PLUS + [
            name[:-5] for name in PLUS] + ["PLAIN", "LOGIN"],
            "what is offered, " + way)
        for kind, mechanism in ((sasl.Cyrus, PLUS[0]), (sasl.Gsasl, PLUS[1]),
                                (sasl.Gsasl, PLUS[2])):
            what = "%s, %s, %s" % (kind.__name__, way, mechanism)
            tap.match(bound(scene, way, kind, mechanism), r"^\+OK", what)
            tap.match(bound(scene, way, kind, mechanism, spoil=True), REFUSED,
                      what + ", bound to another connection")
            tap.match(bound(scene, way, kind, mechanism, password="x"),
                      REFUSED, what + ", wrong password")
        for name in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
            scene.fetches("mpop", name, kind=way)
        for message, mechanism, wanted in (
                ("y,,n=one,r=abcdefgh", "SCRAM-SHA-256", REFUSED),
                ("n,,n=one,r=abcdefgh", "SCRAM-SHA-256-PLUS", REFUSED),
                ("y,,n=one,r=abcdefgh", "SCRAM-SHA-256-PLUS", REFUSED),
                ("p=tls-exporter,,n=one,r=abcdefgh", "SCRAM-SHA-256",
                 REFUSED),
                ("p=tls-server-end-point,,n=one,r=abcdefgh",
                 "SCRAM-SHA-256-PLUS", REFUSED),
                ("n,,n=one,r=abcdefgh", "SCRAM-SHA-256", r"^\+ "),
                ("p=tls-exporter,,n=one,r=abcdefgh", "SCRAM-SHA-256-PLUS",
                 r"^\+ ")):
            client = scene.connect(way)
            tap.match(client.cmd("AUTH %s %s" % (
                mechanism, sasl.encoded(message.encode()))), wanted,
                "%s under %s, %s" % (message[:10], mechanism, way))
            client.leave()
    client = scene.connect()
    tap.match(client.cmd("AUTH SCRAM-SHA-256-PLUS"), r"^-ERR",
              "-PLUS without TLS")
    client.leave()
    scene.end()


def older():
    """TLS 1.2 has no binding by tls-exporter that clients agree on"""
    scene = sasl.Scene(proof=sasl.keys(sasl.PASSWORD), secure=True)
    scene.start()
    client = tls.connect(scene.server.tls_ports[0], scene.authority,
                         newest=ssl.TLSVersion.TLSv1_2)
    client.reply()
    line = [line for line in client.lines("CAPA") if "SASL" in line][0]
    tap.equal([name for name in line.split() if "PLUS" in name], [],
              "no -PLUS in TLS 1.2")
    tap.match(client.cmd("AUTH " + PLUS[1]), r"^-ERR", "nor does it work")
    tap.match(client.cmd("AUTH SCRAM-SHA-256 " + sasl.encoded(
        b"y,,n=one,r=abcdefgh")), r"^\+ ",
        "a client that misses it is no victim")
    client.leave()
    scene.end()


def passwords():
    """The mechanisms of a sasldb"""
    scene = sasl.Scene(own="only in the file of users", secure=True)
    path = scene.server.path("sasldb")
    sasl.add_user(path, sasl.HOST, "one", sasl.PASSWORD)
    scene.server._own(path)
    scene.start('\tstore = sasldb\n\tsasldb = "%s"\n' % path +
                '\tmechanisms = "SCRAM-SHA-256 CRAM-MD5 DIGEST-MD5 OTP"\n')
    for way in WAYS:
        for name, mechanism in (
                ("curl", "CRAM-MD5"), ("curl", "DIGEST-MD5"),
                ("curl", "PLAIN"), ("curl", "LOGIN"), ("mpop", "CRAM-MD5"),
                ("mpop", "DIGEST-MD5"), ("mpop", "SCRAM-SHA-256"),
                ("mpop", "USER"), ("fetchmail", "CRAM-MD5"),
                ("perl", "CRAM-MD5")):
            scene.fetches(name, mechanism, kind=way)
        client = scene.connect(way)
        tap.match(sasl.login(client, sasl.Cyrus(
            "OTP", "one", sasl.PASSWORD)), r"^\+OK", "OTP, " + way)
        client.quit()
    scene.end()


def kerberos():
    """GSSAPI"""
    scene = sasl.Scene(secure=True)
    with sasl.Kdc(scene.server, sasl.HOST, {"one": "ticket"}) as kdc:
        scene.start('\tkeytab = "%s"\n\tkrb5-conf = "%s"\n' % (
            kdc.keytab, kdc.file))
        os.environ.update(kdc.env)
        os.environ["KRB5CCNAME"] = "FILE:" + kdc.ticket("one", "ticket")
        for way in WAYS:
            for name in ("mpop", "curl", "fetchmail"):
                scene.fetches(name, "GSSAPI", kind=way, host=sasl.HOST,
                              user="one@" + sasl.REALM if name == "curl"
                              else "one")
        for name in list(kdc.env) + ["KRB5CCNAME"]:
            del os.environ[name]
    scene.end()


def certificates():
    """EXTERNAL: the client's certificate is enough"""
    scene = sasl.Scene(secure=True)
    scene.server.settings.update({
        "tls-client-ca": scene.authority.certificate,
        "tls-client-name": "cn"})
    one = scene.authority.client("one")
    nobody = scene.authority.client("nobody-here")
    scene.start()
    for way in WAYS:
        tap.ok("EXTERNAL" not in scene.mechanisms(way),
               "not offered without a certificate, " + way)
        for name in ("mpop", "curl"):
            scene.fetches(name, "EXTERNAL", kind=way, pair=one)
            tap.equal(scene.fetch(name, "EXTERNAL", kind=way,
                                  pair=nobody).messages, None,
                      "%s, %s, EXTERNAL, no such user" % (name, way))
    scene.end()


for part in (binding, older, passwords, kerberos, certificates):
    tap.run(part)
tap.done()
