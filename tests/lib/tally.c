/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	struct tally *t = ctx;

	(void)q;
	(void)v;
	t->packets += (unsigned)n;
	return 0;
}

static void closed(void *ctx, struct fdl_queue *q, int reason)
{
	struct tally *t = ctx;

	(void)q;
	t->reason = reason;
	t->closed++;
}

struct fdl_dispatcher tally_dispatcher(struct tally *t)
{
	return (struct fdl_dispatcher){ deliver, closed, t };
}
