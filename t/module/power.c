/*
 * power.c - see power.h: the operations recorded, and the states they may lead
 * to.
 *
 * Runs in: tests.
 */
#include "power.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
power_deep(void)
{
	return getenv("POPPER_TEST_POWER") != NULL;
}

void
power_record(struct power *p, const struct power_op *op)
{
	struct power_op *o;

	if (p->count == p->room) {
		p->room = p->room * 2 + 64;
		p->ops = realloc(p->ops, p->room * sizeof(*p->ops));
		assert_non_null(p->ops);
	}
	o = &p->ops[p->count++];
	*o = *op;
	if (op->data == NULL)
		return;
	o->data = malloc(op->len);
	assert_non_null(o->data);
	memcpy(o->data, op->data, op->len);
}

void
power_said(struct power *p)
{
	p->said = p->count;
}

void
power_free(struct power *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->ops[i].data);
	for (size_t i = 0; i < p->node_count; i++)
		free(p->nodes[i].data);
	free(p->ops);
}

struct power_image *
power_image_new(const struct power *p)
{
	struct power_image *image = calloc(1, sizeof(*image));

	assert_non_null(image);
	for (size_t i = 0; i < p->node_count; i++) {
		image->data[i] = malloc(p->nodes[i].room + 1);
		assert_non_null(image->data[i]);
	}
	return image;
}

void
power_image_free(struct power_image *image)
{
	for (size_t i = 0; i < POWER_NODES; i++)
		free(image->data[i]);
	free(image);
}

static struct power_entry *
entry(const struct power_image *image, int folder, const char *name)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->entries[i].folder == folder &&
		    strcmp(image->entries[i].name, name) == 0)
			return (
			    struct power_entry *)(uintptr_t)&image->entries[i];
	return NULL;
}

int
power_find(const struct power_image *image, int folder, const char *name)
{
	const struct power_entry *e = entry(image, folder, name);

	return e == NULL ? -1 : e->node;
}

/* Take a name away, if it is still that node's; give it one. */
static void
rename_node(struct power_image *image, const struct power_op *op)
{
	struct power_entry *e;

	if (op->kind != POWER_ADD &&
	    (e = entry(image, op->from, op->old)) != NULL &&
	    e->node == op->node)
		*e = image->entries[--image->count];
	if (op->kind == POWER_REMOVE)
		return;
	if ((e = entry(image, op->to, op->new)) == NULL) {
		assert_true(image->count < POWER_NODES);
		e = &image->entries[image->count++];
	}
	e->folder = op->to;
	e->node = op->node;
	memcpy(e->name, op->new, sizeof(e->name));
}

/* Up to ${op->end} all is in its new place then. */
static void
shift(char *data, const struct power_op *op, size_t size)
{
	size_t end = op->end < size ? op->end : size, i;

	for (i = op->at; i < end; i++)
		data[i] = (char)(i + op->len < size ? data[i + op->len] : 0);
	for (; i < op->end + op->len && i < size; i++)
		data[i] = 0;
}

static void
apply(struct power_image *image, const struct power_op *op, size_t room)
{
	size_t *size = &image->size[op->node];

	switch (op->kind) {
	case POWER_WRITE:
		memcpy(image->data[op->node] + op->at, op->data, op->len);
		break;
	case POWER_GROW:
		if (*size < op->len)
			*size = op->len;
		break;
	case POWER_CUT:
		if (*size > op->len)
			*size = op->len;
		memset(image->data[op->node] + op->len, 0, room - op->len);
		break;
	case POWER_HOLE:
		memset(image->data[op->node] + op->at, 0, op->len);
		break;
	case POWER_SHIFT:
		shift(image->data[op->node], op, *size);
		break;
	case POWER_ADD:
	case POWER_REMOVE:
	case POWER_MOVE:
		rename_node(image, op);
		break;
	case POWER_SYNC:
		break;
	}
}

void
power_fold(const struct power *p, const unsigned char *there, size_t count,
    struct power_image *image)
{
	const struct power_node *n;

	memcpy(image->entries, p->entries, sizeof(p->entries));
	image->count = p->entry_count;
	for (size_t i = 0; i < p->node_count; i++) {
		n = &p->nodes[i];
		if (n->size > 0)
			memcpy(image->data[i], n->data, n->size);
		/* What was never written is zeros. */
		memset(image->data[i] + n->size, 0, n->room - n->size);
		image->size[i] = n->size;
	}
	for (size_t i = 0; i < count; i++)
		if (there == NULL || there[i])
			apply(image, &p->ops[i], p->nodes[p->ops[i].node].room);
}
