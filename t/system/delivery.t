#!/usr/bin/python3
"""A real mail system delivers to /var/mail while sessions read and delete.

An account is made for the time of the test; it logs in through PAM.

proves: R-LOCK-01 R-LOCK-08 R-MBOX-01 T-16 T-46
"""

import os
import pwd
import re
import select
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
tap.need_root()
COUNT = 120
NAME = "popt%d" % os.getpid()
MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so"


def needs():
    for tool in ("useradd", "userdel"):
        if not shutil.which(tool):
            tap.skip_all("needs " + tool)
    if not os.path.exists(MATRIX):
        tap.skip_all("needs pam_matrix.so of libpam-wrapper")
    if os.path.basename(os.path.realpath("/usr/sbin/sendmail")) != "dma":
        tap.skip_all("needs dma as the mail system")
    if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la")):
        tap.skip_all("needs the pam module")


def pam_modules(server, drop):
    """modules.conf: PAM with a private folder of services, and passwords
    from a file."""
    os.mkdir(server.path("pam"))
    server.write("pam/passdb", "%s:%s:popper\n" % (NAME, "pam-word"), 0o600)
    line = "required %s passdb=%s\n" % (
        MATRIX, server.path("pam", "passdb"))
    server.write("pam/popper", "auth %saccount %s" % (line, line))
    return ('auth pam { service = "popper" confdir = "%s" }\n%s' % (
        server.path("pam"), drop))


def enter(server):
    client = server.connect()
    client.reply()
    answer = client.login(NAME, "pam-word")
    if not answer.startswith("+OK"):
        raise AssertionError(answer)
    return client


def number_of(data):
    found = re.search(rb"^Subject: delivery-(\d+)", data, re.MULTILINE)
    return int(found[1]) if found else None


def deliver(numbers):
    for number in numbers:
        body = b"From the start of a line.\n.\n" * (number % 40)
        subprocess.run(
            ["/usr/sbin/sendmail", "-i", "-f", "sender@localhost", NAME],
            input=b"To: %s\nSubject: delivery-%d\n\nbody %d\n%s" % (
                NAME.encode(), number, number, body),
            check=True, stdin=None, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)


def one_session(server, seen, keep):
    """Read all, delete all but the last ones, as ids come."""
    client = enter(server)
    count = int(client.cmd("STAT").split()[1])
    sizes = [int(line.split()[1]) for line in client.lines("LIST")]
    for number in range(1, count + 1):
        data = client.fetch("RETR %d" % number)
        if len(data) != sizes[number - 1]:
            raise AssertionError("message %d has not its size" % number)
        which = number_of(data)
        if which is None or data.count(b"Subject: delivery-") != 1:
            raise AssertionError("damaged: %r" % data[:300])
        if not data.rstrip().endswith(
                b"." if which % 40 else b"body %d" % which):
            raise AssertionError("cut: %r" % data[-100:])
        if number > count - keep:
            continue
        client.ok("DELE %d" % number)
        seen.append(which)
    answer = client.quit()
    if not answer.startswith("+OK"):
        raise AssertionError(answer)
    return count


def deliveries_while_reading():
    """What is delivered meanwhile is seen once, whole, and never lost."""
    with popper.Server("daemon", start=False,
                       conf={"min-uid": 100}) as server:
        server.modules = pam_modules(
            server, 'drop mbox { path = "/var/mail/%u" }\n')
        server.start()
        workers = [threading.Thread(target=deliver, args=(
            range(first, COUNT, 3),)) for first in range(3)]
        for worker in workers:
            worker.start()
        seen, sessions = [], 0
        while any(worker.is_alive() for worker in workers):
            one_session(server, seen, sessions % 3)
            sessions += 1
        wait_delivered(server, seen)
        tap.ok(sessions >= 2, "%d sessions while mail came" % sessions)
        tap.equal(sorted(seen), list(range(COUNT)),
                  "%d messages, each once, each whole" % COUNT)
        tap.equal(os.path.getsize("/var/mail/" + NAME), 0,
                  "the mailbox is empty in the end")
        tap.equal([name for name in os.listdir("/var/mail")
                   if name.startswith(NAME) and name != NAME], [],
                  "no lock file is left")


def wait_delivered(server, seen):
    """sendmail returns before its child has delivered: until all are there
    or none is being delivered any more."""
    until = time.monotonic() + popper.PATIENCE
    while len(seen) < COUNT and time.monotonic() < until:
        one_session(server, seen, 0)
        select.select([], [], [], 0.02)


def identity():
    """The session is the account's, by PAM and the system's own database."""
    with popper.Server("daemon", start=False,
                       conf={"min-uid": 100}) as server:
        server.modules = pam_modules(
            server, 'drop mbox { path = "/var/mail/%u" }\n')
        server.start()
        client = enter(server)
        pid = server.children("popper-session")[0]
        uid = str(pwd.getpwnam(NAME).pw_uid)
        tap.equal(set(popper.status(pid)["Uid"].split()), {uid},
                  "a session of a system account has its uid")
        client.quit()
        client = server.connect()
        client.reply()
        tap.equal(client.login(NAME, "wrong"), "-ERR [AUTH] login failed",
                  "a password that PAM refuses")
        client.leave()
        client = server.connect()
        client.reply()
        tap.equal(client.login("root", "pam-word"),
                  "-ERR [AUTH] login failed", "root does not log in")
        client.leave()


needs()
subprocess.run(["useradd", "--system", "--no-create-home", "--shell",
                "/usr/sbin/nologin", NAME], check=True)
try:
    open("/var/mail/" + NAME, "w").close()
    shutil.chown("/var/mail/" + NAME, NAME, "mail")
    os.chmod("/var/mail/" + NAME, 0o660)
    tap.run(identity)
    tap.run(deliveries_while_reading)
finally:
    subprocess.run(["userdel", NAME], check=False, stderr=subprocess.DEVNULL)
    for name in os.listdir("/var/mail"):
        if name.startswith(NAME):
            os.unlink("/var/mail/" + name)
tap.done()
