#!/usr/bin/python3
"""Whose a client's certificate is: tls-client-name, and names that are odd.
The certificates are made by openssl; AUTH EXTERNAL tells who was found.

proves: R-2595-05 R-8314-12
"""

import os
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
USERS = ("mary@example.org", "bob@example.org", "mary", "pop.example.net")
UPN = "otherName:1.3.6.1.4.1.311.20.2.3;"


def certificate(ca, subject="/O=nobody", names=()):
    extensions = ["extendedKeyUsage=clientAuth"]
    if names:
        extensions.append("subjectAltName=" + ",".join(names))
    return ca.issue("client", "ecdsa", extensions, subject)


def element(octets, at=0):
    """Where the DER element that begins there has its content and its end."""
    size, start = octets[at + 1], at + 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(octets[at + 2:start], "big")
    return start, start + size


def der(tag, content):
    size = len(content)
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes(
        [0x80 + len(long)]) + long) + content


def patched(ca, old, new, **more):
    """The same, but for octets in it, as many, that openssl would not write
    there; then signed again."""
    pair = certificate(ca, **more)
    with open(pair.certificate) as file:
        octets = ssl.PEM_cert_to_DER_cert(file.read())
    start, _ = element(octets)
    _, end = element(octets, start)
    body, algorithm = octets[start:end], octets[end:element(octets, end)[1]]
    if body.count(old) != 1 or len(old) != len(new):
        raise AssertionError("%r is not in the certificate" % old)
    body = body.replace(old, new)
    with open(ca.path("body"), "wb") as file:
        file.write(body)
    tls._openssl(ca.folder, "dgst", "-sha256", "-sign", ca.pair.key, "-out",
                 "signature", "body")
    with open(ca.path("signature"), "rb") as file:
        signature = der(3, b"\0" + file.read())
    with open(pair.certificate, "w") as file:
        file.write(ssl.DER_cert_to_PEM_cert(
            der(0x30, body + algorithm + signature)))
    return pair


def who(server, ca, pair):
    """Whom AUTH EXTERNAL lets in, or None; CAPA must say the same."""
    client = tls.connect(server.tls_ports[0], ca, pair=pair)
    server.clients.append(client)
    client.reply()
    offered = any(line.startswith("SASL") and "EXTERNAL" in line.split()
                  for line in client.lines("CAPA"))
    since = len(server.log.lines)
    answer = client.cmd("AUTH EXTERNAL =")
    if not answer.startswith("+OK"):
        client.leave()
        return "offered, " + answer if offered else None
    name = server.log.wait(r'login from=127\.0\.0\.1 user="([^"]+)"', since)[1]
    client.leave()
    return name if offered else "not offered: " + name


def kind(name, cases):
    server = popper.Server(MODE, start=False)
    with server:
        ca = tls.Authority(server.path("ca"))
        pair = ca.server()
        tls.own(server, pair)
        server.settings.update(ca.settings(pair), **{
            "listen-tls": ["127.0.0.1:0"], "tls-client-ca": ca.certificate,
            "tls-client-name": name})
        for user in USERS:
            server.add_user(user, popper.DROPS[0])
        server.start()
        for what, want, make in cases(ca):
            tap.equal(who(server, ca, make), want, "%s: %s" % (name, what))


def email(ca):
    mary = "email:mary@example.org"
    subject = "/CN=mary/emailAddress=bob@example.org"
    yield "in the alternative names", "mary@example.org", certificate(
        ca, names=[mary])
    yield "before the one in the subject", "mary@example.org", certificate(
        ca, subject, [mary])
    yield "the first of two", "bob@example.org", certificate(
        ca, names=["email:bob@example.org", mary])
    yield "other kinds are passed over", "mary@example.org", certificate(
        ca, names=["DNS:pop.example.net", "URI:https://example.org/",
                   UPN + "UTF8:mary", mary])
    yield "else in the subject", "bob@example.org", certificate(ca, subject)
    yield "no name", None, certificate(ca, "/CN=mary", ["DNS:mary"])
    yield "a NUL in it, and what follows", None, patched(
        ca, b"mary@example.orgXexample.net",
        b"mary@example.org\0example.net",
        names=["email:mary@example.orgXexample.net"])
    yield "a NUL; the subject does not help", None, patched(
        ca, b"mary@example.orgX", b"mary@example.org\0", subject=subject,
        names=["email:mary@example.orgX"])
    yield "a line end", None, patched(
        ca, b"mary@example.orgX", b"mary@example.org\n",
        names=["email:mary@example.orgX"])
    yield "a delete", None, patched(
        ca, b"mary@example.orgX", b"mary@example.org\x7f",
        names=["email:mary@example.orgX"])
    yield "octets above 127 where there are none", None, patched(
        ca, b"mary@example.orgX", b"mary@example.org\xff",
        names=["email:mary@example.orgX", mary])
    yield "a control character in the subject", None, patched(
        ca, b"bob@example.orgX", b"bob@example.org\x01",
        subject="/CN=mary/emailAddress=bob@example.orgX")


def dns(ca):
    yield "in the alternative names", "pop.example.net", certificate(
        ca, names=["email:mary@example.org", "DNS:pop.example.net"])
    yield "not in the subject", None, certificate(ca, "/CN=pop.example.net")
    yield "a NUL in it", None, patched(
        ca, b"pop.example.netX", b"pop.example.net\0",
        names=["DNS:pop.example.netX"])


def upn(ca):
    yield "in the alternative names", "mary@example.org", certificate(
        ca, names=["email:bob@example.org",
                   UPN + "UTF8:mary@example.org"])
    yield "of another type than UTF8String", None, certificate(
        ca, names=[UPN + "IA5:mary@example.org"])
    yield "another otherName", None, certificate(
        ca, names=["otherName:1.2.3.4;UTF8:mary@example.org"])
    yield "no name", None, certificate(ca, "/CN=mary@example.org")
    yield "a NUL in it", None, patched(
        ca, b"mary@example.orgX", b"mary@example.org\0",
        names=[UPN + "UTF8:mary@example.orgX"])


def cn(ca):
    yield "in the subject", "mary", certificate(
        ca, "/CN=mary", ["email:bob@example.org"])
    yield "the first of two", "mary", certificate(ca, "/CN=mary/CN=nobody")
    yield "not in the alternative names", None, certificate(
        ca, names=["DNS:mary", "email:mary"])
    yield "a NUL in it", None, patched(
        ca, b"maryX", b"mary\0", subject="/CN=maryX")
    yield "a line end in it", None, patched(
        ca, b"maryX", b"mary\n", subject="/CN=maryX")
    yield "a name of nobody", "offered, -ERR [AUTH] login failed", (
        certificate(ca, "/CN=eve"))


for NAME, CASES in (("email", email), ("dns", dns), ("upn", upn), ("cn", cn)):
    tap.run(lambda: kind(NAME, CASES), NAME)
tap.done()
