/*
 * source.c - where a client comes from: an address of IPv4, a /64 of IPv6.
 *
 * Runs in: popper, popper-login, gates.
 */
#include "base/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* Every address as one of IPv6: IPv4 is ::ffff:0:0/96. */
struct network {
	struct in6_addr address;
	unsigned bits; /* that count */
};

static struct in6_addr
mapped(const struct in_addr *four)
{
	struct in6_addr six = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&six.s6_addr[12], four, 4);
	return six;
}

static bool
address_of(const struct sockaddr_storage *from, struct in6_addr *out)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	memcpy(&four, from, sizeof(four));
	memcpy(&six, from, sizeof(six));
	if (from->ss_family == AF_INET)
		*out = mapped(&four.sin_addr);
	else
		*out = six.sin6_addr;
	return from->ss_family == AF_INET || from->ss_family == AF_INET6;
}

void
source_key(const struct sockaddr_storage *from, unsigned char key[SOURCE_LEN])
{
	struct in6_addr six;

	memset(key, 0, SOURCE_LEN);
	if (!address_of(from, &six))
		return;
	/* The 4 octets of IPv4 stand behind 4 zeros. */
	if (IN6_IS_ADDR_V4MAPPED(&six))
		memcpy(key + 4, &six.s6_addr[12], 4);
	else
		memcpy(key, &six, SOURCE_LEN);
}

static bool
parse(struct popper_slice word, struct network *n)
{
	const char *slash = memchr(word.ptr, '/', word.len);
	char text[INET6_ADDRSTRLEN];
	struct in_addr four;
	uint64_t bits = 128;
	unsigned before = 0; /* bits that stand before an address of IPv4 */

	if (slash != NULL) {
		size_t len = (size_t)(slash - word.ptr);

		if (!number_parse(popper_slice(slash + 1, word.len - len - 1),
			128, &bits))
			return false;
		word.len = len;
	}
	if (!text_from_slice(text, sizeof(text), word))
		return false;
	if (inet_pton(AF_INET, text, &four) == 1) {
		n->address = mapped(&four);
		before = 96;
	} else if (inet_pton(AF_INET6, text, &n->address) != 1)
		return false;
	n->bits = before + (unsigned)bits;
	if (slash == NULL)
		n->bits = 128;
	return n->bits <= 128;
}

/* Cut the next word off ${list}; false at its end. */
static bool
next_word(const char **list, struct popper_slice *word)
{
	*list += strspn(*list, " ");
	*word = popper_slice(*list, strcspn(*list, " "));
	*list += word->len;
	return word->len > 0;
}

static bool
has(const struct network *n, const struct in6_addr *a)
{
	unsigned octets = n->bits / 8, rest = n->bits % 8;

	if (memcmp(&n->address, a, octets) != 0)
		return false;
	return rest == 0 ||
	    ((n->address.s6_addr[octets] ^ a->s6_addr[octets]) >> (8 - rest)) ==
	    0;
}

bool
source_is_in(const char *networks, const struct sockaddr_storage *from)
{
	struct popper_slice word;
	struct in6_addr address;
	struct network n;

	if (!address_of(from, &address))
		return false;
	while (next_word(&networks, &word))
		if (parse(word, &n) && has(&n, &address))
			return true;
	return false;
}

bool
source_wrong(const char *networks, char *out, size_t size)
{
	struct popper_slice word;
	struct network n;

	while (next_word(&networks, &word)) {
		if (parse(word, &n))
			continue;
		if (!text_from_slice(out, size, word))
			text_copy(out, size, "a word too long");
		return true;
	}
	return false;
}
