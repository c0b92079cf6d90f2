/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the counters. What the kernel dropped is asked for when somebody
 * reads. A TUN or TAP has a count of its own, of which the difference since the
 * start is ours. That of an AF_PACKET socket is cleared by reading, and is
 * added to the queue's counter.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "endpoint.h"
#include "kind/kind.h"

#define NAME(number, field) [number] = #field,
static const char *const names[] = { EACH_COUNTER(NAME) };

/* hand_out copies the counters as they are numbered. */
#define IN_PLACE(number, field)                           \
	_Static_assert(offsetof(struct fdl_stats, field) == \
			       (number) * sizeof(uint64_t), \
		       #field " stands where its number says");
EACH_COUNTER(IN_PLACE)
_Static_assert(sizeof(struct fdl_stats) == COUNTERS * sizeof(uint64_t),
	       "every field of struct fdl_stats is in the list");

const char *fdl_stats_name(unsigned i)
{
	return i < COUNTERS ? names[i] : NULL;
}

uint64_t fdl_stats_value(const struct fdl_stats *stats, unsigned i)
{
	uint64_t v = 0;

	if (i < COUNTERS)
		memcpy(&v, (const uint8_t *)stats + i * sizeof(v), sizeof(v));
	return v;
}

/*
 * A frame that the kernel gave up in a ring is among the kernel's drops, and
 * the receive side has found and counted it too, which knows why. Count it
 * once.
 */
static uint64_t count_once(const struct fdl_queue *q, uint64_t drops)
{
	uint64_t ghosts = atomic_load_explicit(&q->rx.ghosts,
					       memory_order_relaxed);

	return drops > ghosts ? drops - ghosts : 0;
}

static void add(uint64_t sum[COUNTERS], struct fdl_queue *q)
{
	uint64_t n;
	int i;

	queue_count_drops(q);
	for (i = 0; i < COUNTERS; i++) {
		n = counted(&q->counters, (enum counter)i);
		sum[i] += i == RX_DROP_KERNEL ? count_once(q, n) : n;
	}
}

static void hand_out(const uint64_t sum[COUNTERS], struct fdl_stats *stats,
		     size_t size)
{
	size_t known = COUNTERS * sizeof(*sum);

	memset(stats, 0, size);
	memcpy(stats, sum, size < known ? size : known);
}

static int add_device_drops(struct fdl_endpoint *ep, uint64_t *sum)
{
	const struct device_of *device = ep->shared.kind->device;
	uint64_t dropped;
	int err;

	if (!device || device->drops == DEVICE_DROPS_NOWHERE)
		return 0;
	err = shared_device_drops(&ep->shared, &dropped);
	*sum += dropped;
	return err != 0;
}

int fdl_get_queue_stats(const struct fdl_queue *q, struct fdl_stats *stats,
			size_t size)
{
	uint64_t sum[COUNTERS] = { 0 };

	add(sum, fdl_get_queue(q->ep, q->index));
	hand_out(sum, stats, size);
	return 0;
}

int fdl_get_stats(const struct fdl_endpoint *ep, struct fdl_stats *stats,
		  size_t size)
{
	struct fdl_endpoint *e = ep->queues[0].ep;
	uint64_t sum[COUNTERS] = { 0 };
	unsigned i;
	int missing;

	for (i = 0; i < ep->n_queues; i++)
		add(sum, &ep->queues[i]);
	missing = add_device_drops(e, &sum[RX_DROP_KERNEL]);
	hand_out(sum, stats, size);
	return missing;
}
