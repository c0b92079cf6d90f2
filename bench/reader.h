/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to receive, each seen as a loop of step and wait. */
#ifndef READER_H
#define READER_H

#include "bench.h"

struct reader_ops;

struct reader {
	const struct reader_ops *ops;
	const struct bench_link *link;
	struct bench_shared *shared;
	const char *mode;	/* of fdlink, by its name */
	void *state;
};

struct reader_ops {
	const char *name;
	bool (*fits)(const struct bench_link *link);
	bool opens;		/* its own fd where the link has a name that
				 * serves: a veth */
	void (*open)(struct reader *r);
	/* Receive some, look at each by bench_got: how many; 0: none there. */
	int (*step)(struct reader *r);
	void (*wait)(struct reader *r);
};

extern const struct reader_ops reader_recv, reader_recvmmsg, reader_recv_aux,
	reader_recvmmsg_aux, reader_ring, reader_pcap, reader_fdlink;

#endif
