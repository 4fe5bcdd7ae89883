#!/usr/bin/python3
"""run.py - play every dialog against the real server and compare.

usage: run.py [--mode MODE] [--conf LINE] [--drop KIND] [FILE ...]

Each file is played once per drop module, with a user and a maildrop of its
own.  Servers are started once for each different configuration.  The language
is described in README.md beside this file.
"""

import argparse
import base64
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, os.pardir, "lib"), HERE]

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
from fixtures import FILES, FIXTURES  # noqa: E402


class Wrong(Exception):
    """The server did not do what the dialog says."""


class Dialog:
    """One file: its header fields and its steps."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.relpath(path, HERE)
        self.header = {"conf": [], "modules": [], "proves": []}
        self.steps = []
        with open(path, encoding="latin-1") as file:
            for number, line in enumerate(file, 1):
                self._line(number, line.rstrip("\n"))
        if not self.header["proves"]:
            raise SystemExit(path + ": which requirements does it prove?")

    def _line(self, number, line):
        field = re.match(r"# ([a-z-]+): (.*)", line)
        if field and field[1] in self.header and isinstance(
                self.header[field[1]], list):
            self.header[field[1]].append(field[2])
        elif field:
            self.header[field[1]] = field[2]
        elif line and not line.startswith("#"):
            step = re.match(r"([0-9]?)([A-Z]+)(:~|:|>|$|(?= )) ?(.*)", line)
            if not step:
                raise SystemExit("%s:%d: %s" % (self.path, number, line))
            self.steps.append((number, step[1] or "1", step[2] + (
                step[3] if step[2] in "CS" else ""), step[4]))

    def key(self):
        """Dialogs with the same key share a server."""
        return tuple(self.header["conf"]), tuple(self.header["modules"])

    def built(self):
        """Are its modules?  configure can leave some out."""
        named = [re.match(r"(auth|drop|ext) (\w+)", line)
                 for line in self.header["modules"]]
        return all(os.path.exists(os.path.join(
            popper.BUILD, "modules", name[1], name[2] + ".la"))
            for name in named if name)

    def wants(self, mode, drop):
        only = self.header.get("only")
        not_in = self.header.get("not-in", "").split()
        as_root = popper.ROOT and mode != "user"
        return (not only or only == drop) and mode not in not_in and not (
            as_root and "not-as-root" in self.header) and self.built()


def unescape(text):
    """Octets of a raw step: \\r \\n \\t \\\\ \\xHH and \\{text*count}."""
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode("latin-1")
            at += 1
        elif text[at + 1] == "x":
            out.append(int(text[at + 2:at + 4], 16))
            at += 4
        elif text[at + 1] == "{":
            end = text.index("}", at)
            piece, count = text[at + 2:end].rsplit("*", 1)
            out += unescape(piece) * int(count)
            at = end + 1
        else:
            out += {"r": b"\r", "n": b"\n", "t": b"\t",
                    "\\": b"\\"}[text[at + 1]]
            at += 2
    return bytes(out)


class Play:
    """One dialog with one server, user and maildrop."""

    def __init__(self, dialog, server, user, messages):
        self.dialog, self.server, self.user = dialog, server, user
        self.messages = [user.drop.wire(raw) for raw in messages]
        self.raw = messages
        self.clients, self.words = {}, {
            "user": user.name, "password": user.password,
            "count": str(len(messages)),
            "total": str(sum(len(wire) for wire in self.messages))}
        for number, wire in enumerate(self.messages, 1):
            self.words["size%d" % number] = str(len(wire))
        self.ended, self.unsettled = set(), False

    def client(self, which):
        if which not in self.clients:
            self.clients[which] = self.server.connect()
        return self.clients[which]

    def fill(self, text):
        text = re.sub(r"\{([a-z]+[0-9]*)\}",
                      lambda found: self.words.get(found[1], found[0]), text)
        return re.sub(r"\{base64\((.*?)\)\}", lambda found:
                      base64.b64encode(unescape(found[1])).decode(), text)

    def run(self):
        for number, which, verb, text in self.dialog.steps:
            try:
                step = STEPS.get(verb)
                if not step:
                    raise Wrong("no such step: " + verb)
                step(self, which, text)
            except Wrong as wrong:
                return "line %d: %s %s\n%s" % (number, verb, text, wrong)
            except popper.Closed as closed:
                return "line %d: %s %s\nclosed by the server: %s" % (
                    number, verb, text, closed)
            except OSError as error:
                return "line %d: %s %s\n%s" % (number, verb, text, error)
        for which in set(self.clients) - self.ended:
            self.clients[which].leave()
        return None

    # --- Steps

    def say(self, which, text):
        self.client(which).send(self.fill(text).encode("latin-1") + b"\r\n")

    def say_raw(self, which, text):
        self.client(which).send(unescape(self.fill(text)))

    def hear(self, which, text):
        want = ".*".join(map(re.escape, self.fill(text).split("*")))
        self._compare(which, want, text)

    def hear_regex(self, which, text):
        # {name} is a word only where one is known, so {2} stays a count
        found = self._compare(which, self.fill(text), text)
        self.words.update(found.groupdict())

    def _compare(self, which, pattern, text):
        line = self.client(which).line()
        if not line.endswith(b"\r\n"):
            raise Wrong("reply without CRLF: %r" % line)
        if len(line) > 512:
            raise Wrong("line of %d octets" % len(line))
        found = re.fullmatch(pattern, line[:-2].decode("latin-1"), re.DOTALL)
        if not found:
            raise Wrong("got:  %r\nwant: %s" % (line[-300:], self.fill(text)))
        return found

    def hear_raw(self, which, text):
        want = unescape(self.fill(text))
        got = self.client(which).exactly(len(want))
        if got != want:
            raise Wrong("got:  %r\nwant: %r" % (got, want))

    def login(self, which, text):
        self.hear(which, "+OK*")
        self.say(which, "USER {user}")
        self.hear(which, "+OK*")
        self.say(which, "PASS {password}")
        self.hear(which, "+OK maildrop has *")

    def _octets(self, which, want):
        want = mail.stuffed(want)
        got = self.client(which).raw_multi()
        if got != want:
            at = next((i for i, pair in enumerate(zip(got, want))
                       if pair[0] != pair[1]), min(len(got), len(want)))
            raise Wrong("differs at octet %d of %d and %d:\ngot:  %r\nwant: %r"
                        % (at, len(got), len(want),
                           got[max(0, at - 30):at + 60],
                           want[max(0, at - 30):at + 60]))

    def body(self, which, text):
        self._octets(which, self.messages[int(text) - 1])

    def top(self, which, text):
        number, lines = map(int, text.split())
        self._octets(which, mail.top(self.messages[number - 1], lines))

    def every(self, which, text):
        """EVERY RETR, EVERY LIST, EVERY TOP n: ask for each message."""
        for number, wire in enumerate(self.messages, 1):
            if text == "RETR":
                self.say(which, "RETR %d" % number)
                self.hear(which, "+OK {size%d} octets" % number)
                self._octets(which, wire)
            elif text == "LIST":
                self.say(which, "LIST %d" % number)
                self.hear(which, "+OK %d {size%d}" % (number, number))
            else:
                self.say(which, "TOP %d %s" % (number, text.split()[1]))
                self.hear(which, "+OK*")
                self._octets(which, mail.top(wire, int(text.split()[1])))

    def listing(self, which, text):
        """SIZES: the lines of a whole LIST, and the dot."""
        for number in range(1, len(self.messages) + 1):
            self.hear(which, "%d {size%d}" % (number, number))
        self.hear(which, ".")

    def half(self, which, text):
        self.client(which).half_close()

    def close(self, which, text):
        self.client(which).close()
        self.ended.add(which)
        self.unsettled = True

    def reset(self, which, text):
        self.client(which).reset()
        self.ended.add(which)
        self.unsettled = True

    def end(self, which, text):
        rest = self.client(which).rest()
        if rest:
            raise Wrong("more came: %r" % rest[:300])
        self.ended.add(which)
        self.client(which).close()

    def drain(self, which, text):
        """DRAIN: whatever comes, until the server closes."""
        self.client(which).rest()
        self.ended.add(which)
        self.client(which).close()

    def capabilities(self, which, text):
        """SET tag tag=argument ...: the rest of a CAPA reply, any order."""
        want = dict((word.split("=") + [None])[:2] for word in text.split())
        lines = self.client(which).multi().decode("ascii").splitlines()
        got = dict((line.split(" ", 1) + [None])[:2] for line in lines)
        if len(lines) != len(got) or set(got) != set(want):
            raise Wrong("got %r" % lines)
        for tag, argument in want.items():
            if argument is not None and \
                    got[tag] != argument.replace(",", " "):
                raise Wrong("got %r" % lines)
        for line in lines:
            if line != line.strip() or "  " in line or "." in \
                    line.split(" ")[0]:
                raise Wrong("malformed: %r" % line)

    def differ(self, which, text):
        """DIFFER word word ...: what was heard differs."""
        heard = [self.words[word] for word in text.split()]
        if len(set(heard)) != len(heard):
            raise Wrong("equal: %r" % heard)

    def file(self, which, text):
        """FILE octets: the mbox holds exactly these."""
        with open(self.user.drop.path, "rb") as file:
            got = file.read()
        if got != unescape(text):
            raise Wrong("the file holds %r" % got[:200])

    def deliver(self, which, text):
        self.user.drop.deliver(*[mail.simple(int(n)) for n in text.split()])

    def settle(self):
        """Until the session of a closed connection has let go."""
        while self.unsettled:
            client = self.server.connect()
            client.reply()
            answer = client.login(self.user, self.user.password)
            client.leave()
            if "[IN-USE]" not in answer:
                self.unsettled = False

    def drop(self, which, text):
        self.settle()
        verb, _, rest = text.partition(" ")
        stored = self.user.drop.stored()
        if verb == "count":
            got, want = len(stored), int(rest)
        elif verb == "subjects":
            got, want = self.user.drop.subjects(), rest.split()
        elif verb == "same":
            got = [self.user.drop.wire(raw) for raw in stored]
            want = self.messages
        else:
            raise Wrong("DROP: what?")
        if got != want:
            raise Wrong("maildrop: got %r, want %r" % (got, want))


STEPS = {
    "C:": Play.say, "C>": Play.say_raw, "S:": Play.hear,
    "S:~": Play.hear_regex, "S>": Play.hear_raw, "LOGIN": Play.login,
    "BODY": Play.body, "TOP": Play.top, "EVERY": Play.every,
    "SIZES": Play.listing, "HALF": Play.half, "CLOSE": Play.close,
    "RESET": Play.reset, "EOF": Play.end, "DELIVER": Play.deliver,
    "DROP": Play.drop, "DRAIN": Play.drain, "SET": Play.capabilities,
    "DIFFER": Play.differ, "FILE": Play.file}


def make_server(mode, key):
    conf, modules = key
    server = popper.Server(mode, start=False)
    for line in conf:
        name, value = re.match(r"([a-z0-9-]+) = (.*)", line).groups()
        server.settings[name] = \
            int(value) if value.isdigit() else value.strip('"')
    server.modules = "".join(
        line.replace("{home}", server.path("home")) + "\n"
        for line in modules) + server.modules
    return server


def spoil(user, what):
    """"# spoil:" - make the mbox file another one than was delivered."""
    if what == "missing":
        os.unlink(user.drop.path)
    else:
        with open(user.drop.path, "wb") as file:
            file.write(FILES[what])


def play_group(mode, key, dialogs, drops):
    """All dialogs that share a configuration, on one server."""
    server = make_server(mode, key)
    plays = []
    for dialog in dialogs:
        for drop in drops:
            if not dialog.wants(mode, drop):
                continue
            messages = FIXTURES[dialog.header.get("maildrop", "empty")]
            password = dialog.header.get("password")
            user = server.add_user(
                dialog.header.get("user", "u%d" % len(plays)), drop, messages,
                password=password and unescape(password).decode("latin-1"))
            if "spoil" in dialog.header:
                spoil(user, dialog.header["spoil"])
            plays.append((drop, Play(dialog, server, user, messages)))
    if not plays:
        server.stop()
        return
    try:
        server.start()
        for drop, play in plays:
            report(server, drop, play)
    finally:
        wrong = server.stop()
    tap.equal(wrong, [], "%s: the server of %s ends clean" % (
        mode, dialogs[0].name))


def report(server, drop, play):
    since = len(server.log.lines)
    wrong = play.run()
    if not tap.ok(not wrong, "%s %s: %s" % (
            server.mode, drop, play.dialog.name)):
        tap.diag(wrong)
        for line in server.log.lines[since:][-15:]:
            tap.diag("log: " + line)


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="daemon", choices=popper.MODES)
    parser.add_argument("--conf", action="append", default=[])
    parser.add_argument("--drop", choices=("mbox", "maildir"))
    parser.add_argument("files", nargs="*")
    args = parser.parse_args(arguments)
    popper.need_server()
    if args.mode == "daemon" and not popper.ROOT:
        tap.skip_all("needs root; user.t plays them without")
    files = args.files or sorted(glob.glob(os.path.join(HERE, "*/*.pop3")))
    groups = {}
    for path in files:
        dialog = Dialog(os.path.abspath(path))
        dialog.header["conf"] += args.conf
        groups.setdefault(dialog.key(), []).append(dialog)
    for key, dialogs in groups.items():
        play_group(args.mode, key, dialogs,
                   [args.drop] if args.drop else popper.DROPS)
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
