/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measure one way to receive, once:
 *
 *	rx list LINK
 *	rx flood LINK SIZE READER WARMUP SECONDS
 *	rx backlog LINK SIZE READER SECONDS
 *	rx lone LINK SIZE READER WARMUP SECONDS RATE
 *
 * LINK: seqpacket, datagram, stream, veth, tap, taphdr. READER: a line that
 * list prints, or "exec PROGRAM ARGUMENT...", which finds the link as fd 3 and
 * counts in the first 8 bytes of fd 4. Prints one line of JSON. scripts/bench
 * prepares the devices and asks for rounds of this.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "reader.h"

static const struct reader_ops *const readers[] = {
	&reader_recv,	      &reader_recvmmsg, &reader_recv_aux,
	&reader_recvmmsg_aux, &reader_ring,
#ifdef HAVE_PCAP
	&reader_pcap,
#endif
};

struct rx {
	struct reader reader;
	struct bench_link link;
	char *exec[8];
	int shared_fd;
	size_t size;
	unsigned rate;
};

/* Of the fd, or of what would be opened by name. */
static int probe(const struct bench_link *l, struct fdl_info *info)
{
	if (!*l->locator)
		return fdl_probe_fd(l->fd, info, sizeof(*info), NULL, NULL);
	return fdl_probe(l->locator, info, sizeof(*info), NULL, NULL);
}

static int list(const char *kind)
{
	struct fdl_info info;
	struct bench_link l;
	const char *name;
	size_t i;
	int mode;

	bench_open(&l, kind, false);
	for (i = 0; i < sizeof(readers) / sizeof((readers)[0]); i++) {
		if (readers[i]->fits(&l))
			puts(readers[i]->name);
	}
	if (probe(&l, &info) < 0)
		return 1;
	for (mode = FDL_MODE_AUTO + 1;
	     (name = fdl_mode_name((enum fdl_mode)mode)); mode++) {
		if (!fdl_mode_refusal(&info, (enum fdl_mode)mode))
			printf("fdlink %s\n", name);
	}
	return 0;
}

static void split(struct rx *rx, char *words)
{
	size_t i = 0;
	char *word;

	for (word = strtok(words, " "); word && i < 7; word = strtok(NULL, " "))
		rx->exec[i++] = word;
}

static void find_reader(struct rx *rx, char *name)
{
	size_t i;

	rx->reader.ops = NULL;
	if (!strncmp(name, "exec ", 5)) {
		split(rx, name + 5);
		return;
	}
	if (!strncmp(name, "fdlink ", 7)) {
		rx->reader.ops = &reader_fdlink;
		rx->reader.mode = name + 7;
		return;
	}
	for (i = 0; i < sizeof(readers) / sizeof((readers)[0]); i++) {
		if (!strcmp(readers[i]->name, name))
			rx->reader.ops = readers[i];
	}
	if (!rx->reader.ops)
		bench_die(name, EINVAL);
}

static void receive(void *arg)
{
	struct rx *rx = arg;
	struct reader *r = &rx->reader;
	int n;

	if (rx->exec[0])
		bench_exec(&rx->link, rx->shared_fd, rx->exec);
	r->shared->rss_before = bench_rss(getpid());
	r->ops->open(r);
	for (;;) {
		n = r->ops->step(r);
		if (n)
			r->shared->count += (unsigned)n;
		else
			r->ops->wait(r);
	}
}

static void feed(void *arg)
{
	const struct rx *rx = arg;

	bench_feed(&rx->link, rx->size, rx->rate, rx->reader.shared);
}

static void say(const struct rx *rx, const struct bench_window *w)
{
	struct bench_shared *s = rx->reader.shared;
	const double count = (double)w->count;

	printf("{\"seconds\": %.6f, \"rate\": %.0f, \"cpu_ns\": %.2f, "
	       "\"busy\": %.4f, \"offered\": %.0f, \"loss\": %.5f, "
	       "\"rss_rest\": %ld, \"rss_load\": %ld",
	       w->seconds, count / w->seconds,
	       w->count ? (double)w->cpu_ns / count : 0,
	       (double)w->cpu_ns / 1e9 / w->seconds,
	       (double)w->offered / w->seconds,
	       w->offered > w->count ? 1 - count / (double)w->offered : 0,
	       (long)w->rss_rest, (long)w->rss_load);
	if (s->stamped) {
		printf(", \"p50_us\": %.2f, \"p99_us\": %.2f", bench_age(s, .5),
		       bench_age(s, .99));
	}
	puts("}");
}

/* A third of the buffer, so that nothing is lost; then the ring's timeout. */
static int fill(struct rx *rx)
{
	const int most = rx->link.socket ? BENCH_BUFFER / 3 / 2304 : 400;
	const struct timespec pause = { .tv_nsec = 3000000 };
	uint8_t frame[BENCH_FRAME];
	int n;

	bench_frame(frame, rx->size, 0);
	for (n = 0; n < most; n++) {
		if (send(rx->link.other, frame, rx->size, MSG_DONTWAIT) < 0)
			break;
	}
	nanosleep(&pause, NULL);
	return n;
}

/* CPU of the reader alone, with nobody on the other core. */
static void drain_backlogs(struct rx *rx, double seconds)
{
	const uint64_t end = bench_ns(CLOCK_MONOTONIC) +
			     (uint64_t)(seconds * 1e9);
	uint64_t cpu = 0, count = 0, offered = 0, t;
	struct reader *r = &rx->reader;
	int n;

	bench_pin(0);
	r->ops->open(r);
	fill(rx);
	while (r->ops->step(r))
		;
	while (bench_ns(CLOCK_MONOTONIC) < end) {
		offered += (unsigned)fill(rx);
		t = bench_ns(CLOCK_THREAD_CPUTIME_ID);
		while ((n = r->ops->step(r)))
			count += (unsigned)n;
		cpu += bench_ns(CLOCK_THREAD_CPUTIME_ID) - t;
	}
	printf("{\"cpu_ns\": %.2f, \"count\": %lu, \"loss\": %.5f}\n",
	       count ? (double)cpu / (double)count : 0, (unsigned long)count,
	       offered > count ? 1 - (double)count / (double)offered : 0);
}

static int usage(void)
{
	fputs("rx list LINK | flood LINK SIZE READER WARMUP SECONDS | backlog "
	      "LINK SIZE READER SECONDS | lone LINK SIZE READER WARMUP SECONDS "
	      "RATE\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct rx rx = { 0 };
	struct bench_window w;

	if (argc == 3 && !strcmp(argv[1], "list"))
		return list(argv[2]);
	if (argc < 6)
		return usage();
	find_reader(&rx, argv[4]);
	bench_open(&rx.link, argv[2], rx.reader.ops && rx.reader.ops->opens);
	rx.reader.link = &rx.link;
	rx.reader.shared = bench_share(&rx.shared_fd);
	rx.size = (size_t)atoi(argv[3]);
	if (rx.size < 64 || rx.size > BENCH_FRAME)
		return usage();
	if (!strcmp(argv[1], "backlog")) {
		drain_backlogs(&rx, atof(argv[5]));
		return 0;
	}
	if (argc < 7)
		return usage();
	rx.rate = argc > 7 ? (unsigned)atoi(argv[7]) : 0;
	rx.reader.shared->stamped = rx.rate;
	w = bench_run(rx.reader.shared, atof(argv[5]), atof(argv[6]), receive,
		      feed, &rx);
	say(&rx, &w);
	return 0;
}
