"""fixtures.py - the maildrops that dialogs name in "# maildrop:"."""

import mail


def _boundaries():
    """Dots where a reader's buffer may end: around every power of two."""
    out = bytearray(b"Subject: boundaries\n\n")
    for size in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072):
        for at in range(size - 3, size + 4):
            if at > len(out) + 1:
                out += b"y" * (at - len(out) - 1) + b"\n"
            out += b".\n"
    return bytes(out)


def _line_ends():
    """CR and LF where a reader's buffer may end."""
    out = bytearray(b"Subject: ends\n\n")
    for size in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072):
        if size - 2 > len(out):
            out += b"z" * (size - 2 - len(out))
        out += b"\r\n\r\r\n.\r\n"
    return bytes(out)


# Separators that count and lines that only look like one; a length that lies.
PARSING = [
    b"Subject: one\nContent-Length: 99999\n\nFrom here on it is text.\n",
    b"Subject: two\n\n>From quoted\nFrom a@b Tue Mar  4 09:00:00 2025\n",
    b"Subject: three\n\ntext\n\nFrom nobody without a date\n",
    b"Subject: four\n\n\n\n"]
PARSING_FILE = (
    b"From bob@example.net Tue Mar  4 09:00:00 2025\n" + PARSING[0] +
    b"\nFrom MAILER-DAEMON Tue Mar  4 09:00:00 2025\n" + PARSING[1] +
    b"\nFrom a!b!c Tue Mar  4 09:00:00 MET 2025\n" + PARSING[2] +
    b"\nFrom  Tue Mar  4 09:00:00 2025 +0100\n" + PARSING[3] + b"\n")
FILES = {"garbage": b"this is no mailbox\n\n", "empty": b"",
         "parsing": PARSING_FILE}

ODD = list(mail.corpus().values())

FIXTURES = {
    "empty": [],
    "one": [mail.simple(1)],
    "two": [mail.simple(n) for n in (1, 2)],
    "three": [mail.simple(n) for n in (1, 2, 3)],
    "five": [mail.simple(n) for n in range(1, 6)],
    "hundred": [mail.simple(n) for n in range(1, 101)],
    "odd": ODD,
    "dots": [mail.corpus()["dots"], mail.corpus()["open-end"]],
    "top": [b"Subject: short\n\none\ntwo\nthree\n",
            b"Subject: no body\n",
            b"Subject: empty body\n\n",
            b"Subject: blanks\nX-Blank: \n \n\n\n\nafter\n"],
    "boundaries": [_boundaries(), _line_ends()],
    "odd-from": [b"Subject: none\n\nFrom: body\n",
                 b"From: " + b"x" * 5000 + b"\n\nx\n",
                 b"X: y\n From: no\nfrom:\n\tA \n  B\n <a@b>\nFrom: 2\n\n",
                 b"From:\nTo: x\n\n",
                 b"Fromage: x\nFROM:%s%n \xc3\xa4 \x07x\r\n\r\nx\r\n"],
    "foreign": [mail.simple(1), mail.corpus()["multipart"],
                "Subject: gr\u00fcn\n\nx\n".encode(),
                mail.corpus()["eight-bit"], "\n\u00fc\n".encode()],
    "twins": [mail.simple(7), mail.simple(7), mail.simple(8)],
    "large": [mail.corpus()["attachment"], mail.simple(2)],
    "parsing": PARSING,
    "maildir-odd": list(mail.corpus_maildir().values()),
}
