/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices, by rtnetlink(7) and ethtool ioctls. A link socket sees the
 * network namespace of the thread that opened it, whichever thread uses it. One
 * thread at a time.
 */
#ifndef FDL_FD_LINK_H
#define FDL_FD_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct link {
	unsigned ifindex;
	unsigned arphrd; /* ARPHRD_... */
	unsigned flags;	 /* IFF_... */
	char name[IF_NAMESIZE];
	uint8_t address[6]; /* zeros: none, or not of six bytes */
	uint32_t mtu;
	bool up;
	bool carrier; /* up, and connected */
	/* A super-packet of IPv4 goes to it whole if it is shorter; 0: the
	 * kernel does not tell. */
	uint32_t gso_max4;
	uint64_t tx_dropped, rx_dropped;
	bool has_node;	 /* a macvtap or ipvtap, which has a file /dev/tapN */
	bool own_only;	 /* no frame for another address comes: a macvlan ... */
	/* Of TUN and TAP devices; zeros on others, and owner UINT32_MAX. */
	uint8_t tun_type; /* IFF_TUN, IFF_TAP */
	bool vnet_hdr;
	bool multi_queue;
	uint32_t queues; /* attached ones, if multi_queue */
	uint32_t owner;	 /* uid that may attach; UINT32_MAX: none */
};

/* Returns the socket. Errors: those of socket(2). */
int link_socket(void);

/*
 * Ask for a device by name, or by ifindex if name is NULL. Never blocks.
 * Errors: -ENODEV there is none; -EPROTO the answer makes no sense; those of
 * sendmsg(2) and recvmsg(2).
 */
int link_get(int sock, const char *name, unsigned ifindex, struct link *link);

/*
 * Make a link socket receive the changes of one device and nothing else, to be
 * read by link_next_event. link_get still asks for this device, and skips the
 * changes that were told before. Errors: those of setsockopt(2) and bind(2).
 */
int link_subscribe(int sock, unsigned ifindex);

/*
 * Undo link_subscribe: link_get may ask for any device again. Errors: those of
 * setsockopt(2) and bind(2).
 */
int link_unsubscribe(int sock);

enum link_event {
	LINK_NO_EVENT,
	LINK_CHANGED, /* *link is what it changed to */
	LINK_LEFT,    /* deleted, or moved to another namespace; *link is what
		       * it was at last, or zeros */
	LINK_MISSED,  /* the kernel had no room for some events: ask */
};

/* Returns the next event. Never blocks. */
enum link_event link_next_event(int sock, struct link *link);

/* Returns what the kernel may leave to the reader of a TUN or TAP, as
 * fdl_info.offloads; 0 also if the kernel does not tell. */
uint32_t link_offloads(int sock, const char *name);

#endif
