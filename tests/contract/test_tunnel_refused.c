/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super-packets in tunnels that cannot be cut, received and sent: each is
 * counted, the log names a way out once, and the next packet passes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>

#include "../unit/tunnels.h"

enum {
	LINK_LEN = 14,
	MSS = 1000,
	PAYLOAD = 5000,
	SEGMENTS = PAYLOAD / MSS,
	OUTER_L4 = LINK_LEN + 20,
	MAX_FRAME = 8000,
};

/* A super-packet in a tunnel, behind its virtio-net header. */
static struct {
	uint8_t hdr[FDL_VNET_HDR_LEN];
	uint8_t frame[MAX_FRAME];
	size_t len;
	struct fdl_offload off;
} x;

static void make(enum tunnel_kind kind)
{
	const struct wrap w = {
		.kind = kind, .link_len = LINK_LEN, .version = 4, .sum = true
	};
	const struct shape in = { .link_len = wrap_has_eth(kind) ? 14 : 0,
				  .version = 4,
				  .proto = 6,
				  .payload = PAYLOAD,
				  .ttl = 64,
				  .flags = 0x10,
				  .partial = true };

	x.len = build(x.frame + wrap_len(&w), &in);
	x.len = wrap(x.frame, &w, &in, x.len, true);
	x.off = shape_offload(&in, MSS);
	x.off.csum_start = (uint16_t)(x.off.csum_start + wrap_len(&w));
	x.off.hdr_len = (uint16_t)(x.off.hdr_len + wrap_len(&w));
}

static void udp_that_is_too_short(void)
{
	make(VXLAN);
	put16(x.frame + OUTER_L4 + 4, 1000);
}

static void inner_packet_beyond_the_end(void)
{
	make(VXLAN);
	put16(x.frame + OUTER_L4 + 8 + 8 + 14 + 2, PAYLOAD + 41);
}

static void inner_packet_that_ends_before(void)
{
	make(VXLAN);
	put16(x.frame + OUTER_L4 + 8 + 8 + 14 + 2, PAYLOAD + 39);
}

static void inner_header_beyond_the_frame(void)
{
	make(VXLAN);
	x.len = OUTER_L4 + 8 + 8 + 10;
	put16(x.frame + LINK_LEN + 2, (unsigned)x.len - LINK_LEN);
	put16(x.frame + OUTER_L4 + 4, (unsigned)x.len - OUTER_L4);
}

static void options_past_the_end(void)
{
	make(GENEVE);
	x.frame[OUTER_L4 + 8] = 0x3f;
}

static void fields_past_the_end(void)
{
	make(GUE);
	x.frame[OUTER_L4 + 8] = 0x1f;
}

static void a_sequence_number(void)
{
	make(GRE_KEY);
	x.frame[OUTER_L4] |= 0x10;
}

static void a_cipher(void)
{
	make(IP_IN_IP);
	x.frame[LINK_LEN + 9] = 50;
}

static void a_remote_checksum(void)
{
	make(VXLAN);
	x.frame[OUTER_L4 + 8 + 1] = 0x20;
}

/* One IPv4 header more before the outer one. */
static void wrap_once_more(void)
{
	uint8_t *ip = x.frame + LINK_LEN;

	memmove(ip + 20, ip, x.len - LINK_LEN);
	x.len += 20;
	ip[9] = 4;
	put16(ip + 2, (unsigned)x.len - LINK_LEN);
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~ref_sum(ip, 20, 0));
	x.off.csum_start = (uint16_t)(x.off.csum_start + 20);
	x.off.hdr_len = (uint16_t)(x.off.hdr_len + 20);
}

static void three_of_them(void)
{
	make(VXLAN);
	wrap_once_more();
	wrap_once_more();
}

static void (*const bad[])(void) = {
	udp_that_is_too_short,
	inner_packet_beyond_the_end,
	inner_packet_that_ends_before,
	inner_header_beyond_the_frame,
	options_past_the_end,
	fields_past_the_end,
	a_sequence_number,
	a_cipher,
	a_remote_checksum,
	three_of_them,
};

enum {
	BAD = sizeof(bad) / sizeof(bad[0]),
};

static unsigned hints;

static void count_hints(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	hints += strstr(msg, "ethtool -K") != NULL;
}

/* Returns the endpoint, of which *peer is the other end. */
static struct fdl_endpoint *open_pair(int *peer)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.flags = FDL_ETHERNET | FDL_VNET_HDR,
		.log = count_hints,
	};
	struct fdl_endpoint *ep;
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX,
			   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			   fds),
		0);
	assert_int_equal(fdl_endpoint_new(&ep, fds, 1, &opts), 0);
	close(fds[0]);
	*peer = fds[1];
	hints = 0;
	return ep;
}

/* Let the endpoint receive what was made. Returns how many packets it is. */
static int receive(struct fdl_endpoint *ep, int peer)
{
	struct fdl_packet *v[SEGMENTS + 1];
	int n;

	fdl_vnet_hdr_encode(x.hdr, sizeof(x.hdr), FDL_ORDER_NATIVE, &x.off);
	assert_true(send(peer, x.hdr, sizeof(x.hdr) + x.len, 0) > 0);
	n = fdl_recv(fdl_get_queue(ep, 0), v, SEGMENTS + 1);
	assert_true(n >= 0);
	fdl_release(v, n);
	return n;
}

static void received_ones_are_counted_and_named_once(void **state)
{
	struct fdl_stats st;
	int peer, i;
	struct fdl_endpoint *ep = open_pair(&peer);

	(void)state;
	for (i = 0; i < BAD; i++) {
		bad[i]();
		assert_int_equal(receive(ep, peer), 0);
		fdl_get_stats(ep, &st, sizeof(st));
		assert_int_equal(st.rx_drop_tunnel, i + 1);
	}
	assert_int_equal(hints, 1);
	make(VXLAN);
	assert_int_equal(receive(ep, peer), SEGMENTS);
	fdl_endpoint_free(ep);
	close(peer);
}

static int write_it(struct fdl_endpoint *ep)
{
	const struct iovec iov = { x.frame, x.len };

	return fdl_write(fdl_get_queue(ep, 0), &iov, 1, &x.off);
}

static void sent_ones_are_counted_and_named_once(void **state)
{
	uint8_t buf[MAX_FRAME];
	struct fdl_stats st;
	int peer, i;
	struct fdl_endpoint *ep = open_pair(&peer);

	(void)state;
	for (i = 0; i < BAD; i++) {
		bad[i]();
		assert_int_equal(write_it(ep), -EINVAL);
		fdl_get_stats(ep, &st, sizeof(st));
		assert_int_equal(st.tx_drop_offload, i + 1);
	}
	assert_int_equal(hints, 1);
	assert_int_equal(recv(peer, buf, sizeof(buf), 0), -1);
	make(VXLAN);
	assert_int_equal(write_it(ep), 0);
	for (i = 0; i < SEGMENTS; i++)
		assert_true(recv(peer, buf, sizeof(buf), 0) > MSS);
	fdl_endpoint_free(ep);
	close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(received_ones_are_counted_and_named_once),
		cmocka_unit_test(sent_ones_are_counted_and_named_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
