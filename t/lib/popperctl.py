"""popperctl.py - run popperctl beside a server, as who has started that."""

import os
import subprocess

import popper


def _how(server):
    more = {}
    if server.drop_to:
        more = dict(user=server.uid, group=server.gid, extra_groups=[])
    return dict(env=server.environment(), cwd="/", stderr=subprocess.PIPE,
                **more)


def _words(server, args):
    return [os.path.join(server.build, "src/popperctl"), "-f",
            server.path("popper.conf")] + list(args)


def start(server, *args, **more):
    """A process that reads nothing; its output is text."""
    how = dict(_how(server), stdout=subprocess.PIPE)
    how.update(more)
    return subprocess.Popen(_words(server, args), stdin=subprocess.DEVNULL,
                            encoding="latin-1", **how)


def run(server, *args, stdout=subprocess.PIPE, text=""):
    """Returns (status, standard output, standard error)."""
    done = subprocess.run(
        _words(server, args), stdout=stdout, input=text.encode("latin-1"),
        timeout=popper.PATIENCE, **_how(server))
    return (done.returncode, (done.stdout or b"").decode("latin-1"),
            done.stderr.decode("latin-1"))
