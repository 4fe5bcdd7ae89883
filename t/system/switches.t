#!/usr/bin/python3
"""The switches of Qpopper's configure: each is taken, and sets the default of
the option with its meaning, or says why it does nothing."""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

# Switch, and the line of Qpopper's file that it stands for.
SETS = [
    ("--enable-bulletins=/b", "set bulldir = '/b'"),
    ("--enable-bulldb=/d", "set bulldb = '/d'"),
    ("--enable-popbulldir=/p", "set popbulldir = '/p'"),
    ("--with-new-bulls=10", "set max-bulletins = '10'"),
    ("--enable-group-bulls", "set group-bulletins"),
    ("--enable-auto-delete", "set auto-delete"),
    ("--disable-update-abort", "reset update-on-abort"),
    ("--enable-servermode", "set server-mode"),
    ("--enable-server-mode-group-include=in", "set group-server-mode = 'in'"),
    ("--enable-server-mode-group-exclude=ex",
     "set group-no-server-mode = 'ex'"),
    ("--enable-fast-update", "set fast-update"),
    ("--enable-apop=/etc/pop.auth", "set apop-file = '/etc/pop.auth'"),
    ("--with-popuid=pop", "set apop-owner = 'pop'"),
    ("--enable-popuid=pop1", "set apop-owner = 'pop1'"),
    ("--with-apopuid=pop2", "set apop-owner = 'pop2'"),
    ("--with-pam=pop3", "set pam-service = 'pop3'"),
    ("--enable-nonauth-file=/n", "set nonauth-file = '/n'"),
    ("--enable-auth-file=/a", "set auth-file = '/a'"),
    ("--enable-hash-spool=2", "set hash-spool = '2'"),
    ("--enable-home-dir-mail=mbox", "set home-dir-mail = 'mbox'"),
    ("--enable-spool-dir=/s", "set spool-dir = '/s'"),
    ("--enable-temp-drop-dir=/t", "set temp-dir = '/t'"),
    ("--enable-cache-dir=/c", "set cache-dir = '/c'"),
    ("--enable-keep-temp-drop", "set keep-temp-drop"),
    ("--disable-old-spool-loc", "reset check-old-spool-loc"),
    ("--disable-check-hash-dir", "reset check-hash-dir"),
    ("--disable-check-pw-max", "reset check-password-expired"),
    ("--disable-status", "reset update-status-headers"),
    ("--enable-uw-kludge", "set UW-kludge"),
    ("--enable-uw-kludge-flag", "set UW-kludge"),
    ("--enable-old-style-uid", "set old-style-uid"),
    ("--enable-log-login", "set log-login = '(v%0) POP login by user "
     "\"%1\" at (%2) %3'"),
    ("--enable-log-facility=LOG_LOCAL1", "set log-facility = 'local1'"),
    ("--enable-shy", "set shy"),
    ("--enable-timing", "set timing"),
    ("--disable-reverse-lookup", "reset reverse-lookup"),
    ("--with-sendmail=/m", "set mail-command = '/m'"),
]
IDLE = ["--enable-scram=/x", "--enable-specialauth", "--enable-debugging",
        "--enable-standalone", "--enable-chunky-writes=1",
        "--enable-poppassd", "--with-openssl", "--with-sslplus",
        "--with-drac", "--enable-kerberos", "--with-kerberos5",
        "--enable-ipv6", "--enable-mysql", "--with-mysqlconfig=/y",
        "--enable-32-bit", "--enable-64-bit"]


def configure(folder, *words):
    """Run it; returns (status, what it said)."""
    done = subprocess.run(
        [os.path.join(popper.SRC, "configure"), "-C", "--with-gdbm=/usr",
         "CPPFLAGS=-DAPOP_ONLY -DSCRAM_ONLY"] + list(words), cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=600)
    return done.returncode, done.stdout


def main():
    with tempfile.TemporaryDirectory(prefix="popper-test.") as folder:
        status, said = configure(
            folder, *[switch for switch, _ in SETS], *IDLE)
        if not tap.equal(status, 0, "configure takes them all"):
            tap.diag(said[-2000:])
            return
        tap.equal(re.findall(r"(?i)unrecognized.*", said), [],
                  "and knows each of them")
        with open(os.path.join(folder, "config.h")) as file:
            built = re.search(r"^#define QPOPPER_BUILT (.*)$", file.read(),
                              re.MULTILINE)[1]
        lines = "".join(eval(piece) for piece in re.findall(
            r'"(?:[^"\\]|\\.)*"', built)).splitlines()
        for switch, line in SETS:
            tap.ok(line in lines, switch.partition("=")[0] + " sets a default")
        for switch in IDLE:
            name = switch.partition("=")[0]
            tap.match(said, re.escape(name) + " does nothing: .",
                      name + " does nothing, and says why")
        for wrong in ("--enable-bulletins", "--with-new-bulls=a'b"):
            status, said = configure(folder, wrong)
            tap.ok(status != 0 and wrong.partition("=")[0] in said,
                   "%s is refused" % wrong)


if os.access(os.path.join(popper.SRC, "configure"), os.X_OK):
    tap.run(main)
else:
    tap.skip("switches", "there is no configure here")
tap.done()
