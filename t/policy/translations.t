#!/usr/bin/python3
"""Every reply is in po/popper.pot and translated in every language."""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

PO = os.path.join(popper.SRC, "po")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rules():
    """The keywords that po/Makefile.inc gives to xgettext."""
    return re.findall(r"--(?:keyword|flag)=\S*",
                      read(os.path.join(PO, "Makefile.inc")))


def files():
    folders = ("auth", "login", "proto", "session")
    return sorted(path for folder in folders for path in
                  glob.glob(os.path.join(popper.SRC, "src", folder, "*.c")))


def texts(po):
    """{original: (translation, flags)} of a .po file; its head is not one."""
    found = {}
    for entry in po.split("\n\n"):
        if re.search(r"^#~", entry, re.M):
            continue
        flags = "".join(re.findall(r"^#,(.*)$", entry, re.M))
        parts = re.search(r'^msgid (.*?)^msgstr (.*)', entry, re.M | re.S)
        if not parts:
            continue
        original, translation = (
            "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part))
            for part in parts.groups())
        if original:
            found[original] = translation, flags
    return found


def extracted():
    result = subprocess.run(
        ["xgettext", "--language=C", "--from-code=UTF-8", "--omit-header",
         "--no-wrap", "--output=-"] + rules() + files(),
        stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return set(texts(result.stdout))


def collected():
    pot = texts(read(os.path.join(PO, "popper.pot")))
    now = extracted()
    tap.ok(len(now) > 40, "the replies are found")
    tap.equal(sorted(now - set(pot)), [],
              "none is missing in popper.pot (make update-po)")
    tap.equal(sorted(set(pot) - now), [], "none is there for nothing")
    tap.equal([text for text in pot if not text.isascii()], [],
              "the originals are ASCII")


def languages():
    pot = set(texts(read(os.path.join(PO, "popper.pot"))))
    built = re.search(r"^PO_LANGUAGES = (.*)$",
                      read(os.path.join(PO, "Makefile.inc")), re.M)[1].split()
    there = sorted(os.path.basename(path)[:-3]
                   for path in glob.glob(os.path.join(PO, "*.po")))
    tap.equal(sorted(built), there, "every translation is built")
    for tag in there:
        path = os.path.join(PO, tag + ".po")
        po = texts(read(path))
        tap.equal(sorted(pot - set(po)), [], tag + " has every reply")
        tap.equal(sorted(set(po) - pot), [], tag + " has no others")
        tap.equal([text for text, (translation, flags) in po.items()
                   if not translation or "fuzzy" in flags], [],
                  tag + " translates each, and none is a guess")
        result = subprocess.run(
            ["msgfmt", "-c", "-o", os.devnull, path], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        tap.equal((result.returncode, result.stdout), (0, ""),
                  "msgfmt has nothing to say about " + tag)


def reply_texts():
    """Replies are literals, or xgettext would not see them."""
    odd = []
    for path in files():
        code = re.sub(r"\s+", " ", read(path))
        name = os.path.basename(path)
        if name == "reply.c":
            continue
        for call in re.findall(
                r"\breply_ok\( ?[^,]*, (?!\")[^;]*;"
                r"|\breply_tagged\( ?[^,]*, [^,]*, (?!\")[^;]*;", code):
            odd.append("%s: %s" % (name, call))
        for call in re.findall(r"\breply_refuse\(([^;]*);", code):
            if '"' not in call:
                odd.append("%s: reply_refuse(%s" % (name, call))
        for text in re.findall(r"\breply, sizeof\([^)]*\), (\"[^\"]*\")",
                               code):
            odd.append("%s: %s without N_()" % (name, text))
    tap.equal(odd, [], "every reply's text is written where it is said")


if not shutil.which("xgettext") or not shutil.which("msgfmt"):
    tap.skip_all("needs gettext")
collected()
languages()
reply_texts()
tap.done()
