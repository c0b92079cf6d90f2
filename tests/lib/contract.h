/* SPDX-License-Identifier: Apache-2.0 */
/* One table of expectations, run against every kind of link in every mode. */
#ifndef TESTS_CONTRACT_H
#define TESTS_CONTRACT_H

#include "link.h"

struct expectation {
	const char *name;
	void (*test)(struct link *l);
	unsigned needs;			/* LINK_ traits, all of them */
	unsigned not_on;		/* LINK_ traits, none of them */
	unsigned not_in;		/* modes, 1 << FDL_MODE_... */
	struct fdl_options opts;
};

/*
 * Run the table: for each row, kind and mode a link with an endpoint over it,
 * the row's test, and then the sum: what was offered was delivered or counted
 * as lost, in both directions. argv: nothing, a pattern of what is to be run,
 * or two numbers, N M: the Nth of M parts. Returns an exit status.
 */
int contract_run(const char *group, char *argv[],
		 const struct expectation *table, size_t n);

/* Receive exactly n packets, or fail. */
void expect_packets(struct link *l, struct fdl_packet *v[], int n);

/* A packet must hold this frame of the peer's. */
void expect_frame(struct link *l, const struct fdl_packet *pkt, size_t len,
		  unsigned seq);

/* Receive the frame that was fed as (len, seq), and give it back. */
void expect_received(struct link *l, size_t len, unsigned seq);

/* Nothing to receive, and both pollable fds say so. */
void expect_quiet(struct link *l);

/* The same in the end: it may call a few times, until it is asked why. */
void expect_rest(struct link *l);

/* Is an fd readable (POLLIN) or writable within timeout_ms? */
bool fd_readable(int fd, int timeout_ms);

/* Poll the queue till it ends: the errno it ends with. */
int expect_end(struct link *l);

/* Take a packet to send and make it a frame. NULL: the pool is empty. */
struct fdl_packet *frame_packet(struct link *l, size_t len, unsigned seq);

/* Send packets, which must all go. */
void expect_sent(struct link *l, struct fdl_packet *v[], int n);

void link_stats(struct link *l, struct fdl_stats *st);
uint64_t stats_rx_drops(const struct fdl_stats *st);
uint64_t stats_tx_drops(const struct fdl_stats *st);

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
