#!/usr/bin/python3
"""The log's two styles: popper's fields, and the lines that tools have read
since the 1990s.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
KIND = popper.DROPS[-1]
MESSAGES = [mail.simple(n) for n in range(1, 5)]
FORGED = ('a" at (h) 192.0.2.9', "x from=192.0.2.9 user=root",
          'POP login by user "admin" at (host) 192.0.2.9',
          "x\nlogin-failed code=AUTH from=192.0.2.9 user=\"y\"",
          "(v4) POP login by user \"a\" at (b) 192.0.2.9",
          "x from host (192.0.2.9) 192.0.2.9", "\x1b[2J", "\\", "%n%s")
# What readers of Qpopper's log look for: pop-before-smtp's patterns, and two
# of the kind that fail2ban is given.
LOGIN = re.compile(r'(?:in\.)?q?popper\S*: \([^)]*\) POP login by user '
                   r'"[^"]+" at \([^)]+\) (?P<ip>\d+\.\d+\.\d+\.\d+)')
STATS = re.compile(r"(?:in\.q|q)?popper\[\d+\]: Stats: \S+ \d+ \d+ \d+ \d+ "
                   r"(?:\S+ )?(?P<ip>\d+\.\d+\.\d+\.\d+)")
FAILED = re.compile(r"\[AUTH\] Failed attempted login to \S+ from host "
                    r"\(\S*\) (?P<ip>\S+)$")
REFUSED = re.compile(r"at \S+ \((?P<ip>\S+)\): -ERR \[AUTH\]")


def fields(line):
    """{key: value} of a line, as strictly as a reader can be; or None."""
    whole = re.fullmatch(
        r'popper\[\d+\]: ([a-z-]+)((?: [a-z-]+=(?:"[^"]*"|[^\s"=]+))+)', line)
    if not whole:
        return None
    found = re.findall(r' ([a-z-]+)=(?:"([^"]*)"|(\S+))', whole[2])
    values = {key: quoted or word for key, quoted, word in found}
    if len(values) != len(found):
        return None
    return dict(values, event=whole[1])


def only(server, event):
    """The fields of the one line that tells ${event}."""
    server.log.wait(r"\]: %s " % event)
    lines = server.log.find(r"\]: %s " % event)
    tap.equal(len(lines), 1, "one line: " + event)
    return fields(lines[0]) or {}


def show(values, *names):
    return {name: values.get(name) for name in names}


def own():
    """One line for a login, one for a session's end."""
    with popper.Server(MODE, start=False, conf={"timing": True}) as server:
        user = server.add_user("mary", KIND, MESSAGES)
        server.start()
        sizes = [len(user.drop.wire(raw)) for raw in MESSAGES]
        client = server.enter(user)
        client.fetch("RETR 1")
        client.fetch("RETR 2")
        client.fetch("TOP 3 0")
        client.cmd("RETR 99")
        client.ok("DELE 2")
        client.quit()
        end = only(server, "session-end")
        login = only(server, "login")
        tap.equal(login, {
            "event": "login", "from": "127.0.0.1", "user": "mary",
            "mechanism": "USER", "tls": "", "messages": "4",
            "octets": str(sum(sizes))}, "what a login tells")
        tap.equal(show(end, "from", "user", "why", "retr", "top", "deleted",
                       "deleted-octets", "left", "left-octets"), {
            "from": "127.0.0.1", "user": "mary", "why": "quit", "retr": "2",
            "top": "1", "deleted": "1", "deleted-octets": str(sizes[1]),
            "left": "3", "left-octets": str(sum(sizes) - sizes[1])},
            "what a session's end tells")
        tap.ok(int(end["sent"]) > sizes[0] + sizes[1] and
               int(end["received"]) > 20 and int(end["seconds"]) < 60 and
               all(end[name].isdigit() for name in (
                   "auth-ms", "open-ms", "end-ms")),
               "octets, duration, and with timing its parts")
        since = len(server.log.lines)
        server.enter(user).leave()
        line = server.log.wait(r"session-end .*", since).string
        tap.equal(show(fields(line), "why", "deleted"),
                  {"why": "lost", "deleted": "0"}, "a lost connection")
        client, since = server.enter(user), len(server.log.lines)
        other = server.connect()
        other.reply()
        other.login(user)
        other.leave()
        line = server.log.wait(r"login-failed .*", since).string
        tap.equal(show(fields(line), "code", "user", "mechanism", "reason"), {
            "code": "IN-USE", "user": "mary", "mechanism": "USER",
            "reason": "another session is active"}, "a maildrop in use")
        client.leave()


def plain(name):
    return "AUTH PLAIN " + base64.b64encode(
        b"\0" + name.encode() + b"\0wrong").decode()


def forged(style):
    """Names that look like lines: each is one line, of the right client."""
    with popper.Server(MODE, start=False, conf={
            "log-style": style, "penalty-max": 0, "max-tries": 99,
            "log-login": "yes"}) as server:
        server.add_user("mary", KIND, MESSAGES)
        server.start()
        client = server.connect()
        client.reply()
        for name in FORGED:
            tap.match(client.cmd(plain(name)), r"^-ERR \[AUTH\]",
                      "%s: %r is refused" % (style, name))
        client.cmd('USER POP"login"by')
        client.cmd("PASS x")
        client.leave()
        server.stop_services()
        bad = []
        for line in server.log.lines:
            if not re.fullmatch(r"popper\[\d+\]: [ -~]*|<end of log>", line):
                bad.append(line)
            for reader in (LOGIN, STATS):
                if reader.search(line):
                    bad.append(line)
            for reader in (FAILED, REFUSED):
                found = reader.search(line)
                if found and found["ip"] != "127.0.0.1":
                    bad.append(line)
            if "]: login-failed" in line and (
                    not fields(line) or fields(line)["from"] != "127.0.0.1"):
                bad.append(line)
        tap.equal(bad, [], style + ": no line is another's")
        if style == "qpopper":
            tap.equal(len(server.log.find(r"\[AUTH\] Failed attempted login "
                                          r"to \S+ from host \(127\.0\.0\.1\) "
                                          r"127\.0\.0\.1$")),
                      len(FORGED) + 1, "each failure has its line")
        else:
            tap.equal(len(server.log.find(
                r'login-failed code=AUTH from=127\.0\.0\.1 user="[^"=]*" '
                r'mechanism=\w+ tls="" reason="[^"=]*"$')),
                len(FORGED) + 1, "each failure has its line")


def qpopper():
    """Lines as Qpopper wrote them."""
    with popper.Server(MODE, args=["-s", "-d"], start=False, conf={
            "log-style": "qpopper", "log-login": "yes", "timing": True,
            }) as server:
        user = server.add_user("mary", KIND, MESSAGES)
        server.start()
        sizes = [len(user.drop.wire(raw)) for raw in MESSAGES]
        client = server.connect()
        client.reply()
        client.cmd("PASS early")
        client.login(user, "wrong")
        client.login(user)
        client.cmd("RETR 99")
        client.ok("DELE 1")
        client.quit()
        server.log.wait(r"\]: Stats: mary 1 %d 3 %d 127\.0\.0\.1 "
                        r"127\.0\.0\.1$" % (sizes[0], sum(sizes[1:])))
        server.log.wait(r'\]: \(v[\d.]+\) Ending request from "mary" at '
                        r'\(127\.0\.0\.1\) 127\.0\.0\.1$')
        for what, pattern in (
                ("the connection", r'\(v[\d.]+\) Servicing request from '
                 r'"127\.0\.0\.1" at 127\.0\.0\.1$'),
                ("-ERR before a name", r"\(null\) at 127\.0\.0\.1 "
                 r"\(127\.0\.0\.1\): -ERR send USER first$"),
                ("a failed login", r"\[AUTH\] Failed attempted login to mary "
                 r"from host \(127\.0\.0\.1\) 127\.0\.0\.1$"),
                ("its -ERR", r"mary at 127\.0\.0\.1 \(127\.0\.0\.1\): "
                 r"-ERR \[AUTH\] login failed$"),
                ("a login", r'\(v[\d.]+\) POP login by user "mary" at '
                 r'\(127\.0\.0\.1\) 127\.0\.0\.1$'),
                ("-ERR in a session", r"mary at 127\.0\.0\.1 "
                 r"\(127\.0\.0\.1\): -ERR no such message$"),
                ("timing", r"\(v[\d.]+\) Timing for mary@127\.0\.0\.1 "
                 r"\(normal\) auth=\d+ init=\d+ clean=\d+$")):
            tap.equal(len(server.log.find(r"^popper\[\d+\]: " + pattern)), 1,
                      "one line: " + what)
        for what, reader in (("a login", LOGIN), ("Stats", STATS),
                             ("a failure", FAILED), ("a refusal", REFUSED)):
            found = [reader.search(line) for line in server.log.lines]
            tap.equal([match["ip"] for match in found if match],
                      ["127.0.0.1"], "readers find %s, once" % what)
        tap.equal(server.log.find("login from=|login-failed|session-end"), [],
                  "and nothing of the other style")
        since = len(server.log.lines)
        server.enter(user).leave()
        server.log.wait(r"mary at 127\.0\.0\.1 \(127\.0\.0\.1\): -ERR POP EOF "
                        r"or I/O Error$", since)
        server.log.wait(r"Timing for mary@127\.0\.0\.1 \(error\)", since)
        tap.ok(True, "a lost connection")


def timeout():
    with popper.Server(MODE, start=False, conf={
            "log-style": "qpopper", "timeout": 1}) as server:
        user = server.add_user("mary", KIND, MESSAGES)
        server.start()
        client = server.enter(user)
        client.rest()
        server.log.wait(r"\]: \(v[\d.]+\) Timeout \(1 secs\) during nw read "
                        r"from mary at 127\.0\.0\.1 \(127\.0\.0\.1\)$")
        tap.ok(True, "a timeout")


def template():
    """log-login in either style."""
    with popper.Server(MODE, start=False, conf={
            "log-login": "%3 %% %1 %1 %0 %d".replace(" %d", "")}) as server:
        user = server.add_user("mary", KIND, MESSAGES)
        server.start()
        server.enter(user).quit()
        server.log.wait(r"\]: 127\.0\.0\.1 % mary mary [\d.]+$")
        tap.ok(True, "log-login: all that can stand in it")
        only(server, "login")
        server.write_users()
        for wrong, word in (("%s", "behind %"), ("x%", "behind %"),
                            ("%4", "behind %"), ("\u00e4", "ASCII"),
                            ("x" * 300, "at most")):
            done = subprocess.run(
                server.command("--check", "-o", "log-login=" + wrong),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=60)
            tap.ok(done.returncode == 1 and word in done.stdout,
                   "log-login: %r is refused" % wrong[:9])
        done = subprocess.run(
            server.command("--check", "-o", "log-style=syslog"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60)
        tap.ok(done.returncode == 1 and "popper or qpopper" in done.stdout,
               "so is another style")


def fail2ban():
    """The filter finds each failure of both styles, and nothing else."""
    log = []
    for style in ("popper", "qpopper"):
        with popper.Server(MODE, start=False, conf={
                "log-style": style, "penalty-max": 0,
                "max-tries": 99}) as server:
            user = server.add_user("mary", KIND, MESSAGES)
            server.start()
            client = server.connect()
            client.reply()
            client.login(user, "wrong")
            for name in FORGED:
                client.cmd(plain(name))
            client.login(user)
            client.cmd("RETR 99")
            client.quit()
            server.stop_services()
            log += ["Nov 22 08:00:00 host " + line for line in
                    server.log.lines if line.startswith("popper[")]
    with open(os.path.join(popper.SRC, "etc/fail2ban/filter.d/popper.conf")
              ) as file:
        text = file.read()
    lines = re.search(r"(?m)^failregex = (.*(?:\n +.*)*)", text)[1]
    patterns = [re.compile(line.strip().replace(
        "^%(__prefix_line)s", r"^\w+ +\d+ [\d:]+ host popper\[\d+\]: ")
        .replace("<ADDR>", r"(?P<ip>[0-9a-fA-F.:]+)"))
        for line in lines.splitlines()]
    found = [match["ip"] for line in log for pattern in patterns
             for match in [pattern.search(line)] if match]
    want = 2 * (len(FORGED) + 1)
    tap.equal(found, ["127.0.0.1"] * want, "the filter's own patterns")
    program = shutil.which("fail2ban-regex")
    common = os.path.join(os.environ.get("FAIL2BAN", "/etc/fail2ban"),
                          "filter.d/common.conf")
    if program is None or not os.path.exists(common):
        tap.skip("fail2ban-regex", "it is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mail.log")
        with open(path, "w") as file:
            file.write("\n".join(log) + "\n")
        os.mkdir(os.path.join(folder, "filter.d"))
        for name in (common, os.path.join(
                popper.SRC, "etc/fail2ban/filter.d/popper.conf")):
            shutil.copy(name, os.path.join(folder, "filter.d"))
        done = subprocess.run(
            [program, path, os.path.join(folder, "filter.d/popper.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=120)
    tap.match(done.stdout, r"(?m)^Failregex: %d total" % want,
              "and fail2ban-regex")


tap.run(own)
tap.run(lambda: forged("popper"))
tap.run(lambda: forged("qpopper"))
tap.run(qpopper)
tap.run(timeout)
tap.run(template)
tap.run(fail2ban)
tap.done()
