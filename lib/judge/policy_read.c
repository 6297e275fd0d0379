// SPDX-License-Identifier: GPL-2.0-or-later
// The schema of a policy and of network.yaml, as tables of keys.
#include "policy_impl.h"

#include "text.h"

#include <stdio.h>

static bool read_name(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;
	const char *slash;

	if (!text_read(r, n, p->name, sizeof(p->name), "a policy's name"))
		return false;
	slash = strchr(p->name, '/');
	if (!slash || slash == p->name || slash[1] == 0 ||
	    p->name[strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-/")])
		return reader_fail(r, n->line,
				   "found '%s', expected a name like conn/new-agent: small letters, family/name",
				   p->name);
	for (unsigned i = 0; i < r->set->count; i++)
		if (strcmp(r->set->policy[i].name, p->name) == 0)
			return reader_fail(r, n->line, "found a second policy '%s', expected each name once", p->name);
	return true;
}

static bool read_alias(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;

	return text_read(r, n, p->alias, sizeof(p->alias), "an alias");
}

static bool read_title(struct reader *r, const struct node *n, void *out)
{
	return scalar_check(r, n, "a line of text"); // for people reading the file
}

static bool read_version(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;
	uint64_t v = 0;

	if (!number_read(r, n, 1, 65535, &v))
		return false;
	p->version = (uint16_t)v;
	return true;
}

static bool read_priority(struct reader *r, const struct node *n, uint8_t *out)
{
	uint64_t v = 0;

	if (!number_read(r, n, 1, 5, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

static bool read_policy_priority(struct reader *r, const struct node *n, void *out)
{
	return read_priority(r, n, &((struct policy *)out)->priority);
}

// What a match adds where the policy does not say: a fact is wrong once in 8,000, others by their priority.
enum { CERTAIN_WEIGHT = 13, WEIGHT_OF_PRIORITY = 2 };

static bool read_weight(struct reader *r, const struct node *n, void *out)
{
	uint64_t bits = 0;

	if (!number_read(r, n, 0, SCORE_TERM_BITS, &bits))
		return false;
	((struct policy *)out)->weight = (double)bits;
	((struct policy *)out)->weighted = true;
	return true;
}

static bool read_phase(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;
	unsigned phase = 0;

	if (!name_read(r, n, phase_name, PHASE_COUNT, "a phase: entry, callback, delivery, control, objective or state",
		       &phase))
		return false;
	p->phase = (uint8_t)phase;
	return true;
}

static bool read_certain_flag(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct policy *)out)->certain);
}

static bool read_technique(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;

	if (p->mitres == 3)
		return reader_fail(r, n->line, "found a fourth technique, expected at most 3");
	if (!text_read(r, n, p->mitre[p->mitres], sizeof(p->mitre[0]), "a technique like T1190"))
		return false;
	if (n->text[0] != 'T' || n->text[1 + strspn(n->text + 1, "0123456789.")])
		return reader_fail(r, n->line, "found '%s', expected a technique like T1190 or T1059.004", n->text);
	p->mitres++;
	return true;
}

static bool read_mitre(struct reader *r, const struct node *n, void *out)
{
	return list_read(r, n, "techniques", read_technique, out);
}

static bool read_on_one(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;
	unsigned kind = 0;

	if (n->type == NODE_SCALAR && strcmp(n->text, "alert") == 0) {
		p->on |= 1u << ON_ALERT;
		return true;
	}
	if (n->type == NODE_SCALAR && strcmp(n->text, "evidence") == 0) {
		p->on |= 1u << ON_EVIDENCE;
		return true;
	}
	if (n->type == NODE_SCALAR && strcmp(n->text, "rollout") == 0) {
		p->on |= 1u << ON_ROLLOUT;
		return true;
	}
	if (!name_read(r, n, observation_kind_name, OBS_KINDS, "a kind of observation, 'alert', 'evidence' or 'rollout'",
		       &kind))
		return false;
	if (kind == OBS_NONE || kind == OBS_HELD || (kind >= OBS_BLOCKED && kind != OBS_NAMED))
		return reader_fail(r, n->line,
				   "found '%s', expected an observation of traffic (a held one is judged as flow.open)",
				   n->text);
	p->on |= 1u << kind;
	return true;
}

static bool read_on(struct reader *r, const struct node *n, void *out)
{
	const uint32_t special = 1u << ON_ALERT | 1u << ON_EVIDENCE | 1u << ON_ROLLOUT;
	struct policy *p = out;

	if (n->type == NODE_SCALAR ? !read_on_one(r, n, out)
				   : !list_read(r, n, "kinds of observations", read_on_one, out))
		return false;
	if (!p->on || (p->on & special && p->on & (p->on - 1)))
		return reader_fail(r, n->line,
				   "found no kind, or 'alert', 'evidence' or 'rollout' among others, expected kinds of "
				   "observations or one of these alone");
	return true;
}

static bool read_when(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;

	return conditions_read(r, n, p->when, POLICY_CONDITIONS, &p->conditions);
}

static bool read_feature(struct reader *r, const struct node *n, void *out)
{
	const char *list[FEATURE_POLICY + 1], *meant;
	struct policy *p = out;
	unsigned feature, words = 0;

	if (!scalar_check(r, n, "a feature like agent"))
		return false;
	if (!feature_find(n->text, &feature)) {
		for (unsigned f = 0; f < FEATURE_POLICY; f++)
			if (feature_word(f))
				list[words++] = feature_word(f);
		list[words] = NULL;
		meant = nearest(n->text, list);
		return reader_fail(r, n->line, "found the unknown feature '%.60s', expected one like %s%s", n->text,
				   meant ? meant : "agent", meant ? " (did you mean that?)" : "");
	}
	if (p->evidences == ALERT_TERMS)
		return reader_fail(r, n->line, "found too many features, expected at most %d", ALERT_TERMS);
	p->evidence[p->evidences++] = (uint8_t)feature;
	return true;
}

static bool read_evidence(struct reader *r, const struct node *n, void *out)
{
	return list_read(r, n, "features", read_feature, out);
}

static const char *const throttle_words[] = {"device", "endpoint", "endpoint-port", "flow", "rollout", NULL};

static bool read_throttle_key(struct reader *r, const struct node *n, const char *word, struct policy *p)
{
	unsigned feature;

	for (unsigned k = 0; throttle_words[k]; k++)
		if (strcmp(word, throttle_words[k]) == 0) {
			p->throttle_keys |= 1u << k;
			return true;
		}
	if (!feature_find(word, &feature))
		return reader_fail(r, n->line,
				   "found '%.60s', expected device, endpoint, endpoint-port, flow, rollout or a feature", word);
	p->throttle_keys |= 1u << (THROTTLE_FEATURES + feature);
	return true;
}

// "1h per device endpoint agent"
static bool read_throttle(struct reader *r, const struct node *n, void *out)
{
	struct policy *p = out;
	char line[128], *rest = line, *word;

	if (!text_read(r, n, line, sizeof(line), "\"duration per key ...\""))
		return false;
	word = strsep(&rest, " ");
	if (!duration_read(r, n, word, &p->throttle_ns))
		return false;
	word = strsep(&rest, " ");
	if (!word || strcmp(word, "per") != 0)
		return reader_fail(r, n->line, "found '%.60s' after the duration, expected \"per device ...\"",
				   word ? word : "nothing");
	while ((word = strsep(&rest, " ")))
		if (word[0] && !read_throttle_key(r, n, word, p))
			return false;
	return p->throttle_keys || reader_fail(r, n->line, "found no key after 'per', expected one like device");
}

static bool read_raise_when(struct reader *r, const struct node *n, void *out)
{
	struct raise *raise = out;

	return conditions_read(r, n, raise->when, EXTRA_CONDITIONS, &raise->conditions);
}

static bool read_raise_priority(struct reader *r, const struct node *n, void *out)
{
	return read_priority(r, n, &((struct raise *)out)->priority);
}

static bool read_raise_one(struct reader *r, const struct node *n, void *out)
{
	static const struct key_reader keys[] = {
		{"when", true, read_raise_when}, {"priority", true, read_raise_priority}, {NULL, false, NULL}};
	struct policy *p = out;

	if (p->raises == POLICY_RAISES)
		return reader_fail(r, n->line, "found too many raises, expected at most %d", POLICY_RAISES);
	return map_read(r, n, "a raise", keys, &p->raise[p->raises++]);
}

static bool read_raise(struct reader *r, const struct node *n, void *out)
{
	return list_read(r, n, "raises", read_raise_one, out);
}

static bool read_rule_fact(struct reader *r, const struct node *n, void *out)
{
	unsigned fact = 0;

	if (!name_read(r, n, fact_name, FACT_COUNT, "a fact", &fact))
		return false;
	((struct certain_rule *)out)->fact = (uint8_t)fact;
	return true;
}

static bool read_rule_direction(struct reader *r, const struct node *n, void *out)
{
	unsigned direction = 0;

	if (!name_read(r, n, direction_name, DIRECTION_TRANSIT + 1, "a direction: out, in or lateral", &direction))
		return false;
	((struct certain_rule *)out)->direction = (uint8_t)direction;
	return true;
}

static bool read_rule_outside(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct certain_rule *)out)->from_outside);
}

static bool read_rule_exposed(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct certain_rule *)out)->needs_exposed);
}

static bool read_rule_unknown(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct certain_rule *)out)->needs_unknown);
}

static bool read_rule_bare(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct certain_rule *)out)->needs_bare);
}

// A script is what administrators download too. A wire may cut it by itself only where nobody has a reason to: from an
// address that is new to the device and has no name.
static bool may_be_certain(struct reader *r, const struct node *n, const struct certain_rule *rule)
{
	if (rule->fact == FACT_SCRIPT && !(rule->needs_unknown && rule->needs_bare))
		return reader_fail(r, n->line,
				   "found 'script', expected a fact whose meaning needs no learning, or needs_unknown and "
				   "needs_bare with it");
	return true;
}

static bool read_rule(struct reader *r, const struct node *n, void *out)
{
	static const struct key_reader keys[] = {{"fact", true, read_rule_fact},
						 {"direction", false, read_rule_direction},
						 {"from_outside", false, read_rule_outside},
						 {"needs_exposed", false, read_rule_exposed},
						 {"needs_unknown", false, read_rule_unknown},
						 {"needs_bare", false, read_rule_bare},
						 {NULL, false, NULL}};
	struct policy_response *response = out;
	struct certain_rule *rule = &response->certain[response->certains];

	if (response->certains == POLICY_CERTAIN)
		return reader_fail(r, n->line, "found too many certain lines, expected at most %d", POLICY_CERTAIN);
	response->certains++;
	return map_read(r, n, "a certain line", keys, rule) && may_be_certain(r, n, rule);
}

static bool read_response_certain(struct reader *r, const struct node *n, void *out)
{
	return n->type == NODE_MAP ? read_rule(r, n, out) : list_read(r, n, "certain lines", read_rule, out);
}

static bool read_response_cut(struct reader *r, const struct node *n, void *out)
{
	return bool_read(r, n, &((struct policy_response *)out)->cut);
}

static bool read_response_block(struct reader *r, const struct node *n, void *out)
{
	struct policy_response *response = out;

	if (!scalar_check(r, n, "endpoint-port"))
		return false;
	if (strcmp(n->text, "endpoint-port") != 0) // never an address with all its ports, never a port alone
		return reader_fail(r, n->line, "found '%.60s', expected endpoint-port", n->text);
	response->block = 1;
	return true;
}

static bool read_response_for(struct reader *r, const struct node *n, void *out)
{
	struct policy_response *response = out;

	if (!scalar_check(r, n, "a duration like 2h") || !duration_read(r, n, n->text, &response->block_ns))
		return false;
	return response->block_ns <= VERDICT_LONGEST_NS ||
	       reader_fail(r, n->line, "found '%s', expected at most 1w", n->text);
}

static bool read_response_when(struct reader *r, const struct node *n, void *out)
{
	struct policy_response *response = out;

	return conditions_read(r, n, response->when, EXTRA_CONDITIONS, &response->conditions);
}

static bool read_response(struct reader *r, const struct node *n, void *out)
{
	static const struct key_reader keys[] = {
		{"cut", false, read_response_cut},         {"block", false, read_response_block},
		{"for", false, read_response_for},         {"when", false, read_response_when},
		{"certain", false, read_response_certain}, {NULL, false, NULL}};
	struct policy_response *response = &((struct policy *)out)->response;

	if (!map_read(r, n, "a response", keys, response))
		return false;
	if (response->block != (response->block_ns != 0))
		return reader_fail(r, n->line, "found 'block' or 'for' alone, expected both: every block has an end");
	return true;
}

bool policy_read_document(struct reader *r, const struct node *root)
{
	static const struct key_reader keys[] = {{"policy", true, read_name},
						 {"alias", false, read_alias},
						 {"title", false, read_title},
						 {"version", true, read_version},
						 {"priority", true, read_policy_priority},
						 {"phase", true, read_phase},
						 {"certain", false, read_certain_flag},
						 {"mitre", false, read_mitre},
						 {"on", true, read_on},
						 {"when", true, read_when},
						 {"evidence", false, read_evidence},
						 {"weight", false, read_weight},
						 {"throttle", true, read_throttle},
						 {"raise", false, read_raise},
						 {"response", false, read_response},
						 {NULL, false, NULL}};
	struct policy_set *set = r->set;

	if (set->count == POLICY_MAX)
		return reader_fail(r, root->line, "found too many policies, expected at most %d", POLICY_MAX);
	r->policy = &set->policy[set->count];
	memset(r->policy, 0, sizeof(*r->policy));
	r->any = r->last_any = 0;
	// Conditions are checked against `on`, wherever it stands.
	for (const struct node *c = root->type == NODE_MAP ? root->child : NULL; c; c = c->next)
		if (strcmp(c->key, "on") == 0 && !read_on(r, c, r->policy))
			return false;
	if (!map_read(r, root, "a policy", keys, r->policy))
		return false;
	if (!r->policy->weighted)
		r->policy->weight = r->policy->certain ? CERTAIN_WEIGHT : WEIGHT_OF_PRIORITY * (r->policy->priority - 1);
	if (r->policy->conditions == 0)
		return reader_fail(r, root->line,
				   "found a policy without conditions, expected at least one under 'when'");
	set->count++;
	return policy_certain_fits(set) ||
	       reader_fail(r, root->line,
			   "found more certain lines that differ than the wire holds, expected at most %d in all policies",
			   SHEET_CERTAIN);
}

struct prefix_list {
	struct prefix *at;
	unsigned *used;
};

static bool read_prefix(struct reader *r, const struct node *n, void *out)
{
	struct prefix_list *list = out;
	struct prefix p;

	if (!scalar_check(r, n, "a network like 192.0.2.0/24"))
		return false;
	if (prefix_parse(bytes_of_text(n->text), &p) < 0)
		return reader_fail(r, n->line,
				   "found '%.60s', expected a network like 192.0.2.0/24 (host bits zero) or an address",
				   n->text);
	if (*list->used == NETWORKS)
		return reader_fail(r, n->line, "found too many networks, expected at most %d", NETWORKS);
	list->at[(*list->used)++] = p;
	return true;
}

static bool read_inside(struct reader *r, const struct node *n, void *out)
{
	struct policy_set *set = out;

	return list_read(r, n, "networks", read_prefix, &(struct prefix_list){set->inside, &set->insides});
}

static bool read_never_block(struct reader *r, const struct node *n, void *out)
{
	struct policy_set *set = out;

	return list_read(r, n, "networks", read_prefix, &(struct prefix_list){set->never, &set->nevers});
}

struct group_read {
	char name[32];
	struct prefix net[NETWORKS];
	unsigned nets;
};

static bool read_group_name(struct reader *r, const struct node *n, void *out)
{
	return text_read(r, n, ((struct group_read *)out)->name, sizeof(((struct group_read *)out)->name),
			 "a group's name");
}

static bool read_group_networks(struct reader *r, const struct node *n, void *out)
{
	struct group_read *group = out;

	return list_read(r, n, "networks", read_prefix, &(struct prefix_list){group->net, &group->nets});
}

static bool read_group(struct reader *r, const struct node *n, void *out)
{
	static const struct key_reader keys[] = {
		{"name", true, read_group_name}, {"networks", true, read_group_networks}, {NULL, false, NULL}};
	struct policy_set *set = out;
	struct group_read group = {0};

	if (!map_read(r, n, "a group", keys, &group))
		return false;
	for (unsigned i = 0; i < group.nets; i++) {
		if (set->groups == NETWORKS)
			return reader_fail(r, n->line, "found too many groups' networks, expected at most %d",
					   NETWORKS);
		memcpy(set->group[set->groups].name, group.name, sizeof(group.name));
		set->group[set->groups++].net = group.net[i];
	}
	return true;
}

static bool read_groups(struct reader *r, const struct node *n, void *out)
{
	return list_read(r, n, "groups", read_group, out);
}

bool network_read_document(struct reader *r, const struct node *root)
{
	static const struct key_reader keys[] = {{"inside", false, read_inside},
						 {"groups", false, read_groups},
						 {"never_block", false, read_never_block},
						 {NULL, false, NULL}};

	return map_read(r, root, "network.yaml", keys, r->set);
}
