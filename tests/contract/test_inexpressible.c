/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets whose offload the virtio-net header has no word for: a guest sends
 * UFO through its TAP, and AF_PACKET looks on. The kernel throws them away as
 * they are read, or leaves a gap in the ring. However many come in a row, each
 * is counted once, the log names the way out once, and the next packet is
 * delivered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/open.h>

#include "contract.h"
#include "message.h"
#include "netns.h"

enum {
	LOST = 40,
	MTU_SIZED = 1480,
	LONG = 4000,
	TYPE = 0x88b5,
};

static struct message message;

static int open_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	memcpy(ifr.ifr_name, "guest", 6);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	netns_set_up("guest", true);
	netns_wait_running("guest");
	return fd;
}

static void write_message(int tap)
{
	const size_t len = HDR_LEN + message.len;

	assert_int_equal(write(tap, &message, len), (ssize_t)len);
}

static void write_ufo(int tap)
{
	struct shape s = { .link_len = 14,
			   .version = 4,
			   .proto = 17,
			   .payload = LONG,
			   .ttl = 64,
			   .partial = true };

	make_message(&message, &s, MTU_SIZED);
	message.hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	write_message(tap);
}

/* Of a type of its own: the kernel says something of itself at times. */
static void write_good(int tap, unsigned number)
{
	memset(&message, 0, HDR_LEN + FRAME_MIN);
	memset(message.frame, 0xff, 6);
	message.frame[6] = 2;
	put16(message.frame + 12, TYPE);
	message.frame[14] = (uint8_t)number;
	message.len = FRAME_MIN;
	write_message(tap);
}

static void expect_good(struct fdl_queue *q, unsigned number)
{
	struct fdl_packet *pkt = NULL;
	int n;

	do {
		fdl_release(&pkt, pkt ? 1 : 0);
		pkt = NULL;
		n = fdl_recv(q, &pkt, 1);
		assert_in_range(n, 0, 1);
		if (n == 0)
			assert_int_equal(fdl_queue_poll(q, WAIT_MS),
					 FDL_READABLE);
	} while (!pkt || pkt->protocol != TYPE);
	assert_int_equal(pkt->len, FRAME_MIN);
	assert_int_equal(pkt->data[14], number);
	fdl_release(&pkt, 1);
}

static void count_advice(void *ctx, int level, const char *msg)
{
	unsigned *count = ctx;

	*count += level == FDL_LOG_WARNING &&
		  strstr(msg, "tx-udp-segmentation off");
}

static void each_costs_itself_alone(void **state)
{
	unsigned advice = 0;
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = *(enum fdl_mode *)*state,
					  .log = count_advice,
					  .log_ctx = &advice };
	struct fdl_endpoint *ep;
	struct fdl_stats st;
	int tap = open_tap();
	unsigned i;

	assert_int_equal(fdl_open(&ep, "packet:guest", &opts), 0);
	write_good(tap, 1);
	for (i = 0; i < LOST; i++)
		write_ufo(tap);
	write_good(tap, 2);
	write_ufo(tap);
	write_good(tap, 3);
	for (i = 1; i <= 3; i++)
		expect_good(fdl_get_queue(ep, 0), i);
	assert_int_equal(fdl_get_stats(ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_drop_malformed, LOST + 1);
	assert_int_equal(st.rx_drop_kernel, 0);
	assert_int_equal(advice, 1);
	fdl_endpoint_free(ep);
	close(tap);
}

int main(int argc, char *argv[])
{
	static enum fdl_mode modes[] = { FDL_MODE_READV, FDL_MODE_RECVMMSG,
					 FDL_MODE_PACKET_MMAP,
					 FDL_MODE_ADAPTIVE };
	struct CMUnitTest tests[COUNT_OF(modes)];
	unsigned i;

	(void)argc;
	netns_enter(argv);
	netns_needs_tun();
	for (i = 0; i < COUNT_OF(modes); i++)
		tests[i] = (struct CMUnitTest){ fdl_mode_name(modes[i]),
						each_costs_itself_alone, NULL,
						NULL, &modes[i] };
	return cmocka_run_group_tests_name("inexpressible", tests, NULL, NULL);
}
