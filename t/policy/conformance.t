#!/usr/bin/python3
"""doc/conformance.md: each test it names exists and says what it proves."""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

IDENTIFIER = re.compile(r"\b(R-[A-Z0-9]+-[0-9]{2}|T-[0-9]{2})\b")


def rows():
    path = os.path.join(popper.SRC, "doc/conformance.md")
    with open(path, encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 4 and IDENTIFIER.fullmatch(cells[0]):
                yield cells


def dialogs():
    """{dialog: set of what its header says it proves}"""
    found = {}
    for path in glob.glob(os.path.join(popper.SRC, "t/dialog/*/*.pop3")):
        with open(path, encoding="latin-1") as file:
            text = file.read()
        name = os.path.relpath(path, os.path.join(popper.SRC, "t/dialog"))
        found[name] = set(IDENTIFIER.findall(" ".join(
            re.findall(r"^# proves: (.*)$", text, re.MULTILINE))))
    return found


TABLE = list(rows())
DIALOGS = dialogs()
identifiers = [row[0] for row in TABLE]
tap.ok(len(identifiers) > 250, "the table is there")
tap.equal(sorted(set(x for x in identifiers if identifiers.count(x) > 1)), [],
          "each requirement stands in it once")
missing, silent, empty = [], [], []
for identifier, _, status, tests in TABLE:
    names = re.findall(r"`([^`]+)`", tests)
    for name in names:
        if name.endswith(".pop3"):
            if name not in DIALOGS:
                missing.append("%s: %s" % (identifier, name))
            elif identifier not in DIALOGS[name]:
                silent.append("%s: %s" % (identifier, name))
        elif not os.path.exists(os.path.join(popper.SRC, name)):
            missing.append("%s: %s" % (identifier, name))
    if status == "done" and not names:
        empty.append(identifier)
tap.equal(missing, [], "each test it names exists")
tap.equal(silent, [], "each dialog it names says so itself")
tap.equal(empty, [], "what is done has a test")
known = set(identifiers)
tap.equal(sorted(x for proved in DIALOGS.values() for x in proved
                 if x not in known), [],
          "each requirement that a dialog proves is in the table")
named = set(re.findall(r"`([^`]+\.pop3)`", " ".join(row[3] for row in TABLE)))
tap.equal(sorted(set(DIALOGS) - named), [], "each dialog is named in the table")
tap.done()
