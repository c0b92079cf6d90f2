/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of one endpoint that differ in their virtio-net header. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "flows.h"
#include "link.h"
#include "netns.h"
#include "newer.h"

enum {
	SOCKETS = 3,
	LEN = 80,
	CSUM_START = 34,	/* UDP's header, behind Ethernet and IPv4 */
};

/* What endpoints change, and a caller finds as it was. */
static const int kept[] = { PACKET_VNET_HDR, PACKET_VNET_HDR_SZ, PACKET_AUXDATA,
			    PACKET_VERSION, PACKET_RESERVE };

enum {
	KEPT = sizeof(kept) / sizeof(kept[0]),
};

static int get(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_PACKET, name, &value, &len) ? -errno : value;
}

static int socket_with(int header)
{
	int fd = flows_socket("fdq", ETH_P_ALL);

	if (header && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR_SZ, &header,
				 sizeof(header))) {
		assert_int_equal(errno, ENOPROTOOPT);
		print_message("no PACKET_VNET_HDR_SZ in this kernel\n");
		close(fd);
		skip();
	}
	return fd;
}

/* UDP over IPv4, whose checksum is left to the wire. */
static void feed(int sock, const uint8_t frame[LEN])
{
	const struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL,
					 .csum_start = CSUM_START,
					 .csum_offset = 6 };
	uint8_t bytes[FDL_VNET_HDR_LEN + LEN];

	fdl_vnet_hdr_encode(bytes, FDL_VNET_HDR_LEN, FDL_ORDER_NATIVE, &off);
	memcpy(bytes + FDL_VNET_HDR_LEN, frame, LEN);
	assert_int_equal(send(sock, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static void make_frame(uint8_t frame[LEN])
{
	static const uint8_t start[] = {
		0x02, 0,	0,  0,	  0,	0x02, 0x02, 0,
		0,    0,	0,  0x01, 0x08, 0x00, 0x45, 0,
		0,    LEN - 14, 0,  0,	  0,	0,    64,   17,
		0,    0,	10, 0,	  0,	1,    10,   0,
		0,    2,	0,  7,	  0,	7,    0,    LEN - CSUM_START,
	};

	memset(frame, 0x5a, LEN);
	memcpy(frame, start, sizeof(start));
}

static void expect(struct fdl_queue *q, const uint8_t frame[LEN])
{
	struct fdl_packet *pkt = NULL;

	while (fdl_recv(q, &pkt, 1) != 1)
		assert_true(fdl_queue_poll(q, WAIT_MS) > 0);
	assert_int_equal(pkt->len, LEN);
	assert_memory_equal(pkt->data, frame, LEN);
	assert_int_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
	assert_int_equal(pkt->off.csum_start, CSUM_START);
	fdl_release(&pkt, 1);
}

static void write_as_is(struct fdl_queue *q, int sock, uint8_t frame[LEN])
{
	struct iovec iov = { frame, LEN };
	uint8_t got[LEN + 1];

	assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
	assert_int_equal(recv(sock, got, sizeof(got), 0), LEN);
	assert_memory_equal(got, frame, LEN);
}

static void run(enum fdl_mode mode, const int header[SOCKETS])
{
	const struct fdl_options opts = { .mode = mode, .flags = FDL_RX_CSUM };
	int sender = flows_socket("fdqp", 0), reader, i, k, on = 1;
	int fd[SOCKETS], before[SOCKETS][KEPT];
	struct fdl_endpoint *ep;
	uint8_t frame[LEN];

	assert_int_equal(setsockopt(sender, SOL_PACKET, PACKET_VNET_HDR, &on,
				    sizeof(on)),
			 0);
	for (i = 0; i < SOCKETS; i++) {
		fd[i] = socket_with(header[i]);
		for (k = 0; k < KEPT; k++)
			before[i][k] = get(fd[i], kept[k]);
	}
	assert_int_equal(fdl_endpoint_new(&ep, fd, SOCKETS, &opts), 0);
	make_frame(frame);
	feed(sender, frame);
	for (i = 0; i < SOCKETS; i++)
		expect(fdl_get_queue(ep, (unsigned)i), frame);
	reader = flows_socket("fdqp", ETH_P_ALL);
	for (i = 0; i < SOCKETS; i++)
		write_as_is(fdl_get_queue(ep, (unsigned)i), reader, frame);
	fdl_endpoint_free(ep);
	for (i = 0; i < SOCKETS; i++) {
		for (k = 0; k < KEPT; k++)
			assert_int_equal(get(fd[i], kept[k]), before[i][k]);
		close(fd[i]);
	}
	close(reader);
	close(sender);
}

static void in_each_order(enum fdl_mode mode)
{
	run(mode, (const int[]){ 0, FDL_VNET_HDR_LEN, 12 });
	run(mode, (const int[]){ 12, 0, FDL_VNET_HDR_LEN });
	run(mode, (const int[]){ FDL_VNET_HDR_LEN, 12, 0 });
}

static void each_socket_has_its_own_by_readv(void **state)
{
	(void)state;
	in_each_order(FDL_MODE_READV);
}

static void each_socket_has_its_own_by_recvmmsg(void **state)
{
	(void)state;
	in_each_order(FDL_MODE_RECVMMSG);
}

static void each_socket_has_its_own_in_a_ring(void **state)
{
	(void)state;
	in_each_order(FDL_MODE_PACKET_MMAP);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(each_socket_has_its_own_by_readv),
		OVER_VETH(each_socket_has_its_own_by_recvmmsg),
		OVER_VETH(each_socket_has_its_own_in_a_ring),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
