#!/usr/bin/python3
"""What each process has given up, read from /proc.

As root: the process that hears the network is nobody, in an empty folder, with
a filter; a session is its user for good.  As an ordinary user: the filters.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

popper.need_server()
UID = 61001


def ids(pid):
    status = popper.status(pid)
    return (sorted(set(status["Uid"].split())),
            sorted(set(status["Gid"].split())))


def facts(mode, settings):
    with popper.Server(mode, conf=settings, start=False) as server:
        uid = UID if server.as_root else server.uid
        user = server.add_user("alice", popper.DROPS[-1], [mail.simple(1)],
                               uid=uid)
        server.start()
        waiting = server.connect()
        waiting.reply()
        services = server.services()
        worker = server.children("popper-login")[0]
        client = server.enter(user)
        session = server.children("popper-session")[0]
        where = "as root: " if server.as_root else "as a user: "
        check_common(where, server, worker, session)
        if server.as_root:
            check_root(where, services, worker, session)
        check_files(where, worker, session)
        check_children(where, server, client)


def check_common(where, server, worker, session):
    for name, pid in (("a login worker", worker), ("a session", session)):
        status = popper.status(pid)
        tap.equal(status["NoNewPrivs"], "1", where + name + ": NoNewPrivs")
        tap.equal(status["Seccomp"], "2", where + name + ": seccomp filter")
        tap.equal(int(status["CapEff"], 16), 0, where + name + ": CapEff")
        tap.equal(int(status["CapPrm"], 16), 0, where + name + ": CapPrm")


def check_root(where, services, worker, session):
    tap.equal(ids(worker), (["65534"], [str(gid_of_nobody())]),
              where + "a login worker is the account user = names")
    tap.equal(popper.status(worker).get("Groups", "").split(), [],
              where + "with no groups")
    tap.equal(os.listdir("/proc/%d/root" % worker), [],
              where + "its root directory is empty")
    tap.equal(ids(services["popper-login"])[0], ["65534"],
              where + "so is its parent")
    tap.equal(ids(session)[0], [str(UID)],
              where + "a session is its user, saved ids too")
    groups = popper.status(session).get("Groups", "").split()
    tap.ok("0" not in groups, where + "not in root's group: %r" % groups)


def gid_of_nobody():
    import pwd
    return pwd.getpwnam("nobody").pw_gid


def descriptors(pid):
    found = []
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except OSError:
            pass
    return found


def check_files(where, worker, session):
    for name, pid in (("a login worker", worker), ("a session", session)):
        try:
            links = descriptors(pid)
        except PermissionError:  # not dumpable: /proc is root's
            tap.ok(True, where + name + " is closed to its own user")
            continue
        listening = [link for link in links if link in listeners()]
        tap.equal(listening, [], where + name + " has no listening socket")
        if name == "a login worker":
            tap.equal([link for link in links if link.startswith("/")
                       and link != "/dev/null"], [],
                      where + name + " has no file open")


def listeners():
    found = set()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    found.add("socket:[%s]" % fields[9])
    return found


def shared(pid):
    """What a process shares with others and may write: lines of its map."""
    with open("/proc/%d/maps" % pid) as file:
        lines = [line.split(None, 5) for line in file]
    return ["%s %s" % (line[0], line[5].strip() if len(line) > 5 else "")
            for line in lines if "w" in line[1] and line[1].endswith("s")]


def check_tls(settings):
    """Workers that hold the key share no page that two of them may write."""
    with popper.Server("daemon", conf=settings, start=False) as server:
        authority = tls.Authority(server.path("ca"))
        pair = authority.server()
        server.settings.update(authority.settings(pair))
        user = server.add_user("alice", popper.DROPS[-1], [mail.simple(1)],
                               uid=UID)
        server.start()
        relayed = tls.upgrade(greeted(server), authority)
        tap.match(relayed.login(user), r"^\+OK", "a login over TLS")
        waiting = tls.upgrade(greeted(server), authority)
        workers = server.children("popper-login")
        tap.equal(len(workers), 2, "a relay and a worker before its login")
        for pid in workers:
            tap.equal(shared(pid), [], "a worker's key is in no page that "
                                       "another process may write")
            tap.equal(int(popper.status(pid)["CapEff"], 16), 0,
                      "and it has no capability")
            links = [link for link in descriptors(pid)
                     if link.startswith("/") and link != "/dev/null"]
            tap.equal(links, [], "nor a file, now that it has read the key")
        waiting.quit()
        relayed.quit()


def greeted(server):
    client = server.connect()
    client.reply()
    return client


def check_attendants(mode, settings):
    """The two processes that have no sandbox: who they are, what they hold."""
    with popper.Server(mode, conf=settings, start=False) as server:
        uid = UID if server.as_root else server.uid
        gate = server.path("gate")  # where the program waits
        os.mkfifo(gate)
        os.chmod(gate, 0o666)
        program = server.write("program", "#!/bin/sh\nread line <'%s'\n"
                               % gate, 0o755)
        server.modules = 'ext xmit { sendmail = "%s" }\n' % program + \
            server.modules
        user = server.add_user("alice", popper.DROPS[-1], [mail.simple(1)],
                               uid=uid)
        server.start()
        where = "as root: " if server.as_root else "as a user: "
        client = server.enter(user)
        client.ok("XTND XMIT")
        client.send(b"To: bob@example.net\r\n.\r\n")
        opened = os.open(gate, os.O_WRONLY)  # once the program waits there
        spawner = [pid for pid in server.children("popper-session")
                   if popper.status(pid)["Name"] == "popper-attend"][0]
        attendant = [pid for pid, entry in popper.processes().items()
                     if entry[0] == spawner]
        tap.equal(len(attendant), 1, where + "one attendant for one errand")
        check_attendant(where, "the spawner", spawner, server,
                        0 if server.as_root else uid)
        check_attendant(where, "an attendant", attendant[0], server, uid)
        os.write(opened, b"go on\n")
        tap.match(client.reply(), r"^\+OK", where + "the program ends well")
        os.close(opened)
        client.quit()


def check_attendant(where, name, pid, server, uid):
    status = popper.status(pid)
    tap.equal(ids(pid)[0], [str(uid)], where + name + "'s uid")
    tap.equal((status["NoNewPrivs"], status["Seccomp"]), ("0", "0"),
              where + name + " is not restricted")
    if uid != 0:
        tap.equal(int(status["CapEff"], 16), 0, where + name + ": CapEff")
    if uid != 0 and server.as_root:
        tap.equal(status.get("Groups", "").split(), [],
                  where + name + " has no groups")
    try:
        links = descriptors(pid)
    except PermissionError:  # not dumpable: /proc is root's
        tap.ok(True, where + name + " is closed to its own user")
        return
    tap.equal([link for link in links if link in listeners()], [],
              where + name + " has no listening socket")


def check_children(where, server, client):
    """After the end of a session nothing of it is there."""
    client.quit()
    left = popper.wait_gone({
        pid: popper.processes()[pid][1]
        for pid in server.children("popper-session")
        if pid in popper.processes()})
    tap.equal(left, [], where + "the session's process has ended")


if popper.status(os.getpid()).get("Seccomp") is None:
    tap.skip_all("this kernel tells nothing about seccomp")
SETTINGS = {"sandbox": True}
if popper.ROOT:
    tap.run(lambda: facts("daemon", SETTINGS))
    tap.run(lambda: check_tls(SETTINGS))
    tap.run(lambda: check_attendants("daemon", SETTINGS))
tap.run(lambda: facts("user", SETTINGS))
tap.run(lambda: check_attendants("user", SETTINGS))
tap.done()
