// SPDX-License-Identifier: GPL-2.0-or-later
// What visitors upload to a device, by name, and whether somebody asks for it: a web shell's second step. A file under a name that
// was asked for and answered before, by several, is no new one: a visitor who uploads an "index.php" must not make everybody
// suspect who reads the front page. Names are compared as servers resolve them: escapes undone, letters small, without what servers
// cut off. Not seen: files that the server renames or unpacks, paths behind what the wire keeps of a target, a page that includes them.
#include "image.h"
#include "judge_impl.h"

enum {
	SECTION_UPLOADS = 30,
	SECTION_ANSWERED,
	UPLOADS = 1 << 14,
	ANSWERED = 1 << 13,
	WAYS = 8,
	PATH_BYTES = 400, // of a target, what the wire keeps; of a name less
	SEGMENTS = 64,    // of a path that are looked at
	ESCAPES = 2,      // layers undone
	KNOWN_VISITORS = 3, // so many networks were answered: the name is the site's own
	KNOWN_DAYS = 28,
};
#define UPLOAD_NS JUDGE_DAY_NS // how long an upload is remembered

struct upload {
	uint64_t key, time_ns; // of device and name; 0: empty
	uint64_t visitor;      // his network
};

struct answered { // a script's name that was asked for and answered
	uint64_t key, visitor[KNOWN_VISITORS - 1];
	uint32_t last_day; // UNIX day; 0: empty
	uint32_t visitors; // at most KNOWN_VISITORS
};

struct uploads {
	struct upload upload[UPLOADS];
	struct answered answered[ANSWERED];
};

struct uploads *uploads_create(void)
{
	return calloc(1, sizeof(struct uploads));
}

void uploads_forget(struct uploads *u)
{
	memset(u, 0, sizeof(*u));
}

void uploads_put(const struct uploads *u, struct image *i)
{
	image_section(i, SECTION_UPLOADS);
	image_append_table(i, u->upload, UPLOADS, sizeof(u->upload[0]));
	image_end(i);
	image_section(i, SECTION_ANSWERED);
	image_append_table(i, u->answered, ANSWERED, sizeof(u->answered[0]));
	image_end(i);
}

bool uploads_take(struct uploads *u, const struct image *i)
{
	return image_take_table(image_find(i, SECTION_UPLOADS), u->upload, UPLOADS, sizeof(u->upload[0])) &&
	       image_take_table(image_find(i, SECTION_ANSWERED), u->answered, ANSWERED, sizeof(u->answered[0]));
}

// --- Names ---

// What servers run of themselves. Not among them: sh, py, rb, which are run in few folders only and are downloaded everywhere.
// `anywhere`: also where another extension follows (Apache's AddHandler: shell.php.jpg).
static const struct {
	const char *extension;
	bool anywhere;
} scripts[] = {
	{"jsp", false},   {"jspx", false}, {"jspf", false}, {"jspa", false}, {"jsw", false},  {"jsv", false},
	{"jhtml", false}, {"php", true},   {"php2", true},  {"php3", true},  {"php4", true},  {"php5", true},
	{"php6", true},   {"php7", true},  {"php8", true},  {"phtml", true}, {"pht", true},   {"phar", true},
	{"asp", false},   {"aspx", false}, {"ashx", false}, {"asmx", false}, {"ascx", false}, {"asa", false},
	{"cer", false},   {"cdx", false},  {"svc", false},  {"soap", false}, {"cshtml", false}, {"cfm", false},
	{"cfml", false},  {"cfc", false},  {"dbm", false},  {"cgi", false},  {"pl", false},   {"shtml", false},
};

static bool is_script(struct bytes name)
{
	size_t dot = bytes_find(name, '.');

	for (; dot < name.left; dot = bytes_find(name, '.')) {
		struct bytes extension;
		bool last;

		name = bytes_from(name, dot + 1);
		extension = bytes_head(name, bytes_find(name, '.'));
		last = extension.left == name.left;
		for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
			if ((last || scripts[i].anywhere) && bytes_equal_text(extension, scripts[i].extension))
				return true;
	}
	return false;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t unescaped(uint8_t *text, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		int high = text[i] == '%' && i + 2 < n ? hex_digit(text[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

		text[out++] = low >= 0 ? byte_lower((uint8_t)(high << 4 | low)) : text[i];
		i += low >= 0 ? 2 : 0;
	}
	return out;
}

// In small letters, without escapes.
static struct bytes plain(struct bytes text, uint8_t room[PATH_BYTES])
{
	size_t n = bytes_head(text, PATH_BYTES).left;

	for (size_t i = 0; i < n; i++)
		room[i] = byte_lower(text.at[i]);
	for (unsigned layer = 0; layer < ESCAPES; layer++)
		n = unescaped(room, n);
	return bytes_of(room, n);
}

static struct bytes without_end(struct bytes name)
{
	while (name.left && (name.at[name.left - 1] == '.' || name.at[name.left - 1] == ' '))
		name.left--;
	return name;
}

// The name a server takes for it: path parameters, what a NUL ends, streams ("a.asp::$DATA"), dots and blanks at the end go.
static struct bytes stem(struct bytes name)
{
	static const char ends[] = {';', '\0', ':'};
	struct bytes s = name;

	for (size_t i = 0; i < sizeof(ends); i++)
		s = bytes_head(s, bytes_find(s, (uint8_t)ends[i]));
	s = without_end(s);
	return s.left ? s : name;
}

// Either reading may be the server's own: elsewhere "a:b.php" is a name.
static bool is_script_somehow(struct bytes name)
{
	return is_script(without_end(name)) || is_script(stem(name));
}

// The next segment of a plain path. False: none is left.
static bool next_segment(struct bytes *path, struct bytes *out)
{
	size_t n = 0;

	if (path->left == 0)
		return false;
	while (n < path->left && path->at[n] != '/' && path->at[n] != '\\')
		n++;
	*out = bytes_head(*path, n);
	*path = bytes_from(*path, n + 1);
	return true;
}

static struct bytes last_segment(struct bytes path)
{
	struct bytes name = path;

	while (next_segment(&path, &name))
		;
	return name;
}

static uint64_t key_of(const struct judge *j, const struct address *device, struct bytes name)
{
	uint8_t room[sizeof(*device) + PATH_BYTES];

	name = stem(name);
	memcpy(room, device, sizeof(*device));
	memcpy(room + sizeof(*device), name.at, name.left);
	return siphash13(&j->key, room, sizeof(*device) + name.left);
}

static uint64_t visitor_of(const struct judge *j, const struct observation *o)
{
	struct address network = recent_network(observation_endpoint(o));

	return siphash13(&j->key, &network, sizeof(network)) | 1;
}

// --- What was uploaded ---

static struct upload *upload_set(const struct judge *j, uint64_t key)
{
	return &j->uploads->upload[key % (UPLOADS / WAYS) * WAYS];
}

static bool is_uploaded(const struct judge *j, uint64_t key, uint64_t now_ns)
{
	const struct upload *set = upload_set(j, key);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].time_ns && set[i].key == key)
			return set[i].time_ns + UPLOAD_NS > now_ns;
	return false;
}

static unsigned held_by(const struct upload *set, uint64_t visitor)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WAYS; i++)
		n += set[i].visitor == visitor;
	return n;
}

// What is empty or too old, else the oldest of the network that holds the most: who floods forgets his own.
static struct upload *upload_victim(struct upload *set, uint64_t now_ns)
{
	struct upload *victim = set;
	unsigned most = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		unsigned held;

		if (set[i].time_ns == 0 || set[i].time_ns + UPLOAD_NS <= now_ns)
			return &set[i];
		held = held_by(set, set[i].visitor);
		if (held > most || (held == most && set[i].time_ns < victim->time_ns)) {
			most = held;
			victim = &set[i];
		}
	}
	return victim;
}

static struct answered *answered_find(const struct judge *j, uint64_t key, bool add)
{
	struct answered *set = &j->uploads->answered[key % (ANSWERED / WAYS) * WAYS], *victim = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].last_day && set[i].key == key)
			return &set[i];
		if (set[i].visitors < victim->visitors ||
		    (set[i].visitors == victim->visitors && set[i].last_day < victim->last_day))
			victim = &set[i];
	}
	if (!add)
		return NULL;
	*victim = (struct answered){.key = key};
	return victim;
}

static bool is_own(const struct judge *j, uint64_t key, uint64_t now_ns)
{
	const struct answered *a = answered_find(j, key, false);

	return a && a->visitors >= KNOWN_VISITORS && a->last_day + KNOWN_DAYS >= now_ns / JUDGE_DAY_NS;
}

static void note_upload(struct judge *j, const struct observation *o, struct bytes name)
{
	uint64_t key = key_of(j, observation_device(o), name);
	struct upload *set = upload_set(j, key), *u = NULL;

	if (is_own(j, key, o->time_ns))
		return;
	for (unsigned i = 0; i < WAYS && !u; i++)
		if (set[i].time_ns && set[i].key == key)
			u = &set[i];
	if (!u)
		u = upload_victim(set, o->time_ns);
	*u = (struct upload){key, o->time_ns, visitor_of(j, o)};
}

// --- What is asked for ---

// The path of a target, as it was sent.
static struct bytes path_of(struct bytes target)
{
	size_t scheme = bytes_find_text(bytes_head(target, 16), "://");

	target = bytes_head(target, bytes_find(target, '?'));
	target = bytes_head(target, bytes_find(target, '#'));
	if (target.left && target.at[0] != '/' && scheme < bytes_head(target, 16).left) {
		target = bytes_from(target, scheme + 3);
		target = bytes_from(target, bytes_find(target, '/'));
	}
	return target;
}

static void note_visitor(struct answered *a, uint64_t visitor)
{
	if (a->visitors >= KNOWN_VISITORS)
		return;
	for (unsigned i = 0; i < a->visitors; i++)
		if (a->visitor[i] == visitor)
			return;
	if (a->visitors < KNOWN_VISITORS - 1)
		a->visitor[a->visitors] = visitor;
	a->visitors++;
}

static void note_answer(struct judge *j, const struct observation *o)
{
	const struct request *r = requests_find(j, o->flow, o->number[NUM_RESPONSE_TX]);
	uint8_t room[PATH_BYTES];
	struct bytes path, name;

	if (!r || o->number[NUM_RESPONSE_STATUS] / 100 != 2)
		return;
	path = plain(path_of(bytes_of(r->uri, r->uri_bytes)), room);
	for (unsigned i = 0; i < SEGMENTS && next_segment(&path, &name); i++) {
		uint64_t key = key_of(j, observation_device(o), name);
		struct answered *a;

		if (!is_script_somehow(name) || is_uploaded(j, key, o->time_ns))
			continue;
		a = answered_find(j, key, true);
		if (a->last_day && a->last_day + KNOWN_DAYS < o->time_ns / JUDGE_DAY_NS)
			*a = (struct answered){.key = key};
		note_visitor(a, visitor_of(j, o));
		a->last_day = (uint32_t)(o->time_ns / JUDGE_DAY_NS);
	}
}

void uploads_note(struct judge *j, const struct observation *o)
{
	struct bytes name = observation_text(o, TEXT_NAMED_FILE);
	uint8_t room[PATH_BYTES];

	if (j->without & WITHOUT_TAINT)
		return;
	if (o->kind == OBS_NAMED && name.left)
		note_upload(j, o, last_segment(plain(name, room)));
	if (o->kind == OBS_HTTP_RESPONSE)
		note_answer(j, o);
}

bool uploads_is_script(struct bytes name)
{
	uint8_t room[PATH_BYTES];

	return is_script_somehow(last_segment(plain(name, room)));
}

// Any segment: behind a script's name servers take the rest of a path for an argument.
bool uploads_are_asked(const struct judge *j, const struct address *device, struct bytes target, bool script, uint64_t now_ns)
{
	uint8_t room[PATH_BYTES];
	struct bytes path = plain(path_of(target), room), name;

	for (unsigned i = 0; i < SEGMENTS && next_segment(&path, &name); i++)
		if (name.left && (!script || is_script_somehow(name)) && is_uploaded(j, key_of(j, device, name), now_ns))
			return true;
	return false;
}
