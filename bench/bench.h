/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measuring programs share: the two ends of a link, a process at each
 * of them, pinned to a core of its own, and the window in which they are
 * looked at from outside. Nothing is freed: a process measures one thing.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* Whom the frames are for. */
#define BENCH_ADDRESS	0x02, 0, 0, 0, 0, 0x01

enum {
	BENCH_BATCH = 64,	/* frames per call of the feeder and the
				 * drain */
	BENCH_FRAME = 1514,
	BENCH_ETHERTYPE = 0x88b5,
	BENCH_VNET_HDR = 10,
	BENCH_BUFFER = 4 << 20,	/* of every socket, and of a ring */
	BENCH_SAMPLES = 1 << 17,
	BENCH_LINK_FD = 3,	/* in a program that is executed as a side */
	BENCH_SHARED_FD = 4,
};

/*
 * A page seen by all processes of a measurement. A program that is executed
 * as a side knows the first member only.
 */
struct bench_shared {
	/* Packets received or sent by the side under test. */
	_Alignas(64) volatile uint64_t count;
	/* Packets sent by the other side. */
	_Alignas(64) volatile uint64_t offered;
	volatile uint64_t rss_before;	/* bytes, before it opened anything */
	/* Instead of count, where it cannot count by itself. */
	uint64_t (*counted)(void);
	/* Ages of received packets, where each carries its time. */
	volatile bool stamped;
	volatile uint32_t n_ages;
	uint32_t ages_ns[BENCH_SAMPLES];
};

/* The side under test, or the one that feeds and drains it. */
struct bench_link {
	const char *kind;	/* "seqpacket", "datagram", "stream", "veth",
				 * "tap", and "taphdr": with the virtio-net
				 * header */
	const char *name;	/* device of the side under test, or NULL */
	char locator[64];	/* what that side opens; "": it has an fd
				 * only */
	int fd;			/* of the side under test; -1: it opens one */
	int other;		/* of the other side; with stream it listens */
	bool socket;		/* fd is a socket, not a TAP */
	size_t hdr;		/* bytes before each frame at fd, zero to
				 * send */
};

static inline uint64_t bench_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Says why on standard error and ends the process. */
void bench_die(const char *what, int err) __attribute__((noreturn));

/*
 * Open both ends. The devices are those that scripts/bench made: fdv0 and its
 * peer fdv1; the TAP fdt0 is created here. without_fd: the side under test
 * opens its own.
 */
void bench_open(struct bench_link *link, const char *kind, bool without_fd);

/* A raw socket on a device, with room; one that sends only; the device up. */
int bench_packet_socket(const char *name);
int bench_send_socket(const char *name);
void bench_set_up(const char *name);

void bench_room(int fd);	/* BENCH_BUFFER both ways, if allowed */
void bench_pin(unsigned nth);	/* to the nth CPU this process may use */
uint64_t bench_rss(pid_t pid);	/* bytes resident */
void bench_wait(int fd, short events);	/* poll(2) without end */

struct bench_shared *bench_share(int *fd);

/* Frames of size bytes for BENCH_ETHERTYPE, in flows that differ. */
void bench_frame(uint8_t *frame, size_t size, unsigned flow);

/*
 * Send frames for ever: as fast as the other end takes them, or, with a rate,
 * so many a second, one at a time, each with the time in it.
 */
_Noreturn void bench_feed(const struct bench_link *link, size_t size,
			  unsigned rate, struct bench_shared *shared);

/* Receive and forget, for ever. */
_Noreturn void bench_drain(const struct bench_link *link);

/* What a received packet is looked at for by everybody who receives. */
static inline void bench_got(struct bench_shared *shared, const uint8_t *data)
{
	uint16_t type;
	uint64_t sent;

	memcpy(&type, data + 12, sizeof(type));
	if (!shared->stamped || type != __builtin_bswap16(BENCH_ETHERTYPE))
		return;
	memcpy(&sent, data + 16, sizeof(sent));
	if (shared->n_ages < BENCH_SAMPLES)
		shared->ages_ns[shared->n_ages++] =
			(uint32_t)(bench_ns(CLOCK_MONOTONIC) - sent);
}

/* The age that a share of the packets did not exceed, in microseconds. The ages
 * are put into order. */
double bench_age(struct bench_shared *shared, double share);

/* What was seen of the side under test in a window. */
struct bench_window {
	double seconds;
	uint64_t count, offered;
	uint64_t cpu_ns;
	uint64_t rss_rest, rss_load;	/* bytes, more than before */
};

/*
 * Start the side under test by test(arg), in a process of its own on the first
 * CPU, and the other side by other(arg) on the second; look at them for seconds
 * after a warm-up; end them.
 */
struct bench_window bench_run(struct bench_shared *shared, double warmup,
			      double seconds, void (*test)(void *arg),
			      void (*other)(void *arg), void *arg);

/* Become another program, with the link as fd 3 and the page as fd 4. */
_Noreturn void bench_exec(const struct bench_link *link, int shared_fd,
			  char *const argv[]);

#endif
