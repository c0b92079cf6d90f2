/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered packets of many flows, and which queue brought them. */
#ifndef TESTS_FLOWS_H
#define TESTS_FLOWS_H

#include <stdbool.h>

#include <fdlink/fdlink.h>

enum {
	FLOWS = 64,
	ROUNDS = 8,
	MAX_QUEUES = 8,
};

/* What arrived, by flow and by queue. */
struct flow_tally {
	unsigned n, outgoing;
	unsigned next[FLOWS];		/* the number due in each flow */
	int queue_of[FLOWS];		/* -1: several */
	unsigned per_queue[MAX_QUEUES];
	bool reordered;
};

/* Open by locator; what is said goes to flows_said. */
extern char flows_said[256];
void flows_say(void *ctx, int level, const char *msg);
int flows_open_with(struct fdl_endpoint **ep, const char *locator,
		    struct fdl_options opts);
struct fdl_endpoint *flows_open(const char *locator);

/* An AF_PACKET socket on dev, which with protocol 0 only sends. */
int flows_socket(const char *dev, unsigned short protocol);

/* Send one packet, or ROUNDS of every flow: UDP over IPv4, whose source port is
 * the flow's number. */
void flows_put(int sock, unsigned flow, unsigned seq, bool ethernet);
void flows_put_all(int sock, bool ethernet);

void flows_note(struct flow_tally *t, unsigned queue,
		const struct fdl_packet *pkt);

/* Receive want packets, and look that there are no more. */
struct flow_tally flows_collect(struct fdl_endpoint *ep, unsigned want);

/* Each flow in order on one queue, and every queue with some of them. */
void flows_expect_spread(const struct flow_tally *t, unsigned queues);

/* Setup and teardown of a veth pair, fdq and fdqp. */
int flows_make_veth(void **state);
int flows_drop_veth(void **state);

#define OVER_VETH(f) \
	cmocka_unit_test_setup_teardown(f, flows_make_veth, flows_drop_veth)

#endif
