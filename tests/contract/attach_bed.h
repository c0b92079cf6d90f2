/* SPDX-License-Identifier: Apache-2.0 */
/* A dispatcher that checks and counts what its callbacks get. */
#ifndef TESTS_ATTACH_BED_H
#define TESTS_ATTACH_BED_H

#include <pthread.h>

#include <fdlink/attach.h>

#include "contract.h"

enum { QUEUES = 3, KEPT_MAX = 64 };

/* What the callbacks saw; they must not assert, being on other threads. */
struct sink {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct link *l;
	unsigned delivered;
	bool wrong;			/* a frame was not the next one */
	unsigned closed;
	int reasons[QUEUES];
	int keep;			/* keep so many of each batch */
	struct fdl_packet *kept[KEPT_MAX];
	int nkept;
	int from_callback[3];		/* what detach, wait, free returned */
	bool try_calls;
	bool echo;
};

void sink_init(struct sink *s, struct link *l);

/* The packet must be the next one that sink_feed fed; else s->wrong. */
void sink_look_at(struct sink *s, const struct fdl_packet *pkt);

/* The callbacks; ctx is the sink. */
int sink_deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[], int n);
void sink_closed(void *ctx, struct fdl_queue *q, int reason);

/* Attach the sink to its link, or fail. */
void sink_attach(struct sink *s);

/* Wait until so many packets were delivered and so many readers ended. */
void sink_await(struct sink *s, unsigned delivered, unsigned ends);

/* n frames from the peer, numbered from this one on. */
void sink_feed(struct link *l, unsigned from, unsigned n);

#endif
