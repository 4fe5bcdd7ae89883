#!/usr/bin/python3
"""Who may include whom: doc/overview.md's rule, read from the #include lines.

base includes nothing of ours; proto, conf, priv and mod include base; programs
include those, never each other's folder; a module includes include/popper only.  Tools
may share files of ext modules, and a few of the server's.
"""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

LIBRARIES = {"base", "proto", "conf", "priv", "mod"}
PROGRAMS = {"master", "login", "auth", "session", "tools"}
# conf fills in option tables, which modules know: it includes popper/ only.
ALLOWED = {"base": set()}
for name in LIBRARIES - {"base"}:
    ALLOWED[name] = {"base"}
for name in PROGRAMS:
    ALLOWED[name] = set(LIBRARIES)
# popperctl shares files with the module whose data it handles, and finds a
# user, his maildrop and his state folder with what the server finds them with;
# these files are all that it may share, and know nothing of connections.
ALLOWED["tools"] |= {"ext"}
SHARED = {"auth/chain.h", "auth/name.h", "auth/services.h", "auth/verdict.h",
          "master/journal.h", "master/statements.h",
          "session/maildrop.h", "session/state.h"}


def includes(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if found:
                yield number, found[1], found[2]


def files(*patterns):
    for pattern in patterns:
        yield from sorted(glob.glob(os.path.join(popper.SRC, pattern)))


def wrong_in_src():
    for path in files("src/*/*.[ch]", "src/tools/*/*.[ch]"):
        folder = os.path.relpath(path, popper.SRC).split(os.sep)[1]
        for number, quote, name in includes(path):
            if quote == "<" or name == "config.h":
                continue
            there = name.split("/")[0] if "/" in name else "."
            if folder == "tools" and name in SHARED:
                continue
            if there not in ALLOWED.get(folder, set()) | {folder}:
                yield "%s:%d includes %s" % (path, number, name)


def wrong_in_modules():
    for path in files("modules/*/*.[ch]"):
        beside = {os.path.basename(name)
                  for name in glob.glob(os.path.dirname(path) + "/*.h")}
        for number, quote, name in includes(path):
            if quote == '"' and os.path.basename(name) not in beside:
                yield "%s:%d includes %s" % (path, number, name)


def wrong_in_interface():
    for path in files("include/popper/*.h"):
        for number, quote, name in includes(path):
            if quote == '"':
                yield "%s:%d includes %s" % (path, number, name)


def conditionals():
    """No #if in a .c file: what differs is decided in a header."""
    for path in files("src/*/*.c", "src/tools/*/*.c", "modules/*/*.c"):
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line):
                    yield "%s:%d %s" % (path, number, line.strip())


tap.ok(len(list(files("src/*/*.c"))) > 20, "the sources are there")
tap.equal(list(wrong_in_src()), [], "libraries and programs keep their layers")
tap.equal(list(wrong_in_modules()), [],
          "modules include popper/ and what lies beside them")
tap.equal(list(wrong_in_interface()), [],
          "the public interface includes nothing private")
tap.equal(list(conditionals()), [], "no #if in a .c file")
tap.done()
