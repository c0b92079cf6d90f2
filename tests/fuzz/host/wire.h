/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to the host: right ones, and what is made wrong of them. */
#ifndef FUZZ_HOST_WIRE_H
#define FUZZ_HOST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"

enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IP6 = 0x86dd,
	MAX_PAYLOAD = 65000,
	N_ADDRESSES = 8,	/* that the peer may have */
	N_TARGETS = 4,		/* and the host */
	ALL_HOSTS = 2,		/* of these: everybody, and whom a neighbour */
	SOLICITED = 3,		/* solicitation is for */
};

/* About the next packet; each applies to this one only. */
struct lies {
	uint8_t tags;		/* VLAN tags: 0, 1, 2 */
	uint16_t tci;
	uint8_t ext;		/* bytes of extension headers or IPv4 options */
	uint8_t ext_kind;
	uint8_t ext_len;	/* as the first header has it */
	uint8_t ext_fill;
	uint8_t hops;		/* 0: as it should be */
	bool bad_sum;
	uint16_t cut;		/* bytes off the end of the frame */
	uint16_t grow;		/* bytes on it */
	uint16_t l4_at;		/* behind the IP header, with right checksums */
	uint8_t l4_xor;
	uint16_t late_at;	/* from the IP header on, as the last thing */
	uint8_t late_xor;
	uint8_t vnet_at;
	uint8_t vnet_xor;
	uint16_t fragment;	/* bytes in each; 0: not in fragments */
	uint16_t overlap;	/* bytes of the one before */
	uint8_t skip;		/* the number of one not sent; 255: none */
	bool backwards;
	uint8_t storm;		/* copies, each from another address */
};

struct wire {
	int fd;
	bool ethernet;
	bool vnet;
	uint16_t id;		/* of the last fragmented packet */
	uint8_t copy;		/* which of a storm is being sent */
	struct lies lies;
};

struct packet {
	uint8_t version;	/* 4 or 6 */
	uint8_t from;		/* one of N_ADDRESSES */
	uint8_t to;		/* one of N_TARGETS */
	uint8_t proto;
	uint8_t hops;
	bool partial;		/* leave the checksum to the wire, if it may */
	uint16_t gso_size;	/* one super-packet, if that is possible */
	uint8_t *l4;		/* writable; the checksum in it is 0 */
	size_t len;
};

/* In network order, 4 or 16 bytes. */
const uint8_t *wire_address(uint8_t version, unsigned from);
const uint8_t *wire_target(uint8_t version, unsigned to);
unsigned wire_address_len(uint8_t version);

/* All of what is pending may make the packet's contents other than meant. */
bool wire_changes(const struct wire *w);

void wire_send(struct wire *w, const struct packet *p);

/* What comes behind the link header; type 0: frame has that as well. */
void wire_send_raw(struct wire *w, uint16_t type, const uint8_t *bytes,
		   size_t len);

/* The pseudo header's sum, as fdl_checksum_sum() has sums. */
uint16_t wire_pseudo(uint8_t version, const uint8_t *from, const uint8_t *to,
		     uint8_t proto, size_t len);

#endif
