#!/usr/bin/python3
"""A thousand sessions at once, and then everything as it was before.

proves: R-1939-17 T-37
"""

import os
import resource
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
WANTED = 1000


def room():
    """As many as this machine lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 8 * WANTED
    if hard == resource.RLIM_INFINITY or hard >= want:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    with open("/proc/sys/kernel/pid_max") as file:
        pids = int(file.read()) // 8
    with open("/proc/meminfo") as file:
        megabytes = int([line for line in file if line.startswith(
            "MemAvailable")][0].split()[1]) // 1024
    limits = [WANTED, files, pids, megabytes // 2]
    if processes != resource.RLIM_INFINITY:
        limits.append(processes // 4)
    return min(limits)


def measures(server):
    found = {}
    for name, pid in server.services().items():
        found[name] = (len(os.listdir("/proc/%d/fd" % pid))
                       if popper.ROOT else 0,
                       int(popper.status(pid)["VmRSS"].split()[0]))
    return found


def fill(server, users):
    """All log in, and all are in at the same time."""
    clients = []
    for user in users:
        clients.append(server.enter(user))
    return clients


count = room()
server = popper.Server("daemon" if popper.ROOT else "user", start=False)
users = []
real = server.write_users
server.write_users = lambda: None
for number in range(count):
    users.append(server.add_user("u%d" % number, popper.DROPS[number % 2],
                                 [mail.simple(1), mail.simple(2)]))
server.write_users = real
server.write_users()
server.settings["max-connections"] = 2 * count
server.start()

fill_once = [server.enter(user) for user in users[:20]]  # everything is warm
for client in fill_once:
    client.quit()
popper.wait_gone({pid: popper.processes()[pid][1]
                  for pid in server.children("popper-session")
                  if pid in popper.processes()})
kept_before = len(server.children("popper-auth"))
before = measures(server)
processes = len(popper.descendants(server.main.pid))
clients = fill(server, users)
tap.equal(len(server.children("popper-session")), count,
          "%d sessions at once" % count)
good = sum(client.cmd("STAT").startswith("+OK 2 ") for client in clients)
tap.equal(good, count, "each of them answers")
for number, client in enumerate(clients):
    if number % 2:
        client.ok("DELE 1")
below = popper.descendants(server.main.pid)
services = set(server.services().values())
good = sum(client.quit().startswith("+OK") for client in clients)
tap.equal(good, count, "each ends with QUIT")
kept = set(server.children("popper-auth"))
tap.ok(len(kept) <= 8, "no more gates are kept than 8")
tap.equal(popper.wait_gone({pid: began for pid, began in below.items()
                            if pid not in services | kept}), [],
          "every other process of them has ended")
tap.equal(len(popper.descendants(server.main.pid)) - len(kept),
          processes - kept_before, "as many processes as before")
after = measures(server)
for name in before:
    counted = popper.ROOT and name == "popper-auth"
    more = len(kept) - kept_before if counted else 0
    tap.equal(after[name][0] - more, before[name][0],
              "%s has as many descriptors as before" % name)
    tap.ok(after[name][1] <= before[name][1] + 1024,
           "%s has grown by no more than 1 MiB (%d to %d kB)" % (
               name, before[name][1], after[name][1]))
wrong = [user.name for number, user in enumerate(users)
         if len(user.drop.stored()) != 2 - number % 2]
tap.equal(wrong, [], "each maildrop lost what its user deleted, and no more")
tap.equal(server.stop(), [], "the server ends clean")
tap.done()
