// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share: a policy as it is in memory, and quantities, the words its conditions are made of.
#pragma once
#include "judge.h"
#include "tree.h"

enum policy_private_limits {
	CONDITION_ITEMS = 16, // values after `in`
	EXTRA_CONDITIONS = 6, // of one raise or of the response
	POLICY_RAISES = 4,
	POLICY_CERTAIN = 4,
	NETWORKS = 256,
	NAME_BYTES = 48,
	QUANTITY_NAME_BYTES = 64,
	ON_ALERT = OBS_NONE, // the kind bit that stands for "alert"
	ON_EVIDENCE = 31,    // and for "evidence": a device's passed the threshold
	ON_ROLLOUT = 30,     // and for "rollout": many devices began with the same at once
};

struct situation;
struct quantity;
struct quantity_value {
	uint64_t number; // also bool and name (its index)
	struct bytes text;
};
typedef bool (*quantity_read_fn)(struct situation *s, const struct quantity *q,
				 struct quantity_value *out); // false: not known here

enum quantity_type { QUANTITY_BOOL, QUANTITY_NUMBER, QUANTITY_TEXT, QUANTITY_NAME };

struct quantity {
	uint8_t type; // enum quantity_type
	quantity_read_fn read;
	const char *(*name_of)(unsigned); // NAME: the text of an index, below `names`
	unsigned names;
	const char *const *name_list; // NAME: or a NULL-terminated list
	unsigned a, b;                // arguments of read
	const struct observation_field *field;
};

// The i-th quantity there is: its name and what it is; doc one line, borrowed. false past the end.
bool quantity_at(unsigned i, char name[QUANTITY_NAME_BYTES], struct quantity *out, const char **doc);
bool quantity_find(const char *name, struct quantity *out);
bool feature_find(const char *name, unsigned *out); // policy word of a feature, "agent"
const char *feature_word(unsigned feature);         // NULL: not for policies

enum condition_op {
	OP_IS,
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_IN,
	OP_BEGINS,
	OP_CONTAINS
};

struct condition {
	struct quantity quantity;
	uint8_t op, negate;
	uint8_t any; // 0: must hold. n: of those with the same n one must hold
	uint8_t items;
	struct quantity_value item[CONDITION_ITEMS]; // texts stand in the set's own memory
};

struct raise {
	struct condition when[EXTRA_CONDITIONS];
	unsigned conditions;
	uint8_t priority;
};

struct policy_response {
	uint8_t cut, block;
	uint64_t block_ns;
	struct condition when[EXTRA_CONDITIONS];
	unsigned conditions;
	struct certain_rule certain[POLICY_CERTAIN];
	unsigned certains;
};

struct policy {
	char name[NAME_BYTES], alias[96];
	uint16_t version;
	uint8_t priority, phase, certain;
	char mitre[3][12];
	unsigned mitres;
	uint32_t on; // bits of enum observation_kind; ON_ALERT
	struct condition when[POLICY_CONDITIONS];
	unsigned conditions;
	uint8_t evidence[ALERT_TERMS];
	unsigned evidences;
	double weight;          // bits of evidence a match adds
	bool weighted;          // the policy says so itself
	uint64_t throttle_ns;   // 0: none
	uint32_t throttle_keys; // bits of enum throttle_key, and of features above THROTTLE_FEATURES
	struct raise raise[POLICY_RAISES];
	unsigned raises;
	struct policy_response response;
};

enum throttle_key { THROTTLE_DEVICE, THROTTLE_ENDPOINT, THROTTLE_ENDPOINT_PORT, THROTTLE_FLOW, THROTTLE_ROLLOUT /* what is rolled out */, THROTTLE_FEATURES };
_Static_assert((int)OBS_KINDS <= (int)ON_ROLLOUT, "kinds and what stands beside them are bits of a word");

struct policy_set {
	struct policy *policy; // POLICY_MAX
	unsigned count;
	struct prefix never[NETWORKS], inside[NETWORKS];
	unsigned nevers, insides;
	struct policy_group group[NETWORKS];
	unsigned groups;
	char *text; // what conditions compare with
	size_t text_used;
};
enum { POLICY_TEXT_BYTES = 1 << 16 };

// --- reading ---
struct reader {
	const char *file;
	char *error; // POLICY_ERROR_BYTES
	struct policy_set *set;
	struct policy *policy; // the one being read
	uint8_t any;           // number of the `any` list being read, 0: none; last_any: the highest so far
	uint8_t last_any;
};

// Has the wire's table a place for every certain line?
bool policy_certain_fits(const struct policy_set *set);
// Writes "file:line: text" unless something was reported before. Always false.
bool reader_fail(struct reader *r, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
// The name among candidates (NULL-terminated) that `text` probably meant, or NULL.
const char *nearest(const char *text, const char *const *candidates);
unsigned edit_distance(const char *a, const char *b);
// One line "quantity [op value]" of a policy's conditions.
bool condition_read(struct reader *r, const struct node *n, struct condition *out);
bool condition_holds(const struct condition *c, struct situation *s);
bool conditions_hold(const struct condition *c, unsigned n, struct situation *s);
// A list of conditions (or a single one), `any:` lists among them.
bool conditions_read(struct reader *r, const struct node *n, struct condition *out, unsigned most, unsigned *count);
bool policy_read_document(struct reader *r, const struct node *root);
bool network_read_document(struct reader *r, const struct node *root);

// One key of a mapping.
struct key_reader {
	const char *name;
	bool required;
	bool (*read)(struct reader *r, const struct node *n, void *out);
};
enum { KEYS_MOST = 24 };
// Reads a mapping by its table (ends with name NULL): unknown, missing and repeated keys are reported.
bool map_read(struct reader *r, const struct node *n, const char *what, const struct key_reader *keys, void *out);
bool list_read(struct reader *r, const struct node *n, const char *what,
	       bool (*read)(struct reader *, const struct node *, void *), void *out);
bool scalar_check(struct reader *r, const struct node *n, const char *expected);
bool text_read(struct reader *r, const struct node *n, char *out, size_t cap, const char *expected);
bool bool_read(struct reader *r, const struct node *n, uint8_t *out);
bool number_read(struct reader *r, const struct node *n, uint64_t least, uint64_t most, uint64_t *out);
bool duration_read(struct reader *r, const struct node *n, const char *text, uint64_t *out_ns);
bool name_read(struct reader *r, const struct node *n, const char *(*name)(unsigned), unsigned names, const char *what,
	       unsigned *out);
