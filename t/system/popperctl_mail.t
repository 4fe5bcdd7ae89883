#!/usr/bin/python3
"""popperctl at work on real mail, beside a server that runs."""

import fcntl
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import inject  # noqa: E402
import mail  # noqa: E402
import mta  # noqa: E402
import popper  # noqa: E402
import popperctl  # noqa: E402
import tap  # noqa: E402

popper.need_server()
TRASH = ("maildir", "mbox")  # drop modules that keep what is deleted
MESSAGES = [mail.simple(n) for n in range(1, 6)]


def modules(server):
    return 'auth passwd { file = "%s" }\n' % server.path("users") + "".join(
        'drop %s { %s }\n' % (kind, 'trash = 7d' if kind in TRASH else "")
        for kind in popper.DROPS)


def ids(server, user):
    """Unique-ids and content, as a client sees them."""
    client = server.enter(user)
    found = [line.split()[1] for line in client.lines("UIDL")]
    texts = [client.fetch("RETR %d" % (n + 1)) for n in range(len(found))]
    client.quit()
    return list(zip(found, texts))


def delete(server, user, *numbers):
    client = server.enter(user)
    for number in numbers:
        client.ok("DELE %d" % number)
    client.quit()


def trash_folder(user):
    return os.path.join(user.drop.path, "cur/.popper-trash")


def brought(count):
    return (0, "%d message%s brought back\n" % (
        count, "" if count == 1 else "s"), "")


def keeps(server, kind):
    """Deleted by a client, and brought back; to the end of an mbox."""
    user = server.add_user(kind + "-trash", kind, MESSAGES)
    order = sorted if kind == "mbox" else list
    before = order(ids(server, user))
    delete(server, user, 1, 3)
    left = ids(server, user)
    tap.equal(len(left), 3, kind + ": what is deleted is not shown")
    client = server.enter(user)
    status, out, err = popperctl.run(server, "undelete", user.name)
    tap.equal((status, out), (1, ""), "nothing is done behind a session")
    tap.match(err, "%s is logged in" % user.name, "and that is told")
    client.quit()
    tap.equal(popperctl.run(server, "undelete", user.name), brought(2),
              "brought back")
    tap.equal(order(ids(server, user)), before, "as it was, unique-ids and octets")
    tap.equal(popperctl.run(server, "undelete", user.name), brought(0),
              "once")
    delete(server, user, 5)
    tap.equal(popperctl.run(server, "undelete", user.name, "--since", "1h"),
              brought(1), "since an hour")
    tap.equal(order(ids(server, user)), before, "as it was, again")
    delete(server, user, 1, 2, 3, 4, 5)
    tap.equal(ids(server, user), [], "all are deleted")
    user.drop.deliver(mail.simple(9))
    tap.equal(popperctl.run(server, "undelete", user.name), brought(5),
              "and come back to a new one")
    tap.equal(order(x for x in ids(server, user) if x in before), before,
              "as they were")


def shared(server):
    """A Maildir that another user's session has open: --wait waits, too."""
    user = server.add_user("shared", "maildir", MESSAGES)
    lock = os.open(user.drop.path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    status, out, err = popperctl.run(server, "recover", user.name)
    tap.equal((status, out), (1, ""), "a Maildir that is in use")
    tap.match(err, "is open in another session.*give --wait$", "told")
    waiting = popperctl.start(server, "recover", user.name, "--wait")
    tap.match(waiting.stderr.readline(), "waiting up to 600s", "with --wait")
    os.close(lock)
    out, err = waiting.communicate(timeout=popper.PATIENCE)
    tap.equal((waiting.returncode, out, err), (0, "nothing to do\n", ""),
              "until it is not")


def ages(server):
    """A Maildir's trash is dated; what is too old goes at a later commit."""
    user = server.add_user("ages", "maildir", MESSAGES)
    delete(server, user, 1)
    name, = os.listdir(trash_folder(user))
    old = "%d" % (time.time() - 8 * 86400)
    os.rename(os.path.join(trash_folder(user), name),
              os.path.join(trash_folder(user), old))
    tap.equal(popperctl.run(server, "undelete", user.name, "--since", "2d"),
              brought(0), "not since two days, but eight")
    tap.equal(os.listdir(trash_folder(user)), [],
              "what is older than the option says is removed")
    delete(server, user, 1)
    names = os.listdir(os.path.join(user.drop.path, "cur"))
    tap.equal([n for n in names if n.startswith(".")], [".popper-trash"],
              "it is one hidden folder in cur")
    tap.equal(len(ids(server, user)), 3, "which nobody takes for mail")


def recovers(server):
    """What a crash of a Maildir's commit leaves, and of several."""
    user = server.add_user("crashed", "maildir", MESSAGES)
    before = ids(server, user)

    def crash():
        there = os.path.join(user.drop.path, "tmp/.popper-undo/new")
        os.makedirs(there)
        for name in sorted(os.listdir(user.drop.path + "/new"))[:2]:
            os.rename(os.path.join(user.drop.path, "new", name),
                      os.path.join(there, name))
        for path in (there, os.path.dirname(there)):
            if popper.ROOT:
                os.chown(path, user.uid, user.gid)

    crash()
    said = "brought back mail that was not removed\n"
    tap.equal(popperctl.run(server, "recover", "crashed"), (0, said, ""),
              "recover tells what it found")
    tap.equal(ids(server, user), before, "and all is as it was")
    tap.equal(popperctl.run(server, "recover", "crashed"),
              (0, "nothing to do\n", ""), "or that there was nothing")
    crash()
    status, out, err = popperctl.run(server, "recover", "--all")
    tap.equal((status, out), (0, "crashed: " + said), "recover --all")
    if err:
        tap.diag(err)
    tap.equal(ids(server, user), before, "as it was, again")
    os.mkdir(os.path.join(user.drop.path, "tmp/.popper-undo"), 0o700)
    open(os.path.join(user.drop.path, "tmp/.popper-undo/new"), "w").close()
    trace = server.path("home") + "/trace"
    with open(server.path("popper.conf"), "a", encoding="ascii") as file:
        file.write("trace-file = %s\n" % trace)
    status, out, err = popperctl.run(server, "recover", "--all")
    tap.equal((status, out), (1, ""), "what needs a person")
    tap.match(err, "popperctl: crashed: maildir .*cannot be dealt with",
              "is told with the name")
    os.unlink(os.path.join(user.drop.path, "tmp/.popper-undo/new"))
    os.rmdir(os.path.join(user.drop.path, "tmp/.popper-undo"))
    crash()
    popperctl.run(server, "recover", "crashed")
    with open(trace, encoding="ascii") as file:
        log = file.read()
    tap.match(log, r"popper\[[0-9]+\]: popperctl: crashed: maildir .*cannot "
              "be dealt with", "the log hears of it, too")
    tap.match(log, "popperctl recover: crashed: " + said.rstrip(),
              "and of what was done")


def damaged(server, kind):
    """An index that is none: the mail and its ids are the same."""
    user = server.add_user(kind + "-damaged", kind, MESSAGES)
    ids(server, user)
    state = server.path("state", user.name)
    before = popperctl.run(server, "uidl", "export", user.name)
    tap.equal((before[0], before[1].count("\n"), before[2]), (0, 5, ""),
              kind + ": five unique-ids")
    victim = server.write("victim", "untouched")
    path = os.path.join(state, kind + ".index")

    def garbage(path):
        with open(path, "wb") as file:
            file.write(os.urandom(4096))

    def half(path):
        os.truncate(path, os.path.getsize(path) // 2)

    def turned(path):
        with open(path, "r+b") as file:
            data = bytearray(file.read())
            data[len(data) // 2] ^= 0x40
            file.seek(0)
            file.write(data)

    def pipe(path):
        os.unlink(path)
        os.mkfifo(path)

    def link(path):
        os.unlink(path)
        os.symlink(victim, path)

    def folder(path):
        os.unlink(path)
        os.mkdir(path)

    for change in (garbage, half, turned, pipe, link, folder):
        ids(server, user)  # a good one again, if it is worth one
        if not os.path.isfile(path) or os.path.islink(path):
            if os.path.lexists(path):
                os.unlink(path)
            garbage(path)
        change(path)
        if popper.ROOT:
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
        for words in (("uidl", "export"), ("recover",)):
            status, out, err = popperctl.run(server, *words, user.name)
            if not tap.equal((status, out), (0, before[1] if words[0] == "uidl"
                                             else "nothing to do\n"),
                             "%s, %s: %s" % (kind, change.__name__, words[0])):
                tap.diag(err)
    os.rmdir(path)
    with open(victim, encoding="utf-8") as file:
        tap.equal(file.read(), "untouched", "nothing is written elsewhere")


def indexes(server, kind):
    """Shown, compared, made anew."""
    user = server.add_user(kind + "-index", kind, MESSAGES)
    before = ids(server, user)
    path = os.path.join(server.path("state", user.name), kind + ".index")
    until, out = time.monotonic() + popper.PATIENCE, "moment ago"
    while "moment ago" in out and time.monotonic() < until:
        status, out, err = popperctl.run(server, "index", "rebuild", user.name)
    tap.equal((status, err), (0, ""), kind + ": rebuild")
    tap.match(out, r"\.index: messages=5 octets=%d" % sum(
        len(text) for _, text in before), "tells what is in it")
    status, out, err = popperctl.run(server, "index", "dump", user.name)
    tap.equal((status, err), (0, ""), "dump")
    tap.ok(out.count("\n") > 5, "a line for each, and more")
    tap.equal(popperctl.run(server, "index", "check", user.name), (0, "", ""),
              "check finds nothing wrong")
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        data[len(data) // 2] ^= 0x40
        file.seek(0)
        file.write(data)
    status, out, err = popperctl.run(server, "index", "check", user.name)
    tap.equal((status, out), (1, ""), "check finds a bit that was turned")
    tap.match(err, r"(?m)^\w+\.index: ", "and tells of it")
    status, out, err = popperctl.run(server, "index", "rebuild", user.name)
    tap.equal((status, err), (0, ""), "rebuild mends it")
    tap.equal(popperctl.run(server, "index", "check", user.name), (0, "", ""),
              "and nothing is wrong then")
    tap.equal(ids(server, user), before, "the mail is as it was")


def tree(*tops):
    """All that is there: names, content, and when it was written."""
    found = {}
    for top in tops:
        for folder, _, names in os.walk(top):
            found[folder] = sorted(names)
            for name in names:
                found[os.path.join(folder, name)] = None
        found[top] = found.get(top)
    for path in found:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[path] = file.read(), os.stat(path).st_mtime_ns
    return found


def looks(server, user, wrong):
    """index check and dump change nothing, whatever a crash has left."""
    tops = server.path("state", user.name), user.drop.path
    before = tree(*tops)
    popperctl.run(server, "index", "dump", user.name)
    status, out, err = popperctl.run(server, "index", "check", user.name)
    waiting = "is waiting: popperctl recover sees to it" in err
    if out != "" or (waiting and status != 1) or tree(*tops) != before:
        wrong.append("index check: %d %s" % (status, err))
    return waiting


def killed(server, kind, marks):
    """QUIT is killed before each of its system calls; then popperctl comes,
    before the next login."""
    user = server.add_user("%s-killed-%d" % (kind, len(marks)), kind, MESSAGES)
    before = ids(server, user)
    kept = [x for n, x in enumerate(before, 1) if n not in marks]
    outcomes, said, wrong, at, done = set(), set(), [], 0, True
    waited = 0
    while done:
        at += 1
        ending = set(server.children("popper-session"))
        client = server.enter(user)
        for number in marks:
            client.ok("DELE %d" % number)
        pid, = set(server.children("popper-session")) - ending
        began = popper.processes()[pid][1]
        with inject.Fault(pid, at, None) as fault:
            try:
                client.cmd("QUIT")
            except popper.Closed:
                pass
            popper.wait_gone({pid: began})
        done = fault.done
        client.close()
        if kind == "mbox":
            mta.bury(user.drop.path)
        waiting = looks(server, user, wrong)
        waited += waiting
        status, out, err = popperctl.run(server, "recover", "--all")
        said.update(out.splitlines())
        if status != 0:
            wrong.append((at, fault.number, err))
        if not waiting and out != "":
            wrong.append((at, fault.number, "index check did not say it"))
        # The next one has nothing to do.
        if popperctl.run(server, "recover", user.name)[1] != "nothing to do\n":
            wrong.append((at, fault.number, "not all was done"))
        after = ids(server, user)
        if after not in (before, kept):
            wrong.append((at, fault.number, "%d are there" % len(after)))
        outcomes.add(len(after))
        if len(after) < len(before):
            popperctl.run(server, "undelete", user.name)
            again = ids(server, user)  # in another order, in an mbox
            if sorted(again) != sorted(before):
                wrong.append((at, fault.number, "not all came back"))
                break
            before = again
            kept = [x for n, x in enumerate(before, 1) if n not in marks]
    tap.equal(wrong, [], "%s: killed before each of %d calls" % (kind, at))
    tap.equal(outcomes, {len(before), len(kept)}, "all are there, or the kept")
    tap.ok(waited > 1, "index check has told %d times what waits" % waited)
    tap.ok(any(line.startswith(user.name + ": ") for line in said),
           "recover --all has told: " + ", ".join(sorted(said)))


def himself():
    """An account of the host's, beside a server of root's: root and he may."""
    with popper.Server("daemon", start=False) as server:
        server.modules = ('auth pam { }\ndrop maildir { path = "%s/%%u" '
                          'trash = 1d }\n' % server.path("home"))
        server.write_conf()
        drop = mail.Drop("maildir", server.path("home", "nobody"),
                         server.uid, server.gid)
        drop.deliver(mail.simple(1))
        server.drop_to = True
        status, out, _ = popperctl.run(server, "recover", "nobody")
        tap.equal((status, out), (1, ""), "he cannot make his state folder")
        server.drop_to = False
        tap.equal(popperctl.run(server, "recover", "nobody")[:2],
                  (0, "nothing to do\n"), "root does it for him")
        state = os.stat(server.path("state", "nobody"))
        tap.equal((state.st_uid, state.st_gid), (server.uid, server.gid),
                  "and it is his then")
        server.drop_to = True
        tap.equal(popperctl.run(server, "recover", "nobody")[:2],
                  (0, "nothing to do\n"), "so he can do it himself")
        os.chown(os.path.join(server.path("state"), "nobody"), 0, 0)
        status, out, _ = popperctl.run(server, "recover", "nobody")
        tap.equal((status, out), (1, ""), "not with root's folder")


def play(mode):
    server = popper.Server(mode, start=False)
    server.modules = modules(server)
    with server.start():
        for kind in TRASH:
            if kind in popper.DROPS:
                keeps(server, kind)
        if "maildir" in popper.DROPS:
            ages(server)
            shared(server)
            recovers(server)
        for kind in popper.DROPS:
            indexes(server, kind)
            damaged(server, kind)
            if mode == "daemon" and inject.usable():
                killed(server, kind, [1, 3])
                killed(server, kind, [5])


if popper.ROOT:
    play("daemon")
    if os.path.exists(os.path.join(popper.BUILD, "modules/auth/pam.la")):
        himself()
play("user")
tap.done()
