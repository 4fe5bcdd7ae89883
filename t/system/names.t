#!/usr/bin/python3
"""Names: prepared, cut, with sub-mailboxes; and none of them does harm.

proves: R-4013-01 R-6856-10 R-6856-11 R-6856-13 R-6856-14 R-5034-14 R-4616-04
proves: R-4616-05
"""

import base64
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
ONE = [mail.simple(1)]
PASSWORD = "gr\u00fc\u00dfe IX"


def ask(client, octets):
    client.send(octets + b"\r\n")
    return client.reply()


def login(client, name, password):
    ask(client, b"USER " + name)
    return ask(client, b"PASS " + password)


def greeted(server):
    client = server.connect()
    client.reply()
    return client


def plain(name, password, whom=b""):
    return b"AUTH PLAIN " + base64.b64encode(
        whom + b"\0" + name + b"\0" + password)


def prepared(server):
    """All forms of one name and password are the same, also in AUTH."""
    name = "m\u00fcller".encode()
    for said in (name, b"mu\xcc\x88ller", b"m\xc3\xbc\xc2\xadller"):
        for password in (PASSWORD.encode(),
                         b"gru\xcc\x88\xc3\x9fe\xc2\xa0\xe2\x85\xa8"):
            client = greeted(server)
            tap.match(login(client, said, password), r"^\+OK.* 1 message",
                      "USER %r" % said)
            client.quit()
            client = greeted(server)
            tap.match(ask(client, plain(said, password)),
                      r"^\+OK.* 1 message", "PLAIN %r" % said)
            client.quit()
            client = greeted(server)
            tap.match(ask(client, plain(name, password, said)),
                      r"^\+OK.* 1 message", "PLAIN for %r" % said)
            client.quit()
    for whom in (b"m\xfcller", b"\xc2\xad", name + b"\xe2\x80\xae", b"anna"):
        client = greeted(server)
        tap.equal(ask(client, plain(name, PASSWORD.encode(), whom)),
                  "-ERR [AUTH] login failed", "refused: for %r" % whom)
        client.leave()
    for said, password in (
            (b"m\xfcller", PASSWORD.encode()), (name, b"gr\xfc\xdfe IX"),
            (name, PASSWORD.encode() + b"\xe2\x80\xae"),
            (name, PASSWORD.encode() + b"\t"),
            (name, b"\xc2\xad"), (b"\xc2\xad", PASSWORD.encode()),
            (b"M\xc3\xbcller", PASSWORD.encode())):
        client = greeted(server)
        tap.equal(login(client, said, password), "-ERR [AUTH] login failed",
                  "refused: %r %r" % (said, password))
        client.leave()
    server.log.wait(r'login-failed code=AUTH .*user="m\\xfcller"')


HOSTILE = (b"../x", b"..", b"/etc/passwd", b"%n%n%s%s", b"a\nb: forged",
           b"a\r\n+OK", b"\x1b[2J", b"x" * 255, b"x" * 256, b"x" * 4000,
           b"a\xe2\x80\xaeb", b"\xe2\x81\xa6a", b"a\xc0\xafb", b"a/b",
           b"~root", b"anna+../../x", b"anna+.x", b"anna+", b"anna+%n",
           b"-rf", b"$(id)", b"anna:x")


def hostile(server):
    """Hostile names in PLAIN, where every octet but NUL can be said."""
    before = sorted(os.listdir(server.path("state")))
    since = len(server.log.lines)
    for name in HOSTILE:
        client = greeted(server)
        tap.equal(ask(client, plain(name, b"x")), "-ERR [AUTH] login failed",
                  "refused: %r" % name[:20])
        client.leave()
    for octets in (b"a\0b\0c\0x", b"\0a\0", b"\0\0x", b"a", b"a\0"):
        client = greeted(server)
        answer = ask(client, b"AUTH PLAIN " + base64.b64encode(octets))
        tap.equal(answer, "-ERR [AUTH] login failed", "refused: %r" % octets)
        client.leave()
    tap.equal(sorted(os.listdir(server.path("state"))), before,
              "nothing was made for them")
    lines = server.log.lines[since:]
    tap.equal([line for line in lines if not line.isascii()
               or not line.isprintable()], [], "the log's lines are ASCII")
    tap.equal([line for line in lines if line.startswith("b: forged")], [],
              "and none is forged")


def folders(server, anna):
    """user+folder opens the Maildir++ folder, with a state of its own."""
    inbox = os.path.join(anna.home, "mail")
    work = os.path.join(inbox, ".work")
    mail.Drop("maildir", work, anna.uid, anna.gid).deliver(
        mail.simple(7), mail.simple(8))
    client = server.connect().enter(anna)
    folder = greeted(server)
    tap.match(login(folder, b"anna+work", anna.password.encode()),
              r"^\+OK.* 2 messages", "a sub-mailbox beside the inbox")
    third = greeted(server)
    tap.match(login(third, b"anna+work", anna.password.encode()),
              r"^-ERR \[IN-USE\]", "but it cannot be opened twice")
    tap.match(login(third, b"anna+INBOX", anna.password.encode()),
              r"^-ERR \[IN-USE\]", "and INBOX is the inbox")
    tap.equal(login(third, b"anna+nowhere", anna.password.encode()),
              "-ERR no such mailbox", "one that is not there is refused")
    tap.match(ask(third, b"LANG de"), "^.OK de ", "LANG")
    tap.equal(login(third, b"anna+nowhere", anna.password.encode()),
              "-ERR kein solches Postfach", "in German, too")
    third.leave()
    folder.ok("DELE 1")
    folder.quit()
    client.quit()
    tap.equal(len(os.listdir(os.path.join(work, "new"))) +
              len(os.listdir(os.path.join(work, "cur"))), 1,
              "what was deleted there is gone")
    tap.equal(len(anna.drop.stored()), 1, "and nothing elsewhere")
    tap.ok(set(os.listdir(server.path("state"))) >= {"anna", "anna%=work"},
           "each has a state folder")
    client = greeted(server)
    tap.match(login(client, b"anna%=work", anna.password.encode()),
              r"^-ERR \[AUTH\]", "which no name reaches")
    client.leave()


def mbox(server, bert):
    """An mbox has sub-mailboxes only if its path has %f."""
    client = greeted(server)
    tap.equal(login(client, b"bert+work", bert.password.encode()),
              "-ERR no such mailbox", "without %f: refused")
    client.leave()


def mbox_path():
    """With %f in the path each is a file."""
    with popper.Server(MODE, start=False) as server:
        server.settings["mailbox-separator"] = "+"
        carl = server.add_user("carl", "mbox", ONE)
        folder = os.path.join(carl.home, "boxes")
        os.mkdir(folder, 0o700)
        if popper.ROOT:
            os.chown(folder, carl.uid, carl.gid)
        mail.Drop("mbox", os.path.join(folder, "INBOX"), carl.uid,
                  carl.gid).deliver(mail.simple(1))
        mail.Drop("mbox", os.path.join(folder, "work"), carl.uid,
                  carl.gid).deliver(mail.simple(2), mail.simple(3))
        server.write("users", "carl:%s:%d:%d:\n" % (
            carl.hash, carl.uid, carl.gid), 0o600)
        server.modules = server.modules.replace(
            "~/mbox", server.path("home", "%u", "boxes", "%f"))
        server.modules = "".join(
            line + "\n" for line in server.modules.splitlines()
            if not line.startswith("drop maildir"))
        server.start()
        for name, count in ((b"carl", 1), (b"carl+work", 2),
                            (b"carl+inbox", 1)):
            client = greeted(server)
            tap.match(login(client, name, carl.password.encode()),
                      r"^\+OK.* %d message" % count, repr(name))
            client.leave()


with popper.Server(MODE, start=False) as main:
    main.settings["mailbox-separator"] = "+"
    main.settings["max-tries"] = 10
    main.add_user("m\u00fcller", "mbox" if "mbox" in popper.DROPS
                  else "maildir", ONE, password=PASSWORD)
    people = {}
    if "maildir" in popper.DROPS:
        people["anna"] = main.add_user("anna", "maildir", ONE)
    if "mbox" in popper.DROPS:
        people["bert"] = main.add_user("bert", "mbox", ONE)
    main.start()
    tap.run(lambda: prepared(main))
    tap.run(lambda: hostile(main))
    if "anna" in people:
        tap.run(lambda: folders(main, people["anna"]))
    if "bert" in people:
        tap.run(lambda: mbox(main, people["bert"]))
if "mbox" in popper.DROPS:
    tap.run(mbox_path)
tap.done()
