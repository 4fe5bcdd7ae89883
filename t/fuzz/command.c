/*
 * command.c - fuzz: command lines and the dialogue.
 *
 * Whatever the client says, a line that is taken is its words joined by single
 * spaces, and each line it sends gets exactly one line of answer.
 */
#include "fuzz.h"

#include "proto/dialog.h"

const char fuzz_corpus[] = "command";

static struct stream s;

static enum outcome
answer(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	return reply_ok(r, "%.*s", (int)a->rest.len, a->rest.ptr);
}

static const struct command table[] = {
	{ "NOOP", 0, 0, false, answer },
	{ "LIST", 0, 1, false, answer },
	{ "TOP", 2, 2, false, answer },
	{ "PASS", 1, 1, true, answer },
	{ "MANY", 1, 6, false, answer },
	{ NULL, 0, 0, false, NULL },
};

/* ${keyword} and ${a} put together again are ${line}. */
static void
check_words(struct popper_slice line, struct popper_slice keyword,
    const struct arguments *a)
{
	const char *at = line.ptr;
	size_t i;

	fuzz_check(keyword.ptr == at && keyword.len > 0);
	at += keyword.len;
	for (i = 0; i < a->count; i++) {
		fuzz_check(*at++ == ' ');
		fuzz_check(a->word[i].ptr == at && a->word[i].len > 0);
		fuzz_check(memchr(at, ' ', a->word[i].len) == NULL);
		at += a->word[i].len;
	}
	fuzz_check(at == line.ptr + line.len);
	for (i = 0; i < line.len; i++)
		fuzz_check(
		    (unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7f);
}

static void
check_find(struct popper_slice line)
{
	const struct command *c;
	struct popper_slice keyword;
	struct arguments a;

	if (command_split(line, &keyword, &a) == COMMAND_FINE)
		check_words(line, keyword, &a);
	if (command_find(table, line, &c, &a) != COMMAND_FINE)
		return;
	fuzz_check(a.count >= c->least && a.count <= c->most);
	fuzz_check(memchr(line.ptr, '\0', line.len) == NULL);
	if (c->rest)
		fuzz_check(a.word[0].ptr == line.ptr + 5 &&
		    a.word[0].len == line.len - 5);
}

/* Every line of the output is an answer of at most 512 octets. */
static unsigned
count_answers(void)
{
	const char *p = s.out, *end = s.out + s.out_len, *lf;
	unsigned n = 0;

	for (; p < end; p = lf + 1, n++) {
		lf = memchr(p, '\n', (size_t)(end - p));
		fuzz_check(lf != NULL && lf - p < 512 && lf[-1] == '\r');
		fuzz_check(
		    memcmp(p, "+OK ", 4) == 0 || memcmp(p, "-ERR ", 5) == 0);
		fuzz_check(memcmp(p, "+OK [", 5) != 0);
		fuzz_check(memchr(p, '\r', (size_t)(lf - p)) == lf - 1);
	}
	return n;
}

static unsigned asked;

static void
before(void *context, const struct command *c)
{
	(void)context;
	(void)c;
	asked++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dialog d = { .stream = &s,
		.commands = table,
		.idle = 0,
		.limit = DEADLINE_NEVER,
		.before = before };
	struct popper_slice input = popper_slice(data, len);

	check_find(input);
	stream_start(&s, -1, 0);
	/* Little enough for all answers to stay in the buffer. */
	if (len > 2000 || !stream_preload(&s, input))
		return 0;
	asked = 0;
	dialog_run(&d);
	fuzz_check(count_answers() == asked);
	return 0;
}
