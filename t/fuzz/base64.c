/* base64.c - fuzz: what is decoded has one spelling only, and all returns. */
#include "fuzz.h"

#include "base/base64.h"

#define MOST 12000

const char fuzz_corpus[] = "base64";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char coded[BASE64_LEN(MOST)], plain[MOST];
	size_t n;

	if (len > MOST)
		return 0;
	if (base64_decode(popper_slice(data, len), plain, MOST, &n)) {
		fuzz_check(BASE64_LEN(n) == len);
		base64_encode(popper_slice(plain, n), coded);
		fuzz_check(memcmp(coded, data, len) == 0);
		fuzz_check(n == 0 ||
		    !base64_decode(popper_slice(data, len), plain, n - 1, &n));
	}
	base64_encode(popper_slice(data, len), coded);
	fuzz_check(base64_decode(
	    popper_slice(coded, BASE64_LEN(len)), plain, len, &n));
	fuzz_check(n == len && memcmp(plain, data, len) == 0);
	return 0;
}
