/* SPDX-License-Identifier: Apache-2.0 */
/* What a locator says (fdlink/open.h has the grammar). Pure: no system calls. */
#ifndef FDL_FD_LOCATOR_H
#define FDL_FD_LOCATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "kind/fanout.h"
#include "log.h"

enum locator_kind {
	LOCATOR_TAP,
	LOCATOR_TUN,
	LOCATOR_PACKET,
	LOCATOR_SEQPACKET,
	LOCATOR_UNIXGRAM,
	LOCATOR_FD,
};

enum {
	LOCATOR_PATH_SIZE = sizeof(((struct sockaddr_un *)0)->sun_path),
	LOCATOR_NETNS_SIZE = 256,
	LOCATOR_TEXT_SIZE = 768,
	LOCATOR_MAX_QUEUES = 256, /* the kernel's limit on each kind */
};

struct locator {
	enum locator_kind kind;
	bool promisc;
	bool listen;
	int8_t outgoing;		/* 1 on, -1 off, 0 not given */
	int8_t offload;			/* the same */
	uint32_t mtu;			/* 0: not given */
	uint32_t queues;		/* 1: not given */
	uint32_t rcvbuf;		/* 0: not given */
	struct fanout fanout;		/* how, rollover */
	enum fdl_mode mode;		/* of packet: the options', else AUTO */
	int fd;				/* fd:N, else -1 */
	char name[LOCATOR_PATH_SIZE];	/* device, path or fd name */
	char local[LOCATOR_PATH_SIZE];	/* "": not given */
	char netns[LOCATOR_NETNS_SIZE]; /* "": not given */
};

/*
 * Errors: -EINVAL, and one sentence on what is wrong; where the form is, the
 * grammar follows it in lines of its own.
 */
int locator_parse(struct locator *loc, const char *text, const struct log *log);

/* "tap" ... "fd" */
const char *locator_kind_name(enum locator_kind kind);

#endif
