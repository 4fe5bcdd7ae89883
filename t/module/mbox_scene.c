/*
 * mbox_scene.c - see mbox_scene.h.
 *
 * Runs in: tests; what is done runs in a child that is traced.
 */
#include "mbox_scene.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "points.h"

#define LIE 60 /* said by a child that was told something wrong */

long scene_points;

/* --- Messages --- */

static bool
is_note(const char *line, size_t len)
{
	return (len > 7 && strncmp(line, "X-UIDL:", 7) == 0) ||
	    (len > 7 && strncmp(line, "Status:", 7) == 0);
}

/* Take the notes out of a message, in place, and its last line ends: the room
 * of a rewriting that was undone may be there. */
static void
take_notes_out(struct popper_slice *s)
{
	char *text = (char *)(uintptr_t)s->ptr, *to = text;
	size_t at = 0, len;
	bool header = true;

	for (; at < s->len; at += len) {
		const char *lf = memchr(text + at, '\n', s->len - at);

		len = lf == NULL ? s->len - at : (size_t)(lf + 1 - text) - at;
		header = header && text[at] != '\n' && text[at] != '\r';
		if (header && is_note(text + at, len))
			continue;
		memmove(to, text + at, len);
		to += len;
	}
	while (to > text && to[-1] == '\n')
		to--;
	s->len = (size_t)(to - text);
}

struct heap_sink {
	struct popper_sink sink;
	char *text;
	size_t len;
};

static int
take(struct popper_sink *sink, struct popper_slice piece)
{
	struct heap_sink *c = (struct heap_sink *)(void *)sink;

	if (c->len + piece.len > ROOM)
		return -1;
	memcpy(c->text + c->len, piece.ptr, piece.len);
	c->len += piece.len;
	return 0;
}

/* Message ${i} as it is told.  1; 0: an error is told; -1: a lie, its size. */
static int
fetch(struct rig *r, size_t i, struct text *t)
{
	struct heap_sink c = { .sink.put = take, .text = malloc(ROOM + 1) };
	struct popper_message m = { .octets = 0 };
	uint64_t octets;
	int failed;

	failed = c.text == NULL ||
	    r->drop->describe(r->self, i, POPPER_WANT_OCTETS | POPPER_WANT_UID,
		&m, &r->error) == -1 ||
	    r->drop->read(r->self, i, 0, &c.sink, &r->error) == -1;
	t->text = popper_slice(c.text, failed ? 0 : c.len);
	if (failed)
		return 0;
	(void)strcpy(t->uid, m.uid);
	octets = c.len;
	for (size_t at = 0; at < c.len; at++)
		octets +=
		    c.text[at] == '\n' && (at == 0 || c.text[at - 1] != '\r');
	if (c.len > 0 && c.text[c.len - 1] != '\n')
		octets += 2;
	take_notes_out(&t->text);
	return octets == m.octets ? 1 : -1;
}

static void
drop_text(struct text *t)
{
	free((void *)(uintptr_t)t->text.ptr);
	t->text = popper_slice(NULL, 0);
}

static bool
same_text(struct popper_slice a, struct popper_slice b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Are the messages those (without the marked ones unless ${all}), and then the
 * new ones?  An error that is told counts as right if ${errors}. */
bool
scene_is_shown(struct scene *s, bool all, bool errors)
{
	struct popper_slice new = popper_slice_text(NEW_TEXT);
	size_t i = 0, count = s->r->drop->count(s->r->self), was = 0, news = 0;
	struct text t;
	bool good = true;
	int got;

	new.len--; /* see take_notes_out */
	for (; good && i < count; i++) {
		while (!all && was < s->count && s->marks[was] == 'D')
			was++;
		got = fetch(s->r, i, &t);
		good = got == 1 || (got == 0 && errors);
		if (got == 1 && was < s->count)
			good = same_text(t.text, s->was[was].text) &&
			    (s->other_ids ||
				strcmp(t.uid, s->was[was].uid) == 0);
		else if (got == 1)
			good = same_text(t.text, new);
		if (was < s->count)
			was++;
		else
			news++;
		drop_text(&t);
	}
	while (!all && was < s->count && s->marks[was] == 'D')
		was++;
	return good && was == s->count && (int)news == s->news;
}

/* --- Children --- */

/* A session that looks at everything. */
int
scene_visit(void *arg)
{
	struct scene *s = arg;
	bool good;

	points_begin();
	if (rig_try_open(s->r) == -1)
		return POINTS_SAID;
	good = scene_is_shown(s, true, true);
	rig_close(s->r);
	return POINTS_SAID + (good ? 0 : LIE);
}

/* Who comes after a crash; what he sees is looked at by the next one. */
int
scene_enter(void *arg)
{
	struct scene *s = arg;

	points_begin();
	if (rig_try_open(s->r) == 0)
		rig_close(s->r);
	return POINTS_SAID;
}

int
scene_commit(void *arg)
{
	struct scene *s = arg;
	unsigned char bits[MOST];
	struct popper_changes changes = { .size = sizeof(changes),
		.count = strlen(s->marks),
		.marks = bits };
	enum popper_outcome outcome;

	for (size_t i = 0; i < changes.count; i++)
		bits[i] = s->marks[i] == 'D' ? POPPER_MARK_DELETED
		    : s->marks[i] == 'S'     ? POPPER_MARK_SEEN
					     : 0;
	points_begin();
	if (rig_try_open(s->r) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	outcome = s->r->drop->commit(s->r->self, &changes, &s->r->error);
	rig_close(s->r);
	return POINTS_SAID + (int)outcome;
}

/* --- Sweeps --- */

static void
clear(struct scene *s)
{
	static const char *const files[] = { "mbox.index", "mbox.index.new",
		"mbox.journal", "mbox.reserve", "rewrite.mbox", "twins",
		"twins.new" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(s->r->state, files[i], 0);
	(void)unlink(s->r->lock);
	s->news = 0;
	s->set(s);
}

void
scene_deliver(struct scene *s)
{
	rig_deliver(s->r, NEW);
	s->news++;
}

static void
complain(const struct points *p, const char *what)
{
	fail_msg("call %ld (%ld), deed %d, errno %d: %s", p->at, p->number,
	    (int)p->deed, p->error, what);
}

/* The next session, whatever has become of those before. */
static void
expect(struct scene *s, const struct points *p)
{
	int said =
	    WIFEXITED(p->status) ? WEXITSTATUS(p->status) - POINTS_SAID : -1;
	bool all, kept = false;

	(void)unlink(s->r->lock);
	if (rig_try_open(s->r) == -1)
		complain(p, s->r->error.text);
	/* Removing them is worth more than knowing which one stays. */
	s->other_ids = s->marks != NULL && p->deed == POINTS_FAIL &&
	    (p->number == SYS_pread64 || p->number == SYS_openat ||
		p->error == ENOMEM);
	all = scene_is_shown(s, true, false);
	if (s->marks != NULL)
		kept = scene_is_shown(s, false, false);
	if (!all && !kept)
		complain(p, "mail is lost, or shown otherwise");
	if (said == LIE)
		complain(p, "a session was told a lie");
	if (s->marks != NULL && said != -1 &&
	    ((said == POPPER_DONE && !kept) ||
		(said == POPPER_NOT_DONE && !all)))
		complain(p, "the outcome is a lie");
	rig_close(s->r);
	assert_int_equal(access(s->r->lock, F_OK), -1);
	assert_false(rig_exists(s->r, "rewrite.mbox"));
}

/* Each call in turn, until there is none left. */
static void
sweep(struct scene *s, enum points_deed deed, int error, bool delivery)
{
	struct points p = { .deed = deed, .error = error };

	do {
		p.at += points_step();
		clear(s);
		points_run(&p, s->run, s);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			complain(&p, "died of it");
		(void)unlink(s->r->lock);
		if (delivery)
			scene_deliver(s);
		expect(s, &p);
		scene_points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 4);
}

/* Killed, and killed again while it is put right: every ${step}th call of the
 * one, every call of the other. */
static void
sweep_twice(struct scene *s, long step)
{
	struct points p = { .deed = POINTS_KILL }, again;
	struct points none = { .status = SIGKILL };

	for (p.at = 1;; p.at += step) {
		again = (struct points){ .deed = POINTS_KILL };
		do {
			again.at += points_step();
			clear(s);
			points_run(&p, s->run, s);
			(void)unlink(s->r->lock);
			if (again.at % 3 == 1)
				scene_deliver(s);
			points_run(&again, scene_enter, s);
			(void)unlink(s->r->lock);
			if (again.at % 2 == 1)
				scene_deliver(s);
			none.at = p.at * 1000 + again.at;
			none.number = p.number;
			expect(s, &none);
			scene_points += again.done;
		} while (again.seen >= again.at);
		if (p.seen < p.at)
			return;
	}
}

void
scene_sweep(struct scene *s)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;

	sweep(s, POINTS_KILL, 0, false);
	sweep(s, POINTS_KILL, 0, true);
	sweep(s, POINTS_SHORT, 0, true);
	for (size_t i = 0; i < count; i++)
		sweep(s, POINTS_FAIL, errors[i], i == 1);
	sweep_twice(s, points_deep() ? 1 : 21);
}

/* All messages as an undisturbed session sees them. */
void
scene_start(struct scene *s, size_t count)
{
	clear(s);
	rig_open(s->r);
	s->count = s->r->drop->count(s->r->self);
	assert_int_equal(s->count, count);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(fetch(s->r, i, &s->was[i]), 1);
	rig_close(s->r);
}

void
scene_end(struct scene *s)
{
	while (s->count > 0)
		drop_text(&s->was[--s->count]);
}
