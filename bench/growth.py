#!/usr/bin/python3
"""What a session costs popper as mailboxes grow: STAT only, and with UIDL.

  bench/growth.py [--build FOLDER] [--rounds N] [--most N]

Small messages, one mailbox of each size; the first session of each is not
measured."""
import argparse
import os
import shutil
import statistics
import sys
import time

import peers
from measure import Server

COUNTS = (20, 200, 2000, 20000, 200000, 1000000)
MAILDIR_MOST = 200000  # a file for each
USER = peers.USERS[0]


def text(number):
    return (f'From: sender{number % 97}@example.org\n'
            f'Message-ID: <{number}@growth.example>\n'
            f'Subject: message {number}\n\nOne line of text.\n')


def make_mbox(path, count):
    with open(path, 'w', encoding='ascii') as file:
        for i in range(count):
            file.write('From sender@example.org Sun Nov 22 12:00:00 2026\n'
                       f'{text(i)}\n')


def make_maildir(path, count):
    for name in ('cur', 'new', 'tmp'):
        os.makedirs(f'{path}/{name}')
    for i in range(count):
        with open(f'{path}/cur/{1700000000 + i}.M{i}.growth:2,', 'w',
                  encoding='ascii') as file:
            file.write(text(i))
            os.fchown(file.fileno(), peers.FIRST_UID, peers.MAIL_GID)


def populate(peer, count):
    """One user's mailbox, and nothing known about it."""
    peer.forget()
    shutil.rmtree(f'{peer.folder}/mail', ignore_errors=True)
    os.makedirs(f'{peer.folder}/mail')
    os.chmod(f'{peer.folder}/mail', 0o1777)
    path = peer.mail_path(USER)
    if peer.format == 'mbox':
        make_mbox(path, count)
        os.chmod(path, 0o660)
    else:
        make_maildir(path, count)
    os.chown(path, peers.FIRST_UID, peers.MAIL_GID)


def measure(peer, tools, rounds, count):
    """Milliseconds of a session, by mode."""
    server = Server(peer, tools)
    users = f'{peers.WORK}/users'
    # So many that what the server does besides hides no difference.
    sessions = max(20, min(200, 2000000 // count))
    result = {}
    try:
        time.sleep(4)  # until nobody doubts the times of the files
        server.load(users, 'poll', ['--users-max', '1', '--sessions', '1'])
        for mode in ('login', 'poll'):
            figures = []
            for _ in range(rounds):
                got = server.load(users, mode, [
                    '--users-max', '1', '--sessions', str(sessions)])
                if got['ok'] != got['sessions']:
                    raise RuntimeError(got['complaints'])
                figures.append(got['cpu_s'] / got['sessions'] * 1e3)
            result[mode] = statistics.median(figures)
    finally:
        server.stop()
    return result


def show(name, tools, options):
    print(f'\n{name}: ms of CPU for a session, ns for each message more than '
          f'{COUNTS[0]}')
    print(f'{"messages":>9s} {"STAT":>9s} {"and UIDL":>9s} '
          f'{"ns, STAT":>9s} {"ns, UIDL":>9s}')
    first = None
    for count in COUNTS:
        peer = peers.MAKERS[name]()
        most = options.most if peer.format == 'mbox' else min(
            options.most, MAILDIR_MOST)
        if count > most:
            break
        shutil.rmtree(peer.folder, ignore_errors=True)
        populate(peer, count)
        got = measure(peer, tools, options.rounds, count)
        row = f'{count:9d} {got["login"]:9.3f} {got["poll"]:9.3f}'
        if first:
            more = (count - COUNTS[0]) / 1e6
            row += f' {(got["login"] - first["login"]) / more:9.1f}'
            row += f' {(got["poll"] - first["poll"]) / more:9.1f}'
        first = first or got
        print(row, flush=True)
        shutil.rmtree(peer.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='.', help='top of a build tree')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--most', type=int, default=COUNTS[-1])
    parser.add_argument('--peers', default='popper-hp:mbox,popper-hp:maildir')
    options = parser.parse_args()
    peers.Popper.build = options.build
    peers.write(f'{peers.WORK}/users', f'{USER}:{peers.PASSWORD}\n')
    for name in options.peers.split(','):
        show(name, f'{options.build}/bench', options)
    return 0


if __name__ == '__main__':
    sys.exit(main())
