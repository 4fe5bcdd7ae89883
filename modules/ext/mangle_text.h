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
	/* What is wanted.  MANGLE_HTML: a <div> of harmless HTML, whatever
	 * the part was.  MANGLE_ENRICHED: lines as RFC 1896 wants them. */
	enum mangle_kind target;
	const char *to; /* the charset it will go to, for the width of lines;
	                 * NULL: UTF-8 */
	unsigned wrap; /* columns; 0: lines stay as long as they are, and text
	                * without lines of its own (HTML, flowed) gets 76 */
};

/**
 * mangle_text(job, out):
 * Append to ${out} the text as UTF-8, each line ended by LF, the last one too,
 * and none longer than mail allows.  Labels of charsets are not believed
 * blindly: none, an unknown one, US-ASCII and UTF-8 are UTF-8 if the octets
 * are (or ISO-2022-JP, by its escapes), else windows-1252; so is ISO-8859-1,
 * which may be UTF-8 too.  HTML without a charset may name its own.  What is no
 * valid sequence becomes U+FFFD.  No NUL and no control character but LF and
 * TAB comes out, no zero-width space and nothing that reorders text.  0, or
 * -1: ${out} is full, or a limit was reached.
 */
int mangle_text(const struct mangle_text_job *, struct mangle_buffer *out);

/**
 * mangle_text_flowed(job, utf8, out), mangle_text_html(...),
 * mangle_text_enriched(...): the steps of mangle_text behind the charset:
 * ${utf8} is the part as UTF-8 with LF line ends; readable lines are appended
 * to ${out}.
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
 * count two, combining ones none; 0: any number), broken at spaces and between
 * CJK characters.  Quotes ("> ") and indentation go on in front of what they
 * belong to, and words too long stay whole.
 */
int mangle_wrap(
    struct popper_slice utf8, unsigned columns, struct mangle_buffer *out);

/** mangle_charset_known(name): can mangle_charset_out write it?  Not if it
 * is unknown, or not a superset of ASCII (UTF-16). */
bool mangle_charset_known(const char *name);

/** mangle_charset_in(charset, octets, out): append ${octets} as UTF-8; see
 * mangle_text for what is invalid or unknown. */
int mangle_charset_in(
    const char *charset, struct popper_slice octets, struct mangle_buffer *out);

/**
 * mangle_charset_out(charset, utf8, out):
 * Append ${utf8} in ${charset}; what that does not have is written otherwise:
 * "ae" for an umlaut, EUR for the euro sign, quotation marks and dashes of
 * ASCII, Cyrillic and Greek in Latin letters, letters without their marks, and
 * "?" if there is nothing like it.  The octets end as they began, in ASCII.
 * 0, or -1: full, or a charset that is not known (mangle_charset_known).
 */
int mangle_charset_out(
    const char *charset, struct popper_slice utf8, struct mangle_buffer *out);

#endif
