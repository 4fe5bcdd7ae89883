/*
 * replay.c - run a fuzz target over its corpus, as a TAP test.
 *
 * Usage: the program alone takes t/fuzz/corpus/NAME below $POPPER_SRC; with
 * arguments it takes those files.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static unsigned tests;

/* Run one file.  A finding ends the program. */
static void
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *input = malloc(INPUT_MAX), *exact;
	size_t len;

	if (f == NULL || input == NULL) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	len = fread(input, 1, INPUT_MAX, f);
	fclose(f);
	/* Memory of just this size: a read behind it is seen. */
	exact = realloc(input, len > 0 ? len : 1);
	if (exact == NULL)
		exit(1);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	printf("ok %u - %s\n", ++tests, path);
}

static void
replay_folder(const char *folder)
{
	struct dirent **entry;
	char path[4096];
	int i, n = scandir(folder, &entry, NULL, alphasort);

	if (n == -1) {
		printf("Bail out! cannot list %s\n", folder);
		exit(1);
	}
	for (i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder,
			entry[i]->d_name) < (int)sizeof(path))
			replay(path);
		free(entry[i]);
	}
	free(entry);
}

int
main(int argc, char **argv)
{
	const char *src = getenv("POPPER_SRC");
	char folder[2048];
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%s",
		    src != NULL ? src : ".", fuzz_corpus);
		replay_folder(folder);
	}
	printf("1..%u\n", tests);
	return tests > 0 ? 0 : 1;
}
