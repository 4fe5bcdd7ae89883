/* test_base64.c - src/base/base64.c */
#include "unit.h"

#include "base/base64.h"

static const struct {
	const char *plain, *coded;
} pairs[] = {
	{ "", "" },
	{ "p", "cA==" },
	{ "po", "cG8=" },
	{ "pop", "cG9w" },
	{ "pop3", "cG9wMw==" },
	{ "pop3s", "cG9wM3M=" },
	{ "popper", "cG9wcGVy" },
	{ "\xfb\xff\xfe", "+//+" },
};

static void
encodes(void **state)
{
	char out[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		len = strlen(pairs[i].coded);
		assert_int_equal(BASE64_LEN(strlen(pairs[i].plain)), len);
		out[len] = '#';
		base64_encode(popper_slice_text(pairs[i].plain), out);
		assert_memory_equal(out, pairs[i].coded, len);
		assert_int_equal(out[len], '#');
	}
}

static void
decodes(void **state)
{
	char out[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_true(base64_decode(popper_slice_text(pairs[i].coded),
		    out, strlen(pairs[i].plain), &len));
		assert_int_equal(len, strlen(pairs[i].plain));
		assert_memory_equal(out, pairs[i].plain, len);
	}
}

static void
keeps_every_octet(void **state)
{
	unsigned char in[256], out[256];
	char coded[BASE64_LEN(256)];
	size_t i, len;

	(void)state;
	for (i = 0; i < 256; i++)
		in[i] = (unsigned char)i;
	base64_encode(popper_slice(in, 256), coded);
	assert_true(base64_decode(
	    popper_slice(coded, sizeof(coded)), out, sizeof(out), &len));
	assert_int_equal(len, 256);
	assert_memory_equal(in, out, 256);
}

static void
refuses_what_is_not_strict(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zm9", "Zm9vZ",
		"====", "Z===", "Zg==Zg==", "Zm8=Zm8=", "Zh==", "Zm9=",
		"Zm9v\n", "Zm 9v===", "Zm-v", "Zm_v", "=Zm9", "Z=m9", "Zg=A",
		"Zm9\xc3" };
	char out[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(
		    popper_slice_text(bad[i]), out, sizeof(out), &len));
	assert_false(base64_decode(S("Zm\0v"), out, sizeof(out), &len));
}

static void
refuses_lack_of_room(void **state)
{
	char out[4] = "###";
	size_t len;

	(void)state;
	assert_false(base64_decode(S("Zm9v"), out, 2, &len));
	assert_string_equal(out, "###");
	assert_false(base64_decode(S("Zg=="), out, 0, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
		cmocka_unit_test(decodes),
		cmocka_unit_test(keeps_every_octet),
		cmocka_unit_test(refuses_what_is_not_strict),
		cmocka_unit_test(refuses_lack_of_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
