/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life cycle of a queue, and its receive side. A frame is delivered or counted
 * under one reason; nothing that arrives ends the queue, only what the fd says
 * about itself (io/verdict.c).
 */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <string.h>

#include "endpoint.h"
#include "io/verdict.h"
#include "os.h"
#include "proto/eth.h"

enum {
	/* Calls in a row that a socket may answer with some pending error
	 * before it counts as broken. */
	MAX_ERRORS = 8,
};

static int set_nonblocking(struct fdl_queue *q)
{
	int flags = os_get_flags(q->io.fd);

	/* A socket is told call by call. A device has only the flag, which
	 * all duplicates of the fd share. */
	if (flags < 0 || flags & O_NONBLOCK)
		return flags < 0 ? flags : 0;
	q->restore_flags = true;
	return os_set_flags(q->io.fd, flags | O_NONBLOCK);
}

static int set_auxdata(struct fdl_queue *q)
{
	socklen_t len = sizeof(int);
	int on = 0, err;

	err = os_getsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &on, &len);
	if (err || on)
		return err;
	on = 1;
	q->restore_auxdata = true;
	return os_setsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &on,
			     sizeof(on));
}

static int set_up_fd(struct fdl_queue *q)
{
	switch (q->io.kind) {
	case FDL_KIND_TUN:
	case FDL_KIND_TAP:
		return set_nonblocking(q);
	case FDL_KIND_PACKET:
		return set_auxdata(q);
	default:
		return 0;
	}
}

static void restore_fd(struct fdl_queue *q)
{
	int flags, off = 0;

	if (q->restore_auxdata)
		os_setsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &off,
			      sizeof(off));
	if (!q->restore_flags)
		return;
	flags = os_get_flags(q->io.fd);
	if (flags >= 0)
		os_set_flags(q->io.fd, flags & ~O_NONBLOCK);
}

int queue_open(struct fdl_queue *q, int fd)
{
	const struct fdl_options *opts = &q->ep->opts;
	int err;

	q->io.kind = q->ep->info.kind;
	q->io.fd = os_dup(fd);
	if (q->io.fd < 0)
		return q->io.fd;
	err = set_up_fd(q);
	if (err)
		goto close_fd;
	err = pool_new(&q->pool, opts->pool, opts->headroom,
		       fdl_max_header_len(q->ep));
	if (err)
		goto close_fd;
	err = ready_open(&q->ready, q->io.fd, pool_refill_fd(q->pool));
	if (err)
		goto free_pool;
	return 0;

free_pool:
	pool_orphan(q->pool);
close_fd:
	restore_fd(q);
	os_close(q->io.fd);
	return err;
}

void queue_close(struct fdl_queue *q)
{
	ready_close(&q->ready);
	fdl_release(q->spare, q->spares);
	pool_orphan(q->pool);
	restore_fd(q);
	os_close(q->io.fd);
}

static int end(struct fdl_queue *q, int result, const char *text)
{
	endpoint_error(q->ep, text);
	ready_end(&q->ready);
	atomic_store_explicit(&q->ended, result, memory_order_release);
	return result;
}

static uint8_t address_type(const struct fdl_queue *q, const uint8_t *dst)
{
	static const uint8_t broadcast[ETH_ADDR_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	static const uint8_t unknown[ETH_ADDR_LEN];
	const uint8_t *own = q->ep->opts.address;

	if (!memcmp(dst, broadcast, ETH_ADDR_LEN))
		return FDL_BROADCAST;
	if (dst[0] & 1)
		return FDL_MULTICAST;
	if (!memcmp(own, unknown, ETH_ADDR_LEN))
		return IO_TYPE_UNKNOWN;
	return memcmp(dst, own, ETH_ADDR_LEN) ? FDL_OTHERHOST : FDL_TO_HOST;
}

/* Our own address, where it is known, decides; else what the fd said. */
static uint8_t packet_type(const struct fdl_queue *q,
			   const struct io_frame *frame)
{
	uint8_t type = address_type(q, frame->pkt->data);

	if (type == IO_TYPE_UNKNOWN)
		type = frame->type;
	return type == IO_TYPE_UNKNOWN ? (uint8_t)FDL_TO_HOST : type;
}

static enum counter judge_ethernet(const struct fdl_queue *q,
				   struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	struct eth_view eth;

	if (!eth_parse(pkt->data, pkt->len, &eth))
		return RX_DROP_RUNT;
	pkt->link_len = eth.hdr_len;
	pkt->protocol = eth.protocol;
	pkt->type = packet_type(q, frame);
	if (pkt->type == FDL_OTHERHOST &&
	    q->ep->opts.flags & FDL_DROP_OTHERHOST)
		return RX_DROP_OTHERHOST;
	return RX_PACKETS;
}

static enum counter judge_ip(struct fdl_packet *pkt)
{
	switch (pkt->data[0] >> 4) {
	case 4:
		pkt->protocol = 0x0800;
		return RX_PACKETS;
	case 6:
		pkt->protocol = 0x86dd;
		return RX_PACKETS;
	default:
		return RX_DROP_NOT_IP;
	}
}

/* RX_PACKETS: worth delivering, and filled in; else the reason it is not. */
static enum counter judge(const struct fdl_queue *q, struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;

	if (frame->type == IO_TYPE_OUTGOING)
		return RX_DROP_OUTGOING;
	if (pkt->len == 0)
		return RX_DROP_EMPTY;
	if (frame->wire_len > pkt->len)
		return RX_DROP_TRUNCATED;
	if (q->ep->opts.flags & FDL_ETHERNET)
		return judge_ethernet(q, frame);
	return judge_ip(pkt);
}

static void take_back(struct fdl_queue *q, struct fdl_packet *pkt)
{
	pool_reset(q->pool, pkt);
	q->spare[q->spares++] = pkt;
}

/* Returns how many of the n frames went to v[]. */
static int deliver(struct fdl_queue *q, int n, struct fdl_packet *v[])
{
	enum counter verdict;
	uint64_t bytes = 0;
	int i, k = 0;

	for (i = 0; i < n; i++) {
		struct fdl_packet *pkt = q->frame[i].pkt;

		verdict = judge(q, &q->frame[i]);
		if (verdict == RX_PACKETS) {
			bytes += pkt->len;
			v[k++] = pkt;
		} else {
			count(&q->counters, verdict, 1);
			take_back(q, pkt);
		}
	}
	count(&q->counters, RX_PACKETS, (uint64_t)k);
	count(&q->counters, RX_BYTES, bytes);
	return k;
}

/* Have up to n empty packets at hand. Returns how many. */
static int provide(struct fdl_queue *q, int n)
{
	if (q->spares < n)
		q->spares += pool_take_or_ask(q->pool, q->spare + q->spares,
					      n - q->spares);
	return q->spares < n ? q->spares : n;
}

/* One call into the mode: up to n messages into q->frame. */
static int receive(struct fdl_queue *q, int n)
{
	int i, got;

	for (i = 0; i < n; i++)
		q->frame[i].pkt = q->spare[q->spares - 1 - i];
	got = q->ep->ops->recv(&q->io, q->frame, n);
	if (got > 0)
		q->spares -= n;
	for (i = n - 1; got > 0 && i >= got; i--)
		q->spare[q->spares++] = q->frame[i].pkt;
	return got;
}

/* What an error means: 0 nothing now, 1 try again, or the queue's end. */
static int consider(struct fdl_queue *q, int err)
{
	const struct verdict *v = verdict_on_receive(q->io.kind, err);

	if (v->action == LATER)
		return 0;
	if (v->action == END)
		return end(q, v->result, v->text);
	if (v->counter != COUNTERS)
		count(&q->counters, v->counter, 1);
	endpoint_error(q->ep, v->text);
	return 1;
}

/* Messages into q->frame, 0, or the queue's end. */
static int receive_some(struct fdl_queue *q, int n)
{
	int tries, got, r;

	for (tries = 0; tries < MAX_ERRORS; tries++) {
		got = receive(q, n);
		if (got > 0)
			return got;
		r = consider(q, got);
		if (r <= 0)
			return r;
	}
	return end(q, got, "the fd answers with errors only");
}

/* The last of got messages is empty and may be the end of the link. */
static int check_end(struct fdl_queue *q, int got)
{
	if (q->frame[got - 1].wire_len > 0 || !io_at_end(&q->io))
		return 0;
	take_back(q, q->frame[got - 1].pkt);
	return end(q, -ESHUTDOWN, "the peer closed the link");
}

static int starve(struct fdl_queue *q)
{
	count(&q->counters, RX_POOL_EMPTY, 1);
	ready_disarm(&q->ready);
	return -ENOBUFS;
}

/*
 * One step: *room tells what v[] has room for, *k what it holds. Returns 1: go
 * on; 0: nothing more now; negative: why not.
 */
static int step(struct fdl_queue *q, struct fdl_packet *v[], int n, int *k)
{
	/* The first message of a call needs one packet, and often is the
	 * only one; a queue at rest keeps just that. */
	int want = *k ? n - *k : 1;
	int got, err, last;

	if (want > (int)q->batch)
		want = (int)q->batch;
	want = provide(q, want);
	if (want == 0)
		return starve(q);
	err = ready_rearm(&q->ready);
	if (err)
		return end(q, err, "the fd cannot be watched any more");
	got = receive_some(q, want);
	if (got <= 0)
		return got;
	last = check_end(q, got);
	*k += deliver(q, last ? got - 1 : got, v + *k);
	return last ? last : 1;
}

static void give_back_spares(struct fdl_queue *q)
{
	if (q->spares > 1) {
		fdl_release(q->spare + 1, q->spares - 1);
		q->spares = 1;
	}
}

static bool is_ours(struct fdl_queue *q)
{
	if (!atomic_load_explicit(&q->attached, memory_order_acquire))
		return true;
	return pthread_equal(atomic_load_explicit(&q->reader,
						  memory_order_relaxed),
			     pthread_self());
}

int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	/* Rubbish alone must not hold the caller here. */
	int budget = n + (int)q->batch;
	int r, k = 0;

	if (n < 0)
		return -EINVAL;
	if (!is_ours(q))
		return -EBUSY;
	r = atomic_load_explicit(&q->ended, memory_order_relaxed);
	if (r)
		return r;
	r = 1;
	while (r > 0 && k < n && budget-- > 0)
		r = step(q, v, n, &k);
	give_back_spares(q);
	if (k > 0)
		return k;
	return r < 0 ? r : 0;
}

int fdl_queue_poll(struct fdl_queue *q, int timeout_ms)
{
	int r;

	if (!is_ours(q))
		return -EBUSY;
	r = atomic_load_explicit(&q->ended, memory_order_acquire);
	if (r)
		return r;
	r = wake_poll(q->ready.epfd, q->ready.wake, timeout_ms);
	return r > 0 ? ready_state(&q->ready) : r;
}

int fdl_queue_fd(const struct fdl_queue *q)
{
	return q->ready.epfd;
}

int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int k;

	if (n < 0)
		return -EINVAL;
	k = pool_take(q->pool, v, n);
	return k || n == 0 ? k : -ENOBUFS;
}
