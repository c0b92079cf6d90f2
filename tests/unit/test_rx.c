/* SPDX-License-Identifier: Apache-2.0 */
/* The receive side by itself: no endpoint, no queue, and an fd that is a list
 * of what it says. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kind/table.h"
#include "os.h"
#include "packet/pool.h"
#include "packets.h"
#include "rx/end.h"
#include "rx/receive.h"
#include "wait/ready.h"

enum {
	MAX_SAYS = 64,
	FRAME = 4096,
	POOL = 64,
	LINK = 14,
	MSS = 500,
};

/* One thing that the fd says: an error, or a message. */
struct say {
	int err;		/* negative; 0: a message */
	size_t len, wire_len;
	uint8_t type;		/* as of struct io_frame */
	uint16_t vlan_tci;	/* with a tag that was taken out; 0: none */
	struct fdl_offload off;
	uint8_t bytes[FRAME];
};

struct bed {
	struct io io;
	struct shared shared;
	struct ready ready;
	struct counters counters;
	struct rx rx;
	struct fdl_packet *v[POOL];
	int n, told;		/* say[told..n) are to come */
	struct say say[MAX_SAYS];
};

static void take_message(const struct say *say, const struct bed *b,
			 struct io_frame *f)
{
	pool_reset(b->io.pool, f->pkt);
	fdl_vnet_hdr_encode(f->pkt->data - b->io.vnet_hdr_len,
			    b->io.vnet_hdr_len, b->io.order, &say->off);
	memcpy(f->pkt->data, say->bytes, say->len);
	f->pkt->len = (uint32_t)say->len;
	f->pkt->tail -= f->pkt->len;
	f->wire_len = say->wire_len;
	f->type = say->type;
	f->vlan_tpid = say->vlan_tci ? 0x8100 : 0;
	f->vlan_tci = say->vlan_tci;
}

static int tell(struct io *io, struct io_frame f[], int n, int fresh)
{
	struct bed *b = io->state;
	int i;

	(void)fresh;
	for (i = 0; i < n && b->told < b->n && !b->say[b->told].err; i++)
		take_message(&b->say[b->told++], b, &f[i]);
	if (i > 0)
		return i;
	return b->told < b->n ? b->say[b->told++].err : -EAGAIN;
}

static const struct io_ops list = { .name = "list", .recv = tell };

static void open_bed(struct bed *b, uint32_t flags)
{
	memset(b, 0, sizeof(*b));
	b->shared.opts = (struct fdl_options){
		.flags = FDL_ETHERNET | flags,
		.mtu = LINK + MSS + 40,
		.batch = 8,
	};
	assert_int_equal(pool_new(&b->io.pool, POOL, 0, LINK, 0), 0);
	b->io.fd = os_eventfd();
	assert_true(b->io.fd >= 0);
	b->io.kind = kind_of(FDL_KIND_TAP);
	b->io.vnet_hdr_len = FDL_VNET_HDR_LEN;
	b->io.vnet_hdr_at = FDL_VNET_HDR_LEN;
	b->io.state = b;
	assert_int_equal(ready_open(&b->ready, b->io.fd, b->io.fd,
				    pool_refill_fd(b->io.pool),
				    READY_LEFTOVERS),
			 0);
	b->rx.shared = &b->shared;
	b->rx.ops = &list;
	b->rx.io = &b->io;
	b->rx.ready = &b->ready;
	b->rx.counters = &b->counters;
	assert_int_equal(rx_open(&b->rx), 0);
}

/* All that was not handed out is back in the pool. */
static void close_bed(struct bed *b)
{
	struct fdl_packet *all[POOL];

	rx_close(&b->rx);
	assert_int_equal(pool_take(b->io.pool, all, POOL), POOL);
	fdl_release(all, POOL);
	ready_close(&b->ready);
	os_close(b->io.fd);
	pool_orphan(b->io.pool);
}

static struct say *add(struct bed *b)
{
	assert_true(b->n < MAX_SAYS);
	return &b->say[b->n++];
}

static void fail_with(struct bed *b, int err)
{
	add(b)->err = err;
}

/* A segment of one TCP connection, number i of those that are MSS long. */
static struct shape segment(unsigned i, unsigned payload, bool partial)
{
	return (struct shape){
		.link_len = LINK,
		.version = 4,
		.proto = 6,
		.payload = payload,
		.id = i,
		.ttl = 64,
		.flags = 0x10,
		.seq = 1000 + i * MSS,
		.partial = partial,
	};
}

static struct say *arrives(struct bed *b, const struct shape *s,
			   unsigned gso_size)
{
	struct say *say = add(b);

	say->len = say->wire_len = build(say->bytes, s);
	say->off = shape_offload(s, gso_size);
	return say;
}

static struct say *frame_arrives(struct bed *b)
{
	const struct shape s = segment((unsigned)b->n, 10, false);

	return arrives(b, &s, 0);
}

static int receive(struct bed *b, int n, enum rx_rest rest)
{
	enum rx_rest is;
	int got = rx_receive(&b->rx, b->v, n, &is);

	assert_int_equal(is, rest);
	return got;
}

static void assert_counted(const struct bed *b, enum counter c, uint64_t n)
{
	assert_int_equal(counted(&b->counters, c), n);
}

static void what_came_is_delivered_in_order(void **state)
{
	static struct bed b;
	uint64_t bytes = 0;
	int i;

	(void)state;
	open_bed(&b, 0);
	for (i = 0; i < 20; i++)
		bytes += frame_arrives(&b)->len;
	assert_int_equal(receive(&b, POOL, RX_DRY), 20);
	for (i = 0; i < 20; i++) {
		assert_int_equal(b.v[i]->len, b.say[i].len);
		assert_memory_equal(b.v[i]->data, b.say[i].bytes, b.v[i]->len);
		assert_int_equal(b.v[i]->link_len, LINK);
		assert_int_equal(b.v[i]->protocol, 0x0800);
		assert_int_equal(b.v[i]->off.csum, FDL_CSUM_NONE);
	}
	assert_counted(&b, RX_PACKETS, 20);
	assert_counted(&b, RX_BYTES, bytes);
	fdl_release(b.v, 20);
	close_bed(&b);
}

static void each_drop_has_its_reason(void **state)
{
	static const struct {
		size_t len, wire_len;
		uint8_t type;
		enum counter reason;
	} rows[] = {
		{ 60, 60, FDL_OUTGOING, RX_DROP_OUTGOING },
		{ 60, 60, IO_TYPE_GHOST, RX_DROP_MALFORMED },
		{ 0, 0, FDL_TO_HOST, RX_DROP_EMPTY },
		{ 0, FDL_VNET_HDR_LEN - 1, FDL_TO_HOST, RX_DROP_VNET_HDR },
		{ 60, 61, FDL_TO_HOST, RX_DROP_TRUNCATED },
		{ LINK - 1, LINK - 1, FDL_TO_HOST, RX_DROP_RUNT },
		{ 60, 60, FDL_OTHERHOST, RX_DROP_OTHERHOST },
	};
	static struct bed b;
	struct say *say;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_bed(&b, FDL_DROP_OTHERHOST);
		say = frame_arrives(&b);
		say->len = rows[i].len;
		say->wire_len = rows[i].wire_len;
		say->type = rows[i].type;
		frame_arrives(&b);
		assert_int_equal(receive(&b, POOL, RX_DRY), 1);
		assert_memory_equal(b.v[0]->data, b.say[1].bytes, b.v[0]->len);
		assert_counted(&b, rows[i].reason, 1);
		assert_counted(&b, RX_PACKETS, 1);
		fdl_release(b.v, 1);
		close_bed(&b);
	}
}

/* Its checksum would begin behind its end. */
static void a_header_that_lies_costs_its_frame(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b, FDL_RX_CSUM);
	frame_arrives(&b)->off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = 1000,
		.csum_offset = 16,
	};
	frame_arrives(&b);
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	assert_counted(&b, RX_DROP_VNET_HDR, 1);
	fdl_release(b.v, 1);
	close_bed(&b);
}

static void a_tag_that_was_taken_out_is_put_back(void **state)
{
	static struct bed b;
	const uint8_t *data;

	(void)state;
	open_bed(&b, 0);
	frame_arrives(&b)->vlan_tci = 0x2007;
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	data = b.v[0]->data;
	assert_int_equal(b.v[0]->len, b.say[0].len + 4);
	assert_int_equal(b.v[0]->link_len, LINK + 4);
	assert_memory_equal(data, b.say[0].bytes, 12);
	assert_memory_equal(data + 12, "\x81\0\x20\x07", 4);
	assert_memory_equal(data + 16, b.say[0].bytes + 12, b.say[0].len - 12);
	fdl_release(b.v, 1);
	close_bed(&b);
}

static void a_partial_checksum_is_completed_or_passed_on(void **state)
{
	const struct shape s = segment(0, 100, true);
	static struct bed b;

	(void)state;
	open_bed(&b, 0);
	arrives(&b, &s, 0);
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	assert_int_equal(b.v[0]->off.csum, FDL_CSUM_VALID);
	assert_true(checksums_right(b.v[0]->data, b.v[0]->len, &s));
	fdl_release(b.v, 1);
	close_bed(&b);

	open_bed(&b, FDL_RX_CSUM);
	arrives(&b, &s, 0);
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	assert_int_equal(b.v[0]->off.csum, FDL_CSUM_PARTIAL);
	assert_memory_equal(b.v[0]->data, b.say[0].bytes, b.v[0]->len);
	fdl_release(b.v, 1);
	close_bed(&b);
}

/* Segment i of a super-packet that was built of segment(0, ...). */
static void assert_segment(const struct fdl_packet *pkt,
			   const struct say *super, unsigned i,
			   unsigned payload)
{
	const struct shape s = segment(i, payload, false);
	const uint8_t *tcp = pkt->data + LINK + 20;

	assert_int_equal(pkt->len, LINK + 40 + payload);
	assert_int_equal(pkt->link_len, LINK);
	assert_int_equal(pkt->protocol, 0x0800);
	assert_int_equal(pkt->off.gso, FDL_GSO_NONE);
	assert_int_equal(get32(tcp + 4), s.seq);
	assert_memory_equal(tcp + 20, super->bytes + LINK + 40 + i * MSS,
			    payload);
	assert_true(checksums_right(pkt->data, pkt->len, &s));
}

/* What the caller has no room for stays, and the set is not asked for more. */
static void a_super_packet_is_cut_as_there_is_room(void **state)
{
	const struct shape s = segment(0, 4 * MSS + 7, true);
	static struct bed b;
	unsigned i;

	(void)state;
	open_bed(&b, 0);
	arrives(&b, &s, MSS);
	for (i = 0; i < 5; i++) {
		assert_int_equal(receive(&b, 1, RX_MORE), 1);
		assert_segment(b.v[0], &b.say[0], i, i < 4 ? MSS : 7);
		assert_true(rx_has_leftovers(&b.rx));
		fdl_release(b.v, 1);
	}
	assert_int_equal(receive(&b, 1, RX_DRY), 0);
	assert_false(rx_has_leftovers(&b.rx));
	assert_counted(&b, RX_GSO, 1);
	assert_counted(&b, RX_GSO_CUT, 1);
	assert_counted(&b, RX_PACKETS, 5);
	close_bed(&b);
}

static void a_stack_that_takes_super_packets_gets_them(void **state)
{
	const struct shape s = segment(0, 4 * MSS + 7, true);
	static struct bed b;

	(void)state;
	open_bed(&b, FDL_RX_CSUM | FDL_RX_GSO);
	arrives(&b, &s, MSS);
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	assert_int_equal(b.v[0]->off.gso, FDL_GSO_TCPV4);
	assert_int_equal(b.v[0]->off.gso_size, MSS);
	assert_memory_equal(b.v[0]->data, b.say[0].bytes, b.v[0]->len);
	assert_counted(&b, RX_GSO, 1);
	assert_counted(&b, RX_GSO_CUT, 0);
	fdl_release(b.v, 1);
	close_bed(&b);
}

static void segments_of_one_call_are_merged(void **state)
{
	static struct bed b;
	struct shape s;
	unsigned i;

	(void)state;
	open_bed(&b, FDL_RX_CSUM | FDL_RX_GSO | FDL_GRO);
	for (i = 0; i < 4; i++) {
		s = segment(i, MSS, true);
		arrives(&b, &s, 0);
	}
	assert_int_equal(receive(&b, POOL, RX_DRY), 1);
	assert_int_equal(b.v[0]->len, LINK + 40 + 4 * MSS);
	assert_int_equal(b.v[0]->off.gso, FDL_GSO_TCPV4);
	assert_int_equal(b.v[0]->off.gso_size, MSS);
	for (i = 0; i < 4; i++)
		assert_memory_equal(b.v[0]->data + LINK + 40 + i * MSS,
				    b.say[i].bytes + LINK + 40, MSS);
	assert_counted(&b, RX_GRO_MERGED, 3);
	assert_counted(&b, RX_PACKETS, 1);
	fdl_release(b.v, 1);
	close_bed(&b);
}

/* The caller sits on all packets: the side says so, and goes on after a
 * release. */
static void an_empty_pool_is_told_and_loses_nothing(void **state)
{
	struct pollfd refill = { .events = POLLIN };
	struct fdl_packet *held[POOL];
	static struct bed b;
	int i;

	(void)state;
	open_bed(&b, 0);
	refill.fd = pool_refill_fd(b.io.pool);
	for (i = 0; i < 3; i++)
		frame_arrives(&b);
	assert_int_equal(pool_take(b.io.pool, held, POOL), POOL);
	assert_int_equal(receive(&b, POOL, RX_STARVED), 0);
	assert_int_equal(b.told, 0);
	assert_counted(&b, RX_POOL_EMPTY, 1);
	assert_int_equal(poll(&refill, 1, 0), 0);
	fdl_release(held, POOL);
	assert_int_equal(poll(&refill, 1, 0), 1);
	assert_int_equal(receive(&b, POOL, RX_DRY), 3);
	fdl_release(b.v, 3);
	close_bed(&b);
}

static void an_end_is_told_behind_what_came(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b, 0);
	frame_arrives(&b);
	fail_with(&b, -EBADFD);
	frame_arrives(&b);
	b.shared.opts.batch = 1;
	assert_int_equal(receive(&b, POOL, RX_ENDED), 1);
	assert_int_equal(rx_tell_end(&b.rx), -ENODEV);
	assert_int_equal(receive(&b, POOL, RX_ENDED), 0);
	assert_string_equal(b.shared.last_error, "the device is gone");
	fdl_release(b.v, 1);
	close_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_is_delivered_in_order),
		cmocka_unit_test(each_drop_has_its_reason),
		cmocka_unit_test(a_header_that_lies_costs_its_frame),
		cmocka_unit_test(a_tag_that_was_taken_out_is_put_back),
		cmocka_unit_test(a_partial_checksum_is_completed_or_passed_on),
		cmocka_unit_test(a_super_packet_is_cut_as_there_is_room),
		cmocka_unit_test(a_stack_that_takes_super_packets_gets_them),
		cmocka_unit_test(segments_of_one_call_are_merged),
		cmocka_unit_test(an_empty_pool_is_told_and_loses_nothing),
		cmocka_unit_test(an_end_is_told_behind_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
