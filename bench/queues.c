/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time in which one or more queues of an AF_PACKET endpoint drain a backlog
 * of 64 flows, each queue by a thread on a CPU of its own:
 *
 *	queues MODE QUEUES SIZE SECONDS
 *
 * The backlog is there before the threads start, and nobody feeds meanwhile: a
 * feeder would need a core of its own. Prints the median as a line of JSON.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <fdlink/open.h>

#include "bench.h"

enum {
	MAX_QUEUES = 8,
	MAX_ROUNDS = 4096,
	FLOWS = 64,
	BATCH = 64,
	BACKLOG = 4800,
	WARMUP_NS = 200000000,
};

struct worker {
	struct fdl_queue *q;
	unsigned cpu;
	unsigned *missing;	/* workers that are not ready yet */
	uint64_t got, begin_ns, end_ns;
};

static struct fdl_endpoint *open_queues(const char *mode, unsigned n)
{
	struct fdl_options options = { .size = sizeof(options) };
	struct fdl_endpoint *ep;
	char locator[64];
	const char *name;
	int i, rc;

	for (i = 0; (name = fdl_mode_name((enum fdl_mode)i)); i++) {
		if (!strcmp(name, mode))
			options.mode = (enum fdl_mode)i;
	}
	snprintf(locator, sizeof(locator), "packet:fdv0,queues=%u", n);
	rc = fdl_open(&ep, locator, &options);
	if (rc < 0)
		bench_die(locator, -rc);
	return ep;
}

static void *drain(void *arg)
{
	struct worker *w = arg;
	struct fdl_packet *v[BATCH];
	int n;

	bench_pin(w->cpu);
	/* A barrier that sleeps would take as long as the backlog does. */
	__atomic_sub_fetch(w->missing, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(w->missing, __ATOMIC_ACQUIRE))
		;
	w->begin_ns = bench_ns(CLOCK_MONOTONIC);
	while ((n = fdl_recv(w->q, v, BATCH)) > 0) {
		w->got += (unsigned)n;
		fdl_release(v, n);
	}
	w->end_ns = bench_ns(CLOCK_MONOTONIC);
	return NULL;
}

/* An IPv4 UDP datagram of the flow, which the kernel's hash can tell apart. */
static void flow_frame(uint8_t *frame, size_t size, unsigned flow)
{
	static const uint8_t ip[] = {
		0x45, 0, 0,   0, 0, 0, 0,   0, 64, IPPROTO_UDP,
		0,    0, 192, 0, 2, 1, 192, 0, 2,  2,
	};

	bench_frame(frame, size, flow);
	frame[12] = 0x08;
	frame[13] = 0x00;
	memcpy(frame + 14, ip, sizeof(ip));
	frame[16] = (uint8_t)((size - 14) >> 8);
	frame[17] = (uint8_t)(size - 14);
	frame[34] = (uint8_t)(flow >> 8);
	frame[35] = (uint8_t)flow;
	frame[36] = 0x20;
	frame[37] = 9;
}

/* Other flows each time, as a few may fall on one queue for the most part. */
static void fill(int fd, size_t size, unsigned round)
{
	const struct timespec pause = { .tv_nsec = 4000000 };
	uint8_t frame[BENCH_FRAME];
	unsigned i;

	for (i = 0; i < BACKLOG; i++) {
		flow_frame(frame, size, round * FLOWS + i % FLOWS);
		if (send(fd, frame, size, 0) < 0)
			bench_die("send", errno);
	}
	nanosleep(&pause, NULL);
}

/* Nanoseconds from the start of the first to the end of the last. */
static uint64_t drain_once(struct worker *w, unsigned n, uint64_t *got)
{
	uint64_t begin = UINT64_MAX, end = 0;
	pthread_t threads[MAX_QUEUES];
	unsigned i, missing = n;

	for (i = 0; i < n; i++) {
		w[i].missing = &missing;
		w[i].got = 0;
		if (pthread_create(&threads[i], NULL, drain, w + i))
			bench_die("pthread_create", EAGAIN);
	}
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		*got += w[i].got;
		if (w[i].begin_ns < begin)
			begin = w[i].begin_ns;
		if (w[i].end_ns > end)
			end = w[i].end_ns;
	}
	return end - begin;
}

/* Till mode adaptive has seen what the load is, and used its rings for once. */
static void warm_up(int fd, size_t size, struct worker *w, unsigned n)
{
	const uint64_t stop = bench_ns(CLOCK_MONOTONIC) + WARMUP_NS;
	uint64_t unused = 0;
	unsigned round;

	for (round = 0; bench_ns(CLOCK_MONOTONIC) < stop; round++) {
		fill(fd, size, round);
		drain_once(w, n, &unused);
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct worker workers[MAX_QUEUES];
	uint64_t stop, got = 0, first = 0;
	static uint64_t ns[MAX_ROUNDS];
	struct fdl_endpoint *ep;
	struct bench_link wire;
	unsigned i, n, rounds, middle;

	if (argc != 5 || (n = (unsigned)atoi(argv[2])) < 1 || n > MAX_QUEUES) {
		fputs("queues MODE QUEUES SIZE SECONDS\n", stderr);
		return 2;
	}
	ep = open_queues(argv[1], n);
	bench_open(&wire, "veth", true);
	for (i = 0; i < n; i++) {
		workers[i] = (struct worker){
			.q = fdl_get_queue(ep, i),
			.cpu = i % 2,
		};
	}
	warm_up(wire.other, (size_t)atoi(argv[3]), workers, n);
	stop = bench_ns(CLOCK_MONOTONIC) + (uint64_t)(atof(argv[4]) * 1e9);
	for (rounds = 0; rounds < MAX_ROUNDS &&
			 (!rounds || bench_ns(CLOCK_MONOTONIC) < stop);
	     rounds++) {
		fill(wire.other, (size_t)atoi(argv[3]), rounds);
		ns[rounds] = drain_once(workers, n, &got);
		first += workers[0].got;
	}
	qsort(ns, rounds, sizeof(*ns), by_value);
	middle = rounds / 2;
	printf("{\"drain_us\": %.2f, \"loss\": %.5f, \"first_share\": %.3f}\n",
	       (double)ns[middle] / 1e3,
	       1 - (double)got / ((double)BACKLOG * (double)rounds),
	       (double)first / (double)got);
	return fdl_endpoint_free(ep) < 0;
}
