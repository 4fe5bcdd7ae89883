/*
 * mangle_html_style.c - the little of CSS that decides what is seen.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <stdlib.h>

#define STYLE_MAX 2100

/* ";" and ${style} in lower case without white space, and ";". */
static void
squeeze(const char *style, char to[STYLE_MAX])
{
	size_t n = 0;

	to[n++] = ';';
	for (; *style != '\0' && n < STYLE_MAX - 2; style++)
		if (!g_ascii_isspace(*style) && *style != '\'' && *style != '"')
			to[n++] = g_ascii_tolower(*style);
	to[n++] = ';';
	to[n] = '\0';
}

/* Is the value of ${property}, written ";name:", nothing? */
static bool
zero(const char *style, const char *property)
{
	const char *p = strstr(style, property);
	char *end;

	if (p == NULL)
		return false;
	p += strlen(property);
	return g_ascii_strtod(p, &end) <= 0 && end > p;
}

static unsigned
size_of(const char *style)
{
	const char *p = strstr(style, ";font-size:");
	double size;
	char *end;

	if (p == NULL)
		return 0;
	p += strlen(";font-size:");
	size = g_ascii_strtod(p, &end);
	if (end > p &&
	    (size <= 0 ||
		(size <= 1 &&
		    (strncmp(end, "px", 2) == 0 ||
			strncmp(end, "pt", 2) == 0))))
		return HTML_TINY;
	return HTML_SIZED;
}

static bool
has(const char *style, const char *what)
{
	return strstr(style, what) != NULL;
}

static unsigned
of_text(const char *style)
{
	unsigned is = size_of(style);

	if (has(style, ";display:none") || has(style, ";visibility:hidden") ||
	    zero(style, ";opacity:") ||
	    (has(style, ";overflow:hidden") &&
		(zero(style, ";max-height:") || zero(style, ";height:") ||
		    zero(style, ";max-width:") || zero(style, ";width:"))))
		is |= HTML_HIDDEN;
	if (has(style, ";white-space:pre"))
		is |= HTML_PRE;
	if (has(style, ";list-style:none") ||
	    has(style, ";list-style-type:none"))
		is |= HTML_NO_MARK;
	if (has(style, ";border:none;") || has(style, ";border:0"))
		is |= has(style, ";border-top:solid") ? HTML_RULE : HTML_INDENT;
	if (has(style, "wingdings"))
		is |= HTML_SYMBOL;
	if (zero(style, ";margin:") || zero(style, ";margin-bottom:"))
		is |= HTML_TIGHT;
	return is;
}

unsigned
html_style(const html_attributes *atts)
{
	const char *style = html_attribute(atts, "style");
	const char *class = html_attribute(atts, "class");
	char squeezed[STYLE_MAX];
	unsigned is = 0;

	if (html_attribute(atts, "hidden") != NULL)
		is |= HTML_HIDDEN;
	/* Word says in a style sheet that these have no space around. */
	if (class != NULL &&
	    (g_str_has_prefix(class, "Mso") || g_str_has_prefix(class, "mso")))
		is |= HTML_TIGHT;
	if (style == NULL)
		return is;
	squeeze(style, squeezed);
	return is | of_text(squeezed);
}

uint32_t
html_symbol(uint32_t c)
{
	switch (c) {
	case 'J':
		return 0x263a; /* smiling */
	case 'K':
		return 0x1f610;
	case 'L':
		return 0x2639; /* frowning */
	case 'l':
	case 'n':
	case 0xa7:
	case 0xb7:
		return 0x2022; /* bullets */
	case 'q':
	case 0xa8:
		return 0x2610; /* boxes */
	case 0xe0:
		return 0x2192; /* arrows */
	case 0xdf:
		return 0x2190;
	case 0xfb:
		return 0x2717;
	case 0xfc:
		return 0x2713;
	default:
		return c;
	}
}
