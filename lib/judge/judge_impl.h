// SPDX-License-Identifier: GPL-2.0-or-later
// What the judging files share: one observation with all that is known about it (the situation), and the judge's
// bounded memories.
#pragma once
#include "budget.h"
#include "dayset.h"
#include "policy_impl.h"
#include "suppress.h"
#include "text.h"

#include <stdlib.h>

enum judge_private_limits {
	REQUESTS = 1 << 14, // last HTTP requests kept, to join files and responses to
	REQUEST_WAYS = 8,
	THROTTLES = 1 << 15,
	THROTTLE_WAYS = 8,
	PAST_ALERTS = 4096, // for alert.families
	TRANSPORT_TCP_NUMBER = 6,
	NOTED_MICROBITS = 3 * EVIDENCE_BIT, // evidence that is kept in the journal
	SCORED_KEYS = 1 << 19,
	SHOWN_MOST = 1 << 12,    // different things of a device a day, each way, that are told apart by their place
	COMPARED_MOST = 1 << 10, // while there are fewer, they may become what others are compared with
	NOTED_MOST = 512,        // events of a device a day that are kept in the journal
	ASKED = 1 << 13,
};
#define HOUR_NS (3600 * NS_PER_S)
#define JUDGE_DAY_NS (24 * HOUR_NS)
enum { JUDGE_FIRST_DAYS = 7 }; // of the network, in which everything is new: no measure for thresholds or newcomers
#define NAMED_NS (600 * NS_PER_S) // how long what an inbound field named is suspected
#define RESOLVED_NS JUDGE_DAY_NS  // how long a DNS answer explains an address (research §7: bare_ip)
#define FAMILIES_NS HOUR_NS
#define SUSPECT_NS JUDGE_DAY_NS // nothing is learned of a pair that alerted so lately

struct request {                    // raw, as sent
	uint64_t flow, tx, time_ns; // time 0: empty
	uint16_t method_bytes, uri_bytes, host_bytes, agent_bytes;
	uint8_t bare; // host absent or a literal
	uint8_t method[16], uri[ALERT_TEXT], host[128], agent[256];
};

struct throttle {
	uint64_t key, until_ns; // until 0: empty
	uint32_t repeats;
	uint8_t wants;    // what it throttles asked for a cut or a block
	uint8_t unproven; // and was not done for want of evidence: asked again when there is enough
	uint8_t cut;      // was answered with a cut and no block, which would refuse what comes after
};

struct past_alert {
	uint64_t time_ns; // 0: empty
	struct address device, endpoint;
	uint16_t policy, family; // index of the policy; index of the first policy of its family
};

enum alarm_word {
	ALARM_UNCALIBRATED, // no budget yet: policies stand by themselves
	ALARM_BELOW,
	ALARM_NEW,    // the device's first of the day
	ALARM_STANDS, // it alarmed before today
	ALARM_GROUPED // a surge
};

struct called; // contacts.c
struct own;    // own.c
struct uploads; // uploads.c

struct situation {
	struct judge *judge;
	struct learn *learn;
	const struct observation *o;
	const struct alert *alert;     // set while policies on alerts are judged
	const struct score *score;     // set while policies on evidence are
	const struct score_term *rolled; // and while policies on roll-outs are, with the score it is part of
	struct evidence_state evidence; // of the device, after the last addition
	struct alert_habit habit;       // of the policy at hand
	double weight;                  // and what its match adds at most
	int32_t added;                  // microbits that the latest evidence counted, after what was said before
	int64_t level;                  // microbits
	enum alarm_word word;           // about the policy at hand
	bool first; // of its kind and values today
	enum alarm_word raised; // by scores: NEW, the device's first of the day; STANDS, it has grown; else 0
	bool told;              // an alert was told
	struct device *device;         // NULL: none
	const struct request *request; // the flow's own, or NULL
	struct address device_address, endpoint;
	uint16_t device_port, endpoint_port;
	uint64_t now_ns;
	unsigned families, endpoint_policies; // of alerts within the hour
	uint8_t value_state[FEATURE_COUNT];   // enum value_state
	uint8_t counted[FEATURE_POLICY];
	struct bytes value[FEATURE_COUNT];
	struct counts counts[FEATURE_POLICY];
	uint8_t room[FEATURE_COUNT][128];
};

struct asked {
	uint64_t name, time_ns;
};

enum watch_special { SPECIAL_CERTAIN = 1 /* a certain fact was told */, SPECIAL_CONFIRMED = 2 /* its alarm was a true one */ };
struct watch { // a device's day
	int64_t peak;
	int64_t told;   // the highest an alert above a note stood on
	int64_t wanted; // the highest behind a block that was asked for without a certain fact
	uint8_t asked;   // enum budget_word
	uint8_t special; // bits of enum watch_special
	uint16_t noted;  // events of it that went into the journal
	uint16_t shown[2]; // different things it showed; [1]: visitors and what they did, counted apart
};

enum { SAMPLE_ALL = ROLE_COUNT, SAMPLE_NEWCOMERS, SAMPLES }; // beside one a role
struct pending;
struct habits;
struct own_scores;
struct image;
struct judge {
	const struct policy_set *policies;
	struct learn *learn;
	struct counters *counters;
	judge_alert_fn alert;
	void *user;
	struct request *requests;
	struct throttle *throttles, *suspects;
	struct past_alert *past;
	struct called *called;
	struct own *own;
	struct uploads *uploads;
	uint32_t past_next;
	uint64_t baseline_day;
	char baseline[17];
	struct siphash_key key; // for throttle keys and flow ids; not secret (see judge.c)
	bool refused;           // an alert of the observation at hand wanted a cut or a block
	bool repeats_cut;       // it repeats what was cut
	struct situation situation;
	struct alert alert_room, compound_room;
	const struct suppress_set *suppressions; // may be NULL
	// the scorer
	judge_score_fn score;
	uint32_t without;
	struct conformal *sample[SAMPLES][SCORE_CLASSES];
	struct pending *pending; // a ring, in order of time
	struct own_scores *own_scores; // by device
	uint32_t pending_first, pending_count;
	struct evidence *evidence;
	struct evidence_config evidence_config;
	double alarms_per_day; // 0: no budget
	struct budget budget[ROLE_COUNT], block_budget;
	int64_t threshold[ROLE_COUNT]; // microbits; INT64_MAX: none yet
	struct watch *watch; // by device
	struct habits *habits;
	struct dayset *scored;
	struct asked *asked; // names others asked a device for, lately; one place a key
	uint64_t first_ns;   // of the first event that could be scored
	bool evidence_today;
	unsigned mode;
	uint64_t day;
	uint64_t latest_ns; // the latest time that was told; 0: to be asked of what was learned
	uint64_t behind_ns; // since when the clock is behind that; 0: it is not
	struct score score_room, raised_room;
};

// store_short.c: sections 21 … 28. What an image lacks is empty.
void short_put_judge(const struct judge *j, struct image *i);
bool short_take_judge(struct judge *j, const struct image *i);
void short_forget_judge(struct judge *j);
uint64_t short_policies_name(const struct policy_set *set); // by their names and numbers

void situation_init(struct situation *s, struct judge *j, const struct observation *o);
bool situation_value(struct situation *s, unsigned feature, struct bytes *out);
const struct counts *situation_counts(struct situation *s, unsigned feature); // NULL: no such value
bool situation_is_bare(const struct situation *s);                            // no host name is known for the endpoint
bool counts_are_rare(const struct counts *c, uint64_t now_ns);

void requests_put(struct judge *j, const struct observation *o);
const struct request *requests_find(const struct judge *j, uint64_t flow, uint64_t tx);

// Short memory of addresses and names: what an observation tells before it is judged.
struct called *contacts_create(void); // NULL: no memory. free() ends it
void contacts_put(const struct called *c, struct image *i); // as data of the open section
bool contacts_take(struct called *c, struct bytes section);
void contacts_forget(struct called *c);
void contacts_note(struct judge *j, const struct observation *o);
struct address contacts_jndi(const struct address *device); // the device as one whom a JNDI look-up told an address
// Did an inbound field name this host? by_jndi: in a look-up, and this host or one above it.
bool contacts_name_is_tainted(const struct judge *j, const struct address *device, struct bytes name, bool by_jndi,
			      uint64_t now_ns);
// Did the device before today, or two others, call the observation's endpoint (DNS: the name that is asked)?
bool contacts_are_known(struct judge *j, const struct observation *o);
// DNS: did it ask for a name of the same domain before today?
bool contacts_domain_is_known(struct judge *j, const struct observation *o);

// What a device is called, and where it says so.
enum { OWN_NAME = 1 /* one of its names in clear */, OWN_ENCODED = 2 /* its address or name in hex, base32 or base64 */ };
struct own *own_create(void); // NULL: no memory. free() ends it
void own_put(const struct own *own, struct image *i); // as data of the open section
bool own_take(struct own *own, struct bytes section);
void own_forget(struct own *own);
void own_note(struct judge *j, const struct observation *o);
// Bits of the above, in whom the device calls and in the target of a request.
unsigned own_found(const struct judge *j, const struct observation *o);

// Names of files that visitors uploaded to a device, for a day, and scripts' names that were asked for and answered.
struct uploads *uploads_create(void); // NULL: no memory. free() ends it
void uploads_put(const struct uploads *u, struct image *i); // as sections 30 and 31
bool uploads_take(struct uploads *u, const struct image *i);
void uploads_forget(struct uploads *u);
void uploads_note(struct judge *j, const struct observation *o); // of an inbound one
bool uploads_is_script(struct bytes name); // is it of a kind that servers run? Pure
// Does a segment of this target's path name a file that was uploaded to the device? script: and that servers run.
bool uploads_are_asked(const struct judge *j, const struct address *device, struct bytes target, bool script, uint64_t now_ns);

// Fills an alert with what is known and the evidence of its policy.
// Will the alert rest on a fact that needs no learning?
bool alert_is_certain(const struct policy *p, struct situation *s);
void alert_fill(struct alert *a, const struct policy *p, struct situation *s, unsigned mode);
double feature_base(unsigned feature); // P of a value nobody ever showed
void value_text(unsigned feature, struct bytes value, char *out, size_t cap); // printable

// --- the scorer ---
bool calibrate_create(struct judge *j);
void calibrate_destroy(struct judge *j);
void calibrate_end_day(struct judge *j);
void calibrate_step(struct judge *j, uint64_t now_ns);
void calibrate_forget_device(struct judge *j, uint32_t device);
void calibrate_clock_back(struct judge *j, uint64_t now_ns); // as learn_clock_back
void calibrate_put_pending(const struct judge *j, struct image *i);
bool calibrate_take_pending(struct judge *j, struct bytes in);
enum { OWN_SAMPLE = 32, OWN_FEWEST = 8, OWN_MEMORY = 512 /* showings the sample speaks for */ };
struct own_scores { // of a device, whole bits
	uint8_t score[SCORE_CLASSES][OWN_SAMPLE];
	uint8_t held[SCORE_CLASSES];
	uint8_t zero[3];
	uint32_t seen[SCORE_CLASSES];
};
void own_compute(struct own_rank *r, double surprise);
void score_evidence(struct score *s); // from both ranks
void score_observation(struct judge *j, struct situation *s);
void score_begin(struct score *score, const struct situation *s, unsigned class);
// Weighs a number whose score was begun; `what` is told apart from others of its device and class.
bool score_number(struct judge *j, struct situation *s, struct score *score, uint64_t what);
// Ranks the score, adds it to the evidence, or to the sample it will be compared with. True: the device alarms.
bool score_weigh(struct judge *j, struct situation *s, struct score *score);
void numbers_observation(struct judge *j, struct situation *s);

// habit.c
bool habit_create(struct judge *j);
void habit_destroy(struct judge *j);
void habit_forget(struct judge *j);
void habit_forget_device(struct judge *j, uint32_t device);
void habit_set_policies(struct judge *j);                  // the judge's have changed
void habit_seen(struct judge *j, const struct device *d);  // today; not of newcomers, whom policies leave alone
struct alert_habit habit_match(struct judge *j, const struct device *d, unsigned policy); // as it was before today
void habit_end_day(struct judge *j, const struct device *d, bool alarmed);
void habit_sum(struct judge *j); // by role, after all devices' days have ended
void habit_put(const struct judge *j, struct image *i);
bool habit_take(struct judge *j, const struct image *i);

bool calibrate_is_newcomer(const struct situation *s);
// shares.c
void shares_begin(struct judge *j, double per_day);
void shares_change(struct judge *j, double per_day); // what was owed is forgotten
void shares_end_day(struct judge *j, enum budget_day day);
bool shares_are_calibrated(const struct judge *j);
void shares_refresh(struct judge *j); // thresholds, after budgets were put in place
void shares_tell(double per_day, const struct budget budget[ROLE_COUNT], struct judge_budget *out);

bool alarm_create(struct judge *j);
void alarm_destroy(struct judge *j);
void alarm_forget_device(struct judge *j, uint32_t device); // by its index: another one has its place (learn_on_forget)
void alarm_forget(struct judge *j); // evidence and thresholds; the budgets stay
void alarm_set_budget(struct judge *j, double alarms_per_day, double blocks_per_day);
bool alarm_has_budget(const struct judge *j);
bool alarm_is_calibrated(const struct judge *j);
bool alarm_score(struct judge *j, struct situation *s, const struct score *score); // true: the device alarms
enum alarm_word alarm_policy(struct judge *j, struct situation *s, unsigned policy); // fills habit and weight
unsigned alarm_families(const struct judge *j, const struct situation *s); // of evidence within 10 minutes
bool alarm_confirm(struct judge *j, const struct device *d);
void alarm_certain(struct judge *j, const struct situation *s);
void alarm_told(struct judge *j, const struct situation *s); // an alert above a note
void alarm_withdraw(struct judge *j, struct situation *s); // the alarm just counted is suppressed
void alarm_wanted(struct judge *j, const struct situation *s); // a block was asked for without a certain fact
bool alarm_may_block(const struct judge *j, const struct situation *s);    // without a certain fact
// Has the device shown so many different things today that it is known by their kinds from now on?
bool alarm_is_crowded(const struct judge *j, const struct device *d, bool visitors);
void alarm_shown(struct judge *j, const struct device *d, bool visitors); // one more
bool alarm_may_compare(const struct judge *j, const struct device *d);    // may others be compared with what it does?
void alarm_prove(const struct judge *j, const struct situation *s, struct alert *a);
void alarm_end_day(struct judge *j, bool live, uint64_t now_ns);
// Policies on no observation (bit `on`), about the situation at hand.
// Policies on roll-outs, for each value of the score that many began with at once.
void judge_rollouts(struct judge *j, struct situation *s, const struct score *score);
void judge_special(struct judge *j, struct situation *s, unsigned on);

// true: this key was seen within its time; then it is counted.
bool throttle_take(struct throttle *table, uint64_t key, uint64_t now_ns, uint64_t length_ns, struct throttle **out,
		   uint32_t *repeats);
bool throttle_has(const struct throttle *table, uint64_t key, uint64_t now_ns, uint64_t length_ns);
