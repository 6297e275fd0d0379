// SPDX-License-Identifier: GPL-2.0-or-later
// libyaml's events → nodes. The only file that knows libyaml.
#include "tree.h"

#include <stdlib.h>
#include <yaml.h>

struct tree {
	yaml_parser_t parser;
	struct bytes whole;
	uint32_t nodes;
	size_t text_used;
	const char *problem;
	uint32_t problem_line;
	struct node node[TREE_NODES];
	char text[TREE_TEXT_BYTES];
};

struct level { // an open collection
	struct node *parent;
	struct node **end; // where its next child is hooked in
	const char *key;   // a map's key that waits for its value
	uint32_t key_line;
};

struct tree *tree_create(struct bytes text)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (!yaml_parser_initialize(&t->parser)) {
		free(t);
		return NULL;
	}
	t->whole = text;
	yaml_parser_set_input_string(&t->parser, text.at ? text.at : (const uint8_t *)"", text.left);
	if (text.left > TREE_FILE_BYTES)
		t->problem = "the file is larger than 256 KiB";
	return t;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	yaml_parser_delete(&t->parser);
	free(t);
}

static void refuse(struct tree *t, const yaml_event_t *event, const char *problem)
{
	if (!t->problem) {
		t->problem = problem;
		t->problem_line = (uint32_t)event->start_mark.line + 1;
	}
}

static const char *keep_text(struct tree *t, const yaml_event_t *event)
{
	const uint8_t *at = event->data.scalar.value;
	size_t n = event->data.scalar.length;
	char *out = t->text + t->text_used;

	if (n >= TREE_TEXT_BYTES - t->text_used) {
		refuse(t, event, "too much text");
		return "";
	}
	if (memchr(at, 0, n))
		refuse(t, event, "a NUL byte in a text");
	memcpy(out, at, n);
	out[n] = 0;
	t->text_used += n + 1;
	return out;
}

static struct node *add_node(struct tree *t, struct level *in, const yaml_event_t *event, enum node_type type)
{
	struct node *n;

	if (t->nodes == TREE_NODES) {
		refuse(t, event, "too many entries");
		return NULL;
	}
	n = &t->node[t->nodes++];
	*n = (struct node){.type = (uint8_t)type,
			   .line = (uint32_t)event->start_mark.line + 1,
			   .key = in->key,
			   .key_line = in->key_line};
	in->key = NULL;
	*in->end = n;
	in->end = &n->next;
	return n;
}

static void on_scalar(struct tree *t, struct level *in, const yaml_event_t *event)
{
	struct node *n;

	if (event->data.scalar.anchor || (event->data.scalar.tag && !event->data.scalar.quoted_implicit))
		refuse(t, event, "an anchor or a tag, expected plain values");
	if (in->parent && in->parent->type == NODE_MAP && !in->key) {
		in->key = keep_text(t, event);
		in->key_line = (uint32_t)event->start_mark.line + 1;
		return;
	}
	n = add_node(t, in, event, NODE_SCALAR);
	if (n)
		n->text = keep_text(t, event);
}

static bool on_open(struct tree *t, struct level stack[], unsigned *depth, const yaml_event_t *event,
		    enum node_type type)
{
	struct level *in = &stack[*depth];
	struct node *n;

	if (type == NODE_MAP ? event->data.mapping_start.anchor != NULL : event->data.sequence_start.anchor != NULL)
		refuse(t, event, "an anchor, expected plain values");
	if (in->parent && in->parent->type == NODE_MAP && !in->key)
		refuse(t, event, "a list or mapping as a key, expected a plain key");
	if (*depth + 1 == TREE_DEPTH)
		refuse(t, event, "nested too deep");
	if (t->problem || !(n = add_node(t, in, event, type)))
		return false;
	stack[++*depth] = (struct level){.parent = n, .end = &n->child};
	return true;
}

// One document's events up to its end. false: stop, with or without a problem.
static bool take_event(struct tree *t, struct level stack[], unsigned *depth, const yaml_event_t *event)
{
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(t, &stack[*depth], event);
		break;
	case YAML_MAPPING_START_EVENT:
		return on_open(t, stack, depth, event, NODE_MAP);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(t, stack, depth, event, NODE_LIST);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		--*depth;
		break;
	case YAML_ALIAS_EVENT:
		refuse(t, event, "an alias, expected plain values");
		break;
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		return false;
	}
	return !t->problem;
}

// Of bytes that are no characters libyaml tells the offset alone.
static uint32_t line_of_problem(const struct tree *t)
{
	uint32_t line = 1;

	if (t->parser.error != YAML_READER_ERROR)
		return (uint32_t)t->parser.problem_mark.line + 1;
	for (size_t i = 0; i < t->parser.problem_offset && i < t->whole.left; i++)
		line += t->whole.at[i] == '\n';
	return line;
}

const struct node *tree_next(struct tree *t, const char **problem, uint32_t *line)
{
	struct node *root = NULL;
	struct level stack[TREE_DEPTH] = {{.end = &root}};
	unsigned depth = 0;
	bool more = !t->problem;
	yaml_event_t event;

	t->nodes = 0;
	t->text_used = 0;
	while (more) {
		if (!yaml_parser_parse(&t->parser, &event)) {
			t->problem = t->parser.problem ? t->parser.problem : "no memory";
			t->problem_line = line_of_problem(t);
			break;
		}
		more = take_event(t, stack, &depth, &event);
		yaml_event_delete(&event);
	}
	*problem = t->problem;
	*line = t->problem_line;
	return t->problem ? NULL : root;
}
