/* SPDX-License-Identifier: Apache-2.0 */
#include "impair.h"

#include <stdlib.h>
#include <string.h>

#include <fdlink/fdlink.h>

#include "wire_counts.h"

enum {
	CERTAIN = 1000000,	/* of a chance */
};

static const uint64_t NS = 1000000000;

/* A packet under way. */
struct item {
	uint64_t due;
	uint64_t number;	/* of those that are due together, first come */
	struct fdl_packet *pkt;
};

struct impair {
	const struct impair_options *options;
	struct fdl_queue *q;
	struct wire_counts *counts;
	uint64_t random;	/* state */
	uint64_t number;	/* of the next packet */
	uint64_t free_at;	/* the wire has sent what it was given */
	uint64_t last_due;	/* of those that keep their order */
	unsigned n;
	struct item heap[IMPAIR_ROOM];	/* the first one is due first */
};

bool impair_any(const struct impair_options *o)
{
	return o->rate || o->delay_ns || o->jitter_ns || o->loss ||
	       o->reorder || o->duplicate;
}

struct impair *impair_new(const struct impair_options *options,
			  struct fdl_queue *q, struct wire_counts *counts,
			  uint64_t seed)
{
	struct impair *im = calloc(1, sizeof(*im));

	if (!im)
		return NULL;
	im->options = options;
	im->q = q;
	im->counts = counts;
	im->random = seed;
	return im;
}

unsigned impair_under_way(const struct impair *im)
{
	return im->n;
}

void impair_free(struct impair *im)
{
	unsigned i;

	if (!im)
		return;
	for (i = 0; i < im->n; i++)
		fdl_release(&im->heap[i].pkt, 1);
	free(im);
}

static void tell(struct impair *im, enum wire_count what)
{
	wire_count(im->counts, what, 1);
}

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014. */
static uint64_t draw(struct impair *im)
{
	uint64_t z = im->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool happens(struct impair *im, uint32_t chance)
{
	return draw(im) % CERTAIN < chance;
}

static bool before(const struct item *a, const struct item *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void sift_up(struct impair *im, unsigned i)
{
	const struct item item = im->heap[i];
	unsigned parent;

	for (; i; i = parent) {
		parent = (i - 1) / 2;
		if (!before(&item, &im->heap[parent]))
			break;
		im->heap[i] = im->heap[parent];
	}
	im->heap[i] = item;
}

static void sift_down(struct impair *im)
{
	const struct item item = im->heap[im->n];
	unsigned i = 0, child;

	while ((child = 2 * i + 1) < im->n) {
		if (child + 1 < im->n &&
		    before(&im->heap[child + 1], &im->heap[child]))
			child++;
		if (!before(&im->heap[child], &item))
			break;
		im->heap[i] = im->heap[child];
		i = child;
	}
	im->heap[i] = item;
}

static void add(struct impair *im, struct fdl_packet *pkt, uint64_t due)
{
	im->heap[im->n] = (struct item){ due, im->number++, pkt };
	sift_up(im, im->n++);
}

static struct fdl_packet *copy(struct impair *im, const struct fdl_packet *of)
{
	struct fdl_packet *pkt;

	if (fdl_alloc(im->q, &pkt, 1) < 1)
		return NULL;
	if (pkt->tail < of->len) {
		fdl_release(&pkt, 1);
		return NULL;
	}
	memcpy(pkt->data, of->data, of->len);
	pkt->len = of->len;
	pkt->tail -= of->len;
	pkt->protocol = of->protocol;
	pkt->link_len = of->link_len;
	pkt->type = of->type;
	pkt->hash = of->hash;
	pkt->off = of->off;
	return pkt;
}

/* When the wire has sent so many bytes more. */
static uint64_t sent_at(struct impair *im, uint32_t len, uint64_t now)
{
	const uint64_t rate = im->options->rate;

	if (!rate)
		return now;
	if (im->free_at < now)
		im->free_at = now;
	im->free_at += len * 8 * NS / rate;
	return im->free_at;
}

/* When a packet arrives that keeps its order. */
static uint64_t due_at(struct impair *im, uint32_t len, uint64_t now)
{
	const struct impair_options *o = im->options;
	const uint64_t shift = draw(im) % (2 * o->jitter_ns + 1);
	uint64_t due = sent_at(im, len, now) + o->delay_ns + shift;

	due -= o->jitter_ns < due ? o->jitter_ns : due;
	if (im->last_due < due)
		im->last_due = due;
	return im->last_due;
}

/* As many draws for each packet: what happens to one does not depend on what
 * happened to those before it. */
void impair_put(struct impair *im, struct fdl_packet *pkt, uint64_t now)
{
	const struct impair_options *o = im->options;
	const bool lost = happens(im, o->loss), late = happens(im, o->reorder),
		   twice = happens(im, o->duplicate);
	const uint64_t due = due_at(im, pkt->len, now);
	struct fdl_packet *other = NULL;

	if (lost || im->n + 2 > IMPAIR_ROOM || fdl_keep(&pkt) < 0) {
		tell(im, lost ? WIRE_LOST : WIRE_DROP_NO_ROOM);
		fdl_release(&pkt, 1);
		return;
	}
	if (twice) {
		other = copy(im, pkt);
		tell(im, WIRE_DUPLICATED);
		if (!other)
			tell(im, WIRE_DROP_NO_ROOM);
	}
	if (late)
		tell(im, WIRE_LATE);
	add(im, pkt, late ? due + o->late_ns : due);
	if (other)
		add(im, other, due);
}

int impair_take(struct impair *im, struct fdl_packet *v[], int n, uint64_t now)
{
	int k = 0;

	while (k < n && im->n && im->heap[0].due <= now) {
		v[k++] = im->heap[0].pkt;
		im->n--;
		sift_down(im);
	}
	return k;
}

uint64_t impair_due(const struct impair *im)
{
	return im->n ? im->heap[0].due : UINT64_MAX;
}
