#!/usr/bin/python3
"""The budget: functions, files, columns, and what stands at a file's head."""

import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

FUNCTION_LINES, FILE_LINES, COLUMNS = 70, 450, 80


def files(*patterns):
    found = []
    for pattern in patterns:
        found += sorted(glob.glob(os.path.join(popper.SRC, pattern)))
    return found


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


CODE = files("src/*/*.[ch]", "src/tools/*/*.[ch]", "modules/*/*.[ch]", "include/popper/*.h",
             "t/unit/*.[ch]", "t/module/*.[ch]", "t/fuzz/*.[ch]",
             "bench/*.[ch]")


def long_functions():
    result = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f",
         "-f", "-"] + [path for path in CODE if path.endswith(".c")],
        stdout=subprocess.PIPE, check=True, text=True)
    for line in result.stdout.splitlines():
        tag = json.loads(line)
        lines = tag.get("end", 0) - tag.get("line", 0) + 1
        if lines > FUNCTION_LINES:
            yield "%s: %s has %d lines" % (tag["path"], tag["name"], lines)


def long_files():
    for path in CODE:
        lines = text(path).count("\n")
        if lines > FILE_LINES:
            yield "%s has %d lines" % (path, lines)


def wide_lines():
    for path in CODE:
        for number, line in enumerate(text(path).splitlines(), 1):
            if len(line.expandtabs(8)) > COLUMNS:
                yield "%s:%d" % (path, number)


def without_header():
    """A .c file says first what it is, and which process runs it."""
    for path in CODE:
        if path.endswith(".c"):
            start = text(path)[:300]
            name = os.path.basename(path)
            if not start.startswith("/*") or name not in start:
                yield path


def loose_space():
    for path in CODE:
        for number, line in enumerate(text(path).splitlines(), 1):
            if line != line.rstrip():
                yield "%s:%d" % (path, number)


tap.ok(len(CODE) > 50, "the sources are there")
# exuberant-ctags and emacs have a ctags of their own that knows no JSON.
if shutil.which("ctags") and "Universal" in subprocess.run(
        ["ctags", "--version"], stdout=subprocess.PIPE, text=True).stdout:
    tap.equal(list(long_functions()), [],
              "no function has more than %d lines" % FUNCTION_LINES)
else:
    tap.skip("length of functions", "needs universal-ctags")
tap.equal(list(long_files()), [],
          "no file has more than %d lines" % FILE_LINES)
tap.equal(list(wide_lines()), [], "no line is wider than %d" % COLUMNS)
tap.equal(list(without_header()), [],
          "each .c file begins with a comment that names it")
tap.equal(list(loose_space()), [], "no space at the end of a line")
tap.done()
