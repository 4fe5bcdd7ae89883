#!/usr/bin/python3
"""Modules that are refused, and one that was built outside the tree.

proves: T-50
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import mail  # noqa: E402
import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
MODE = "daemon" if popper.ROOT else "user"
KIND = popper.DROPS[0]
if not os.path.exists(os.path.join(
        popper.BUILD, "modules/auth/.libs/passwd.so")):
    tap.skip_all("modules are linked into the programs")

SOURCE = r"""
#include <stdlib.h>
#include <popper/drop.h>
static int nothing(const struct popper_host *h, const void *conf,
    const struct popper_place *p, void **self, struct popper_error *e)
{ (void)conf; (void)p; *self = NULL; return h->fail(e, POPPER_ABSENT, "no"); }
static size_t count(const void *self) { (void)self; return 0; }
static const struct popper_drop drop = {
	.size = sizeof(struct popper_drop), .open = nothing, .count = count };
%s
"""
RIGHT = """POPPER_MODULE(odd, .version = "1", .summary = "odd", .drop = &drop);
"""
SPELLED = """POPPER_EXPORT const struct popper_module odd_LTX_popper_module = {
	.magic = %s, .abi_major = %s, .abi_minor = %s, .size = %s,
	.name = "%s", .version = "1", .summary = "odd", .drop = &drop };
"""
GOOD = ("POPPER_MODULE_MAGIC", "POPPER_ABI_MAJOR", "POPPER_ABI_MINOR",
        "sizeof(struct popper_module)", "odd")


def spelled(at, value):
    return SPELLED % (GOOD[:at] + (value,) + GOOD[at + 1:])


def stage():
    """A server with a module folder of its own."""
    server = popper.Server(MODE, start=False)
    folder = server.path("modules")
    for kind in ("auth", "drop", "ext"):
        os.makedirs(os.path.join(folder, kind), 0o755)
        there = os.path.join(popper.BUILD, "modules", kind, ".libs")
        for name in os.listdir(there) if os.path.isdir(there) else []:
            if name.endswith(".so"):
                shutil.copy(os.path.join(there, name),
                            os.path.join(folder, kind))
    for top, _, names in os.walk(folder):
        for path in [top] + [os.path.join(top, name) for name in names]:
            os.chmod(path, 0o755)
            server._own(path)
    server.settings["module-folder"] = folder
    server.modules = server.default_modules() + "drop odd { }\n"
    return server


def compile_module(server, text, flags=(), tree=True):
    source = server.write("odd.c", SOURCE % text)
    out = server.path("modules", "drop", "odd.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden"]
                   + list(flags) + (["-I" + os.path.join(
                       popper.SRC, "include")] if tree else [])
                   + ["-o", out, source],
                   check=True)
    os.chmod(out, 0o755)
    server._own(out)
    return out


def refused(what, pattern, text=RIGHT, spoil=None, flags=()):
    server = stage()
    user = server.add_user("alice", KIND, [mail.simple(1)])
    out = compile_module(server, text, flags) if text else None
    if spoil:
        spoil(server, out)
    server.write_conf()
    process = server.popen(server.command(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = process.communicate(timeout=popper.PATIENCE)[0].decode()
    except subprocess.TimeoutExpired:
        process.terminate()
        output = process.communicate()[0].decode() + "(it started)"
    tap.ok(process.returncode not in (0, None), what + ": not started")
    tap.match(output, pattern, what + ": where and why")
    tap.equal(len(user.drop.stored()), 1, what + ": the mail is still there")
    server.stop()


def truncate(server, out):
    with open(out, "r+b") as file:
        file.truncate(os.path.getsize(out) // 2)


def accepted():
    """The same module, right, is loaded."""
    server = stage()
    user = server.add_user("alice", KIND, [mail.simple(1)])
    compile_module(server, RIGHT)
    server.start()
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK 1 ", "a right module is loaded")
    client.leave()
    tap.equal(server.stop(), [], "and the server ends clean")


def named(destination):
    """Manual pages name what is installed, where it is."""
    pages = [os.path.join(top, name) for top, _, names in os.walk(destination)
             for name in names if re.search(r"\.[58]$", name)]
    missing, found = [], 0
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        missing += re.findall(r"P[aq] doc/\S+", text)
        for path in re.findall(r"P[aq] (/\S*/doc/popper\S*)", text):
            found += 1
            if not os.path.exists(destination + path):
                missing.append(path)
    tap.equal((missing, found > 3), ([], True),
              "manual pages name documents that are installed")


def installed():
    """make install DESTDIR=..., then a module with pkg-config alone."""
    with open(os.path.join(popper.BUILD, "Makefile")) as file:
        top = re.search(r"^abs_top_srcdir = (.*)$", file.read(), re.M)[1]
    if not os.access(os.path.join(top, "Makefile.am"), os.R_OK) or \
            not os.access(popper.BUILD, os.W_OK):
        tap.skip("make install", "the tree that was built is out of reach")
        return
    server = stage()
    destination = server.path("destination")
    result = subprocess.run(
        ["make", "-C", popper.BUILD, "install", "DESTDIR=" + destination],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not tap.equal(result.returncode, 0, "make install DESTDIR="):
        tap.diag(result.stdout[-2000:])
        server.stop()
        return
    named(destination)
    pc = [os.path.join(top, name) for top, _, names in os.walk(destination)
          for name in names if name == "popper.pc"]
    flags = subprocess.run(
        ["pkg-config", "--cflags", "popper"], check=True, text=True,
        stdout=subprocess.PIPE, env=dict(
            os.environ, PKG_CONFIG_PATH=os.path.dirname(pc[0]),
            PKG_CONFIG_SYSROOT_DIR=destination)).stdout.split()
    tap.ok(any(destination in flag for flag in flags),
           "pkg-config tells where the headers are")
    compile_module(server, RIGHT, flags, tree=False)
    user = server.add_user("alice", KIND, [mail.simple(1)])
    server.start()
    client = server.enter(user)
    tap.match(client.cmd("STAT"), r"^\+OK 1 ",
              "a module built with the installed headers is loaded")
    client.leave()
    tap.equal(server.stop(), [], "and the server ends clean")


tap.run(accepted)
refused("writable by the group", r"modules\.conf:\d+: .*odd.*written by others.*chmod go-w",
        spoil=lambda server, out: os.chmod(out, 0o775))
refused("writable by all", r"written by others",
        spoil=lambda server, out: os.chmod(out, 0o757))
refused("a folder writable by all", r"written by others",
        spoil=lambda server, out: os.chmod(os.path.dirname(out), 0o777))
if popper.ROOT:
    refused("of a foreign owner", r"belongs to uid 61000",
            spoil=lambda server, out: os.chown(out, 61000, 61000))
refused("another magic", r"conf:\d+: .*odd.*not a module of popper", spelled(0, "0x1234"))
refused("another major version", r"conf:\d+: .*odd.*another interface version",
        spelled(1, "POPPER_ABI_MAJOR + 1"))
refused("a newer minor version", r"conf:\d+: .*odd.*needs a newer popper",
        spelled(2, "POPPER_ABI_MINOR + 1"))
refused("another size", r"conf:\d+: .*odd.*another size", spelled(3, "24"))
refused("another name", r"conf:\d+: .*odd.*another name", spelled(4, "other"))
refused("no descriptor", r"conf:\d+: .*odd.*no symbol", "int odd_nothing(void);\n")
refused("a name that is not defined", r"undefined symbol: log_info",
        "extern int log_info(const char *, ...);\n"
        "POPPER_EXPORT int call(void);\n"
        "int call(void) { return log_info(\"x\"); }\n" + RIGHT,
        flags=["-Wl,-z,now"])
refused("cut short", r"popper-session did not start", spoil=truncate)
refused("no file", r"does not exist", None)
tap.run(installed)
tap.done()
