/*
 * uid_parts.h - unique-ids as a client gets them, as an index keeps them.
 *
 * They lie in parts, each of which begins at a multiple of UID_PART_SIZE, the
 * last one being shorter: struct uid_part, one octet for each id that is its
 * length, the ids one behind the other.  No id lies in two parts, so one after
 * the other is read into the same memory.
 *
 * What is read may come from anybody who can write to the state folder.
 */
#ifndef DROP_UID_PARTS_H
#define DROP_UID_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <popper/drop.h>

struct uid_part {
	uint64_t sum; /* of all behind it */
	uint32_t count, len; /* ids; octets of all of them */
};
_Static_assert(sizeof(struct uid_part) == 16, "no holes on the disk");

#define UID_PART_SIZE 65536

/* The driver's own sum, going on from ${start}. */
typedef uint64_t uid_part_sum(uint64_t start, const void *, size_t len);

static inline uint64_t
uid_part_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Is every octet one that a unique-id may have, 0x21 to 0x7e? */
static inline bool
uid_part_is_visible(const char *text, size_t len)
{
	const uint64_t ones = UINT64_MAX / 255;
	uint64_t word, wrong = 0;

	/* Eight at once: the high bit is there from 0x80 on, comes to 0x7f by
	 * one more and to what is below 0x21 by a borrow.  A carry or borrow
	 * from another octet is no matter: that one is wrong. */
	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		word = uid_part_word(text);
		wrong |= word | (word + ones) | (word - 0x21 * ones);
	}
	for (; len > 0; text++, len--)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return (wrong & ones << 7) == 0;
}

static inline uint64_t
uid_part_sum_of(const char *part, uid_part_sum *sum, uint64_t start)
{
	struct uid_part head;

	memcpy(&head, part, sizeof(head));
	return sum(start, part + sizeof(head.sum),
	    sizeof(head) - sizeof(head.sum) + head.count + (size_t)head.len);
}

/** uid_part_is_good(part, size, most, sum, start): does ${part}, of ${size}
 * octets, have 1 to ${most} proper ids, and the right sum? */
static inline bool
uid_part_is_good(const char *part, size_t size, size_t most, uid_part_sum *sum,
    uint64_t start)
{
	const unsigned char *lens =
	    (const unsigned char *)part + sizeof(struct uid_part);
	struct uid_part head;
	size_t total = 0;

	if (size < sizeof(head))
		return false;
	memcpy(&head, part, sizeof(head));
	if (head.count == 0 || head.count > most || head.count > size ||
	    head.len > size ||
	    sizeof(head) + head.count + (size_t)head.len > size ||
	    uid_part_sum_of(part, sum, start) != head.sum)
		return false;
	for (size_t k = 0; k < head.count; k++) {
		if (lens[k] == 0 || lens[k] > POPPER_UID_MAX)
			return false;
		total += lens[k];
	}
	return total == head.len &&
	    uid_part_is_visible((const char *)lens + head.count, total);
}

/** uid_part_put(part, lister, next): put what is in a good one, as numbers from
 * ${*next} on.  False: the lister said "enough". */
static inline bool
uid_part_put(const char *part, struct popper_lister *lister, size_t *next)
{
	const char *text;
	struct uid_part head;
	size_t len;

	memcpy(&head, part, sizeof(head));
	text = part + sizeof(head) + head.count;
	for (size_t k = 0; k < head.count; k++, text += len) {
		len = (unsigned char)part[sizeof(head) + k];
		if (lister->put(
			lister, (*next)++, 0, popper_slice(text, len)) != 0)
			return false;
	}
	return true;
}

/* Tells unique-ids; ${text} may be used for it. */
struct uid_teller {
	struct popper_slice (*tell)(
	    struct uid_teller *, size_t i, char text[POPPER_UID_MAX + 1]);
};

/**
 * uid_part_make(teller, i, count, part):
 * Make a part of as many ids from ${*i} up to ${count} as go into it, without
 * its sum, and advance ${*i}.  ${part} has 2 * UID_PART_SIZE octets.  Returns
 * its octets, without those of zero that may follow.
 */
static inline size_t
uid_part_make(struct uid_teller *teller, size_t *i, size_t count, char *part)
{
	char text[POPPER_UID_MAX + 1], *texts = part + UID_PART_SIZE;
	struct uid_part head = { .count = 0 };
	struct popper_slice uid;

	/* The lengths come first, so the texts are gathered elsewhere. */
	for (; *i < count; (*i)++) {
		uid = teller->tell(teller, *i, text);
		if (sizeof(head) + head.count + 1 + head.len + uid.len >
		    UID_PART_SIZE)
			break;
		part[sizeof(head) + head.count++] = (char)uid.len;
		memcpy(texts + head.len, uid.ptr, uid.len);
		head.len += (uint32_t)uid.len;
	}
	memcpy(part, &head, sizeof(head));
	memcpy(part + sizeof(head) + head.count, texts, head.len);
	return sizeof(head) + head.count + head.len;
}

#endif
