#!/usr/bin/python3
"""popperctl at work on real mail, beside a server that runs."""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
TRASH = ("maildir",)  # drop modules that keep what is deleted
MESSAGES = [mail.simple(n) for n in range(1, 6)]


def modules(server):
    return 'auth passwd { file = "%s" }\n' % server.path("users") + "".join(
        'drop %s { %s }\n' % (kind, 'trash = 7d' if kind in TRASH else "")
        for kind in popper.DROPS)


def ids(server, user):
    """Unique-ids and content, as a client sees them."""
    client = server.enter(user)
    found = [line.split()[1] for line in client.lines("UIDL")]
    texts = [client.fetch("RETR %d" % (n + 1)) for n in range(len(found))]
    client.quit()
    return list(zip(found, texts))


def delete(server, user, *numbers):
    client = server.enter(user)
    for number in numbers:
        client.ok("DELE %d" % number)
    client.quit()


def trash_folder(user):
    return os.path.join(user.drop.path, "cur/.popper-trash")


def brought(count):
    return (0, "%d message%s brought back\n" % (
        count, "" if count == 1 else "s"), "")


def keeps(server, kind):
    """Deleted by a client, and brought back."""
    user = server.add_user(kind + "-trash", kind, MESSAGES)
    before = ids(server, user)
    delete(server, user, 1, 3)
    left = ids(server, user)
    tap.equal(left, [before[1], before[3], before[4]],
              kind + ": what is deleted is not shown")
    client = server.enter(user)
    status, out, err = popperctl.run(server, "undelete", user.name)
    tap.equal((status, out), (1, ""), "nothing is done behind a session")
    tap.match(err, "%s is logged in" % user.name, "and that is told")
    client.quit()
    tap.equal(popperctl.run(server, "undelete", user.name), brought(2),
              "brought back")
    tap.equal(ids(server, user), before, "as it was, unique-ids and octets")
    tap.equal(popperctl.run(server, "undelete", user.name), brought(0),
              "once")
    delete(server, user, 5)
    tap.equal(popperctl.run(server, "undelete", user.name, "--since", "1h"),
              brought(1), "since an hour")
    tap.equal(ids(server, user), before, "as it was, again")
    delete(server, user, 1, 2, 3, 4, 5)
    tap.equal(ids(server, user), [], "all are deleted")
    user.drop.deliver(mail.simple(9))
    tap.equal(popperctl.run(server, "undelete", user.name), brought(5),
              "and come back to a new one")
    tap.equal([x for x in ids(server, user) if x in before], before,
              "as they were")


def ages(server):
    """A Maildir's trash is dated; what is too old goes at a later commit."""
    user = server.add_user("ages", "maildir", MESSAGES)
    delete(server, user, 1)
    name, = os.listdir(trash_folder(user))
    old = "%d" % (time.time() - 8 * 86400)
    os.rename(os.path.join(trash_folder(user), name),
              os.path.join(trash_folder(user), old))
    tap.equal(popperctl.run(server, "undelete", user.name, "--since", "2d"),
              brought(0), "not since two days, but eight")
    tap.equal(os.listdir(trash_folder(user)), [],
              "what is older than the option says is removed")
    delete(server, user, 1)
    names = os.listdir(os.path.join(user.drop.path, "cur"))
    tap.equal([n for n in names if n.startswith(".")], [".popper-trash"],
              "it is one hidden folder in cur")
    tap.equal(len(ids(server, user)), 3, "which nobody takes for mail")


def recovers(server):
    """What a crash of a Maildir's commit leaves, and of several."""
    user = server.add_user("crashed", "maildir", MESSAGES)
    before = ids(server, user)

    def crash():
        there = os.path.join(user.drop.path, "tmp/.popper-undo/new")
        os.makedirs(there)
        for name in sorted(os.listdir(user.drop.path + "/new"))[:2]:
            os.rename(os.path.join(user.drop.path, "new", name),
                      os.path.join(there, name))
        for path in (there, os.path.dirname(there)):
            if popper.ROOT:
                os.chown(path, user.uid, user.gid)

    crash()
    said = "brought back mail that was not removed\n"
    tap.equal(popperctl.run(server, "recover", "crashed"), (0, said, ""),
              "recover tells what it found")
    tap.equal(ids(server, user), before, "and all is as it was")
    tap.equal(popperctl.run(server, "recover", "crashed"),
              (0, "nothing to do\n", ""), "or that there was nothing")
    crash()
    status, out, err = popperctl.run(server, "recover", "--all")
    tap.equal((status, out), (0, "crashed: " + said), "recover --all")
    if err:
        tap.diag(err)
    tap.equal(ids(server, user), before, "as it was, again")
    os.mkdir(os.path.join(user.drop.path, "tmp/.popper-undo"), 0o700)
    open(os.path.join(user.drop.path, "tmp/.popper-undo/new"), "w").close()
    status, out, err = popperctl.run(server, "recover", "--all")
    tap.equal((status, out), (1, ""), "what needs a person")
    tap.match(err, "popperctl: crashed: maildir .*cannot be dealt with",
              "is told with the name")
    os.unlink(os.path.join(user.drop.path, "tmp/.popper-undo/new"))
    os.rmdir(os.path.join(user.drop.path, "tmp/.popper-undo"))


def play(mode):
    server = popper.Server(mode, start=False)
    server.modules = modules(server)
    with server.start():
        for kind in TRASH:
            if kind in popper.DROPS:
                keeps(server, kind)
        if "maildir" in popper.DROPS:
            ages(server)
            recovers(server)


if popper.ROOT:
    play("daemon")
play("user")
tap.done()
