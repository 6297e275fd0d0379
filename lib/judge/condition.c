// SPDX-License-Identifier: GPL-2.0-or-later
// Conditions: "[not] quantity [op value]". Read once, with types checked against the quantity; evaluated for every
// observation. A quantity that is not known for an observation makes the condition false, negated or not: no guess
// either way.
#include "policy_impl.h"

#include <stdio.h>

enum { LINE_BYTES = 256 };
#define TYPE(t) (1u << (t))

static const struct {
	const char *text;
	uint8_t op;
	uint8_t types; // quantities it may follow
} operators[] = {
	{"==", OP_EQUAL, 0xff},
	{"!=", OP_NOT_EQUAL, 0xff},
	{"<", OP_LESS, TYPE(QUANTITY_NUMBER)},
	{"<=", OP_LESS_EQUAL, TYPE(QUANTITY_NUMBER)},
	{">", OP_GREATER, TYPE(QUANTITY_NUMBER)},
	{">=", OP_GREATER_EQUAL, TYPE(QUANTITY_NUMBER)},
	{"in", OP_IN, TYPE(QUANTITY_NUMBER) | TYPE(QUANTITY_TEXT) | TYPE(QUANTITY_NAME)},
	{"begins", OP_BEGINS, TYPE(QUANTITY_TEXT)},
	{"contains", OP_CONTAINS, TYPE(QUANTITY_TEXT)},
	{NULL, 0, 0},
};
static const char *const type_words[] = {"yes or no", "a number", "a text", "a name"};

// Moves the next word off *line; words end at blanks, and at a comma or bracket where `list` is set.
static struct bytes next_word(struct bytes *line, bool list)
{
	const char *ends = list ? " \t,[]" : " \t";
	struct bytes word;

	while (line->left && strchr(ends, line->at[0]) && line->at[0])
		bytes_skip(line, 1);
	word = *line;
	while (line->left && !(line->at[0] && strchr(ends, line->at[0])))
		bytes_skip(line, 1);
	word.left -= line->left;
	return word;
}

static bool keep_text(struct reader *r, const struct node *n, struct bytes text, struct bytes *out)
{
	struct policy_set *set = r->set;

	if (text.left >= 2 && (text.at[0] == '"' || text.at[0] == '\'') && text.at[text.left - 1] == text.at[0])
		text = bytes_of(text.at + 1, text.left - 2);
	if (text.left > POLICY_TEXT_BYTES - set->text_used)
		return reader_fail(r, n->line, "found too much text in all policies, expected at most 64 KiB");
	memcpy(set->text + set->text_used, text.at, text.left);
	*out = bytes_of(set->text + set->text_used, text.left);
	set->text_used += text.left;
	return true;
}

// The i-th name a quantity may have; NULL past the end.
static const char *value_name(const struct quantity *q, unsigned i)
{
	return q->name_list ? q->name_list[i] : i < q->names ? q->name_of(i) : NULL;
}

static bool unknown_name(struct reader *r, const struct node *n, const struct quantity *q, const char *word,
			 const char *quantity)
{
	const char *list[65], *meant;
	unsigned i;

	for (i = 0; i < 64 && value_name(q, i); i++)
		list[i] = value_name(q, i);
	list[i] = NULL;
	meant = nearest(word, list);
	if (meant)
		return reader_fail(r, n->line, "found '%s' for '%s'; did you mean '%s'?", word, quantity, meant);
	return reader_fail(r, n->line, "found '%s' for '%s', expected one of its names like '%s'", word, quantity,
			   list[0] ? list[0] : "?");
}

static bool item_read(struct reader *r, const struct node *n, const struct quantity *q, struct bytes word,
		      const char *quantity, struct quantity_value *out)
{
	char text[LINE_BYTES];

	snprintf(text, sizeof(text), "%.*s", (int)word.left, (const char *)word.at);
	if (q->type == QUANTITY_TEXT)
		return keep_text(r, n, word, &out->text);
	if (q->type == QUANTITY_NUMBER)
		return bytes_to_u64(word, UINT64_MAX, &out->number) == 0 ||
		       reader_fail(r, n->line, "found '%s' for '%s', expected a whole number", text, quantity);
	if (q->type == QUANTITY_BOOL) {
		out->number = bytes_equal_text(word, "yes");
		return out->number || bytes_equal_text(word, "no") ||
		       reader_fail(r, n->line, "found '%s' for '%s', expected yes or no", text, quantity);
	}
	for (unsigned i = 0; value_name(q, i); i++)
		if (bytes_equal_text(word, value_name(q, i))) {
			out->number = i;
			return true;
		}
	return unknown_name(r, n, q, text, quantity);
}

static bool items_read(struct reader *r, const struct node *n, const char *quantity, struct bytes rest,
		       struct condition *out)
{
	bool list = out->op == OP_IN;
	struct bytes word;

	if (out->quantity.type == QUANTITY_TEXT && !list) { // the rest of the line, blanks and all
		while (rest.left && rest.at[0] == ' ')
			bytes_skip(&rest, 1);
		if (rest.left == 0)
			return reader_fail(r, n->line, "found no value after '%s', expected a text", quantity);
		out->items = 1;
		return keep_text(r, n, rest, &out->item[0].text);
	}
	while ((word = next_word(&rest, list)).left) {
		if (out->items == (list ? CONDITION_ITEMS : 1))
			return reader_fail(r, n->line, "found more values after '%s', expected at most %d", quantity,
					   list ? CONDITION_ITEMS : 1);
		if (!item_read(r, n, &out->quantity, word, quantity, &out->item[out->items]))
			return false;
		out->items++;
	}
	return out->items || reader_fail(r, n->line, "found no value after '%s', expected %s", quantity,
					 type_words[out->quantity.type]);
}

static bool unknown_quantity(struct reader *r, const struct node *n, const char *name)
{
	unsigned best = (unsigned)strlen(name) / 3 + 1;
	char found[QUANTITY_NAME_BYTES] = "", candidate[QUANTITY_NAME_BYTES];
	struct quantity q;
	const char *doc;

	for (unsigned i = 0; quantity_at(i, candidate, &q, &doc); i++) {
		unsigned distance = edit_distance(name, candidate);

		if (distance <= best && (!found[0] || distance < best)) {
			best = distance;
			memcpy(found, candidate, sizeof(found));
		}
	}
	if (found[0])
		return reader_fail(r, n->line, "found the unknown quantity '%s'; did you mean '%s'?", name, found);
	return reader_fail(r, n->line, "found the unknown quantity '%s', expected one of doc/policy.md", name);
}

// A field that none of the policy's observations has would make a condition that never holds.
static bool field_fits(struct reader *r, const struct node *n, const struct quantity *q, const char *name)
{
	uint32_t kinds = r->policy->on, has = 0;

	if (!q->field || (kinds & 1u << ON_ALERT))
		return true;
	has = 1u << q->field->kind;
	if (q->field->kind == OBS_HTTP_REQUEST) // their request is looked up
		has |= 1u << OBS_FILE | 1u << OBS_HTTP_RESPONSE;
	return (kinds & has) ||
	       reader_fail(r, n->line,
			   "found '%s', expected a field of the observations under 'on' (this one belongs to %s)", name,
			   observation_kind_name(q->field->kind));
}

static bool operator_read(struct reader *r, const struct node *n, struct bytes *rest, const char *quantity,
			  struct condition *out)
{
	struct bytes word = next_word(rest, false);

	if (word.left == 0) {
		out->op = OP_IS;
		return out->quantity.type == QUANTITY_BOOL ||
		       reader_fail(r, n->line, "found '%s' alone, expected an operator and %s after it", quantity,
				   type_words[out->quantity.type]);
	}
	for (unsigned i = 0; operators[i].text; i++) {
		if (!bytes_equal_text(word, operators[i].text))
			continue;
		out->op = operators[i].op;
		if (!(operators[i].types & TYPE(out->quantity.type)))
			return reader_fail(r, n->line, "found the operator '%s' after '%s', which is %s",
					   operators[i].text, quantity, type_words[out->quantity.type]);
		return items_read(r, n, quantity, *rest, out);
	}
	return reader_fail(r, n->line,
			   "found the unknown operator '%.*s', expected == != < <= > >= in begins or contains",
			   (int)(word.left < 40 ? word.left : 40), (const char *)word.at);
}

bool condition_read(struct reader *r, const struct node *n, struct condition *out)
{
	char name[QUANTITY_NAME_BYTES];
	struct bytes rest, word;

	*out = (struct condition){.any = r->any};
	if (!scalar_check(r, n, "a condition \"quantity op value\""))
		return false;
	if (strlen(n->text) >= LINE_BYTES)
		return reader_fail(r, n->line, "found a condition of %zu bytes, expected less than %d", strlen(n->text),
				   LINE_BYTES);
	rest = bytes_of_text(n->text);
	word = next_word(&rest, false);
	if (bytes_equal_text(word, "not")) {
		out->negate = 1;
		word = next_word(&rest, false);
	}
	snprintf(name, sizeof(name), "%.*s", (int)word.left, (const char *)word.at);
	if (name[0] == 0)
		return reader_fail(r, n->line, "found an empty condition, expected \"quantity op value\"");
	if (!quantity_find(name, &out->quantity))
		return unknown_quantity(r, n, name);
	return field_fits(r, n, &out->quantity, name) && operator_read(r, n, &rest, name, out);
}

static bool compare_item(const struct condition *c, const struct quantity_value *v, const struct quantity_value *item)
{
	bool text = c->quantity.type == QUANTITY_TEXT;

	switch ((enum condition_op)c->op) {
	case OP_IS:
		return v->number != 0;
	case OP_EQUAL:
	case OP_IN:
		return text ? bytes_equal(v->text, item->text) : v->number == item->number;
	case OP_NOT_EQUAL:
		return text ? !bytes_equal(v->text, item->text) : v->number != item->number;
	case OP_LESS:
		return v->number < item->number;
	case OP_LESS_EQUAL:
		return v->number <= item->number;
	case OP_GREATER:
		return v->number > item->number;
	case OP_GREATER_EQUAL:
		return v->number >= item->number;
	case OP_BEGINS:
		return bytes_equal(bytes_head(v->text, item->text.left), item->text);
	case OP_CONTAINS:
		return item->text.left == 0 || memmem(v->text.at, v->text.left, item->text.at, item->text.left) != NULL;
	}
	return false;
}

bool condition_holds(const struct condition *c, struct situation *s)
{
	struct quantity_value v = {0};
	bool holds = false;

	if (!c->quantity.read(s, &c->quantity, &v))
		return false;
	if (c->op == OP_IS)
		holds = v.number != 0;
	for (unsigned i = 0; !holds && i < c->items; i++)
		holds = compare_item(c, &v, &c->item[i]);
	return holds != (c->negate != 0);
}

bool conditions_hold(const struct condition *c, unsigned n, struct situation *s)
{
	for (unsigned i = 0; i < n;) {
		unsigned any = c[i].any;
		bool holds = condition_holds(&c[i++], s);

		for (; any && i < n && c[i].any == any; i++)
			holds = holds || condition_holds(&c[i], s);
		if (!holds)
			return false;
	}
	return true;
}

struct condition_list {
	struct condition *at;
	unsigned used, most;
};

static bool condition_or_any_read(struct reader *r, const struct node *n, void *out);

static bool any_read(struct reader *r, const struct node *n, void *out)
{
	bool read;

	r->any = ++r->last_any;
	read = list_read(r, n, "conditions", condition_or_any_read, out);
	r->any = 0;
	return read;
}

static bool condition_or_any_read(struct reader *r, const struct node *n, void *out)
{
	static const struct key_reader keys[] = {{"any", true, any_read}, {NULL, false, NULL}};
	struct condition_list *list = out;

	if (n->type == NODE_MAP && !r->any)
		return map_read(r, n, "a condition", keys, out);
	if (list->used == list->most)
		return reader_fail(r, n->line, "found too many conditions, expected at most %u", list->most);
	return condition_read(r, n, &list->at[list->used++]);
}

bool conditions_read(struct reader *r, const struct node *n, struct condition *out, unsigned most, unsigned *count)
{
	struct condition_list list = {out, 0, most};
	bool read;

	if (n->type == NODE_SCALAR)
		read = condition_or_any_read(r, n, &list);
	else
		read = list_read(r, n, "conditions", condition_or_any_read, &list);
	*count = list.used;
	return read;
}
