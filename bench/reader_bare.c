/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bare loops of the system calls, one buffer per packet: the floors. Those with
 * "aux" also ask an AF_PACKET socket for what nobody who needs the true frame
 * can do without: the VLAN tag and the virtio-net header.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reader.h"

enum { BATCH = 32, CONTROL = 64, BUFFER = 2048 };

struct bare {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	_Alignas(16) uint8_t control[BATCH][CONTROL];
	uint8_t buffers[BATCH][BUFFER];
};

static bool has_fd(const struct bench_link *link)
{
	return link->fd >= 0;
}

static bool is_socket(const struct bench_link *link)
{
	return has_fd(link) && link->socket;
}

static bool is_packet(const struct bench_link *link)
{
	return !strcmp(link->kind, "veth");
}

static void open_bare(struct reader *r)
{
	struct bare *b = calloc(1, sizeof(*b));
	unsigned i;

	if (!b)
		bench_die("calloc", ENOMEM);
	for (i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->buffers[i], BUFFER };
		b->msgs[i].msg_hdr.msg_iov = b->iov + i;
		b->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	r->state = b;
}

static void open_aux(struct reader *r)
{
	const int on = 1;
	struct bare *b;
	unsigned i;

	open_bare(r);
	b = r->state;
	if (setsockopt(r->link->fd, SOL_PACKET, PACKET_AUXDATA, &on,
		       sizeof(on)) ||
	    setsockopt(r->link->fd, SOL_PACKET, PACKET_VNET_HDR, &on,
		       sizeof(on)))
		bench_die("packet options", errno);
	for (i = 0; i < BATCH; i++)
		b->msgs[i].msg_hdr.msg_control = b->control[i];
}

static void wait_bare(struct reader *r)
{
	bench_wait(r->link->fd, POLLIN);
}

/* read(2) on a TAP; the socket's own call needs no O_NONBLOCK. */
static int step_recv(struct reader *r)
{
	struct bare *b = r->state;
	ssize_t len;
	int n;

	for (n = 0; n < BATCH; n++) {
		if (r->link->socket)
			len = recv(r->link->fd, b->buffers[0], BUFFER,
				   MSG_DONTWAIT);
		else
			len = read(r->link->fd, b->buffers[0], BUFFER);
		if (len <= 0)
			break;
		bench_got(r->shared, b->buffers[0] + r->link->hdr);
	}
	return n;
}

static int step_recv_aux(struct reader *r)
{
	struct bare *b = r->state;
	int n;

	for (n = 0; n < BATCH; n++) {
		b->msgs[0].msg_hdr.msg_controllen = CONTROL;
		if (recvmsg(r->link->fd, &b->msgs[0].msg_hdr, MSG_DONTWAIT) <=
		    0)
			break;
		bench_got(r->shared, b->buffers[0] + BENCH_VNET_HDR);
	}
	return n;
}

static int step_recvmmsg(struct reader *r)
{
	struct bare *b = r->state;
	int i, n;

	n = recvmmsg(r->link->fd, b->msgs, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		bench_got(r->shared, b->buffers[i]);
	return n > 0 ? n : 0;
}

static int step_recvmmsg_aux(struct reader *r)
{
	struct bare *b = r->state;
	int i, n;

	for (i = 0; i < BATCH; i++)
		b->msgs[i].msg_hdr.msg_controllen = CONTROL;
	n = recvmmsg(r->link->fd, b->msgs, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		bench_got(r->shared, b->buffers[i] + BENCH_VNET_HDR);
	return n > 0 ? n : 0;
}

const struct reader_ops reader_recv = {
	.name = "bare recv",
	.fits = has_fd,
	.open = open_bare,
	.step = step_recv,
	.wait = wait_bare,
};

const struct reader_ops reader_recvmmsg = {
	.name = "bare recvmmsg",
	.fits = is_socket,
	.open = open_bare,
	.step = step_recvmmsg,
	.wait = wait_bare,
};

const struct reader_ops reader_recv_aux = {
	.name = "bare recvmsg, aux",
	.fits = is_packet,
	.open = open_aux,
	.step = step_recv_aux,
	.wait = wait_bare,
};

const struct reader_ops reader_recvmmsg_aux = {
	.name = "bare recvmmsg, aux",
	.fits = is_packet,
	.open = open_aux,
	.step = step_recvmmsg_aux,
	.wait = wait_bare,
};
