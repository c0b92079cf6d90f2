/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link in mode adaptive, which numbered packets of several flows are sent to.
 * The mode's clock is the test's, such that every few packets look like a load,
 * and every pause like an idle link, while switches.hurried is set; else it
 * stands. For programs that are linked with --wrap=os_now_us and
 * --wrap=os_setsockopt.
 */
#ifndef TESTS_ADAPTIVE_BED_H
#define TESTS_ADAPTIVE_BED_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

enum { FLOWS = 2, BATCH = 32 };

/* Where the mode can be for long. */
enum phase {
	PLAIN,
	TO_RING,
	RING,
	TO_PLAIN,
	PHASES,
};

/* Who sends a flow, by feeder_put, on a thread if the test has one. */
struct feeder {
	pthread_t thread;
	unsigned flow;
	int sock;
	unsigned window;		/* packets on their way at most */
	atomic_uint sent, got;
	atomic_bool stop;
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	struct feeder feeder[FLOWS];
	unsigned n;			/* packets that came */
	bool lossy;			/* packets may be missing */
	unsigned warnings;		/* that were logged */
	cpu_set_t cpus;			/* to run on afterwards */
};

/* A packet socket of this device. It is the caller's to close. */
int bed_socket(const char *dev);

/*
 * A new link in phase PLAIN, with all switches reset and this thread kept on
 * one CPU: fda0, by a locator for it and with a ring of so many bytes, 0 being
 * the default; or by packet:fda0 and with the default.
 */
void bed_make_with(struct bed *b, const char *locator, uint32_t ring_bytes);
void bed_make(struct bed *b);

/* Free the endpoint, too, and delete what is left of the link. */
void bed_free(struct bed *b);

/* Bring a new link into that phase, which lasts for some packets at least. */
void bed_enter(struct bed *b, enum phase phase);

/* Have a switch begin, which is held. */
void bed_begin_switch(struct bed *b);

/* Let it go, wait for its end, and have the link see that. */
void bed_await_switch(struct bed *b);

/* Send the flow's next packet, or n of all flows in turn. */
void feeder_put(struct feeder *f);
void bed_put(struct bed *b, unsigned n);

/* The packet is the next of its flow, or if lossy, a later one. Counts it. */
void bed_check(struct bed *b, const struct fdl_packet *pkt);

/* Check and release what one call gives, or what there is. Returns how much. */
int bed_take_once(struct bed *b);
int bed_take(struct bed *b);

/* What was sent must come, each time with the fd readable. */
void bed_take_all(struct bed *b);

/* Whether the last that was sent has come, of each flow. */
bool bed_all_came(const struct bed *b);

/* What was received is counted, and no drop is. */
void bed_expect_no_drops(struct bed *b);

/*
 * Nothing is received, and the fd readable for nothing once at most: a ring's
 * block may be read before the kernel tells of it, and the timer for one that
 * is open may be late.
 */
void bed_expect_quiet(struct bed *b);

/* Send some packets a few at a time; all come, and it is quiet in between. */
void bed_deliver(struct bed *b);

#endif
