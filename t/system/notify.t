#!/usr/bin/python3
"""What a service manager is told, over a socket of its own.

proves: R-SD-02 R-SD-03
"""

import os
import select
import signal
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"


def told(sock):
    if not select.select([sock], [], [], popper.PATIENCE)[0]:
        return "(nothing)"
    return sock.recv(4096).decode()


def manager(name, address):
    """READY when it serves, RELOADING and READY around SIGHUP, STOPPING."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        server = popper.Server(MODE, start=False)
        path = address(server)
        sock.bind(path.replace("@", "\0"))
        if not path.startswith("@"):
            os.chmod(path, 0o666)
        server.env["NOTIFY_SOCKET"] = path
        with server.start():
            tap.match(told(sock), r"^READY=1", name + ": ready")
            client = server.connect()
            tap.match(client.reply(), r"^\+OK", name + ": it serves then")
            client.close()
            server.main.send_signal(signal.SIGHUP)
            tap.match(told(sock), r"^RELOADING=1", name + ": reloading")
            tap.match(told(sock), r"^READY=1", name + ": ready again")
            server.main.send_signal(signal.SIGTERM)
            tap.match(told(sock), r"^STOPPING=1", name + ": stopping")
            server.main.wait()


def nobody_listens():
    """A socket that is not there stops nothing."""
    with popper.Server(MODE, env={"NOTIFY_SOCKET": "/nonexistent/x"}) as server:
        client = server.connect()
        tap.match(client.reply(), r"^\+OK", "a manager that is gone")
        client.close()


tap.run(lambda: manager("a path", lambda server: server.path("run", "notify")))
tap.run(lambda: manager("an abstract name",
                        lambda server: "@popper-test-%d" % os.getpid()))
tap.run(nobody_listens)
tap.done()
