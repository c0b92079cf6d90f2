/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame leaves undone: done here, or passed to who takes it. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "../unit/packets.h"
#include "link.h"
#include "netns.h"
#include "work_bed.h"

static struct fdl_packet *packet_of(struct bed *f, const struct shape *s,
				    unsigned gso_size)
{
	struct fdl_packet *pkt;

	if (fdl_alloc(f->q, &pkt, 1) != 1)
		return NULL;
	pkt->len = (uint32_t)build(pkt->data, s);
	pkt->tail -= pkt->len;
	pkt->off = shape_offload(s, gso_size);
	return pkt;
}

static void a_partial_checksum_is_completed(void **state)
{
	struct shape s = bed_tcp4(700);
	struct fdl_packet *v[40];
	static uint8_t want[MAX], got[MAX];
	struct bed f;
	struct iovec iov[3];
	struct fdl_offload off = shape_offload(&s, 0);
	size_t len;
	int i;

	(void)state;
	bed_make(&f, 0);
	for (i = 0; i < 40; i++)
		v[i] = packet_of(&f, &s, 0);
	assert_int_equal(fdl_send(f.q, v, 40), 40);
	s.partial = false;
	len = build(want, &s);
	no_zero(want, &s);
	for (i = 0; i < 40; i++) {
		assert_int_equal(bed_collect(f.peer, got), len);
		assert_memory_equal(got, want, len);
	}
	/* In pieces, the headers cut in the middle. */
	s.partial = true;
	build(got, &s);
	iov[0] = (struct iovec){ got, 25 };
	iov[1] = (struct iovec){ got + 25, 30 };
	iov[2] = (struct iovec){ got + 55, len - 55 };
	assert_int_equal(fdl_write(f.q, iov, 3, &off), 0);
	assert_int_equal(bed_collect(f.peer, got), len);
	assert_memory_equal(got, want, len);
	bed_discard(&f);
}

static void a_super_packet_is_cut(void **state)
{
	const struct shape s = bed_tcp4(BIG);
	static uint8_t frame[MAX];
	struct fdl_offload off = shape_offload(&s, MSS);
	struct fdl_segmenter cut;
	struct fdl_packet *v[3];
	struct fdl_stats st;
	struct bed f;
	struct iovec iov;
	size_t len = build(frame, &s);
	int i;

	(void)state;
	bed_make(&f, 0);
	for (i = 0; i < 3; i++)
		v[i] = packet_of(&f, &s, MSS);
	for (i = 0; i < 3; i++) {
		assert_int_equal(fdl_send(f.q, &v[i], 1), 1);
		bed_start_cut(&cut, &iov, frame, len, &off);
		assert_int_equal(bed_expect_segments(&f, &cut), SEGMENTS);
	}
	iov = (struct iovec){ frame, len };
	assert_int_equal(fdl_write(f.q, &iov, 1, &off), 0);
	bed_start_cut(&cut, &iov, frame, len, &off);
	assert_int_equal(bed_expect_segments(&f, &cut), SEGMENTS);
	fdl_get_stats(f.ep, &st, sizeof(st));
	assert_int_equal(st.tx_gso_cut, 4);
	assert_int_equal(st.tx_segments, 4 * SEGMENTS);
	assert_int_equal(st.tx_packets, 4 * SEGMENTS);
	bed_discard(&f);
}

static void what_had_no_room_goes_first_next_time(void **state)
{
	const int small = 12000;
	const struct shape s = bed_tcp4(BIG);
	struct fdl_packet *v[2];
	static uint8_t frame[MAX];
	struct fdl_offload off = shape_offload(&s, MSS);
	const size_t len = build(frame, &s);
	struct fdl_segmenter cut;
	struct iovec iov;
	unsigned n, round;
	struct bed f;
	struct fdl_stats st;

	(void)state;
	bed_make(&f, 0);
	setsockopt(f.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (round = 0; round < 2; round++) {
		v[0] = packet_of(&f, &s, MSS);
		v[1] = packet_of(&f, &s, MSS);
		assert_int_equal(fdl_send(f.q, v, 2), 1);
		assert_int_equal(fdl_send(f.q, v + 1, 1), 0);
		assert_int_equal(fdl_flush(f.q), -EAGAIN);
		bed_start_cut(&cut, &iov, frame, len, &off);
		n = bed_expect_segments(&f, &cut);
		assert_in_range(n, 1, SEGMENTS - 1);
		while (n < SEGMENTS) {
			fdl_flush(f.q);
			n += bed_expect_segments(&f, &cut);
		}
		assert_int_equal(n, SEGMENTS);
		assert_int_equal(fdl_flush(f.q), 0);
		bed_start_cut(&cut, &iov, frame, len, &off);
		assert_int_equal(fdl_send(f.q, v + 1, 1), 1);
		for (n = 0; n < SEGMENTS; fdl_flush(f.q))
			n += bed_expect_segments(&f, &cut);
	}
	/* Where the policy is to drop, nothing is kept. */
	assert_int_equal(fdl_write(f.q, &iov, 1, &off), -EAGAIN);
	assert_int_equal(fdl_flush(f.q), 0);
	bed_start_cut(&cut, &iov, frame, len, &off);
	n = bed_expect_segments(&f, &cut);
	fdl_get_stats(f.ep, &st, sizeof(st));
	assert_int_equal(st.tx_drop_no_room, SEGMENTS - n);
	assert_int_equal(st.tx_segments, 5 * SEGMENTS);
	assert_int_equal(st.tx_packets, 4 * SEGMENTS + n);
	bed_discard(&f);
}

static void a_wire_with_a_header_gets_it_all(void **state)
{
	const struct shape s = bed_tcp4(BIG), small = bed_tcp4(500);
	struct fdl_offload none = { 0 }, partial, super;
	static uint8_t want[MAX], got[MAX];
	struct fdl_packet *v[3];
	struct bed f;
	ssize_t len;
	int i;

	(void)state;
	bed_make(&f, FDL_VNET_HDR);
	super = shape_offload(&s, MSS);
	partial = shape_offload(&small, 0);
	v[0] = packet_of(&f, &s, MSS);
	v[1] = packet_of(&f, &small, 0);
	v[2] = packet_of(&f, &small, 0);
	v[2]->off = none;
	assert_int_equal(fdl_send(f.q, v, 3), 3);
	for (i = 0; i < 3; i++) {
		len = (ssize_t)build(want, i ? &small : &s);
		assert_int_equal(bed_collect(f.peer, got),
				 len + FDL_VNET_HDR_LEN);
		bed_expect_header(got, i == 0 ? &super :
				       i == 1 ? &partial :
						&none);
		assert_memory_equal(got + FDL_VNET_HDR_LEN, want, (size_t)len);
	}
	bed_discard(&f);
}

static int udp_socket(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(80) };
	const int size = 4 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void expect_datagrams(int fd, const uint8_t *payload, size_t len,
			     size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };
	static uint8_t got[MAX];
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < size ? len - at : size;
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(recv(fd, got, sizeof(got), 0), n);
		assert_memory_equal(got, payload + at, n);
	}
}

static void write_in_pieces(struct fdl_queue *q, struct fdl_packet *pkt)
{
	const struct iovec iov[] = { { pkt->data, 20 },
				     { pkt->data + 20, 0 },
				     { pkt->data + 20, pkt->len - 20 } };

	assert_int_equal(fdl_write(q, iov, 3, &pkt->off), 0);
	fdl_release(&pkt, 1);
}

/* The kernel at the other end verifies every checksum. */
static void the_kernel_takes_it(const char *locator, const char *dev,
				unsigned link_len)
{
	struct shape s = { .link_len = link_len,
			   .version = 4,
			   .proto = 17,
			   .ttl = 64,
			   .partial = true };
	struct bed f;
	struct fdl_packet *pkt;
	struct fdl_stats st;
	uint8_t *copy = malloc(MAX);
	unsigned i, len;
	int fd;

	if (netns_lacks_tun())
		skip();
	assert_int_equal(fdl_open(&f.ep, locator, NULL), 0);
	f.q = fdl_get_queue(f.ep, 0);
	netns_command("ip link set %s %s up", dev,
		      link_len ? "address 02:00:00:00:00:02" : "");
	netns_command("ip addr add 10.1.0.2/24 dev %s", dev);
	netns_command("ip route add 10.0.0.0/24 dev %s", dev);
	netns_wait_running(dev);
	fd = udp_socket();
	for (i = 0; i < 20; i++) {
		s.payload = i % 2 ? 300 + i : 20 * 1000 + i;
		s.fill = (uint8_t)i;
		pkt = packet_of(&f, &s, i % 2 ? 0 : MSS);
		len = pkt->len - shape_hdr_len(&s);
		memcpy(copy, pkt->data + shape_hdr_len(&s), len);
		if (i % 4 == 1)
			write_in_pieces(f.q, pkt);
		else
			assert_int_equal(fdl_send(f.q, &pkt, 1), 1);
		expect_datagrams(fd, copy, len, i % 2 ? len : MSS);
	}
	fdl_get_stats(f.ep, &st, sizeof(st));
	printf("# %s: %llu whole, %llu cut\n", locator,
	       (unsigned long long)st.tx_gso,
	       (unsigned long long)st.tx_gso_cut);
	assert_int_equal(st.tx_gso + st.tx_gso_cut, 10);
	fdl_endpoint_free(f.ep);
	free(copy);
	close(fd);
}

static void the_stack_is_told_who_cuts(void **state)
{
	struct fdl_options o = { .size = sizeof(o),
				 .gso_max_size = 60000,
				 .flags = FDL_TX_CSUM };
	struct fdl_endpoint *ep;
	struct bed f;

	(void)state;
	bed_make(&f, 0);
	assert_int_equal(fdl_gso_max_size(f.ep), 0);
	assert_int_equal(fdl_get_gso_kind(f.ep), FDL_GSO_UNSUPPORTED);
	assert_int_equal(fdl_capabilities(f.ep) & FDL_CAP_TX_CSUM, 0);
	assert_int_equal(fdl_endpoint_new(&ep, &f.fd, 1, &o), 0);
	assert_int_equal(fdl_gso_max_size(ep), 60000);
	assert_int_equal(fdl_get_gso_kind(ep), FDL_GSO_SOFTWARE);
	assert_int_equal(fdl_capabilities(ep), FDL_CAP_TX_CSUM);
	fdl_endpoint_free(ep);
	o.flags |= FDL_VNET_HDR;
	assert_int_equal(fdl_endpoint_new(&ep, &f.fd, 1, &o), 0);
	assert_int_equal(fdl_get_gso_kind(ep), FDL_GSO_HARDWARE);
	fdl_endpoint_free(ep);
	o.gso_max_size = 524281;
	assert_int_equal(fdl_endpoint_new(&ep, &f.fd, 1, &o), -EINVAL);
	bed_discard(&f);
}

static void a_tap_takes_it(void **state)
{
	(void)state;
	the_kernel_takes_it("tap:fdw0", "fdw0", 14);
}

static void a_tap_without_a_header_takes_it(void **state)
{
	(void)state;
	the_kernel_takes_it("tap:fdw5,offload=off", "fdw5", 14);
}

static void a_tun_takes_it(void **state)
{
	(void)state;
	the_kernel_takes_it("tun:fdw1", "fdw1", 0);
}

static void a_veth_takes_it(void **state)
{
	(void)state;
	netns_command("ip link add fdw2 type veth peer name fdw3");
	netns_command("ip link set fdw2 up");
	the_kernel_takes_it("packet:fdw2", "fdw3", 14);
	netns_command("ip link del fdw2");
}

/* A UDP packet of a flow, by the queue its hash says, and the answer to it. */
static void expect_answer(struct bed *f, int fd, unsigned flow, unsigned queue)
{
	const struct shape s = { .link_len = 14,
				 .version = 4,
				 .proto = 17,
				 .ttl = 64,
				 .payload = 100,
				 .flow = 7 * flow,
				 .partial = true };
	struct pollfd udp = { fd, POLLIN, 0 };
	struct fdl_queue *q = fdl_get_queue(f->ep, queue);
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	struct fdl_packet *pkt;
	uint8_t buf[200];

	pkt = packet_of(f, &s, 0);
	pkt->hash = fdl_queues(f->ep) + queue;
	assert_int_equal(fdl_write_packets(f->ep, &pkt, 1), 1);
	assert_int_equal(poll(&udp, 1, WAIT_MS), 1);
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0,
				  (struct sockaddr *)&from, &size),
			 100);
	assert_int_equal(
		sendto(fd, buf, 100, 0, (struct sockaddr *)&from, sizeof(from)),
		100);
	assert_int_equal(fdl_queue_poll(q, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(q, &pkt, 1), 1);
	assert_int_equal(pkt->len, 142);
	assert_int_equal(get16(pkt->data + 36), 1000 + 7 * flow);
	fdl_release(&pkt, 1);
}

static void a_flow_comes_back_on_its_queue(void **state)
{
	struct bed f;
	unsigned i;
	int fd;

	(void)state;
	if (netns_lacks_tun())
		skip();
	assert_int_equal(fdl_open(&f.ep, "tap:fdw4,queues=4", NULL), 0);
	f.q = fdl_get_queue(f.ep, 0);
	netns_command("ip link set fdw4 address 02:00:00:00:00:02 up");
	netns_command("ip addr add 10.1.0.2/24 dev fdw4");
	netns_command("ip route add 10.0.0.0/24 dev fdw4");
	netns_command("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 "
		      "dev fdw4");
	netns_wait_running("fdw4");
	fd = udp_socket();
	for (i = 0; i < 40; i++)
		expect_answer(&f, fd, i % 8, (i + i / 8) % 4);
	fdl_endpoint_free(f.ep);
	close(fd);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_partial_checksum_is_completed),
		cmocka_unit_test(a_super_packet_is_cut),
		cmocka_unit_test(what_had_no_room_goes_first_next_time),
		cmocka_unit_test(a_wire_with_a_header_gets_it_all),
		cmocka_unit_test(the_stack_is_told_who_cuts),
		cmocka_unit_test(a_tap_takes_it),
		cmocka_unit_test(a_tap_without_a_header_takes_it),
		cmocka_unit_test(a_tun_takes_it),
		cmocka_unit_test(a_veth_takes_it),
		cmocka_unit_test(a_flow_comes_back_on_its_queue),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
