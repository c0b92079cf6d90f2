/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measure one way to send, once:
 *
 *	tx LINK SIZE BATCH WRITER WARMUP SECONDS
 *
 * LINK: seqpacket, datagram, stream, veth, tap, taphdr. WRITER: "bare"
 * (sendmmsg, on a TAP write), "bare, aux" (veth: each with a virtio-net
 * header), "fdlink" (fdl_send), "fdlink write" (fdl_write of a buffer that is
 * not the library's, in a batch of 1), or "exec PROGRAM ARGUMENT...", as rx has
 * it. Each frame is written into its buffer anew, as a stack would. Prints one
 * line of JSON.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "bench.h"

enum { MAX_BATCH = 256, POOL = 1024, MAX_WAIT_MS = 1000 };

struct tx {
	struct bench_link link;
	struct bench_shared *shared;
	char *exec[8];
	int shared_fd;
	size_t size;
	unsigned batch;
	void (*send)(struct tx *tx);	/* for ever */
	uint8_t frame[BENCH_FRAME];
};

static void send_messages(struct tx *tx)
{
	static uint8_t frames[MAX_BATCH][2048];
	struct mmsghdr msgs[MAX_BATCH] = { 0 };
	struct iovec iov[MAX_BATCH];
	unsigned i, done;
	int n;

	for (i = 0; i < tx->batch; i++) {
		iov[i] = (struct iovec){ frames[i], tx->link.hdr + tx->size };
		msgs[i].msg_hdr.msg_iov = iov + i;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		for (i = 0; i < tx->batch; i++)
			memcpy(frames[i] + tx->link.hdr, tx->frame, tx->size);
		for (done = 0; done < tx->batch; done += (unsigned)n) {
			n = sendmmsg(tx->link.fd, msgs + done, tx->batch - done,
				     MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0) {
				n = 0;
				bench_wait(tx->link.fd, POLLOUT);
			}
			tx->shared->count += (unsigned)n;
		}
	}
}

static void send_writes(struct tx *tx)
{
	static uint8_t frames[MAX_BATCH][2048];
	unsigned i;

	for (;;) {
		for (i = 0; i < tx->batch; i++)
			memcpy(frames[i] + tx->link.hdr, tx->frame, tx->size);
		for (i = 0; i < tx->batch; i++) {
			while (write(tx->link.fd, frames[i],
				     tx->link.hdr + tx->size) < 0)
				bench_wait(tx->link.fd, POLLOUT);
		}
		tx->shared->count += tx->batch;
	}
}

static int fill(struct tx *tx, struct fdl_queue *q, struct fdl_packet *v[])
{
	int i, n;

	n = fdl_alloc(q, v, (int)tx->batch);
	for (i = 0; i < n; i++) {
		memcpy(v[i]->data, tx->frame, tx->size);
		v[i]->len = (uint32_t)tx->size;
		v[i]->tail -= (uint32_t)tx->size;
	}
	return n;
}

static void send_all(struct tx *tx, struct fdl_queue *q, struct fdl_packet *v[],
		     int n)
{
	int done, k;

	for (done = 0; done < n; done += k) {
		k = fdl_send(q, v + done, n - done);
		/* The other side is stopped first. */
		if (k == -ESHUTDOWN)
			exit(0);
		if (k < 0)
			bench_die("fdl_send", -k);
		tx->shared->count += (unsigned)k;
		if (done + k == n)
			break;
		fdl_want_write(q, true);
		fdl_queue_poll(q, -1);
		fdl_want_write(q, false);
	}
}

static struct fdl_queue *open_queue(struct tx *tx, uint32_t tx_wait_ms)
{
	const struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET | FDL_NO_METADATA,
		.pool = POOL,
		.tx_wait_ms = tx_wait_ms,
	};
	struct fdl_endpoint *ep;
	int r;

	if (tx->link.fd >= 0)
		r = fdl_endpoint_new(&ep, &tx->link.fd, 1, &options);
	else
		r = fdl_open(&ep, tx->link.locator, &options);
	if (r < 0)
		bench_die("fdlink", -r);
	return fdl_get_queue(ep, 0);
}

static void send_fdlink(struct tx *tx)
{
	struct fdl_queue *q = open_queue(tx, 0);
	struct fdl_packet *v[MAX_BATCH];
	int n;

	for (;;) {
		n = fill(tx, q, v);
		if (n < 0)
			bench_die("fdl_alloc", -n);
		send_all(tx, q, v, n);
	}
}

/* It waits for room, as the others do. */
static void send_fdlink_write(struct tx *tx)
{
	struct fdl_queue *q = open_queue(tx, MAX_WAIT_MS);
	static uint8_t frame[BENCH_FRAME];
	const struct iovec iov = { frame, tx->size };
	int r;

	for (;;) {
		memcpy(frame, tx->frame, tx->size);
		r = fdl_write(q, &iov, 1, NULL);
		if (r)
			bench_die("fdl_write", -r);
		tx->shared->count++;
	}
}

static void test_side(void *arg)
{
	struct tx *tx = arg;

	if (tx->exec[0])
		bench_exec(&tx->link, tx->shared_fd, tx->exec);
	tx->shared->rss_before = bench_rss(getpid());
	tx->send(tx);
}

/* What goes to a device ends in the kernel. */
static void other_side(void *arg)
{
	const struct tx *tx = arg;

	if (tx->link.name)
		for (;;)
			pause();
	bench_drain(&tx->link);
}

static void add_header(struct tx *tx)
{
	const int on = 1;

	tx->link.hdr = BENCH_VNET_HDR;
	if (setsockopt(tx->link.fd, SOL_PACKET, PACKET_VNET_HDR, &on,
		       sizeof(on)))
		bench_die("PACKET_VNET_HDR", errno);
}

static void find_writer(struct tx *tx, char *name)
{
	size_t i = 0;
	char *word;

	if (!strncmp(name, "exec ", 5)) {
		for (word = strtok(name + 5, " "); word && i < 7;
		     word = strtok(NULL, " "))
			tx->exec[i++] = word;
	} else if (!strcmp(name, "fdlink")) {
		tx->send = send_fdlink;
	} else if (!strcmp(name, "fdlink write") && tx->batch == 1) {
		tx->send = send_fdlink_write;
	} else if (!strcmp(name, "bare")) {
		tx->send = tx->link.socket ? send_messages : send_writes;
	} else if (!strcmp(name, "bare, aux")) {
		add_header(tx);
		tx->send = send_messages;
	} else {
		bench_die(name, EINVAL);
	}
}

int main(int argc, char **argv)
{
	struct bench_window w;
	static struct tx tx;

	if (argc != 7) {
		fputs("tx LINK SIZE BATCH WRITER WARMUP SECONDS\n", stderr);
		return 2;
	}
	bench_open(&tx.link, argv[1], false);
	tx.shared = bench_share(&tx.shared_fd);
	tx.size = (size_t)atoi(argv[2]);
	tx.batch = (unsigned)atoi(argv[3]);
	if (tx.size < 64 || tx.size > BENCH_FRAME || !tx.batch ||
	    tx.batch > MAX_BATCH)
		bench_die("size or batch", EINVAL);
	find_writer(&tx, argv[4]);
	bench_frame(tx.frame, tx.size, 0);
	w = bench_run(tx.shared, atof(argv[5]), atof(argv[6]), test_side,
		      other_side, &tx);
	printf("{\"seconds\": %.6f, \"rate\": %.0f, \"cpu_ns\": %.2f, "
	       "\"busy\": %.4f, \"rss_load\": %ld}\n",
	       w.seconds, (double)w.count / w.seconds,
	       w.count ? (double)w.cpu_ns / (double)w.count : 0,
	       (double)w.cpu_ns / 1e9 / w.seconds, (long)w.rss_load);
	return 0;
}
