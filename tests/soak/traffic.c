/* SPDX-License-Identifier: Apache-2.0 */
/* Four threads: at the peer's end one that feeds and one that collects; at
 * fdlink's one that receives and one that sends. Frames are numbered. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fdlink/attach.h>
#include <fdlink/fdlink.h>

#include "bed.h"

enum {
	BURST = 200,
	BATCH = 32,
	NAP_US = 2000,
	POLL_MS = 5,
	MOST_TRIES = 20,
};

static void nap(uint32_t us)
{
	const struct timespec ts = { .tv_nsec = (long)us * 1000 };

	nanosleep(&ts, NULL);
}

static bool is_rubbish(const struct soak *s, const uint8_t *frame, size_t len)
{
	int i;

	for (i = 0; i < RUBBISH; i++)
		if (s->rubbish[i].len == len &&
		    !memcmp(s->rubbish[i].bytes, frame, len))
			return true;
	return false;
}

static const struct rubbish *any_rubbish(const struct soak *s, struct rng *r)
{
	return &s->rubbish[rnd(r, RUBBISH)];
}

static bool is_frame(struct soak *s, bool local, const uint8_t *frame,
		     size_t len, unsigned seq)
{
	uint8_t want[FRAME_MAX];

	if (len < FRAME_MIN || len != frame_len(seq))
		return false;
	frame_make(&s->l, local, want, len, seq);
	return !memcmp(frame, want, len);
}

void soak_arrived(struct soak *s, bool local, const uint8_t *frame, size_t len)
{
	struct arrivals *a = local ? &s->received : &s->collected;
	const char *where = local ? "fdlink" : "the peer";
	const unsigned seq = len < FRAME_MIN ? 0 : frame_seq(&s->l, frame);

	a->frames++;
	if (!is_frame(s, !local, frame, len, seq)) {
		if (!is_rubbish(s, frame, len))
			soak_wrong(s, "%s got %zu bytes that nobody sent",
				   where, len);
		return;
	}
	if (seq < a->next)
		soak_wrong(s, "%s got frame %u when %u was due", where, seq,
			   a->next);
	a->next = seq + 1;
}

void feed_some(void *arg)
{
	struct soak *s = arg;
	const unsigned n = 1 + rnd(&s->feeding, BURST);
	const struct rubbish *junk;
	uint8_t frame[FRAME_MAX];
	bool went;
	unsigned i;
	size_t len;

	for (i = 0; i < n; i++) {
		if (s->with_rubbish && !rnd(&s->feeding, 3)) {
			junk = any_rubbish(s, &s->feeding);
			went = s->bed->feed(s, junk->bytes, junk->len);
		} else {
			len = frame_len(s->next_fed);
			frame_make(&s->l, false, frame, len, s->next_fed++);
			went = s->bed->feed(s, frame, len);
		}
		s->fed += went;
	}
	if (!s->at_full_speed)
		nap(rnd(&s->feeding, NAP_US));
}

void collect_some(void *arg)
{
	static uint8_t buf[FRAME_MOST];
	struct soak *s = arg;
	ssize_t len;
	int i;

	for (i = 0; i < BURST; i++) {
		len = s->bed->collect(s, buf, sizeof(buf));
		if (len < 0)
			break;
		soak_arrived(s, false, buf, (size_t)len);
	}
	if (!i)
		nap(NAP_US / 4);
}

void release_hoard(struct soak *s)
{
	fdl_release(s->hoard, s->n_hoard);
	s->n_hoard = 0;
}

static void take_packets(struct soak *s, struct fdl_packet *v[], int n)
{
	int i;

	for (i = 0; i < n; i++) {
		soak_arrived(s, true, v[i]->data, v[i]->len);
		if (s->hoarding && s->n_hoard < HOARD)
			s->hoard[s->n_hoard++] = v[i];
		else
			fdl_release(&v[i], 1);
	}
}

void receive_some(void *arg)
{
	struct soak *s = arg;
	struct fdl_packet *v[BATCH];
	int n;

	if (s->n_hoard && !s->hoarding)
		release_hoard(s);
	fdl_queue_poll(s->l.q, POLL_MS);
	while ((n = fdl_recv(s->l.q, v, BATCH)) > 0)
		take_packets(s, v, n);
	if (n == 0)
		return;
	if (n != -ENOBUFS)
		s->ended = n;
	nap(NAP_US / 4);
}

/* Returns how many packets of the next frames were to be had. */
static int fill_packets(struct soak *s, struct fdl_packet *v[])
{
	int n = fdl_alloc(s->l.q, v, 1 + (int)rnd(&s->sending, BATCH)), i;

	for (i = 0; i < n; i++) {
		v[i]->len = (uint32_t)frame_len(s->next_sent);
		v[i]->tail -= v[i]->len;
		frame_make(&s->l, true, v[i]->data, v[i]->len, s->next_sent++);
	}
	return n;
}

/* What finds no room for long is given up: it is still ours. */
static void send_packets(struct soak *s)
{
	struct fdl_packet *v[BATCH];
	int n = fill_packets(s, v), at = 0, i, r = 0;

	for (i = 0; i < MOST_TRIES && at < n && r >= 0; i++) {
		r = fdl_send(s->l.q, v + at, n - at);
		at += r > 0 ? r : 0;
		if (at < n)
			nap(NAP_US / 4);
	}
	s->offered += (uint64_t)at;
	if (at < n)
		fdl_release(v + at, n - at);
}

static void write_packets(struct soak *s)
{
	struct fdl_packet *v[BATCH];
	int n = fill_packets(s, v), r;

	if (n < 1)
		return;
	r = fdl_write_packets(s->l.ep, v, n);
	s->offered += r > 0 ? (uint64_t)r : 0;
	if (r < n)
		fdl_release(v + (r > 0 ? r : 0), n - (r > 0 ? r : 0));
}

static void write_frames(struct soak *s)
{
	const unsigned n = 1 + rnd(&s->sending, BATCH);
	const struct rubbish *junk;
	uint8_t frame[FRAME_MAX];
	struct iovec iov;
	unsigned i;

	for (i = 0; i < n; i++) {
		iov = (struct iovec){ frame, frame_len(s->next_sent) };
		if (s->with_rubbish && !rnd(&s->sending, 3)) {
			junk = any_rubbish(s, &s->sending);
			iov = (struct iovec){ junk->bytes, junk->len };
		} else {
			frame_make(&s->l, true, frame, iov.iov_len,
				   s->next_sent++);
		}
		fdl_write(s->l.q, &iov, 1, NULL);
		s->offered++;
	}
	fdl_flush(s->l.q);
}

void send_some(void *arg)
{
	static void (*const ways[])(struct soak * s) = { send_packets,
							 write_packets,
							 write_frames };
	struct soak *s = arg;

	ways[rnd(&s->sending, 3)](s);
	if (!s->at_full_speed)
		nap(rnd(&s->sending, NAP_US));
}
