/* SPDX-License-Identifier: Apache-2.0 */
/* TCP and UDP of the kernel's own, to an address where nobody answers. */
#ifndef TESTS_KERNEL_FLOW_H
#define TESTS_KERNEL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DATAGRAM = 1200,	/* bytes of payload of each */
	TCP_MSS = 1400,
	FIRST_SEQ = 0xffff8000,
};

/* One flow. */
struct flow {
	int version, proto;
	unsigned link_len; /* expected */
	bool cut;	   /* by the kernel, before the device */
	uint16_t port;
	unsigned got; /* bytes of payload so far */
	unsigned supers;
};

/* Send len bytes to 10.9.0.2 or fd09::2, and note the port they come from. */
void kernel_flow_send(struct flow *f, const uint8_t *bytes, size_t len);

#endif
