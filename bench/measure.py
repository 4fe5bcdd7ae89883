"""Run one load against one server and count what it cost the server.

The server runs in a cgroup of its own, so that all its processes count, the
dead ones too.  CPU time is what the kernel booked on the cgroup, from before
the first connection until the server has come to rest.
"""
import json
import os
import select
import signal
import socket
import subprocess
import time

CGROUPS = '/sys/fs/cgroup'
UNIFIED = os.path.exists(f'{CGROUPS}/cgroup.controllers')
SERVER_CPU, CLIENT_CPU = '0', '1'


def read(path, default=''):
    try:
        with open(path, encoding='ascii', errors='replace') as file:
            return file.read()
    except OSError:
        return default


class Cgroup:
    """Version 2, or cpuacct and memory of version 1."""

    def __init__(self, name):
        tops = [CGROUPS]
        if not UNIFIED:
            tops = [f'{CGROUPS}/cpuacct', f'{CGROUPS}/memory']
        self.folders = [f'{top}/popper-bench.{name}' for top in tops]
        for folder in self.folders:
            os.makedirs(folder, exist_ok=True)

    def members(self):
        return [f'{folder}/cgroup.procs' for folder in self.folders]

    def pids(self):
        return [int(pid) for pid in read(self.members()[0]).split()]

    def cpu_seconds(self):
        if UNIFIED:
            words = read(f'{self.folders[0]}/cpu.stat').split()
            return int(words[1]) / 1e6
        return int(read(f'{self.folders[0]}/cpuacct.usage', '0')) / 1e9

    def memory(self):
        """Anonymous and kernel octets."""
        text = read(f'{self.folders[-1]}/memory.stat')
        stat = dict(line.split() for line in text.splitlines())
        if UNIFIED:
            return int(stat['anon']) + int(stat.get('kernel', 0))
        kernel = read(f'{self.folders[-1]}/memory.kmem.usage_in_bytes', '0')
        return int(stat['rss']) + int(kernel)

    def remove(self):
        for folder in self.folders:
            for _ in range(50):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(.1)


def pss(pids):
    """Proportional set size in octets: shared pages count in parts."""
    total = 0
    for pid in pids:
        for line in read(f'/proc/{pid}/smaps_rollup').splitlines():
            if line.startswith('Pss:'):
                total += int(line.split()[1]) * 1024
    return total


def written(pids):
    """Octets dirtied in the page cache by files that were not removed."""
    total = 0
    for pid in pids:
        for line in read(f'/proc/{pid}/io').splitlines():
            name, value = line.split(': ')
            if name == 'write_bytes':
                total += int(value)
            elif name == 'cancelled_write_bytes':
                total -= int(value)
    return total


class Server:
    """A peer that runs, pinned to one processor."""
    count = 0

    def __init__(self, peer, tools, pin=True):
        Server.count += 1
        self.peer, self.tools = peer, tools
        command = peer.command()
        self.cgroup = Cgroup(f'{os.getpid()}.{Server.count}')
        prefix = ['taskset', '-c', SERVER_CPU] if pin else []
        with open(f'{peer.folder}/output', 'ab') as output:
            self.jail = subprocess.Popen(
                prefix + [f'{tools}/jail'] + self.cgroup.members() + ['--'] +
                command, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output)
        try:
            self.await_greeting()
        except Exception:
            self.stop()
            raise

    def await_greeting(self):
        for _ in range(100):
            if self.jail.poll() is not None:
                break
            try:
                with socket.create_connection(('127.0.0.1', self.peer.port),
                                              .5) as line:
                    line.settimeout(10)
                    if line.recv(512).startswith(b'+OK'):
                        line.sendall(b'QUIT\r\n')
                        line.recv(512)
                        self.rest()
                        return
            except OSError:
                pass
            time.sleep(.1)
        raise RuntimeError(f'{self.peer}: no greeting; see '
                           f'{self.peer.folder}/output')

    def rest(self):
        """Wait until it uses no more processor time; returns the sum."""
        last = self.cgroup.cpu_seconds()
        for _ in range(60):
            time.sleep(.05)
            seconds = self.cgroup.cpu_seconds()
            if seconds - last < .0003:
                break
            last = seconds
        return self.cgroup.cpu_seconds()

    def load_command(self, users, mode, options):
        port, more = self.peer.port, self.peer.load_options
        if self.peer.tls:
            port, more = self.peer.tls_port, more + ['--tls']
        return (['taskset', '-c', CLIENT_CPU, f'{self.tools}/popload', mode,
                 '--port', str(port), '--users', users] + more + options)

    def load(self, users, mode, options):
        """One run of popload; its figures and the server's."""
        cpu = self.rest()
        io = written(self.cgroup.pids())
        run = subprocess.run(self.load_command(users, mode, options),
                             capture_output=True, text=True, check=False)
        cpu = self.rest() - cpu
        if not run.stdout:
            raise RuntimeError(f'{self.peer}: popload: {run.stderr.strip()}')
        figures = json.loads(run.stdout.splitlines()[-1])
        figures['cpu_s'] = cpu
        figures['written'] = written(self.cgroup.pids()) - io
        figures['complaints'] = run.stderr.strip()
        return figures

    def hold(self, users, count, options):
        """Memory with that many sessions held, for each of them."""
        cpu = self.rest()
        before = pss(self.cgroup.pids()), self.cgroup.memory()
        load = subprocess.Popen(
            self.load_command(users, 'idle', ['--sessions', str(count),
                                              '--at-once', '8'] + options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = select.select([load.stdout], [], [], 120)[0]
        line = load.stdout.readline() if ready else ''
        held = int(line.split()[1]) if line.startswith('READY') else 0
        cpu = self.rest() - cpu
        pids = self.cgroup.pids()
        after = pss(pids), self.cgroup.memory()
        load.communicate('\n', timeout=120)
        part = max(1, held)
        return {'sessions': count, 'ok': held, 'cpu_s': cpu,
                'processes': len(pids),
                'pss': (after[0] - before[0]) / part,
                'cgroup': (after[1] - before[1]) / part}

    def stop(self):
        if self.jail.poll() is None:
            self.jail.send_signal(signal.SIGTERM)
        try:
            self.jail.wait(10)
        except subprocess.TimeoutExpired:
            self.jail.kill()
            self.jail.wait()
        self.cgroup.remove()
