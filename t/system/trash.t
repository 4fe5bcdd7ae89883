#!/usr/bin/python3
"""trash: what clients delete comes back, with its unique-ids."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
MESSAGES = [mail.simple(number) for number in range(1, 6)]


def undelete(server, user, *more):
    """Returns (status, both outputs)."""
    status, out, err = popperctl.run(server, "undelete", user.name, *more)
    return status, out + err


def uidl(server, user):
    """The unique-ids, in the order of the messages."""
    client = server.enter(user)
    lines = client.lines("UIDL")
    client.quit()
    return [line.split()[1] for line in lines]


def delete(server, user, *numbers):
    client = server.enter(user)
    for number in numbers:
        client.ok("DELE %d" % number)
    return client.cmd("QUIT")


def modules(server, trash):
    return ('auth passwd { file = "%s" }\ndrop mbox { %s }\n'
            % (server.path("users"), trash))


def comes_back(server):
    user = server.add_user("alice", "mbox", MESSAGES)
    before = uidl(server, user)
    delete(server, user, 1, 3, 5)
    tap.equal(uidl(server, user), [before[1], before[3]],
              "three of five are deleted")
    status, said = undelete(server, user)
    tap.ok(status == 0 and said.startswith("3 messages brought back"),
           "popperctl undelete brings three back")
    tap.equal(uidl(server, user),
              [before[n] for n in (1, 3, 0, 2, 4)],
              "they have their unique-ids")
    tap.equal(sorted(user.drop.stored()), sorted(MESSAGES),
              "and are the same, octet by octet")
    status, said = undelete(server, user)
    tap.ok(status == 0 and said.startswith("0 messages"),
           "there is nothing more to bring back")
    delete(server, user, 1)
    status, said = undelete(server, user, "--since", "1h")
    tap.ok(status == 0 and said.startswith("1 message "),
           "what was deleted in the last hour")


def no_room(server):
    user = server.add_user("bob", "mbox", MESSAGES)
    uidl(server, user)
    with open(server.path("state", user.name, "trash"), "wb"):
        pass
    answer = delete(server, user, 2)
    tap.ok(answer.startswith("-ERR [SYS/TEMP]"),
           "without a place to keep it nothing is deleted")
    tap.ok(server.log.wait(r"option trash"), "and the log says why")
    tap.equal(user.drop.stored(), MESSAGES, "all is there")


def main():
    server = popper.Server(MODE, start=False)
    server.modules = modules(server, "trash = 7d")
    server.start()
    with server:
        comes_back(server)
        no_room(server)


main()
tap.done()
