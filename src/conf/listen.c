/*
 * listen.c - addresses to listen on, as text.
 *
 * Runs in: the master, at start and at SIGHUP, as root.
 */
#include "conf/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"

static void
set_v4(struct listen_address *l, struct in_addr a, uint16_t port)
{
	struct sockaddr_in s = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = a
	};

	memset(&l->address, 0, sizeof(l->address));
	memcpy(&l->address, &s, sizeof(s));
	l->len = sizeof(s);
}

static void
set_v6(struct listen_address *l, struct in6_addr a, uint16_t port)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = a };

	memset(&l->address, 0, sizeof(l->address));
	memcpy(&l->address, &s, sizeof(s));
	l->len = sizeof(s);
}

/* Cut ":port" off the end of ${word}; without one ${port} stays. */
static bool
cut_port(char *word, uint16_t *port)
{
	char *colon = word[0] == '[' ? strrchr(word, ']') : NULL;
	uint64_t n;

	colon = strchr(colon == NULL ? word : colon, ':');
	if (colon == NULL) {
		/* A number alone is a port, as in the old standalone popper. */
		if (!number_parse(popper_slice_text(word), 65535, &n))
			return true;
		*port = (uint16_t)n;
		word[0] = '\0';
		return true;
	}
	if (!number_parse(popper_slice_text(colon + 1), 65535, &n))
		return false;
	*port = (uint16_t)n;
	*colon = '\0';
	return true;
}

/* Add what ${word} means to ${l}: one address, or two for "all". */
static bool
add(char *word, bool tls, struct listen_list *l)
{
	struct listen_address *out = &l->address[l->count];
	struct in6_addr six = IN6ADDR_ANY_INIT;
	struct in_addr four = { .s_addr = htonl(INADDR_ANY) };
	uint16_t port = tls ? LISTEN_PORT_TLS : LISTEN_PORT;
	size_t len;

	if (!cut_port(word, &port))
		return false;
	out[0].tls = out[1].tls = tls;
	len = strlen(word);
	if (len == 0 || strcmp(word, "*") == 0) {
		set_v6(&out[0], six, port);
		set_v4(&out[1], four, port);
		l->count += 2;
		return true;
	}
	if (word[0] == '[' && word[len - 1] == ']') {
		word[len - 1] = '\0';
		if (inet_pton(AF_INET6, word + 1, &six) != 1)
			return false;
		set_v6(out, six, port);
	} else {
		if (inet_pton(AF_INET, word, &four) != 1)
			return false;
		set_v4(out, four, port);
	}
	l->count++;
	return true;
}

int
listen_parse(const char *option, const char *text, bool tls,
    struct listen_list *l, struct popper_error *e)
{
	char word[64];
	size_t len;

	for (;; text += len) {
		text += strspn(text, " ");
		if ((len = strcspn(text, " ")) == 0)
			return 0;
		if (l->count > LISTEN_MAX - 2)
			return error_set(e, POPPER_PERMANENT,
			    "%s: more than %d addresses", option, LISTEN_MAX);
		if (!text_from_slice(
			word, sizeof(word), popper_slice(text, len)) ||
		    !add(word, tls, l))
			return error_set(e, POPPER_PERMANENT,
			    "%s: \"%.*s\" must be an address and port, "
			    "as 192.0.2.1:%d or [2001:db8::1]:%d",
			    option, len > 80 ? 80 : (int)len, text,
			    tls ? LISTEN_PORT_TLS : LISTEN_PORT,
			    tls ? LISTEN_PORT_TLS : LISTEN_PORT);
	}
}

static bool
is_empty(const char *text)
{
	return text[strspn(text, " ")] == '\0';
}

int
listen_wanted(
    const struct settings *s, struct listen_list *l, struct popper_error *e)
{
	bool all_tls = strcmp(s->tls_support, "alternate-port") == 0;
	bool nothing = is_empty(s->listen) && is_empty(s->listen_tls);
	const char *plain = is_empty(s->listen) && !all_tls ? "*" : s->listen;
	const char *tls = s->listen_tls;

	if (nothing &&
	    (all_tls ||
		(s->tls_certificate[0] != '\0' &&
		    strcmp(s->tls_support, "default") == 0)))
		tls = "*";
	l->count = 0;
	if (listen_parse("listen", plain, all_tls, l, e) == -1)
		return -1;
	return listen_parse("listen-tls", tls, true, l, e);
}
