/*
 * sources.c - who holds how many connections before the login.
 *
 * Runs in: popper-login's parent, as the login user.
 */
#include "login/sources.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* IPv4, mapped or not, by its 4 octets behind 4 zeros; IPv6 by its /64. */
static void
key_of(const struct sockaddr_storage *from, unsigned char key[SOURCE_LEN])
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	memset(key, 0, SOURCE_LEN);
	memcpy(&four, from, sizeof(four));
	memcpy(&six, from, sizeof(six));
	if (from->ss_family == AF_INET)
		memcpy(key + 4, &four.sin_addr, 4);
	else if (from->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		memcpy(key + 4, &six.sin6_addr.s6_addr[12], 4);
	else if (from->ss_family == AF_INET6)
		memcpy(key, &six.sin6_addr, SOURCE_LEN);
}

uint64_t
sources_count(const struct sources *s, const struct sockaddr_storage *from)
{
	unsigned char key[SOURCE_LEN];
	uint64_t n = 0;

	key_of(from, key);
	for (size_t i = 0; i < s->count; i++)
		n += memcmp(s->source[i].key, key, SOURCE_LEN) == 0;
	return n;
}

void
sources_add(
    struct sources *s, pid_t pid, const struct sockaddr_storage *from)
{
	struct source *bigger;
	size_t room = s->room == 0 ? 64 : s->room * 2;

	if (s->count == s->room) {
		bigger = realloc(s->source, room * sizeof(*bigger));
		if (bigger == NULL)
			return;
		s->source = bigger;
		s->room = room;
	}
	s->source[s->count].pid = pid;
	key_of(from, s->source[s->count++].key);
}

void
sources_remove(struct sources *s, pid_t pid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->source[i].pid == pid) {
			s->source[i] = s->source[--s->count];
			return;
		}
}
