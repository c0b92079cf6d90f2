/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's peer: it has several connections, acknowledges what it gets with
 * SACK blocks as any receiver does, and knows what the host may say.
 */
#ifndef FUZZ_HOST_PEER_H
#define FUZZ_HOST_PEER_H

#include "wire.h"

enum {
	N_CONNS = 8,
	N_KEPT = 8,
	MAX_KEPT = 1500,
	MAX_HOLES = 4,
	FIN = 1,
	SYN = 2,
	RST = 4,
	PSH = 8,
	ACK = 16,
	URG = 32,
	ECHO = 7,
	DISCARD = 9,
	CHARGEN = 19,
	HTTP = 80,
};

/* tcp_options() */
enum {
	OPT_MSS = 1,
	OPT_SCALE = 2,
	OPT_SACK = 4,
	OPT_STAMP = 8,
	OPT_NOPS = 16,		/* an odd number of them, in front */
	OPT_LONG = 32,		/* one that is longer than what is left */
	OPT_EMPTY = 64,		/* one of length 0 */
	OPT_CUT = 128,		/* a kind as the last byte */
};

struct range {
	uint32_t from, to;
};

struct conn {
	uint8_t version;	/* 0: not used yet */
	uint8_t from, to;
	uint16_t port, service;
	uint16_t mss, window;
	uint8_t scale;		/* of our window; 0 unless both have it */
	uint8_t offered_scale;
	uint16_t silent;	/* what is received and ignored: a bit each */
	bool synced;		/* a SYN has come, so irs is known */
	bool honest;		/* all we sent is what pattern() says */
	bool by_hand;		/* acknowledge only when told to */
	bool sack;
	bool strange;		/* we sent what is out of all windows */
	bool ended;		/* we sent a FIN, and maybe bytes behind it */
	uint32_t iss, next, max; /* ours: first, next, behind the last */
	uint32_t irs;		/* the host's first */
	uint32_t got;		/* up to there without a hole */
	uint32_t sent;		/* by the host, behind its last */
	uint32_t edge;		/* last that it may have sent: of all windows */
	uint32_t newest;	/* where the last segment of ours began */
	uint32_t widest;	/* of our windows */
	bool went_back;		/* a segment began before another one */
	struct range beyond[MAX_HOLES]; /* got, in what order they came */
	unsigned n_beyond;
};

/* What the host sent, from its IP header on. */
struct kept {
	uint8_t bytes[MAX_KEPT];
	size_t len;
};

struct peer {
	struct wire wire;
	uint32_t mtu, next_mtu, max_mtu;
	bool deaf;		/* leaves in the socket what the host sends */
	bool mute;		/* answers no ARP and no neighbour
				 * solicitation */
	uint16_t ports;		/* of connections, so far */
	struct conn conn[N_CONNS];
	struct kept kept[N_KEPT];
	unsigned n_kept;
	unsigned frames;	/* that the host has sent */
};

struct segment {
	uint8_t flags;
	uint32_t seq, ack;
	uint8_t options;	/* OPT_... */
	uint8_t blocks;		/* of SACK that we make up: which, below 8 */
	uint32_t block;		/* where they begin */
	uint16_t gso_size;
	const uint8_t *data;
	size_t len;
};

/* What is at a place of the stream that we send. */
uint8_t pattern(uint16_t port, uint32_t at);

void conn_send(struct peer *p, struct conn *c, const struct segment *s);

/* Acknowledge what there is, with blocks if there are holes. */
void conn_acknowledge(struct peer *p, struct conn *c);

/* A segment of a connection came. */
void conn_receive(struct peer *p, struct conn *c, const uint8_t *tcp,
		  size_t len, uint16_t gso_size);

/* Take all that the host has sent, see that it is right, and answer. */
void peer_look(struct peer *p);

#endif
