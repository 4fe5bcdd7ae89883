"""issuer.py - whoever issues tokens: keys, JWK Sets and signed tokens, all made
by the openssl command, and an introspection endpoint on loopback.

    issuer = issuer.Issuer(folder)
    issuer.make("r", "RS256")               # or "ES256", "EdDSA"
    text = issuer.jwks("r")
    token = issuer.token("r", email="carol@example.org")
    endpoint = issuer.Endpoint()            # endpoint.way = "hang" ...
"""

import base64
import http.server
import json
import os
import subprocess
import threading
import time

ISSUER, AUDIENCE = "https://id.example.org", "popper"
_KINDS = {"RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
          "ES256": ["-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256"],
          "EdDSA": ["-algorithm", "ED25519"]}


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _openssl(*words, octets=b""):
    return subprocess.run(("openssl",) + words, input=octets, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60).stdout


def _half(octets, at):
    """An INTEGER of DER as 32 octets, and where the next one begins."""
    size = octets[at + 1]
    number = int.from_bytes(octets[at + 2:at + 2 + size], "big")
    return number.to_bytes(32, "big"), at + 2 + size


class Issuer:
    def __init__(self, folder):
        os.mkdir(folder, 0o700)
        self.folder, self.kinds = folder, {}

    def _key(self, kid):
        return os.path.join(self.folder, kid + ".pem")

    def make(self, kid, kind):
        _openssl("genpkey", *_KINDS[kind], "-out", self._key(kid))
        self.kinds[kid] = kind
        return self

    def jwk(self, kid):
        kind = self.kinds[kid]
        der = _openssl("pkey", "-in", self._key(kid), "-pubout", "-outform",
                       "DER")
        if kind == "ES256":
            more = {"kty": "EC", "crv": "P-256", "x": encode(der[-64:-32]),
                    "y": encode(der[-32:])}
        elif kind == "EdDSA":
            more = {"kty": "OKP", "crv": "Ed25519", "x": encode(der[-32:])}
        else:
            text = _openssl("rsa", "-in", self._key(kid), "-modulus",
                            "-noout").decode()
            more = {"kty": "RSA", "e": "AQAB", "n": encode(bytes.fromhex(
                text.strip().split("=")[1]))}
        return dict(more, kid=kid, use="sig", alg=kind)

    def jwks(self, *kids):
        return json.dumps({"keys": [self.jwk(kid) for kid in kids]})

    def _sign(self, kid, octets):
        if self.kinds[kid] == "EdDSA":
            path = os.path.join(self.folder, "input")
            with open(path, "wb") as file:
                file.write(octets)
            return _openssl("pkeyutl", "-sign", "-rawin", "-inkey",
                            self._key(kid), "-in", path)
        made = _openssl("dgst", "-sha256", "-sign", self._key(kid),
                        octets=octets)
        if self.kinds[kid] == "RS256":
            return made
        r, at = _half(made, 2)
        return r + _half(made, at)[0]

    def token(self, kid, email, lifetime=600, **more):
        """A good token, but for what ${more} says otherwise."""
        claims = {"iss": ISSUER, "aud": AUDIENCE, "email": email,
                  "email_verified": True, "iat": int(time.time()),
                  "exp": int(time.time()) + lifetime}
        claims.update(more)
        text = ".".join(encode(json.dumps(part).encode()) for part in (
            {"alg": self.kinds[kid], "kid": kid, "typ": "at+jwt"}, claims))
        return text + "." + encode(self._sign(kid, text.encode()))


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        endpoint = self.server.endpoint
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        endpoint.asked.append((self.headers["Authorization"], body))
        if endpoint.way == "hang":
            endpoint.stopped.wait()
        elif endpoint.way == "redirect":
            self.send_response(307)
            self.send_header("Location", endpoint.url)
            self.end_headers()
        elif endpoint.way == "answer":
            self._say(json.dumps(endpoint.answer).encode())
        elif endpoint.way == "large":
            self._say(b"{" + b" " * 10000000 + b"}")
        # "die": the connection ends without a word

    def _say(self, octets):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        try:
            self.wfile.write(octets)
        except OSError:
            pass  # the other side has heard enough

    def log_message(self, *words):
        pass


class Endpoint:
    """way: answer, hang, die, redirect, large."""

    def __init__(self):
        self.way, self.answer, self.asked = "answer", {"active": False}, []
        self.stopped = threading.Event()
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.endpoint = self
        self.url = "http://127.0.0.1:%d/introspect" % (
            self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
