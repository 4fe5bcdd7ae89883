#!/usr/bin/python3
"""Unique-ids of other servers, in whole sessions and by popperctl."""

import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
CORPUS = os.path.join(HERE, os.pardir, "corpus", "uids")


def corpus(name):
    with open(os.path.join(CORPUS, name), "rb") as file:
        return file.read()


def answers(name):
    return [line.split(b" ", 1)[1].decode("latin-1")
            for line in corpus(name).splitlines()]


def place(user, path, content):
    with open(path, "wb") as file:
        file.write(content)
    if popper.ROOT:
        os.chown(path, user.uid, user.gid)
    os.chmod(path, 0o600)


def fill_maildir(user, lists):
    """The messages for which those servers made their ids."""
    for name in corpus("maildir.names").splitlines():
        place(user, os.path.join(user.drop.path.encode(), name),
              b"Subject: x\n\nbody\n")
    for name in lists:
        place(user, os.path.join(user.drop.path, name), corpus(name))


def uidl(server, user):
    client = server.connect()
    client.enter(user)
    ids = [line.split(" ", 1)[1] for line in client.lines("UIDL")]
    client.quit()
    return ids


def fill_mbox(user):
    place(user, user.drop.path, corpus("mbox-imap"))


def to_maildir(server, user):
    """The mail moves to where the mbox was; Dovecot has seen it there."""
    os.unlink(user.drop.path)
    user.drop = mail.Drop("maildir", user.drop.path, user.uid, user.gid)
    server.write_users()
    fill_maildir(user, ["dovecot-uidlist"])


def to_mbox(server, user):
    shutil.rmtree(user.drop.path)
    user.drop = mail.Drop("mbox", user.drop.path, user.uid, user.gid)
    server.write_users()
    fill_mbox(user)


def move(server):
    """Each driver takes the other server's list once, and both keep theirs."""
    frank = server.add_user("frank", "mbox")
    fill_mbox(frank)
    first = uidl(server, frank)
    tap.equal(first, answers("mbox-imap.dovecot"), "an mbox has Dovecot's ids")
    to_maildir(server, frank)
    tap.equal(uidl(server, frank), answers("maildir.dovecot"),
              "once it is a Maildir, those of the Maildir")
    to_mbox(server, frank)
    tap.equal(uidl(server, frank), first, "and back again")

    # As it was when one line held for all drivers.
    emma = server.add_user("emma", "maildir")
    fill_maildir(emma, ["dovecot-uidlist"])
    uidl(server, emma)
    path = server.path("state", "emma", "uids")
    with open(path, "rb") as file:
        text = file.read()
    tap.match(text.decode(), "\ntaken maildir/dovecot\n", "the file says who")
    place(emma, path, text.replace(b"maildir/", b""))
    os.unlink(os.path.join(emma.drop.path, "dovecot-uidlist"))
    tap.equal(uidl(server, emma), answers("maildir.dovecot"),
              "and is read without that")

    gina = server.add_user("gina", "maildir")
    fill_maildir(gina, ["dovecot-uidlist"])
    first = uidl(server, gina)
    to_mbox(server, gina)
    tap.equal(uidl(server, gina), answers("mbox-imap.dovecot"),
              "a Maildir that becomes an mbox")
    client = server.connect()
    client.enter(gina)
    for number in range(1, len(answers("mbox-imap.dovecot")) + 1):
        client.ok("DELE %d" % number)
    client.quit()
    to_maildir(server, gina)
    os.unlink(os.path.join(gina.drop.path, "dovecot-uidlist"))
    tap.equal(uidl(server, gina), first,
              "and a Maildir again, when all of the mbox was deleted")


def with_option(maildir, mbox):
    return ('auth passwd { file = "%s" }\n'
            'drop maildir {\n\tpath = "~/Maildir"\n\tunique-id = "%s"\n}\n'
            'drop mbox {\n\tpath = "~/mbox"\n\tunique-id = "%s"\n}\n') % (
                server.path("users"), maildir, mbox)


def check():
    """What popper --check says: (status, text)."""
    server.write_conf()
    done = subprocess.run(server.command("--check"), cwd="/",
                          env=server.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=popper.PATIENCE)
    return done.returncode, done.stdout


MODE = "daemon" if popper.ROOT else "user"
with popper.Server(MODE, start=False) as server:
    mary = server.add_user("mary", "maildir")
    fill_maildir(mary, ["dovecot-uidlist"])
    carl = server.add_user("carl", "mbox")
    place(carl, carl.drop.path, corpus("mbox-imap"))

    server.modules = with_option("dovcot", "popper")
    status, text = check()
    tap.ok(status != 0, "a wrong word is refused by --check")
    tap.match(text, r"modules\.conf:4: unique-id = \"dovcot\": must be one of: "
             "popper native courier dovecot", "with file, line and the words")
    server.modules = with_option("dovecot", "dovecot")
    status, text = check()
    tap.equal(status, 0, "a right one is not")

    # Before the switch: what would clients see?
    LISTS = {}
    for user, name in ((mary, "maildir.dovecot"),
                       (carl, "mbox-imap.dovecot")):
        status, out, err = popperctl.run(server, "uidl", "export", user.name)
        tap.equal(status, 0, user.name + ": popperctl uidl export")
        tap.equal([line.split()[0] for line in out.splitlines()],
                  answers(name), user.name + ": exports the old server's ids")
        tap.ok(not os.path.exists(server.path("state", user.name, "uids")),
               user.name + ": and has taken nothing over")
        LISTS[user.name] = out
        status, out, err = popperctl.run(
            server, "uidl", "verify", user.name, "-",
            text="".join(" ".join(line.split()[:2]) + " -\n"
                         for line in LISTS[user.name].splitlines()))
        tap.equal(status, 0, user.name + ": popperctl uidl verify")

    server.start()
    tap.equal(uidl(server, mary), answers("maildir.dovecot"),
              "a session has Dovecot's ids of a Maildir")
    server.log.wait("took 9 unique-ids from dovecot-uidlist$")
    tap.ok(os.path.exists(server.path("state", "mary", "uids")),
           "and they are taken over")
    os.unlink(os.path.join(mary.drop.path, "dovecot-uidlist"))
    tap.equal(uidl(server, mary), answers("maildir.dovecot"),
              "they stay without the list")
    tap.equal(uidl(server, carl), answers("mbox-imap.dovecot"),
              "a session has Dovecot's ids of an mbox")
    client = server.connect()
    client.enter(carl)
    client.ok("DELE 1")
    client.quit()
    tap.equal(uidl(server, carl), answers("mbox-imap.dovecot")[1:],
              "they stay when the message with X-IMAPbase is gone")

    move(server)

    server.modules = with_option("solid", "popa3d")
    server.write_conf()
    server.main.send_signal(signal.SIGHUP)
    server.log.wait("settings read again")
    zoe = server.add_user("zoe", "maildir", [b"Subject: z\n\nz\n"])
    tap.match(uidl(server, zoe)[0], "^[0-9a-f]{32}$", "ids of solid-pop3d")
    tap.equal(uidl(server, mary), answers("maildir.dovecot"),
              "what was taken over stays under another option")

    status, out, err = popperctl.run(
        server, "uidl", "import", "mary", "-",
        text="one %s -\n" % LISTS["mary"].split()[1])
    tap.equal(status, 0, "popperctl uidl import")
    tap.equal(uidl(server, mary), ["one"] + answers("maildir.dovecot")[1:],
              "gives a message the id of the list")
    status, out, err = popperctl.run(server, "uidl", "import", "mary", "-",
                                     text="two 9999 -\n")
    tap.ok(status != 0, "a list of other mail is refused")
    tap.match(err, "line 1 of the list has another size", "with the reason")
tap.done()
