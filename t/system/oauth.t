#!/usr/bin/python3
"""Tokens instead of passwords: OAUTHBEARER and XOAUTH2 over TLS, with clients
that others wrote, keys made by openssl and an endpoint on loopback.

proves: R-7628-01 R-7628-02 R-7628-03 R-7628-04 R-7628-05 R-XOA-01 R-XOA-02
proves: R-XOA-03

fetchmail of Debian 12 knows neither mechanism.
"""

import base64
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import clients  # noqa: E402
import issuer  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/oauth.la")):
    tap.skip_all("the oauth module is not built")
MESSAGES = [mail.simple(n) for n in range(1, 4)]
CAROL = "carol@example.org"


def make_server(options):
    server = popper.Server("daemon" if popper.ROOT else "user", start=False)
    ca = tls.Authority(server.path("ca"))
    pair = ca.server()
    tls.own(server, pair)
    server.settings.update(ca.settings(pair))
    server.settings["listen-tls"] = ["127.0.0.1:0"]
    server.settings["max-tries"] = 20
    server.modules = "auth oauth {\n%s}\n%s" % (
        "".join('%s = "%s"\n' % item for item in options.items()),
        server.default_modules())
    server.ca = ca
    for name in (CAROL, "dave@example.org"):
        server.add_user(name, popper.DROPS[0], MESSAGES)
    return server


def bearer(user, token, more=""):
    return encode("n,%s,\1%sauth=Bearer %s\1\1" % (
        user and "a=" + user, more, token))


def xoauth2(user, token):
    return encode("user=%s\1auth=Bearer %s\1\1" % (user, token))


def encode(text):
    return base64.b64encode(text.encode()).decode()


def challenge(line):
    """The JSON of a challenge."""
    if not line.startswith("+ "):
        raise AssertionError(line)
    return json.loads(base64.b64decode(line[2:]))


def connect(server):
    client = tls.connect(server.tls_ports[0], server.ca)
    server.clients.append(client)
    client.reply()
    return client


def refused(server, token, reason, name):
    client, since = connect(server), len(server.log.lines)
    error = challenge(client.cmd("AUTH OAUTHBEARER " + bearer(CAROL, token)))
    answer = client.cmd("AQ==")
    tap.ok(error["status"] == "invalid_token" and
           answer.startswith("-ERR [AUTH] "), name + ": refused")
    server.log.wait("login-failed code=AUTH .*" + reason, since)
    client.leave()


# --- Keys in a file ---

KEYED = make_server({"issuer": issuer.ISSUER, "audience": issuer.AUDIENCE})
ID = issuer.Issuer(KEYED.path("issuer"))
for kid, kind in (("r", "RS256"), ("e", "ES256"), ("d", "EdDSA"),
                  ("later", "ES256")):
    ID.make(kid, kind)
KEYED.modules = KEYED.modules.replace(
    "auth oauth {\n", 'auth oauth {\njwks = "%s"\n' % KEYED.path("jwks"))
KEYED.write("jwks", ID.jwks("r", "e", "d"))
KEYED.start()


def offered_over_tls_only():
    client = KEYED.connect()
    client.reply()
    tap.ok("OAUTH" not in str(client.lines("CAPA")), "not without TLS")
    for mechanism, message in (("OAUTHBEARER", bearer("", "x")),
                               ("XOAUTH2", xoauth2(CAROL, "x"))):
        tap.match(client.cmd("AUTH %s %s" % (mechanism, message)), "^-ERR",
                  mechanism + " without TLS is refused")
    client = tls.upgrade(client, KEYED.ca)
    sasl = [line for line in client.lines("CAPA") if line.startswith("SASL ")]
    tap.ok(sasl and {"OAUTHBEARER", "XOAUTH2"} <= set(sasl[0].split()),
           "CAPA says so after STLS")
    tap.ok({"OAUTHBEARER", "XOAUTH2"} <= set(client.lines("AUTH")),
           "and so does a bare AUTH")
    client.leave()


def real_clients():
    number = 0
    for name in ("curl", "mpop"):
        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            for way, kid in (("stls", "r"), ("tls", "e"), ("tls", "d")):
                what = "%s %s %s %s" % (name, mechanism, way, ID.kinds[kid])
                if not shutil.which(name):
                    tap.skip(what, "needs " + name)
                    continue
                number += 1
                port = KEYED.ports if way == "stls" else KEYED.tls_ports
                got = clients.CLIENTS[name](
                    clients.Way(way, port[0], KEYED.ca), CAROL,
                    ID.token(kid, CAROL),
                    clients.folder(KEYED, "client%d" % number), mechanism)
                drop = KEYED.users[CAROL].drop
                tap.equal(clients.wrong(
                    got, [drop.wire(raw) for raw in MESSAGES]), "", what)


def clients_with_bad_tokens():
    token = ID.token("r", CAROL, lifetime=-1000)
    for number, (name, mechanism) in enumerate((
            ("curl", "OAUTHBEARER"), ("curl", "XOAUTH2"),
            ("mpop", "OAUTHBEARER"), ("mpop", "XOAUTH2"))):
        what = "%s %s: an expired token" % (name, mechanism)
        if not shutil.which(name):
            tap.skip(what, "needs " + name)
            continue
        got = clients.CLIENTS[name](
            clients.Way("tls", KEYED.tls_ports[0], KEYED.ca), CAROL, token,
            clients.folder(KEYED, "bad%d" % number), mechanism)
        tap.ok(got.messages is None, what)


def token_on_the_second_line():
    """As Thunderbird does it."""
    for mechanism, message in (("XOAUTH2", xoauth2), ("OAUTHBEARER", bearer)):
        client = connect(KEYED)
        client.lines("CAPA")
        tap.equal(client.cmd("AUTH " + mechanism), "+ ",
                  mechanism + ": an empty challenge")
        tap.match(client.cmd(message(CAROL, ID.token("r", CAROL))), r"^\+OK",
                  mechanism + ": then the token")
        tap.match(client.cmd("STAT"), r"^\+OK 3 ", "the maildrop is there")
        client.leave()


def long_tokens():
    for octets in (5000, 9000):
        token = ID.token("e", CAROL, groups="x" * (octets * 3 // 4 - 300))
        client = connect(KEYED)
        tap.match(client.cmd("AUTH OAUTHBEARER " + bearer("", token)),
                  r"^\+OK", "%d octets with AUTH" % len(token))
        client.leave()
        client = connect(KEYED)
        client.cmd("AUTH XOAUTH2")
        tap.match(client.cmd(xoauth2(CAROL, token)), r"^\+OK",
                  "%d octets on a line of their own" % len(token))
        client.leave()


def refusals():
    good = ID.token("r", CAROL)
    refused(KEYED, ID.token("r", CAROL, lifetime=-100), "has expired",
            "an expired token")
    refused(KEYED, ID.token("r", CAROL, aud="web"), "another audience",
            "a token for another service")
    refused(KEYED, ID.token("r", CAROL, iss="https://evil.example"),
            "another issuer", "a token of another issuer")
    refused(KEYED, ID.token("later", CAROL), "no key has its kid",
            "an unknown key")
    refused(KEYED, good[:-8] + "AAAAAAAA", "signature is wrong",
            "a forged signature")
    refused(KEYED, ID.token("r", "dave@example.org"), "used to be carol",
            "another one's token")
    refused(KEYED, ID.token("r", CAROL, email_verified=False),
            "email_verified", "an address that nobody has verified")
    refused(KEYED, "opaque", "three parts", "a token that is no JWT")


def strangers():
    """Whoever has no account here hears what a bad token hears."""
    said = []
    for token in (ID.token("r", "eve@example.org"),
                  ID.token("r", "eve@example.org", aud="web")):
        client = connect(KEYED)
        said.append([client.cmd("AUTH OAUTHBEARER " + bearer("", token)),
                     client.cmd("AQ==")])
        client.leave()
    tap.equal(said[0], said[1], "a stranger's good token looks like a bad one")


def dialogs():
    client = connect(KEYED)
    error = challenge(client.cmd("AUTH XOAUTH2 " + xoauth2(CAROL, "bad")))
    tap.equal(error, {"status": "401", "schemes": "bearer", "scope": ""},
              "XOAUTH2's error")
    tap.match(client.cmd(""), r"^-ERR \[AUTH\]", "an empty line ends it")
    client.cmd("AUTH OAUTHBEARER " + bearer("", "bad"))
    tap.match(client.cmd("*"), "^-ERR", "so does a star")
    client.cmd("AUTH OAUTHBEARER " + bearer("", "bad"))
    tap.match(client.cmd(bearer("", ID.token("r", CAROL))), r"^-ERR \[AUTH\]",
              "a good token at that place is refused")
    tap.match(client.cmd("AUTH OAUTHBEARER AQ=="), "^-ERR",
              "a lone separator is no message")
    good = ID.token("r", CAROL)
    client.cmd("AUTH OAUTHBEARER " + bearer(
        CAROL, good, "host=imap.example.org\1port=993\1"))
    tap.match(client.cmd("AQ=="), r"^-ERR \[AUTH\]", "a token for another host")
    tap.match(client.cmd("AUTH OAUTHBEARER " + bearer(
        CAROL, good, "host=pop.example.org\1port=995\1")), r"^\+OK",
        "the right one, on the same connection")
    tap.match(client.quit(), r"^\+OK", "and out again")


def keys_change():
    KEYED.write("jwks", ID.jwks("later"))
    refused(KEYED, ID.token("r", CAROL), "no key has its kid",
            "a key that was withdrawn")
    client = connect(KEYED)
    tap.match(client.cmd("AUTH OAUTHBEARER " + bearer(
        "", ID.token("later", CAROL))), r"^\+OK", "its successor, at once")
    client.leave()
    KEYED.write("jwks", "{")
    client = connect(KEYED)
    tap.match(client.cmd("AUTH OAUTHBEARER " + bearer(
        "", ID.token("later", CAROL))), r"^-ERR \[SYS/TEMP\]",
        "a broken file lets nobody in")
    client.leave()


for part in (offered_over_tls_only, real_clients, clients_with_bad_tokens,
             token_on_the_second_line, long_tokens, refusals, strangers,
             dialogs, keys_change):
    tap.run(part)



def leaving_counts():
    """Whoever leaves instead of confirming the error has failed all the same:
    the sixth attempt waits.  A confirmed error counts once."""
    with make_server({"issuer": issuer.ISSUER,
                      "audience": issuer.AUDIENCE}) as server:
        server.settings.update({"penalty-max": 1, "debug": True})
        server.modules = server.modules.replace(
            "auth oauth {\n", 'auth oauth {\njwks = "%s"\n'
            % server.path("jwks"))
        server.write("jwks", ID.jwks("r"))
        server.start()
        for number in range(6):
            client = connect(server)
            since = len(server.log.lines)
            challenge(client.cmd("AUTH OAUTHBEARER " +
                                 bearer(CAROL, "bad%d" % number)))
            if number == 0:
                client.cmd("AQ==")
            client.reset()
            server.log.wait("oauth: .*", since)
            tap.equal(len(server.log.find("a login from .* waits")),
                      1 if number == 5 else 0,
                      "bad token %d, and gone" % (number + 1))


tap.run(leaving_counts)
tap.equal(KEYED.stop(), [], "the server with keys ends clean")

# --- An endpoint that is asked ---

ENDPOINT = issuer.Endpoint()
ASKING = make_server({"introspect": ENDPOINT.url, "timeout": "2",
                      "audience": issuer.AUDIENCE, "client-id": "popper"})
SECRET = ASKING.write("secret", "hush\n", 0o600)
ASKING.modules = ASKING.modules.replace(
    "auth oauth {\n", 'auth oauth {\nclient-secret-file = "%s"\n' % SECRET)
ASKING.start()


def ask(way, answer=None):
    """The reply to AUTH while the endpoint behaves like this."""
    ENDPOINT.way = way
    ENDPOINT.answer = answer
    client = connect(ASKING)
    reply = client.cmd("AUTH OAUTHBEARER " + bearer("", "0paque"))
    if reply.startswith("+ "):
        reply = client.cmd("AQ==")
    client.leave()
    return reply


def good_answers():
    tap.match(ask("answer", {"active": True, "email": CAROL, "aud": "popper",
                             "email_verified": True}), r"^\+OK",
              "an active token lets in")
    tap.equal(ENDPOINT.asked[-1], (
        "Basic " + encode("popper:hush"),
        "token_type_hint=access_token&token=0paque"),
        "the endpoint was asked as it should be")
    tap.match(ask("answer", {"active": False}), r"^-ERR \[AUTH\]",
              "a token that is not active does not")
    tap.match(ask("answer", {"active": True, "email": CAROL, "aud": "web",
                             "email_verified": True}), r"^-ERR \[AUTH\]",
              "nor one for another audience")


def bad_endpoints():
    for way in ("hang", "die", "redirect", "large"):
        since, asked = len(ASKING.log.lines), len(ENDPOINT.asked)
        tap.match(ask(way), r"^-ERR \[SYS/TEMP\]", way)
        ASKING.log.wait("oauth: http://127.0.0.1", since)
        tap.equal(len(ENDPOINT.asked), asked + 1, way + ": asked once")


for part in (good_answers, bad_endpoints):
    tap.run(part)
ENDPOINT.stop()
tap.run(lambda: tap.match(ask("answer"), r"^-ERR \[SYS/TEMP\]",
                          "an endpoint that is gone"))
tap.equal(ASKING.stop(), [], "the server that asks ends clean")
tap.done()
