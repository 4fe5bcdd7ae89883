"""mta.py - delivery into an mbox, and its rewriting, with the locks of a Debian
mail program: fcntl, flock, then the dot lock.

A dot lock that is made here by link has octets in it; popper's are empty.  So a
test that has killed a session can tell whose lock is left.
"""

import fcntl
import os
import select
import time

import mail
import popper


class Mbox:
    """Open and locked, whoever is in our way."""

    def __init__(self, path, by_link=False):
        self.path, self.lock = path, path + ".lock"
        while True:
            self.file = open(path, "r+b", buffering=0)
            fcntl.lockf(self.file, fcntl.LOCK_EX)
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self._dot(by_link)
            if os.path.samestat(os.fstat(self.file.fileno()), os.stat(path)):
                return
            self.close()  # another program put a new file there

    def _dot(self, by_link):
        own = "%s.%d" % (self.lock, os.getpid())
        until = time.monotonic() + popper.PATIENCE
        while True:
            target = own if by_link else self.lock
            try:
                fd = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
                os.write(fd, b"%d\n" % os.getpid())
                os.close(fd)
                if by_link:
                    os.link(own, self.lock)
                return
            except FileExistsError:
                if time.monotonic() > until:
                    raise
            finally:
                if by_link:
                    os.unlink(own)
            select.select([], [], [], 0.002)  # nothing tells us

    def close(self):
        os.unlink(self.lock)
        self.file.close()

    def write(self, data, piece=1 << 30):
        while data:
            done = self.file.write(data[:piece])
            data = data[done:]


def append(path, messages, by_link=False):
    """Deliver; it is on the disk when this returns."""
    box = Mbox(path, by_link)
    box.file.seek(0, os.SEEK_END)
    box.write(mail.mbox_octets(messages))
    os.fsync(box.file.fileno())
    box.close()


def bury(path):
    """Take the dot lock of a dead session away; was there one?"""
    lock = path + ".lock"
    try:
        if os.stat(lock).st_size == 0:
            os.unlink(lock)
            return True
    except FileNotFoundError:
        pass
    return False
