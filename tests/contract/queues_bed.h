/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint in mode adaptive with two queues, and flows on both of them. */
#ifndef TESTS_QUEUES_BED_H
#define TESTS_QUEUES_BED_H

#include <sched.h>
#include <stdatomic.h>

#include <fdlink/open.h>

enum { FEEDERS = 2, QUEUES = 2 };

/* Whose clock it is. A thread that reads both queues says so. */
extern _Thread_local unsigned reading;

/* Numbered packets of two flows on each queue. */
struct flow {
	unsigned port, queue;
	atomic_uint sent, got;
};

struct bed {
	struct fdl_endpoint *ep;
	struct flow flow[FEEDERS * QUEUES];	/* by queue, then feeder */
	atomic_uint wrong;
	int sock;
	cpu_set_t cpus;				/* to run on afterwards */
};

void make_bed(struct bed *b);
void free_bed(struct bed *b);

/* Send the next packet of a flow. */
void flow_put(struct flow *f, int sock);

/* A packet of a queue must be the next one of a flow of that queue, or b->wrong
 * counts it. Called by readers: a failed assertion would end the wrong
 * thread. */
void bed_check(struct bed *b, unsigned queue, const struct fdl_packet *pkt);

/* All that was sent has come, in order, and nothing was dropped. */
void bed_expect_all(struct bed *b);

#endif
