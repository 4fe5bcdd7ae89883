/*
 * letter.c - text, HTML and attachments that exercise a POP3 server.
 *
 * Runs in:  bench/genbox.
 *
 * Among ordinary lines are lone dots, lines beginning with dots, quoted
 * "From " lines, octets above 127 and lines of thousands of octets.
 */
#include <err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "letter.h"

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))

static const char *const words[] = { "the", "project", "meeting", "report",
	"please", "attached", "invoice", "regards", "update", "server", "mail",
	"Thursday", "about", "would", "could", "schedule", "thanks", "number",
	"customer", "delivery", "question", "answer", "version", "release",
	"library", "budget", "final", "draft", "confirm", "address", "office",
	"travel", "between", "information", "document", "because", "through",
	"of", "to", "and", "in", "for", "is", "on", "that", "by", "this",
	"with", "you", "it", "not", "or", "be", "are", "from", "at", "as",
	"your", "all", "have", "new", "more", "an", "was", "we", "will" };

static const char *const names[] = { "anna", "bernd", "carla", "dmitri",
	"elena", "farid", "grace", "hiro", "ines", "jonas", "kim", "lars" };

static const char *const domains[] = { "example.org", "mail.example.net",
	"corp.example.com", "lists.example.edu", "news.example.info" };

unsigned
random_below(uint64_t *state, unsigned n)
{
	*state += 0x9e3779b97f4a7c15U;
	return (unsigned)((mix64(*state) >> 32) * n >> 32);
}

double
random_unit(uint64_t *state)
{
	return (random_below(state, UINT32_MAX) + 1.0) / 4294967296.0;
}

static unsigned
below(struct letter *l, unsigned n)
{
	return random_below(&l->random, n);
}

static const char *
word(struct letter *l)
{
	return words[below(l, COUNT(words))];
}

__attribute__((format(printf, 2, 3))) static void
add(struct letter *l, const char *format, ...)
{
	va_list args;
	int n;

	if (l->room - l->len < 1024) {
		l->room = l->room * 2 + 65536;
		if ((l->text = realloc(l->text, l->room)) == NULL)
			err(1, "no memory for a message");
	}
	va_start(args, format);
	n = vsnprintf(l->text + l->len, l->room - l->len, format, args);
	va_end(args);
	if (n < 0 || n >= 1024)
		errx(1, "a line is too long to be written at once");
	l->len += (size_t)n;
}

/* Words, blank after each, until so many octets are written. */
static void
add_words(struct letter *l, size_t octets)
{
	size_t end = l->len + octets;

	while (l->len < end)
		add(l, "%s ", word(l));
}

static const char *
line_start(unsigned kind)
{
	if (kind < 30)
		return "..dotted ";
	if (kind < 45)
		return ".signature ";
	if (kind < 60)
		return ">From ";
	if (kind < 150)
		return "> ";
	return kind < 200 ? "Gr\xc3\xbc\xc3\x9f"
			    "e aus K\xc3\xb6ln, "
			  : "";
}

static void
add_line(struct letter *l)
{
	unsigned kind = below(l, 1000);

	if (kind < 12) {
		add(l, ".\n");
		return;
	}
	add(l, "%s", line_start(kind));
	add_words(l,
	    kind >= 200 && kind < 206 ? 500 + below(l, 3500)
				      : 45 + below(l, 25));
	l->len--; /* the last blank */
	add(l, "%s\n", below(l, 5) == 0 ? "." : "");
}

static void
add_text(struct letter *l, size_t end)
{
	while (l->len < end) {
		add_line(l);
		if (below(l, 7) == 0)
			add(l, "\n");
	}
}

static void
add_html(struct letter *l, size_t end)
{
	add(l, "<html><body>\n");
	while (l->len < end)
		if (below(l, 6) == 0) {
			add(l, "<table><tr><td>");
			add_words(l, 200 + below(l, 700));
			add(l, "</td></tr></table>\n");
		} else {
			add(l, "<p style=3D\"color:#222\">");
			add_words(l, 45);
			add(l, "=\n</p>\n");
		}
	add(l, "</body></html>\n");
}

static void
add_base64(struct letter *l, unsigned digits)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
				       "ghijklmnopqrstuvwxyz0123456789+/";

	for (; digits > 0; digits--)
		add(l, "%c", alphabet[below(l, 64)]);
}

static void
add_attachment(struct letter *l, size_t end)
{
	while (l->len < end) {
		add_base64(l, 76);
		add(l, "\n");
	}
	add(l, "AAAA=\n");
}

static void
add_received(struct letter *l, const char *to, const char *date)
{
	add(l,
	    "Received: from mx%u.%s (mx%u.example.org [192.0.2.%u])\n"
	    "\tby mail.example.net (Postfix) with ESMTPS id %08X%04X\n"
	    "\tfor <%s@mail.example.net>; %s\n",
	    below(l, 9), domains[below(l, COUNT(domains))], below(l, 9),
	    below(l, 250) + 1, below(l, UINT32_MAX), below(l, 65536), to, date);
}

static void
add_header(struct letter *l, unsigned long index)
{
	const char *from = names[below(l, COUNT(names))];
	const char *to = names[below(l, COUNT(names))];
	const char *at = domains[below(l, COUNT(domains))];
	time_t t = letter_time(index);
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000",
	    gmtime_r(&t, &tm));
	add(l, "Return-Path: <%s@%s>\nDelivered-To: %s@mail.example.net\n",
	    from, at, to);
	for (unsigned hops = 1 + below(l, 3); hops > 0; hops--)
		add_received(l, to, date);
	if (below(l, 2) == 0) {
		add(l,
		    "DKIM-Signature: v=1; a=rsa-sha256; d=%s; s=s1;\n\tb=", at);
		add_base64(l, 70);
		add(l, "\n");
	}
	add(l, "Message-ID: <%08x%08x.%lu@%s>\nDate: %s\n",
	    below(l, UINT32_MAX), below(l, UINT32_MAX), index, at, date);
	add(l, "From: %s <%s@%s>\nTo: %s@mail.example.net\nSubject: ", from,
	    from, at, to);
	add_words(l, 20 + below(l, 30));
	add(l, "\nMIME-Version: 1.0\n");
}

static void
add_multipart(struct letter *l, unsigned long index, size_t octets)
{
	bool mixed = octets >= 25000 && below(l, 10) >= 3;
	size_t text = mixed ? 1200 : octets * 35 / 100;

	add(l,
	    "Content-Type: multipart/%s; boundary=\"=_b%lu\"\n\n--=_b%lu\n"
	    "Content-Type: text/plain; charset=utf-8\n\n",
	    mixed ? "mixed" : "alternative", index, index);
	add_text(l, l->len + text);
	add(l,
	    "\n--=_b%lu\nContent-Type: %s\n"
	    "Content-Transfer-Encoding: %s\n\n",
	    index, mixed ? "application/pdf" : "text/html",
	    mixed ? "base64" : "quoted-printable");
	if (mixed)
		add_attachment(l, octets);
	else
		add_html(l, octets);
	add(l, "\n--=_b%lu--\n", index);
}

void
letter_write(
    struct letter *l, unsigned long index, size_t octets, uint64_t seed)
{
	l->random = seed * 1000003 + index * 7919 + 17;
	l->len = 0;
	add_header(l, index);
	if (octets < 9000) {
		add(l, "Content-Type: text/plain; charset=utf-8\n\n");
		add_text(l, octets);
	} else {
		add_multipart(l, index, octets);
	}
}

time_t
letter_time(unsigned long index)
{
	return 1700000000 + (time_t)index * 37;
}
