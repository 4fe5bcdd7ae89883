/*
 * arguments.c - the command line of popload; popload.c explains it.
 *
 * Runs in:  bench/popload.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "arguments.h"
#include "checksum.h"
#include "secure.h"

static const char *const mode_names[] = {
	[LOGIN] = "login",
	[POLL] = "poll",
	[FETCH] = "fetch",
	[TOP] = "top",
	[DELE] = "dele",
	[IDLE] = "idle",
};
_Static_assert(
    sizeof(mode_names) / sizeof(mode_names[0]) == MODES, "name every mode");

static const char *const pick_name[] = { "first", "last", "middle", "every" };

const char *
mode_name(enum mode mode)
{
	return mode_names[mode];
}

static long
number(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || n < 0 || n > INT32_MAX)
		errx(2, "not a number: %s", text);
	return n;
}

static char *
copy(const char *text)
{
	char *s = strdup(text);

	if (s == NULL)
		err(2, "no memory");
	return s;
}

static void
read_users(struct load *l, const char *file)
{
	FILE *f = fopen(file, "re");
	char *line = NULL, *colon;
	size_t room = 0;

	if (f == NULL)
		err(2, "%s", file);
	while (getline(&line, &room, f) != -1) {
		if (l->users_max > 0 && l->user_count == l->users_max)
			break;
		line[strcspn(line, "\r\n")] = '\0';
		if ((colon = strchr(line, ':')) == NULL)
			errx(2, "%s: no colon in \"%s\"", file, line);
		*colon = '\0';
		l->users =
		    realloc(l->users, (l->user_count + 1) * sizeof(*l->users));
		if (l->users == NULL)
			err(2, "no memory for the users");
		l->users[l->user_count++] = (struct user){
			.name = copy(line),
			.password = copy(colon + 1),
		};
	}
	free(line);
	fclose(f);
	if (l->user_count == 0)
		errx(2, "%s: no users", file);
}

static void
read_manifest(struct settings *s, const char *file)
{
	FILE *f = fopen(file, "re");
	struct sums *m = &s->manifest;
	uint32_t header, body;
	uint64_t octets;

	if (f == NULL)
		err(2, "%s", file);
	while (fscanf(f, "%*u %" SCNu64 " %" SCNx32 " %" SCNx32, &octets,
		   &header, &body) == 3) {
		m->messages++;
		m->octets += octets;
		m->exact += checksum_message(header, body, octets);
		m->body += checksum_body(body);
		m->header += checksum_header(header);
	}
	fclose(f);
	s->have_manifest = true;
}

static void
read_pick(struct settings *s, const char *text)
{
	const char *colon = strchr(text, ':');

	for (size_t i = 0; i < 4 && colon != NULL; i++)
		if (strncmp(text, pick_name[i], (size_t)(colon - text)) == 0) {
			s->pick = (enum pick)i;
			s->pick_number = (uint32_t)number(colon + 1);
			if (s->pick_number > 0)
				return;
		}
	errx(2, "not first:N, last:N, middle:N or every:N: %s", text);
}

static void
read_mode(struct settings *s, const char *text)
{
	for (size_t i = 0; i < MODES; i++)
		if (strcmp(text, mode_names[i]) == 0) {
			s->mode = (enum mode)i;
			return;
		}
	errx(2, "unknown mode: %s", text);
}

static const struct option options[] = {
	{ "host", required_argument, NULL, 'h' },
	{ "port", required_argument, NULL, 'p' },
	{ "users", required_argument, NULL, 'u' },
	{ "users-max", required_argument, NULL, 'U' },
	{ "sessions", required_argument, NULL, 'n' },
	{ "at-once", required_argument, NULL, 'c' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "window", required_argument, NULL, 'W' },
	{ "limit", required_argument, NULL, 'l' },
	{ "dele", required_argument, NULL, 'd' },
	{ "manifest", required_argument, NULL, 'm' },
	{ "timeout", required_argument, NULL, 't' },
	{ "no-verify", no_argument, NULL, 'V' },
	{ "no-list", no_argument, NULL, 'L' },
	{ "spread", no_argument, NULL, 's' },
	{ "tls", no_argument, NULL, 'T' },
	{ "before-login", no_argument, NULL, 'b' },
	{ NULL, 0, NULL, 0 },
};

static void
read_flag(struct settings *s, int c)
{
	switch (c) {
	case 'V':
		s->no_verify = true;
		break;
	case 'L':
		s->no_list = true;
		break;
	case 'T':
		s->tls = true;
		break;
	case 's':
		s->spread = true;
		break;
	case 'b':
		s->before_login = true;
		break;
	default:
		exit(2); /* getopt has said why */
	}
}

static void
read_option(struct load *l, int c, const char *arg)
{
	struct settings *s = &l->set;

	switch (c) {
	case 'h':
		if (inet_pton(AF_INET, arg, &s->server.sin_addr) != 1)
			errx(2, "not an IPv4 address: %s", arg);
		break;
	case 'p':
		s->server.sin_port = htons((uint16_t)number(arg));
		break;
	case 'U':
		l->users_max = (size_t)number(arg);
		break;
	case 'n':
		s->sessions = number(arg);
		break;
	case 'c':
		s->at_once = number(arg);
		break;
	case 'w':
		s->warm_up = number(arg);
		break;
	case 'W':
		s->window = (uint32_t)number(arg);
		break;
	case 'l':
		s->limit = (uint32_t)number(arg);
		break;
	case 'd':
		read_pick(s, arg);
		break;
	case 'm':
		read_manifest(s, arg);
		break;
	case 't':
		s->timeout = (double)number(arg);
		break;
	default:
		read_flag(s, c);
	}
}

void
arguments_read(struct load *l, int argc, char **argv)
{
	const char *users = NULL;
	int c;

	if (argc < 2)
		errx(2, "usage: popload MODE --port P --users FILE ...");
	read_mode(&l->set, argv[1]);
	optind = 2;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == 'u')
			users = optarg;
		else
			read_option(l, c, optarg);
	if (users == NULL || l->set.server.sin_port == 0)
		errx(2, "--port and --users must be given");
	read_users(l, users);
	if (l->set.tls)
		secure_prepare();
}
