#!/usr/bin/python3
"""doc/qpopper-parity.md: each row is whole, each test it names is there, and
nothing is left out that the old manuals and programs are known to have had."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import popper  # noqa: E402
import tap  # noqa: E402

PAGE = "doc/qpopper-parity.md"
SOURCES = {"ucb", "next", "tru64", "sco", "q4"}
HERE_IS = ("same", "better", "accepted, does nothing: ")

# What is known of the popper line, whatever the page says.  In sections of it.
KNOWN = {
    "Command line": """
        -a -b -B -c -C -d -D -e -f -F -k -K -l -L -M -p -R -s -S -t -T -u -U
        -v --v... -V -x -y -Z [ADDR][:PORT]""",
    "Switches of configure": """
        --enable-bulletins --enable-bulldb --with-new-bulls
        --enable-group-bulls --enable-popbulldir --enable-auto-delete
        --disable-update-abort --enable-servermode
        --enable-server-mode-group-include --enable-server-mode-group-exclude
        --enable-fast-update --enable-apop --with-popuid --enable-popuid
        --with-apopuid -DAPOP_ONLY -DSCRAM_ONLY --enable-scram --with-pam
        --enable-specialauth --enable-nonauth-file --enable-auth-file
        --enable-hash-spool --enable-home-dir-mail --enable-spool-dir
        --enable-temp-drop-dir --enable-cache-dir --enable-keep-temp-drop
        --disable-old-spool-loc --disable-check-hash-dir
        --disable-check-pw-max --disable-status --enable-uw-kludge
        --enable-uw-kludge-flag --enable-old-style-uid --enable-log-login
        --enable-log-facility --enable-debugging --enable-shy
        --enable-standalone --enable-timing --enable-chunky-writes
        --disable-reverse-lookup --enable-poppassd --with-openssl
        --with-sslplus --with-gdbm --without-gdbm --with-drac
        --enable-kerberos --with-kerberos5 --with-sendmail --enable-ipv6
        --enable-mysql --with-mysqlconfig --enable-32-bit --enable-64-bit
        -DDEBUG""",
    "Options of the configuration file": """
        announce-expire announce-login-delay auth-file auto-delete
        bulldb-max-tries bulldb-nonfatal bulldir cache-dir cache-name
        check-hash-dir check-old-spool-loc check-password-expired
        chunky-writes clear-text-password config-file debug downcase-user
        drac-host fast-update group-bulletins group-server-mode
        group-no-server-mode hash-spool home-dir-mail keep-temp-drop kerberos
        kerberos-service log-facility log-login mail-command mail-lock-check
        max-bulletins no-atomic-open nonauth-file old-style-uid
        reverse-lookup server-mode shy spool-dir spool-options user-options
        statistics temp-dir temp-name timeout timing tls-cipher-list
        tls-identity-file tls-passphrase tls-options tls-private-key-file
        tls-server-cert-file tls-support tls-version tls-workarounds
        tracefile trim-domain update-on-abort update-status-headers UW-kluge
        UW-kludge""",
    "Logging in": "popauth -init -safe -list -user -delete -help -version "
                  "-debug -trace",
    "Commands": """
        USER PASS APOP AUTH RPOP STLS CAPA QUIT STAT LIST RETR DELE NOOP RSET
        LAST TOP UIDL EUIDL XTND XMIT XLST XLIST MDEF MANGLE X-MANGLE XMANGLE
        text= charset= headers= lang= wrap= -no-mime""",
    "Replies": "[AUTH] [IN-USE] [SYS/TEMP] [SYS/PERM] [LOGIN-DELAY]",
    "CAPA": """
        TOP USER UIDL SASL LOGIN-DELAY EXPIRE RESP-CODES AUTH-RESP-CODE
        X-MANGLE X-MACRO X-LOCALTIME STLS IMPLEMENTATION PIPELINING""",
    "Log lines": """
        Stats: login Failed -ERR Servicing Ending Timeout Timing Unable
        resolves listed I/O Excessive apop transmit""",
    "Traps": " ".join(str(number) for number in range(1, 14)),
}


def read(name):
    with open(os.path.join(popper.SRC, name), encoding="utf-8") as file:
        return file.read()


def rows():
    """(line number, section, cells) of each row."""
    section = None
    for number, line in enumerate(read(PAGE).splitlines(), 1):
        if line.startswith("## "):
            section = line[3:]
        if line.startswith("| ") and not line.startswith(("| what |", "| ---")):
            yield number, section, [
                cell.strip() for cell in line.strip().strip("|").split("|")]


def whole(text):
    """A test's text, literals that the compiler would join joined."""
    return re.sub(r'"\s*\n?\s*[fr]?"', "", text)


def references(cell):
    """(file, case or None) of each test that a cell names; None: no such."""
    found = []
    for part in re.split(r";\s+(?=`)", cell):
        match = re.fullmatch(r'`([^`]+)`(?: "(.+)")?', part)
        if not match:
            return None
        found.append(match.groups())
    return found


def wrong_test(name, case):
    """What is wrong with one of them, or None."""
    path = name if name.startswith("t/") else "t/dialog/" + name
    if not os.path.isfile(os.path.join(popper.SRC, path)):
        return "no file " + path
    if path.startswith("t/dialog/"):
        return None if case is None else path + " is a case by itself"
    if case is None:
        return "which case of %s?" % path
    text = read(path)
    if path.endswith(".c"):
        # Its definition, and a use of it in a table.
        return None if len(re.findall(r"\b%s\b" % case, text)) > 1 else (
            "%s has no test %s" % (path, case))
    return None if case in whole(text) else "%s has no %r" % (path, case)


def wrong(cells):
    """What is wrong with a row."""
    if len(cells) != 5 or not all(cells):
        return "has an empty cell"
    what, _, sources, here, tests = cells
    if set(sources.split()) - SOURCES:
        return "of what manual?"
    if "missing" in (here, tests):
        return "is missing"
    if not here.startswith(HERE_IS) or here in ("better", "better:"):
        return "neither same, better nor accepted"
    found = references(tests)
    if not found:
        return "no test in " + tests
    return "; ".join(filter(None, (wrong_test(*one) for one in found)))


def words(cells):
    """The names in a row's first cell."""
    return set(re.split(r"[\s`=,()]+", cells[0].replace("=`", "==`"))) | set(
        re.findall(r"[\w-]+=(?=`)", cells[0]))


def build_lists():
    """Files of tests that make check runs, as the build's lists have them."""
    return "".join(read(name) for name in (
        "t/Makefile.inc", "t/unit/Makefile.inc", "t/module/Makefile.inc"))


ROWS = list(rows())
tap.ok(len(ROWS) > 400, "%s has %d rows" % (PAGE, len(ROWS)))
tap.equal(["line %d: %s: %s" % (number, cells[0], wrong(cells))
           for number, _, cells in ROWS if wrong(cells)], [],
          "each row is whole, and its tests exist")
tap.equal(sorted({cells[0] for _, section, cells in ROWS if
                  [row[1:] for row in ROWS if row[1] == section and
                   row[2][0] == cells[0]][1:]}), [],
          "no row is there twice in its section")
for SECTION, NAMES in KNOWN.items():
    HAVE = set().union(*(words(cells) for _, section, cells in ROWS
                         if section == SECTION))
    tap.equal([name for name in NAMES.split() if name not in HAVE], [],
              "%s: nothing known is left out" % SECTION)
LISTS = build_lists()
NAMED = {name for _, _, cells in ROWS
         for name, _ in references(cells[-1]) or () if name.startswith("t/")}
tap.equal(sorted(name for name in NAMED if re.sub(
    r"\.c$", "", os.path.basename(name)) not in LISTS), [],
    "make check runs each test that is named")
tap.done()
