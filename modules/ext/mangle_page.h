/*
 * mangle_page.h - parts as HTML or as text/enriched.
 */
#ifndef MANGLE_PAGE_H
#define MANGLE_PAGE_H

#include "mangle_text.h"

/** mangle_page_plain(text, out): append the lines of ${text} as a <div>.  0, or
 * -1: full. */
int mangle_page_plain(struct popper_slice text, struct mangle_buffer *out);

/** mangle_page_html(html, out): append ${html} as a <div>, with nothing in
 * it that acts, loads or hides.  0, or -1: full, or too deep. */
int mangle_page_html(struct popper_slice html, struct mangle_buffer *out);

/** mangle_page_enriched(text, out): append the lines of ${text} as RFC 1896
 * wants it.  0, or -1: full. */
int mangle_page_enriched(struct popper_slice text, struct mangle_buffer *out);

#endif
