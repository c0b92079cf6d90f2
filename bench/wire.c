/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a wire between two TAPs costs a packet:
 *
 *	wire flood SIZE WARMUP SECONDS bare|header|COMMAND...
 *	wire lone SIZE WARMUP SECONDS RATE bare|header|COMMAND...
 *
 * bare is a loop of poll(2), read(2) and write(2); header the same with the
 * virtio-net header on both TAPs; COMMAND is a program that joins the TAPs fdt0
 * and fdt1. flood: frames into fdt0 as fast as they go. lone: one at a time, so
 * many a second; how long each is under way to a socket on fdt1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum {
	ENDS = 2,
	LOST_NS = 100000000,	/* when a frame counts as lost */
};

static const char *const names[ENDS] = { "fdt0", "fdt1" };

struct wire {
	struct bench_link link;	/* other: a socket that sends into fdt0 */
	struct bench_shared *shared;
	size_t size;
	unsigned rate;
	char **command;
	int sink;		/* on fdt1; -1: its counter will do */
};

static int open_tap(const char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
						  flags) };
	const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	memcpy(ifr.ifr_name, name, strlen(name));
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		bench_die(name, errno);
	return fd;
}

/* TAPs that are there whether anybody has them open or not. */
static void make_taps(void)
{
	int i, fd;

	for (i = 0; i < ENDS; i++) {
		fd = open_tap(names[i], IFF_VNET_HDR);
		if (ioctl(fd, TUNSETPERSIST, 1))
			bench_die(names[i], errno);
		bench_set_up(names[i]);
		close(fd);
	}
}

static void remove_taps(void)
{
	int i;

	for (i = 0; i < ENDS; i++)
		ioctl(open_tap(names[i], IFF_VNET_HDR), TUNSETPERSIST, 0);
}

/* All that waits at one TAP goes to the other. */
static void carry(int from, int to)
{
	static uint8_t frame[BENCH_VNET_HDR + 65536];
	ssize_t n;

	while ((n = read(from, frame, sizeof(frame))) > 0)
		(void)!write(to, frame, (size_t)n);
}

static void join_bare(int flags)
{
	struct pollfd fds[ENDS];
	int i;

	for (i = 0; i < ENDS; i++)
		fds[i] = (struct pollfd){ .fd = open_tap(names[i], flags),
					  .events = POLLIN };
	while (poll(fds, ENDS, -1) > 0) {
		for (i = 0; i < ENDS; i++) {
			if (fds[i].revents)
				carry(fds[i].fd, fds[!i].fd);
		}
	}
}

static void join(void *arg)
{
	const struct wire *w = arg;
	const int null = open("/dev/null", O_WRONLY);

	if (!strcmp(w->command[0], "bare"))
		join_bare(0);
	if (!strcmp(w->command[0], "header"))
		join_bare(IFF_VNET_HDR);
	dup2(null, STDOUT_FILENO);
	execvp(w->command[0], w->command);
	bench_die(w->command[0], errno);
}

/* Whether the frame with that time in it came. */
static bool arrives(const struct wire *w, uint64_t sent)
{
	uint8_t frame[BENCH_FRAME];
	uint64_t stamp;
	ssize_t n;

	do {
		n = recv(w->sink, frame, sizeof(frame), MSG_DONTWAIT);
		memcpy(&stamp, frame + 16, sizeof(stamp));
		if (n >= (ssize_t)(16 + sizeof(stamp)) && stamp == sent)
			return true;
	} while (bench_ns(CLOCK_MONOTONIC) - sent < LOST_NS);
	return false;
}

/* One process sends and waits, so that nothing else is woken. */
static _Noreturn void time_lone(const struct wire *w)
{
	uint64_t next = bench_ns(CLOCK_MONOTONIC), now;
	const uint64_t gap = 1000000000 / w->rate;
	struct bench_shared *shared = w->shared;
	uint8_t frame[BENCH_FRAME];

	bench_frame(frame, w->size, 0);
	for (;; next += gap) {
		while ((now = bench_ns(CLOCK_MONOTONIC)) < next)
			;
		memcpy(frame + 16, &now, sizeof(now));
		if (send(w->link.other, frame, w->size, 0) < 0 ||
		    !arrives(w, now))
			continue;
		if (shared->n_ages < BENCH_SAMPLES)
			shared->ages_ns[shared->n_ages++] =
				(uint32_t)(bench_ns(CLOCK_MONOTONIC) - now);
	}
}

/* Until then nothing can be sent into a device. */
static void wait_for_carrier(const char *name)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	memcpy(ifr.ifr_name, name, strlen(name));
	do {
		if (ioctl(fd, SIOCGIFFLAGS, &ifr))
			bench_die(name, errno);
	} while (!(ifr.ifr_flags & IFF_RUNNING));
	close(fd);
}

static void feed(void *arg)
{
	const struct wire *w = arg;

	wait_for_carrier(names[0]);
	wait_for_carrier(names[1]);
	if (w->rate)
		time_lone(w);
	bench_feed(&w->link, w->size, 0, w->shared);
}

/* Packets that came out of the wire: those that fdt1 received. */
static uint64_t came_out(void)
{
	unsigned long long packets = 0;
	FILE *f = fopen("/proc/self/net/dev", "re");
	char line[512], name[64];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %63[^:]: %*u %llu", name, &packets) == 2 &&
		    !strcmp(name, names[1]))
			break;
	}
	if (f)
		fclose(f);
	return packets;
}

static void say(const struct wire *w, const struct bench_window *seen)
{
	const double count = (double)seen->count;

	printf("{\"rate\": %.0f, \"cpu_ns\": %.2f, \"busy\": %.4f",
	       count / seen->seconds,
	       seen->count ? (double)seen->cpu_ns / count : 0,
	       (double)seen->cpu_ns / 1e9 / seen->seconds);
	if (w->rate)
		printf(", \"p50_us\": %.2f, \"p99_us\": %.2f",
		       bench_age(w->shared, .5), bench_age(w->shared, .99));
	puts("}");
}

static int usage(void)
{
	fputs("wire flood SIZE WARMUP SECONDS bare|header|COMMAND... | lone "
	      "SIZE WARMUP SECONDS RATE bare|header|COMMAND...\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const bool lone = argc > 6 && !strcmp(argv[1], "lone");
	struct wire w = { .sink = -1 };
	struct bench_window seen;
	int shared_fd;

	if (!lone && (argc < 6 || strcmp(argv[1], "flood") != 0))
		return usage();
	w.size = (size_t)atoi(argv[2]);
	w.rate = lone ? (unsigned)atoi(argv[5]) : 0;
	w.command = argv + (lone ? 6 : 5);
	if (w.size < 64 || w.size > BENCH_FRAME || (lone && !w.rate))
		return usage();
	make_taps();
	w.shared = bench_share(&shared_fd);
	w.shared->counted = came_out;
	w.link.kind = "tap";
	w.link.other = bench_send_socket(names[0]);
	if (lone)
		w.sink = bench_packet_socket(names[1]);
	seen = bench_run(w.shared, atof(argv[3]), atof(argv[4]), join, feed,
			 &w);
	remove_taps();
	if (!seen.count)
		bench_die("nothing came out of the wire", EIO);
	say(&w, &seen);
	return 0;
}
