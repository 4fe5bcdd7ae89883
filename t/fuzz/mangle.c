/*
 * mangle.c - fuzz: what a client says behind RETR, and MDEF before it.
 *
 * The input is lines: all but the last define macros, the last is the
 * argument.  What was understood, said again in full, is understood the same.
 */
#include "fuzz.h"

#include <string.h>

#include "mangle_arguments.h"

const char fuzz_corpus[] = "mangle";

#define MOST 20000

static void
define(struct mangle_macros *macros, struct popper_slice s)
{
	const struct mangle_macro *m = NULL;
	size_t before = macros->count;
	enum mangle_define d = mangle_macros_define(macros, s, &m);
	const char *value;

	fuzz_check(macros->count <= MANGLE_MACROS_MAX);
	if (d != MANGLE_DEFINED) {
		fuzz_check(macros->count == before);
		return;
	}
	fuzz_check(m->name[0] != '\0' && strpbrk(m->name, " \"()=;") == NULL);
	for (const char *c = m->value; *c != '\0'; c++)
		fuzz_check(*c > ' ' && *c <= '~');
	value = mangle_macros_find(macros, popper_slice_text(m->name));
	fuzz_check(value != NULL && strcmp(value, m->value) == 0);
}

static void
check(const struct mangle_arguments *a)
{
	fuzz_check(a->wrap == 0 ||
	    (a->wrap >= MANGLE_WRAP_LEAST && a->wrap <= MANGLE_WRAP_MOST));
	fuzz_check(strlen(a->headers) <= MANGLE_HEADERS_MAX);
	fuzz_check(strlen(a->lang) <= MANGLE_LANG_MAX);
	fuzz_check(a->charset[0] != '\0' && strchr(a->charset, '/') == NULL);
	(void)mangle_arguments_match(a->headers, "Subject");
}

/* In full, without macros. */
static void
again(const struct mangle_arguments *a)
{
	static const char *const texts[] = { "plain", "html", "enriched" };
	char said[1000];
	struct mangle_arguments b;

	fuzz_check(snprintf(said, sizeof(said),
		       "mangle(text=%s;charset=%s;headers=%s;lang=%s;wrap=%u)",
		       texts[a->text], a->charset, a->headers, a->lang,
		       a->wrap) < (int)sizeof(said));
	fuzz_check(mangle_arguments_parse(popper_slice_text(said), NULL, &b));
	fuzz_check(mangle_arguments_same(a, &b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct mangle_macros macros;
	struct popper_slice s = popper_slice(data, len);
	struct mangle_arguments a;
	const char *end;

	if (len > MOST)
		return 0;
	macros.count = 0;
	while ((end = memchr(s.ptr, '\n', s.len)) != NULL) {
		size_t n = (size_t)(end - s.ptr);

		define(&macros, popper_slice(s.ptr, n));
		s = popper_slice(end + 1, s.len - n - 1);
	}
	if (!mangle_arguments_parse(s, &macros, &a))
		return 0;
	fuzz_check(mangle_arguments_are(s));
	check(&a);
	again(&a);
	return 0;
}
