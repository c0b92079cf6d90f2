/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "os.h"

enum {
	RECORD_LINES = 4,
	RECORD_WIDTH = 256, /* what log_say makes of a sentence */
};

struct record {
	int n;
	int level[RECORD_LINES];
	char line[RECORD_LINES][RECORD_WIDTH];
};

struct visit {
	int nsfd;
	int (*fn)(void *arg, const struct log *log);
	void *arg;
	int result;
	struct record record;
};

static void record_line(void *ctx, int level, const char *msg)
{
	struct record *record = ctx;

	if (record->n == RECORD_LINES)
		return;
	record->level[record->n] = level;
	snprintf(record->line[record->n], RECORD_WIDTH, "%s", msg);
	record->n++;
}

static void *visit_main(void *arg)
{
	struct visit *visit = arg;
	const struct log log = { record_line, &visit->record };

	visit->result = os_setns(visit->nsfd, CLONE_NEWNET);
	if (visit->result < 0)
		log_say(&log, FDL_LOG_ERR,
			"not permitted to enter the network namespace (%s): "
			"run as root, or as the user who made it, inside its "
			"user namespace",
			strerror(-visit->result));
	else
		visit->result = visit->fn(visit->arg, &log);
	return NULL;
}

/* All signals are blocked in the new thread. */
static int start(pthread_t *thread, struct visit *visit)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, visit_main, visit);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int netns_run(int nsfd, int (*fn)(void *arg, const struct log *log), void *arg,
	      const struct log *log)
{
	struct visit visit = { .nsfd = nsfd, .fn = fn, .arg = arg };
	pthread_t thread;
	int err;

	err = start(&thread, &visit);
	if (err) {
		log_say(log, FDL_LOG_ERR, "no thread to be had: %s",
			strerror(-err));
		return err;
	}
	pthread_join(thread, NULL);
	for (int i = 0; i < visit.record.n; i++)
		log_say(log, visit.record.level[i], "%s", visit.record.line[i]);
	return visit.result;
}

int netns_open(const char *name, const struct log *log)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s%s",
		 strchr(name, '/') ? "" : "/var/run/netns/", name);
	fd = os_open(path, O_RDONLY);
	if (fd >= 0)
		return fd;
	log_say(log, FDL_LOG_ERR,
		fd == -ENOENT ?
			"netns=%.100s: no such network namespace (%s): see "
			"'ip netns list'" :
			"netns=%.100s: cannot open the network namespace: %s",
		name, strerror(-fd));
	return fd;
}

int netns_run_in(const char *name, int (*fn)(void *arg, const struct log *log),
		 void *arg, const struct log *log)
{
	int nsfd, err;

	if (!*name)
		return fn(arg, log);
	nsfd = netns_open(name, log);
	if (nsfd < 0)
		return nsfd;
	err = netns_run(nsfd, fn, arg, log);
	os_close(nsfd);
	return err;
}
