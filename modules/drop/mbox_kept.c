/*
 * mbox_kept.c - reading the state file "mbox.index", a part at a time.
 *
 * Runs in: the session, as the user.
 *
 * The file may come from anybody who can write to the state folder, so what
 * could make this process read or write amiss is checked as well, whatever the
 * sums say.  It is read, never mapped: whoever cuts a mapped file kills its
 * reader.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_index.h"

#define SIZE_MAX_FILE ((off_t)1 << 36) /* octets */
#define EMPTY_LINE_MAX 2 /* octets: CRLF */

static uint64_t
mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
	return sum << 32 | sum >> 32;
}

static uint64_t
word_at(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

uint64_t
mbox_index_sum(uint64_t start, const void *content, size_t len)
{
	/* Four at once: a multiplication takes its time. */
	uint64_t a = start ^ len, b = 1, c = 2, d = 3, word;
	const char *p = content;

	for (; len >= 32; p += 32, len -= 32) {
		a = mix(a, word_at(p));
		b = mix(b, word_at(p + 8));
		c = mix(c, word_at(p + 16));
		d = mix(d, word_at(p + 24));
	}
	a = mix(mix(mix(a, b), c), d);
	for (; len >= 8; p += 8, len -= 8)
		a = mix(a, word_at(p));
	word = 0;
	if (len > 0)
		memcpy(&word, p, len);
	a = mix(a, word);
	return a ^ a >> 32;
}

uint64_t
mbox_head_sum_of(const struct mbox_head *head)
{
	return mbox_index_sum(
	    MBOX_INDEX_MAGIC, head, offsetof(struct mbox_head, sum));
}

uint64_t
mbox_section_len(const struct mbox_head *head, enum mbox_section section)
{
	switch (section) {
	case MBOX_RECORDS:
		return head->count * sizeof(struct mbox_record);
	case MBOX_UIDS:
		return head->with_uids == 0
		    ? 0
		    : (head->count - head->internal) * sizeof(struct mbox_uid);
	case MBOX_TEXTS:
		return head->texts;
	case MBOX_SECTIONS:
		return head->lists;
	}
	return 0;
}

uint64_t
mbox_section_at(const struct mbox_head *head, enum mbox_section section)
{
	uint64_t at = sizeof(*head);
	int i;

	for (i = 0; i < (int)section; i++)
		at += mbox_section_len(head, (enum mbox_section)i);
	return at;
}

/* Does a file of ${len} octets have what ${head} says? */
static bool
is_head(const struct mbox_head *head, uint64_t len)
{
	return head->magic == MBOX_INDEX_MAGIC &&
	    head->version == MBOX_INDEX_VERSION &&
	    head->sum == mbox_head_sum_of(head) && head->internal <= 1 &&
	    head->with_uids <= 1 && head->mmdf <= 1 && head->zero == 0 &&
	    head->count > 0 &&
	    head->count <= len / sizeof(struct mbox_record) &&
	    head->texts <= len && head->lists <= len &&
	    head->texts < (uint64_t)1 << 31 &&
	    (head->with_uids == 1 || (head->texts == 0 && head->lists == 0)) &&
	    len == mbox_section_at(head, MBOX_SECTIONS) + head->lists;
}

static int
open_plain(int state, uint64_t *len)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(state, MBOX_INDEX_FILE, flags);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size <= SIZE_MAX_FILE) {
		*len = (uint64_t)st.st_size;
		return fd;
	}
	(void)close(fd);
	return -1;
}

struct mbox_kept *
mbox_kept_open(const struct mbox *m)
{
	struct mbox_kept *kept;
	struct mbox_head head;
	uint64_t len;
	int fd;

	if ((fd = open_plain(m->state, &len)) == -1)
		return NULL;
	if (mbox_read_at(fd, &head, sizeof(head), 0) == sizeof(head) &&
	    is_head(&head, len) && (kept = malloc(sizeof(*kept))) != NULL) {
		kept->fd = fd;
		kept->head = head;
		return kept;
	}
	(void)close(fd);
	return NULL;
}

void
mbox_kept_close(struct mbox_kept *kept)
{
	if (kept == NULL)
		return;
	(void)close(kept->fd);
	free(kept);
}

/* A section in allocated memory, if its sum is right. */
static void *
load(const struct mbox_kept *kept, enum mbox_section section)
{
	size_t len = (size_t)mbox_section_len(&kept->head, section);
	void *p = malloc(len + 1);

	if (p != NULL &&
	    mbox_read_at(kept->fd, p, len,
		mbox_section_at(&kept->head, section)) == (ssize_t)len &&
	    mbox_index_sum(section, p, len) == kept->head.sums[section])
		return p;
	free(p);
	return NULL;
}

/* May ${len} octets that belong to no message lie behind one?  An empty line;
 * in MMDF, separators.  Were there more, a message could hide, which goes with
 * the one before it. */
static bool
is_gap(const struct mbox_head *head, uint64_t len)
{
	return len <= EMPTY_LINE_MAX || head->mmdf != 0;
}

/* Could a scan of the mbox have found these? */
static bool
are_sane(const struct mbox_record *r, const struct mbox_head *head)
{
	uint64_t at = 0, octets = 0, len, i;

	for (i = 0; i < head->count; i++, r++) {
		if (!is_gap(head, r->offset - at))
			return false;
		if (r->offset < at ||
		    (i == 0 && r->offset != 0 && head->mmdf == 0) ||
		    r->end > head->size || r->offset > r->end ||
		    r->from_len == 0 || r->from_len > MBOX_LEAD_MAX ||
		    r->from_len > r->end - r->offset)
			return false;
		len = r->end - r->offset - r->from_len;
		if (r->octets < len || r->octets - len > len + 2 ||
		    r->head_len > len)
			return false;
		at = r->end;
		if (i >= head->internal)
			octets += r->octets;
	}
	return octets == head->octets && is_gap(head, head->size - at);
}

struct mbox_record *
mbox_kept_records(const struct mbox_kept *kept)
{
	struct mbox_record *records = load(kept, MBOX_RECORDS);

	if (records != NULL && !are_sane(records, &kept->head)) {
		free(records);
		records = NULL;
	}
	return records;
}

/* Are these texts that a client may get? */
static bool
are_texts(const char *texts, size_t len)
{
	size_t i, run = 0;

	for (i = 0; i < len; i++) {
		run = texts[i] == '\0' ? 0 : run + 1;
		if (run > POPPER_UID_MAX ||
		    (run > 0 && (texts[i] < 0x21 || texts[i] > 0x7e)))
			return false;
	}
	return run == 0;
}

/* Do all ids that are texts lie among them? */
static bool
are_found(
    const struct mbox_uid *uids, const struct mbox_head *head, const char *text)
{
	uint64_t i, count = head->count - head->internal;

	for (i = 0; i < count; i++)
		if (uids[i].ordinal == 0 ||
		    (uids[i].text != 0 &&
			(uids[i].text >= head->texts ||
			    text[uids[i].text] == '\0')))
			return false;
	return true;
}

struct mbox_uid *
mbox_kept_uids(const struct mbox_kept *kept, struct mbox_texts *texts)
{
	const struct mbox_head *head = &kept->head;
	struct mbox_uid *uids;
	char *text;

	if (head->with_uids == 0)
		return NULL;
	uids = load(kept, MBOX_UIDS);
	text = load(kept, MBOX_TEXTS);
	if (uids != NULL && text != NULL && are_texts(text, head->texts) &&
	    are_found(uids, head, text)) {
		*texts =
		    (struct mbox_texts){ text, head->texts, head->texts + 1 };
		return uids;
	}
	free(uids);
	free(text);
	return NULL;
}

/* --- Lists. --- */

/* Is every octet one that a unique-id may have, 0x21 to 0x7e? */
static bool
are_visible(const char *text, size_t len)
{
	const uint64_t ones = UINT64_MAX / 255;
	uint64_t word, wrong = 0;

	/* Eight at once: the high bit is there from 0x80 on, comes to 0x7f by
	 * one more and to what is below 0x21 by a borrow.  A carry or borrow
	 * from another octet is no matter: that one is wrong. */
	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		word = word_at(text);
		wrong |= word | (word + ones) | (word - 0x21 * ones);
	}
	for (; len > 0; text++, len--)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return (wrong & ones << 7) == 0;
}

/* Does ${part}, of ${size} octets, have no more than ${most} ids, and a sum
 * begun with ${start}?  ${head} is a copy of how it begins. */
static bool
is_part(const char *part, size_t size, const struct mbox_list *head,
    uint64_t start, size_t most)
{
	const unsigned char *lens = (const unsigned char *)part + sizeof(*head);
	size_t total = 0, k;

	if (head->count == 0 || head->count > most || head->count > size ||
	    head->len > size ||
	    sizeof(*head) + head->count + (size_t)head->len > size ||
	    mbox_index_sum(start, part + sizeof(head->sum),
		sizeof(*head) - sizeof(head->sum) + head->count + head->len) !=
		head->sum)
		return false;
	for (k = 0; k < head->count; k++) {
		if (lens[k] == 0 || lens[k] > POPPER_UID_MAX)
			return false;
		total += lens[k];
	}
	return total == head->len &&
	    are_visible((const char *)lens + head->count, total);
}

/* False: the lister said "enough". */
static bool
put_part(const char *part, const struct mbox_list *head,
    struct popper_lister *lister, size_t *next)
{
	const char *text = part + sizeof(*head) + head->count;
	size_t k, len;

	for (k = 0; k < head->count; k++, text += len) {
		len = (unsigned char)part[sizeof(*head) + k];
		if (lister->put(
			lister, (*next)++, 0, popper_slice(text, len)) != 0)
			return false;
	}
	return true;
}

bool
mbox_kept_list(const struct mbox_kept *kept, char *buffer,
    struct popper_lister *lister, size_t *next)
{
	const struct mbox_head *head = &kept->head;
	uint64_t at = mbox_section_at(head, MBOX_SECTIONS), left = head->lists;
	size_t count = (size_t)(head->count - head->internal), size;
	struct mbox_list part;

	*next = 0;
	for (; *next < count; at += size, left -= size) {
		size = left < MBOX_LIST_SIZE ? (size_t)left : MBOX_LIST_SIZE;
		if (size < sizeof(part) ||
		    mbox_read_at(kept->fd, buffer, size, at) != (ssize_t)size)
			return false;
		memcpy(&part, buffer, sizeof(part));
		if (!is_part(buffer, size, &part, head->sums[MBOX_UIDS] ^ *next,
			count - *next))
			return false;
		if (!put_part(buffer, &part, lister, next))
			break;
	}
	return true;
}
