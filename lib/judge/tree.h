// SPDX-License-Identifier: GPL-2.0-or-later
// One YAML document as a small tree that remembers its lines. Only what a policy needs: mappings, lists, scalars.
// Anchors, aliases and tags are refused; depth, nodes and text are bounded, so a hostile file costs little.
#pragma once
#include "bytes.h"

enum tree_limits { TREE_NODES = 4096, TREE_DEPTH = 8, TREE_TEXT_BYTES = 1 << 16, TREE_FILE_BYTES = 1 << 18 };
enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	uint8_t type;     // enum node_type
	uint32_t line;    // from 1
	const char *text; // scalars; for the children of a map: the key stands in `key`
	const char *key;  // set where the parent is a map
	uint32_t key_line;
	struct node *child, *next;
};

struct tree;
// Reads the whole text (borrowed until tree_free). NULL: no memory.
struct tree *tree_create(struct bytes text);
void tree_free(struct tree *t);
// The next document's root; NULL at the end, or on an error, then *problem is set and *line says where.
const struct node *tree_next(struct tree *t, const char **problem, uint32_t *line);
