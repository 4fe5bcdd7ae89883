#!/usr/bin/python3
"""AUTH with real stores, a real saslauthd, a real KDC, and clients that nobody
here wrote."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import sasl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
sasl.need_module()
MESSAGES, PASSWORD, HOST = sasl.MESSAGES, sasl.PASSWORD, sasl.HOST


def stored_keys():
    """Keys of SCRAM in the file of users, no password anywhere"""
    scene = sasl.Scene(proof=sasl.keys(PASSWORD))
    scene.start()
    tap.equal(scene.mechanisms(), [
        "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"],
        "what is offered without TLS: no -PLUS, no CRAM-MD5")
    for name, mechanism in (("mpop", "SCRAM-SHA-1"),
                            ("mpop", "SCRAM-SHA-256"), ("curl", "PLAIN")):
        scene.fetches(name, mechanism)
    for kind, mechanism in ((sasl.Gsasl, "SCRAM-SHA-1"),
                            (sasl.Gsasl, "SCRAM-SHA-256"),
                            (sasl.Cyrus, "SCRAM-SHA-512")):
        what = "%s, %s" % (kind.__name__, mechanism)
        for initial in (True, False):
            side = kind(mechanism, "one", PASSWORD)
            tap.match(scene.login(side, initial), r"^\+OK", what)
            tap.ok(side.satisfied(), "the server proves itself, too")
        tap.match(scene.login(kind(mechanism, "one", PASSWORD, "one")),
                  r"^\+OK", what + ", acts as the same")
        refusals = [scene.login(kind(mechanism, *more)) for more in (
            ("one", "wrong"), ("two", PASSWORD), ("one", PASSWORD, "root"))]
        tap.match(refusals[0], r"^-ERR \[AUTH\] ", "a wrong password")
        tap.equal(set(refusals), {refusals[0]},
                  "an unknown user and somebody else's name: the same")
    tap.ok(not scene.server.log.find("pass word"), "no password is logged")
    scene.end()


def sasldb():
    """Passwords in a sasldb, written by saslpasswd2"""
    scene = sasl.Scene(own="only in the file of users")
    path = scene.server.path("sasldb")
    sasl.add_user(path, HOST, "one", PASSWORD)
    scene.server._own(path)
    scene.start('\tstore = sasldb\n\tsasldb = "%s"\n' % path +
                '\tmechanisms = "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 '
                'CRAM-MD5 DIGEST-MD5 OTP"\n')
    tap.equal(scene.mechanisms(), [
        "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5",
        "DIGEST-MD5", "OTP", "PLAIN", "LOGIN"], "what is offered")
    for name, mechanism in (
            ("curl", "CRAM-MD5"), ("curl", "DIGEST-MD5"), ("curl", "PLAIN"),
            ("mpop", "CRAM-MD5"), ("mpop", "DIGEST-MD5"), ("mpop", "LOGIN"),
            ("mpop", "SCRAM-SHA-1"), ("mpop", "SCRAM-SHA-256"),
            ("mpop", "USER"), ("fetchmail", "CRAM-MD5"),
            ("perl", "CRAM-MD5")):
        scene.fetches(name, mechanism)
    for mechanism in ("CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-512", "OTP"):
        first = mechanism in ("CRAM-MD5", "DIGEST-MD5")
        for user, password, wanted in (
                ("one", PASSWORD, r"^\+OK"), ("one", "wrong", r"^-ERR \[AUTH"),
                ("two", PASSWORD, r"^-ERR \[AUTH")):
            side = sasl.Cyrus(mechanism, user, password, server_first=first)
            tap.match(scene.login(side), wanted, "%s as %s with %s" % (
                mechanism, user, password))
    client = scene.connect()
    for mechanism in ("CRAM-MD5", "DIGEST-MD5"):
        tap.match(client.cmd("AUTH %s AAAA" % mechanism), r"^-ERR",
                  mechanism + " with an initial response")
        tap.match(client.cmd("AUTH %s =" % mechanism), r"^-ERR",
                  mechanism + " with an empty one")
    client.leave()
    client = scene.connect()
    tap.match(client.login("one", "only in the file of users"), r"^-ERR",
              "what the sasldb knows is decided there")
    client.leave()
    scene.server.add_user("three", popper.DROPS[0], MESSAGES,
                          password="third")
    client = scene.connect()
    tap.match(client.login("three", "third"), r"^\+OK",
              "who is not in it is left to the next module")
    client.quit()
    os.unlink(path)
    for command in ("USER one", "AUTH CRAM-MD5"):
        client = scene.connect()
        answer = client.cmd(command)
        if command.startswith("USER"):
            answer = client.cmd("PASS " + PASSWORD)
        tap.match(answer, r"^-ERR \[SYS/TEMP\]", command +
                  " without the sasldb is our trouble")
        client.leave()
    scene.end()


def mailauth():
    """Clear-text secrets in the database of APOP"""
    if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/apop.la")):
        tap.skip("the database of APOP", "built without gdbm")
        return
    scene = sasl.Scene(own="only in the file of users")
    path = scene.server.path("mailauth")
    sasl.add_secret(path, "one", PASSWORD)
    scene.server._own(path)
    scene.start("\tclear-secrets = yes\n\tscram-from-clear = yes\n",
                'auth apop { file = "%s" }\n' % path)
    tap.equal(scene.mechanisms(), [
        "CRAM-MD5", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
        "LOGIN"], "what is offered")
    for name, mechanism in (("curl", "APOP"), ("curl", "CRAM-MD5"),
                            ("mpop", "CRAM-MD5"), ("mpop", "SCRAM-SHA-256")):
        scene.fetches(name, mechanism)
    for mechanism in ("CRAM-MD5", "SCRAM-SHA-512"):
        for user, password in (("one", "wrong"), ("two", PASSWORD)):
            tap.match(scene.login(sasl.Cyrus(
                mechanism, user, password, server_first=mechanism[0] == "C")),
                r"^-ERR \[AUTH\] ", "%s as %s with %s" % (
                    mechanism, user, password))
    scene.end()


def saslauthd():
    """saslauthd with PAM behind it"""
    scene = sasl.Scene(own="only in the file of users")
    with sasl.Saslauthd(scene.server, {"one": PASSWORD}) as daemon:
        scene.start('\tstore = saslauthd\n\tsaslauthd = "%s"\n' % daemon.mux)
        tap.equal(scene.mechanisms(), ["PLAIN", "LOGIN"], "what is offered")
        for name, mechanism in (("curl", "PLAIN"), ("curl", "LOGIN"),
                                ("mpop", "USER")):
            scene.fetches(name, mechanism)
        for user, password in (("one", "wrong"), ("two", PASSWORD)):
            client = scene.connect()
            tap.match(client.login(user, password), r"^-ERR \[AUTH\] ",
                      "%s with %s" % (user, password))
            client.leave()
    client = scene.connect()
    tap.match(client.login("one", PASSWORD), r"^-ERR \[SYS/TEMP\] ",
              "saslauthd is gone: our trouble")
    client.leave()
    scene.end()


def kerberos():
    """GSSAPI with a realm of its own"""
    scene = sasl.Scene()
    with sasl.Kdc(scene.server, HOST, {"one": "ticket", "one/admin": "x",
                                       "two": "ticket"}) as kdc:
        os.environ.update(kdc.env)
        scene.start('\tkeytab = "%s"\n\tkrb5-conf = "%s"\n' % (
            kdc.keytab, kdc.file))
        tap.equal(scene.mechanisms()[0], "GSSAPI", "what is offered first")
        os.environ["KRB5CCNAME"] = "FILE:" + kdc.ticket("one", "ticket")
        for name in ("mpop", "curl", "fetchmail"):
            # curl wants to see a realm.
            scene.fetches(name, "GSSAPI", host=HOST, user="one@" +
                          sasl.REALM if name == "curl" else "one")
        tap.match(scene.login(sasl.Cyrus("GSSAPI", "one", "", "one")),
                  r"^\+OK", "acts as the same")
        tap.match(scene.login(sasl.Cyrus("GSSAPI", "one", "", "two")),
                  r"^-ERR \[AUTH\]", "acts as somebody else")
        for user, password in (("two", "ticket"), ("one/admin", "x")):
            os.environ["KRB5CCNAME"] = "FILE:" + kdc.ticket(user, password)
            tap.match(scene.login(sasl.Cyrus("GSSAPI", user, "")),
                      r"^-ERR \[AUTH\]", "the principal " + user)
        os.environ["KRB5CCNAME"] = "FILE:" + kdc.ticket("one", "ticket")
        token = sasl.encoded(sasl.Cyrus("GSSAPI", "one", "").first())
        for wanted in (r"^\+ ", r"^-ERR \[AUTH\]"):
            client = scene.connect()
            tap.match(client.cmd("AUTH GSSAPI " + token), wanted,
                      "the same token, once and again")
            client.leave()
        client = scene.connect()
        tap.match(client.cmd("AUTH GSSAPI AAAA"), r"^-ERR \[AUTH\]",
                  "no ticket at all")
        client.leave()
        for name in list(kdc.env) + ["KRB5CCNAME"]:
            del os.environ[name]
    scene.end()


def refusals():
    """Configurations that cannot work, told at the start"""
    for options, word in (
            ('\tstore = ldap\n', "ldap"),
            ('\tmechanisms = PLAIN\n', "PLAIN"),
            ('\tmechanisms = X-NOT\n', "X-NOT"),
            ('\tstore = sasldb\n\tsasldb = /nonexistent/db\n',
             "/nonexistent/db")):
        scene = sasl.Scene(options)
        try:
            scene.start()
            tap.ok(False, "refused: " + " ".join(options.split()))
        except AssertionError as e:
            tap.match(str(e), word, "refused: " + " ".join(options.split()))
            scene.server.main.wait(popper.PATIENCE)
        scene.server.stop()


for part in (stored_keys, sasldb, mailauth, saslauthd, kerberos, refusals):
    tap.run(part)
tap.done()
