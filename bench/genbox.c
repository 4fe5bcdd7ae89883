/*
 * genbox.c - make a mailbox of invented mail, as mbox and as Maildir.
 *
 * usage: genbox -o FOLDER [-n MESSAGES] [-b OCTETS] [-s SEED] [-M]
 *
 * Writes FOLDER/mbox, FOLDER/Maildir (not with -M) and FOLDER/manifest, which
 * has for each message: number, octets with CRLF, CRC-32C of the header, of
 * the body without blank lines at its end.  popload compares them with what
 * a server sends.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "checksum.h"
#include "content.h"
#include "letter.h"

struct box {
	const char *folder;
	unsigned long messages;
	double octets;
	uint64_t seed;
	bool maildir;
	FILE *mbox, *manifest;
	double *share; /* of the octets, for each message */
};

static void
path(char *out, size_t size, const char *folder, const char *name)
{
	int n = snprintf(out, size, "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= size)
		errx(1, "%s: path too long", folder);
}

static void
make_folder(const char *folder, const char *name)
{
	char p[4096];

	path(p, sizeof(p), folder, name);
	if (mkdir(p, 0755) == -1 && errno != EEXIST)
		err(1, "%s", p);
}

static FILE *
make_file(const char *folder, const char *name)
{
	char p[4096];
	FILE *f;

	path(p, sizeof(p), folder, name);
	if ((f = fopen(p, "we")) == NULL)
		err(1, "%s", p);
	return f;
}

static void
end_file(FILE *f, const char *name)
{
	if (ferror(f) != 0 || fclose(f) != 0)
		err(1, "writing %s", name);
}

/* Sizes as in real mailboxes: most are small, a few are very large. */
static void
share_octets(struct box *b)
{
	uint64_t random = b->seed * 77 + 5;
	double sum = 0;

	b->share = calloc(b->messages, sizeof(*b->share));
	if (b->share == NULL)
		err(1, "no memory for %lu sizes", b->messages);
	for (unsigned long i = 0; i < b->messages; i++) {
		unsigned kind = random_below(&random, 100);
		double g = sqrt(-2 * log(random_unit(&random))) *
		    cos(6.283185307 * random_unit(&random));
		double size = kind < 60 ? 2500 * exp(0.6 * g)
		    : kind < 88         ? 12000 * exp(0.5 * g)
					: 90000 * exp(0.9 * g);

		b->share[i] = size < 3e6 ? size : 3e6;
		sum += b->share[i];
	}
	for (unsigned long i = 0; i < b->messages; i++)
		b->share[i] /= sum;
}

/* The message as the wire has it, into the same sums that popload makes. */
static void
add_to_manifest(struct box *b, unsigned long index, const struct letter *l)
{
	size_t room = 3 * l->len + 8, n = 0, eaten;
	char *wire = malloc(room);
	struct content c;
	bool done;

	if (wire == NULL)
		err(1, "no memory for a message");
	for (size_t i = 0; i < l->len; i++) {
		if (l->text[i] == '.' && (i == 0 || l->text[i - 1] == '\n'))
			wire[n++] = '.';
		if (l->text[i] == '\n')
			wire[n++] = '\r';
		wire[n++] = l->text[i];
	}
	memcpy(wire + n, ".\r\n", 3);
	content_begin(&c);
	eaten = content_eat(&c, wire, n + 3, &done);
	if (!done || eaten != n + 3)
		errx(1, "message %lu does not end as it should", index);
	fprintf(b->manifest, "%lu %" PRIu64 " %08" PRIx32 " %08" PRIx32 "\n",
	    index, c.octets, c.header, content_body(&c));
	free(wire);
}

static void
add_to_mbox(struct box *b, unsigned long index, const struct letter *l)
{
	time_t t = letter_time(index);
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", gmtime_r(&t, &tm));
	fprintf(b->mbox, "From sender@example.org %s\n", date);
	fwrite(l->text, 1, l->len, b->mbox);
	putc('\n', b->mbox);
}

/* The newest tenth lies in new/, the rest has been seen. */
static void
add_to_maildir(struct box *b, unsigned long index, const struct letter *l)
{
	bool fresh = index >= b->messages - b->messages / 10;
	char name[128];
	FILE *f;

	snprintf(name, sizeof(name), "Maildir/%s/%lld.V801I%lxM%06lu.host%s",
	    fresh ? "new" : "cur", (long long)letter_time(index), index + 4096,
	    index * 7919 % 1000000, fresh ? "" : ":2,S");
	f = make_file(b->folder, name);
	fwrite(l->text, 1, l->len, f);
	end_file(f, name);
}

static void
make_messages(struct box *b)
{
	struct letter l = { .text = NULL };

	for (unsigned long i = 0; i < b->messages; i++) {
		double octets = b->share[i] * b->octets;

		letter_write(
		    &l, i, (size_t)(octets < 1100 ? 1100 : octets), b->seed);
		add_to_manifest(b, i, &l);
		add_to_mbox(b, i, &l);
		if (b->maildir)
			add_to_maildir(b, i, &l);
	}
	free(l.text);
}

int
main(int argc, char **argv)
{
	struct box b = {
		.messages = 20, .octets = 200e3, .seed = 1, .maildir = true
	};
	int c;

	while ((c = getopt(argc, argv, "o:n:b:s:M")) != -1)
		switch (c) {
		case 'o':
			b.folder = optarg;
			break;
		case 'n':
			b.messages = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			b.octets = strtod(optarg, NULL);
			break;
		case 's':
			b.seed = strtoull(optarg, NULL, 10);
			break;
		case 'M':
			b.maildir = false;
			break;
		default:
			return 2;
		}
	if (b.folder == NULL)
		errx(2, "usage: genbox -o FOLDER [-n MESSAGES] [-b OCTETS]");
	checksum_prepare();
	make_folder(b.folder, "");
	if (b.maildir) {
		make_folder(b.folder, "Maildir");
		make_folder(b.folder, "Maildir/cur");
		make_folder(b.folder, "Maildir/new");
		make_folder(b.folder, "Maildir/tmp");
	}
	b.mbox = make_file(b.folder, "mbox");
	b.manifest = make_file(b.folder, "manifest");
	share_octets(&b);
	make_messages(&b);
	end_file(b.mbox, "mbox");
	end_file(b.manifest, "manifest");
	free(b.share);
	return 0;
}
