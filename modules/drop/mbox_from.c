/*
 * mbox_from.c - is this line a separator of an mbox?
 *
 * Runs in: the session, as the user.  Pure: works on memory.
 *
 * "From " at the beginning of a line proves nothing, since a body may say "From
 * here on".  What tells is the date at its end, as asctime(3) writes it, in the
 * forms that delivery programs have used over the years:
 *
 *	From [sender] Www Mmm [d]d [h]h:mm[:ss] [zone] yy[yy] [zone]
 *	    [remote from host]
 *
 * The sender may be missing, be quoted and hold blanks: it is whatever stands
 * before the date.
 */
#include "mbox.h"

/* Cut the next word off ${rest}; an empty one at the end. */
static struct popper_slice
next_word(struct popper_slice *rest)
{
	struct popper_slice word;

	while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\t')) {
		rest->ptr++;
		rest->len--;
	}
	word = popper_slice(rest->ptr, 0);
	while (rest->len > 0 && *rest->ptr != ' ' && *rest->ptr != '\t') {
		rest->ptr++;
		rest->len--;
		word.len++;
	}
	return word;
}

static bool
is_word(struct popper_slice word, const char *text)
{
	return word.len == strlen(text) &&
	    memcmp(word.ptr, text, word.len) == 0;
}

/* Is it one of the three-letter names that ${names} strings together? */
static bool
is_name(struct popper_slice word, const char *names)
{
	if (word.len != 3)
		return false;
	for (; *names != '\0'; names += 3)
		if (memcmp(word.ptr, names, 3) == 0)
			return true;
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One or two digits and no more, from 0 to ${most}; -1 if not. */
static int
small_number(const char *text, size_t len, int most)
{
	int n = 0;
	size_t i;

	if (len < 1 || len > 2)
		return -1;
	for (i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n <= most ? n : -1;
}

/* h:mm, hh:mm, h:mm:ss or hh:mm:ss; 60 seconds is a leap second. */
static bool
is_time(struct popper_slice word)
{
	const char *colon = memchr(word.ptr, ':', word.len);
	size_t hours, rest;

	if (colon == NULL)
		return false;
	hours = (size_t)(colon - word.ptr);
	rest = word.len - hours; /* ":mm" or ":mm:ss" */
	if (small_number(word.ptr, hours, 23) == -1 ||
	    (rest != 3 && rest != 6) || small_number(colon + 1, 2, 59) == -1)
		return false;
	return rest == 3 ||
	    (colon[3] == ':' && small_number(colon + 4, 2, 60) != -1);
}

static bool
is_year(struct popper_slice word)
{
	size_t i;

	for (i = 0; i < word.len; i++)
		if (!is_digit(word.ptr[i]))
			return false;
	return word.len == 2 || word.len == 4;
}

/* "+0100", or one to five letters. */
static bool
is_zone(struct popper_slice word)
{
	size_t i;

	if (word.len == 5 && (*word.ptr == '+' || *word.ptr == '-'))
		return is_year(popper_slice(word.ptr + 1, 4));
	for (i = 0; i < word.len; i++) {
		char c = word.ptr[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return word.len >= 1 && word.len <= 5;
}

/* Skip a zone, if there is one; "MET DST" is one of two words. */
static void
skip_zone(struct popper_slice *rest)
{
	struct popper_slice after = *rest;

	if (!is_zone(next_word(&after)))
		return;
	*rest = after;
	if (is_word(next_word(&after), "DST"))
		*rest = after;
}

/* Is ${rest}, behind the weekday, the rest of a date and nothing else? */
static bool
is_date(struct popper_slice rest)
{
	struct popper_slice word = next_word(&rest);

	if (!is_name(word, "JanFebMarAprMayJunJulAugSepOctNovDec"))
		return false;
	word = next_word(&rest);
	if (small_number(word.ptr, word.len, 31) <= 0)
		return false;
	if (!is_time(next_word(&rest)))
		return false;
	skip_zone(&rest);
	if (!is_year(next_word(&rest)))
		return false;
	skip_zone(&rest);
	word = next_word(&rest);
	if (is_word(word, "remote")) {
		if (!is_word(next_word(&rest), "from") ||
		    next_word(&rest).len == 0)
			return false;
		word = next_word(&rest);
	}
	return word.len == 0;
}

size_t
mbox_from(const char *text, size_t len)
{
	struct popper_slice rest, word;
	const char *lf;

	if (len > MBOX_FROM_MAX)
		len = MBOX_FROM_MAX;
	if (len < 5 || memcmp(text, "From ", 5) != 0)
		return 0;
	lf = memchr(text, '\n', len);
	if (lf == NULL)
		return 0;
	rest = popper_slice(text + 5, (size_t)(lf - text) - 5);
	if (rest.len > 0 && lf[-1] == '\r')
		rest.len--;
	for (;;) {
		word = next_word(&rest);
		if (word.len == 0)
			return 0;
		if (is_name(word, "SunMonTueWedThuFriSat") && is_date(rest))
			return (size_t)(lf - text) + 1;
	}
}
