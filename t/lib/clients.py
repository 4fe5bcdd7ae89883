"""clients.py - POP3 clients that other people wrote, each fetching all mail.

    way = clients.Way("stls", port, ca)         # or "plain", "tls"
    got = clients.CLIENTS["curl"](way, user.name, password, folder, "PLAIN")
    clients.wrong(got, messages)                # "" if all came

A client function takes where to go, a name, a password, an empty folder to
work in and the mechanism to use: "USER" for USER and PASS, else what AUTH is
given.  MECHANISMS has what each can be told to use.  More options of the
client go to `more`.  It fetches everything, deletes nothing, and returns a
Fetched.
"""

import os
import poplib
import ssl
import subprocess

import popper

WAYS = ("plain", "stls", "tls")


class Way:
    def __init__(self, kind, port, authority=None, pair=None,
                 host="127.0.0.1"):
        self.kind, self.port, self.authority = kind, port, authority
        self.pair = pair  # the client's own certificate
        self.host = host  # curl, mpop and fetchmail go there

    @property
    def ca(self):
        return self.authority.certificate


class Fetched:
    """exact: messages are octets of the wire.  Else the client has changed
    line ends and added header fields, whose names `added` has."""

    def __init__(self, status, output, messages, exact=False, added=()):
        self.status, self.output, self.messages = status, output, messages
        self.exact, self.added = exact, added


# What a client can be told to use.  None: it chooses by itself.
MECHANISMS = {
    "curl": ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "GSSAPI",
             "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "APOP"),
    "mpop": ("USER", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5",
             "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL", "GSSAPI",
             "OAUTHBEARER", "XOAUTH2", "APOP"),
    "fetchmail": ("USER", "APOP", "CRAM-MD5", "GSSAPI", "EXTERNAL"),
    "getmail": ("USER",),
    "poplib": ("USER", "APOP", "PLAIN", "LOGIN"),
    "perl": ("USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"),
    "openssl": ("USER", "PLAIN", "LOGIN"),
}


def run(command, env=None, as_user=False, text=None):
    """Run a client; returns (status, output)."""
    more = {}
    if as_user and popper.ROOT:
        more = {"user": popper.NOBODY, "group": popper.NOGROUP,
                "extra_groups": []}
    result = subprocess.run(
        command, env=dict(os.environ, LC_ALL="C", **(env or {})), input=text,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240, **more)
    return result.returncode, result.stdout


def folder(server, name):
    """An empty folder for a client, in the server's."""
    path = server.path("run", name)
    os.mkdir(path)
    os.chmod(path, 0o700)
    return path


def give(path):
    """For a client that will not run as root."""
    if popper.ROOT:
        for top, _, names in os.walk(path):
            os.chown(top, popper.NOBODY, popper.NOGROUP)
            for name in names:
                os.chown(os.path.join(top, name), popper.NOBODY,
                         popper.NOGROUP)


def without(raw, *names):
    """Clients add header fields of their own; take them away again."""
    head, split, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines, keep = [], True
    for line in head.split(b"\n"):
        if not line[:1] in (b" ", b"\t"):
            keep = not line.lower().startswith(names)
        if keep:
            lines.append(line)
    return b"\n".join(lines) + split + body


def files(path):
    """The messages of a Maildir."""
    found = []
    for name in ("new", "cur"):
        for entry in os.listdir(os.path.join(path, name)):
            with open(os.path.join(path, name, entry), "rb") as file:
                found.append(file.read())
    return found


def make_maildir(path):
    for name in ("", "tmp", "new", "cur"):
        os.mkdir(os.path.join(path, name))
    return path


def wrong(fetched, wires):
    """What is wrong with what came; wires: what RETR must have sent."""
    if fetched.messages is None:
        return "status %d: %r" % (fetched.status, fetched.output[-600:])
    got, want = list(fetched.messages), list(wires)
    if not fetched.exact:
        names = fetched.added + (b"return-path:", b"received:")
        got, want = (sorted(without(raw, *names).rstrip(b"\n") for raw in x)
                     for x in (got, want))
    if len(got) != len(want):
        return "%d messages, not %d" % (len(got), len(want))
    for x, y in zip(got, want):
        if x != y:
            return "came %r, not %r" % (x[:300], y[:300])
    return ""


# --- The clients ------------------------------------------------------------

def _token(mechanism):
    return mechanism in ("OAUTHBEARER", "XOAUTH2")


def curl(way, user, password, home, mechanism=None, more=()):
    base = "pop3%s://%s:%d/" % ("s" if way.kind == "tls" else "", way.host,
                                way.port)
    command = ["curl", "-sS", "-m", "30"] + list(more)
    if mechanism in ("EXTERNAL", "GSSAPI"):
        command += ["-u", user + ":"]
    elif _token(mechanism):
        command += ["-u", user + ":", "--oauth2-bearer", password]
    else:
        command += ["-u", "%s:%s" % (user, password)]
    if mechanism:
        command += ["--login-options", "AUTH=" + (
            "+APOP" if mechanism == "APOP" else mechanism)]
    if way.kind != "plain":
        command += ["--cacert", way.ca]
    if way.kind == "stls":
        command += ["--ssl-reqd"]
    if way.pair:
        command += ["--cert", way.pair.certificate, "--key", way.pair.key]
    status, output = run(command + [base])
    if status != 0:
        return Fetched(status, output, None)
    count, got = len(output.splitlines()), []
    # One connection for all of them.
    status, output = run(command + ["-v", base + "[1-%d]" % count, "-o",
                                    os.path.join(home, "#1")])
    for number in range(1, count + 1):
        try:
            with open(os.path.join(home, str(number)), "rb") as file:
                got.append(file.read())
        except FileNotFoundError:
            return Fetched(status, output, None)
    return Fetched(status, output, got if status == 0 else None, True)


def mpop(way, user, password, home, mechanism="USER", more=()):
    box = make_maildir(os.path.join(home, "box"))
    with open(os.path.join(home, "password"), "w") as file:
        file.write(password + "\n")
    command = ["mpop", "--host=" + way.host, "--port=%d" % way.port,
               "--timeout=20", "--user=" + user, "--passwordeval=cat " +
               os.path.join(home, "password"),
               "--auth=" + (mechanism or "on").lower(),
               "--delivery=maildir," + box,
               "--uidls-file=" + os.path.join(home, "ids"),
               "--received-header=off", "--keep=on", "--debug"] + list(more)
    if way.kind == "plain":
        command += ["--tls=off"]
    else:
        command += ["--tls=on", "--tls-trust-file=" + way.ca,
                    "--tls-starttls=" + ("on" if way.kind == "stls"
                                         else "off")]
    if way.pair:
        command += ["--tls-cert-file=" + way.pair.certificate,
                    "--tls-key-file=" + way.pair.key]
    status, output = run(command, {"HOME": home})
    return Fetched(status, output, files(box) if status == 0 else None)


def _quoted(text):
    """For fetchmailrc, whose quotes end at the first quote."""
    return "".join(c if c.isalnum() else "".join(
        "\\x%02x" % octet for octet in c.encode()) for c in text)


def fetchmail(way, user, password, home, mechanism="USER", more=()):
    box = os.path.join(home, "in")
    lines = ['set idfile "%s/ids"' % home, "set no bouncemail",
             "poll %s protocol %s port %d uidl no dns" % (
                 way.host, "apop" if mechanism == "APOP" else "pop3",
                 way.port),
             'auth %s' % {"USER": "password", "APOP": "any"}.get(
                 mechanism, (mechanism or "any").lower()),
             'user "%s" password "%s" keep fetchall' % (
                 _quoted(user), _quoted(password))]
    if way.kind == "plain":
        lines.append('sslproto ""')
    else:
        lines.append('%s sslcertck sslcertfile "%s" sslcommonname localhost'
                     % ("ssl" if way.kind == "tls" else 'sslproto "auto"',
                        way.ca))
    if way.pair:
        lines.append('sslcert "%s" sslkey "%s"' % (
            way.pair.certificate, way.pair.key))
    lines += list(more)
    lines.append('mda "cat >>%s; echo ===END=== >>%s"' % (box, box))
    with open(os.path.join(home, "rc"), "w") as file:
        file.write("\n".join(lines) + "\n")
    os.chmod(os.path.join(home, "rc"), 0o600)
    give(home)
    status, output = run(
        ["fetchmail", "-vv", "-f", os.path.join(home, "rc"), "--nosyslog",
         "--pidfile", os.path.join(home, "pid")],
        {"FETCHMAILHOME": home, "HOME": home}, as_user=True)
    if status != 0:
        return Fetched(status, output, None)
    with open(box, "rb") as file:
        return Fetched(status, output, file.read().split(b"===END===\n")[:-1],
                       added=(b"delivered-to:", b"x-original"))


def getmail(way, user, password, home, mechanism="USER", more=()):
    """Without STLS, which it cannot do."""
    box = make_maildir(os.path.join(home, "box"))
    lines = ["[retriever]", "server = 127.0.0.1", "port = %d" % way.port,
             "username = " + user, "password = " + password]
    if way.kind == "tls":
        lines += ["type = SimplePOP3SSLRetriever", "ca_certs = " + way.ca]
    else:
        lines += ["type = SimplePOP3Retriever"]
    lines += list(more) + [
        "[destination]", "type = Maildir", "path = %s/" % box, "[options]",
        "read_all = false", "delivered_to = false", "received = false"]
    with open(os.path.join(home, "getmailrc"), "w") as file:
        file.write("\n".join(lines) + "\n")
    give(home)
    status, output = run(["getmail", "--getmaildir=" + home],
                         {"HOME": home}, as_user=True)
    return Fetched(status, output, files(box) if status == 0 else None)


def _auth_lines(mechanism, user, password):
    """What AUTH is answered with, line by line."""
    import base64
    words = {"PLAIN": ["\0%s\0%s" % (user, password)],
             "LOGIN": [user, password]}[mechanism]
    return [base64.b64encode(word.encode()).decode() for word in words]


def python(way, user, password, home, mechanism="USER", more=()):
    poplib._MAXLINE = 200000
    context = None
    if way.kind != "plain":
        context = ssl.create_default_context(cafile=way.ca)
        if way.pair:
            context.load_cert_chain(way.pair.certificate, way.pair.key)
    try:
        if way.kind == "tls":
            box = poplib.POP3_SSL("localhost", way.port, context=context,
                                  timeout=popper.PATIENCE)
        else:
            box = poplib.POP3("127.0.0.1", way.port,
                              timeout=popper.PATIENCE)
        if way.kind == "stls":
            box.host = "localhost"  # what the certificate must say
            box.stls(context)
        if mechanism == "APOP":
            box.apop(user, password)
        elif mechanism == "USER":
            box.user(user)
            box.pass_(password)
        else:
            box._putcmd("AUTH " + mechanism)
            for line in _auth_lines(mechanism, user, password):
                box._getline()
                box._putcmd(line)
            box._getresp()
        got = [b"\r\n".join(box.retr(number)[1]) + b"\r\n"
               for number in range(1, box.stat()[0] + 1)]
        box.quit()
    except poplib.error_proto as e:
        return Fetched(1, str(e).encode(), None)
    return Fetched(0, b"", got, True)


_PERL = r"""
use Net::POP3;
my ($kind, $port, $ca, $user, $mechanism, $cert, $key) = @ARGV;
my $password = <STDIN>;
chomp $password;
my @tls = (SSL_ca_file => $ca, SSL_verifycn_name => "localhost",
    SSL_hostname => "localhost");
push @tls, (SSL_cert_file => $cert, SSL_key_file => $key) if $cert;
my $pop = Net::POP3->new("127.0.0.1", Port => $port, Timeout => 20,
    $kind eq "tls" ? (SSL => 1, @tls) : ()) or die "connect: $@";
if ($kind eq "stls") { $pop->starttls(@tls) or die "STLS: $@"; }
binmode STDOUT;
if ($mechanism eq "USER") { defined $pop->login($user, $password)
    or die "login: " . $pop->message; }
elsif ($mechanism eq "APOP") { defined $pop->apop($user, $password)
    or die "apop: " . $pop->message; }
else {
    require Authen::SASL;
    my $sasl = Authen::SASL->new(mechanism => $mechanism,
	callback => { user => $user, authname => "", pass => $password });
    $pop->auth($sasl) or die "auth: " . $pop->message;
}
my $list = $pop->list;
for my $n (sort { $a <=> $b } keys %$list) {
    print join("", @{$pop->get($n)}), "===END===\n";
}
$pop->quit or die "quit";
"""


def perl(way, user, password, home, mechanism="USER", more=()):
    pair = [way.pair.certificate, way.pair.key] if way.pair else []
    status, output = run(
        ["perl", "-e", _PERL, way.kind, str(way.port),
         "" if way.kind == "plain" else way.ca, user, mechanism] + pair,
        text=password.encode() + b"\n")
    return Fetched(status, output, output.split(b"===END===\n")[:-1]
                   if status == 0 else None)


def openssl(way, user, password, home, mechanism="USER", more=()):
    """openssl s_client, with our own dialog through its pipes."""
    command = ["openssl", "s_client", "-quiet", "-verify_return_error",
               "-verify", "3", "-CAfile", way.ca, "-connect",
               "127.0.0.1:%d" % way.port, "-verify_hostname", "localhost"]
    if way.kind == "stls":
        command += ["-starttls", "pop3"]
    if way.pair:
        command += ["-cert", way.pair.certificate, "-key", way.pair.key]
    process = subprocess.Popen(command + list(more), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    box = popper.Client(Pipes(process))
    try:
        if way.kind == "tls":
            box.reply()  # else s_client has taken it
        if mechanism == "USER":
            box.ok("USER " + user)
            box.ok("PASS " + password)
        else:
            answer = box.cmd("AUTH " + mechanism)
            for line in _auth_lines(mechanism, user, password):
                if not answer.startswith("+ "):
                    break
                answer = box.cmd(line)
            if not answer.startswith("+OK"):
                raise AssertionError(answer)
        count = int(box.ok("STAT").split()[1])
        got = [box.fetch("RETR %d" % number)
               for number in range(1, count + 1)]
        box.ok("QUIT")
    except (AssertionError, popper.Closed) as e:
        process.kill()
        _, errors = process.communicate()
        return Fetched(1, str(e).encode() + errors, None)
    _, errors = process.communicate()
    return Fetched(process.returncode, errors, got, True)


class Pipes:
    """A process's pipes with the face of a socket."""

    def __init__(self, process):
        self.process = process

    def settimeout(self, seconds):
        pass

    def sendall(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def recv(self, count):
        return self.process.stdout.read1(count)


CLIENTS = {"curl": curl, "mpop": mpop, "fetchmail": fetchmail,
           "getmail": getmail, "poplib": python, "perl": perl,
           "openssl": openssl}


def lacks(name, way):
    """Why this client cannot go that way here, or ""."""
    import shutil
    if name != "poplib" and not shutil.which(name):
        return "needs " + name
    if name == "getmail" and way == "stls":
        return "getmail has no STLS"
    if name == "openssl" and way == "plain":
        return "s_client speaks TLS only"
    if name == "perl" and way != "plain" and subprocess.run(
            ["perl", "-MIO::Socket::SSL", "-e", "1"],
            stderr=subprocess.DEVNULL).returncode != 0:
        return "needs IO::Socket::SSL"
    return ""
