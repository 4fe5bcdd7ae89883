#!/usr/bin/python3
"""Qpopper's configuration file is read as it is; wrong ones are told."""

import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"


def server_for(text, *args):
    """A server that reads ${text} as Qpopper's file, and its own users."""
    server = popper.Server(MODE, start=False)
    server.write("qpopper.conf", text)
    server.args = ["-f", server.path("qpopper.conf")] + list(args)
    return server


def run(server, *args):
    process = server.popen(
        server.command(*args), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = process.communicate(timeout=60)[0].decode()
    return process.returncode, out


def shown(server, *args):
    """What popper --print shows: {name or "module.name": value}."""
    server.write_users()
    server.write_conf()
    code, text = run(server, "--print", *args)
    tap.equal(code, 0, "popper --print works") or tap.diag(text)
    found, section = {}, ""
    for line in text.splitlines():
        head = re.match(r"\S+ (\S+) \{$", line)
        if head:
            section = head[1] + "."
        item = re.match(r"\t?(\S+) = (.*)$", line)
        if item:
            found[section + item[1]] = item[2].strip('"')
    return found


SERVER = server_for("""\
# A host of 2004
set debug
SET Timeout = 0x78      # two minutes
set downcase-user = 1
reset reverse-lookup
set keep-temp-drop = true
set spool-dir = "/var/spool/mail"
set hash-spool = 2
set update-status-headers = false
set announce-expire = -1
set max-bulletins = 0x10
set bulldir = FOLDER/bulls
set config-file = FOLDER/more.conf
set timeout = 61
set trim-domain""")
SERVER.write("more.conf", "set timeout = 60\nset old-style-uid\n")
with open(SERVER.path("qpopper.conf")) as FILE:
    SERVER.write("qpopper.conf", FILE.read().replace("FOLDER", SERVER.folder))
FOUND = shown(SERVER)
tap.equal({name: FOUND.get(name) for name in (
    "debug", "timeout", "downcase-user", "reverse-lookup", "trim-domain",
    "mbox.spool-dir", "mbox.hash-spool", "mbox.unique-id",
    "mbox.old-style-uid", "expire", "bulletins.directory",
    "bulletins.max-bulletins")},
    {"debug": "yes", "timeout": "61", "downcase-user": "yes",
     "reverse-lookup": "no", "trim-domain": "yes",
     "mbox.spool-dir": "/var/spool/mail", "mbox.hash-spool": "2",
     "mbox.unique-id": "qpopper", "mbox.old-style-uid": "yes",
     "expire": "never", "bulletins.directory": SERVER.path("bulls"),
     "bulletins.max-bulletins": "16"}, "its options set ours, and those of modules")
SERVER.settings["modules"] = SERVER.path("modules.conf")
CODE, TEXT = run(SERVER, "--check")
tap.equal(CODE, 0, "it passes --check") or tap.diag(TEXT)
tap.match(TEXT, r"/qpopper\.conf:6: keep-temp-drop does nothing: mail is "
          r"not copied",
          "what no longer matters is told, with its line")
tap.match(TEXT, r"/qpopper\.conf:15: trim-domain: no newline ends this line",
          "so is a last line without its end")
tap.match(TEXT, r"/qpopper\.conf is read as Qpopper's configuration, and "
          r"\S+/modules\.conf with it", "so is whose file it is")
tap.match(TEXT, r"qpopper\.conf: passwords that are not encrypted are taken "
          r"from the loopback address only", "so is what became stricter")
FOUND = shown(SERVER, "-o", "timeout=62", "-T", "63")
tap.equal(FOUND["timeout"], "63", "left to right, the later wins")
FOUND = shown(SERVER, "-T", "63", "-f", SERVER.path("qpopper.conf"))
tap.equal(FOUND["timeout"], "61", "the file too, at its place")
FOUND = shown(SERVER, "-b", "/bulls of/flags", "-B")
tap.equal([FOUND["bulletins.directory"], FOUND["bulletins.bulldb-nonfatal"]],
          ["/bulls of/flags", "yes"], "-b and -B are options of bulletins")
SERVER.stop()

SERVER = server_for("set statistics\nreset reverse-lookup\n"
                    "set downcase-user\n")
USER = SERVER.add_user("mary", "mbox", [mail.simple(1)])
SERVER.start()
CLIENT = SERVER.connect()
CLIENT.reply()
tap.match(CLIENT.login("MARY"), r"\+OK", "a server with it lets MARY in")
CLIENT.ok("DELE 1")
CLIENT.quit()
SERVER.log.wait(r"Stats: mary 1 \d+ 0 0 127\.0\.0\.1 127\.0\.0\.1$")
tap.ok(True, "and writes a Stats line")
tap.equal(SERVER.stop(), [], "the server ends clean")


def read_again():
    """SIGHUP: Qpopper's file is read again, and may have become wrong."""
    server = server_for("set shy\nset keep-temp-drop\n")
    server.start()

    def tells_its_name():
        client = server.connect()
        client.reply()
        found = any("IMPLEMENTATION" in line for line in client.lines("CAPA"))
        client.quit()
        return found

    tap.ok(not tells_its_name(), "it is shy")
    path = server.path("qpopper.conf")
    server.write("qpopper.conf", "reset shy\nset nothing\n")
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"still running with the old settings: %s:2: .*\"nothing\""
                    % re.escape(path))
    tap.ok(True, "SIGHUP with a wrong file: all stays as it was")
    since = len(server.log.lines)
    server.write("qpopper.conf", "reset shy\nset chunky-writes = always\n")
    server.main.send_signal(signal.SIGHUP)
    server.log.wait(r"settings read again", since)
    tap.ok(server.log.find(r":2: chunky-writes does nothing: replies are"),
           "SIGHUP with a good one: what does nothing is told again")
    tap.ok(tells_its_name(), "it is shy no more")
    tap.equal(server.stop(), [], "the server ends clean")


read_again()


def without_modules():
    """Without modules.conf: PAM and mbox."""
    server = server_for("set timeout = 60\n")
    server.write_conf()
    command = server.command("--print")
    at = command.index(server.path("popper.conf"))
    del command[at - 1:at + 1]
    for name in ("module-folder", "program-folder", "state-folder"):
        command += ["-o", "%s=%s" % (name, server.settings[name])]
    process = server.popen(command, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.communicate(timeout=60)[0].decode()
    wanted = ["drop mbox", "ext xlst"]
    if os.path.exists(os.path.join(popper.BUILD, "modules/ext/mangle.la")):
        wanted += ["ext mangle"]
        tap.match(text, r'(?m)^name-suffix = "-no-mime"$',
                  "names may end in -no-mime")
    tap.equal(re.findall(r"^(?:drop|ext) \S+", text, re.MULTILINE), wanted,
              "without modules.conf mail lies in an mbox, extensions are on")
    for line in ("last = yes", "euidl = yes", "local-time = yes"):
        tap.match(text, "(?m)^%s$" % line, line)
    if os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la")):
        tap.match(text, r"(?m)^auth pam \{$", "and accounts are those of PAM")
    server.stop()


without_modules()


def imported():
    """popperctl import: the same settings, in our two files."""
    server = server_for("")
    inner = server.write("inner.conf", "set max-bulletins = 7\nset shy")
    text = """\
set statistics          # the first line
set timeout = 0x78
set config-file = %s
set bulldir = "/var/spool/my bulls"
set keep-temp-drop
set log-facility = local1
set tls-version = "TLSv1"
set temp-name = ".%%s.pop"
set temp-dir = /var/spool/pop
reset check-old-spool-loc
set mail-command = /bin/true
reset update-status-headers
set UW-kludge = false
set timeout = 61
""" % inner
    path = server.write("qpopper.conf", text)
    server.write_conf()
    base = [os.path.join(server.build, "src/popper"), "--log-to", "stderr"]
    end = [word for name in ("module-folder", "program-folder", "state-folder",
                             "user", "language-folder")
           for word in ("-o", "%s=%s" % (name, server.settings[name]))]
    tool = os.path.join(popper.BUILD, "src/popperctl")

    def call(command):
        process = server.popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        said = process.communicate(timeout=60)[0].decode()
        return process.returncode, said

    ours, modules = server.path("run/new.conf"), server.path("run/modules")
    code, said = call([tool, "import", "qpopper", path, "--popper-conf", ours,
                       "--modules-conf", modules])
    tap.equal((code, said), (0, ""), "popperctl import qpopper works")
    with open(ours) as file:
        written = file.read()
    with open(modules) as file:
        everything = written + file.read()
    for number, line in enumerate(text.splitlines(), 1):
        statement = line.split("#")[0].strip().replace('"', "")
        tap.ok("# %s:%d: %s\n" % (path, number, statement) in everything,
               "line %d is told" % number)
    tap.match(written, r"set keep-temp-drop\n#   dropped: mail is not copied",
              "what was dropped is told, with its reason")
    code, said = call(base + ["-f", ours] + end + ["--check"])
    tap.equal(code, 0, "the result passes popper --check") or tap.diag(said)
    shows = []
    for name in (path, ours):
        code, said = call(base + ["-f", name] + end + ["--print"])
        shows.append([line for line in said.splitlines()
                      if not line.startswith("modules = ")])
    tap.equal(shows[0], shows[1], "and means what Qpopper's file means")
    for line in ("\tmax-bulletins = 7", "timeout = 61", "ext xmit {",
                 "\tsendmail = \"/bin/true\"",
                 "\ttemp-name = \".%u.pop\"",
                 "\tcheck-old-spool-loc = no"):
        tap.ok(line in shows[0], "which is what it says: " + line.strip())
    code, said = call([tool, "import", "qpopper", path, "--popper-conf", ours])
    tap.ok(code == 1 and "not written over" in said,
           "a file that is there is not written over")
    other = server.path("one-of-two.conf")
    code, said = call([tool, "import", "qpopper", path, "--popper-conf", other,
                       "--modules-conf", ours])
    tap.ok(code == 1 and "not written over" in said and
           not os.path.exists(other), "nor is the other one written then")
    code, said = call([tool, "import", "qpopper", path])
    tap.ok(code == 0 and "\ndrop mbox {" in said and "\nshy = yes" in said,
           "without names both are shown")
    bulls = server.path("bulls")
    os.mkdir(bulls)
    with open(os.path.join(bulls, "7.news"), "w") as file:
        file.write("From x Mon Nov 23 00:00:00 2026\nSubject: read me\n\n-\n")
    server.write("qpopper.conf", "set bulldir = %s\n" % bulls)
    code, said = call([tool, "-f", path, "bulletin", "list"])
    tap.ok(code == 0 and "read me" in said,
           "popperctl -f knows the bulletins of Qpopper's file") or \
        tap.diag(said)
    server.write("qpopper.conf", "set timeout = never\n")
    code, said = call([tool, "import", "qpopper", path])
    tap.ok(code == 1 and path + ":1: timeout = \"never\"" in said,
           "an error names file and line")
    server.stop()


if os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la")):
    imported()
else:
    tap.skip("import", "popper was built without PAM")


def told(text, pattern, name, *args):
    server = server_for(text, *args)
    server.write_conf()
    code, said = run(server, "--check")
    tap.ok(code == 1, name + ": it is refused") or tap.diag(said)
    tap.match(said, pattern, name + ": it says why")
    server.stop()


told("set debug\nset timeouts = 5\n", r"/qpopper\.conf:2: Qpopper has no option "
     r"\"timeouts\"; \"timeout\" is one", "an unknown option")
told("set debug\ntimeout = 5\n", r"/qpopper\.conf:2: \"timeout\" where \"set\" "
     r"or \"reset\" must be", "a line of popper.conf among Qpopper's")
told("timeout = 5\nset debug\n", r"/qpopper\.conf:2: \"debug\" where \"=\" "
     r"must be", "a line of Qpopper's in popper.conf")
told("set shy = yes\n", r":1: shy = \"yes\": must be true, false, 1 or 0",
     "a truth that is none")
told("set tracefile = '/x\n", r":1: tracefile = '/x does not end on its line",
     "an open quote")
told("set timeout = 0\n", r"timeout: must be 1 second to 1 day",
     "a number out of range")
told("set hash-spool = 3000000000000000000000\n", r":1: hash-spool = ",
     "a number too large")
told("set kerberos\n", r"qpopper\.conf:1: Kerberos is GSSAPI now: .*keytab", "kerberos")
told("set config-file = /nonexistent\n", r":1: /nonexistent: No such file",
     "a file that is not there")
tap.done()
