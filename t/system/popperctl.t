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


def calls():
    """Each sub-command names the word that is wrong, and how it is called."""
    found = ()
    for name, needs, one_more in (
            ("bulletin post", None, ("a", "b")),
            ("bulletin list", None, ("b",)),
            ("bulletin retract", "the number or the file of a bulletin",
             ("1", "b")),
            ("bulletin status", "a user", ("a", "b")),
            ("bulletin init", None, ("a", "b")),
            ("import qpopper", "Qpopper's file", ("a", "b")),
            ("index dump", "a user", ("a", "b")),
            ("index check", "a user", ("a", "b")),
            ("index rebuild", "a user", ("a", "b")),
            ("recover", "a user, or --all", ("a", "b")),
            ("undelete", "a user", ("a", "b")),
            ("uidl export", "a user", ("a", "b")),
            ("uidl import", "a user", ("a", "b", "b")),
            ("uidl verify", "a user", ("a", "b", "b"))):
        usage = "usage: popperctl " + name
        call = tuple(name.split())
        if needs is not None:
            found += ((call, ("%s needs %s\n" % (name, needs), usage)),)
        if name.startswith("uidl ") and name != "uidl export":
            found += ((call + ("a",), (name + " needs a file", usage)),)
        found += ((call + one_more, ('"b" is one word too many', usage)),
                  (call + ("--zzzz",),
                   ('"--zzzz" is no option of ' + name, usage)),
                  (call + ("-\033",), ('"-\\x1b" is no option of ', usage)))
    for name in ("index dump", "index check", "index rebuild", "recover",
                 "undelete", "uidl export"):
        call = tuple(name.split())
        found += ((call + ("--wiat",), ('is it "--wait"?', "--wait[=")),
                  (call + ("a", "--wait=soon"),
                   ('"soon" is no time to wait; times are: 90, 90s, 5m',)))
    return found + (
        (("bulletin", "post", "-x"), ('"-x" is no option', "-8, -c, -l, -d")),
        (("bulletin", "post", "-8x"), ('"-x" is no option',)),
        (("bulletin", "post", "-g"), ("-g needs a group", "usage: ")),
        (("bulletin", "post", "-g", "a.b"), ('group "a.b": must be 1 to 64',)),
        (("bulletin", "post", "-n", "a b"), ('name "a b": must be 1 to 64',)),
        (("bulletin", "list", "-d"), ("-d needs a folder", "usage: ")),
        (("import", "qpopper", "f", "--popper-cnf", "x"),
         ('is it "--popper-conf"?', "--modules-conf")),
        (("import", "qpopper", "f", "--popper-conf"),
         ("--popper-conf needs a new file",)),
        (("import", "qpopper", "f", "--modules-conf", "x"),
         ("--modules-conf x: must be an absolute path",)),
        (("undelete", "a", "--since"), ("--since needs a time, as 3h",)),
        (("recover", "--all", "a"), ("a user or --all, not both",)),
        (("recover", "--all", "--wait"), ("--wait is about one user",)),
        (("recover", "--all=x"), ('--all takes nothing: "x"',)),
        (("recover", "--all", "--limit", "0"), ('"0" is no limit; limits',)),
        (("recover", "a", "--limit=x"), ('"x" is no limit; limits are: 90',)))


def wrong():
    for args, words in (
            (("buletin", "list"), ('"buletin" is no command; is it '
                                   '"bulletin"?', "There are: ")),
            (("bulletin", "lisst"), ('"lisst" is no sub-command of bulletin; '
                                    'is it "list"?', "There are: ")),
            (("bulletin", "zzzzzz"), ("zzzzzz", "there are: ")),
            (("bulletin",), ("bulletin needs a sub-command", "list")),
            (("bulletin", "list", "-x", "y"),
             ('"-x" is no option of bulletin list; is it "-d"?',
              "usage: popperctl bulletin list [-d DIRECTORY]",)),
            (("--frog",), ('"--frog" is no option', "-f, --config")),
            (("--confg", "x"), ('is it "--config"?',)),
            (("-f",), ("-f needs",)),
            (("--config",), ("--config needs",)),
            (("bulletin\n\033[2J",), ("\\x0a\\x1b[2J",))) + calls():
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
    tap.equal(run("--config=" + conf, "bulletin", "list")[1], out,
              "--config=FILE")
    status, _, err = run("-f", FOLDER + "/none", "recover", "alice")
    tap.equal((status, err), (1, "popperctl: %s/none: No such file or "
                              "directory\n" % FOLDER),
              "a file that is given and not there is told")
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
