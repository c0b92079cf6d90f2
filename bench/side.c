/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes, and the window in which they are looked at. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

void bench_pin(unsigned nth)
{
	cpu_set_t allowed, one;
	size_t cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		bench_die("sched_getaffinity", errno);
	if ((int)nth >= CPU_COUNT(&allowed))
		bench_die("two CPUs are needed", ENODEV);
	for (cpu = 0; nth || !CPU_ISSET(cpu, &allowed); cpu++)
		nth -= !!CPU_ISSET(cpu, &allowed);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

uint64_t bench_rss(pid_t pid)
{
	unsigned long size, resident = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct bench_shared *bench_share(int *fd)
{
	struct bench_shared *shared;

	*fd = memfd_create("bench", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, sizeof(*shared)))
		bench_die("memfd", errno);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      *fd, 0);
	if (shared == MAP_FAILED)
		bench_die("mmap", errno);
	return shared;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

double bench_age(struct bench_shared *shared, double share)
{
	const uint32_t n = shared->n_ages;
	uint32_t *ages = shared->ages_ns;

	qsort(ages, n, sizeof(*ages), by_value);
	return n ? ages[(uint32_t)((double)(n - 1) * share)] / 1e3 : 0;
}

static pid_t start(unsigned cpu, void (*side)(void *), void *arg)
{
	const pid_t pid = fork();

	if (pid < 0)
		bench_die("fork", errno);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(cpu);
	side(arg);
	_exit(0);
}

/* Both must live until they are stopped. */
static void check(pid_t pid, const char *name)
{
	if (!waitpid(pid, NULL, WNOHANG))
		return;
	fprintf(stderr, "bench: the %s ended early\n", name);
	exit(1);
}

static void rest(double seconds)
{
	struct timespec ts = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static uint64_t more_rss(pid_t pid, const struct bench_shared *shared)
{
	const uint64_t rss = bench_rss(pid);

	return rss > shared->rss_before ? rss - shared->rss_before : 0;
}

static uint64_t count_of(const struct bench_shared *shared)
{
	return shared->counted ? shared->counted() : shared->count;
}

static void look(struct bench_window *w, const struct bench_shared *shared,
		 pid_t pid, double seconds)
{
	uint64_t t, cpu, count, offered;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock))
		bench_die("clock_getcpuclockid", errno);
	cpu = bench_ns(clock);
	t = bench_ns(CLOCK_MONOTONIC);
	count = count_of(shared);
	offered = shared->offered;
	rest(seconds);
	w->count = count_of(shared) - count;
	w->offered = shared->offered - offered;
	w->seconds = (double)(bench_ns(CLOCK_MONOTONIC) - t) / 1e9;
	w->cpu_ns = bench_ns(clock) - cpu;
	w->rss_load = more_rss(pid, shared);
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct bench_window bench_run(struct bench_shared *shared, double warmup,
			      double seconds, void (*test)(void *arg),
			      void (*other)(void *arg), void *arg)
{
	struct bench_window w = { 0 };
	pid_t a, b;

	a = start(0, test, arg);
	rest(0.03);
	w.rss_rest = more_rss(a, shared);
	b = start(1, other, arg);
	rest(warmup);
	shared->n_ages = 0;
	look(&w, shared, a, seconds);
	check(a, "side under test");
	check(b, "other side");
	stop(b);
	stop(a);
	return w;
}

void bench_exec(const struct bench_link *link, int shared_fd,
		char *const argv[])
{
	const int shared = fcntl(shared_fd, F_DUPFD, 10);
	const int fd = fcntl(link->fd, F_DUPFD, 10);

	/* Only these two outlive the exec. */
	if (fd < 0 || shared < 0 || dup2(fd, BENCH_LINK_FD) < 0 ||
	    dup2(shared, BENCH_SHARED_FD) < 0)
		bench_die("dup", errno);
	close(fd);
	close(shared);
	execv(argv[0], argv);
	bench_die(argv[0], errno);
}
