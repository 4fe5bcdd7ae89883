/*
 * wire.c - fuzz: messages between our processes.
 *
 * The first octet says what the rest is taken for.  Whatever is accepted is
 * exactly what packing it again gives, and nothing is read behind its end.
 */
#include "fuzz.h"

#include "border.h"

const char fuzz_corpus[] = "wire";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct wire in, out;

	if (len == 0 || len - 1 > sizeof(in.bytes))
		return 0;
	wire_start(&in);
	/* What an earlier message left is not this one's. */
	memset(in.bytes, 0xa5, sizeof(in.bytes));
	memcpy(in.bytes, data + 1, len - 1);
	in.len = len - 1;
	if (!border_repack(data[0] % BORDER_KINDS, &in, &out))
		return 0;
	fuzz_check(!out.failed && out.len == in.len);
	fuzz_check(memcmp(out.bytes, in.bytes, in.len) == 0);
	return 0;
}
