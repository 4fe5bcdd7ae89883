#!/usr/bin/python3
"""Real clients fetch real mail: every octet, every deletion, nothing twice.

proves: R-1939-44 R-1939-59 R-1957-01 R-1957-02 T-01 T-23
"""

import os
import poplib
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

from clients import files, give, make_maildir, run, without  # noqa: E402
import clients  # noqa: E402
import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MESSAGES = [mail.simple(n) for n in range(1, 6)] + [
    mail.corpus()[name] for name in ("multipart", "eight-bit", "dots",
                                     "blank-lines", "long-line")]
PASSWORD = "plain-word"
SERVER = popper.Server("daemon" if popper.ROOT else "user", start=False)
NAMES = ("curl", "fetchmail", "mpop", "getmail", "poplib", "perl")
USERS = {}
for name in NAMES:
    for kind in ("mbox", "maildir"):
        # fetchmail itself breaks lines of more than its buffer's 8192 octets
        USERS[name, kind] = SERVER.add_user(
            "%s-%s" % (name, kind), kind,
            MESSAGES[:-1] if name == "fetchmail" else MESSAGES,
            password=PASSWORD)
SERVER.start()
PORT = SERVER.ports[0]


def check_fetched(who, got, added=(), sent=MESSAGES):
    added += (b"return-path:", b"received:")
    want = sorted(without(raw, *added).rstrip(b"\n") for raw in sent)
    got = sorted(without(raw, *added).rstrip(b"\n") for raw in got)
    tap.equal([(x, y) for x, y in zip(got, want) if x != y][:1]
              or len(got), len(want), who + ": every message")


def curl(user, kind):
    base = "pop3://127.0.0.1:%d/" % PORT
    auth = ["-sS", "-u", "%s:%s" % (user.name, PASSWORD)]
    wires = [user.drop.wire(raw) for raw in MESSAGES]
    _, listing = run(["curl"] + auth + [base])
    tap.equal(listing, b"".join(b"%d %d\r\n" % (number, len(wire))
                                for number, wire in enumerate(wires, 1)),
              "curl %s: LIST" % kind)
    got = [run(["curl"] + auth + [base + str(number)])[1]
           for number in range(1, len(wires) + 1)]
    tap.equal(got, wires, "curl %s: every message, octet for octet" % kind)
    status, _ = run(["curl"] + auth + ["--head", "-X", "DELE", base + "2"])
    tap.equal(status, 0, "curl %s: DELE" % kind)
    tap.equal([user.drop.wire(raw) for raw in user.drop.stored()],
              wires[:1] + wires[2:], "curl %s: only that one is gone" % kind)
    status, _ = run(["curl", "-sS", "-u", user.name + ":wrong", base])
    tap.equal(status, 67, "curl %s: a wrong password is refused" % kind)


def fetchmail(user, kind):
    home = clients.folder(SERVER, user.name)
    mbox = os.path.join(home, "in")
    with open(os.path.join(home, "rc"), "w") as file:
        file.write('set idfile "%s/ids"\nset no bouncemail\n'
                   'poll 127.0.0.1 protocol pop3 port %d uidl no dns\n'
                   'user "%s" password "%s" %%s sslproto "" '
                   'mda "cat >>%s; echo ===END=== >>%s"\n'
                   % (home, PORT, user.name, PASSWORD, mbox, mbox))
    with open(os.path.join(home, "rc")) as file:
        text = file.read()
    os.chmod(os.path.join(home, "rc"), 0o600)

    def poll(options):
        with open(os.path.join(home, "rc"), "w") as file:
            file.write(text % options)
        os.chmod(os.path.join(home, "rc"), 0o600)
        give(home)
        return run(["fetchmail", "-f", os.path.join(home, "rc"),
                    "--nosyslog", "--pidfile", os.path.join(home, "pid")],
                   {"FETCHMAILHOME": home, "HOME": home}, as_user=True)

    status, output = poll("keep")
    tap.equal(status, 0, "fetchmail %s: fetches" % kind)
    with open(mbox, "rb") as file:
        got = file.read().split(b"===END===\n")[:-1]
    check_fetched("fetchmail " + kind, got,
                  (b"delivered-to:", b"x-original"), MESSAGES[:-1])
    status, _ = poll("keep")
    tap.equal((status, os.path.getsize(mbox)), (1, sum(map(len, got)) + len(
        got) * 10), "fetchmail %s: nothing twice" % kind)
    status, _ = poll("nokeep flush")
    tap.equal(len(user.drop.stored()), 0,
              "fetchmail %s: flush removes what it has" % kind)


def mpop(user, kind):
    home = clients.folder(SERVER, user.name)
    box = make_maildir(os.path.join(home, "box"))
    command = ["mpop", "--host=127.0.0.1", "--port=%d" % PORT, "--timeout=20",
               "--user=" + user.name, "--passwordeval=echo " + PASSWORD,
               "--tls=off", "--auth=user", "--delivery=maildir," + box,
               "--uidls-file=" + os.path.join(home, "ids"),
               "--received-header=off"]
    status, output = run(command + ["--keep=on"], {"HOME": home})
    tap.equal(status, 0, "mpop %s: fetches, pipelined" % kind)
    got = files(box)
    check_fetched("mpop " + kind, got)
    run(command + ["--keep=on"], {"HOME": home})
    tap.equal(len(files(box)), len(MESSAGES), "mpop %s: nothing twice" % kind)
    user.drop.deliver(mail.simple(20))
    run(command + ["--keep=off"], {"HOME": home})
    tap.equal(len(files(box)), len(MESSAGES) + 1,
              "mpop %s: only what is new" % kind)
    tap.equal(user.drop.stored(), [], "mpop %s: then removes all" % kind)


def getmail(user, kind):
    home = clients.folder(SERVER, user.name)
    box = make_maildir(os.path.join(home, "box"))
    with open(os.path.join(home, "getmailrc"), "w") as file:
        file.write("[retriever]\ntype = SimplePOP3Retriever\n"
                   "server = 127.0.0.1\nport = %d\nusername = %s\n"
                   "password = %s\n[destination]\ntype = Maildir\n"
                   "path = %s/\n[options]\nread_all = false\n"
                   "delivered_to = false\nreceived = false\n"
                   % (PORT, user.name, PASSWORD, box))
    give(home)

    def go(*more):
        return run(["getmail", "--getmaildir=" + home] + list(more),
                   {"HOME": home}, as_user=True)

    status, output = go()
    if not tap.equal(status, 0, "getmail %s: fetches" % kind):
        tap.diag(output)
    check_fetched("getmail " + kind, files(box))
    go()
    tap.equal(len(files(box)), len(MESSAGES),
              "getmail %s: nothing twice" % kind)
    go("--delete")
    tap.equal(user.drop.stored(), [], "getmail %s: removes all" % kind)


def python(user, kind):
    box = poplib.POP3("127.0.0.1", PORT, timeout=popper.PATIENCE)
    box.user(user.name)
    box.pass_(PASSWORD)
    wires = [user.drop.wire(raw) for raw in MESSAGES]
    tap.equal(box.stat(), (len(wires), sum(map(len, wires))),
              "poplib %s: STAT" % kind)
    poplib._MAXLINE = 200000
    got = [b"\r\n".join(box.retr(number)[1]) + b"\r\n"
           for number in range(1, len(wires) + 1)]
    tap.equal(got, wires, "poplib %s: every message" % kind)
    ids = [line.split()[1] for line in box.uidl()[1]]
    tap.equal(len(set(ids)), len(wires), "poplib %s: UIDL" % kind)
    tap.ok(b"UIDL" in b" ".join(key.encode() for key in box.capa()),
           "poplib %s: CAPA" % kind)
    box.top(1, 0)
    box.dele(3)
    box.quit()
    tap.equal([user.drop.wire(raw) for raw in user.drop.stored()],
              wires[:2] + wires[3:], "poplib %s: only that one gone" % kind)


PERL = r"""
use Net::POP3;
my ($port, $user, $password) = @ARGV;
my $pop = Net::POP3->new("127.0.0.1", Port => $port, Timeout => 20) or die;
binmode STDOUT;
my $count = $pop->login($user, $password);
defined $count or die "login";
for my $n (1 .. $count) { print join("", @{$pop->get($n)}), "===END===\n"; }
$pop->delete(1) or die "delete";
$pop->quit or die "quit";
"""


def perl(user, kind):
    status, output = run(["perl", "-e", PERL, str(PORT), user.name, PASSWORD])
    tap.equal(status, 0, "Net::POP3 %s: a session" % kind)
    check_fetched("Net::POP3 " + kind, output.split(b"===END===\n")[:-1])
    tap.equal(len(user.drop.stored()), len(MESSAGES) - 1,
              "Net::POP3 %s: one is gone" % kind)


CLIENTS = {"curl": curl, "fetchmail": fetchmail, "mpop": mpop,
           "getmail": getmail, "poplib": python, "perl": perl}
for (name, kind), user in USERS.items():
    if name != "poplib" and not shutil.which(name):
        tap.skip("%s %s" % (name, kind), "needs " + name)
        continue
    tap.run(lambda: CLIENTS[name](user, kind), "%s %s" % (name, kind))
tap.equal(SERVER.stop(), [], "the server ends clean")
tap.done()
