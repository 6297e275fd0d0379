// SPDX-License-Identifier: GPL-2.0-or-later
// Alerts and blocks as events. The proof (every count) goes along in "sekimori"; if a line would be too long, the proof
// is shortened, not the alert.
#include "eve_impl.h"

#include "sheet.h"
#include "siphash.h"

#include <stdio.h>

// Signature ids are for ever: consumers' rules and dashboards hang on them. Ours by table; a policy of the operator's
// own gets one from its name (SipHash-1-3, key 0, into 9100000..9999999).
enum { OWN_SIGNATURES = 9000000, FOREIGN_SIGNATURES = 9100000, FOREIGN_COUNT = 900000 };

static const char *const own_policies[] = {
	// append only: the place is the number
	"conn/new-agent-bare-ip",
	"conn/callback-web-facing",
	"file/script-rare-source",
	"file/exposed-server-download",
	"device/exposed-high-alert",
	"conn/unusual-proto-port",
	"http/self-reference",
	"ldap/java-reference-external",
	"rmi/external",
	"jndi/attempt",
	"jndi/callback",
	"compromise/mining",
	"conn/named-by-outside",
	"dns/taint-callback",
	"conn/callback-named",
	"conn/named-inside",
	"conn/new-steady-host",
	"conn/unknown-on-known-port",
	"device/unusual",
	"dns/named-by-outside",
	"dns/self-reference",
	"file/disguised",
	"file/disguised-upload",
	"file/server-download",
	"http/script-upload",
	"http/uploaded-script-answered",
	"http/uploaded-script-asked",
	"http/uploaded-script-runs",
	"network/rollout",
};

static uint64_t signature_of(const char *policy)
{
	static const struct siphash_key zero;

	for (size_t n = 0; n < sizeof(own_policies) / sizeof(own_policies[0]); n++)
		if (strcmp(own_policies[n], policy) == 0)
			return OWN_SIGNATURES + 1 + n;
	return FOREIGN_SIGNATURES + siphash13(&zero, policy, strlen(policy)) % FOREIGN_COUNT;
}

// By phase; the words are those of Suricata's classification.config, which consumers know.
static const char *const categories[PHASE_COUNT] = {
	[PHASE_ENTRY] = "Web Application Attack",
	[PHASE_CALLBACK] = "Misc Attack",
	[PHASE_DELIVERY] = "A Network Trojan was detected",
	[PHASE_CONTROL] = "Malware Command and Control Activity Detected",
	[PHASE_OBJECTIVE] = "Crypto Currency Mining Activity Detected",
	[PHASE_STATE] = "Potentially Bad Traffic",
};
static const uint8_t severities[] = {3, 3, 3, 2, 1, 1}; // by priority 0..5; theirs: 1 is the worst
static const char *const severity_words[] = {"Informational", "Informational", "Minor",
					     "Major",         "Critical",      "Critical"};

static const struct {
	const char *technique, *name, *tactic, *tactic_name;
} attack[] = {
	// MITRE ATT&CK, enterprise
	{"T1190", "Exploit_Public_Facing_Application", "TA0001", "Initial_Access"},
	{"T1059", "Command_and_Scripting_Interpreter", "TA0002", "Execution"},
	{"T1071", "Application_Layer_Protocol", "TA0011", "Command_and_Control"},
	{"T1071.001", "Web_Protocols", "TA0011", "Command_and_Control"},
	{"T1071.004", "DNS", "TA0011", "Command_and_Control"},
	{"T1016", "System_Network_Configuration_Discovery", "TA0007", "Discovery"},
	{"T1105", "Ingress_Tool_Transfer", "TA0011", "Command_and_Control"},
	{"T1571", "Non_Standard_Port", "TA0011", "Command_and_Control"},
	{"T1041", "Exfiltration_Over_C2_Channel", "TA0010", "Exfiltration"},
	{"T1082", "System_Information_Discovery", "TA0007", "Discovery"},
	{"T1496", "Resource_Hijacking", "TA0040", "Impact"},
	{"T1036.008", "Masquerade_File_Type", "TA0005", "Defense_Evasion"},
	{"T1048.003", "Exfiltration_Over_Unencrypted_Non_C2_Protocol", "TA0010", "Exfiltration"},
	{"T1090", "Proxy", "TA0011", "Command_and_Control"},
	{"T1095", "Non_Application_Layer_Protocol", "TA0011", "Command_and_Control"},
	{"T1505.003", "Web_Shell", "TA0003", "Persistence"},
	{"T1552.005", "Cloud_Instance_Metadata_API", "TA0006", "Credential_Access"},
};

enum attack_field { ATTACK_TECHNIQUE, ATTACK_NAME, ATTACK_TACTIC, ATTACK_TACTIC_NAME };

static const char *attack_text(const char *technique, enum attack_field field)
{
	for (size_t n = 0; n < sizeof(attack) / sizeof(attack[0]); n++) {
		const char *const row[] = {attack[n].technique, attack[n].name, attack[n].tactic,
					   attack[n].tactic_name};

		if (strcmp(attack[n].technique, technique) == 0)
			return row[field];
	}
	return field == ATTACK_TECHNIQUE ? technique : NULL;
}

// One array of an alert's techniques (or tactics); each word once.
static void put_attack(struct json *j, const struct alert *a, const char *key, enum attack_field field)
{
	const char *put[3] = {NULL, NULL, NULL};
	size_t count = 0;

	for (size_t n = 0; n < 3; n++) {
		const char *text = a->mitre[n][0] ? attack_text(a->mitre[n], field) : NULL;

		for (size_t p = 0; text && p < count; p++)
			if (strcmp(put[p], text) == 0)
				text = NULL;
		if (text)
			put[count++] = text;
	}
	if (!count)
		return;
	json_open_array(j, key);
	for (size_t n = 0; n < count; n++)
		json_text(j, NULL, put[n]);
	json_close_array(j);
}

static unsigned priority_of(const struct alert *a)
{
	return a->priority < sizeof(severities) ? a->priority : sizeof(severities) - 1;
}

static bool was_stopped(const struct alert *a)
{
	return a->dropped || a->response == RESPONSE_CUT || a->response == RESPONSE_BLOCKED;
}

static void put_alert(struct json *j, const struct alert *a)
{
	char signature[80];

	snprintf(signature, sizeof(signature), "SEKIMORI %s", a->policy);
	json_open(j, "alert");
	json_text(j, "action", was_stopped(a) ? "blocked" : "allowed");
	json_u64(j, "gid", 1);
	json_u64(j, "signature_id", signature_of(a->policy));
	json_u64(j, "rev", a->policy_version);
	json_text(j, "signature", signature);
	json_text(j, "category", a->phase < PHASE_COUNT ? categories[a->phase] : "Potentially Bad Traffic");
	json_u64(j, "severity", severities[priority_of(a)]);
	json_open(j, "metadata");
	put_attack(j, a, "mitre_tactic_id", ATTACK_TACTIC);
	put_attack(j, a, "mitre_tactic_name", ATTACK_TACTIC_NAME);
	put_attack(j, a, "mitre_technique_id", ATTACK_TECHNIQUE);
	put_attack(j, a, "mitre_technique_name", ATTACK_NAME);
	json_open_array(j, "signature_severity");
	json_text(j, NULL, severity_words[priority_of(a)]);
	json_close_array(j);
	json_close(j);
	json_close(j);
}

static void put_verdict(struct json *j, const struct alert *a)
{
	json_open(j, "verdict");
	json_text(j, "action", was_stopped(a) ? "drop" : "alert");
	if (a->response == RESPONSE_CUT || (a->response == RESPONSE_BLOCKED && a->wants_cut)) {
		if (a->transport == TRANSPORT_TCP) {
			json_text(j, "reject_target", "both");
			json_open_array(j, "reject");
			json_text(j, NULL, "tcp-reset");
			json_close_array(j);
		}
	}
	json_close(j);
}

static void put_term(struct json *j, const struct alert_term *t)
{
	json_open(j, NULL);
	json_text(j, "feature", feature_name(t->feature));
	eve_text(j, "value", bytes_of_text(t->value));
	json_u64(j, "device_days", t->counts.device_days);
	json_u64(j, "device_known", t->counts.device_known);
	json_u64(j, "peers", t->counts.peers);
	json_u64(j, "peers_total", t->counts.peers_total);
	json_u64(j, "org", t->counts.org);
	json_u64(j, "org_total", t->counts.org_total);
	json_fixed(j, "bits", t->bits, 3);
	json_close(j);
}

static void put_facts(struct json *j, uint16_t facts)
{
	if (!facts)
		return;
	json_open_array(j, "facts");
	for (unsigned n = 0; n < FACT_COUNT; n++)
		if (facts & FACT_BIT(n))
			json_text(j, NULL, fact_name(n));
	json_close_array(j);
}

static void put_ours(struct json *j, const struct alert *a, bool all)
{
	json_open(j, "sekimori");
	json_u64(j, "alert", a->id);
	json_u64(j, "incident", a->incident);
	json_text(j, "policy", a->policy);
	json_u64(j, "policy_version", a->policy_version);
	json_u64(j, "priority", a->priority);
	json_text(j, "phase", phase_name(a->phase));
	json_bool(j, "certain", a->certain != 0);
	json_fixed(j, "bits", a->bits, 3);
	json_text(j, "mode", mode_name(a->mode));
	json_text(j, "response", response_name(a->response));
	if (a->block)
		json_u64(j, "block", a->block);
	json_bool(j, "exposed", a->exposed != 0);
	eve_text(j, "group", bytes_of_text(a->group));
	eve_text(j, "baseline", bytes_of_text(a->baseline));
	json_u64(j, "frame", a->frame);
	put_facts(j, a->facts);
	if (all) {
		eve_text(j, "file", bytes_of_text(a->file));
		eve_text(j, "detail", bytes_of_text(a->detail));
		json_open_array(j, "why");
		for (unsigned n = 0; n < a->terms && n < ALERT_TERMS; n++)
			put_term(j, &a->term[n]);
		json_close_array(j);
	} else {
		json_bool(j, "shortened", true);
	}
	json_close(j);
}

static struct eve_tuple tuple_of(const struct alert *a)
{
	bool icmp = a->transport == TRANSPORT_ICMP || a->transport == TRANSPORT_ICMP6;
	bool device_opened = a->direction != DIRECTION_IN;

	// Source is who sent the bytes that gave the alert; for ICMP who began, whose port carries type and code.
	if (device_opened == (a->from_client || icmp))
		return (struct eve_tuple){a->device, a->endpoint, a->device_port, a->endpoint_port, a->transport};
	return (struct eve_tuple){a->endpoint, a->device, a->endpoint_port, a->device_port, a->transport};
}

static bool write_alert(struct eve *e, const struct alert *a, bool all)
{
	struct eve_tuple t = tuple_of(a);
	struct json *j = eve_begin(e, "alert", a->time_ns, a->flow, &t, eve_flow_id(e, a->flow, &t), a->app);

	put_alert(j, a);
	put_verdict(j, a);
	if (all && (a->uri[0] || a->host[0] || a->agent[0])) {
		json_open(j, "http");
		eve_text(j, "hostname", bytes_of_text(a->host));
		eve_text(j, "url", bytes_of_text(a->uri));
		eve_text(j, "http_user_agent", bytes_of_text(a->agent));
		json_close(j);
	}
	put_ours(j, a, all);
	return eve_end(e);
}

void eve_alert(struct eve *e, const struct alert *a)
{
	// Whoever chooses the texts must not be able to talk an alert out of the log by making it long.
	if (!write_alert(e, a, true) && !write_alert(e, a, false))
		eve_lost(e);
	eve_flush(e); // somebody waits for it, and it must outlive us
}

void eve_block(struct eve *e, const struct block *b, const char *what, uint64_t now_ns)
{
	struct json *j = eve_begin(e, "sekimori", now_ns, 0, NULL, NULL, APP_NONE);

	eve_address(j, "dest_ip", &b->endpoint);
	if (b->port)
		json_u64(j, "dest_port", b->port);
	if (b->transport)
		json_text(j, "proto", b->transport == TRANSPORT_UDP ? "UDP" : "TCP");
	json_open(j, "sekimori");
	json_text(j, "what", what);
	json_u64(j, "incident", b->incident);
	json_text(j, "policy", b->policy);
	json_open(j, "block");
	json_u64(j, "id", b->id);
	json_text(j, "state", block_state_name(b->state));
	json_u64(j, "prefix", b->endpoint_bits);
	eve_time(j, "made", b->made_ns);
	eve_time(j, "expires", b->expires_ns);
	json_u64(j, "frames", b->frames);
	json_u64(j, "extensions", b->extensions);
	json_text(j, "who", b->who);
	json_text(j, "reason", b->reason);
	json_close(j);
	json_close(j);
	eve_finish(e);
	eve_flush(e);
}
