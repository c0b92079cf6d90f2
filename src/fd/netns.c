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
	const char *name;	/* as netns= has it; NULL: a device's */
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

static void say_closed(const struct visit *visit, const struct log *log)
{
	log_say(log, FDL_LOG_ERR, "%s%.100s: %s (%s): %s",
		visit->name ? "netns=" : "the device's network namespace",
		visit->name ? visit->name : "",
		visit->result == -EINVAL ? "it is no network namespace" :
					   "not permitted to enter it",
		strerror(-visit->result),
		visit->result == -EINVAL ?
			"see 'ip netns list'" :
			"run as root, or as the user who made it, inside its "
			"user namespace");
}

static void *visit_main(void *arg)
{
	struct visit *visit = arg;
	const struct log log = { record_line, &visit->record };

	visit->result = os_setns(visit->nsfd, CLONE_NEWNET);
	if (visit->result < 0)
		say_closed(visit, &log);
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

static int run(struct visit *visit, const struct log *log)
{
	pthread_t thread;
	int err;

	err = start(&thread, visit);
	if (err) {
		log_say(log, FDL_LOG_ERR, "no thread to be had: %s",
			strerror(-err));
		return err;
	}
	pthread_join(thread, NULL);
	for (int i = 0; i < visit->record.n; i++)
		log_say(log, visit->record.level[i], "%s",
			visit->record.line[i]);
	return visit->result;
}

int netns_run(int nsfd, int (*fn)(void *arg, const struct log *log), void *arg,
	      const struct log *log)
{
	struct visit visit = { .nsfd = nsfd, .fn = fn, .arg = arg };

	return run(&visit, log);
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
	log_say(log, FDL_LOG_ERR, "netns=%.100s: %s (%s)%s", name,
		fd == -ENOENT ? "no such network namespace" :
				"cannot open the network namespace",
		strerror(-fd),
		fd == -ENOENT ? ": see 'ip netns list'" :
		fd == -EACCES ? ": run as root" :
				"");
	return fd;
}

int netns_run_in(const char *name, int (*fn)(void *arg, const struct log *log),
		 void *arg, const struct log *log)
{
	struct visit visit = { .name = name, .fn = fn, .arg = arg };
	int err;

	if (!*name)
		return fn(arg, log);
	visit.nsfd = netns_open(name, log);
	if (visit.nsfd < 0)
		return visit.nsfd;
	err = run(&visit, log);
	os_close(visit.nsfd);
	return err;
}
