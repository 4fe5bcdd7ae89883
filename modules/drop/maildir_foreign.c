/*
 * maildir_foreign.c - what other POP3 servers make of file names, and their
 * lists of unique-ids.
 *
 * Runs in: popper-session, as the user.  Pure: works on memory.  A list may
 * hold anything; a line that makes no sense is counted and skipped.
 *
 * Courier keeps "courierpop3dsizelist": a line "/2 ..." or "/3 ...", then per
 * message "NAME SIZE NUMBER:VALIDITY[:...]".  Without a number the id is the
 * name, with "+" and two digits for what cannot stand in an id; without
 * validity it is "UIDnumber", else "UIDnumber-validity".
 *
 * Dovecot keeps "dovecot-uidlist": a line "3 Vvalidity ..." (or "1 validity
 * ..."), then per message "UID FIELDS... :NAME" (or "UID NAME").  A field P
 * holds the id that clients have seen; else a format makes it.
 *
 * The others make ids of the name alone: qmail-pop3d takes it as it is, solid-
 * pop3d and tpop3d take its MD5.  All of them look at it up to the colon only.
 */
#include <nettle/md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maildir_foreign.h"

static const char hex[] = "0123456789abcdef";

/* Store ${text} if it can be an id (RFC 1939 section 7), else "". */
static void
put_legal(struct popper_slice text, char *uid)
{
	size_t i;

	*uid = '\0';
	if (text.len == 0 || text.len > POPPER_UID_MAX)
		return;
	for (i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e)
			return;
	memcpy(uid, text.ptr, text.len);
	uid[text.len] = '\0';
}

static void
put_md5(struct popper_slice text, char *uid)
{
	uint8_t sum[MD5_DIGEST_SIZE];
	struct md5_ctx md5;
	size_t i;

	md5_init(&md5);
	md5_update(&md5, text.len, (const uint8_t *)text.ptr);
	md5_digest(&md5, sizeof(sum), sum);
	for (i = 0; i < sizeof(sum); i++) {
		*uid++ = hex[sum[i] >> 4];
		*uid++ = hex[sum[i] & 15];
	}
	*uid = '\0';
}

bool
maildir_foreign_name(
    const char *scheme, struct popper_slice base, char uid[POPPER_UID_MAX + 1])
{
	if (strcmp(scheme, "qmail") == 0)
		put_legal(base, uid);
	else if (strcmp(scheme, "solid") == 0 || strcmp(scheme, "tpop3d") == 0)
		put_md5(base, uid);
	else
		return false;
	return true;
}

/* --- Lists. --- */

/* The line at ${*text}, without its end; ${*text} moves behind it. */
static bool
next_line(const char **text, struct popper_slice *line)
{
	if (**text == '\0')
		return false;
	*line = popper_slice(*text, strcspn(*text, "\n"));
	*text += line->len + ((*text)[line->len] == '\n');
	return true;
}

/* Cut a decimal number off the front. */
static bool
cut_number(struct popper_slice *s, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
		if (i == 18)
			return false;
		n = n * 10 + (uint64_t)(s->ptr[i] - '0');
	}
	if (i == 0)
		return false;
	*s = popper_slice(s->ptr + i, s->len - i);
	*out = n;
	return true;
}

static bool
cut_char(struct popper_slice *s, char c)
{
	if (s->len == 0 || *s->ptr != c)
		return false;
	*s = popper_slice(s->ptr + 1, s->len - 1);
	return true;
}

/* Cut the last word off the end. */
static struct popper_slice
cut_last(struct popper_slice *s)
{
	size_t at = s->len;
	struct popper_slice word;

	while (at > 0 && s->ptr[at - 1] != ' ')
		at--;
	word = popper_slice(s->ptr + at, s->len - at);
	s->len = at == 0 ? 0 : at - 1;
	return word;
}

static struct popper_slice
base_of(struct popper_slice name)
{
	const char *colon = memchr(name.ptr, ':', name.len);

	return colon == NULL
	    ? name
	    : popper_slice(name.ptr, (size_t)(colon - name.ptr));
}

static int
give(struct maildir_taker *t, struct popper_slice base, const char *uid)
{
	if (*uid != '\0' && base.len > 0 &&
	    memchr(base.ptr, '/', base.len) == NULL)
		return t->take(t, base, uid);
	t->bad++;
	return 0;
}

/* Courier's id of a message without a number. */
static void
put_escaped(struct popper_slice base, char *uid)
{
	static const char upper[] = "0123456789ABCDEF";
	char text[POPPER_UID_MAX + 4];
	unsigned char c;
	size_t i, n = 0;

	for (i = 0; i < base.len && n <= POPPER_UID_MAX; i++) {
		c = (unsigned char)base.ptr[i];
		if (c >= 0x21 && c <= 0x7e && c != '\'' && c != '"' &&
		    c != '+') {
			text[n++] = (char)c;
			continue;
		}
		text[n++] = '+';
		text[n++] = upper[c >> 4];
		text[n++] = upper[c & 15];
	}
	put_legal(popper_slice(text, n), uid);
}

static int
courier_line(struct popper_slice line, struct maildir_taker *t)
{
	struct popper_slice ids = cut_last(&line), size = cut_last(&line);
	char uid[POPPER_UID_MAX + 1];
	uint64_t number, validity;

	if (!cut_number(&size, &number) || size.len != 0 ||
	    !cut_number(&ids, &number) || !cut_char(&ids, ':') ||
	    !cut_number(&ids, &validity) || (ids.len > 0 && *ids.ptr != ':')) {
		t->bad++;
		return 0;
	}
	if (number == 0)
		put_escaped(base_of(line), uid);
	else if (validity == 0)
		(void)snprintf(
		    uid, sizeof(uid), "UID%llu", (unsigned long long)number);
	else
		(void)snprintf(uid, sizeof(uid), "UID%llu-%llu",
		    (unsigned long long)number, (unsigned long long)validity);
	return give(t, base_of(line), uid);
}

int
maildir_courier(const char *text, struct maildir_taker *t)
{
	struct popper_slice line;

	if (strncmp(text, "/2 ", 3) != 0 && strncmp(text, "/3 ", 3) != 0)
		return 1;
	(void)next_line(&text, &line);
	while (next_line(&text, &line))
		if (courier_line(line, t) == -1)
			return -1;
	return 0;
}

/* What one line of Dovecot's says. */
struct dovecot {
	uint64_t validity, uid;
	struct popper_slice name, guid, saved;
	char *out;
};

static void
put_hex(const struct dovecot *d)
{
	(void)snprintf(d->out, POPPER_UID_MAX + 1, "%08llx%08llx",
	    (unsigned long long)d->uid, (unsigned long long)d->validity);
}

static void
put_hex_uw(const struct dovecot *d)
{
	(void)snprintf(d->out, POPPER_UID_MAX + 1, "%08llx%08llx",
	    (unsigned long long)d->validity, (unsigned long long)d->uid);
}

static void
put_dotted(const struct dovecot *d)
{
	(void)snprintf(d->out, POPPER_UID_MAX + 1, "%llu.%llu",
	    (unsigned long long)d->validity, (unsigned long long)d->uid);
}

static void
put_dashed(const struct dovecot *d)
{
	(void)snprintf(d->out, POPPER_UID_MAX + 1, "%llu-%llu",
	    (unsigned long long)d->validity, (unsigned long long)d->uid);
}

static void
put_number(const struct dovecot *d)
{
	(void)snprintf(
	    d->out, POPPER_UID_MAX + 1, "%llu", (unsigned long long)d->uid);
}

static void
put_name(const struct dovecot *d)
{
	put_legal(base_of(d->name), d->out);
}

static void
put_guid(const struct dovecot *d)
{
	put_legal(d->guid.len > 0 ? d->guid : base_of(d->name), d->out);
}

static const struct format {
	const char *word;
	void (*put)(const struct dovecot *);
} formats[] = { { "%08Xu%08Xv", put_hex },
	{ "%{uid|hex(8)}%{uidvalidity|hex(8)}", put_hex },
	{ "%08Xv%08Xu", put_hex_uw },
	{ "%{uidvalidity|hex(8)}%{uid|hex(8)}", put_hex_uw },
	{ "%v.%u", put_dotted }, { "%{uidvalidity}.%{uid}", put_dotted },
	{ "%v-%u", put_dashed }, { "%{uidvalidity}-%{uid}", put_dashed },
	{ "%u", put_number }, { "%{uid}", put_number }, { "%f", put_name },
	{ "%{filename}", put_name }, { "%g", put_guid },
	{ "%{guid}", put_guid } };

/* Behind the uid: " FIELD FIELD :NAME"; the name may hold anything. */
static bool
dovecot_fields(struct popper_slice s, struct dovecot *d)
{
	struct popper_slice field;
	const char *end;

	while (cut_char(&s, ' ')) {
		if (cut_char(&s, ':')) {
			d->name = s;
			return s.len > 0;
		}
		end = memchr(s.ptr, ' ', s.len);
		field = popper_slice(
		    s.ptr, end == NULL ? s.len : (size_t)(end - s.ptr));
		s = popper_slice(s.ptr + field.len, s.len - field.len);
		if (cut_char(&field, 'P'))
			d->saved = field;
		else if (cut_char(&field, 'G'))
			d->guid = field;
	}
	return false;
}

static int
dovecot_line(struct popper_slice line, bool old, struct dovecot d,
    const struct format *f, struct maildir_taker *t)
{
	char uid[POPPER_UID_MAX + 1];
	bool good =
	    cut_number(&line, &d.uid) && d.uid > 0 && d.uid <= UINT32_MAX;

	d.out = uid;
	if (good && old) {
		good = cut_char(&line, ' ') && line.len > 0;
		d.name = line;
	} else if (good)
		good = dovecot_fields(line, &d);
	if (!good) {
		t->bad++;
		return 0;
	}
	if (d.saved.len > 0)
		put_legal(d.saved, uid);
	else
		f->put(&d);
	return give(t, base_of(d.name), uid);
}

int
maildir_dovecot(const char *text, const char *format, struct maildir_taker *t)
{
	const struct format *f = formats;
	struct dovecot d = { .uid = 0 };
	struct popper_slice line;
	bool old = strncmp(text, "1 ", 2) == 0;

	while (strcmp(f->word, format) != 0 &&
	    f + 1 < formats + sizeof(formats) / sizeof(*formats))
		f++;
	if (!old && strncmp(text, "3 ", 2) != 0)
		return 1;
	(void)next_line(&text, &line);
	line = popper_slice(line.ptr + 2, line.len - 2);
	/* Version 3: words in any order, V is the one that counts. */
	while (!old && line.len > 0 && *line.ptr != 'V') {
		const char *next = memchr(line.ptr, ' ', line.len);

		if (next == NULL)
			return 1;
		line.len -= (size_t)(next + 1 - line.ptr);
		line.ptr = next + 1;
	}
	if ((!old && !cut_char(&line, 'V')) ||
	    !cut_number(&line, &d.validity) || d.validity > UINT32_MAX)
		return 1;
	while (next_line(&text, &line))
		if (dovecot_line(line, old, d, f, t) == -1)
			return -1;
	return 0;
}
