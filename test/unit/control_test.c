// SPDX-License-Identifier: GPL-2.0-or-later
// lib/control: whoever connects, and whatever they send, the server answers the next one; and no server keeps a caller.
#include "control.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALL_MS = 3000, NOBODY = 65534, HUGE_ALERTS = 9000, HUGE_TEXT_BYTES = 2000, SLOW_MS = 100 };

static char folder[64], path[96];
static struct control_server *server;
static pthread_t thread;
static atomic_bool stop;
static atomic_uint answered;
static struct control_peer last_peer;

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// --- a server in a thread ---

static void add_alerts(Control__Reply *reply)
{
	static char text[HUGE_TEXT_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < HUGE_ALERTS; i++) {
		Control__Alert *a = control_append((void ***)&reply->alerts, &reply->n_alerts, sizeof(*a));

		control__alert__init(a);
		control_set(&a->uri, text);
	}
}

// DEVICE_LIST: slowly. STATUS: who asks. COUNTERS: 100 of them. ALERT_LIST: more than fits into a reply.
static void answer(void *user, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply)
{
	last_peer = *peer;
	atomic_fetch_add(&answered, 1);
	if (q->verb == CONTROL__VERB__DEVICE_LIST)
		nanosleep(&(struct timespec){.tv_nsec = SLOW_MS * 1000000}, NULL);
	if (q->verb == CONTROL__VERB__ALERT_LIST)
		add_alerts(reply);
	for (unsigned i = 0; i < 100 && q->verb == CONTROL__VERB__COUNTERS; i++) {
		Control__Counter *c = control_append((void ***)&reply->counters, &reply->n_counters, sizeof(*c));

		control__counter__init(c);
		c->value = i;
	}
	control_set(&reply->story, q->reason[0] ? q->reason : peer->name);
}

static void *serve(void *user)
{
	while (!stop)
		control_serve(server, 10);
	return NULL;
}

static void server_setup(void)
{
	strcpy(folder, "/tmp/sekimori-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/brain.sock", folder);
	stop = false;
	answered = 0;
	server = control_listen(path, answer, NULL);
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void server_teardown(void)
{
	stop = true;
	pthread_join(thread, NULL);
	control_close(server);
	ck_assert_int_eq(access(path, F_OK), -1);
	rmdir(folder);
}

static Control__Reply *ask(Control__Verb verb)
{
	Control__Request q = CONTROL__REQUEST__INIT;

	q.verb = verb;
	return control_call(path, &q, CALL_MS);
}

static void must_answer(void)
{
	Control__Reply *reply = ask(CONTROL__VERB__STATUS);

	ck_assert_msg(reply != NULL, "no answer: %s", strerror(errno));
	ck_assert_int_eq(reply->error, 0);
	control__reply__free_unpacked(reply, NULL);
}

// --- a client without manners ---

static int raw_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {10, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void raw_send(int fd, const void *data, size_t n)
{
	ck_assert_int_eq(send(fd, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static bool raw_is_dropped(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static Control__Reply *raw_receive(int fd)
{
	static uint8_t data[64 * 1024];
	uint8_t head[4];
	size_t n;

	if (recv(fd, head, 4, MSG_WAITALL) != 4)
		return NULL;
	n = (size_t)head[2] << 8 | head[3];
	return recv(fd, data, n, MSG_WAITALL) == (ssize_t)n ? control__reply__unpack(NULL, n, data) : NULL;
}

// --- asking ---

START_TEST(a_call_is_answered)
{
	Control__Request q = CONTROL__REQUEST__INIT;
	Control__Reply *reply;
	char text[] = "関守";

	q.reason = text;
	reply = control_call(path, &q, CALL_MS);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->error, 0);
	ck_assert_str_eq(reply->story, text);
	control__reply__free_unpacked(reply, NULL);
	ck_assert_uint_eq(last_peer.uid, getuid());
	ck_assert_int_eq(last_peer.pid, getpid());
	ck_assert(last_peer.may_change);
}
END_TEST

START_TEST(a_repeated_field_keeps_its_order)
{
	Control__Reply *reply = ask(CONTROL__VERB__COUNTERS);

	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(reply->n_counters, 100);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(reply->counters[i]->value, i);
	control__reply__free_unpacked(reply, NULL);
}
END_TEST

START_TEST(a_connection_may_ask_again)
{
	static const uint8_t empty[4] = {0}; // an empty Request is STATUS
	int fd = raw_connect();

	for (unsigned i = 0; i < 3; i++) {
		Control__Reply *reply;

		raw_send(fd, empty, sizeof(empty));
		reply = raw_receive(fd);
		ck_assert_ptr_nonnull(reply);
		control__reply__free_unpacked(reply, NULL);
	}
	close(fd);
	ck_assert_uint_eq(answered, 3);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	static const uint8_t request[] = {0, 0, 0, 4, 0x52, 2, 'o', 'k'}; // reason: "ok"
	Control__Reply *reply;
	int fd = raw_connect();

	for (size_t i = 0; i < sizeof(request); i++) {
		raw_send(fd, request + i, 1);
		usleep(2000);
	}
	reply = raw_receive(fd);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply->story, "ok");
	control__reply__free_unpacked(reply, NULL);
	close(fd);
}
END_TEST

START_TEST(who_asks_for_much_again_and_again_leaves_the_caller_its_time)
{
	uint64_t begun = clock_ms();

	for (unsigned i = 0; i < 20; i++)
		must_answer();
	ck_assert_uint_lt(clock_ms() - begun, 20 * SLOW_MS); // what is quick waits for nothing
	begun = clock_ms();
	for (unsigned i = 0; i < 3; i++)
		control__reply__free_unpacked(ask(CONTROL__VERB__DEVICE_LIST), NULL);
	ck_assert_uint_ge(clock_ms() - begun, (3 + 2 * 4) * SLOW_MS);
	must_answer();
	ck_assert_uint_eq(answered, 24);
}
END_TEST

START_TEST(a_reply_too_long_says_so)
{
	Control__Reply *reply = ask(CONTROL__VERB__ALERT_LIST);

	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->error, EMSGSIZE);
	ck_assert_uint_eq(reply->n_alerts, 0);
	ck_assert_uint_gt(strlen(reply->message), 0);
	control__reply__free_unpacked(reply, NULL);
}
END_TEST

START_TEST(a_request_too_long_is_not_sent)
{
	Control__Request q = CONTROL__REQUEST__INIT;
	char *text = malloc(CONTROL_REQUEST_BYTES + 1);

	memset(text, 'x', CONTROL_REQUEST_BYTES);
	text[CONTROL_REQUEST_BYTES] = '\0';
	q.reason = text;
	ck_assert_ptr_null(control_call(path, &q, CALL_MS));
	ck_assert_int_eq(errno, EMSGSIZE);
	free(text);
	ck_assert_uint_eq(answered, 0);
}
END_TEST

// --- hostile clients ---

START_TEST(an_oversized_request_is_dropped)
{
	static const uint8_t heads[][4] = {{0, 1, 0, 1}, {0xff, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}};

	for (unsigned i = 0; i < 3; i++) {
		int fd = raw_connect();

		raw_send(fd, heads[i], 4);
		ck_assert(raw_is_dropped(fd));
		close(fd);
	}
	ck_assert_uint_eq(answered, 0);
	must_answer();
}
END_TEST

START_TEST(garbage_is_answered_with_an_error)
{
	static const uint8_t garbage[] = {0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff};
	Control__Reply *reply;
	int fd = raw_connect();

	raw_send(fd, garbage, sizeof(garbage));
	reply = raw_receive(fd);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->error, EPROTO);
	control__reply__free_unpacked(reply, NULL);
	close(fd);
	ck_assert_uint_eq(answered, 0);
	must_answer();
}
END_TEST

START_TEST(a_second_request_before_the_answer_is_dropped)
{
	static const uint8_t two[8] = {0};
	int fd = raw_connect();

	raw_send(fd, two, sizeof(two));
	ck_assert(raw_is_dropped(fd));
	close(fd);
	ck_assert_uint_eq(answered, 0);
	must_answer();
}
END_TEST

START_TEST(the_seventeenth_client_is_refused)
{
	Control__Request q = CONTROL__REQUEST__INIT;
	int fd[CONTROL_CLIENTS];

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		fd[i] = raw_connect();
	ck_assert_ptr_null(control_call(path, &q, CALL_MS));
	ck_assert_int_eq(errno, ECONNRESET);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		close(fd[i]);
	for (unsigned i = 0; i < 50; i++) { // until the server has seen the slots come free
		Control__Reply *reply = control_call(path, &q, CALL_MS);

		if (reply) {
			control__reply__free_unpacked(reply, NULL);
			return;
		}
		usleep(20000);
	}
	ck_abort_msg("slots of clients that went away stay taken");
}
END_TEST

START_TEST(a_client_that_leaves_before_its_answer_costs_nothing)
{
	static const uint8_t counters[] = {0, 0, 0, 2, 8, CONTROL__VERB__COUNTERS};

	for (unsigned i = 0; i < 4 * CONTROL_CLIENTS; i++) {
		int fd = raw_connect();

		send(fd, counters, i % sizeof(counters) + 1, MSG_NOSIGNAL); // beyond what the server takes at once it hangs up
		close(fd);
	}
	usleep(50000);
	must_answer();
}
END_TEST

// Half a head, a dripping request, nothing at all: each goes at its deadline, and all the while others are served.
START_TEST(a_half_open_client_is_dropped_at_its_deadline)
{
	static const uint8_t head[4] = {0, 0, 0, 200};
	int silent = raw_connect(), half = raw_connect(), dripping = raw_connect();
	uint64_t start = clock_ms(), asked;

	raw_send(half, head, 2);
	raw_send(dripping, head, 4);
	while (clock_ms() - start < CONTROL_DEADLINE_MS - 500) {
		raw_send(dripping, "\x0a", 1);
		asked = clock_ms();
		must_answer();
		ck_assert_uint_lt(clock_ms() - asked, 1000);
		usleep(250000);
	}
	ck_assert(raw_is_dropped(half));
	ck_assert(raw_is_dropped(silent));
	ck_assert(raw_is_dropped(dripping));
	ck_assert_uint_ge(clock_ms() - start, CONTROL_DEADLINE_MS - 50);
	ck_assert_uint_lt(clock_ms() - start, CONTROL_DEADLINE_MS + 2000);
	close(silent);
	close(half);
	close(dripping);
}
END_TEST

// --- who may do what ---

static int error_of(Control__Verb verb)
{
	Control__Reply *reply = ask(verb);
	int error = reply ? reply->error : 255;

	if (reply)
		control__reply__free_unpacked(reply, NULL);
	return error;
}

// In a child that has become nobody; the exit status says what went wrong.
static void as_nobody(void)
{
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(10);
	if (error_of(CONTROL__VERB__STATUS) != 0)
		_exit(11);
	if (error_of(CONTROL__VERB__PANIC) != EPERM || error_of(CONTROL__VERB__BLOCK_ADD) != EPERM)
		_exit(12);
	if (error_of((Control__Verb)1000) != EPERM || error_of((Control__Verb)-1) != EPERM)
		_exit(13);
	_exit(0);
}

START_TEST(another_user_may_look_but_not_change)
{
	int status = 0;
	pid_t child;

	if (geteuid() != 0)
		return; // only root can become somebody else
	chmod(folder, 0755);
	chmod(path, 0666);
	child = fork();
	if (child == 0)
		as_nobody();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(answered, 1);
	ck_assert(!last_peer.may_change);
	ck_assert_int_eq(error_of(CONTROL__VERB__PANIC), 0);
}
END_TEST

START_TEST(the_socket_is_closed_to_others)
{
	struct stat s;

	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_uint_eq(s.st_mode & 07777, 0660);
}
END_TEST

START_TEST(what_changes_needs_the_right_to)
{
	static const Control__Verb looks[] = {
		CONTROL__VERB__STATUS, CONTROL__VERB__COUNTERS, CONTROL__VERB__ALERT_LIST,
		CONTROL__VERB__ALERT_SHOW, CONTROL__VERB__INCIDENT_LIST, CONTROL__VERB__INCIDENT_SHOW,
		CONTROL__VERB__DEVICE_LIST, CONTROL__VERB__DEVICE_SHOW, CONTROL__VERB__BLOCK_LIST,
		CONTROL__VERB__BLOCK_SHOW, CONTROL__VERB__MODE_GET,
	};
	unsigned looking = 0;

	for (int v = 0; v <= CONTROL__VERB__PANIC; v++)
		looking += !control_verb_changes((Control__Verb)v);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		ck_assert(!control_verb_changes(looks[i]));
	ck_assert_uint_eq(looking, sizeof(looks) / sizeof(looks[0]));
	ck_assert(control_verb_changes((Control__Verb)(CONTROL__VERB__ALERT_EXPLAIN - 1))); // a gap
	ck_assert(!control_verb_changes(CONTROL__VERB__ALERT_EXPLAIN) && !control_verb_changes(CONTROL__VERB__SUPPRESS_TRY));
	ck_assert(control_verb_changes(CONTROL__VERB__SUPPRESS_ADD) && control_verb_changes(CONTROL__VERB__SUPPRESS_REMOVE));
	ck_assert(control_verb_changes((Control__Verb)1000));
	ck_assert(control_verb_changes((Control__Verb)-1));
}
END_TEST

// --- one socket, one server ---

START_TEST(a_second_server_is_refused)
{
	ck_assert_ptr_null(control_listen(path, answer, NULL));
	ck_assert_int_eq(errno, EADDRINUSE);
	must_answer();
}
END_TEST

START_TEST(a_socket_left_by_a_crash_is_replaced)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char left[128];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct control_server *s;

	snprintf(left, sizeof(left), "%s/left.sock", folder);
	strcpy(address.sun_path, left);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	s = control_listen(left, answer, NULL);
	ck_assert_ptr_nonnull(s);
	control_close(s);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "%s/precious", folder);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ck_assert_ptr_null(control_listen(file, answer, NULL));
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(a_path_too_long_is_an_error)
{
	Control__Request q = CONTROL__REQUEST__INIT;
	char file[200];

	memset(file, 'x', sizeof(file) - 1);
	file[0] = '/';
	file[sizeof(file) - 1] = '\0';
	ck_assert_ptr_null(control_listen(file, answer, NULL));
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_ptr_null(control_call(file, &q, CALL_MS));
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(nobody_there_is_said_at_once)
{
	Control__Request q = CONTROL__REQUEST__INIT;
	char file[128];

	snprintf(file, sizeof(file), "%s/none.sock", folder);
	ck_assert_ptr_null(control_call(file, &q, CALL_MS));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

// --- hostile servers ---

struct impostor {
	int listener;
	const uint8_t *data;
	size_t n;
	unsigned drip_ms; // 0: all at once
	bool stay;        // keeps the connection afterwards
};

static void *impose(void *user)
{
	struct impostor *m = user;
	int fd = accept(m->listener, NULL, NULL);
	char in[64];

	recv(fd, in, sizeof(in), 0);
	for (size_t i = 0; i < m->n; i += m->drip_ms ? 1 : m->n) {
		if (send(fd, m->data + i, m->drip_ms ? 1 : m->n, MSG_NOSIGNAL) < 0)
			break;
		usleep(m->drip_ms * 1000);
	}
	while (m->stay && recv(fd, in, sizeof(in), 0) > 0)
		;
	close(fd);
	return NULL;
}

// The error control_call ends with.
static int call_impostor(struct impostor *m, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	Control__Request q = CONTROL__REQUEST__INIT;
	Control__Reply *reply;
	pthread_t t;
	int error;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/impostor.sock", folder);
	m->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(m->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(m->listener, 1), 0);
	ck_assert_int_eq(pthread_create(&t, NULL, impose, m), 0);
	reply = control_call(address.sun_path, &q, timeout_ms);
	error = errno;
	ck_assert_ptr_null(reply);
	pthread_join(t, NULL);
	close(m->listener);
	unlink(address.sun_path);
	return error;
}

START_TEST(a_hostile_server_is_only_an_error)
{
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff}, garbage[] = {0, 0, 0, 2, 0xff, 0xff};
	static const uint8_t cut[] = {0, 0, 0, 9, 8};
	struct impostor too_long = {.data = huge, .n = sizeof(huge), .stay = true};
	struct impostor wrong = {.data = garbage, .n = sizeof(garbage)};
	struct impostor short_one = {.data = cut, .n = sizeof(cut)};

	ck_assert_int_eq(call_impostor(&too_long, CALL_MS), EPROTO);
	ck_assert_int_eq(call_impostor(&wrong, CALL_MS), EPROTO);
	ck_assert_int_eq(call_impostor(&short_one, CALL_MS), ECONNRESET);
	ck_assert_int_eq(call_impostor(&(struct impostor){.n = 0}, CALL_MS), ECONNRESET);
}
END_TEST

START_TEST(a_silent_or_dripping_server_keeps_nobody)
{
	static const uint8_t bytes[200] = {0, 0, 0, 255, 1};
	struct impostor dripping = {.data = bytes, .n = sizeof(bytes), .drip_ms = 50};
	uint64_t start = clock_ms();

	ck_assert_int_eq(call_impostor(&(struct impostor){.stay = true}, 300), ETIMEDOUT);
	ck_assert_int_eq(call_impostor(&dripping, 300), ETIMEDOUT);
	ck_assert_int_eq(call_impostor(&(struct impostor){.stay = true}, 0), ETIMEDOUT);
	ck_assert_uint_lt(clock_ms() - start, 3000);
}
END_TEST

static Suite *control_suite(void)
{
	Suite *s = suite_create("control");
	TCase *t = tcase_create("control");

	tcase_add_checked_fixture(t, server_setup, server_teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, a_call_is_answered);
	tcase_add_test(t, a_repeated_field_keeps_its_order);
	tcase_add_test(t, a_connection_may_ask_again);
	tcase_add_test(t, a_request_may_come_byte_by_byte);
	tcase_add_test(t, who_asks_for_much_again_and_again_leaves_the_caller_its_time);
	tcase_add_test(t, a_reply_too_long_says_so);
	tcase_add_test(t, a_request_too_long_is_not_sent);
	tcase_add_test(t, an_oversized_request_is_dropped);
	tcase_add_test(t, garbage_is_answered_with_an_error);
	tcase_add_test(t, a_second_request_before_the_answer_is_dropped);
	tcase_add_test(t, the_seventeenth_client_is_refused);
	tcase_add_test(t, a_client_that_leaves_before_its_answer_costs_nothing);
	tcase_add_test(t, a_half_open_client_is_dropped_at_its_deadline);
	tcase_add_test(t, another_user_may_look_but_not_change);
	tcase_add_test(t, the_socket_is_closed_to_others);
	tcase_add_test(t, what_changes_needs_the_right_to);
	tcase_add_test(t, a_second_server_is_refused);
	tcase_add_test(t, a_socket_left_by_a_crash_is_replaced);
	tcase_add_test(t, a_file_that_is_no_socket_is_left_alone);
	tcase_add_test(t, a_path_too_long_is_an_error);
	tcase_add_test(t, nobody_there_is_said_at_once);
	tcase_add_test(t, a_hostile_server_is_only_an_error);
	tcase_add_test(t, a_silent_or_dripping_server_keeps_nobody);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(control_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
