/*
 * messages.c - what our processes say to each other, packed and unpacked.
 *
 * Runs in: all programs.  The first number of a message is its kind.
 */
#include "priv/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/option.h"

enum kind {
	KIND_SETTINGS = 1,
	KIND_READY,
	KIND_KNOCK,
	KIND_ATTEMPT,
	KIND_RESPONSE,
	KIND_VERDICT,
	KIND_OPEN,
	KIND_HOST,
	KIND_TIMESTAMP,
	KIND_ERRAND,
	KIND_RESULT,
	KINDS
};

static void
begin(struct wire *w, enum kind k)
{
	wire_start(w);
	wire_put_number(w, k);
}

static void
expect(struct wire *w, enum kind k)
{
	if (wire_get_number(w, KINDS) != k)
		w->failed = true;
}

static bool
get_bool(struct wire *w)
{
	return wire_get_number(w, 1) == 1;
}

static void
put_option(struct wire *w, const struct popper_option *o, void *conf)
{
	switch (o->kind) {
	case POPPER_OPTION_TEXT:
	case POPPER_OPTION_WORD:
		wire_put_text(w, *option_text(o, conf));
		break;
	case POPPER_OPTION_BOOL:
		wire_put_number(w, *option_bool(o, conf));
		break;
	case POPPER_OPTION_NUMBER:
	case POPPER_OPTION_OCTETS:
	case POPPER_OPTION_SECONDS:
		wire_put_number(w, *option_number(o, conf));
		break;
	}
}

/* A text that lives for good. */
static char *
get_copy(struct wire *w)
{
	struct popper_slice s = wire_get_slice(w);
	char *copy;

	if (memchr(s.ptr, '\0', s.len) != NULL)
		w->failed = true;
	if ((copy = strndup(s.ptr, s.len)) == NULL)
		log_fatal("out of memory");
	return copy;
}

static void
get_option(struct wire *w, const struct popper_option *o, void *conf)
{
	switch (o->kind) {
	case POPPER_OPTION_TEXT:
	case POPPER_OPTION_WORD:
		*option_text(o, conf) = get_copy(w);
		break;
	case POPPER_OPTION_BOOL:
		*option_bool(o, conf) = get_bool(w);
		break;
	case POPPER_OPTION_NUMBER:
	case POPPER_OPTION_OCTETS:
	case POPPER_OPTION_SECONDS:
		*option_number(o, conf) = wire_get_number(w, INT64_MAX);
		break;
	}
}

void
assignment_put(struct wire *w, struct assignment *a)
{
	begin(w, KIND_SETTINGS);
	for (const struct popper_option *o = settings_options; o->name; o++)
		put_option(w, o, &a->settings);
	wire_put_text(
	    w, a->settings.overlay == NULL ? "" : a->settings.overlay);
	wire_put_number(w, a->list);
	wire_put_number(w, a->print);
	wire_put_number(w, a->single);
	wire_put_number(w, a->inputs);
	wire_put_number(w, a->inputs_tls);
	wire_put_text(w, a->mechanisms);
	wire_put_text(w, a->extensions);
}

bool
assignment_get(struct wire *w, struct assignment *a)
{
	expect(w, KIND_SETTINGS);
	for (const struct popper_option *o = settings_options; o->name; o++)
		get_option(w, o, &a->settings);
	a->settings.overlay = get_copy(w);
	a->list = get_bool(w);
	a->print = get_bool(w);
	a->single = get_bool(w);
	a->inputs = wire_get_number(w, 1024);
	a->inputs_tls = wire_get_number(w, a->inputs);
	wire_get_text(w, a->mechanisms, sizeof(a->mechanisms));
	wire_get_text(w, a->extensions, sizeof(a->extensions));
	return wire_end(w);
}

void
readiness_put(struct wire *w, const struct readiness *r)
{
	begin(w, KIND_READY);
	wire_put_text(w, r->mechanisms);
	wire_put_text(w, r->extensions);
	wire_put_text(w, r->listing);
}

bool
readiness_get(struct wire *w, struct readiness *r)
{
	expect(w, KIND_READY);
	wire_get_text(w, r->mechanisms, sizeof(r->mechanisms));
	wire_get_text(w, r->extensions, sizeof(r->extensions));
	wire_get_text(w, r->listing, sizeof(r->listing));
	return wire_end(w);
}

void
knock_put(struct wire *w)
{
	begin(w, KIND_KNOCK);
}

bool
knock_get(struct wire *w)
{
	expect(w, KIND_KNOCK);
	return wire_end(w);
}

void
timestamp_put(struct wire *w, const char *timestamp)
{
	begin(w, KIND_TIMESTAMP);
	wire_put_text(w, timestamp);
}

bool
timestamp_is(struct wire *w)
{
	bool is = wire_get_number(w, UINT64_MAX) == KIND_TIMESTAMP;

	w->at = 0;
	w->failed = false;
	return is;
}

bool
timestamp_get(struct wire *w, char timestamp[TIMESTAMP_MAX])
{
	expect(w, KIND_TIMESTAMP);
	wire_get_text(w, timestamp, TIMESTAMP_MAX);
	return wire_end(w);
}

static void
put_manners(struct wire *w, const struct manners *m)
{
	wire_put_number(w, m->have);
	wire_put_number(w, m->utf8);
	wire_put_text(w, m->language);
	wire_put_text(w, m->tls);
}

static void
get_manners(struct wire *w, struct manners *m)
{
	m->have = (unsigned)wire_get_number(w, UINT8_MAX);
	m->utf8 = get_bool(w);
	wire_get_text(w, m->language, sizeof(m->language));
	wire_get_text(w, m->tls, sizeof(m->tls));
}

void
attempt_put(struct wire *w, const struct attempt *a)
{
	begin(w, a->begins ? KIND_ATTEMPT : KIND_RESPONSE);
	if (a->begins) {
		wire_put_text(w, a->mechanism);
		wire_put_text(w, a->user);
		wire_put_number(w, a->initial);
		put_manners(w, &a->manners);
		wire_put_text(w, a->certificate);
		wire_put_slice(w, a->binding);
	}
	wire_put_slice(w, a->secret);
	wire_put_slice(w, a->ahead);
}

bool
attempt_get(struct wire *w, struct attempt *a)
{
	uint64_t kind = wire_get_number(w, KINDS);

	a->begins = kind == KIND_ATTEMPT;
	if (kind != KIND_ATTEMPT && kind != KIND_RESPONSE)
		w->failed = true;
	a->mechanism[0] = a->user[0] = a->certificate[0] = '\0';
	a->initial = true;
	a->manners = (struct manners){ .have = 0 };
	a->binding = popper_slice("", 0);
	if (a->begins) {
		wire_get_text(w, a->mechanism, sizeof(a->mechanism));
		wire_get_text(w, a->user, sizeof(a->user));
		a->initial = get_bool(w);
		get_manners(w, &a->manners);
		wire_get_text(w, a->certificate, sizeof(a->certificate));
		a->binding = wire_get_slice(w);
	}
	a->secret = wire_get_slice(w);
	a->ahead = wire_get_slice(w);
	return wire_end(w) && a->secret.len <= SECRET_MAX &&
	    a->binding.len <= BINDING_MAX && a->ahead.len <= STREAM_LINE_MAX;
}

void
verdict_put(struct wire *w, const struct verdict *v)
{
	begin(w, KIND_VERDICT);
	wire_put_number(w, v->kind);
	wire_put_number(w, v->status);
	wire_put_text(w, v->reply);
	wire_put_number(w, v->wait);
	wire_put_number(w, v->hold);
	wire_put_number(w, v->last);
	wire_put_number(w, v->apart);
	wire_put_slice(w, v->challenge);
}

bool
verdict_get(struct wire *w, struct verdict *v)
{
	expect(w, KIND_VERDICT);
	v->kind = (enum verdict_kind)wire_get_number(w, VERDICT_WAIT);
	v->status = (enum popper_status)wire_get_number(w, POPPER_STATUSES - 1);
	wire_get_text(w, v->reply, sizeof(v->reply));
	v->wait = wire_get_number(w, LOGIN_DELAY_MAX);
	v->hold = wire_get_number(w, 3600 * 1000);
	v->last = get_bool(w);
	v->apart = get_bool(w);
	v->challenge = wire_get_slice(w);
	return wire_end(w);
}

void
opening_put(struct wire *w, const struct opening *o)
{
	const struct popper_identity *i = &o->identity;

	begin(w, KIND_OPEN);
	wire_put_number(w, i->flags);
	wire_put_number(w, i->uid);
	wire_put_number(w, i->gid);
	wire_put_text(w, i->user);
	wire_put_text(w, i->home);
	wire_put_text(w, i->drop);
	wire_put_text(w, i->maildrop);
	wire_put_number(w, i->login_delay);
	wire_put_text(w, i->folder);
	wire_put_text(w, o->client);
	wire_put_text(w, o->suffix);
	wire_put_number(w, o->named);
	wire_put_text(w, o->mechanism);
	wire_put_number(w, o->judged);
	put_manners(w, &o->manners);
	wire_put_slice(w, o->ahead);
}

bool
opening_get(struct wire *w, struct opening *o)
{
	struct popper_identity *i = &o->identity;

	i->size = sizeof(*i);
	expect(w, KIND_OPEN);
	i->flags = (uint32_t)wire_get_number(w, UINT32_MAX);
	i->uid = (uid_t)wire_get_number(w, UINT32_MAX - 1);
	i->gid = (gid_t)wire_get_number(w, UINT32_MAX - 1);
	wire_get_text(w, i->user, sizeof(i->user));
	wire_get_text(w, i->home, sizeof(i->home));
	wire_get_text(w, i->drop, sizeof(i->drop));
	wire_get_text(w, i->maildrop, sizeof(i->maildrop));
	i->login_delay = wire_get_number(w, INT64_MAX);
	wire_get_text(w, i->folder, sizeof(i->folder));
	wire_get_text(w, o->client, sizeof(o->client));
	wire_get_text(w, o->suffix, sizeof(o->suffix));
	o->named = get_bool(w);
	wire_get_text(w, o->mechanism, sizeof(o->mechanism));
	o->judged = wire_get_number(w, INT64_MAX);
	get_manners(w, &o->manners);
	o->ahead = wire_get_slice(w);
	return wire_end(w) && i->user[0] != '\0' &&
	    o->ahead.len <= STREAM_LINE_MAX;
}

void
host_put(struct wire *w, const char *name)
{
	begin(w, KIND_HOST);
	wire_put_text(w, name);
}

bool
host_get(struct wire *w, char name[HOST_MAX])
{
	expect(w, KIND_HOST);
	wire_get_text(w, name, HOST_MAX);
	return wire_end(w);
}

void
errand_put(struct wire *w, const struct errand *x)
{
	begin(w, KIND_ERRAND);
	wire_put_text(w, x->module);
	wire_put_slice(w, x->request);
}

bool
errand_get(struct wire *w, struct errand *x)
{
	expect(w, KIND_ERRAND);
	wire_get_text(w, x->module, sizeof(x->module));
	x->request = wire_get_slice(w);
	return wire_end(w) && x->request.len <= ERRAND_REQUEST_MAX;
}

void
result_put(struct wire *w, const struct popper_error *e)
{
	begin(w, KIND_RESULT);
	wire_put_number(w, e->status);
	wire_put_text(w, e->reply);
	wire_put_text(w, e->text);
}

bool
result_get(struct wire *w, struct popper_error *e)
{
	expect(w, KIND_RESULT);
	e->status = (enum popper_status)wire_get_number(w, POPPER_STATUSES - 1);
	e->system = 0;
	wire_get_text(w, e->reply, sizeof(e->reply));
	wire_get_text(w, e->text, sizeof(e->text));
	return wire_end(w);
}
