#!/usr/bin/python3
"""Translations: in a bare locale, without files, and when they are damaged.

proves: R-6856-17 R-6856-20
"""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
KIND = popper.DROPS[0]


def languages(client):
    client.ok("LANG")
    return client.multi().decode().splitlines()


def bare(environment):
    """Whatever the environment says, German is German in both processes."""
    with popper.Server(MODE, start=False) as server:
        server.env.update(environment)
        # Not the programs' own build tree: what is read is gone afterwards.
        shutil.copytree(os.path.join(server.build, "po"), server.path("po"))
        server.settings["language-folder"] = server.path("po")
        user = server.add_user("user", KIND, [mail.simple(1)])
        server.start()
        shutil.rmtree(server.path("po"))
        client = server.connect()
        tap.match(client.reply(), r"^\+OK pop.example.org ready",
                  "the greeting is English: %r" % environment)
        tap.equal(languages(client), ["en English", "de Deutsch"],
                  "both languages are there")
        tap.equal(client.cmd("LANG de"), "+OK de Sprache gewechselt", "LANG")
        tap.match(client.login(user), r"^\+OK Postfach hat 1 Nachricht \(",
                  "the session speaks German")
        client.send(b"DELE 1\r\n")
        tap.equal(client.line(), "+OK Nachricht 1 gel\u00f6scht\r\n".encode(),
                  "in UTF-8")
        tap.match(client.cmd("STAT"), r"^\+OK 0 0$", "numbers are numbers")
        tap.equal(client.quit(), "+OK auf Wiedersehen", "to the end")


def damaged(spoil, reason):
    """A catalogue that cannot be used is told, and not listed."""
    with popper.Server(MODE, start=False) as server:
        folder = server.path("po", "de", "LC_MESSAGES")
        os.makedirs(folder)
        for name in (server.path("po"), server.path("po", "de"), folder):
            os.chmod(name, 0o755)
        path = os.path.join(folder, "popper.mo")
        with open(os.path.join(server.build,
                               "po/de/LC_MESSAGES/popper.mo"), "rb") as file:
            spoil(path, file.read())
        server.settings["language-folder"] = server.path("po")
        server.settings["language"] = "de"
        user = server.add_user("user", KIND, [mail.simple(1)])
        server.start()
        told = server.log.find(r"popper\.mo: %s.*language de is not offered"
                               % reason)
        tap.equal(len(told), 2, "both services tell: " + reason)
        client = server.connect()
        client.reply()
        tap.equal(languages(client), ["en English"], "not listed: " + reason)
        tap.equal(client.cmd("LANG de"), "-ERR no such language here",
                  "cannot be chosen")
        tap.equal(client.cmd("LANG *"), "+OK en language changed",
                  "the administrator's choice is English then")
        tap.match(client.login(user), r"^\+OK maildrop has 1 message",
                  "and all else works")
        client.leave()


def write(path, octets):
    with open(path, "wb") as file:
        file.write(octets)
    os.chmod(path, 0o644)


for one in ({"LANG": "C"}, {"LC_ALL": "C.UTF-8", "LANGUAGE": "fr"},
            {"LC_ALL": "de_DE.UTF-8"}):
    tap.run(lambda: bare(one))
tap.run(lambda: damaged(lambda path, mo: None, "open: "))
tap.run(lambda: damaged(
    lambda path, mo: write(path, mo[:-9]), "text .* is damaged"))
tap.run(lambda: damaged(
    lambda path, mo: write(path, mo.replace(b"Nachricht %zu ",
                                            b"Nachricht %sn ")),
    "the translation of .* other conversions"))
tap.run(lambda: damaged(
    lambda path, mo: os.symlink("/etc/passwd", path), "open: "))
tap.run(lambda: damaged(lambda path, mo: os.mkfifo(path), "is no file"))
tap.done()
