"""The servers that are measured: how each is configured and started.

A peer says which command starts it in the foreground, on which port it
listens on 127.0.0.1, and where the mail of a user lies.
"""
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.environ.get('POPPER_BENCH', '/var/tmp/popper-bench')
PASSWORD = 'pw12345'
# The same password in the oldest and cheapest scheme (3 us), so that servers
# are compared by their own work and not by the hash.
HASH = 'xygJhrgX7RWWI'
# And in the scheme that Debian uses.
YESCRYPT = ('$y$j9T$kx4QkJaQh6KNiB4Oh2XBW/$HyxZhp'
            '5SduT/uJnXx8/NQOqCc4BPHfx5X6dsRMsXh2/')
CERTIFICATE, KEY = f'{WORK}/tls.pem', f'{WORK}/tls.key'
FIRST_UID = 7000
MAIL_GID = 8
SYSTEM_USERS = 50
USERS = [f'popbench{i:03d}' for i in range(1000)]


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    os.chmod(path, mode)


def fill(template, values):
    """The template of that name with its @WORDS@ replaced."""
    with open(os.path.join(HERE, template), encoding='ascii') as file:
        text = file.read()
    for word, value in values.items():
        text = text.replace(f'@{word}@', str(value))
    return text


def make_certificate():
    """ECDSA P-256, signed by itself."""
    if not os.path.exists(KEY):
        subprocess.run(
            ['openssl', 'req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-days', '3650', '-subj',
             '/CN=bench', '-out', CERTIFICATE, '-keyout', KEY],
            check=True, capture_output=True)
        os.chmod(KEY, 0o600)


class Peer:
    one_uid = True        # all mail belongs to one uid
    delivered = 0         # messages by deliver
    most_users = len(USERS)
    most_sessions = None  # of one round
    restart = False       # before each round
    load_options = []
    has_tls = True
    tls = False           # listens on tls_port too
    hash = HASH
    lines = ()            # more of its configuration, for a scenario

    def __init__(self, name, fmt, port):
        self.name, self.format, self.port = name, fmt, port
        self.tls_port = port + 1
        self.folder = f'{WORK}/run/{name}-{fmt}'

    def __str__(self):
        return f'{self.name}:{self.format}'

    def mail_path(self, user):
        return f'{self.folder}/mail/{user}'

    def owner(self, index):
        return FIRST_UID if self.one_uid else FIRST_UID + index

    def populate(self, mail_set, count):
        """Fresh mail for the first users."""
        shutil.rmtree(f'{self.folder}/mail', ignore_errors=True)
        for name in ('mail', 'index', 'home'):
            os.makedirs(f'{self.folder}/{name}', exist_ok=True)
            os.chmod(f'{self.folder}/{name}', 0o1777)
        source = f'{WORK}/data/{mail_set}/'
        source += 'mbox' if self.format == 'mbox' else 'Maildir'
        for index, user in enumerate(USERS[:count]):
            path = self.mail_path(user)
            subprocess.run(['cp', '-r', source, path], check=True)
            subprocess.run(['chown', '-R', f'{self.owner(index)}:{MAIL_GID}',
                            path], check=True)
            if self.format == 'mbox':
                os.chmod(path, 0o660)

    def deliver(self, count):
        """One more message for each of the first users."""
        Peer.delivered += 1
        text = (f'Message-ID: <{Peer.delivered}@bench.example>\n'
                f'Subject: new mail\n\n' + 'Here it is.\n' * 80)
        for index, user in enumerate(USERS[:count]):
            path = self.mail_path(user)
            if self.format == 'mbox':
                with open(path, 'a', encoding='ascii') as file:
                    file.write('From bench@example.org Sun Nov 22 12:00:00 '
                               f'2026\n{text}\n')
                continue
            name = f'{Peer.delivered}.bench.example'
            write(f'{path}/tmp/{name}', text, 0o600)
            os.chown(f'{path}/tmp/{name}', self.owner(index), MAIL_GID)
            os.rename(f'{path}/tmp/{name}', f'{path}/new/{name}')

    def forget(self):
        """Throw away what the server keeps beside the mail."""


class Popper(Peer):
    build = None  # top of the build tree
    extra = ''    # more lines for popper.conf
    lines_always = ''
    drop_options = ''  # of the drop module
    # POPPER_BENCH_WRAP: a command in front of popper, see profile.sh.

    def command(self):
        mail = self.mail_path('@')
        users = ''.join(
            f'{user}:{self.hash}:{self.owner(i)}:{MAIL_GID}:'
            f'{self.format}:{mail.replace("@", user)}\n'
            for i, user in enumerate(USERS))
        write(f'{self.folder}/users', users, 0o600)
        os.makedirs(f'{self.folder}/state', mode=0o755, exist_ok=True)
        values = {'PORT': self.port, 'FOLDER': self.folder,
                  'FORMAT': self.format, 'OPTIONS': self.drop_options,
                  'BUILD': os.path.abspath(self.build)}
        for name in ('popper.conf', 'modules.conf'):
            text = fill(f'{name}.in', values)
            if name == 'popper.conf':
                text += self.lines_always + self.extra
                text += ''.join(line + '\n' for line in self.lines)
                if self.tls:
                    text += (f'listen-tls = {{"127.0.0.1:{self.tls_port}"}}\n'
                             f'tls-certificate = "{CERTIFICATE}"\n'
                             f'tls-key = "{KEY}"\n')
            write(f'{self.folder}/{name}', text)
        wrap = os.environ.get('POPPER_BENCH_WRAP', '').split()
        return wrap + [f'{self.build}/src/popper', '--log-to', 'stderr', '-f',
                       f'{self.folder}/popper.conf']

    def forget(self):
        shutil.rmtree(f'{self.folder}/state', ignore_errors=True)


class TunedPopper(Popper):
    """Login workers serve many connections, one after the other."""
    lines_always = 'connections-per-worker = 200\n'


class LazyPopper(TunedPopper):
    """QUIT notes deletions and leaves the mbox alone."""
    drop_options = '\tpurge = lazy\n\tpurge-time = ""\n'


class Dovecot(Peer):
    """As packaged: a login and a mail process for each session."""
    one_uid = False
    template = 'dovecot-def.conf.in'

    def command(self):
        home = f'{self.folder}/home'
        users = ''.join(
            f'{user}:{{PLAIN}}{PASSWORD}:{self.owner(i)}:{MAIL_GID}::'
            f'{home}/{user}::\n' for i, user in enumerate(USERS))
        write(f'{self.folder}/users', users)
        for index, user in enumerate(USERS):
            os.makedirs(f'{home}/{user}', exist_ok=True)
            os.chown(f'{home}/{user}', self.owner(index), MAIL_GID)
        location = f'maildir:{self.folder}/mail/%u'
        if self.format == 'mbox':
            location = (f'mbox:{home}/%u/mail:INBOX={self.folder}/mail/%u:'
                        f'INDEX={self.folder}/index/%u')
        common = fill('dovecot.conf.in', {
            'FOLDER': self.folder, 'LOCATION': location, 'NAME': self.name,
            'SSL': f'ssl = yes\nssl_cert = <{CERTIFICATE}\n'
                   f'ssl_key = <{KEY}' if self.tls else 'ssl = no'})
        services = fill(self.template, {
            'PORT': self.port,
            'LISTENER_TLS': f'inet_listener pop3s {{\n    port = '
                            f'{self.tls_port}\n    ssl = yes\n  }}'
                            if self.tls else ''})
        write(f'{self.folder}/dovecot.conf', common + services)
        os.makedirs(f'{self.folder}/run', exist_ok=True)
        return ['/usr/sbin/dovecot', '-F', '-c',
                f'{self.folder}/dovecot.conf']

    def forget(self):
        shutil.rmtree(f'{self.folder}/index', ignore_errors=True)
        shutil.rmtree(f'{self.folder}/home', ignore_errors=True)


class TunedDovecot(Dovecot):
    """Processes serve many sessions, one after the other; one uid."""
    one_uid = True
    template = 'dovecot-hp.conf.in'


class Popa3d(Peer):
    """Standalone.  Its port is compiled in; it takes no more than 50
    connections from one address and 500 in all within ten seconds."""
    one_uid = False
    has_tls = False
    most_users = SYSTEM_USERS
    most_sessions = 300
    restart = True
    load_options = ['--spread']

    def command(self):
        return ['unshare', '-m', 'sh', '-c',
                f'mount --bind {self.folder}/mail /var/mail &&'
                f' exec {WORK}/popa3d/usr/sbin/popa3d -D']


MAKERS = {
    'popper:mbox': lambda: Popper('popper', 'mbox', 21100),
    'popper:maildir': lambda: Popper('popper', 'maildir', 21110),
    'popper-hp:mbox': lambda: TunedPopper('popper-hp', 'mbox', 21160),
    'popper-hp:maildir': lambda: TunedPopper('popper-hp', 'maildir', 21170),
    'popper-lazy:mbox': lambda: LazyPopper('popper-lazy', 'mbox', 21180),
    'dovecot-hp:mbox': lambda: TunedDovecot('dovecot-hp', 'mbox', 21120),
    'dovecot-hp:maildir': lambda: TunedDovecot('dovecot-hp', 'maildir',
                                               21130),
    'dovecot-def:mbox': lambda: Dovecot('dovecot-def', 'mbox', 21140),
    'dovecot-def:maildir': lambda: Dovecot('dovecot-def', 'maildir', 21150),
    'popa3d:mbox': lambda: Popa3d('popa3d', 'mbox', 110),
}
