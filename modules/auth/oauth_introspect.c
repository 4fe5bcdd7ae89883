/*
 * oauth_introspect.c - ask who issued the token (RFC 7662), over libcurl.
 *
 * Runs in:  the gate, as root; oauth_introspect_check in the warm parent.
 *
 * Nothing of the environment counts: no proxy, no .netrc, no redirect.  The
 * gate uses SIGALRM, so libcurl must not.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Its checks are of the compiler's own dialect. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "oauth.h"

struct request {
	CURL *curl;
	struct curl_slist *header;
	char *client_id, *secret; /* escaped, of libcurl; or NULL */
	char *body;
	size_t body_len;
	size_t header_len; /* of the answer */
	size_t len;
	char answer[OAUTH_ANSWER_MAX];
	char why[CURL_ERROR_SIZE];
};

static bool
is_loopback(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

/* libcurl's own reader, so that what is checked is what it will ask. */
static bool
is_url(const char *text)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	bool good = u != NULL &&
	    curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER) ==
		CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    (strcmp(scheme, "https") == 0 ||
		(strcmp(scheme, "http") == 0 && is_loopback(host)));

	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return good;
}

/* One line.  The caller wipes and frees it. */
static char *
read_secret(const struct oauth_self *o, struct popper_error *e)
{
	size_t len;
	char *text = oauth_file_read(
	    o, o->conf->secret_file, 077, OAUTH_SECRET_MAX, &len, e);

	if (text == NULL)
		return NULL;
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len > 0 && strcspn(text, "\r\n") == len)
		return text;
	o->host->wipe(text, len);
	free(text);
	(void)o->host->fail(e, POPPER_PERMANENT,
	    "oauth: %s: must be one line, not empty", o->conf->secret_file);
	return NULL;
}

int
oauth_introspect_check(const struct oauth_self *o, struct popper_error *e)
{
	const struct oauth_conf *c = o->conf;
	char *secret;

	if (c->introspect[0] == '\0')
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return o->host->fail(
		    e, POPPER_TEMPORARY, "oauth: libcurl cannot be used");
	if (!is_url(c->introspect))
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: introspect = \"%s\": must be a URL that begins "
		    "with https:// (http:// for 127.0.0.1 and [::1] only) "
		    "and names no user",
		    c->introspect);
	if ((c->client_id[0] == '\0') != (c->secret_file[0] == '\0'))
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: client-id and client-secret-file go together");
	if (c->secret_file[0] == '\0')
		return 0;
	secret = read_secret(o, e);
	if (secret == NULL)
		return -1;
	o->host->wipe(secret, strlen(secret));
	free(secret);
	return 0;
}

static size_t
take_body(char *octets, size_t size, size_t n, void *context)
{
	struct request *r = context;

	(void)size; /* always 1 */
	if (n > sizeof(r->answer) - r->len)
		return 0; /* ends the transfer */
	memcpy(r->answer + r->len, octets, n);
	r->len += n;
	return n;
}

static size_t
take_header(char *octets, size_t size, size_t n, void *context)
{
	struct request *r = context;

	(void)octets;
	(void)size;
	if (n > OAUTH_ANSWER_MAX - r->header_len)
		return 0;
	r->header_len += n;
	return n;
}

/* RFC 6749 section 2.3.1: name and secret as in a form, then as Basic. */
static bool
add_client(
    struct request *r, const struct oauth_self *o, struct popper_error *e)
{
	char *secret;

	if (o->conf->client_id[0] == '\0')
		return true;
	secret = read_secret(o, e);
	if (secret == NULL)
		return false;
	r->client_id = curl_easy_escape(r->curl, o->conf->client_id, 0);
	r->secret = curl_easy_escape(r->curl, secret, 0);
	o->host->wipe(secret, strlen(secret));
	free(secret);
	return r->client_id != NULL && r->secret != NULL &&
	    curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) ==
	    CURLE_OK &&
	    curl_easy_setopt(r->curl, CURLOPT_USERNAME, r->client_id) ==
	    CURLE_OK &&
	    curl_easy_setopt(r->curl, CURLOPT_PASSWORD, r->secret) == CURLE_OK;
}

static bool
add_body(struct request *r, struct popper_slice token)
{
	static const char start[] = "token_type_hint=access_token&token=";
	char *escaped = curl_easy_escape(r->curl, token.ptr, (int)token.len);
	size_t at = sizeof(start) - 1, len;

	if (escaped == NULL)
		return false;
	len = strlen(escaped);
	r->body = malloc(at + len + 1);
	if (r->body != NULL) {
		memcpy(r->body, start, at);
		memcpy(r->body + at, escaped, len + 1);
		r->body_len = at + len;
	}
	curl_free(escaped);
	return r->body != NULL &&
	    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, r->body) ==
	    CURLE_OK &&
	    curl_easy_setopt(
		r->curl, CURLOPT_POSTFIELDSIZE, (long)r->body_len) == CURLE_OK;
}

static bool
set_long(struct request *r, CURLoption option, long value)
{
	return curl_easy_setopt(r->curl, option, value) == CURLE_OK;
}

static bool
set_pointer(struct request *r, CURLoption option, const void *value)
{
	return curl_easy_setopt(r->curl, option, value) == CURLE_OK;
}

static bool
add_limits(struct request *r, const struct oauth_conf *c)
{
	const char *schemes = c->introspect[4] == ':' ? "http" : "https";

	return set_pointer(r, CURLOPT_URL, c->introspect) &&
	    set_pointer(r, CURLOPT_PROTOCOLS_STR, schemes) &&
	    set_long(r, CURLOPT_NOSIGNAL, 1) &&
	    set_long(r, CURLOPT_TIMEOUT, (long)c->timeout) &&
	    set_long(r, CURLOPT_CONNECTTIMEOUT, (long)c->timeout) &&
	    set_long(r, CURLOPT_FOLLOWLOCATION, 0) &&
	    set_long(r, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set_long(r, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    set_pointer(r, CURLOPT_PROXY, "") &&
	    set_long(r, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
	    (c->ca_file[0] == '\0' ||
		set_pointer(r, CURLOPT_CAINFO, c->ca_file));
}

static bool
add_answer(struct request *r)
{
	struct curl_slist *more;

	r->header = curl_slist_append(NULL, "Accept: application/json");
	more = curl_slist_append(r->header, "Expect:");
	return r->header != NULL && more != NULL &&
	    set_pointer(r, CURLOPT_HTTPHEADER, r->header) &&
	    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take_body) ==
	    CURLE_OK &&
	    set_pointer(r, CURLOPT_WRITEDATA, r) &&
	    curl_easy_setopt(r->curl, CURLOPT_HEADERFUNCTION, take_header) ==
	    CURLE_OK &&
	    set_pointer(r, CURLOPT_HEADERDATA, r) &&
	    set_pointer(r, CURLOPT_ERRORBUFFER, r->why);
}

static void
wipe_text(const struct oauth_self *o, char *text)
{
	if (text != NULL)
		o->host->wipe(text, strlen(text));
}

static void
request_free(const struct oauth_self *o, struct request *r)
{
	if (r == NULL)
		return;
	wipe_text(o, r->client_id);
	wipe_text(o, r->secret);
	wipe_text(o, r->body);
	curl_free(r->client_id);
	curl_free(r->secret);
	free(r->body);
	curl_easy_cleanup(r->curl);
	curl_slist_free_all(r->header);
	o->host->wipe(r->answer, r->len);
	free(r);
}

/* -1 with ${e} filled, or the answer is in r->answer. */
static int
ask(struct request *r, const struct oauth_self *o, struct popper_slice token,
    struct popper_error *e)
{
	const struct oauth_conf *c = o->conf;
	long status = 0;
	CURLcode code;

	r->curl = curl_easy_init();
	(void)o->host->fail(
	    e, POPPER_TEMPORARY, "oauth: no memory to ask %s", c->introspect);
	if (r->curl == NULL || !add_limits(r, c) || !add_answer(r) ||
	    !add_client(r, o, e) || !add_body(r, token))
		return -1;
	code = curl_easy_perform(r->curl);
	if (code != CURLE_OK)
		return o->host->fail(e, POPPER_TEMPORARY,
		    "oauth: %s does not answer as it should: %s", c->introspect,
		    r->why[0] != '\0' ? r->why : curl_easy_strerror(code));
	if (curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status) !=
		CURLE_OK ||
	    status != 200)
		return o->host->fail(e, POPPER_TEMPORARY,
		    "oauth: %s answers with status %ld; see url, client-id "
		    "and client-secret-file",
		    c->introspect, status);
	return 0;
}

/* RFC 7662 section 2.2. */
static enum oauth_result
judge(const struct request *r, const struct oauth_self *o,
    char name[POPPER_USER_MAX + 1], struct popper_error *e)
{
	struct oauth_rules rules = { .conf = o->conf,
		.now = (int64_t)time(NULL),
		.introspected = true };
	enum oauth_result result = OAUTH_INVALID;
	const char *problem;
	json_t *j = oauth_json(popper_slice(r->answer, r->len), &problem);
	const json_t *active = json_object_get(j, "active");

	if (j == NULL || !json_is_boolean(active)) {
		(void)o->host->fail(e, POPPER_TEMPORARY,
		    "oauth: %s answers with %s", o->conf->introspect,
		    j == NULL ? problem : "JSON without \"active\"");
		json_decref(j);
		return OAUTH_LATER;
	}
	problem = "it is not active";
	if (json_is_true(active))
		result = oauth_claims_check(j, &rules, name, &problem);
	json_decref(j);
	if (result != OAUTH_GOOD)
		(void)o->host->fail(e, POPPER_DENIED,
		    "oauth: token refused: %s, says %s", problem,
		    o->conf->introspect);
	return result;
}

enum oauth_result
oauth_introspect(const struct oauth_self *o, struct popper_slice token,
    char name[POPPER_USER_MAX + 1], struct popper_error *e)
{
	struct request *r = calloc(1, sizeof(*r));
	enum oauth_result result = OAUTH_LATER;

	if (r == NULL)
		(void)o->host->fail_system(e, POPPER_TEMPORARY, "oauth");
	else if (ask(r, o, token, e) == 0)
		result = judge(r, o, name, e);
	request_free(o, r);
	return result;
}
