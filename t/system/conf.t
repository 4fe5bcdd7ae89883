#!/usr/bin/python3
"""Wrong configurations: the server says file, line and word, and ends.

proves: R-2449-27
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"


def attempt(what, patterns, conf=None, modules=None, args=(), mode=0o644):
    """Start with a wrong configuration; look at what it says."""
    server = popper.Server(MODE, start=False)
    server.add_user("alice", popper.DROPS[0])
    server.write_conf()
    if conf is not None:
        with open(server.path("popper.conf")) as file:
            server.write("popper.conf", file.read() + conf, mode)
    if modules is not None:
        server.write("modules.conf", modules.replace(
            "USERS", server.path("users")))
    process = server.popen(server.command(*args), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = process.communicate(timeout=popper.PATIENCE)[0].decode()
    except subprocess.TimeoutExpired:
        process.terminate()
        output = process.communicate()[0].decode() + "(it started)"
    tap.ok(process.returncode not in (0, None), what + ": it ends with an error")
    for pattern in patterns:
        tap.match(output, pattern, "%s: it says %s" % (what, pattern))
    server.stop()


DROP = "drop %s { }\n" % popper.DROPS[0]
AUTH = 'auth passwd { file = "USERS" }\n'
attempt("an unknown option", [r"popper\.conf:\d+: .*tiemout.*\btimeout\b"],
        conf="tiemout = 5\n")
attempt("a value of the wrong kind", [r"popper\.conf:\d+: .*timeout"],
        conf='timeout = "soon"\n')
attempt("a number too large", [r"timeout: must be 1 second to 1 day"],
        conf="timeout = 9999999\n")
attempt("a truth that is none", [r"popper\.conf:\d+: .*statistics"],
        conf="statistics = perhaps\n")
attempt("an open quote", [r"popper\.conf:\d+: "], conf='server-name = "x\n')
attempt("no value", [r"popper\.conf:\d+: .*value"], conf="timeout =\n")
attempt("a host name with <", [r"server-name.*<evil>"],
        conf='server-name = "<evil>"\n')
attempt("an address that is none", [r"listen: .*not-an-address"],
        conf='listen = {"not-an-address:x"}\n')
attempt("TLS without a certificate", [r"listen-tls needs .*tls-certificate"],
        conf='listen-tls = "127.0.0.1:0"\n')
attempt("listen-tls without TLS", [r"listen-tls needs TLS.*tls-support"],
        conf='listen-tls = "127.0.0.1:0"\ntls-support = "none"\n')
attempt("a wrong word", [r"clear-text-password = \"allways\".*\balways\b"],
        conf='clear-text-password = "allways"\n')
attempt("a file that others may change", [r"popper\.conf.*changed by others"],
        conf="", mode=0o666)
attempt("an unknown module", [r"modules\.conf:2: .*\"nosuch\""],
        modules=AUTH + "drop nosuch { }\n")
attempt("an option that the module has not",
        [r"modules\.conf:2: .*no option \"paht\""],
        modules=AUTH + DROP.replace("{ }", '{ paht = "x" }'))
attempt("a module of another kind", [r"modules\.conf:2: .*passwd"],
        modules=AUTH + "drop passwd { }\n")
attempt("a kind that is none", [r"modules\.conf:1: .*\"dorp\""],
        modules="dorp mbox { }\n")
attempt("no drop module", [r"no drop module"], modules=AUTH)
attempt("no auth module", [r"no auth module"], modules=DROP)
attempt("a path as a module's name", [r"modules\.conf:2: "],
        modules=AUTH + 'drop ../../mbox { }\n')
attempt("a missing file", [r"/nonexistent\.conf.*No such file"],
        args=["-f", "/nonexistent.conf"])
attempt("a wrong -o", [r"no option \"tiemout\""], args=["-o", "tiemout=5"])
attempt("an unknown command line option", [r"-Q|usage"], args=["-Q"])
attempt("a program folder without programs", [r"popper-(login|auth|session)"],
        conf='program-folder = "/nonexistent"\n')


def busy_port():
    """A port that somebody else has."""
    with popper.Server(MODE) as first:
        attempt("a port that is taken", [
            r"127\.0\.0\.1:%d.*in use" % first.ports[0]],
            args=["127.0.0.1:%d" % first.ports[0]])


def check_option():
    """--check says that all is well, and starts nothing."""
    server = popper.Server(MODE, start=False)
    server.write_users()
    server.write_conf()
    process = server.popen(server.command("--check"),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate(timeout=popper.PATIENCE)[0].decode()
    tap.equal(process.returncode, 0, "--check of a right configuration")
    tap.ok("listening" not in output, "--check listens nowhere")
    process = server.popen(server.command("--modules"),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate(timeout=popper.PATIENCE)[0].decode()
    tap.match(output, r"auth passwd", "--modules lists what there is")
    process = server.popen(server.command("--version"),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.match(process.communicate()[0].decode(), r"popper.*\d", "--version")
    process = server.popen(server.command("--help"),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode()
    for option in ("--config", "--timeout", "--statistics", "--inetd"):
        tap.ok(option in output, "--help knows " + option)
    server.stop()


tap.run(busy_port)
tap.run(check_option)
tap.done()
