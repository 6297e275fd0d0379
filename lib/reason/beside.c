// SPDX-License-Identifier: GPL-2.0-or-later
// See beside.h.
#include "beside.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NICE = 10 }; // the process itself goes first

// The copy holds every socket of the process: a peer would not hear of the process's own closing, or of its death.
static int as_copy(pid_t parent, int (*job)(void *user), void *user)
{
	int error;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return ECANCELED;
	if (close_range(STDERR_FILENO + 1, ~0u, 0) < 0)
		return errno;
	setpriority(PRIO_PROCESS, 0, NICE);
	error = -job(user);
	return error >= 0 && error <= 0xff ? error : EIO;
}

int beside_begin(struct beside *b, int (*job)(void *user), void *user)
{
	pid_t parent = getpid(), pid;

	if (b->pid)
		return -EBUSY;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(as_copy(parent, job, user));
	b->pid = pid;
	return 0;
}

static bool reap(struct beside *b, int options, int *result)
{
	pid_t pid;
	int status;

	do
		pid = waitpid(b->pid, &status, options);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	b->pid = 0;
	*result = pid < 0 ? -errno : WIFEXITED(status) ? -WEXITSTATUS(status) : -ECANCELED;
	return true;
}

bool beside_ended(struct beside *b, int *result)
{
	return b->pid && reap(b, WNOHANG, result);
}

void beside_stop(struct beside *b)
{
	int result;

	if (!b->pid)
		return;
	kill(b->pid, SIGKILL);
	reap(b, 0, &result);
}
