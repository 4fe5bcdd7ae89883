#!/usr/bin/python3
"""The first popper's options do what they always did; wrong ones are told."""

import os
import re
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

PROGRAM = os.path.join(popper.BUILD, "src/popper")


def run(*args):
    done = subprocess.run([PROGRAM] + list(args), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    return done.returncode, done.stdout


def server_with(*args, **settings):
    server = popper.Server("daemon" if popper.ROOT else "user", start=False,
                           args=args)
    server.settings.update(settings)
    user = server.add_user("mary", "maildir", [mail.simple(1)])
    server.start()
    return server, user


server, user = server_with("-csM", "-R")
client = server.connect()
client.reply()
tap.match(client.login("MARY"), r"\+OK", "-c: MARY is mary")
client.ok("DELE 1")
client.quit()
server.log.wait(r"Stats: mary 1 \d+ 0 0 127\.0\.0\.1 127\.0\.0\.1$")
tap.ok(True, "-s: a Stats line; -R: without a name; -M: accepted")
tap.equal(server.stop(), [], "the server ends clean")

server, user = server_with()
client = server.connect()
client.reply()
tap.match(client.login("MARY"), r"-ERR \[AUTH\]", "without -c it is not")
client.leave()
tap.equal(server.stop(), [], "the server ends clean")

high = str(2 ** 31)
server, user = server_with("-o", "min-uid=" + high)
client = server.connect()
client.reply()
tap.match(client.login(user), r"-ERR \[AUTH\]", "a uid below min-uid is refused")
client.leave()
tap.equal(server.stop(), [], "the server ends clean")
server, user = server_with("-o", "min-uid=" + high, "-a")
tap.match(server.connect().enter(user).quit(), r"\+OK", "-a lets it in")
tap.equal(server.stop(), [], "the server ends clean")

server, user = server_with("-C", "-e", "login_delay=7,expire=30")
client = server.connect()
client.reply()
announced = client.lines("CAPA")
tap.ok("EXPIRE 30" in announced, "-e expire= is announced")
tap.ok("LOGIN-DELAY 7" in announced, "-e login_delay= is announced as it is")
tap.match(client.login("mary@example.org"), r"\+OK",
          "-C: what follows @ goes")
tap.ok("LOGIN-DELAY 7" in client.lines("CAPA"), "after the login too")
client.quit()
tap.match(server.connect().enter(user).quit(), r"\+OK",
          "and nobody has to wait for it")
tap.equal(server.stop(), [], "the server ends clean")
server, user = server_with("--announce", "expire,login_delay=0")
client = server.connect()
client.reply()
announced = client.lines("CAPA")
tap.ok("EXPIRE NEVER" in announced, "-e expire: never")
tap.ok("LOGIN-DELAY 0" in announced, "-e login_delay=0: none")
client.leave()
tap.equal(server.stop(), [], "the server ends clean")

server, user = server_with("--timeout", "1")
client = server.enter(user)
tap.equal(client.rest(), b"", "-T: silence ends the session without a word")
tap.equal(server.stop(), [], "the server ends clean")

def daemon():
    """In the background, with paths that are not absolute."""
    server = popper.Server("daemon" if popper.ROOT else "user", start=False)
    if server.drop_to:
        return
    user = server.add_user("mary", "maildir", [mail.simple(1)])
    server.write_conf()
    done = subprocess.run(
        [PROGRAM, "--daemon", "-f", "popper.conf", "--pid-file", "run/pid",
         "-t", "run/trace"], cwd=server.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60)
    tap.equal((done.returncode, done.stdout), (0, ""),
              "--daemon: the first process ends when the server is ready")
    with open(server.path("run", "pid")) as file:
        pid = int(file.read())
    began = popper.processes()[pid][1]
    with open(server.path("run", "trace")) as file:
        port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)",
                             file.read()).group(1))
    tap.match(popper.Client.to(port).enter(user).quit(), r"\+OK",
              "it serves mail")
    os.kill(pid, signal.SIGHUP)
    until = time.monotonic() + popper.PATIENCE
    with open(server.path("run", "trace")) as file:
        text = ""
        while "settings read again" not in text and time.monotonic() < until:
            select.select([], [], [], 0.05)  # nothing tells of a file's growth
            text += file.read()
    tap.ok("settings read again" in text, "it finds its files again at SIGHUP")
    os.kill(pid, signal.SIGTERM)
    tap.equal(popper.wait_gone({pid: began}), [], "SIGTERM ends it")
    tap.ok(not os.path.exists(server.path("run", "pid")),
           "and the pid file is gone")
    server.stop()


daemon()
code, text = run("-v")
tap.ok(code == 0 and re.match(r"popper-\d", text), "-v tells the version")
for option in ("-V", "--v", "--ver"):
    code, text = run(option)
    tap.ok(code == 0 and re.match(r"popper-\d", text),
           "so does " + option)
for option in ("-x", "-Z"):
    code, text = run(option, "-o", "modules=/nonexistent", "--check")
    tap.ok("%s does nothing here" % option in text,
           option + " is accepted, and says that it does nothing")
code, text = run("--help")
tap.ok(code == 0 and all("-%s," % letter in text for letter in "acCdefRlpstTvy"),
       "--help names the options")
code, text = run("-L", "7", "-D", "host", "-K", "pop", "-S", "-F", "-M",
                 "-o", "modules=/nonexistent", "--check")
for line in ("-L does nothing: a lock is refreshed by the clock",
             "-D does nothing: mail servers have SMTP AUTH",
             "-K does nothing: Kerberos is GSSAPI now",
             "-S does nothing: mail is read where",
             "-F does nothing: mail is read where", "-M does nothing"):
    tap.ok(line in text, "what does nothing says so: " + line[:2])
code, text = run("-L", "x", "--check")
tap.ok(code == 1 and "-L: mail-lock-check = \"x\": must be a number" in text,
       "but a wrong argument is wrong")
code, text = run("-k", "--check")
tap.ok(code == 1 and "GSSAPI" in text and "keytab" in text,
       "-k says what to do today")
for address in ("8110", ":8110", "127.0.0.1", "127.0.0.1:8110",
                "[::1]:8110", "[::1]"):
    code, text = run(address, "-s", "-f", "/nonexistent")
    tap.ok("/nonexistent: No such" in text, address + " is taken")
code, text = run("-Q")
tap.ok(code == 1 and "usage" in text, "an unknown option: usage and status 1")
code, text = run("-o", "timeuot=3")
tap.ok(code == 1 and "timeuot" in text and "timeout" in text,
       "-o with a wrong name tells the right one")
server, user = server_with("-o", "server-mode=yes", "-o", "cache-dir=/x")
server.log.wait(r"there is nothing to do: server-mode, cache-dir \(see pop")
tap.match(server.connect().enter(user).quit(), r"\+OK",
          "options that do nothing are taken, and told in one line")
tap.equal(len(server.log.find("nothing to do")), 1, "one and no more")
tap.equal(server.stop(), [], "the server ends clean")
code, text = run("-o", "fast-update=perhaps")
tap.ok(code == 1 and "perhaps" in text, "but not with a wrong value")
code, text = run("-T", "soon")
tap.ok(code == 1 and "soon" in text, "-T with a wrong word tells it")
code, text = run("-y", "nowhere", "--check")
tap.ok(code == 1 and "nowhere" in text and "local0" in text,
       "-y with a wrong facility tells the right ones")
code, text = run("-f", "/nonexistent/popper.conf")
tap.ok(code == 1 and "/nonexistent/popper.conf" in text,
       "-f with a file that is not there")
code, text = run("-l", "3")
tap.ok(code == 1 and '"3"' in text and "0 (none), 1 (stls), "
       "2 (alternate-port)" in text, "-l with a wrong number tells the right")
code, text = run("-p", "sometimes")
tap.ok(code == 1 and '"sometimes"' in text and "4 (tls)" in text,
       "-p with a wrong word tells the right ones")
code, text = run("-e", "expire=3,logindelay=5")
tap.ok(code == 1 and '"logindelay=5"' in text and "login_delay=" in text,
       "-e with a wrong word tells the right ones")
code, text = run("-e", "login_delay=soon")
tap.ok(code == 1 and 'announce-login-delay = "soon"' in text,
       "-e with a wrong time tells it")
for option, words in (("-l", ("none", "stls", "alternate-port")),
                      ("--clear-text-password", (
                          "default", "never", "always", "local", "tls"))):
    for number, word in enumerate(words):
        for argument in (str(number), word):
            code, text = run(option, argument, "-f", "/nonexistent")
            tap.ok("/nonexistent" in text, "%s %s is known" % (
                option, argument))
# Where popper is installed it may have a certificate.
BARE = ("-o", "tls-certificate=", "-o", "tls-key=", "-o", "listen-tls=")
code, text = run(*BARE, "-l", "2", "--check")
tap.ok(code == 1 and "tls-support = alternate-port needs TLS" in text,
       "-l 2 is tls-support = alternate-port")
code, text = run(*BARE, "-p", "4", "--check")
tap.ok(code == 1 and "clear-text-password = tls needs TLS" in text,
       "-p 4 is clear-text-password = tls")
tap.done()
