/*
 * mbox_foreign.c - unique-ids as other POP3 servers make them of an mbox.
 *
 * Runs in: the session, as the user.  Pure: works on memory.
 *
 * popa3d: MD5 over the first Received field with its folded lines, Delivered-To
 * and X-Delivery-ID, and over Date and Message-ID as long as no Received has
 * been seen; eight octets of it, in the order 3 2 1 0 7 6 5 4.  solid-pop3d:
 * MD5 over the first line of all Received, Date, Message-Id and Subject fields,
 * in just these letters.  tpop3d: MD5 of the first 512 octets.  They protect
 * against nobody; they have to be the same as on the old server.
 *
 * UW's ipop3d and Dovecot number the messages and write that into the header.
 */
#include <nettle/md5.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mbox_foreign.h"

#define SHORT 8 /* octets of the digest in popa3d's ids */

enum mbox_scheme
mbox_foreign_scheme(const struct mbox_conf *conf)
{
	static const struct {
		const char *word;
		enum mbox_scheme scheme;
	} schemes[] = { { "popa3d", MBOX_POPA3D }, { "solid", MBOX_SOLID },
		{ "tpop3d", MBOX_TPOP3D }, { "uw", MBOX_IMAP_VU },
		{ "dovecot", MBOX_IMAP_UV } },
	  formats[] = { { "%08Xv%08Xu", MBOX_IMAP_VU },
		  { "%{uidvalidity|hex(8)}%{uid|hex(8)}", MBOX_IMAP_VU },
		  { "%v.%u", MBOX_IMAP_DOT },
		  { "%{uidvalidity}.%{uid}", MBOX_IMAP_DOT },
		  { "%v-%u", MBOX_IMAP_DASH },
		  { "%{uidvalidity}-%{uid}", MBOX_IMAP_DASH },
		  { "%u", MBOX_IMAP_UID }, { "%{uid}", MBOX_IMAP_UID } };
	enum mbox_scheme scheme = MBOX_POPPER;
	size_t i;

	if (strcmp(conf->unique_id, "qpopper") == 0)
		return conf->old_style_uid ? MBOX_QPOPPER_OLD : MBOX_QPOPPER;
	for (i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strcmp(conf->unique_id, schemes[i].word) == 0)
			scheme = schemes[i].scheme;
	if (scheme == MBOX_IMAP_UV)
		for (i = 0; i < sizeof(formats) / sizeof(*formats); i++)
			if (strcmp(conf->dovecot_format, formats[i].word) == 0)
				scheme = formats[i].scheme;
	return scheme;
}

/* --- Header lines. --- */

/* Cut the next line off, with its end. */
static bool
next_line(struct popper_slice *text, struct popper_slice *line)
{
	const char *lf = memchr(text->ptr, '\n', text->len);
	size_t len = lf == NULL ? text->len : (size_t)(lf - text->ptr) + 1;

	*line = popper_slice(text->ptr, len);
	*text = popper_slice(text->ptr + len, text->len - len);
	return len > 0;
}

static bool
is_empty(struct popper_slice line)
{
	return *line.ptr == '\n' ||
	    (line.len == 2 && line.ptr[0] == '\r' && line.ptr[1] == '\n');
}

static bool
is_folded(struct popper_slice line)
{
	return *line.ptr == ' ' || *line.ptr == '\t';
}

static bool
is_field(struct popper_slice line, const char *name)
{
	size_t len = strlen(name);

	return line.len >= len && strncasecmp(line.ptr, name, len) == 0;
}

size_t
mbox_foreign_header(struct popper_slice text)
{
	struct popper_slice rest = text, line;

	while (next_line(&rest, &line))
		if (is_empty(line))
			return (size_t)(line.ptr - text.ptr);
	return text.len;
}

/* --- Hashes. --- */

static void
add(struct md5_ctx *md5, struct popper_slice s)
{
	md5_update(md5, s.len, (const uint8_t *)s.ptr);
}

static void
hash_popa3d(struct md5_ctx *md5, struct popper_slice header)
{
	bool counts = false, received = false;
	struct popper_slice line;

	while (next_line(&header, &line)) {
		if (!is_folded(line)) {
			counts = is_field(line, "Delivered-To:") ||
			    is_field(line, "X-Delivery-ID:") ||
			    (!received &&
				(is_field(line, "Received:") ||
				    is_field(line, "Date:") ||
				    is_field(line, "Message-ID:")));
			received = received || is_field(line, "Received:");
		}
		if (counts)
			add(md5, line);
	}
}

static void
hash_solid(struct md5_ctx *md5, struct popper_slice header)
{
	static const char *const names[] = {
		"Received:", "Date:", "Message-Id:", "Subject:"
	};
	struct popper_slice line;
	size_t i, len;

	while (next_line(&header, &line))
		for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
			len = strlen(names[i]);
			if (line.len >= len &&
			    memcmp(line.ptr, names[i], len) == 0)
				add(md5, line);
		}
}

void
mbox_foreign_md5(enum mbox_scheme scheme, struct popper_slice text,
    size_t from_len, char uid[POPPER_UID_MAX + 1])
{
	static const unsigned char order[SHORT] = { 3, 2, 1, 0, 7, 6, 5, 4 };
	static const char hex[] = "0123456789abcdef";
	struct popper_slice header =
	    popper_slice(text.ptr + from_len, text.len - from_len);
	size_t i, n = scheme == MBOX_POPA3D ? SHORT : MD5_DIGEST_SIZE;
	uint8_t sum[MD5_DIGEST_SIZE], octet;
	struct md5_ctx md5;

	header.len = mbox_foreign_header(header);
	md5_init(&md5);
	if (scheme == MBOX_POPA3D)
		hash_popa3d(&md5, header);
	else if (scheme == MBOX_SOLID)
		hash_solid(&md5, header);
	else
		add(&md5,
		    popper_slice(text.ptr,
			text.len < MBOX_FOREIGN_LEAST ? text.len
						      : MBOX_FOREIGN_LEAST));
	md5_digest(&md5, sizeof(sum), sum);
	for (i = 0; i < n; i++) {
		octet = sum[scheme == MBOX_POPA3D ? order[i] : i];
		*uid++ = hex[octet >> 4];
		*uid++ = hex[octet & 15];
	}
	*uid = '\0';
}

/* --- Numbers of IMAP servers. --- */

/* Cut a number off, with the blanks before it.  False: none, or too large. */
static bool
cut_number(struct popper_slice *s, uint32_t *out)
{
	uint64_t n = 0;
	size_t i = 0, digits;

	while (i < s->len && (s->ptr[i] == ' ' || s->ptr[i] == '\t'))
		i++;
	for (digits = i; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9';
	     i++)
		if ((n = n * 10 + (uint64_t)(s->ptr[i] - '0')) > UINT32_MAX)
			return false;
	if (i == digits)
		return false;
	*s = popper_slice(s->ptr + i, s->len - i);
	*out = (uint32_t)n;
	return true;
}

static bool
cut_name(struct popper_slice *line, const char *name)
{
	size_t len = strlen(name);

	if (!is_field(*line, name))
		return false;
	*line = popper_slice(line->ptr + len, line->len - len);
	return true;
}

void
mbox_foreign_imap(struct popper_slice header, struct mbox_imap *imap)
{
	struct mbox_imap found = { .uid = 0 };
	struct popper_slice line;

	header.len = mbox_foreign_header(header);
	while (next_line(&header, &line)) {
		if (cut_name(&line, "X-IMAPbase:") ||
		    cut_name(&line, "X-IMAP:")) {
			if (cut_number(&line, &found.validity) &&
			    !cut_number(&line, &found.last))
				found.validity = 0;
		} else if (cut_name(&line, "X-UID:") &&
		    !cut_number(&line, &found.uid))
			found.uid = 0;
	}
	*imap = found;
}

void
mbox_foreign_uid(enum mbox_scheme scheme, const struct mbox_imap *imap,
    char uid[POPPER_UID_MAX + 1])
{
	const unsigned long u = imap->uid, v = imap->validity;
	const size_t size = POPPER_UID_MAX + 1;

	if (scheme == MBOX_IMAP_VU)
		(void)snprintf(uid, size, "%08lx%08lx", v, u);
	else if (scheme == MBOX_IMAP_DOT)
		(void)snprintf(uid, size, "%lu.%lu", v, u);
	else if (scheme == MBOX_IMAP_DASH)
		(void)snprintf(uid, size, "%lu-%lu", v, u);
	else if (scheme == MBOX_IMAP_UID)
		(void)snprintf(uid, size, "%lu", u);
	else
		(void)snprintf(uid, size, "%08lx%08lx", u, v);
}
