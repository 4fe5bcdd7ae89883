"""inject.py - let a system call of a running server fail, or be its last.

    with inject.Fault(pid, 3, errno.EIO) as fault:   # the third from now on
        answer = client.cmd("RETR 1")
    fault.seen, fault.done, fault.number

Without an error (None) the process is killed before the call is made.  With
child=True it is the next child of that process which it happens to.  A
process of our own traces it; needs root.

    with inject.Calls(pid) as calls:   # or count them
        client.multi()
    calls.made[inject.SENDTO]
"""

import ctypes
import errno
import mmap
import os
import select
import signal
import struct

import intrude

SEIZE, INTERRUPT, GETMESSAGE, INFO = 0x4206, 0x4207, 0x4201, 0x420e
CONT, SYSCALL, DETACH = 7, 24, 17
SYSGOOD, FORK, VFORK, CLONE = 1, 2, 4, 8
EVENT_STOP = 128
# Waiting; restarting that; the end; and what libc takes no error from.
WRITE, WRITEV, SENDTO, SENDMSG = 1, 20, 44, 46
PASSED_BY = {7, 219, 231, 60, 12, 15, 11}
usable = intrude.usable


class Fault:
    def __init__(self, pid, at, error, child=False):
        self.pid, self.at, self.error, self.child = pid, at, error, child
        self.shared = mmap.mmap(-1, 4096)

    def __enter__(self):
        ready, tell = os.pipe()
        self.tracer = os.fork()
        if self.tracer == 0:
            try:
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, signal.SIG_DFL)
                os.close(ready)
                self._trace(tell)
            finally:
                os._exit(0)
        os.close(tell)
        select.select([ready], [], [])
        os.close(ready)
        return self

    def __exit__(self, *how):
        os.kill(self.tracer, signal.SIGKILL)  # whom it traces goes on
        os.waitpid(self.tracer, 0)
        self.seen, self.number, self.done = struct.unpack(
            "qqq", self.shared[:24])
        self.shared.close()

    def _trace(self, tell):
        self.victim = None if self.child else self.pid
        self.seen, self.number, self.done, self.failing = 0, -1, 0, False
        intrude._ptrace(SEIZE, self.pid, 0, SYSGOOD | (
            FORK | VFORK | CLONE if self.child else 0))
        intrude._ptrace(INTERRUPT, self.pid)
        os.waitpid(self.pid, intrude.WALL)
        self._resume(self.pid)
        os.close(tell)
        while True:
            pid, status = os.waitpid(-1, intrude.WALL)
            if not os.WIFSTOPPED(status):
                if pid == self.victim:
                    return
                continue
            try:
                self._stopped(pid, os.WSTOPSIG(status), status >> 16)
            except OSError as error:
                if error.errno != errno.ESRCH:
                    raise

    def _resume(self, pid, number=0):
        intrude._ptrace(SYSCALL if pid == self.victim else CONT, pid, 0,
                        number)

    def _stopped(self, pid, number, event):
        if self.victim is None and pid != self.pid:
            self.victim = pid  # its first stop may come first
        if event in (1, 2, 3) and self.victim is None:
            message = ctypes.c_ulong()
            intrude._ptrace(GETMESSAGE, pid, 0, ctypes.addressof(message))
            self.victim = message.value
        elif number == signal.SIGTRAP | 0x80 and pid == self.victim:
            self._at_call(pid)
        elif event == 0:
            self._resume(pid, number)
            return
        self._resume(pid)

    def _at_call(self, pid):
        info = ctypes.create_string_buffer(88)
        intrude._ptrace(INFO, pid, len(info), ctypes.addressof(info))
        call = struct.unpack_from("Q", info, 24)[0]
        if info.raw[0] == 1 and call not in PASSED_BY:
            self.seen += 1
            if self.seen == self.at and self.error is None:
                os.kill(pid, signal.SIGKILL)
                self.number, self.done = call, 1
            elif self.seen == self.at:
                self._change(pid, "orig_rax", -1)
                self.failing, self.number, self.done = True, call, 1
            self.shared[:24] = struct.pack(
                "qqq", self.seen, self.number, self.done)
        elif info.raw[0] == 2 and self.failing:
            self._change(pid, "rax", -self.error)
            self.failing = False

    @staticmethod
    def _change(pid, name, value):
        registers = intrude.Registers()
        intrude._ptrace(intrude.GETREGS, pid, 0, ctypes.addressof(registers))
        setattr(registers, name, value & (1 << 64) - 1)
        intrude._ptrace(intrude.SETREGS, pid, 0, ctypes.addressof(registers))


class Calls(Fault):
    """Counts system calls, and lets them be."""

    def __init__(self, pid):
        super().__init__(pid, 0, None)

    def __exit__(self, *how):
        os.kill(self.tracer, signal.SIGKILL)
        os.waitpid(self.tracer, 0)
        self.made = struct.unpack("512q", self.shared[:4096])
        self.shared.close()

    def _at_call(self, pid):
        info = ctypes.create_string_buffer(88)
        intrude._ptrace(INFO, pid, len(info), ctypes.addressof(info))
        call = struct.unpack_from("Q", info, 24)[0]
        if info.raw[0] == 1 and call < 512:
            made = struct.unpack_from("q", self.shared, 8 * call)[0]
            struct.pack_into("q", self.shared, 8 * call, made + 1)
