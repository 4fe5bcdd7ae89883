#!/usr/bin/python3
"""Manual pages, scripts and spelling, and no name of anyone's workplace."""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

SKIP = {".git", "autom4te.cache", "build-aux", "quickstart.run",
        "__pycache__", ".libs", ".deps", "corpus"}
GENERATED = re.compile(
    r"^(aclocal\.m4|configure~?|config\..*|Makefile(\.in)?|libtool"
    r"|m4/(libtool|lt.*)\.m4|stamp-h1)$")


def sources():
    """Files of the project, as git would list them."""
    for folder, folders, names in os.walk(popper.SRC):
        folders[:] = [name for name in folders if name not in SKIP
                      and not name.startswith("build")]
        for name in names:
            if name == ".git":  # a file, in a further work tree
                continue
            path = os.path.relpath(os.path.join(folder, name), popper.SRC)
            if not GENERATED.match(path) and not re.search(
                    r"\.(o|lo|la|a|log|trs|pyc|xz)$", path):
                yield path


ALL = sorted(sources())


def read(path):
    with open(os.path.join(popper.SRC, path), "rb") as file:
        return file.read()


def run(name, tool, command, paths):
    if not shutil.which(tool):
        tap.skip(name, "needs " + tool)
        return
    if not paths:
        tap.skip(name, "there are none")
        return
    result = subprocess.run(command + paths, cwd=popper.SRC, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not tap.ok(result.returncode == 0, name):
        tap.diag(result.stdout)


def scripts():
    for path in ALL:
        first = read(path)[:40].split(b"\n")[0]
        if re.match(rb"#! ?/(usr/)?bin/(env )?(ba|da)?sh\b", first):
            yield path


def workplace():
    """Absolute paths of a developer's machine, and who helped."""
    wrong = re.compile(rb"/wo" rb"rk/|/far" rb"m/|/tmp/(wt|b)-|\.libr" rb"ary/"
                       rb"|/home/(?!USER\b)[a-z]+/|/roo" rb"t/"
                       rb"|\b(clau" rb"de|anthro" rb"pic|chat" rb"gpt|open" rb"ai)\b",
                       re.IGNORECASE)
    for path in ALL:
        found = wrong.search(read(path))
        if found:
            yield "%s: %r" % (path, found[0])


def no_rfc_text():
    """Copied text of an RFC shows by its page footers and boilerplate."""
    wrong = re.compile(rb"\[Page \d+\]|Standards Tra" rb"ck|Network Working Gro"
                       rb"up|^Category: ", re.MULTILINE)
    return [path for path in ALL if wrong.search(read(path))]


tap.ok(len(ALL) > 80, "the sources are there")
run("manual pages are well-formed", "mandoc",
    ["mandoc", "-Tlint", "-Wwarning"],
    [path for path in ALL if re.search(r"^(doc|etc)/.*\.[1-8]$", path)
     and not read(path).startswith(b".so ")])  # an alias, made by make
run("shellcheck has nothing to say", "shellcheck",
    ["shellcheck", "-x"], list(scripts()))
run("spelling", "codespell",
    ["codespell", "-q", "3", "-L", "ans,crypted,hist,ines,inout,nd,ser,te,ue"],
    [path for path in ALL if re.search(
        r"\.([chtm1-8]|md|py|am|ac|inc|conf|pop3|sh)$", path)
     and path != "t/system/conf.t"  # misspells on purpose
     and not path.startswith("t/dialog/lang/")])  # not English
tap.equal(list(workplace()), [], "no name of a workplace")
tap.equal(no_rfc_text(), [], "no text of an RFC")
tap.done()
