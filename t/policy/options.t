#!/usr/bin/python3
"""Every option has its paragraph in a manual page, and no page has others."""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402


def read(name):
    with open(os.path.join(popper.SRC, name), encoding="utf-8") as file:
        return file.read()


def settings():
    """{name: default, or None where the build tells it} of the server."""
    table = read("src/base/settings.c").split("settings_options[] = {", 1)[1]
    entries = re.findall(
        r'\b(?:TEXT|BOOL|NUMBER|SECONDS)\(\s*\w+,\s*"([^"]+)",\s*'
        r'((?:[A-Z_]+\s*|"[^"]*"\s*)+),', table)
    return {name: None if re.search("[A-Z]_", default) else
            "".join(re.findall(r'"([^"]*)"', default))
            for name, default in entries}


def page(name):
    """The options a page describes: the items that say what a value is."""
    found = []
    for line in read("doc/man/" + name).splitlines():
        if line.startswith(".It Cm"):
            found += re.findall(r"(?:^\.It|,) Cm (\S+) No = Ar ", line)
    return found


def example():
    """{name: value} of the example, what is commented out too."""
    return dict(re.findall(r"^(?:# )?([a-z][a-z0-9-]*) = (.*)$",
                           read("etc/popper.conf.in"), re.MULTILINE))


def modules():
    """{module: its options}, of those with a page, as popper prints them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        done = subprocess.run(
            [os.path.join(popper.BUILD, "src/popper"), "--modules"] + [
                word for name, value in (
                    ("module-folder", popper.BUILD + "/modules"),
                    ("program-folder", popper.BUILD + "/src"),
                    ("state-folder", folder))
                for word in ("-o", "%s=%s" % (name, value))],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60)
    found, name = {}, None
    for line in done.stdout.splitlines():
        head = re.match(r"(?:auth|drop|ext) (\S+) ", line)
        if head:
            name = head[1]
            found[name] = []
        elif name and line.startswith("\t"):
            found[name].append(line.split()[0])
    return {name: options for name, options in found.items()
            if not name.endswith("_template")}


def of_qpopper():
    """Names that Qpopper's file may set, and those that its page tells."""
    table = read("src/conf/qpopper_map.c").split("qpopper_options[] = {", 1)[1]
    rows = table.split("Of ./configure only", 1)[0]
    names = re.findall(r'^\t(?:[A-Z_]+\(|\{ )\s*"([^"]+)",', rows,
                       re.MULTILINE)
    told = []
    for line in read("doc/man/popper-qpopper.5").splitlines():
        if line.startswith(".It ") and " Ta " in line:
            told += line[4:].split(" Ta ")[0].replace(",", "").split()
    return sorted(set(names) - {"config-file", "kerberos"}), told


def same(got, want, name):
    """What is missing (-), too much or there twice (+)."""
    got, want = sorted(got), sorted(want)
    tap.equal(["-" + word for word in want if word not in got] +
              ["+" + word for word in sorted(set(got)) if
               got.count(word) > want.count(word)], [], name)


SETTINGS, PAGE, EXAMPLE = settings(), page("popper.conf.5"), example()
ENTRIES = re.findall(r"^\t(?:TEXT|BOOL|NUMBER|SECONDS)\(",
                     read("src/base/settings.c"), re.MULTILINE)
tap.equal(len(SETTINGS), len(ENTRIES), "the table of settings is understood")
same(PAGE, SETTINGS, "popper.conf(5) has each setting once, and no others")
same(EXAMPLE, SETTINGS, "so has the example")
QPOPPERS, TOLD = of_qpopper()
tap.ok(len(QPOPPERS) > 50, "the table of Qpopper's options is understood")
same([name for name in TOLD if name not in ("Sy", "Qpopper")], QPOPPERS,
     "popper-qpopper(5) has each of them once")
tap.equal([(name, EXAMPLE[name]) for name, default in SETTINGS.items()
           if default is not None and name != "listen" and
           name in EXAMPLE and EXAMPLE[name].strip('"{}') != default],
          [], "the example shows the defaults")
HINTS = re.findall(r'\b(?:TEXT|FLAG|NUMBER)\("([^"]+)",',
                   read("src/conf/hints.c"))
NOTHING = read("doc/man/popper.conf.5").split(
    ".Ss Accepted, but nothing to do", 1)[1].split("\n.S", 1)[0]
tap.ok(len(HINTS) > 10 and not set(HINTS) & set(SETTINGS),
       "the table of options that do nothing is understood")
same(re.findall(r"^\.It Cm (\S+)$", NOTHING, re.MULTILINE), HINTS,
     "popper.conf(5) has each of them once")
if not os.access(os.path.join(popper.BUILD, "src/popper"), os.X_OK):
    tap.skip("options of modules", "src/popper is not built")
else:
    MODULES = modules()
    tap.ok(len(MODULES) > 3, "popper --modules names the modules")
    for NAME, OPTIONS in sorted(MODULES.items()):
        same(page("popper-%s.8" % NAME), OPTIONS,
             "popper-%s(8) has each option once, and no others" % NAME)
    PAGES = {re.sub(r".*/popper-(.*)\.8$", r"\1", path) for path in
             glob.glob(os.path.join(popper.SRC, "doc/man/popper-*.8"))}
    tap.equal(sorted(set(MODULES) - PAGES), [], "each module has a page")
tap.done()
