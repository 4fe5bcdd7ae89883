/*
 * capa.c - the capability list of RFC 2449, from what is true.
 *
 * Runs in: a login worker (AUTHORIZATION) and a session (TRANSACTION).
 */
#include "proto/capa.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

static void
say_expire(int64_t days, struct reply *r)
{
	if (days == CAPA_NEVER)
		reply_line(r, "EXPIRE NEVER");
	else if (days >= 0)
		reply_line(r, "EXPIRE %" PRId64, days);
}

/* The lines of the extensions. */
static void
say_extensions(const char *lines, struct reply *r)
{
	size_t len;

	while (*lines != '\0') {
		len = strcspn(lines, "\n");
		if (len > 0)
			reply_line(r, "%.*s", (int)len, lines);
		lines += len;
		if (*lines == '\n')
			lines++;
	}
}

/* RFC 5322 section 3.3.  Both processes have read the time zone before they
 * gave up their files; localtime_r reads it no more. */
static void
say_local_time(struct reply *r)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm t;
	long zone;

	if (localtime_r(&now, &t) == NULL)
		return;
	zone = labs(t.tm_gmtoff) / 60;
	reply_line(r,
	    "X-LOCALTIME %.3s, %02d %.3s %d %02d:%02d:%02d %c%02ld%02ld",
	    days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
	    t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec,
	    t.tm_gmtoff < 0 ? '-' : '+', zone / 60, zone % 60);
}

void
capa_start(struct capabilities *c, const struct settings *s)
{
	uint64_t number;

	c->transaction = false;
	c->user = false;
	c->utf8 = s->utf8;
	c->stls = false;
	c->last = s->last;
	c->euidl = s->euidl;
	c->local_time = s->local_time;
	c->mechanisms = "";
	c->expire = CAPA_UNSET;
	c->login_delay = CAPA_UNSET;
	c->delay_varies = false;
	if (number_parse(popper_slice_text(s->announce_login_delay), UINT32_MAX,
		&number))
		c->login_delay = (int64_t)number;
	else if (s->login_delay > 0) {
		c->login_delay = (int64_t)s->login_delay;
		c->delay_varies = true;
	}
	c->implementation = settings_implementation;
	c->extensions = "";
	if (strcmp(s->expire, "never") == 0)
		c->expire = CAPA_NEVER;
	else if (number_parse(
		     popper_slice_text(s->expire), UINT32_MAX, &number))
		c->expire = (int64_t)number;
	else if (s->auto_delete)
		c->expire = 0; /* nothing may stay behind (section 6.7) */
}

enum outcome
capa_reply(const struct capabilities *c, struct reply *r)
{
	reply_ok(r, "capability list follows");
	reply_line(r, "TOP");
	if (c->user)
		reply_line(r, "USER");
	if (c->stls)
		reply_line(r, "STLS");
	if (c->mechanisms[0] != '\0')
		reply_line(r, "SASL %s", c->mechanisms);
	reply_line(r, "RESP-CODES");
	reply_line(r, "AUTH-RESP-CODE");
	if (c->login_delay >= 0)
		reply_line(r, "LOGIN-DELAY %" PRId64 "%s", c->login_delay,
		    c->delay_varies && !c->transaction ? " USER" : "");
	reply_line(r, "PIPELINING");
	say_expire(c->expire, r);
	reply_line(r, "UIDL");
	if (c->utf8)
		reply_line(r, "UTF8 USER");
	reply_line(r, "LANG");
	if (c->last)
		reply_line(r, "X-LAST");
	if (c->euidl)
		reply_line(r, "X-EUIDL");
	if (c->local_time)
		say_local_time(r);
	say_extensions(c->extensions, r);
	if (c->implementation[0] != '\0')
		reply_line(r, "IMPLEMENTATION %s", c->implementation);
	return reply_end(r);
}
