/*
 * when.c - a time that an administrator gives.
 *
 * Runs as:  whoever calls popperctl.
 */
#define _GNU_SOURCE
#include "tools/popperctl/when.h"

#include <string.h>

#include "base/number.h"

#define SPAN_MAX (366u * 86400) /* seconds */

/* "3h": a number with a unit, at most ${most} seconds. */
static bool
parse_span(const char *text, uint64_t most, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	uint64_t n;

	for (size_t i = 0; len > 1 && i < sizeof(units) / sizeof(*units); i++)
		if (text[len - 1] == units[i].unit &&
		    number_parse(popper_slice(text, len - 1),
			most / units[i].seconds, &n)) {
			*seconds = n * units[i].seconds;
			return true;
		}
	return false;
}

bool
when_span(const char *text, uint64_t *seconds)
{
	return number_parse(popper_slice_text(text), SPAN_MAX, seconds) ||
	    parse_span(text, SPAN_MAX, seconds);
}

/* strptime takes the 31st of February, mktime makes it the 3rd of March. */
static bool
is_same_day(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	    a->tm_mday == b->tm_mday;
}

bool
when_parse(const char *text, time_t now, uint64_t *since)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M",
		"%Y-%m-%d %H:%M:%S" };
	struct tm given, made;
	const char *end;
	time_t t;

	if (parse_span(text, (uint64_t)now, since)) {
		*since = (uint64_t)now - *since;
		return true;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		memset(&given, 0, sizeof(given));
		end = strptime(text, formats[i], &given);
		if (end == NULL || *end != '\0')
			continue;
		given.tm_isdst = -1;
		made = given;
		t = mktime(&made);
		if (t < 0 || t > now || !is_same_day(&given, &made))
			return false;
		*since = (uint64_t)t;
		return true;
	}
	return false;
}
