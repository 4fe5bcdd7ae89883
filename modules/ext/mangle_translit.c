/*
 * mangle_translit.c - what to write where a charset lacks a character.
 *
 * In this order: a near character of the same script, then a word or sign in
 * ASCII, then the letter without its marks.  Umlauts become "ae", "oe", "ue":
 * that is how German writes them without umlauts, and in every other language
 * it can still be read.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_charset.h"

#include <glib.h>
#include <string.h>

struct pair {
	uint32_t c;
	const char *near, *ascii; /* NULL: none */
};

/* Sorted by character. */
static const struct pair pairs[] = {
	{ 0xa0, NULL, " " },
	{ 0xa1, NULL, "!" },
	{ 0xa2, NULL, "ct" },
	{ 0xa3, NULL, "GBP" },
	{ 0xa5, NULL, "JPY" },
	{ 0xa6, NULL, "|" },
	{ 0xa7, NULL, "Sec." },
	{ 0xa9, NULL, "(C)" },
	{ 0xab, NULL, "<<" },
	{ 0xac, NULL, "not " },
	{ 0xad, NULL, "" },
	{ 0xae, NULL, "(R)" },
	{ 0xb0, NULL, "deg " },
	{ 0xb1, NULL, "+/-" },
	{ 0xb4, NULL, "'" },
	{ 0xb5, "\316\274", "u" },
	{ 0xb6, NULL, "P" },
	{ 0xb7, "\343\203\273", "*" },
	{ 0xb8, NULL, "," },
	{ 0xbb, NULL, ">>" },
	{ 0xbc, NULL, "1/4" },
	{ 0xbd, NULL, "1/2" },
	{ 0xbe, NULL, "3/4" },
	{ 0xbf, NULL, "?" },
	{ 0xc4, NULL, "Ae" },
	{ 0xc5, NULL, "Aa" },
	{ 0xc6, NULL, "AE" },
	{ 0xd0, NULL, "D" },
	{ 0xd6, NULL, "Oe" },
	{ 0xd7, NULL, "x" },
	{ 0xd8, NULL, "Oe" },
	{ 0xdc, NULL, "Ue" },
	{ 0xde, NULL, "Th" },
	{ 0xdf, NULL, "ss" },
	{ 0xe4, NULL, "ae" },
	{ 0xe5, NULL, "aa" },
	{ 0xe6, NULL, "ae" },
	{ 0xf0, NULL, "d" },
	{ 0xf6, NULL, "oe" },
	{ 0xf7, NULL, "/" },
	{ 0xf8, NULL, "oe" },
	{ 0xfc, NULL, "ue" },
	{ 0xfe, NULL, "th" },
	{ 0x110, NULL, "D" },
	{ 0x111, NULL, "d" },
	{ 0x126, NULL, "H" },
	{ 0x127, NULL, "h" },
	{ 0x131, NULL, "i" },
	{ 0x141, NULL, "L" },
	{ 0x142, NULL, "l" },
	{ 0x14a, NULL, "N" },
	{ 0x14b, NULL, "n" },
	{ 0x152, NULL, "OE" },
	{ 0x153, NULL, "oe" },
	{ 0x166, NULL, "T" },
	{ 0x167, NULL, "t" },
	{ 0x192, NULL, "f" },
	{ 0x218, "\305\236", "S" }, /* comma below, and the old cedilla */
	{ 0x219, "\305\237", "s" },
	{ 0x21a, "\305\242", "T" },
	{ 0x21b, "\305\243", "t" },
	{ 0x2bc, "\342\200\231", "'" },
	{ 0x2c6, NULL, "^" },
	{ 0x2dc, NULL, "~" },
	{ 0x1e9e, NULL, "SS" },
	{ 0x200c, NULL, "" },
	{ 0x200d, NULL, "" },
	{ 0x200e, NULL, "" },
	{ 0x200f, NULL, "" },
	{ 0x2010, "-", "-" },
	{ 0x2011, "-", "-" },
	{ 0x2012, "\342\200\223", "-" },
	{ 0x2013, NULL, "-" },
	{ 0x2014, "\342\200\225", "--" }, /* JIS has only the bar */
	{ 0x2015, "\342\200\224", "--" },
	{ 0x2016, "\342\210\245", "||" },
	{ 0x2018, NULL, "'" },
	{ 0x2019, NULL, "'" },
	{ 0x201a, NULL, "'" },
	{ 0x201b, "\342\200\230", "'" },
	{ 0x201c, NULL, "\"" },
	{ 0x201d, NULL, "\"" },
	{ 0x201e, NULL, "\"" },
	{ 0x201f, "\342\200\234", "\"" },
	{ 0x2020, NULL, "+" },
	{ 0x2021, NULL, "++" },
	{ 0x2022, "\343\203\273", "*" },
	{ 0x2023, "\342\200\242", ">" },
	{ 0x2026, NULL, "..." },
	{ 0x2030, NULL, " per mille" },
	{ 0x2032, NULL, "'" },
	{ 0x2033, NULL, "\"" },
	{ 0x2039, NULL, "<" },
	{ 0x203a, NULL, ">" },
	{ 0x203c, NULL, "!!" },
	{ 0x2044, NULL, "/" },
	{ 0x20a4, NULL, "GBP" },
	{ 0x20a9, NULL, "KRW" },
	{ 0x20aa, NULL, "ILS" },
	{ 0x20ac, NULL, "EUR" },
	{ 0x20b9, NULL, "INR" },
	{ 0x20ba, NULL, "TRY" },
	{ 0x20bd, NULL, "RUB" },
	{ 0x2116, NULL, "No." },
	{ 0x2117, NULL, "(P)" },
	{ 0x2120, NULL, "(SM)" },
	{ 0x2122, NULL, "(TM)" },
	{ 0x2190, NULL, "<-" },
	{ 0x2191, NULL, "^" },
	{ 0x2192, NULL, "->" },
	{ 0x2193, NULL, "v" },
	{ 0x2194, NULL, "<->" },
	{ 0x21d0, NULL, "<=" },
	{ 0x21d2, NULL, "=>" },
	{ 0x21d4, NULL, "<=>" },
	{ 0x2212, "\357\274\215", "-" },
	{ 0x2215, NULL, "/" },
	{ 0x2217, NULL, "*" },
	{ 0x2219, NULL, "*" },
	{ 0x221e, NULL, "infinity" },
	{ 0x2225, "\342\200\226", "||" },
	{ 0x223c, "~", "~" },
	{ 0x2248, NULL, "~" },
	{ 0x2260, NULL, "!=" },
	{ 0x2261, NULL, "==" },
	{ 0x2264, NULL, "<=" },
	{ 0x2265, NULL, ">=" },
	{ 0x22c5, NULL, "*" },
	{ 0x2500, NULL, "-" },
	{ 0x2501, NULL, "-" },
	{ 0x2502, NULL, "|" },
	{ 0x2503, NULL, "|" },
	{ 0x2550, NULL, "=" },
	{ 0x2551, NULL, "|" },
	{ 0x25a0, NULL, "*" },
	{ 0x25a1, NULL, "[ ]" },
	{ 0x25aa, NULL, "*" },
	{ 0x25ba, NULL, ">" },
	{ 0x25cb, NULL, "o" },
	{ 0x25cf, NULL, "*" },
	{ 0x25e6, NULL, "o" },
	{ 0x2605, NULL, "*" },
	{ 0x2606, NULL, "*" },
	{ 0x260e, NULL, "Tel." },
	{ 0x2610, NULL, "[ ]" },
	{ 0x2611, NULL, "[x]" },
	{ 0x2612, NULL, "[x]" },
	{ 0x2639, NULL, ":-(" },
	{ 0x263a, NULL, ":-)" },
	{ 0x2665, NULL, "<3" },
	{ 0x2709, NULL, "mail" },
	{ 0x2713, NULL, "[x]" },
	{ 0x2714, NULL, "[x]" },
	{ 0x2717, NULL, "x" },
	{ 0x2764, NULL, "<3" },
	{ 0x27a1, NULL, "->" },
	{ 0x301c, "\357\275\236", "~" },
	{ 0xfe0e, NULL, "" },
	{ 0xfe0f, NULL, "" },
	{ 0xff0d, "\342\210\222", "-" },
	{ 0xff5e, "\343\200\234", "~" },
	{ 0xff9e, "\343\202\233", NULL }, /* marks of half-width kana */
	{ 0xff9f, "\343\202\234", NULL },
	{ 0xffe5, "\302\245", "JPY" },
	{ 0xfffd, "?", "?" },
	{ 0x1f382, NULL, "[cake]" },
	{ 0x1f389, NULL, "[party]" },
	{ 0x1f44b, NULL, "[waves]" },
	{ 0x1f44d, NULL, "(+1)" },
	{ 0x1f44e, NULL, "(-1)" },
	{ 0x1f494, NULL, "</3" },
	{ 0x1f499, NULL, "<3" },
	{ 0x1f60a, NULL, ":-)" },
	{ 0x1f60e, NULL, "8-)" },
	{ 0x1f61b, NULL, ":-P" },
	{ 0x1f622, NULL, ":'-(" },
	{ 0x1f642, NULL, ":-)" },
	{ 0x1f64f, NULL, "[thanks]" },
};

/* Capital letters from U+0410 on; small ones are 0x20 further. */
static const char *const cyrillic[] = { "A", "B", "V", "G", "D", "E", "Zh", "Z",
	"I", "Y", "K", "L", "M", "N", "O", "P", "R", "S", "T", "U", "F", "Kh",
	"Ts", "Ch", "Sh", "Shch", "\"", "Y", "'", "E", "Yu", "Ya" };
static const char *const greek[] = { "A", "B", "G", "D", "E", "Z", "E", "Th",
	"I", "K", "L", "M", "N", "X", "O", "P", "R", "s", "S", "T", "Y", "F",
	"Ch", "Ps", "O" };
static const struct pair more_cyrillic[] = {
	{ 0x401, NULL, "Yo" },
	{ 0x404, NULL, "Ye" },
	{ 0x406, NULL, "I" },
	{ 0x407, NULL, "Yi" },
	{ 0x40e, NULL, "U" },
	{ 0x451, NULL, "yo" },
	{ 0x454, NULL, "ye" },
	{ 0x456, NULL, "i" },
	{ 0x457, NULL, "yi" },
	{ 0x45e, NULL, "u" },
	{ 0x490, NULL, "G" },
	{ 0x491, NULL, "g" },
};

static const struct pair *
find(const struct pair *p, size_t count, uint32_t c)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (p[middle].c < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && p[low].c == c ? &p[low] : NULL;
}

static bool
set(char text[MANGLE_INSTEAD_MAX], const char *s)
{
	return s != NULL &&
	    g_strlcpy(text, s, MANGLE_INSTEAD_MAX) < MANGLE_INSTEAD_MAX;
}

/* A letter of another script, in Latin ones. */
static bool
romanize(uint32_t c, char text[MANGLE_INSTEAD_MAX])
{
	const struct pair *p =
	    find(more_cyrillic, G_N_ELEMENTS(more_cyrillic), c);
	bool small = true;

	if (p != NULL)
		return set(text, p->ascii);
	if (c >= 0x410 && c < 0x450) {
		small = c >= 0x430;
		set(text, cyrillic[(c - 0x410) % 32]);
	} else if (c >= 0x391 && c <= 0x3a9) {
		small = false;
		set(text, greek[c - 0x391]);
	} else if (c >= 0x3b1 && c <= 0x3c9) {
		set(text, greek[c - 0x3b1]);
	} else {
		return false;
	}
	text[0] = small ? g_ascii_tolower(text[0]) : text[0];
	return true;
}

/* The letter without its marks, a ligature's letters, a full-width form's
 * usual one. */
static bool
bare(uint32_t c, char text[MANGLE_INSTEAD_MAX])
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	gsize n =
	    g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
	char one[MANGLE_INSTEAD_MAX];
	size_t len = 0;

	if (n == 0 || n > G_N_ELEMENTS(parts) || (n == 1 && parts[0] == c))
		return n == 1 && g_unichar_ismark(c) && set(text, "");
	for (gsize i = 0; i < n; i++) {
		if (g_unichar_ismark(parts[i]))
			continue;
		if (parts[i] < 0x80 || !romanize(parts[i], one))
			one[g_unichar_to_utf8(parts[i], one)] = '\0';
		if (len + strlen(one) >= MANGLE_INSTEAD_MAX)
			return false;
		strcpy(text + len, one);
		len += strlen(one);
	}
	return len > 0;
}

/* Composed as far as it goes: half-width kana and their marks. */
static bool
composed(uint32_t c, char text[MANGLE_INSTEAD_MAX])
{
	char one[7] = "";
	gchar *s;
	bool done;

	one[g_unichar_to_utf8(c, one)] = '\0';
	s = g_utf8_normalize(one, -1, G_NORMALIZE_ALL_COMPOSE);
	done = s != NULL && strcmp(s, one) != 0 && set(text, s);
	g_free(s);
	return done;
}

bool
mangle_translit(uint32_t c, unsigned way, char text[MANGLE_INSTEAD_MAX])
{
	const struct pair *p = find(pairs, G_N_ELEMENTS(pairs), c);

	switch (way) {
	case 0:
		return p != NULL && set(text, p->near);
	case 1:
		return p != NULL && set(text, p->ascii);
	case 2:
		return composed(c, text);
	case 3:
		return romanize(c, text) || bare(c, text);
	default: /* pictographs: how they look matters little */
		return c >= 0x1f3fb && c <= 0x1f3ff ? set(text, "")
		    : c >= 0x1f600 && c <= 0x1f60f  ? set(text, ":-)")
						    : false;
	}
}
