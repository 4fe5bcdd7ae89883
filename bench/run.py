#!/usr/bin/python3
"""Run popper beside its peers and print what an operation costs each.

  bench/run.py [--build FOLDER] [--rounds N] [--peers A:FORMAT,...] SCENARIO...

Scenarios:"""
import argparse
import json
import os
import shutil
import statistics
import sys
import time

import peers
from measure import Server


class Scenario:
    def __init__(self, mail, mode, sessions, options=(), **more):
        self.mail, self.mode, self.sessions = mail, mode, sessions
        self.options = list(options)
        self.unit = more.get('unit', 'ms/session')
        self.about = more['about']
        self.users = {'small': 50, 'medium': 10, 'large': 2, 'huge': 1}[mail]
        self.fresh = more.get('fresh', False)  # new mail for each round
        self.cold = more.get('cold', False)  # and nothing known about it
        self.grown = more.get('grown', False)  # one message more each round
        self.tls = more.get('tls', False)
        self.only = more.get('only', '')  # peers whose name begins so
        self.hash = more.get('hash', peers.HASH)
        self.lines = more.get('lines', ())


SCENARIOS = {
    'login': Scenario('small', 'login', 400,
                      ['--at-once', '4', '--warm-up', '20'],
                      about='USER PASS STAT QUIT, 20 messages'),
    'login-yescrypt': Scenario('small', 'login', 100,
                               ['--at-once', '4', '--warm-up', '20'],
                               only='popper', hash=peers.YESCRYPT,
                               about='login, with the hash of Debian'),
    'login-cached': Scenario('small', 'login', 400,
                             ['--at-once', '4', '--warm-up', '20'],
                             only='popper', hash=peers.YESCRYPT,
                             lines=('cache-lifetime = 1h',),
                             about='the same, with the credential cache'),
    'poll': Scenario('medium', 'poll', 160, ['--at-once', '4'],
                     about='... and UIDL of 1,000 messages'),
    'poll-large': Scenario('large', 'poll', 8,
                           about='... and UIDL of 20,000 messages'),
    'poll-grown': Scenario('large', 'poll', 2, grown=True,
                           about='... after the delivery of one more'),
    'scan': Scenario('large', 'login', 2, fresh=True, cold=True,
                     about='login and STAT, nothing known of 20,000 messages,'
                     ' 400 MB'),
    'scan-uidl': Scenario('large', 'poll', 2, fresh=True, cold=True,
                          about='... and UIDL'),
    'fetch': Scenario('medium', 'fetch', 10, ['--window', '32'], unit='s/GB',
                      about='RETR of 1,000 messages, 25 MB, 32 in flight'),
    'fetch-one': Scenario('medium', 'fetch', 10, unit='s/GB',
                          about='the same, one in flight'),
    'fetch-large': Scenario('large', 'fetch', 2, ['--window', '32'],
                            unit='s/GB', about='20,000 messages, 400 MB'),
    'top': Scenario('medium', 'top', 20, ['--window', '32'],
                    unit='us/TOP', about='TOP n 0 of 1,000 messages, 32 in'
                    ' flight'),
    'top-one': Scenario('medium', 'top', 20, unit='us/TOP',
                        about='the same, one in flight'),
    'top-large': Scenario('large', 'top', 2, ['--window', '32'],
                          unit='us/TOP', about='the same, 20,000 messages'),
    'dele': Scenario('medium', 'dele', 10, ['--dele', 'every:2'], fresh=True,
                     about='RETR and DELE of every other of 1,000; both'
                     ' sessions'),
    'dele-one': Scenario('large', 'dele', 2, ['--dele', 'middle:1',
                                              '--no-verify'],
                         fresh=True, about='RETR and DELE of one of 20,000'),
    'login-tls': Scenario('small', 'login', 300,
                          ['--at-once', '4', '--warm-up', '20'], tls=True,
                          about='login over TLS 1.3, ECDSA P-256, full'
                          ' handshakes'),
    'fetch-tls': Scenario('medium', 'fetch', 10, ['--window', '32'],
                          unit='s/GB', tls=True,
                          about='fetch over TLS 1.3'),
    'idle': Scenario('small', 'idle', 200, unit='KB PSS/session',
                     about='memory of a session that is logged in'),
    'idle-greeted': Scenario('small', 'idle', 200, ['--before-login'],
                             unit='KB PSS/session',
                             about='memory of a connection before login'),
}
BASES = ('dovecot-hp', 'dovecot-def', 'popa3d')
DEFAULT = ('login', 'poll', 'fetch', 'idle', 'idle-greeted')


class Contestant:
    """A peer with its mail, started; one row of the table."""

    def __init__(self, name, scenario, tools):
        self.peer = peers.MAKERS[name]()
        if scenario.tls and not self.peer.has_tls:
            raise RuntimeError('it has no TLS')
        self.peer.tls = scenario.tls
        self.peer.hash, self.peer.lines = scenario.hash, scenario.lines
        self.scenario, self.tools = scenario, tools
        self.users = scenario.users
        self.sessions = scenario.sessions
        if scenario.mode == 'idle':
            self.users = min(self.sessions, self.peer.most_users)
            self.sessions = self.users
        if self.peer.most_sessions:
            self.sessions = min(self.sessions, self.peer.most_sessions)
        self.figures = []
        self.server = None
        shutil.rmtree(self.peer.folder, ignore_errors=True)
        self.renew()

    def renew(self):
        self.close()
        self.peer.forget()
        self.peer.populate(self.scenario.mail, self.users)
        self.start()
        # The first session of each maildrop pays for what the server keeps
        # beside the mail; that is measured only in scenarios that are cold.
        if self.scenario.cold:
            return
        self.server.load(f'{peers.WORK}/users', 'poll', [
            '--users-max', str(self.users), '--sessions', str(self.users)])

    def start(self):
        self.server = Server(self.peer, self.tools,
                             pin=self.scenario.mode != 'idle')

    def close(self):
        if self.server:
            self.server.stop()
        self.server = None

    def round(self):
        if self.scenario.fresh and self.figures:
            self.renew()
        elif self.peer.restart or self.scenario.mode == 'idle':
            self.close()
            self.start()
        if self.scenario.grown:
            self.peer.deliver(self.users)
            time.sleep(.3)  # else nobody trusts the file's times
        users = f'{peers.WORK}/users'
        options = ['--users-max', str(self.users)] + self.scenario.options
        if self.scenario.mode == 'idle':
            got = self.server.hold(users, self.sessions, options)
        else:
            manifest = f'{peers.WORK}/data/{self.scenario.mail}/manifest'
            if not self.scenario.grown:
                options += ['--manifest', manifest]
            got = self.server.load(users, self.scenario.mode, options + [
                '--sessions', str(self.sessions)])
        got.update(peer=str(self.peer), value=self.value(got))
        self.figures.append(got)
        return got

    def value(self, got):
        if self.scenario.mode == 'idle':
            return got['pss'] / 1e3
        if self.scenario.unit == 's/GB':
            return got['cpu_s'] / max(got['octets'], 1) * 1e9
        if self.scenario.unit == 'us/TOP':
            return got['cpu_s'] / max(got['messages'], 1) * 1e6
        return got['cpu_s'] / max(got['sessions'], 1) * 1e3

    def median(self):
        return statistics.median(got['value'] for got in self.figures)


def show(name, scenario, contestants):
    print(f'\n{name}: {scenario.about}')
    print(f'{"server":20s} {scenario.unit:>14s} {"least":>8s} {"most":>8s}'
          + ''.join(f' {"/" + base:>12s}' for base in BASES) + '       ok')
    medians = {str(c.peer): c.median() for c in contestants if c.figures}
    for one in contestants:
        if not one.figures:
            continue
        values = [got['value'] for got in one.figures]
        row = f'{one.peer!s:20s} {one.median():14.3f}'
        row += f' {min(values):8.3f} {max(values):8.3f}'
        for base in BASES:
            other = medians.get(f'{base}:{one.peer.format}')
            row += f' {one.median() / other:12.2f}' if other else f'{"-":>13s}'
        good = sum(got['ok'] for got in one.figures)
        row += f' {good:5d}/{sum(got["sessions"] for got in one.figures)}'
        print(row, flush=True)


def battle(name, options):
    scenario = SCENARIOS[name]
    contestants = []
    try:
        for peer in options.peers:
            if not peer.startswith(scenario.only):
                continue
            try:
                contestants.append(Contestant(peer, scenario, options.tools))
            except (RuntimeError, OSError) as why:
                print(f'{peer} is left out: {why}', file=sys.stderr)
        for number in range(options.rounds):
            for one in contestants:
                got = one.round()
                got.update(scenario=name, round=number)
                if options.json:
                    print(json.dumps(got), file=options.json, flush=True)
                if got.get('complaints'):
                    print(f'{one.peer}: {got["complaints"]}',
                          file=sys.stderr)
    finally:
        for one in contestants:
            one.close()
            if not options.keep:
                shutil.rmtree(one.peer.folder, ignore_errors=True)
    show(name, scenario, contestants)
    return all(got['ok'] == got['sessions']
               for one in contestants for got in one.figures)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__ + ''.join(
            f'\n  {name:14s}{one.about}' for name, one in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('scenario', nargs='*', default=list(DEFAULT),
                        help=f'default: {" ".join(DEFAULT)}')
    parser.add_argument('--build', default='.', help='top of a build tree')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--peers', default=','.join(peers.MAKERS),
                        type=lambda text: text.split(','))
    parser.add_argument('--set', default=[], action='append', metavar='LINE',
                        help='one more line for popper.conf')
    parser.add_argument('--json', type=argparse.FileType('a'),
                        help='append every figure to this file')
    parser.add_argument('--keep', action='store_true',
                        help='leave mail and logs of the servers')
    options = parser.parse_args()
    options.tools = f'{options.build}/bench'
    for name in options.scenario:
        if name not in SCENARIOS:
            parser.error(f'no such scenario: {name}')
    for name in options.peers:
        if name not in peers.MAKERS:
            parser.error(f'no such peer: {name}')
    peers.Popper.build = options.build
    peers.Popper.extra = ''.join(line + '\n' for line in options.set)
    return options


def main():
    options = arguments()
    os.makedirs(f'{peers.WORK}/run', exist_ok=True)
    peers.make_certificate()
    peers.write(f'{peers.WORK}/users', ''.join(
        f'{user}:{peers.PASSWORD}\n' for user in peers.USERS))
    # A list, so that one bad scenario does not hide the others.
    return 0 if all([battle(name, options)
                     for name in options.scenario]) else 1


if __name__ == '__main__':
    sys.exit(main())
