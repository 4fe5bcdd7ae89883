/* test_messages.c - src/priv/messages.c */
#include "unit.h"

#include <stdlib.h>

#include "base/text.h"
#include "border.h"

/* One good message of every kind; attempt and verdict in both forms. */
enum { SAMPLES = 14 };
static struct {
	unsigned kind;
	struct wire wire;
} sample[SAMPLES];

static struct assignment assignment;
static struct readiness readiness;
static struct opening opening;

static void
fill_large(void)
{
	option_defaults(settings_options, &assignment.settings);
	assignment.single = true;
	assignment.inputs = 3;
	assignment.inputs_tls = 2;
	text_copy(assignment.mechanisms, sizeof(assignment.mechanisms),
	    "PLAIN SCRAM-SHA-256");
	text_copy(
	    assignment.extensions, sizeof(assignment.extensions), "X-A\nX-B\n");
	text_copy(readiness.mechanisms, sizeof(readiness.mechanisms), "PLAIN");
	text_copy(readiness.listing, sizeof(readiness.listing), "auth x\n");
	opening.identity.flags = POPPER_IDENTITY_KEEP;
	opening.identity.uid = 1000;
	opening.identity.gid = 100;
	text_copy(opening.identity.user, sizeof(opening.identity.user), "bob");
	text_copy(opening.identity.home, sizeof(opening.identity.home), "/b");
	text_copy(opening.identity.drop, sizeof(opening.identity.drop), "mbox");
	text_copy(opening.client, sizeof(opening.client), "2001:db8::1");
	opening.named = true;
	text_copy(opening.mechanism, sizeof(opening.mechanism), "APOP");
	opening.judged = 17;
	opening.ahead = S("STAT\r\nQUIT\r\n");
}

static int
fill(void **state)
{
	struct attempt attempt = { .begins = true,
		.mechanism = "USER",
		.user = "bob",
		.secret = S("open\0sesame"),
		.ahead = S("STAT\r\n") };
	struct verdict refused = { .kind = VERDICT_REFUSED,
		.wait = 60,
		.status = POPPER_DENIED,
		.reply = "no",
		.hold = 3000,
		.last = true };
	struct verdict more = { .kind = VERDICT_CHALLENGE,
		.challenge = S("\0\1\2") };
	struct verdict wait = { .kind = VERDICT_WAIT, .hold = 15000 };
	struct verdict opened = { .kind = VERDICT_OPENED };
	struct attempt response = attempt;
	struct errand errand = { .module = "xmit", .request = S("\0go") };
	struct popper_error result = {
		.status = POPPER_TEMPORARY, .reply = "not now", .text = "full"
	};
	size_t n = 0;

	(void)state;
	response.begins = false;
	fill_large();
	assignment_put(&sample[n].wire, &assignment);
	sample[n++].kind = 0;
	readiness_put(&sample[n].wire, &readiness);
	sample[n++].kind = 1;
	knock_put(&sample[n].wire);
	sample[n++].kind = 2;
	attempt_put(&sample[n].wire, &attempt);
	sample[n++].kind = 3;
	attempt_put(&sample[n].wire, &response);
	sample[n++].kind = 3;
	verdict_put(&sample[n].wire, &refused);
	sample[n++].kind = 4;
	verdict_put(&sample[n].wire, &more);
	sample[n++].kind = 4;
	opening_put(&sample[n].wire, &opening);
	sample[n++].kind = 5;
	verdict_put(&sample[n].wire, &opened);
	sample[n++].kind = 4;
	host_put(&sample[n].wire, "client.example");
	sample[n++].kind = 6;
	verdict_put(&sample[n].wire, &wait);
	sample[n++].kind = 4;
	timestamp_put(&sample[n].wire, "<1@pop.example.org>");
	sample[n++].kind = 7;
	errand_put(&sample[n].wire, &errand);
	sample[n++].kind = 8;
	result_put(&sample[n].wire, &result);
	sample[n++].kind = 9;
	return n == SAMPLES ? 0 : -1;
}

static struct wire out;

/* Was ${w} understood exactly, so that packing gives the same octets? */
static bool
is_same(const struct wire *w)
{
	return out.len == w->len && memcmp(out.bytes, w->bytes, w->len) == 0;
}

static void
go_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		assert_false(sample[i].wire.failed);
		assert_true(
		    border_repack(sample[i].kind, &sample[i].wire, &out));
		assert_true(is_same(&sample[i].wire));
	}
}

static struct wire *
again(size_t i)
{
	sample[i].wire.at = 0;
	return &sample[i].wire;
}

static void
are_what_they_say(void **state)
{
	struct attempt a;
	struct verdict v;

	(void)state;
	assert_true(attempt_get(again(3), &a));
	assert_true(a.begins);
	assert_false(a.initial);
	assert_string_equal(a.mechanism, "USER");
	assert_string_equal(a.user, "bob");
	assert_slice(a.secret, "open\0sesame");
	assert_slice(a.ahead, "STAT\r\n");
	assert_true(attempt_get(again(4), &a));
	assert_false(a.begins);
	assert_string_equal(a.user, "");
	assert_true(verdict_get(again(5), &v));
	assert_int_equal(v.kind, VERDICT_REFUSED);
	assert_int_equal(v.status, POPPER_DENIED);
	assert_int_equal(v.hold, 3000);
	assert_true(v.last);
	assert_true(verdict_get(again(6), &v));
	assert_int_equal(v.kind, VERDICT_CHALLENGE);
	assert_slice(v.challenge, "\0\1\2");
}

static void
are_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		for (unsigned kind = 0; kind < BORDER_KINDS; kind++)
			if (kind != sample[i].kind &&
			    border_repack(kind, &sample[i].wire, &out))
				fail_msg("sample %zu as kind %u", i, kind);
}

static void
must_be_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct wire *w = &sample[i].wire;
		size_t whole = w->len;

		for (w->len = 0; w->len < whole; w->len++)
			if (border_repack(sample[i].kind, w, &out))
				fail_msg("sample %zu cut to %zu", i, w->len);
		w->len = whole + 1;
		w->bytes[whole] = 0;
		if (border_repack(sample[i].kind, w, &out))
			fail_msg("sample %zu with an octet more", i);
		w->len = whole;
	}
}

/* A changed octet is seen, or is a change of a value and nothing more. */
static void
hold_when_an_octet_changes(void **state)
{
	static const unsigned char change[] = { 0x01, 0x80, 0xff, 0x20, 0x02 };

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct wire *w = &sample[i].wire;

		for (size_t at = 0; at < w->len * sizeof(change); at++) {
			unsigned char *octet = &w->bytes[at / sizeof(change)];
			unsigned char old = *octet;

			*octet ^= change[at % sizeof(change)];
			if (border_repack(sample[i].kind, w, &out) &&
			    !is_same(w))
				fail_msg("sample %zu octet %zu", i, at);
			*octet = old;
		}
	}
}

/* Put ${value} in place of the number at octet ${at} of a sample. */
static bool
takes_number(size_t i, size_t at, uint64_t value)
{
	struct wire w = sample[i].wire;

	for (size_t n = 0; n < 8; n++)
		w.bytes[at + n] = (unsigned char)(value >> (8 * n));
	return border_repack(sample[i].kind, &w, &out);
}

static void
keep_values_in_range(void **state)
{
	(void)state;
	/* OPEN: kind, flags, uid, gid.  (uid_t)-1 is nobody. */
	assert_true(takes_number(7, 16, UINT32_MAX - 1));
	assert_false(takes_number(7, 16, UINT32_MAX));
	assert_false(takes_number(7, 16, UINT64_C(1) << 32));
	assert_false(takes_number(7, 24, UINT32_MAX));
	/* VERDICT: kind, kind of verdict, status. */
	assert_false(takes_number(5, 8, VERDICT_WAIT + 1));
	assert_false(takes_number(5, 16, POPPER_STATUSES));
}

static void
have_a_user_to_open_for(void **state)
{
	char user[sizeof(opening.identity.user)];

	(void)state;
	memcpy(user, opening.identity.user, sizeof(user));
	opening.identity.user[0] = '\0';
	opening_put(&out, &opening);
	assert_false(opening_get(&out, &opening));
	memcpy(opening.identity.user, user, sizeof(user));
}

static void
bound_what_a_worker_sends(void **state)
{
	static char much[SECRET_MAX + STREAM_LINE_MAX];
	struct attempt a = { .begins = true,
		.mechanism = "USER",
		.user = "bob",
		.secret = popper_slice(much, SECRET_MAX),
		.ahead = popper_slice(much, STREAM_LINE_MAX) };

	(void)state;
	attempt_put(&out, &a);
	assert_true(attempt_get(&out, &a));
	a.ahead = popper_slice(much, 0); /* it was in ${out} */
	a.secret = popper_slice(much, SECRET_MAX + 1);
	attempt_put(&out, &a);
	assert_false(attempt_get(&out, &a));
	a.secret = popper_slice(much, 0);
	a.ahead = popper_slice(much, STREAM_LINE_MAX + 1);
	attempt_put(&out, &a);
	assert_false(attempt_get(&out, &a));
}

/* ${text} is filled to its last octet but the NUL. */
static void
fill_text(char *text, size_t size)
{
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
}

static void
have_room_for_the_largest(void **state)
{
	static char much[STREAM_LINE_MAX];
	struct popper_identity *i = &opening.identity;

	(void)state;
	fill_text(readiness.mechanisms, sizeof(readiness.mechanisms));
	fill_text(readiness.extensions, sizeof(readiness.extensions));
	fill_text(readiness.listing, sizeof(readiness.listing));
	readiness_put(&out, &readiness);
	assert_true(readiness_get(&out, &readiness));
	fill_text(i->user, sizeof(i->user));
	fill_text(i->home, sizeof(i->home));
	fill_text(i->drop, sizeof(i->drop));
	fill_text(i->maildrop, sizeof(i->maildrop));
	fill_text(opening.client, sizeof(opening.client));
	opening.ahead = popper_slice(much, sizeof(much));
	opening_put(&out, &opening);
	assert_true(opening_get(&out, &opening));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(go_there_and_back),
		cmocka_unit_test(are_what_they_say),
		cmocka_unit_test(are_nothing_else),
		cmocka_unit_test(must_be_whole),
		cmocka_unit_test(hold_when_an_octet_changes),
		cmocka_unit_test(keep_values_in_range),
		cmocka_unit_test(have_a_user_to_open_for),
		cmocka_unit_test(bound_what_a_worker_sends),
		cmocka_unit_test(have_room_for_the_largest),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
