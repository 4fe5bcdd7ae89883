/*
 * ask.c - secrets from a terminal or from standard input.
 *
 * Runs in: popauth.
 */
#include "tools/popauth/ask.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"

#define LEAST 8 /* characters of a secret */

static volatile sig_atomic_t caught;

static void
note(int signal)
{
	caught = signal;
}

/* One octet at a time: what follows the line belongs to whoever reads next.
 * Returns the length, or -1 with errno; 0 with ${more} false at the end. */
static ssize_t
read_line(char *out, size_t size, bool *more)
{
	size_t len = 0;
	ssize_t n;
	char c = '\0';

	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (len == size - 1) {
			errno = EMSGSIZE;
			len = size;
		}
		if (len < size)
			out[len++] = c;
	}
	*more = n == 1 || len > 0;
	if (n == -1)
		return -1;
	if (len >= size)
		return errno = EMSGSIZE, -1;
	out[len] = '\0';
	return (ssize_t)len;
}

/* The same from a terminal.  A signal that ends us must not leave it without
 * echo: it is noted, and comes again when all is as it was. */
static ssize_t
read_hidden(const char *prompt, char *out, size_t size, bool *more)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP };
	struct sigaction action = { .sa_handler = note }, old[5];
	struct termios visible, hidden;
	ssize_t len;
	int saved;

	if (tcgetattr(STDIN_FILENO, &visible) == -1)
		return -1;
	caught = 0;
	for (size_t i = 0; i < 5; i++)
		(void)sigaction(signals[i], &action, &old[i]);
	hidden = visible;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	len = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	if (len == 0) {
		(void)fputs(prompt, stderr);
		(void)fflush(stderr);
		len = read_line(out, size, more);
		saved = errno;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &visible);
		(void)fputc('\n', stderr);
		errno = saved;
	}
	saved = errno;
	for (size_t i = 0; i < 5; i++)
		(void)sigaction(signals[i], &old[i], NULL);
	if (caught != 0)
		(void)raise(caught);
	errno = saved;
	return len;
}

int
ask_secret(const char *prompt, char *out, size_t size, struct popper_error *e)
{
	bool more = false;
	ssize_t len = isatty(STDIN_FILENO) == 1
	    ? read_hidden(prompt, out, size, &more)
	    : read_line(out, size, &more);

	if (len == -1 && errno == EMSGSIZE)
		return error_set(e, POPPER_INVALID,
		    "a secret has at most %zu octets", size - 1);
	if (len == -1)
		return error_system(e, POPPER_TEMPORARY, "standard input");
	if (!more)
		return error_set(e, POPPER_INVALID,
		    "standard input has ended where a secret was expected");
	if (len == 0)
		return error_set(
		    e, POPPER_INVALID, "an empty secret is never accepted");
	for (ssize_t i = 0; i < len; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f ||
		    (unsigned char)out[i] == 0xff)
			return error_set(e, POPPER_INVALID,
			    "a secret has no control characters");
	return 0;
}

/* What a guesser would try first, or NULL.  Kinds: small and capital letters,
 * digits, all else. */
static const char *
weakness(const char *user, const char *secret)
{
	size_t len = strlen(secret), small, capital, digit;

	if (strcasecmp(user, secret) == 0)
		return "it is the user's name";
	if (len < LEAST)
		return "it has less than 8 characters";
	small = capital = digit = 0;
	for (const char *c = secret; *c != '\0'; c++) {
		small += *c >= 'a' && *c <= 'z';
		capital += *c >= 'A' && *c <= 'Z';
		digit += *c >= '0' && *c <= '9';
	}
	if (len < 12 && (small == len || capital == len || digit == len))
		return "it has less than 12 characters, all of one kind";
	return NULL;
}

static int
ask_again(const char *first, struct popper_error *e)
{
	char second[ASK_MAX + 1] = "";
	bool same = false;
	int result = ask_secret("Again: ", second, sizeof(second), e);

	if (result == 0)
		same = strcmp(first, second) == 0;
	secret_wipe(second, sizeof(second));
	if (result == 0 && !same)
		return error_set(
		    e, POPPER_INVALID, "the two secrets are not the same");
	return result;
}

int
ask_new_secret(const struct popauth *p, const char *user, char *out,
    size_t size, struct popper_error *e)
{
	char prompt[POPPER_USER_MAX + 64];
	const char *weak;

	(void)snprintf(prompt, sizeof(prompt), "New secret for %s: ", user);
	if (ask_secret(prompt, out, size, e) == -1)
		return -1;
	/* The first popper's way to take a secret away. */
	if (strcmp(out, "*") == 0)
		return error_set(
		    e, POPPER_INVALID, "\"*\" is no secret; see delete");
	weak = weakness(user, out);
	if (weak != NULL && p->borrowed)
		return error_set(e, POPPER_INVALID, "easy to guess: %s", weak);
	if (weak != NULL)
		popauth_say(p, "warning: easy to guess: %s", weak);
	return isatty(STDIN_FILENO) == 1 ? ask_again(out, e) : 0;
}

bool
ask_yes(const char *question)
{
	char answer[64];
	bool more;

	if (isatty(STDIN_FILENO) != 1)
		return true;
	(void)fprintf(stderr, "%s ", question);
	(void)fflush(stderr);
	return read_line(answer, sizeof(answer), &more) > 0 &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}
