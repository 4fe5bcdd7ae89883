"""intrude.py - be the attacker who has taken over a process.

Intruder(pid) stops a running process as root and makes it do system calls, with
its own rights and in its own sandbox, as code of an attacker in it could.
"""

import ctypes
import errno
import os
import platform
import signal

MACHINE = platform.machine()
CALLS = {"read": 0, "open": 2, "socket": 41, "connect": 42, "fork": 57,
         "execve": 59, "kill": 62, "chmod": 90, "chown": 92, "setuid": 105, "setgid": 106,
         "setgroups": 116, "setresuid": 117, "ptrace": 101, "chroot": 161,
         "mount": 165, "getuid": 102, "openat": 257, "unshare": 272,
         "process_vm_readv": 310, "io_uring_setup": 425, "bpf": 321,
         "pidfd_getfd": 438, "pidfd_open": 434, "setxattr": 188,
         "fchownat": 260, "fchmodat": 268, "fchmodat2": 452}
GETREGS, SETREGS, ATTACH, DETACH, CONT, PEEK, POKE = 12, 13, 16, 17, 7, 2, 5
WALL = 0x40000000
KILLED = "killed"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                         ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulong) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax "
        "rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()]


def usable():
    """Root on a machine whose registers we know."""
    return os.geteuid() == 0 and MACHINE == "x86_64"


def _ptrace(request, pid, address=0, data=0):
    result = _libc.ptrace(request, pid, address, data)
    if result == -1 and request not in (PEEK,):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Intruder:
    def __init__(self, pid):
        self.pid = pid
        _ptrace(ATTACH, pid)
        os.waitpid(pid, WALL)
        self.saved = Registers()
        _ptrace(GETREGS, pid, 0, ctypes.addressof(self.saved))
        self.code = _ptrace(PEEK, pid, self.saved.rip)
        # syscall; int3
        _ptrace(POKE, pid, self.saved.rip, 0xcc050f)
        self.alive = True

    def text(self, words):
        """Put octets below the stack; their address."""
        data = words.encode() if isinstance(words, str) else words
        data += b"\0" * (16 - len(data) % 8)
        at = (self.saved.rsp - 8192) & ~15
        for i in range(0, len(data), 8):
            _ptrace(POKE, self.pid, at + i,
                    int.from_bytes(data[i:i + 8], "little"))
        return at

    def call(self, name, *arguments):
        """Do it in there: what it returned, an errno's name, or KILLED."""
        regs = Registers()
        ctypes.memmove(ctypes.byref(regs), ctypes.byref(self.saved),
                       ctypes.sizeof(regs))
        regs.rax, regs.orig_rax = CALLS[name], ctypes.c_ulong(-1).value
        for register, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"),
                                   arguments):
            if isinstance(value, (str, bytes)):
                value = self.text(value)
            setattr(regs, register, ctypes.c_ulong(value).value)
        _ptrace(SETREGS, self.pid, 0, ctypes.addressof(regs))
        _ptrace(CONT, self.pid)
        _, status = os.waitpid(self.pid, WALL)
        while os.WIFSTOPPED(status) and \
                os.WSTOPSIG(status) not in (signal.SIGTRAP, signal.SIGSYS):
            _ptrace(CONT, self.pid)
            _, status = os.waitpid(self.pid, WALL)
        if os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGSYS:
            _ptrace(CONT, self.pid, 0, signal.SIGSYS)
            _, status = os.waitpid(self.pid, WALL)
        if not os.WIFSTOPPED(status):
            self.alive = False
            return KILLED
        _ptrace(GETREGS, self.pid, 0, ctypes.addressof(regs))
        result = ctypes.c_long(regs.rax).value
        if -4096 < result < 0:
            return errno.errorcode.get(-result, str(-result))
        return result

    def leave(self):
        """As if nothing had been."""
        if not self.alive:
            return
        _ptrace(POKE, self.pid, self.saved.rip, self.code)
        _ptrace(SETREGS, self.pid, 0, ctypes.addressof(self.saved))
        _ptrace(DETACH, self.pid)
        self.alive = False
