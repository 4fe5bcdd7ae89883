#!/usr/bin/python3
"""popperctl: how it is called, and what it says when called wrongly."""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

popper.need_server()
POPPERCTL = os.path.join(popper.BUILD, "src/popperctl")
FOLDER = tempfile.mkdtemp(prefix="popper-test.")
ENV = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}


def run(*args, stdout=subprocess.PIPE):
    """Returns (status, standard output, standard error)."""
    done = subprocess.run([POPPERCTL] + list(args), env=ENV, stdout=stdout,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=popper.PATIENCE)
    return (done.returncode, (done.stdout or b"").decode(),
            done.stderr.decode())


def write(name, text):
    path = os.path.join(FOLDER, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return path


def use():
    status, out, _ = run("--help")
    tap.ok(status == 0 and "bulletin list" in out and "--config" in out,
           "--help shows the sub-commands")
    tap.equal(run()[0::2][0], 2, "without arguments it is wrong use")
    status, out, _ = run("--version")
    tap.ok(status == 0 and out.startswith("popperctl "), "--version")
    status, out, _ = run("bulletin", "list", "--help")
    tap.ok(status == 0 and "[-d DIRECTORY]" in out,
           "a sub-command tells how it is called")
    with open("/dev/full", "wb") as full:
        status, _, err = run("--help", stdout=full)
    tap.ok(status == 1 and "standard output" in err,
           "output that is lost is a failure")


def wrong():
    for args, words in (
            (("buletin", "list"), ('"buletin" is no command; is it '
                                   '"bulletin"?', "There are: ")),
            (("bulletin", "lisst"), ('"lisst" is no sub-command of bulletin; '
                                    'is it "list"?', "There are: ")),
            (("bulletin", "zzzzzz"), ("zzzzzz", "there are: ")),
            (("bulletin",), ("bulletin needs a sub-command", "list")),
            (("bulletin", "list", "-x", "y"),
             ("usage: popperctl bulletin list [-d DIRECTORY]",)),
            (("--frog",), ('"--frog" is no option', "-f FILE")),
            (("-f",), ("-f needs",)),
            (("bulletin\n\033[2J",), ("\\x0a\\x1b[2J",))):
        status, _, err = run(*args)
        tap.ok(status == 2 and all(word in err for word in words),
               "%r: %s" % (args, err.replace("\n", " ").strip()[:60]))


def configuration():
    folder = os.path.join(FOLDER, "bulletins")
    os.mkdir(folder)
    with open(os.path.join(folder, "7.seven"), "w", encoding="utf-8") as file:
        file.write("From a b\nSubject: the\n sun\nDate: today\n\nHi.\n")
    modules = write("modules.conf",
                    "drop mbox { }\next bulletins { directory = \"%s\" "
                    "whatever = 1 }\n" % folder)
    conf = write("popper.conf", 'modules = "%s"\n' % modules)
    status, out, err = run("-f", conf, "bulletin", "list")
    tap.equal((status, out.split(), err),
              (0, ["7", "today", "44", "7.seven", "the", "sun"], ""),
              "the folder comes from modules.conf")
    tap.equal(run("-f", FOLDER + "/none", "bulletin", "list", "-d",
                  folder)[1], out, "or from -d, with no configuration")
    status, _, err = run("-f", conf, "bulletin", "post", "-g", "root")
    tap.ok(status == 1 and "group-bulletins" in err and
           os.listdir(folder) == ["7.seven"],
           "none for a group that would go to all")
    os.symlink("7.seven", folder + "/8")
    status, out, err = run("bulletin", "list", "-d", folder)
    tap.ok(status == 1 and out.count("\n") == 1 and
           "8: Too many levels" in err, "a link is told")
    bad = write("bad.conf", "timeout 10\n")
    status, _, err = run("-f", bad, "bulletin", "list")
    tap.ok(status == 1 and "bad.conf:1" in err, "a wrong configuration is told")


def not_written_through():
    """Who else may write to the folder cannot choose what post writes over."""
    folder = os.path.join(FOLDER, "shared")
    os.mkdir(folder)
    message = write("message", "From: a <a@example.org>\nSubject: s\n"
                    "Date: Sun, 22 Nov 2026 09:00:00 +0000\n"
                    "Message-ID: <1@example.org>\n\nHi.\n")
    for name, words in ((".new", ("post", "-d", folder, message)),
                        (".last.new", ("retract", "-d", folder, "1"))):
        other = write("other" + name, "other")
        os.link(other, os.path.join(folder, name))
        status, _, err = run("bulletin", *words)
        with open(other, encoding="utf-8") as file:
            tap.equal((status, err, file.read()), (0, "", "other"),
                      words[0] + " writes to a file of its own")


try:
    use()
    wrong()
    configuration()
    not_written_through()
finally:
    shutil.rmtree(FOLDER)
tap.done()
