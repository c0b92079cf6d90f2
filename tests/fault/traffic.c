/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through an endpoint, each way, and what became of them. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/attach.h>

#include "contract.h"
#include "fault.h"
#include "trip.h"

enum { BATCH = 8 };

/* The first is what is told. */
void trip_wrong(struct trip *t, const char *fmt, ...)
{
	va_list ap;

	if (!*t->wrong) {
		va_start(ap, fmt);
		vsnprintf(t->wrong, sizeof(t->wrong), fmt, ap);
		va_end(ap);
	}
}

bool trip_is_right(const struct trip *t)
{
	return !*t->wrong;
}

/* What lasts for a moment is no reason to end. */
static bool may_pass(int err)
{
	return err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS ||
	       err == -EINTR || err == -EMFILE || err == -ENFILE;
}

static bool is_reason(const struct trip *t, int reason)
{
	const int err = -(t->err & FAULT_ERRNO);

	if (may_pass(reason))
		return false;
	return reason == err || reason == -ENODEV || reason == -ESHUTDOWN ||
	       reason == -EPROTO;
}

static void note_end(struct trip *t, int reason)
{
	t->ended++;
	t->reason = reason;
	if (!is_reason(t, reason))
		trip_wrong(t, "ended by %s", strerror(-reason));
	else if (!*fdl_last_error(t->ep))
		trip_wrong(t, "ended without a word");
}

void trip_check_packet(struct trip *t, const struct fdl_packet *pkt)
{
	const struct link *l = &t->bed->link;
	uint8_t want[FRAME_MAX];
	unsigned seq;

	if (pkt->len < FRAME_MIN) {
		trip_wrong(t, "a packet of %u bytes", pkt->len);
		return;
	}
	seq = frame_seq(l, pkt->data);
	if (seq >= l->rx_offered || t->came[seq]) {
		trip_wrong(t, "packet %u came %s", seq,
			   seq < l->rx_offered ? "twice" : "of nothing");
		return;
	}
	t->came[seq] = true;
	t->delivered++;
	if (t->queues == 1 && seq < t->next)
		trip_wrong(t, "packet %u came after %u", seq, t->next - 1);
	t->next = seq + 1;
	frame_make(l, false, want, frame_len(seq), seq);
	if (pkt->len != frame_len(seq) || memcmp(pkt->data, want, pkt->len))
		trip_wrong(t, "packet %u has other bytes", seq);
}

/* Keep one of them for later. */
static void take(struct trip *t, struct fdl_packet *v[], int n)
{
	int i;

	for (i = 0; i < n; i++)
		trip_check_packet(t, v[i]);
	if (!t->held && n > 0) {
		t->held = v[0];
		v[0] = NULL;
	}
	fdl_release(v, n);
}

/* Returns how many came from all queues. */
int trip_look(struct trip *t)
{
	struct fdl_packet *v[BATCH];
	unsigned i, ended = 0;
	int n, total = 0;

	for (i = 0; i < t->queues; i++) {
		n = fdl_recv(fdl_get_queue(t->ep, i), v, BATCH);
		if (n > 0) {
			take(t, v, n);
			total += n;
		} else if (n == -ENOBUFS) {
			trip_wrong(t, "the pool is empty");
		} else if (n < 0 && ++ended > t->ended) {
			note_end(t, n);
		}
	}
	return total;
}

/* What was fed has come, or is counted. */
bool trip_is_accounted(struct trip *t)
{
	struct fdl_stats st;

	fdl_get_stats(t->ep, &st, sizeof(st));
	return t->delivered + stats_rx_drops(&st) + t->lost >=
	       t->bed->link.rx_offered;
}

/* Wait by each of the ways in turn. Returns whether something was told. */
bool trip_await(struct trip *t, unsigned turn)
{
	struct pollfd p = { .events = POLLIN };
	int r;

	if (turn % 3 == 0) {
		r = fdl_poll(t->ep, TRIP_LOOK_MS);
	} else if (turn % 3 == 1 && t->queues == 1) {
		r = fdl_queue_poll(fdl_get_queue(t->ep, 0), TRIP_LOOK_MS);
	} else {
		p.fd = fdl_fd(t->ep);
		if (p.fd < 0)
			return false;
		r = poll(&p, 1, TRIP_LOOK_MS);
	}
	if (r >= 0)
		return r > 0;
	/* All queues have ended, and say so. */
	if (!trip_look(t) && t->ended < t->queues)
		trip_wrong(t, "a poll says %s of a queue that goes on",
			   strerror(-r));
	return false;
}

/* Receive all that was fed, or learn what became of it. */
unsigned trip_looks(const struct trip *t)
{
	return t->lasting ? TRIP_LASTING_LOOKS : TRIP_LOOKS;
}

void trip_receive(struct trip *t)
{
	bool told = false;
	unsigned i;
	int n;

	for (i = 0; trip_is_right(t) && i < trip_looks(t); i++) {
		trip_follow(t);
		n = trip_look(t);
		if (t->delivered == t->bed->link.rx_offered ||
		    t->ended == t->queues)
			return;
		t->idle += told && n == 0;
		if (t->idle > TRIP_IDLE)
			trip_wrong(t, "readable for nothing again and again");
		if (n == 0 && i > 1 && trip_is_accounted(t))
			return;
		told = n == 0 && trip_await(t, i);
	}
	if (!t->lasting)
		trip_wrong(t, "%u of %u packets came, and no more are told of",
			   t->delivered, (unsigned)t->bed->link.rx_offered);
}

static struct fdl_packet *make_packet(struct trip *t)
{
	const unsigned seq = t->sent;
	struct fdl_packet *pkt;

	if (fdl_alloc(fdl_get_queue(t->ep, 0), &pkt, 1) != 1) {
		trip_wrong(t, "no packet to be had");
		return NULL;
	}
	t->sent++;
	pkt->len = (uint32_t)frame_len(seq);
	pkt->tail -= pkt->len;
	frame_make(&t->bed->link, true, pkt->data, pkt->len, seq);
	return pkt;
}

/* As fdl_send, until all have gone or none can. */
static void send_packets(struct trip *t, struct fdl_packet *v[], int n)
{
	struct fdl_queue *q = fdl_get_queue(t->ep, 0);
	int i, k, at = 0;

	for (i = 0; trip_is_right(t) && at < n && (unsigned)i < trip_looks(t);
	     i++) {
		k = fdl_send(q, v + at, n - at);
		if (k < 0) {
			t->refused = k;
			if (!is_reason(t, k))
				trip_wrong(t, "sending ended by %s",
					   strerror(-k));
			break;
		}
		at += k;
		t->offered += (unsigned)k;
		if (at == n)
			break;
		fdl_want_write(q, true);
		trip_await(t, (unsigned)i);
		fdl_want_write(q, false);
	}
	if (at < n && !t->refused && !t->lasting)
		trip_wrong(t, "%d packets never go", n - at);
	fdl_release(v + at, n - at);
}

static void write_frame(struct trip *t, bool ref)
{
	struct fdl_queue *q = fdl_get_queue(t->ep, 0);
	struct fdl_packet *pkt = make_packet(t);
	struct iovec iov[2];
	int r;

	if (!pkt)
		return;
	iov[0] = (struct iovec){ pkt->data, 20 };
	iov[1] = (struct iovec){ pkt->data + 20, pkt->len - 20 };
	r = ref ? fdl_write_ref(q, iov, 2, NULL, NULL, NULL) :
		  fdl_write(q, iov, 2, NULL);
	t->offered++;
	if (r < 0 && is_reason(t, r) && r != -EINVAL)
		t->refused = r;
	fdl_flush(q);
	fdl_release(&pkt, 1);
}

void trip_send_some(struct trip *t)
{
	struct fdl_packet *v[TRIP_ROUND] = { NULL };
	int i, n = 0, k;

	for (i = 0; i < TRIP_ROUND; i++) {
		v[n] = make_packet(t);
		n += v[n] != NULL;
	}
	send_packets(t, v, n);
	if (!t->refused)
		write_frame(t, false);
	if (!t->refused)
		write_frame(t, true);
	v[0] = t->refused ? NULL : make_packet(t);
	if (!v[0])
		return;
	k = fdl_write_packets(t->ep, v, 1);
	if (k == 1)
		t->offered++;
	else
		fdl_release(v, 1);
}

bool trip_collect_one(struct trip *t, int timeout_ms)
{
	const struct link *l = &t->bed->link;
	uint8_t got[FRAME_MAX], want[FRAME_MAX];
	const ssize_t n = bed_collect(t->bed, got, sizeof(got), timeout_ms);
	unsigned seq;

	if (n < FRAME_MIN)
		return false;
	seq = frame_seq(l, got);
	frame_make(l, true, want, frame_len(seq), seq);
	if (seq < t->after || seq >= t->sent || n != (ssize_t)frame_len(seq) ||
	    memcmp(got, want, (size_t)n))
		trip_wrong(t, "what arrived is not packet %u", seq);
	t->after = seq + 1;
	t->collected++;
	return true;
}

/* The other end gets what is counted as sent, in order. */
void trip_collect(struct trip *t)
{
	struct fdl_stats st;

	fdl_get_stats(t->ep, &st, sizeof(st));
	if (t->bed->kind->silent)
		t->collected = (unsigned)st.tx_packets;
	while (trip_is_right(t) && t->collected + t->lost_sent < st.tx_packets)
		if (!trip_collect_one(t, WAIT_MS / 10))
			trip_wrong(t, "%u of %u packets arrived", t->collected,
				   (unsigned)st.tx_packets);
	if (trip_is_right(t) &&
	    st.tx_packets + stats_tx_drops(&st) != t->offered)
		trip_wrong(t, "%u packets offered, %u sent, %u dropped",
			   t->offered, (unsigned)st.tx_packets,
			   (unsigned)stats_tx_drops(&st));
}

void trip_feed(struct trip *t, unsigned n)
{
	if (t->bed->kind->silent || t->bed->link.peer < 0)
		return;
	while (n-- > 0 && t->ended < t->queues)
		bed_feed(t->bed);
}
