#!/usr/bin/python3
"""What the programs and modules are linked with, and what they export."""

import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          text=True).stdout


def needed(path):
    return set(re.findall(r"NEEDED.*\[(.*?)\.so",
                          output("readelf", "-d", path)))


def symbols(path, *options):
    lines = output("nm", "-D", *options, path).splitlines()
    return [line.split()[-1].split("@")[0] for line in lines]


def check_programs():
    forbidden = {"libltdl", "libpam", "libsasl2", "libgdbm", "librados",
                 "libssl", "libcrypto", "libconfuse"}
    for name in popper.PROGRAMS:
        path = os.path.join(popper.BUILD, "src", name)
        libraries = needed(path)
        deny = set(forbidden)
        if name == "popper":
            deny -= {"libconfuse"}
        elif name == "popper-login":
            deny -= {"libssl", "libcrypto"}
        elif name in ("popper-auth", "popper-session"):
            deny -= {"libltdl", "libconfuse"}
        tap.equal(sorted(libraries & deny), [],
                  "%s links none of %s" % (name, " ".join(sorted(deny))))


def check_tools():
    libraries = needed(os.path.join(popper.BUILD, "src/popperctl"))
    # It finds users and their mail with the modules that the server has.
    tap.equal(sorted(libraries - {"libc", "libgdbm", "libidn", "libltdl",
                                  "libseccomp"}),
              [], "popperctl links little")


def check_hardening():
    for name in popper.PROGRAMS + ("popperctl",):
        path = os.path.join(popper.BUILD, "src", name)
        dynamic = output("readelf", "-dW", path)
        header = output("readelf", "-hW", path)
        tap.ok("PIE" in dynamic and "DYN" in header,
               name + " is position independent")
        tap.ok("BIND_NOW" in dynamic or "NOW" in dynamic,
               name + " binds its symbols at start")
        stack = [line for line in output("readelf", "-lW", path).splitlines()
                 if "GNU_STACK" in line]
        tap.ok(stack and "RWE" not in stack[0],
               name + " has no executable stack")


def server_symbols():
    """Every global name that the server's objects define."""
    found = set()
    for path in glob.glob(os.path.join(popper.BUILD, "src/*.a")):
        for line in output("nm", "-g", "--defined-only", path).splitlines():
            if len(line.split()) == 3:
                found.add(line.split()[2])
    return found


def check_modules(paths):
    servers = server_symbols()
    tap.ok(len(servers) > 50, "the server's own symbols are known")
    for path in paths:
        name = os.path.basename(path)[:-3]
        identifier = re.sub(r"[^A-Za-z0-9]", "_", name)
        tap.equal(symbols(path, "--defined-only"),
                  [identifier + "_LTX_popper_module"],
                  name + " exports its descriptor and nothing else")
        tap.equal(sorted(set(symbols(path, "--undefined-only")) & servers),
                  [], name + " imports nothing of the server")
        tap.ok("libltdl" not in needed(path), name + " loads no modules")


popper.need_server()
modules = sorted(glob.glob(os.path.join(
    popper.BUILD, "modules/*/.libs/*.so")))
if not modules:
    tap.skip_all("modules are linked into the programs")
check_programs()
check_tools()
check_hardening()
check_modules(modules)
tap.done()
