/*
 * header.c - fuzz: what XTND XLST finds in a header, against a slow and simple
 * way to find it; and what XTND XMIT takes for the user's own message.
 *
 * The first octet is the length of the pieces in which a message comes.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "xmit.h"

const char fuzz_corpus[] = "header";

extern const struct popper_module xlst_LTX_popper_module;

static struct popper_slice message;
static size_t piece;
static bool heard_some;
static char heard[9000];
static size_t heard_len;

/* --- A server for the module xlst. --- */

static void logs(enum popper_level, const char *, ...) POPPER_PRINTF(2, 3);

static void
logs(enum popper_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static const struct popper_host host = { .size = sizeof(host),
	.log = logs,
	.fail = error_set,
	.fail_system = error_system };

static size_t
count(struct popper_view *view)
{
	(void)view;
	return 1;
}

static bool
deleted(struct popper_view *view, size_t i)
{
	(void)view;
	(void)i;
	return false;
}

static int
pour(struct popper_view *view, size_t i, uint64_t offset,
    struct popper_sink *sink, struct popper_error *e)
{
	int said = 0;

	(void)view;
	(void)i;
	(void)offset;
	(void)e;
	for (size_t at = 0, n; at < message.len && said == 0; at += n) {
		n = message.len - at < piece ? message.len - at : piece;
		said = sink->put(sink, popper_slice(message.ptr + at, n));
	}
	return said == -1 ? -1 : 0;
}

static int first(struct popper_talk *, const char *, ...) POPPER_PRINTF(2, 3);

static int
first(struct popper_talk *talk, const char *format, ...)
{
	(void)talk;
	(void)format;
	return 0;
}

static int
line(struct popper_talk *talk, struct popper_slice s)
{
	(void)talk;
	fuzz_check(!heard_some && s.len <= sizeof(heard));
	heard_some = true;
	memcpy(heard, s.ptr, s.len);
	heard_len = s.len;
	return 0;
}

static int
end(struct popper_talk *talk)
{
	(void)talk;
	return 0;
}

static void
ask_xlst(const char *name)
{
	const struct popper_ext *x = xlst_LTX_popper_module.ext;
	const struct popper_slice args[1] = { popper_slice_text(name) };
	struct popper_talk talk = { .open = first, .line = line, .end = end };
	struct popper_view view = {
		.count = count, .deleted = deleted, .read = pour
	};
	const struct popper_call call = {
		.count = 1, .args = args, .talk = &talk, .view = &view
	};
	struct popper_error e;
	void *self;

	heard_some = false;
	fuzz_check(x->start(&host, NULL, NULL, &self, &e) == 0);
	fuzz_check(x->commands[0].run(self, &call, &e) == 0);
	x->stop(self);
}

/* --- The slow way. --- */

static bool
is_white(char c)
{
	return (c >= 0 && c <= ' ') || c == 0x7f;
}

/* The octets of ${s} with every white space or control character one space;
 * spaces at the ends cut, and runs made one. */
static size_t
plain(struct popper_slice s, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len && len < size; i++) {
		if (!is_white(s.ptr[i]))
			out[len++] = s.ptr[i];
		else if (len > 0 && out[len - 1] != ' ')
			out[len++] = ' ';
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	return len;
}

/* Find the end of the line that begins at ${at}. */
static size_t
line_end(size_t at)
{
	const char *lf = memchr(message.ptr + at, '\n', message.len - at);

	return lf == NULL ? message.len : (size_t)(lf + 1 - message.ptr);
}

/* The value of the first field ${name}; false if there is none. */
static bool
find(const char *name, struct popper_slice *value)
{
	size_t n = strlen(name), at = 0, next, colon;
	const char *p = message.ptr;

	for (; at < message.len; at = next) {
		next = line_end(at);
		if (p[at] == '\n' ||
		    (next - at == 2 && memcmp(p + at, "\r\n", 2) == 0))
			return false;
		if (next - at <= n || strncasecmp(p + at, name, n) != 0)
			continue;
		for (colon = at + n; colon < next - 1 &&
		     (p[colon] == ' ' || p[colon] == '\t' || p[colon] == '\r');
		     colon++)
			;
		if (p[colon] != ':')
			continue;
		while (
		    next < message.len && (p[next] == ' ' || p[next] == '\t'))
			next = line_end(next);
		*value = popper_slice(p + colon + 1, next - colon - 1);
		return true;
	}
	return false;
}

static void
check_xlst(const char *name)
{
	char want[9000], got[9000];
	struct popper_slice value, said;
	size_t len, n = strlen(name) + 3;

	ask_xlst(name);
	fuzz_check(heard_some == find(name, &value));
	if (!heard_some)
		return;
	for (size_t i = 0; i < heard_len; i++)
		fuzz_check(
		    heard[i] == ' ' || !is_white(heard[i])); /* one line */
	fuzz_check(heard_len >= n && memcmp(heard, "1 ", 2) == 0 &&
	    strncasecmp(heard + 2, name, strlen(name)) == 0 &&
	    heard[n - 1] == ':');
	said = popper_slice(heard + n, heard_len - n);
	len = plain(value, want, sizeof(want));
	if (value.len < 8000) {
		fuzz_check(plain(said, got, sizeof(got)) == len);
		fuzz_check(memcmp(got, want, len) == 0);
	}
}

/* --- XTND XMIT. --- */

static void
check_xmit(void)
{
	static const struct xmit_conf conf = { .domain = "b", .recipients = 9 };
	static const struct popper_identity alice = { .user = "a" };
	static const struct popper_place place = { .identity = &alice };
	const struct xmit x = { &host, &conf, &place };
	struct popper_error e;
	char plain_value[9000];
	struct popper_slice value;
	size_t len;

	if (xmit_check(&x, message, &e) == -1)
		return;
	/* Then it has one From, and that is a@b somewhere. */
	fuzz_check(find("From", &value));
	len = plain(value, plain_value, sizeof(plain_value) - 1);
	plain_value[len] = '\0';
	fuzz_check(value.len > 8000 || strchr(plain_value, '@') != NULL ||
	    memchr(value.ptr, '@', value.len) != NULL);
	fuzz_check(strcasestr(plain_value, "@b") != NULL ||
	    strchr(plain_value, '(') != NULL);
	fuzz_check(find("To", &value) || find("Cc", &value) ||
	    find("Bcc", &value) || find("Resent-To", &value) ||
	    find("Resent-Cc", &value) || find("Resent-Bcc", &value) ||
	    find("Apparently-To", &value));
}

static void
check_address(struct popper_slice value)
{
	char out[300];
	size_t len;

	if (!xmit_address(value, out, sizeof(out)))
		return;
	len = strlen(out);
	fuzz_check(len >= 1 && memchr(out, '@', len) != NULL);
	for (size_t i = 0; i < len; i++)
		fuzz_check(out[i] != ' ' && out[i] != ',' && out[i] != '<' &&
		    out[i] != '>' && out[i] != '"');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	message = popper_slice(data + 1, len - 1);
	check_xlst("From");
	check_xlst("To");
	check_address(message);
	check_xmit();
	return 0;
}
