"""tls.py - certificates for tests, and clients that speak TLS.

An Authority is a CA in a folder; the openssl command makes everything:

    ca = tls.Authority(server.path("ca"))
    pair = ca.server()              # ECDSA P-256, localhost and 127.0.0.1
    rsa = ca.server(kind="rsa")
    person = ca.client("one", email="one@example.org")
    server.settings.update(ca.settings(pair))
    client = tls.connect(port, ca)          # a popper.Client, TLS at once
    client = tls.upgrade(plain, ca)         # greeting read, then STLS
"""

import os
import shutil
import ssl
import subprocess

import popper

HOSTS = ("localhost", "pop.example.org")
_SIGN = """[ca]
default_ca = this
[this]
database = index
default_md = sha256
default_crl_days = 30
"""


class Pair:
    """A certificate and its key, as paths of PEM files."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def serial(self):
        return _openssl("/", "x509", "-in", self.certificate, "-noout",
                        "-serial").strip().partition("=")[2]


def _openssl(folder, *words):
    done = subprocess.run(["openssl"] + list(words), cwd=folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError("openssl %s: %s" % (words[0], done.stdout))
    return done.stdout


class Authority:
    """A CA.  Its folder and files are world-readable, except keys."""

    def __init__(self, folder, name="Test CA", kind="ecdsa"):
        self.folder, self.made = folder, 0
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self.write("ca.cnf", _SIGN)
        self.write("index", "")
        self.pair = self.issue(name, kind, ["basicConstraints=critical,"
                                            "CA:TRUE",
                                            "keyUsage=keyCertSign,cRLSign"],
                               root=True)
        self.certificate = self.pair.certificate

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def issue(self, name, kind="ecdsa", extensions=(), subject=None,
              root=False, days=30):
        """A new key and a certificate over it; /CN=name if no subject."""
        self.made += 1
        stem = "%02d" % self.made
        pair = Pair(self.path(stem + ".pem"), self.path(stem + ".key"))
        algorithm = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                     "rsa": ["rsa:2048"]}[kind]
        words = ["req", "-x509", "-nodes", "-newkey"] + algorithm + [
            "-days", str(days), "-subj", subject or "/CN=" + name,
            "-keyout", pair.key, "-out", pair.certificate, "-config",
            self.write(stem + ".cnf", "[req]\ndistinguished_name=name\n"
                       "[name]\n")]
        for extension in extensions:
            words += ["-addext", extension]
        if not root:
            words += ["-CA", self.pair.certificate, "-CAkey", self.pair.key]
        _openssl(self.folder, *words)
        os.chmod(pair.key, 0o600)
        os.chmod(pair.certificate, 0o644)
        return pair

    def server(self, hosts=HOSTS, kind="ecdsa", name=None, days=30):
        """A server's certificate for the hosts and 127.0.0.1."""
        names = ["DNS:" + host for host in hosts] + ["IP:127.0.0.1"]
        return self.issue(name or hosts[0], kind, [
            "basicConstraints=CA:FALSE",
            "extendedKeyUsage=serverAuth",
            "subjectAltName=" + ",".join(names)], days=days)

    def client(self, name, kind="ecdsa", email=None, dns=None, upn=None,
               subject=None):
        """A client's certificate: a common name, and names beside it."""
        names = []
        if email:
            names.append("email:" + email)
        if dns:
            names.append("DNS:" + dns)
        if upn:
            names.append("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:" + upn)
        extensions = ["basicConstraints=CA:FALSE",
                      "extendedKeyUsage=clientAuth"]
        if names:
            extensions.append("subjectAltName=" + ",".join(names))
        return self.issue(name, kind, extensions, subject)

    def crl(self, *revoked):
        """A list that revokes the pairs given: path of a PEM file."""
        ca = ["ca", "-config", "ca.cnf", "-cert", self.pair.certificate,
              "-keyfile", self.pair.key]
        for pair in revoked:
            _openssl(self.folder, *ca, "-revoke", pair.certificate)
        self.made += 1
        path = self.path("%02d.crl" % self.made)
        _openssl(self.folder, *ca, "-gencrl", "-out", path)
        os.chmod(path, 0o644)
        return path

    def settings(self, *pairs):
        """The lines of popper.conf that make the server use the pairs."""
        return {"tls-certificate": [pair.certificate for pair in pairs],
                "tls-key": [pair.key for pair in pairs]}

    def context(self, pair=None, alpn=None, newest=None):
        """What a client needs that trusts this CA and no other; pair: its
        own certificate; newest: ssl.TLSVersion."""
        context = ssl.create_default_context(cafile=self.certificate)
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        if alpn:
            context.set_alpn_protocols(alpn)
        if newest:
            context.maximum_version = newest
        return context


def own(server, *pairs):
    """Give key files to whom the server runs as, who reads them."""
    for pair in pairs:
        if server.drop_to:
            os.chown(pair.key, server.uid, server.gid)


def install(server, source, target):
    """Put a copy of the file there, by a rename, for the server to read."""
    shutil.copy(source, target + ".new")
    if server.drop_to:
        os.chown(target + ".new", server.uid, server.gid)
    os.rename(target + ".new", target)


def wrap(client, context, host="localhost"):
    """The popper.Client goes on over TLS; nothing may wait to be read."""
    if client.buffer:
        raise AssertionError("octets before the handshake: %r"
                             % client.buffer)
    client.sock = context.wrap_socket(client.sock, server_hostname=host)
    return client


def serial(client):
    """Of the server's certificate, as Pair.serial()."""
    return client.sock.getpeercert()["serialNumber"]


def connect(port, authority, host="localhost", **more):
    """A popper.Client that speaks TLS at once."""
    return wrap(popper.Client.to(port), authority.context(**more), host)


def upgrade(client, authority, host="localhost", **more):
    """STLS on a popper.Client whose greeting has been read."""
    client.ok("STLS")
    return wrap(client, authority.context(**more), host)


class Talk(popper.Client):
    """A popper.Client over TLS that can close its half of it, and whose last
    close_notify is looked for."""

    def __init__(self, sock, authority, host="localhost", **more):
        super().__init__(sock)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = authority.context(**more).wrap_bio(
            self.incoming, self.outgoing, server_hostname=host)
        self.notified = False  # close_notify came
        self._run(self.ssl.do_handshake)

    @classmethod
    def to(cls, port, authority, host="localhost", **more):
        return cls(popper.Client.to(port).sock, authority, host, **more)

    def _push(self):
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)

    def _run(self, call, *args):
        while True:
            try:
                result = call(*args)
                self._push()
                return result
            except ssl.SSLWantReadError:
                self._push()
                data = self.sock.recv(262144)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            except ssl.SSLError:
                self._push()
                raise

    def send(self, data):
        self._run(self.ssl.write, data)

    def _more(self):
        """Octets, or b"" after close_notify; without one, an error."""
        try:
            data = self._run(self.ssl.read, 262144)
        except (ssl.SSLZeroReturnError, ssl.SSLSyscallError):
            data = b""
        if not data:
            self.notified = True
        return data

    def _fill(self):
        try:
            more = self._more()
        except (ConnectionResetError, ssl.SSLEOFError):
            more = b""
        if not more:
            raise popper.Closed(repr(self.buffer[-200:]))
        self.buffer += more

    def rest(self):
        parts, self.buffer = [self.buffer], b""
        while True:
            try:
                more = self._more()
            except (ConnectionResetError, ssl.SSLEOFError):
                more = b""
            if not more:
                return b"".join(parts)
            parts.append(more)

    def half_close(self):
        """close_notify; what the server says can still be read."""
        try:
            self.ssl.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._push()
