/*
 * mangle_text.h - the text of one MIME part, made readable.
 *
 * The engine (mangle_engine.c) finds the part and undoes its transfer
 * encoding; from here on there are only octets and what its header said about
 * them.  Everything here is pure: no files but iconv's, no globals, no output
 * but the buffer.  It runs in the child, whose memory and time are limited,
 * and gives up at the limits of its buffer.
 */
#ifndef MANGLE_TEXT_H
#define MANGLE_TEXT_H

#include "mangle_buffer.h"

enum mangle_kind {
	MANGLE_PLAIN, /* also any other text/ type */
	MANGLE_HTML,
	MANGLE_ENRICHED, /* text/enriched and text/richtext */
};

struct mangle_text_job {
	struct popper_slice octets; /* transfer encoding undone */
	enum mangle_kind kind; /* what they are */
	const char *charset; /* as the part names it; "" if it does not */
	bool flowed, delsp; /* RFC 3676; kind MANGLE_PLAIN only */
	/* What is wanted.  MANGLE_HTML: HTML stays HTML, plain text is put
	 * into a small page.  MANGLE_ENRICHED is made as MANGLE_PLAIN is. */
	enum mangle_kind target;
	unsigned wrap; /* columns; 0: lines stay as long as they are */
	unsigned depth; /* elements nested deeper than that are an end */
};

/**
 * mangle_text(job, out):
 * Append to ${out} the text as UTF-8, each line ended by LF, the last one too.
 * What is no valid octet sequence of its charset becomes U+FFFD; an unknown
 * charset is taken for UTF-8 and, where it is not, for windows-1252.  No NUL
 * and no control character but LF and TAB comes out.  0, or -1: ${out} is
 * full, or a limit was reached.
 */
int mangle_text(const struct mangle_text_job *, struct mangle_buffer *out);

/**
 * mangle_text_flowed(job, utf8, out), mangle_text_html(...),
 * mangle_text_enriched(...): the steps of mangle_text behind the charset:
 * ${utf8} is the part as UTF-8 with LF line ends; readable text with lines of
 * any length is appended to ${out}.
 */
int mangle_text_flowed(const struct mangle_text_job *, struct popper_slice utf8,
    struct mangle_buffer *out);
int mangle_text_html(const struct mangle_text_job *, struct popper_slice utf8,
    struct mangle_buffer *out);
int mangle_text_enriched(const struct mangle_text_job *,
    struct popper_slice utf8, struct mangle_buffer *out);

/**
 * mangle_wrap(utf8, columns, out):
 * Append ${utf8} with lines of at most ${columns} columns (wide characters
 * count two, combining ones none), broken at spaces; quotes ("> ") go on in
 * front of what they quote, and words too long stay whole.
 */
int mangle_wrap(
    struct popper_slice utf8, unsigned columns, struct mangle_buffer *out);

/** mangle_charset_known(name): does iconv know it? */
bool mangle_charset_known(const char *name);

/** mangle_charset_in(charset, octets, out): append ${octets} as UTF-8; see
 * mangle_text for what is invalid or unknown. */
int mangle_charset_in(
    const char *charset, struct popper_slice octets, struct mangle_buffer *out);

/**
 * mangle_charset_out(charset, utf8, out):
 * Append ${utf8} in ${charset}; what that does not have is transliterated
 * ("ae" or "a" for an umlaut, quotation marks, dashes, ligatures ...), and
 * is "?" if there is nothing like it.  0, or -1: full, or no such charset.
 */
int mangle_charset_out(
    const char *charset, struct popper_slice utf8, struct mangle_buffer *out);

#endif
