// SPDX-License-Identifier: GPL-2.0-or-later
// What people do at their workstations, and what these do by themselves.
#include "datagram.h"
#include "ordinary.h"

#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct host *own_side(const struct device *d, const struct host *to)
{
	return to->address.family == 6 ? &d->host6 : &d->host;
}

static void open_service(struct work *w, struct talk *t, uint32_t service, struct host *to)
{
	uint64_t when = name_lookup(w->stage, w->organisation, w->chance, w->device, service, w->day, w->when_ns, to);

	talk_open(t, w->stage, w->chance, own_side(w->device, to), to, SERVICES[service].port, when);
}

static enum tls_client browser_tls(const struct device *d)
{
	return d->browser == BROWSER_FIREFOX ? TLS_FIREFOX : TLS_CHROME;
}

// "name" or "name:port", as a Host header has it.
static const char *host_header(uint32_t service, char out[80])
{
	if (SERVICES[service].port == 80)
		snprintf(out, 80, "%s", SERVICES[service].name);
	else
		snprintf(out, 80, "%s:%u", SERVICES[service].name, SERVICES[service].port);
	return out;
}

static void browse_http(struct work *w, struct talk *t, const char *host)
{
	static const struct {
		const char *uri;
		enum body body;
		uint32_t bytes;
	} pages[] = {
		{"/", BODY_HTML, 1500},           {"/main.css", BODY_CSS, 1100},
		{"/img/top.png", BODY_PNG, 1600}, {"/article?id=311", BODY_HTML, 1700},
		{"/api/now", BODY_JSON, 500},     {"/search?q=tokyo", BODY_HTML, 1300},
	};
	char agent[AGENT_BYTES];
	unsigned count = 1 + chance_skewed(w->chance, 4);
	unsigned first;

	browser_agent(w->device, w->day, agent);
	for (unsigned i = 0; i < count; i++) {
		uint32_t page = i ? chance_below(w->chance, COUNT(pages)) : 0;
		struct http_ask ask = {"GET", pages[page].uri, host, agent, HTTP_BROWSER, NULL, NULL};
		struct http_answer answer = {200, "Apache", pages[page].body, pages[page].bytes,
					     chance_percent(w->chance, 30)};

		http_exchange(t, &ask, &answer, i ? chance_between(w->chance, 20 * MS, 6 * SEC) : 300 * US);
	}
	first = chance_percent(w->chance, 50) ? CLIENT : SERVER;
	talk_close(t, first, chance_between(w->chance, 1 * SEC, 30 * SEC));
}

void job_browse(struct work *w)
{
	uint32_t service = w->device->favourites[chance_skewed(w->chance, FAVOURITES)];
	char host[80];
	struct host to;
	struct talk t;

	if (chance_percent(w->chance, 15))
		service = service_pick(w->chance, USE_BROWSE);
	open_service(w, &t, service, &to);
	if (SERVICES[service].tls)
		tls_session(&t, &(struct tls_plan){browser_tls(w->device), SERVICES[service].name,
						   1 + chance_skewed(w->chance, 4), 360, 1000, 6 * SEC});
	else
		browse_http(w, &t, host_header(service, host));
}

// The long tail: sites nobody else may ever open again, on shared addresses or on one of their own.
void job_browse_rare(struct work *w)
{
	uint32_t number = chance_below(w->chance, 5000);
	bool tls = chance_percent(w->chance, 80);
	char name[40], address[48];
	struct host to;
	struct talk t;
	uint64_t when;

	snprintf(name, sizeof(name), "www.site-%04u.example", number);
	if (w->device->host6.address.family && chance_percent(w->chance, 60))
		snprintf(address, sizeof(address), "2001:db8:f100:%x::80", number);
	else
		snprintf(address, sizeof(address), "198.51.100.%u", 112 + number % 7);
	to = host_outside(address);
	when = name_lookup_rare(w->stage, w->organisation, w->chance, w->device, name, &to, w->when_ns);
	talk_open(&t, w->stage, w->chance, own_side(w->device, &to), &to, tls ? 443 : 80, when);
	if (tls)
		tls_session(&t, &(struct tls_plan){browser_tls(w->device), name, 1 + chance_below(w->chance, 3), 400,
						   1500, 9 * SEC});
	else
		browse_http(w, &t, name);
}

static void tls_work(struct work *w, uint32_t service, struct tls_plan plan)
{
	struct host to;
	struct talk t;

	plan.name = SERVICES[service].name;
	open_service(w, &t, service, &to);
	tls_session(&t, &plan);
}

void job_mailbox(struct work *w)
{
	tls_work(w, SERVICE_MAIL, (struct tls_plan){TLS_OPENSSL, NULL, 2, 150, 900, 2 * SEC});
}

void job_files(struct work *w)
{
	tls_work(w, SERVICE_FILES, (struct tls_plan){browser_tls(w->device), NULL, 2, 700, 1100, 4 * SEC});
}

void job_develop(struct work *w)
{
	uint32_t service = service_pick(w->chance, USE_DEVELOP);

	tls_work(w, service, (struct tls_plan){TLS_OPENSSL, NULL, 1 + chance_below(w->chance, 2), 400, 1800, 1 * SEC});
}

static void one_exchange(struct work *w, uint32_t service, const struct http_ask *ask, const struct http_answer *answer)
{
	struct host to;
	struct talk t;

	open_service(w, &t, service, &to);
	http_exchange(&t, ask, answer, 300 * US);
	talk_close(&t, CLIENT, chance_between(w->chance, 1 * MS, 2 * SEC));
}

void job_os_update(struct work *w)
{
	char uri[96];
	struct http_ask ask = {"GET",
			       uri,
			       SERVICES[SERVICE_OS_UPDATE].name,
			       "Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.33",
			       HTTP_PLAIN,
			       NULL,
			       NULL};

	if (w->device->browser == BROWSER_SAFARI)
		ask.agent = "softwareupdated (unknown version) CFNetwork/1240.0.4 Darwin/20.6.0";
	snprintf(uri, sizeof(uri), "/d/msdownload/update/2021/12/kb50%05u_x64.cab", 7000 + chance_below(w->chance, 60));
	one_exchange(
		w, SERVICE_OS_UPDATE, &ask,
		&(struct http_answer){200, "CDN", BODY_ZIP, (uint32_t)chance_between(w->chance, 4000, 14000), false});
}

void job_captive(struct work *w)
{
	struct http_ask ask = {
		"GET", "/connecttest.txt", SERVICES[SERVICE_CAPTIVE].name, "Microsoft NCSI", HTTP_PLAIN, NULL, NULL};

	one_exchange(w, SERVICE_CAPTIVE, &ask, &(struct http_answer){200, "CDN", BODY_TEXT, 22, false});
}

void job_download(struct work *w)
{
	static const struct {
		const char *uri;
		enum body body;
	} files[] = {
		{"/files/manual-2021.pdf", BODY_PDF},   {"/setup/viewer-setup.exe", BODY_EXE},
		{"/pub/templates.zip", BODY_ZIP},       {"/pub/price-list.pdf", BODY_PDF},
		{"/update/office-patch.exe", BODY_EXE}, {"/pub/fonts.zip", BODY_ZIP},
	};
	uint32_t service = service_pick(w->chance, USE_DOWNLOAD);
	uint32_t file = chance_below(w->chance, COUNT(files));
	char agent[AGENT_BYTES];
	struct http_ask ask = {"GET",
			       files[file].uri,
			       SERVICES[service].name,
			       browser_agent(w->device, w->day, agent),
			       HTTP_BROWSER,
			       NULL,
			       NULL};

	one_exchange(w, service, &ask,
		     &(struct http_answer){200, "Apache", files[file].body,
					   (uint32_t)chance_between(w->chance, 4000, 14000), false});
}

void job_curl(struct work *w)
{
	static const char *const uris[] = {"/tools/cli/latest.json", "/tools/cli/v2.4.1/cli-linux-amd64.tar.gz",
					   "/tools/lint/latest.json"};
	uint32_t n = chance_skewed(w->chance, COUNT(uris));
	struct http_ask ask = {"GET",
			       uris[n],
			       SERVICES[SERVICE_RELEASES].name,
			       w->device->number % 12 == 1 ? "curl/7.79.1" : "curl/7.74.0",
			       HTTP_CURL,
			       NULL,
			       NULL};

	one_exchange(w, SERVICE_RELEASES, &ask,
		     &(struct http_answer){200, "Apache", n == 1 ? BODY_ZIP : BODY_JSON, n == 1 ? 14000 : 700, false});
}

void job_git(struct work *w)
{
	char uri[80];
	struct http_ask ask = {"GET", uri, SERVICES[SERVICE_GIT].name, "git/2.30.2", HTTP_GIT, NULL, NULL};

	snprintf(uri, sizeof(uri), "/team/project-%u.git/info/refs?service=git-upload-pack",
		 chance_below(w->chance, 6));
	one_exchange(w, SERVICE_GIT, &ask, &(struct http_answer){200, "Apache", BODY_GIT, 900, false});
}
