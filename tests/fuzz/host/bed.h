/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink host's stack and services over a pair of unix sockets, of which the
 * fuzzer has the other end, and the clock. Each input finds the stack as the
 * one before it did.
 */
#ifndef FUZZ_HOST_BED_H
#define FUZZ_HOST_BED_H

#include <stdbool.h>
#include <stdint.h>

enum {
	MAX_PACKET = 0xffff,
	MAX_LINK_HDR = 22,
	MAX_FRAME = 10 + MAX_LINK_HDR + MAX_PACKET,
};

struct bed_config {
	bool ethernet;
	bool vnet;		/* virtio-net headers */
	bool datagram;		/* SOCK_DGRAM, else SOCK_SEQPACKET */
	bool scarce;		/* of half-open connections, and of bytes out of
				 * order, there may be few */
	bool alone;		/* no gateway was given */
	bool poor;		/* lwIP's heap has no room now and then */
	uint8_t offload;	/* enum host_offload */
	uint32_t mtu;
	uint32_t pool;
	uint32_t seed;		/* of lwIP's random numbers */
	uint32_t now;		/* its clock, in milliseconds */
};

extern const uint8_t bed_host_mac[6], bed_peer_mac[6];

/* Returns the peer's end of the link. */
int bed_open(const struct bed_config *config);

/* What fdlink host does between two polls. */
void bed_turn(void);

/* Let time pass; at the next turn the stack notices. */
void bed_advance(uint32_t ms);

/* The device's MTU is that from now on; the host will notice. */
void bed_set_mtu(uint32_t mtu);

/* Abort and free all that the input has left, and see that nothing else is. */
void bed_close(void);

#endif
