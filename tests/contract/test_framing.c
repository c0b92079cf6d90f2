/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TAP or TUN whose framing somebody else changes while fdlink has it, on
 * another fd of the same device. What comes after is delivered as it was sent,
 * in both directions, what was read by the old framing is counted, and one
 * warning tells.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"
#include "message.h"
#include "netns.h"

enum {
	BURST = 40,
	PAYLOAD = 400,
	PORT = 4000,
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int other;		/* fd of the same device */
	int sock;		/* UDP, through the device */
	short type;
};

static int warnings;

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	if (level > FDL_LOG_WARNING)
		return;
	print_message("%s\n", msg);
	warnings++;
}

static int attach(short flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(flags | IFF_MULTI_QUEUE) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	assert_true(fd >= 0);
	strcpy(ifr.ifr_name, "shared");
	assert_return_code(ioctl(fd, TUNSETIFF, &ifr), errno);
	return fd;
}

/* It takes no packets. */
static void detach_queue(int fd)
{
	struct ifreq ifr = { .ifr_flags = IFF_DETACH_QUEUE };

	assert_return_code(ioctl(fd, TUNSETQUEUE, &ifr), errno);
}

static void open_sock(struct bed *b)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0xc0000202),
	};

	netns_command("ip address add 192.0.2.1/24 dev shared");
	netns_set_up("shared", true);
	netns_wait_running("shared");
	if (b->type == IFF_TAP)
		netns_command("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 "
			      "dev shared nud permanent");
	b->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_return_code(
		connect(b->sock, (const struct sockaddr *)&to, sizeof(to)),
		errno);
}

static void open_bed(struct bed *b, short type, uint32_t flags)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .flags = flags,
					  .log = say };

	*b = (struct bed){ .type = type, .other = -1 };
	warnings = 0;
	assert_int_equal(fdl_open(&b->ep,
				  type == IFF_TAP ? "tap:shared,queues=2" :
						    "tun:shared,queues=2",
				  &opts),
			 0);
	b->q = fdl_get_queue(b->ep, 0);
	open_sock(b);
}

static void close_bed(struct bed *b)
{
	close(b->other);
	close(b->sock);
	fdl_endpoint_free(b->ep);
}

static void send_burst(struct bed *b, unsigned n)
{
	uint8_t bytes[PAYLOAD];
	unsigned i;

	for (i = 0; i < n; i++) {
		memset(bytes, (int)i, sizeof(bytes));
		assert_int_equal(send(b->sock, bytes, sizeof(bytes), 0),
				 PAYLOAD);
	}
}

/* One of ours, whole and with its checksum right? What the kernel says of
 * itself is none. */
static bool is_ours(const struct bed *b, struct fdl_packet *pkt)
{
	const unsigned link_len = b->type == IFF_TAP ? 14 : 0;
	const uint8_t *udp = pkt->data + link_len + 20;

	if (pkt->protocol != 0x0800 || pkt->len < link_len + 28 ||
	    pkt->data[link_len + 9] != 17)
		return false;
	assert_int_equal(pkt->len, link_len + 28 + PAYLOAD);
	assert_int_equal(udp[2] << 8 | udp[3], PORT);
	if (pkt->off.csum == FDL_CSUM_PARTIAL)
		assert_int_equal(fdl_checksum_complete(pkt->data, pkt->len,
						       pkt->link_len,
						       &pkt->off),
				 0);
	assert_int_equal(
		fdl_checksum_verify(pkt->data, pkt->len, pkt->link_len), 1);
	assert_int_equal(udp[8], udp[8 + PAYLOAD - 1]);
	return true;
}

static unsigned receive_from(struct bed *b, struct fdl_queue *q)
{
	struct fdl_packet *v[BURST];
	unsigned ours = 0;
	int i, n;

	while ((n = fdl_recv(q, v, BURST)) > 0) {
		for (i = 0; i < n; i++)
			ours += is_ours(b, v[i]);
		fdl_release(v, n);
	}
	assert_int_equal(n, 0);
	return ours;
}

static unsigned receive_all(struct bed *b)
{
	return receive_from(b, fdl_get_queue(b->ep, 0)) +
	       receive_from(b, fdl_get_queue(b->ep, 1));
}

static uint64_t misread(const struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	return st.rx_drop_vnet_hdr + st.rx_drop_not_ip + st.rx_drop_runt;
}

/* Looks on at the kernel's side. */
static void expect_heard(struct bed *b)
{
	const int spy = flows_socket("shared", ETH_P_ALL);
	const struct shape s = { .link_len = b->type == IFF_TAP ? 14 : 0,
				 .version = 4,
				 .proto = 17,
				 .payload = PAYLOAD,
				 .ttl = 64 };
	uint8_t frame[PAYLOAD + 64], got[2 * sizeof(frame)];
	struct pollfd in = { .fd = spy, .events = POLLIN };
	struct iovec iov = { frame, build(frame, &s) };
	ssize_t n = 0;

	assert_int_equal(fdl_write(b->q, &iov, 1, NULL), 0);
	while (n != (ssize_t)iov.iov_len || memcmp(got, frame, iov.iov_len)) {
		assert_int_equal(poll(&in, 1, WAIT_MS), 1);
		n = recv(spy, got, sizeof(got), 0);
	}
	close(spy);
}

/* Where the kernel knows tunnels, such a stack has a header of 24 bytes. */
enum { TUNNELS = FDL_RX_CSUM | FDL_RX_GSO | FDL_RX_TUNNEL };

static const struct {
	short type;
	int size;		/* of the header, by TUNSETVNETHDRSZ */
	uint32_t flags;
} trials[] = {
	{ IFF_TAP, 12, 0 }, { IFF_TAP, 24, 0 }, { IFF_TAP, 10, TUNNELS },
	{ IFF_TUN, 12, 0 }, { IFF_TUN, 24, 0 }, { IFF_TUN, 10, TUNNELS },
};

static void set_size(struct bed *b, int size)
{
	b->other = attach((short)(b->type | IFF_NO_PI | IFF_VNET_HDR));
	detach_queue(b->other);
	assert_return_code(ioctl(b->other, TUNSETVNETHDRSZ, &size), errno);
}

static void another_framing_is_followed(void **state)
{
	const size_t i = (size_t)(uintptr_t)*state;
	uint64_t lost;
	struct bed b;

	open_bed(&b, trials[i].type, trials[i].flags);
	send_burst(&b, BURST);
	assert_int_equal(receive_all(&b), BURST);
	expect_heard(&b);
	set_size(&b, trials[i].size);
	lost = misread(&b);
	send_burst(&b, BURST);
	/* All of a flow come by one queue. What it read first is lost. */
	assert_in_range(receive_all(&b) + misread(&b) - lost, BURST - 2,
			BURST + 4);
	assert_true(misread(&b) > lost);
	send_burst(&b, BURST);
	assert_int_equal(receive_all(&b), BURST);
	assert_int_equal(warnings, 1);
	expect_heard(&b);
	close_bed(&b);
}

/* A caller's fd. */
static void nothing_is_left_undone_without_a_header(void **state)
{
	const short type = (short)(uintptr_t)*state;
	const struct fdl_options opts = { .size = sizeof(opts), .log = say };
	struct bed b = { .type = type, .other = -1 };
	int fd = attach((short)(type | IFF_NO_PI));
	struct fdl_info info;

	warnings = 0;
	assert_return_code(
		ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6),
		errno);
	assert_int_equal(
		fdl_endpoint_new(&b.ep, (const int[]){ fd, fd }, 2, &opts), 0);
	assert_int_equal(warnings, 1);
	b.q = fdl_get_queue(b.ep, 0);
	open_sock(&b);
	send_burst(&b, BURST);
	assert_int_equal(receive_all(&b), BURST);
	close(b.sock);
	fdl_endpoint_free(b.ep);
	assert_int_equal(fdl_probe_fd(fd, &info, sizeof(info), NULL, NULL), 0);
	assert_int_equal(info.offloads, FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 |
						FDL_OFFLOAD_TSO6);
	close(fd);
}

/* What the kernel's side sends, by an AF_PACKET socket. */
static void send_super(int sock)
{
	static struct message m;
	const struct shape s = { .link_len = 14,
				 .version = 4,
				 .proto = 6,
				 .payload = 3 * MSS,
				 .ttl = 64,
				 .flags = 0x10,
				 .partial = true };
	const size_t len = HDR_LEN + shape_hdr_len(&s) + s.payload;

	make_message(&m, &s, MSS);
	m.hdr.hdr_len = (uint16_t)shape_hdr_len(&s);
	assert_int_equal(send(sock, &m, len, 0), (ssize_t)len);
}

/* Segments of it, and of nothing else. */
static unsigned receive_segments(struct bed *b)
{
	struct fdl_packet *v[BURST];
	unsigned ours = 0;
	int i, n;

	while ((n = fdl_recv(b->q, v, BURST)) > 0) {
		for (i = 0; i < n; i++) {
			if (v[i]->protocol != 0x0800 || v[i]->data[23] != 6)
				continue;
			assert_int_equal(v[i]->len, 54 + MSS);
			assert_int_equal(
				fdl_checksum_verify(v[i]->data, v[i]->len, 14),
				1);
			ours++;
		}
		fdl_release(v, n);
	}
	assert_int_equal(n, 0);
	return ours;
}

/* The first super-packet that nothing marks is lost, and tells. */
static void offloads_that_come_later_are_turned_off(void **state)
{
	const struct fdl_options opts = { .size = sizeof(opts), .log = say };
	struct bed b = { .type = IFF_TAP };
	int fd = attach(IFF_TAP | IFF_NO_PI), sock, on = 1;

	(void)state;
	warnings = 0;
	assert_int_equal(fdl_endpoint_new(&b.ep, &fd, 1, &opts), 0);
	assert_int_equal(warnings, 0);
	b.q = fdl_get_queue(b.ep, 0);
	netns_set_up("shared", true);
	netns_wait_running("shared");
	sock = flows_socket("shared", 0);
	assert_return_code(
		setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
		errno);
	assert_return_code(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4),
			   errno);
	send_super(sock);
	assert_int_equal(receive_segments(&b), 0);
	assert_true(misread(&b) > 0);
	assert_int_equal(warnings, 1);
	send_super(sock);
	assert_int_equal(receive_segments(&b), 3);
	assert_int_equal(warnings, 1);
	close(sock);
	fdl_endpoint_free(b.ep);
	close(fd);
}

int main(int argc, char *argv[])
{
	struct CMUnitTest tests[COUNT_OF(trials) + 3];
	static char name[COUNT_OF(trials)][32];
	size_t i;

	(void)argc;
	netns_enter(argv);
	netns_needs_tun();
	for (i = 0; i < COUNT_OF(trials); i++) {
		snprintf(name[i], sizeof(name[i]), "%s, %d bytes%s",
			 trials[i].type == IFF_TAP ? "TAP" : "TUN",
			 trials[i].size, trials[i].flags ? " behind 24" : "");
		tests[i] = (struct CMUnitTest){ name[i],
						another_framing_is_followed,
						NULL, NULL,
						(void *)(uintptr_t)i };
	}
	tests[i++] =
		(struct CMUnitTest){ "TAP, nothing undone",
				     nothing_is_left_undone_without_a_header,
				     NULL, NULL, (void *)IFF_TAP };
	tests[i++] =
		(struct CMUnitTest){ "TUN, nothing undone",
				     nothing_is_left_undone_without_a_header,
				     NULL, NULL, (void *)IFF_TUN };
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(
		offloads_that_come_later_are_turned_off);
	return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
