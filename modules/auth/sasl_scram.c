/*
 * sasl_scram.c - what libsasl2 does not check in the messages of SCRAM.
 *
 * Runs in:  the gate, as root, before libsasl2 gets the message.
 *
 * RFC 5802: whether the channel binding fits the name of the mechanism, that
 * nothing but the binding stands behind the header in "c=", that no extension
 * is mandatory, and that the client's nonce is one.
 */
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>

#include "sasl.h"

#define OUR_BINDING "p=tls-exporter,"

static bool
starts(struct popper_slice s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && memcmp(s.ptr, with, len) == 0;
}

/* Take what stands before the next comma, or all, off the start of ${s}. */
static struct popper_slice
cut(struct popper_slice *s)
{
	const char *comma = s->len > 0 ? memchr(s->ptr, ',', s->len) : NULL;
	size_t len = comma != NULL ? (size_t)(comma - s->ptr) : s->len;
	struct popper_slice part = popper_slice(s->ptr, len);
	size_t gone = comma != NULL ? len + 1 : len;

	*s = popper_slice(s->ptr + gone, s->len - gone);
	return part;
}

/* The flag of section 5.1: does the client want what its mechanism says? */
static const char *
check_flag(const struct auth_sasl_exchange *x, struct popper_slice message)
{
	if (auth_sasl_is_plus(x->mechanism))
		return starts(message, OUR_BINDING)
		    ? NULL
		    : "-PLUS without our channel binding, tls-exporter";
	if (starts(message, "n,"))
		return NULL;
	if (!starts(message, "y,"))
		return "no such GS2 header under this mechanism's name";
	/* Somebody may have taken -PLUS out of the list. */
	return x->binding.len > 0
	    ? "the client did not see that we can bind the channel"
	    : NULL;
}

/* r=nonce, then extensions, none of which may be mandatory. */
static const char *
check_rest(struct popper_slice rest)
{
	struct popper_slice part = cut(&rest);

	if (!starts(part, "r=") || part.len == 2)
		return "no nonce";
	for (size_t i = 2; i < part.len; i++)
		if (part.ptr[i] < 0x21 || part.ptr[i] > 0x7e)
			return "a nonce that is not printable";
	while (rest.len > 0)
		if (starts(part = cut(&rest), "m="))
			return "a mandatory extension";
	return NULL;
}

const char *
auth_sasl_scram_first(struct auth_sasl_exchange *x, struct popper_slice message)
{
	const char *problem = check_flag(x, message);
	struct popper_slice rest = message;
	size_t len;

	if (problem != NULL)
		return problem;
	(void)cut(&rest); /* the flag */
	(void)cut(&rest); /* the authorization identity */
	len = message.len - rest.len;
	if (!starts(rest, "n="))
		return "no user name";
	(void)cut(&rest);
	problem = check_rest(rest);
	if (problem != NULL)
		return problem;
	free(x->header);
	x->header = strndup(message.ptr, len);
	return x->header != NULL ? NULL : "no memory";
}

/* What "c=" must be: the header as it came, then the binding if it is used. */
static char *
expected(const struct auth_sasl_exchange *x, size_t *len)
{
	size_t header = strlen(x->header);
	size_t bound = auth_sasl_is_plus(x->mechanism) ? x->binding.len : 0;
	unsigned char *octets = malloc(header + bound);
	char *text = malloc(BASE64_ENCODE_RAW_LENGTH(header + bound));

	if (octets != NULL && text != NULL) {
		memcpy(octets, x->header, header);
		if (bound > 0)
			memcpy(octets + header, x->binding.data, bound);
		base64_encode_raw(text, header + bound, octets);
		*len = BASE64_ENCODE_RAW_LENGTH(header + bound);
		free(octets);
		return text;
	}
	free(octets);
	free(text);
	return NULL;
}

const char *
auth_sasl_scram_final(
    const struct auth_sasl_exchange *x, struct popper_slice message)
{
	struct popper_slice part = cut(&message);
	const char *problem = NULL;
	size_t len = 0;
	char *want;

	if (x->header == NULL || (want = expected(x, &len)) == NULL)
		return "no memory";
	if (!starts(part, "c=") || part.len - 2 != len ||
	    memcmp(part.ptr + 2, want, len) != 0)
		problem = "the channel binding is not what was agreed";
	free(want);
	return problem != NULL ? problem : check_rest(message);
}
