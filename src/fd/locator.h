/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a locator says (fdlink/open.h has the grammar), and its options. Pure:
 * no system calls. kind/locate.c reads a whole locator, by the table of kinds.
 */
#ifndef FDL_FD_LOCATOR_H
#define FDL_FD_LOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

#include "log.h"

struct kind;

enum {
	LOCATOR_NAME_SIZE = 264, /* a host name, and a port */
	LOCATOR_NETNS_SIZE = 256,
	LOCATOR_TEXT_SIZE = 768,
	LOCATOR_MAX_QUEUES = 256, /* the kernel's limit on each kind */
	LOCATOR_V1 = 2,		  /* of offload: with the header of virtio 1 */
};

/* How the AF_PACKET sockets of one device share its packets. */
struct fanout {
	enum fdl_fanout how; /* AUTO: not given */
	bool rollover;	     /* a full socket passes packets on */
	bool outgoing;	     /* also what this machine sends */
	const struct sock_fprog *program; /* of CBPF */
};

struct locator {
	const struct kind *kind;
	bool promisc;
	bool listen;
	bool wait;			/* for the first peer; with listen */
	bool reconnect;
	bool existing;			/* no option: make no device */
	bool vfkit;
	int8_t outgoing;		/* 1 on, -1 off, 0 not given */
	int8_t offload;			/* the same, or LOCATOR_V1 */
	int8_t carrier;			/* 1 on, -1 off, 0 not given */
	uint32_t mtu;			/* 0: not given */
	uint32_t queues;		/* 1: not given */
	uint32_t rcvbuf;		/* 0: not given */
	struct fanout fanout;		/* how, rollover */
	enum fdl_mode mode;		/* of packet: the options', else AUTO */
	bool tunnels;			/* the options have FDL_RX_TUNNEL */
	int fd;				/* fd:N, else -1 */
	bool is_path;			/* name is one, of a socket */
	char name[LOCATOR_NAME_SIZE];	/* device, path, host or fd name */
	char local[LOCATOR_NAME_SIZE];	/* "": not given */
	char netns[LOCATOR_NETNS_SIZE]; /* "": not given */
};

enum locator_option {
	OPTION_MTU,
	OPTION_NETNS,
	OPTION_QUEUES,
	OPTION_PROMISC,
	OPTION_FANOUT,
	OPTION_ROLLOVER,
	OPTION_OUTGOING,
	OPTION_RCVBUF,
	OPTION_OFFLOAD,
	OPTION_CARRIER,
	OPTION_LISTEN,
	OPTION_WAIT,
	OPTION_RECONNECT,
	OPTION_LOCAL,
	OPTION_VFKIT,
	LOCATOR_OPTIONS,
};

/* An option as the grammar shows it. Each kind says itself whether it takes
 * it. */
struct locator_option_form {
	const char *name;
	const char *value;	/* what stands behind '='; "": no value */
	/* Errors: -EINVAL, and one sentence. NULL: the value is an address of
	 * the kind's, and goes to locator.local. */
	int (*take)(struct locator *loc, const char *value,
		    const struct log *log);
};

extern const struct locator_option_form locator_options[LOCATOR_OPTIONS];

/* Read a number of digits only. Returns false for anything else, and for more
 * than max. */
bool locator_number(const char *text, uint32_t max, uint32_t *number);

/* Take the name of a link: a network device, or the path of a unix socket. to
 * has LOCATOR_NAME_SIZE bytes. Errors: -EINVAL, and one sentence. */
int locator_take_device(struct locator *loc, char *to, const char *value,
			const struct log *log);
int locator_take_path(struct locator *loc, char *to, const char *value,
		      const struct log *log);

#endif
