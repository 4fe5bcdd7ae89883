#!/usr/bin/python3
"""Login workers that serve one connection after another: used again, bounded,
and nothing of one connection is left for the next."""

import base64
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402
import tls  # noqa: E402

MODE = "daemon" if popper.ROOT else "user"
MOST = 32  # POOL_MAX of src/priv/pool.h
LETTER = b"Subject: one\n\nThe cormorant nests in tallow.\n"
PASSWORDS = ("not the horse 4711", "neither the battery 4712")


def workers(server):
    return set(server.children("popper-login"))


def start(**settings):
    server = popper.Server(MODE, start=False)
    server.settings.update(settings)
    users = [server.add_user("u%d" % number, popper.DROPS[0], [LETTER])
             for number in range(3)]
    authority = tls.Authority(server.path("ca"))
    server.settings.update(authority.settings(authority.server()))
    server.start()
    return server, users, authority


def secure(server, authority):
    """A connection after STLS."""
    client = server.connect()
    client.reply()
    return tls.upgrade(client, authority)


def ended(server, pids):
    """Until those processes have ended; returns the rest."""
    now = popper.processes()
    return popper.wait_gone({pid: now[pid][1] for pid in pids if pid in now})


def one_after_another(server, users, authority):
    seen = set()
    for number in range(12):
        if number % 2:
            client = secure(server, authority)
            client.login(users[0])
        else:
            client = server.enter(users[0])
        seen |= workers(server)
        client.fetch("RETR 1")
        client.quit()
        # The session is what a client waits for; its worker may be later.
        server.enter(users[1]).quit()
    tap.ok(len(seen) < 12, "24 connections, in clear and over TLS by turns, "
           "were served by %d workers" % len(seen | workers(server)))


def forgets(server, authority):
    """Leave traces, and look for them from each worker that is kept."""
    for number in range(2):
        client = secure(server, authority)
        client.ok("LANG de")
        client.ok("USER somebody")
        if number:
            client.send(b"CAPA\r\nHALF A LINE")
            client.sock.close()
            continue
        client.cmd("PASS " + PASSWORDS[0])
        client.cmd("AUTH PLAIN " + base64.b64encode(
            b"\0somebody\0" + PASSWORDS[1].encode()).decode())
        client.quit()
    for number in range(4):
        client = server.connect()
        client.reply()
        capa = client.lines("CAPA")
        tap.ok("STLS" in capa, "the next one may begin TLS")
        answer = client.cmd("PASS x")
        tap.ok(re.match("-ERR [a-zA-Z ,]*USER", answer),
               "has no name yet, and hears English: " + answer)
        client.quit()


def memory(pid):
    """All that a process can write to."""
    found = []
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb") as mem:
        for line in maps:
            area, rights = line.split()[:2]
            if rights.startswith("rw"):
                begin, end = (int(part, 16) for part in area.split("-"))
                mem.seek(begin)
                found.append(mem.read(end - begin))
    return b"".join(found)


def wiped(server, users, authority):
    """Neither passwords nor mail are in the memory of a worker that waits."""
    with_tls = secure(server, authority)
    with_tls.cmd("USER somebody")
    with_tls.cmd("PASS " + PASSWORDS[0])
    with_tls.quit()
    client = secure(server, authority)
    client.login(users[2])
    client.fetch("RETR 1")
    client.quit()
    client = server.connect()
    client.reply()
    client.cmd("AUTH PLAIN " + base64.b64encode(
        b"\0somebody\0" + PASSWORDS[1].encode()).decode())
    client.quit()
    for number in range(3):  # what is idle now has been through its end
        server.enter(users[1]).quit()
    text = b"".join(memory(pid) for pid in workers(server))
    tap.ok(b"popper" in text, "the memory of idle workers can be read")
    for what in PASSWORDS + (popper.PASSWORD,):
        tap.ok(what.encode() not in text, "no password in it: " + what)
    tap.ok(base64.b64encode(b"\0somebody\0" + PASSWORDS[1].encode())
           not in text, "nor in base64")
    tap.ok(b"cormorant" not in text, "no mail in it")


def survives(server, users):
    victims = workers(server)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    tap.equal(ended(server, victims), [], "all idle workers are killed")
    server.enter(users[0]).quit()
    tap.ok(True, "the next login works")


def bounded(server, users):
    clients = [server.connect() for number in range(MOST + 8)]
    for client in clients:
        client.reply()
    tap.equal(len(workers(server)), MOST + 8, "as many workers as connections")
    for client in clients:
        client.quit()
    server.enter(users[0]).quit()
    extra = len(workers(server)) - MOST
    tap.ok(extra <= 1, "%d of them are kept at most" % MOST)


def limited():
    """An idle worker holds no place of max-connections-per-source."""
    server, users, authority = start(**{
        "connections-per-worker": 5, "max-connections-per-source": 2})
    seen = []
    for number in range(11):
        client = secure(server, authority)
        if not client.login(users[0]).startswith("+OK"):
            tap.ok(False, "login %d" % number)
        seen += workers(server)
        client.quit()
    two = [server.connect() for number in range(2)]
    tap.ok(all(c.reply().startswith("+OK") for c in two),
           "two connections before the login are taken")
    tap.ok(server.connect().reply().startswith("-ERR [SYS/TEMP]"),
           "the third is not")
    tap.ok(len(set(seen)) > 1, "a worker ends after its connections")
    for client in two:
        client.quit()
    tap.equal(server.stop(), [], "the server ends clean")


def symbol(name):
    """Where a variable of popper-login is behind its begin, or None."""
    program = os.path.join(popper.BUILD, "src/popper-login")
    try:
        names = subprocess.run(["nm", program], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search("^([0-9a-f]+) [bd] %s$" % name, names, re.M)
    return int(found[1], 16) if found else None


def changes_keys(server, users, authority):
    """When keys of session tickets change, nobody keeps the old ones."""
    where = symbol("new_keys")
    if where is None:
        tap.skip("new keys", "needs nm and symbols")
        return
    busy = secure(server, authority)
    busy.login(users[0])
    server.enter(users[1]).quit()
    before = workers(server)
    parent = server.services()["popper-login"]
    with open("/proc/%d/maps" % parent) as maps, \
            open("/proc/%d/mem" % parent, "r+b", buffering=0) as mem:
        mem.seek(int(maps.read().split("-")[0], 16) + where)
        mem.write(b"\0" * 8)  # their time has come
    server.enter(users[1]).quit()
    tap.equal(len(ended(server, before)), 1, "idle workers end")
    tap.equal(busy.cmd("NOOP")[:3], "+OK", "one with a session goes on")
    busy.quit()
    tap.equal(ended(server, before), [], "and ends with it")


def stops(server, users, authority):
    client = secure(server, authority)
    client.login(users[0])
    idle = workers(server)
    server.main.send_signal(signal.SIGTERM)
    tap.equal(client.rest(), b"", "a stop ends a session over TLS")
    tap.equal(server.main.wait(popper.PATIENCE), 0, "and the server")
    tap.equal(ended(server, idle), [], "and the workers, idle ones too")
    tap.equal(server.stop(), [], "nothing of it is left")


tap.equal(start()[0].stop(), [], "without the option:")
SERVER, USERS, CA = start()
ONCE = set()
for _ in range(4):
    CLIENT = secure(SERVER, CA)
    ONCE |= workers(SERVER)
    CLIENT.quit()
    tap.equal(ended(SERVER, ONCE), [], "a worker dies with its connection")
tap.equal(SERVER.stop(), [], "the server ends clean")

SERVER, USERS, CA = start(**{"connections-per-worker": 1000,
                             "failure-delay": 0, "penalty-max": 0,
                             "max-tries": 10})
tap.run(lambda: one_after_another(SERVER, USERS, CA))
tap.run(lambda: forgets(SERVER, CA))
if popper.ROOT:
    tap.run(lambda: wiped(SERVER, USERS, CA))
    tap.run(lambda: changes_keys(SERVER, USERS, CA))
tap.run(lambda: survives(SERVER, USERS))
tap.run(lambda: bounded(SERVER, USERS))
tap.run(lambda: stops(SERVER, USERS, CA))
tap.run(limited)
tap.done()
