/*
 * border.h - every message of priv/messages.h, for the unit test and the fuzz
 * target: take it apart, put it together again.
 */
#ifndef BORDER_H
#define BORDER_H

#include "base/option.h"
#include "priv/messages.h"

/* Take ${in} apart as message number ${kind} and pack what was understood
 * into ${out}.  False: refused. */
static inline bool border_repack(
    unsigned kind, struct wire *in, struct wire *out);

#define BORDER_KINDS 10

static inline void
border_forget(struct assignment *a)
{
	/* Texts that were taken apart live for good, but not in a test. */
	for (const struct popper_option *o = settings_options; o->name; o++)
		if (o->kind == POPPER_OPTION_TEXT)
			free((char *)(uintptr_t)*option_text(o, &a->settings));
	free((char *)(uintptr_t)a->settings.overlay);
}

static inline bool
border_assignment(struct wire *in, struct wire *out)
{
	static struct assignment a;
	bool fine = assignment_get(in, &a);

	if (fine)
		assignment_put(out, &a);
	border_forget(&a);
	return fine;
}

static inline bool
border_small(unsigned kind, struct wire *in, struct wire *out)
{
	static struct attempt attempt;
	static struct verdict verdict;
	static struct errand errand;
	static struct popper_error result;
	static char name[HOST_MAX], stamp[TIMESTAMP_MAX];

	switch (kind) {
	case 3:
		if (!attempt_get(in, &attempt))
			return false;
		attempt_put(out, &attempt);
		return true;
	case 4:
		if (!verdict_get(in, &verdict))
			return false;
		verdict_put(out, &verdict);
		return true;
	case 6:
		if (!host_get(in, name))
			return false;
		host_put(out, name);
		return true;
	case 8:
		if (!errand_get(in, &errand))
			return false;
		errand_put(out, &errand);
		return true;
	case 9:
		if (!result_get(in, &result))
			return false;
		result_put(out, &result);
		return true;
	default:
		if (!timestamp_is(in) || !timestamp_get(in, stamp))
			return false;
		timestamp_put(out, stamp);
		return true;
	}
}

static inline bool
border_repack(unsigned kind, struct wire *in, struct wire *out)
{
	static struct readiness readiness;
	static struct opening opening;

	in->at = 0;
	in->failed = false;
	switch (kind) {
	case 0:
		return border_assignment(in, out);
	case 1:
		if (!readiness_get(in, &readiness))
			return false;
		readiness_put(out, &readiness);
		return true;
	case 2:
		if (!knock_get(in))
			return false;
		knock_put(out);
		return true;
	case 5:
		if (!opening_get(in, &opening))
			return false;
		opening_put(out, &opening);
		return true;
	default:
		return border_small(kind, in, out);
	}
}

#endif
