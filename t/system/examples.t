#!/usr/bin/python3
"""The files in etc/ that other programs read: systemd, xinetd, logrotate, PAM.
Each with the program itself, if it is installed."""

import configparser
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
ETC = os.path.join(popper.SRC, "etc")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SOCKETS = {"popper.socket": "110", "popper-pop2.socket": "109",
           "popper-pop3s.socket": "995"}


def read(*names):
    with open(os.path.join(ETC, *names)) as file:
        return file.read()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    return done.returncode, done.stdout


def units():
    """A service and three sockets for it."""
    for name, port in SOCKETS.items():
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read_string(read("systemd", name))
        streams = re.findall(r"(?m)^ListenStream=(.*)$",
                             read("systemd", name))
        tap.ok(streams and all(stream.endswith(":" + port)
                               for stream in streams),
               "%s is for port %s" % (name, port))
        tap.ok(name == "popper.socket" or
               unit["Socket"]["Service"] == "popper.service",
               name + " starts popper.service")
    program = shutil.which("systemd-analyze", path=PATH)
    if program is None:
        tap.skip("systemd-analyze verify", "it is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in SOCKETS:
            shutil.copy(os.path.join(ETC, "systemd", name), folder)
        with open(os.path.join(folder, "popper.service"), "w") as file:
            file.write(read("systemd", "popper.service.in").replace(
                "@sbindir@/popper", "/bin/true"))
        code, text = run(program, "verify", "--man=no", *[
            os.path.join(folder, name)
            for name in ["popper.service"] + list(SOCKETS)])
    lines = [line for line in text.splitlines() if "popper" in line]
    tap.equal((code, lines), (0, []), "systemd-analyze verify has no word")


def xinetd():
    """xinetd with the example, but for port and program."""
    program = shutil.which("xinetd", path=PATH)
    if program is None or not popper.ROOT:
        tap.skip("xinetd", "it is not installed, or we are not root")
        return
    with popper.Server("inetd", start=False) as server:
        user = server.add_user("mary", popper.DROPS[0], [mail.simple(1)])
        server.start()
        port = popper.free_port()
        script = server._script("--inetd")
        text = read("xinetd.in").replace("@sbindir@/popper", script)
        text = text.replace("service pop3\n{", "service pop3\n{\n"
                            "\ttype = UNLISTED\n\tport = %d" % port, 1)
        text = text.replace("service pop3s\n{", "service pop3s\n{\n"
                            "\ttype = UNLISTED\n\tport = 995", 1)
        conf = server.write("xinetd.conf", text)
        process = subprocess.Popen(
            [program, "-dontfork", "-filelog",
             server.path("xinetd.log"), "-f", conf], cwd="/",
            stdin=subprocess.DEVNULL, stdout=server.log_fd,
            stderr=server.log_fd)
        try:
            server.ports, server.main = [port], process
            server._wait_port()
            client = popper.Client.to(port)
            tap.match(client.reply(), r"^\+OK", "xinetd starts popper")
            tap.match(client.login(user), r"^\+OK", "a login")
            tap.equal(client.fetch("RETR 1"), user.drop.wire(mail.simple(1)),
                      "a message")
            tap.match(client.quit(), r"^\+OK", "and QUIT")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(popper.PATIENCE)
            server.main = None


def inetd():
    """Lines as inetd wants them; t/dialog/openbsd-inetd.t runs one."""
    lines = [re.sub(r"^#(?=\S+\t)", "", line)
             for line in read("inetd.conf.in").splitlines()
             if re.match(r"#?\S+\t", line)]
    tap.equal([line.split()[0] for line in lines], ["pop3", "109", "pop3s"],
              "inetd: the ports")
    tap.equal([line for line in lines if line.split()[1:] != [
        "stream", "tcp", "nowait", "root", "@sbindir@/popper", "popper",
        "--inetd"]], [], "inetd: and one command for all")


def logrotate():
    """The example, with a log of ours."""
    program = shutil.which("logrotate", path=PATH)
    if program is None:
        tap.skip("logrotate", "it is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "popper.log")
        with open(log, "w") as file:
            file.write("x\n")
        conf = os.path.join(folder, "conf")
        text = read("logrotate.d", "popper").replace(
            "/var/log/popper.log", log)
        text = re.sub(r"systemctl .*", "touch %s/told" % folder, text)
        if not popper.ROOT:
            text = re.sub(r"create .*", "create 0600", text)
        with open(conf, "w") as file:
            file.write(text)
        os.chmod(conf, 0o644)
        code, text = run(program, "-f", "-s", os.path.join(folder, "state"),
                         conf)
        tap.equal((code, text), (0, ""), "logrotate takes the example")
        tap.equal(sorted(name for name in os.listdir(folder)
                         if name.startswith("popper.log")),
                  ["popper.log", "popper.log.1"], "the log is rotated")
        tap.ok(os.path.exists(os.path.join(folder, "told")),
               "and popper is told")


def pam():
    """Debian's two stacks and nothing else."""
    lines = [line for line in read("pam.d", "popper").splitlines()
             if line and not line.startswith("#")]
    tap.equal(lines, ["@include common-auth", "@include common-account"],
              "the PAM service")


for TEST in (units, inetd, xinetd, logrotate, pam):
    tap.run(TEST)
tap.done()
