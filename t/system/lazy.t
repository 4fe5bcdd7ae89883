#!/usr/bin/python3
"""purge = lazy: QUIT notes what is gone; the mbox follows later."""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(number) for number in range(1, 7)]


def configure(server, options):
    server.modules = 'auth passwd { file = "%s" }\ndrop mbox { %s }\n' % (
        server.path("users"), options)


def look(server, user):
    """What a client sees: STAT, LIST, UIDL, and all messages."""
    client = server.enter(user)
    stat = client.ok("STAT").split()[1:3]
    sizes = [line.split()[1] for line in client.lines("LIST")]
    uids = [line.split()[1] for line in client.lines("UIDL")]
    texts = [client.fetch("RETR %d" % number)
             for number in range(1, len(uids) + 1)]
    client.leave()
    tap.equal(stat, [str(len(sizes)), str(sum(map(int, sizes)))],
              "STAT is the sum of LIST")
    return uids, texts


def delete(server, user, *numbers):
    client = server.enter(user)
    for number in numbers:
        client.ok("DELE %d" % number)
    client.quit()


def stored(user):
    with open(user.drop.path, "rb") as file:
        return file.read()


def course(server):
    user = server.add_user("alice", "mbox", MESSAGES)
    uids, texts = look(server, user)
    before = stored(user)
    delete(server, user, 2, 3)
    tap.equal(stored(user), before, "the mbox is as it was")
    keep = [0, 3, 4, 5]
    tap.equal(look(server, user), ([uids[i] for i in keep],
                                   [texts[i] for i in keep]),
              "what was deleted is not shown, the rest as before")
    user.drop.deliver(mail.simple(7))
    more, _ = look(server, user)
    tap.equal(more[:4], [uids[i] for i in keep],
              "nor once mail has come")
    tap.equal(len(more), 5, "which is shown")
    return user, more


def purge(server, user, uids):
    """With purge = quit the next deletion removes all that is gone."""
    delete(server, user, 1)
    tap.equal(len(user.drop.stored()), 4, "purge = quit: all of it goes")
    tap.equal(look(server, user)[0], uids[1:], "and nothing else")


def always():
    """Hours of the day that are now, and in an hour."""
    hour = time.localtime().tm_hour
    return "%d-%d" % (hour, (hour + 2) % 24)


def tidy(server, options):
    """A QUIT that changes nothing, and popperctl recover, when it is time."""
    readers = [server.add_user(name, "mbox", MESSAGES)
               for name in ("rita", "rene")]
    uids = [look(server, user)[0] for user in readers]
    for user in readers:
        delete(server, user, 2)
        server.enter(user).quit()
        tap.equal(len(user.drop.stored()), 6, "it is not time yet")
    status, said, _ = popperctl.run(server, "recover", "rene")
    tap.equal((status, said), (0, "nothing to do\n"), "nor to recover")
    configure(server, options)
    server.write_conf()
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"settings read again")
    server.enter(readers[0]).quit()
    tap.equal(len(readers[0].drop.stored()), 5, "a QUIT gives space back")
    status, said, _ = popperctl.run(server, "recover", "rene")
    tap.equal((status, said), (0, "removed 1 deleted message from the mbox "
                               "(purge = lazy)\n"), "and popperctl recover")
    tap.equal(len(readers[1].drop.stored()), 5, "does so, too")
    for user, before in zip(readers, uids):
        tap.equal(look(server, user)[0], before[:1] + before[2:],
                  "and no more")


def undelete(server):
    user = server.add_user("carol", "mbox", MESSAGES)
    uids, _ = look(server, user)
    delete(server, user, 2)
    status, said, _ = popperctl.run(server, "undelete", user.name)
    tap.equal((status, said), (0, "1 message brought back\n"),
              "popperctl undelete brings back what was only noted")
    tap.equal(look(server, user)[0], uids[:1] + uids[2:] + uids[1:2],
              "once, and with its unique-id")


def wrong_hours():
    server = popper.Server(MODE, start=False)
    configure(server, 'purge = lazy purge-time = "2-25"')
    with server:
        server.write_users()
        server.write_conf()
        check = server.popen(server.command("--check"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = check.communicate(timeout=popper.PATIENCE)[0].decode()
        tap.equal(check.returncode, 1, "popper --check refuses wrong hours")
        tap.match(said,
                  'purge-time = "2-25" .*must be two hours', "and names them")


def main():
    wrong_hours()
    server = popper.Server(MODE, start=False)
    configure(server, 'purge = lazy purge-time = ""')
    server.start()
    with server:
        user, uids = course(server)
        configure(server, "purge = quit")
        server.write_conf()
        server.main.send_signal(signal.SIGHUP)
        server.log.wait(r"settings read again")
        purge(server, user, uids)
    server = popper.Server(MODE, start=False)
    configure(server, 'purge = lazy purge-time = ""')
    server.start()
    with server:
        tidy(server, "purge = lazy purge-time = %s" % always())
    server = popper.Server(MODE, start=False)
    configure(server, 'purge = lazy purge-time = "" trash = 1d')
    server.start()
    with server:
        undelete(server)


main()
tap.done()
