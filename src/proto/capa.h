/* capa.h - the capability list of RFC 2449 section 5, from what is true. */
#ifndef PROTO_CAPA_H
#define PROTO_CAPA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"
#include "proto/reply.h"

#define CAPA_UNSET (-1)
#define CAPA_NEVER (-2)

struct capabilities {
	bool transaction; /* after the login */
	bool user; /* USER and PASS would be taken now */
	bool utf8; /* UTF8 and names in UTF-8 are */
	bool stls; /* STLS would be */
	bool last, euidl; /* commands that are options */
	bool local_time; /* say what time it is here */
	const char *mechanisms; /* of AUTH, space separated, or "" */
	int64_t expire; /* days, CAPA_NEVER, or CAPA_UNSET: say nothing */
	int64_t login_delay; /* seconds, or CAPA_UNSET */
	bool delay_varies; /* a user may have another login_delay */
	const char *implementation; /* one token, or "": say nothing */
	const char *extensions; /* lines, each ended by LF, or "" */
};

/** capa_start(c, s): what follows from the settings alone; nothing else is
 * announced yet. */
void capa_start(struct capabilities *, const struct settings *);

/** capa_reply(c, r): the whole multi-line reply. */
enum outcome capa_reply(const struct capabilities *, struct reply *);

#endif
