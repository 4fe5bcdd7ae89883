"""popperctl.py - run popperctl beside a server, as who has started that."""

import os
import subprocess

import popper


def run(server, *args, stdout=subprocess.PIPE, text=""):
    """Returns (status, standard output, standard error)."""
    more = {}
    if server.drop_to:
        more = dict(user=server.uid, group=server.gid, extra_groups=[])
    done = subprocess.run(
        [os.path.join(server.build, "src/popperctl"), "-f",
         server.path("popper.conf")] + list(args),
        env=server.environment(), cwd="/", stdout=stdout,
        input=text.encode("latin-1"), stderr=subprocess.PIPE,
        timeout=popper.PATIENCE, **more)
    return (done.returncode, (done.stdout or b"").decode("latin-1"),
            done.stderr.decode("latin-1"))
