/*
 * sources.c - who holds how many connections before the login.
 *
 * Runs in: popper-login's parent, as the login user.
 */
#include "login/sources.h"

#include <stdlib.h>
#include <string.h>

uint64_t
sources_count(const struct sources *s, const struct sockaddr_storage *from)
{
	unsigned char key[SOURCE_LEN];
	uint64_t n = 0;

	source_key(from, key);
	for (size_t i = 0; i < s->count; i++)
		n += memcmp(s->source[i].key, key, SOURCE_LEN) == 0;
	return n;
}

bool
sources_add(struct sources *s, pid_t pid, const struct sockaddr_storage *from)
{
	struct source *bigger;
	size_t room = s->room == 0 ? 64 : s->room * 2;

	if (s->count == s->room) {
		bigger = realloc(s->source, room * sizeof(*bigger));
		if (bigger == NULL)
			return false;
		s->source = bigger;
		s->room = room;
	}
	s->source[s->count].pid = pid;
	source_key(from, s->source[s->count++].key);
	return true;
}

bool
sources_remove(struct sources *s, pid_t pid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->source[i].pid == pid) {
			s->source[i] = s->source[--s->count];
			return true;
		}
	return false;
}
