/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint of several queues whose other ends are the test's. */
#ifndef TESTS_SPREAD_BED_H
#define TESTS_SPREAD_BED_H

#include <stdint.h>

#include <fdlink/attach.h>

enum { QUEUES = 4, FLOWS = 32 };

struct fixture {
	struct fdl_endpoint *ep;
	int peer[QUEUES];
};

/* cmocka's; *state becomes a struct fixture. */
int spread_set_up(void **state);
int spread_tear_down(void **state);

/* A packet of a flow, numbered. NULL: the pool is empty. */
struct fdl_packet *numbered_packet(struct fdl_endpoint *ep, unsigned flow,
				   uint32_t number);

#endif
