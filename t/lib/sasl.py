"""sasl.py - what AUTH is tested with: stores, daemons, other people's clients.

    sasl.keys("pencil")                     # SCRAM keys for a file of users
    sasl.add_user(path, "realm", "one", "pencil")       # a sasldb
    with sasl.Saslauthd(server) as daemon:              # PAM behind it
    with sasl.Kdc(server, "localhost") as kdc:          # a realm of its own
    sasl.login(client, sasl.Gsasl("SCRAM-SHA-256", ...))

A client's side is an object with first() and next(challenge), both octets:
Gsasl is GNU SASL's library, Cyrus the client side of libsasl2.
"""

import base64
import ctypes
import hashlib
import hmac
import os
import signal
import subprocess

import clients
import mail
import popper
import tap
import tls

MESSAGES = [mail.simple(1), mail.corpus()["dots"]]
PASSWORD = "pass word"
HOST = "localhost"  # the server's name
REALM = "TEST.EXAMPLE"
ROUNDS = 15000


def keys(password, kinds=("sha-512", "sha-256", "sha-1"), rounds=ROUNDS):
    """Keys of SCRAM as the passwd module's file has them."""
    found = []
    for kind in kinds:
        name, salt = kind.replace("-", ""), os.urandom(16)
        salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, rounds)
        client = hmac.digest(salted, b"Client Key", name)
        found.append("$scram-%s$%d$%s" % (kind, rounds, "$".join(
            base64.b64encode(part).decode() for part in (
                salt, hashlib.new(name, client).digest(),
                hmac.digest(salted, b"Server Key", name)))))
    return ",".join(found)


def _run(command, env=None, text=""):
    done = subprocess.run(command, env=dict(os.environ, **(env or {})),
                          input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError("%s: %s" % (command[0], done.stdout))
    return done.stdout


def add_user(path, realm, user, password):
    """Into a sasldb, which is made if it is not there."""
    _run(["/usr/sbin/saslpasswd2", "-p", "-c", "-f", path, "-u", realm, user],
         text=password)
    os.chmod(path, 0o600)


def add_secret(path, user, password):
    """Into the database of APOP, which is made if it is not there."""
    popauth = [os.path.join(popper.BUILD, "src/popauth"), "-f", path]
    if not os.path.exists(path):
        _run(popauth + ["init"])
    _run(popauth + ["add", user], text=password + "\n")


class _Daemon:
    """A process in the foreground that says when it is ready."""

    def _start(self, server, command, env, ready):
        out, into = os.pipe()
        self.process = subprocess.Popen(
            command, env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
            stdout=into, stderr=into, cwd=server.folder,
            start_new_session=True,  # saslauthd ends its whole group
            **(
                {"user": server.uid, "group": server.gid, "extra_groups": []}
                if popper.ROOT else {}))
        os.close(into)
        self.log = popper.Log(out)
        self.log.wait(ready)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(popper.PATIENCE)
        self.log.thread.join(popper.PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()


def _folder(server, name):
    path = server.path(name)
    os.mkdir(path)
    os.chmod(path, 0o755)
    if popper.ROOT:
        os.chown(path, server.uid, server.gid)
    return path


class Saslauthd(_Daemon):
    """Asks PAM, in a folder of its own; {user: password}."""

    MATRIX = "/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so"

    def __init__(self, server, users):
        folder = _folder(server, "saslauthd")
        pam = _folder(server, "saslauthd/pam")
        passwords = server.write("saslauthd/passwords", "".join(
            "%s:%s:pop\n" % item for item in users.items()), 0o644)
        for name in ("pop", "other"):
            server.write("saslauthd/pam/" + name, "".join(
                "%s required %s passdb=%s\n" % (kind, self.MATRIX, passwords)
                for kind in ("auth", "account")))
        self.mux = os.path.join(folder, "mux")
        self._start(server, ["/usr/sbin/saslauthd", "-d", "-a", "pam", "-n",
                             "1", "-m", folder], {
            "LD_PRELOAD": "libpam_wrapper.so", "PAM_WRAPPER": "1",
            "PAM_WRAPPER_SERVICE_DIR": pam}, r"acquired accept lock")


class Kdc(_Daemon):
    """A realm with its KDC on loopback; the server's keys in `keytab`, the
    users' passwords in a dictionary; `env` is for whoever talks Kerberos."""

    def __init__(self, server, host, users):
        self.folder = _folder(server, "kdc")
        self.file = server.path("kdc/krb5.conf")
        port = popper.free_port()
        conf = server.write("kdc/krb5.conf", (
            "[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n"
            " dns_lookup_realm = false\n dns_canonicalize_hostname = false\n"
            " rdns = false\n default_rcache_name = file2:%s/replays\n"
            "[realms]\n %s = {\n  kdc = 127.0.0.1:%d\n }\n"
            "[domain_realm]\n %s = %s\n") % (
                REALM, self.folder, REALM, port, host, REALM))
        profile = server.write("kdc/kdc.conf", (
            "[kdcdefaults]\n kdc_listen = 127.0.0.1:%d\n"
            " kdc_tcp_listen = 127.0.0.1:%d\n[realms]\n %s = {\n"
            "  database_name = %s/principal\n  key_stash_file = %s/stash\n"
            "  acl_file = %s/acl\n }\n[logging]\n kdc = STDERR\n") % (
                port, port, REALM, self.folder, self.folder, self.folder))
        self.env = {"KRB5_CONFIG": conf, "KRB5_KDC_PROFILE": profile}
        self.keytab = os.path.join(self.folder, "keytab")
        self._command("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)
        for user, password in users.items():
            self._command("kadmin.local", "-q",
                          "addprinc -pw %s %s" % (password, user))
        self._command("kadmin.local", "-q", "addprinc -randkey pop/" + host)
        self._command("kadmin.local", "-q",
                      "ktadd -k %s pop/%s" % (self.keytab, host))
        if popper.ROOT:
            for name in os.listdir(self.folder):
                os.chown(os.path.join(self.folder, name), server.uid,
                         server.gid)
        self._start(server, ["/usr/sbin/krb5kdc", "-n"], self.env,
                    r"commencing operation")

    def _command(self, name, *words):
        _run(["/usr/sbin/" + name] + list(words), self.env)

    def ticket(self, user, password):
        """A ticket of the user, for clients: path of the cache."""
        cache = os.path.join(self.folder, "cache-" + user.replace("/", "-"))
        _run(["/usr/bin/kinit", user], dict(
            self.env, KRB5CCNAME="FILE:" + cache), password + "\n")
        if popper.ROOT:
            os.chmod(cache, 0o644)
        return cache


# --- Clients ----------------------------------------------------------------

class Gsasl:
    """One exchange by the GNU SASL library."""

    AUTHID, AUTHZID, PASSWORD, SERVICE, HOSTNAME, CB_TLS_EXPORTER = (
        1, 2, 3, 5, 6, 25)
    MORE, OK = 1, 0

    def __init__(self, mechanism, user, password, authzid="", binding=b""):
        self.mechanism, self.server_first = mechanism, False
        self.library = ctypes.CDLL("libgsasl.so.18")
        context, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self._check(self.library.gsasl_init(ctypes.byref(context)))
        self._check(self.library.gsasl_client_start(
            context, mechanism.encode(), ctypes.byref(self.session)))
        for key, value in ((self.AUTHID, user), (self.PASSWORD, password),
                           (self.AUTHZID, authzid), (self.SERVICE, "pop"),
                           (self.HOSTNAME, "localhost"),
                           (self.CB_TLS_EXPORTER,
                            base64.b64encode(binding).decode())):
            if value:
                self.library.gsasl_property_set(self.session, key,
                                                value.encode())

    @staticmethod
    def _check(result):
        if result != 0:
            raise AssertionError("GNU SASL: %d" % result)

    def first(self):
        return self.next(b"")

    def next(self, challenge):
        out = ctypes.c_char_p()
        size = ctypes.c_size_t()
        self.result = self.library.gsasl_step(
            self.session, challenge, ctypes.c_size_t(len(challenge)),
            ctypes.byref(out), ctypes.byref(size))
        if self.result not in (self.OK, self.MORE):
            raise AssertionError("GNU SASL does not like it: %d"
                                 % self.result)
        return ctypes.string_at(out, size.value) if out else b""

    def satisfied(self):
        """Has the server, too, proved itself?"""
        return self.result == self.OK


class _Callback(ctypes.Structure):
    _fields_ = [("id", ctypes.c_ulong), ("function", ctypes.c_void_p),
                ("context", ctypes.c_void_p)]


class _Binding(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("critical", ctypes.c_int),
                ("len", ctypes.c_ulong), ("data", ctypes.c_char_p)]


class _Secret(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ulong), ("data", ctypes.c_char * 256)]


_SIMPLE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int,
    ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_uint))
_PASS = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
    ctypes.POINTER(ctypes.c_void_p))


class Cyrus:
    """One exchange by libsasl2's client side."""

    USER, AUTHNAME, PASS, CHANNEL_BINDING = 0x4001, 0x4002, 0x4004, 21
    MORE, OK = 1, 0
    library = None

    def __init__(self, mechanism, user, password, authzid="", binding=b"",
                 server_first=False):
        self.mechanism, self.server_first = mechanism, server_first
        if not Cyrus.library:
            Cyrus.library = ctypes.CDLL("libsasl2.so.2")
            self._check(self.library.sasl_client_init(None))
        self.names = {self.USER: (authzid or user).encode(),
                      self.AUTHNAME: user.encode()}
        self.secret = _Secret(len(password.encode()), password.encode())
        self.functions = (_SIMPLE(self._name), _PASS(self._password))
        simple, secret = (ctypes.cast(function, ctypes.c_void_p)
                          for function in self.functions)
        self.callbacks = (_Callback * 4)(
            (self.USER, simple, None), (self.AUTHNAME, simple, None),
            (self.PASS, secret, None), (0, None, None))
        self.conn = ctypes.c_void_p()
        self._check(self.library.sasl_client_new(
            b"pop", b"localhost", None, None, self.callbacks, 0,
            ctypes.byref(self.conn)))
        if binding:
            self.binding = _Binding(b"tls-exporter", 0, len(binding), binding)
            self._check(self.library.sasl_setprop(
                self.conn, self.CHANNEL_BINDING, ctypes.byref(self.binding)))
        self.out, self.size = ctypes.c_void_p(), ctypes.c_uint()
        self.begun = self._start()

    @staticmethod
    def _check(result):
        if result not in (0, 1):
            raise AssertionError("libsasl2: %d" % result)
        return result

    def _name(self, context, number, result, size):
        result[0] = self.names[number]
        if size:
            size[0] = len(self.names[number])
        return 0

    def _password(self, conn, context, number, result):
        result[0] = ctypes.addressof(self.secret)
        return 0

    def _taken(self):
        return (ctypes.string_at(self.out, self.size.value)
                if self.out.value else b"")

    def _start(self):
        self.result = self._check(self.library.sasl_client_start(
            self.conn, self.mechanism.encode(), None, ctypes.byref(self.out),
            ctypes.byref(self.size), None))
        return self._taken()

    def first(self):
        return self.begun

    def next(self, challenge):
        self.result = self._check(self.library.sasl_client_step(
            self.conn, challenge, len(challenge), None,
            ctypes.byref(self.out), ctypes.byref(self.size)))
        return self._taken()

    def satisfied(self):
        return self.result == self.OK


class Bound(popper.Client):
    """openssl s_client, which tells what a client may bind to."""

    def __init__(self, port, authority, stls, more=()):
        command = ["openssl", "s_client", "-nocommands", "-ign_eof",
                   "-verify_return_error", "-CAfile", authority.certificate,
                   "-connect", "127.0.0.1:%d" % port, "-keymatexport",
                   "EXPORTER-Channel-Binding", "-keymatexportlen", "32"]
        self.process = subprocess.Popen(
            command + (["-starttls", "pop3"] if stls else []) + list(more),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        super().__init__(clients.Pipes(self.process))
        line = b""
        while b"Keying material: " not in line:
            line = self.line()
        self.binding = bytes.fromhex(line.split()[-1].decode())
        if not stls:
            self.reply()

    def reply(self):
        """s_client says things in between."""
        line = b""
        while not line.startswith((b"+OK", b"-ERR", b"+ ")):
            line = self.line()
        return line.rstrip(b"\r\n").decode()

    def end(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def encoded(octets):
    return base64.b64encode(octets).decode()


def login(client, side, initial=True):
    """AUTH on a popper.Client whose greeting was read; returns the reply."""
    if side.server_first or not initial:
        answer = client.cmd("AUTH " + side.mechanism)
    else:
        answer = client.cmd("AUTH %s %s" % (side.mechanism,
                                            encoded(side.first()) or "="))
    if not side.server_first and not initial and answer == "+ ":
        answer = client.cmd(encoded(side.first()))
    while answer.startswith("+ "):
        answer = client.cmd(encoded(side.next(base64.b64decode(answer[2:]))))
    return answer


# --- The server -------------------------------------------------------------

class Scene:
    """A server with the sasl module in front of the passwd module, and one
    user whose password in the file of users is `own`.  A tls.Authority makes
    it speak TLS."""

    def __init__(self, options="", proof=None, own=PASSWORD, secure=False):
        self.server = popper.Server("daemon" if popper.ROOT else "user",
                                    start=False,
                                    conf={"server-name": HOST,
                                          "max-tries": 20})
        self.user = self.server.add_user("one", popper.DROPS[0], MESSAGES,
                                         password=own)
        if proof:
            self.user.hash = proof
            self.server.write_users()
        self.wires = [self.user.drop.wire(raw) for raw in MESSAGES]
        self.options = options
        self.count = 0
        self.authority = None
        if secure:
            self._secure()

    def _secure(self):
        self.authority = tls.Authority(self.server.path("ca"))
        pair = self.authority.server()
        tls.own(self.server, pair)
        self.server.settings.update(self.authority.settings(pair))
        self.server.settings["listen-tls"] = ["127.0.0.1:0"]

    def start(self, options="", more=""):
        self.server.modules = more + (
            'auth sasl {\n\tkey-file = "%s"\n%s}\n' % (
                self.server.path("state", ".key"), self.options + options)
            + self.server.default_modules())
        self.server.start()

    def mechanisms(self, kind="plain"):
        client = self.connect(kind)
        line = [line for line in client.lines("CAPA")
                if line.startswith("SASL ")]
        client.quit()
        return line[0].split()[1:] if line else []

    def connect(self, kind="plain"):
        """A client that has read the greeting."""
        if kind == "tls":
            client = tls.connect(self.server.tls_ports[0], self.authority)
            self.server.clients.append(client)
        else:
            client = self.server.connect()
        client.reply()
        return tls.upgrade(client, self.authority) if kind == "stls" else (
            client)

    def fetch(self, name, mechanism, user="one", kind="plain", **way):
        self.count += 1
        home = clients.folder(self.server, "home%d" % self.count)
        port = (self.server.tls_ports if kind == "tls" else
                self.server.ports)[0]
        return clients.CLIENTS[name](
            clients.Way(kind, port, self.authority, **way), user, PASSWORD,
            home, mechanism)

    def fetches(self, name, mechanism, **way):
        """One check: the client has fetched everything."""
        kind = way.get("kind", "plain")
        what = "%s, %s, %s" % (name, kind, mechanism)
        if clients.lacks(name, kind):
            tap.skip(what, clients.lacks(name, kind))
            return
        got = self.fetch(name, mechanism, **way)
        if not tap.equal(clients.wrong(got, self.wires), "", what):
            tap.diag(got.output.decode("latin-1"))

    def login(self, side, initial=True):
        client = self.connect()
        answer = login(client, side, initial)
        if answer.startswith("+OK"):
            client.ok("STAT")
            client.quit()
        else:
            client.leave()
        return answer

    def end(self):
        tap.equal(self.server.stop(), [], "the server ends clean")


def need_module():
    if not os.path.exists(os.path.join(popper.BUILD, "modules/auth/sasl.la")):
        tap.skip_all("built without the sasl module")
