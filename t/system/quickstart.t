#!/usr/bin/python3
"""./quickstart in a copy of the tree, as a newcomer has it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

for tool in ("autoreconf", "libtoolize", "pkg-config", "cc", "make", "curl"):
    if not shutil.which(tool):
        tap.skip_all("needs " + tool)


def copy(there):
    """What a clone has: no built file, nothing of git."""
    shutil.copytree(
        popper.SRC, there, symlinks=True, ignore=lambda folder, names: [
            name for name in names if name in (
                ".git", "configure", "aclocal.m4", "autom4te.cache",
                "build-aux", "config.status", "quickstart.run", "__pycache__")
            or name.startswith("build.") or name.startswith("build-")
            or name in ("Makefile.in", "config.h.in")
            or name.endswith((".o", ".lo", ".la"))])
    subprocess.run(["chmod", "-R", "u+w", there], check=True)


def start(tree, port):
    process = subprocess.Popen(
        [os.path.join(tree, "quickstart"), str(port)], cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        # A test that runs in the background was started with it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Its log is" in line:
            break
    return process, lines


def commands(lines):
    return [line.strip() for line in lines if re.match(r"  (curl|kill) ", line)]


def paste(command):
    return subprocess.run(["sh", "-c", command.replace("curl ", "curl -sS ")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60).stdout


def session(tree, what, stop):
    port = popper.free_port()
    began = time.monotonic()
    process, lines = start(tree, port)
    took = time.monotonic() - began
    if not tap.ok("Its log is" in lines[-1], what + ": it runs"):
        tap.diag("".join(lines))
        process.wait()
        return
    tap.diag("%s took %.0f s" % (what, took))
    paste_these = commands(lines)
    tap.equal(len(paste_these), 3, what + ": three commands to paste")
    tap.match(paste(paste_these[0]), r"^1 \d+\r?\n2 \d+\r?\n3 \d+",
              what + ": the first lists")
    tap.match(paste(paste_these[1]), r"Subject: Lunch on Friday\?",
              what + ": the second reads a message")
    below = popper.descendants(process.pid)
    if stop is None:
        paste(paste_these[2])
    else:
        process.send_signal(stop)
    try:
        process.wait(popper.PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
    tap.equal(process.returncode, 0, what + ": it stops when told")
    left = popper.wait_gone(below)
    tap.equal(left, [], what + ": nothing is left running")
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def listing(tree):
    return sorted(os.listdir(tree))


folder = tempfile.mkdtemp(prefix="popper-quickstart-test.")
os.chmod(folder, 0o755)
try:
    tree = os.path.join(folder, "popper")
    copy(tree)
    before = listing(tree)
    session(tree, "first run", None)
    session(tree, "second run", signal.SIGTERM)
    session(tree, "third run", signal.SIGINT)
    tap.equal([name for name in listing(tree) if name not in before],
              ["quickstart.run"], "all it makes is in its own folder")
finally:
    shutil.rmtree(folder)
tap.done()
