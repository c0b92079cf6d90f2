/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header that the two peers of a unix socket agree on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

enum {
	FRAME_LEN = 100,
	MOST = 24,
	WAIT_MS = 10000,
};

/* One end in the test's hands, and what the other one said. */
struct bed {
	int peer;
	struct fdl_endpoint *ep;
	char said[512];
	unsigned warnings;
};

static const struct agreement {
	unsigned hdr_len;
	uint32_t flags;
	const char *option;
} agreements[] = {
	{ 0, 0, "offload=off" },
	{ FDL_VNET_HDR_LEN, FDL_VNET_HDR, "offload=on" },
	{ FDL_VNET_HDR_MRG_LEN, FDL_VNET_HDR_V1, "offload=v1" },
};

enum {
	AGREEMENTS = sizeof(agreements) / sizeof(*agreements),
};

static void hear(void *ctx, int level, const char *msg)
{
	struct bed *bed = ctx;

	if (level != FDL_LOG_WARNING)
		return;
	bed->warnings++;
	strncpy(bed->said, msg, sizeof(bed->said) - 1);
}

static void open_bed(struct bed *bed, int type, uint32_t flags)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET | flags,
		.log = hear,
		.log_ctx = bed,
	};
	int fds[2];

	memset(bed, 0, sizeof(*bed));
	assert_int_equal(socketpair(AF_UNIX, type, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&bed->ep, fds, 1, &options), 0);
	close(fds[0]);
	bed->peer = fds[1];
}

static void close_bed(struct bed *bed)
{
	assert_int_equal(fdl_endpoint_free(bed->ep), 0);
	close(bed->peer);
}

/* UDP over IPv4, from a station to a station. */
static void make_frame(uint8_t *frame)
{
	static const uint8_t start[] = {
		0x02, 0,
		0,    0,
		0,    2,
		0x02, 0,
		0,    0,
		0,    1,
		0x08, 0, /* link */
		0x45, 0,
		0,    FRAME_LEN - 14,
		0,    0,
		0x40, 0,
		64,   17,
		0,    0,
		192,  0,
		2,    1,
		192,  0,
		2,    2, /* IP */
		0,    7,
		0,    7,
		0,    FRAME_LEN - 34,
		0,    0, /* UDP */
	};

	memset(frame, 0x5a, FRAME_LEN);
	memcpy(frame, start, sizeof(start));
}

/* As a peer sends that has agreed on it. */
static size_t make_message(uint8_t *message, unsigned hdr_len)
{
	memset(message, 0, hdr_len);
	if (hdr_len == FDL_VNET_HDR_MRG_LEN)
		message[FDL_VNET_HDR_LEN] = 1;
	make_frame(message + hdr_len);
	return hdr_len + FRAME_LEN;
}

static void receive_it(struct bed *bed, const uint8_t *frame)
{
	struct fdl_packet *pkt;
	struct fdl_queue *q = fdl_get_queue(bed->ep, 0);

	assert_int_equal(fdl_queue_poll(q, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(q, &pkt, 1), 1);
	assert_int_equal(pkt->len, FRAME_LEN);
	assert_memory_equal(pkt->data, frame, FRAME_LEN);
	fdl_release(&pkt, 1);
}

static void both_ways(int type, const struct agreement *a)
{
	uint8_t message[FRAME_LEN + MOST], got[FRAME_LEN + MOST];
	const size_t len = make_message(message, a->hdr_len);
	const struct iovec iov = { message + a->hdr_len, FRAME_LEN };
	struct bed bed;

	open_bed(&bed, type, a->flags);
	assert_int_equal(write(bed.peer, message, len), len);
	receive_it(&bed, message + a->hdr_len);
	assert_int_equal(fdl_write(fdl_get_queue(bed.ep, 0), &iov, 1, NULL), 0);
	assert_int_equal(read(bed.peer, got, sizeof(got)), len);
	assert_memory_equal(got, message, len);
	assert_int_equal(bed.warnings, 0);
	close_bed(&bed);
}

static void peers_that_agree_understand_each_other(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < AGREEMENTS; i++) {
		both_ways(SOCK_SEQPACKET, &agreements[i]);
		both_ways(SOCK_DGRAM, &agreements[i]);
	}
}

/* What is left undone is said in little-endian, num_buffers behind it. */
static void a_partial_checksum_goes_in_little_endian(void **state)
{
	static const uint8_t expected[] = {
		1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 1, 0
	};
	const struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL,
					 .csum_start = 34,
					 .csum_offset = 6 };
	uint8_t frame[FRAME_LEN], got[FRAME_LEN + MOST];
	const struct iovec iov = { frame, FRAME_LEN };
	struct bed bed;

	(void)state;
	make_frame(frame);
	open_bed(&bed, SOCK_SEQPACKET, FDL_VNET_HDR_V1);
	assert_int_equal(fdl_write(fdl_get_queue(bed.ep, 0), &iov, 1, &off), 0);
	assert_int_equal(read(bed.peer, got, sizeof(got)),
			 FRAME_LEN + sizeof(expected));
	assert_memory_equal(got, expected, sizeof(expected));
	close_bed(&bed);
}

static void feed_wrong(struct bed *bed, unsigned hdr_len)
{
	uint8_t message[FRAME_LEN + MOST];
	const size_t len = make_message(message, hdr_len);
	struct fdl_packet *v[64];
	int i, n;

	for (i = 0; i < 32; i++)
		assert_int_equal(write(bed->peer, message, len), len);
	do {
		n = fdl_recv(fdl_get_queue(bed->ep, 0), v, 64);
		fdl_release(v, n);
	} while (n > 0);
}

static void peers_that_do_not_agree_are_told_once(void **state)
{
	static const struct {
		int type;
		const char *name;
	} kinds[] = { { SOCK_SEQPACKET, "seqpacket: " },
		      { SOCK_DGRAM, "datagram: " } };
	const struct agreement *own, *other;
	struct bed bed;
	unsigned i, kind;

	(void)state;
	for (i = 0; i < AGREEMENTS * AGREEMENTS * 2; i++) {
		kind = i / (AGREEMENTS * AGREEMENTS);
		own = &agreements[i / AGREEMENTS % AGREEMENTS];
		other = &agreements[i % AGREEMENTS];
		open_bed(&bed, kinds[kind].type, own->flags);
		feed_wrong(&bed, other->hdr_len);
		assert_int_equal(bed.warnings, own != other);
		if (own != other) {
			assert_memory_equal(bed.said, kinds[kind].name,
					    strlen(kinds[kind].name));
			assert_non_null(strstr(bed.said, own->option));
			assert_non_null(strstr(bed.said, other->option));
		}
		close_bed(&bed);
	}
}

/* Bytes without a pattern, the same in each run. */
static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x;
}

/* Rubbish is no reason to speak of headers. */
static void rubbish_is_not_taken_for_a_header(void **state)
{
	uint8_t message[FRAME_LEN];
	struct fdl_packet *v[32];
	struct bed bed;
	uint32_t x = 1;
	unsigned i, k;
	int n;

	(void)state;
	open_bed(&bed, SOCK_SEQPACKET, 0);
	for (i = 0; i < 32; i++) {
		for (k = 0; k < sizeof(message); k++)
			message[k] = (uint8_t)(next_random(&x) >> 24);
		assert_int_equal(write(bed.peer, message, sizeof(message)),
				 sizeof(message));
	}
	n = fdl_recv(fdl_get_queue(bed.ep, 0), v, 32);
	fdl_release(v, n);
	assert_int_equal(bed.warnings, 0);
	close_bed(&bed);
}

static void a_locator_asks_for_it(void **state)
{
	struct fdl_options options = { .size = sizeof(options) };
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(fdl_open(&ep, "seqpacket:/nowhere,offload=v1", NULL),
			 -ENOENT);
	assert_int_equal(fdl_open(&ep, "tap:fdlnone,offload=v1", NULL),
			 -EINVAL);
	options.flags = FDL_VNET_HDR_V1;
	assert_int_equal(
		fdl_open(&ep, "seqpacket:/nowhere,offload=on", &options),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_that_agree_understand_each_other),
		cmocka_unit_test(a_partial_checksum_goes_in_little_endian),
		cmocka_unit_test(peers_that_do_not_agree_are_told_once),
		cmocka_unit_test(rubbish_is_not_taken_for_a_header),
		cmocka_unit_test(a_locator_asks_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
