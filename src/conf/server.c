/*
 * server.c - popper.conf and -o: the server's own settings.
 *
 * Runs in: the master, at start and at SIGHUP, as root.
 */
#include "conf/server.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/option.h"
#include "base/text.h"
#include "conf/file.h"
#include "conf/hints.h"
#include "conf/limits.h"
#include "conf/logging.h"
#include "conf/nearest.h"
#include "conf/retention.h"
#include "conf/tls.h"

int
server_set(struct settings *s, const char *name, const char *value,
    struct popper_error *e)
{
	const struct popper_option *o = option_find(settings_options, name);
	const char *meant;
	int hint;

	if (o != NULL)
		return option_set(o, s, value, e);
	if ((hint = hints_set(name, value, e)) != 0)
		return hint == 1 ? 0 : -1;
	if ((meant = nearest_option(settings_options, name)) != NULL)
		return error_set(e, POPPER_PERMANENT,
		    "there is no option \"%.80s\"; \"%s\" is one", name, meant);
	return error_set(e, POPPER_PERMANENT,
	    "there is no option \"%.80s\"; popper.conf(5) lists them", name);
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	(void)inside;
	return server_set(context, name, value, e);
}

int
server_read(struct settings *s, const char *path, struct popper_error *e)
{
	struct conf_reader r = { .context = s, .setting = setting };

	return conf_read(path, &r, e);
}

static int
check_name(struct settings *s, struct popper_error *e)
{
	static char name[256];

	if (s->server_name[0] == '\0') {
		if (gethostname(name, sizeof(name) - 1) == -1)
			return error_system(e, POPPER_PERMANENT,
			    "the host has no name: set server-name");
		s->server_name = name;
	}
	if (strlen(s->server_name) < 200 &&
	    text_is_visible(popper_slice_text(s->server_name)) &&
	    strpbrk(s->server_name, "<>[]") == NULL)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "server-name = \"%.80s\": must be a host name", s->server_name);
}

/* One of those that popper was built with? */
static int
check_language(const char *language, struct popper_error *e)
{
	const char *p = settings_languages;
	size_t len;

	for (; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (strlen(language) == len && strncmp(p, language, len) == 0)
			return 0;
	}
	return error_set(e, POPPER_PERMANENT,
	    "language = \"%.80s\": must be one of: %s", language,
	    settings_languages);
}

static int
check_messages(const struct settings *s, struct popper_error *e)
{
	if (strcmp(s->utf8_messages, "send") == 0 ||
	    strcmp(s->utf8_messages, "refuse") == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "utf8-messages = \"%.80s\": must be send or refuse",
	    s->utf8_messages);
}

static bool
is_suffix(const char *suffix)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";
	size_t len = strlen(suffix);

	return len == 0 ||
	    (len > 1 && len <= NAME_SUFFIX_MAX + 1 &&
		strchr("!#$&*+,-./:;=^_|~", suffix[0]) != NULL &&
		strspn(suffix + 1, letters) == len - 1);
}

static int
check_names(const struct settings *s, struct popper_error *e)
{
	const char *c = s->mailbox_separator, *domain = s->default_domain;

	if (c[0] != '\0' &&
	    (c[1] != '\0' || strchr("!#$%&*+,-./:;=^_|~", *c) == NULL))
		return error_set(e, POPPER_PERMANENT,
		    "mailbox-separator = \"%.80s\": must be one of "
		    "! # $ %% & * + , - . / : ; = ^ _ | ~, or empty",
		    c);
	if (!is_suffix(s->name_suffix))
		return error_set(e, POPPER_PERMANENT,
		    "name-suffix = \"%.80s\": must be a sign, as - or _, and 1 "
		    "to 30 letters, digits, - or _ behind it; or empty",
		    s->name_suffix);
	if (domain[0] == '\0' ||
	    (strlen(domain) < 200 &&
		text_is_visible(popper_slice_text(domain)) &&
		strpbrk(domain, "@/%") == NULL))
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "default-domain = \"%.80s\": must be a domain, without @, or empty",
	    domain);
}

/* Limits of some minutes to keep arithmetic in range and gates mortal. */
static int
check_times(const struct settings *s, struct popper_error *e)
{
	if (s->timeout == 0 || s->timeout > 86400)
		return error_set(
		    e, POPPER_PERMANENT, "timeout: must be 1 second to 1 day");
	if (s->keepalive > 32767 || s->keepalive_timeout > 32767)
		return error_set(e, POPPER_PERMANENT,
		    "keepalive, keepalive-timeout: must be at most 32767 "
		    "seconds");
	if (s->takeover > 86400)
		return error_set(
		    e, POPPER_PERMANENT, "takeover: must be at most 1 day");
	if (s->login_timeout == 0 || s->login_timeout > 86400)
		return error_set(e, POPPER_PERMANENT,
		    "login-timeout: must be 1 second to 1 day");
	if (s->auth_timeout == 0 || s->auth_timeout > 3600)
		return error_set(e, POPPER_PERMANENT,
		    "auth-timeout: must be 1 second to 1 hour");
	if (s->failure_delay > 60)
		return error_set(e, POPPER_PERMANENT,
		    "failure-delay: must be at most 60 seconds");
	if (s->login_delay > LOGIN_DELAY_MAX)
		return error_set(
		    e, POPPER_PERMANENT, "login-delay: must be at most 7 days");
	if (s->max_tries == 0)
		return error_set(
		    e, POPPER_PERMANENT, "max-tries: must be at least 1");
	if (s->worker_uses == 0 || s->worker_uses > WORKER_USES_MAX)
		return error_set(e, POPPER_PERMANENT,
		    "connections-per-worker: must be 1 to %d", WORKER_USES_MAX);
	if (s->max_connections == 0 || s->max_connections > 1000000)
		return error_set(e, POPPER_PERMANENT,
		    "max-connections: must be 1 to 1000000");
	return 0;
}

int
server_check(struct settings *s, struct popper_error *e)
{
	if (limits_check(s, e) == -1)
		return -1;
	if (check_name(s, e) == -1 || check_times(s, e) == -1 ||
	    check_language(s->language, e) == -1 || check_names(s, e) == -1 ||
	    check_messages(s, e) == -1 || tls_check(s, e) == -1 ||
	    logging_check(s, e) == -1)
		return -1;
	return retention_check(s, e);
}
