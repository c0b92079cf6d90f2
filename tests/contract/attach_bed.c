/* SPDX-License-Identifier: Apache-2.0 */
#include "attach_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

void sink_init(struct sink *s, struct link *l)
{
	*s = (struct sink){ .l = l, .reasons = { 1, 1, 1 } };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
}

static void try_calls(struct sink *s)
{
	s->from_callback[0] = fdl_detach(s->l->ep);
	s->from_callback[1] = fdl_wait(s->l->ep);
	s->from_callback[2] = fdl_endpoint_free(s->l->ep);
}

void sink_look_at(struct sink *s, const struct fdl_packet *pkt)
{
	uint8_t want[FRAME_MAX];

	frame_make(s->l, false, want, pkt->len, s->delivered);
	if (pkt->len != frame_len(s->delivered) ||
	    memcmp(pkt->data, want, pkt->len) != 0)
		s->wrong = true;
	s->delivered++;
}

int sink_deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	struct sink *s = ctx;
	int i, k = 0;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < n; i++)
		sink_look_at(s, v[i]);
	while (k < s->keep && k < n && s->nkept < KEPT_MAX)
		s->kept[s->nkept++] = v[k++];
	if (s->try_calls)
		try_calls(s);
	if (s->echo)
		k = fdl_send(q, v, n);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return k;
}

void sink_closed(void *ctx, struct fdl_queue *q, int reason)
{
	struct sink *s = ctx;

	pthread_mutex_lock(&s->lock);
	s->closed++;
	s->reasons[fdl_queue_index(q)] = reason;
	if (s->try_calls)
		try_calls(s);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void sink_attach(struct sink *s)
{
	const struct fdl_dispatcher d = { sink_deliver, sink_closed, s };

	assert_int_equal(fdl_attach(s->l->ep, &d), 0);
	assert_true(fdl_is_attached(s->l->ep));
}

void sink_await(struct sink *s, unsigned delivered, unsigned ends)
{
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&s->lock);
	while (!err && (s->delivered < delivered || s->closed < ends))
		err = pthread_cond_timedwait(&s->changed, &s->lock, &end);
	assert_int_equal(s->delivered, delivered);
	assert_int_equal(s->closed, ends);
	assert_false(s->wrong);
	pthread_mutex_unlock(&s->lock);
}

void sink_feed(struct link *l, unsigned from, unsigned n)
{
	unsigned seq;

	for (seq = from; seq < from + n; seq++)
		link_feed(l, frame_len(seq), seq);
}
