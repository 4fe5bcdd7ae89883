"""tap.py - what a test says: the Test Anything Protocol.

One object, module-wide: a test file makes checks and calls done() at its end.
A check that fails prints what was expected and what came.
"""

import os
import sys
import traceback

_count = 0
_failed = 0


def _line(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def diag(text):
    """Comment lines, for whoever reads the log of a failure."""
    for line in str(text).splitlines() or [""]:
        _line("# " + line.encode("ascii", "backslashreplace").decode())


def ok(condition, name):
    global _count, _failed
    _count += 1
    name = name.replace("#", "\\#").encode("ascii", "replace").decode()
    _line("%s %d - %s" % ("ok" if condition else "not ok", _count, name))
    if not condition:
        _failed += 1
    return bool(condition)


def _short(value):
    text = repr(value)
    return text if len(text) < 600 else text[:400] + " ... " + text[-150:]


def equal(got, want, name):
    if ok(got == want, name):
        return True
    diag("got:  " + _short(got))
    diag("want: " + _short(want))
    return False


def match(text, pattern, name):
    import re
    if ok(re.search(pattern, text) is not None, name):
        return True
    diag("got:     " + _short(text))
    diag("pattern: " + pattern)
    return False


def skip(name, why):
    global _count
    _count += 1
    _line("ok %d - %s # SKIP %s" % (_count, name, why))


def skip_all(why):
    _line("1..0 # SKIP " + why)
    sys.exit(0)


def run(function, name=None):
    """Call function; an exception in it is one failed check."""
    name = name or (function.__doc__ or function.__name__).splitlines()[0]
    try:
        function()
    except Exception:  # the next part of the file shall run as well
        ok(False, name)
        diag(traceback.format_exc())


def done():
    _line("1..%d" % _count)
    # Automake's driver would count the status as one failure more.
    sys.exit(1 if _failed and not os.environ.get("POPPER_TAP_DRIVER") else 0)


def need_root():
    if os.geteuid() != 0:
        skip_all("needs root")
