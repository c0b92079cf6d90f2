/* SPDX-License-Identifier: Apache-2.0 */
/* A block that the kernel hands over anew while who gave it back is kept from
 * running; and frames as only another holder of the ring can describe them. The
 * kernel is this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void before_sub(void);

/* As ring.c knows it, with a stop before. */
#undef atomic_fetch_sub_explicit
#define atomic_fetch_sub_explicit(at, n, order) \
	((void)(order), before_sub(), atomic_fetch_sub(at, n))

#include "io/ring.c"

enum { BLOCKS = 2, BLOCK = 1 << 16, FIRST = 64, LEN = 60 };

struct bed {
	struct ring *ring;
	struct pool *pool;
	uint64_t seq;
	unsigned next;
	int fd;
};

static struct bed *watched;
static void (*as_given_back)(struct bed *b);

/* Block 0 is the kernel's, and its releaser not through. */
static void before_sub(void)
{
	void (*const now)(struct bed * b) = as_given_back;

	if (!now || *status(watched->ring, 0) != TP_STATUS_KERNEL)
		return;
	as_given_back = NULL;
	now(watched);
}

/* The next block, with one frame in it. */
static void hand_over_frame(struct bed *b, const struct tpacket3_hdr *frame)
{
	struct tpacket_hdr_v1 *hdr = header(b->ring, b->next);
	uint8_t *const block = block_at(b->ring, b->next);

	assert_int_equal(*status(b->ring, b->next), TP_STATUS_KERNEL);
	hdr->seq_num = ++b->seq;
	hdr->num_pkts = 1;
	hdr->offset_to_first_pkt = FIRST;
	memcpy(block + FIRST, frame, sizeof(*frame));
	atomic_store(status(b->ring, b->next), TP_STATUS_USER);
	b->next = (b->next + 1) % BLOCKS;
}

static void hand_over(struct bed *b)
{
	const struct tpacket3_hdr frame = { .tp_status = TP_STATUS_USER,
					    .tp_mac = RING_HEADERS_LEN,
					    .tp_snaplen = LEN,
					    .tp_len = LEN };

	hand_over_frame(b, &frame);
}

static struct fdl_packet *receive(struct bed *b)
{
	struct io_frame f = { 0 };
	struct io io = { 0 };

	assert_int_equal(pool_take(b->pool, &f.pkt, 1), 1);
	assert_true(ring_ready(b->ring));
	assert_int_equal(ring_recv(b->ring, &io, &f, 1), 1);
	assert_int_equal(f.wire_len, LEN);
	assert_false(ring_ready(b->ring));
	return f.pkt;
}

static void give(struct fdl_packet *pkt)
{
	fdl_release(&pkt, 1);
}

static void make_bed(struct bed *b)
{
	*b = (struct bed){ .fd = memfd_create("ring", MFD_CLOEXEC) };
	assert_true(b->fd >= 0);
	assert_int_equal(ftruncate(b->fd, BLOCKS * BLOCK), 0);
	assert_int_equal(pool_new(&b->pool, BLOCKS, 0, 14, 0), 0);
	assert_int_equal(ring_new(&b->ring, b->fd, BLOCKS, BLOCK, b->pool), 0);
	watched = b;
}

/* Both blocks were the kernel's and are again. */
static void free_bed(struct bed *b)
{
	unsigned i;

	for (i = 0; i < BLOCKS; i++) {
		assert_int_equal(*status(b->ring, i), TP_STATUS_KERNEL);
		assert_int_equal(b->ring->block[i].users, 0);
	}
	assert_int_equal(b->ring->refs, 1);
	ring_orphan(b->ring);
	pool_orphan(b->pool);
	close(b->fd);
}

static struct fdl_packet *held;

static void hand_over_and_hold(struct bed *b)
{
	hand_over(b);
	held = receive(b);
}

static void hand_over_and_release(struct bed *b)
{
	hand_over(b);
	give(receive(b));
	assert_int_equal(*status(b->ring, 0), TP_STATUS_USER);
}

/* The first block is released last, so that the kernel waits for it. */
static void lap(struct bed *b, void (*now)(struct bed *b))
{
	struct fdl_packet *pkt;

	hand_over(b);
	pkt = receive(b);
	hand_over(b);
	give(receive(b));
	assert_false(ring_ready(b->ring));
	as_given_back = now;
	give(pkt);
	assert_null(as_given_back);
}

static void a_block_is_seen_while_it_is_given_back(void **state)
{
	struct bed b;

	(void)state;
	make_bed(&b);
	lap(&b, hand_over_and_hold);
	assert_int_equal(*status(b.ring, 0), TP_STATUS_USER);
	give(held);
	free_bed(&b);
}

static void who_is_late_gives_it_back_again(void **state)
{
	struct bed b;

	(void)state;
	make_bed(&b);
	lap(&b, hand_over_and_release);
	hand_over(&b);
	give(receive(&b));
	free_bed(&b);
}

static void what_the_kernel_counts_is_seen_too(struct bed *b)
{
	header(b->ring, 0)->seq_num = ++b->seq;
	header(b->ring, 0)->num_pkts = 1;
	assert_true(ring_is_filling(b->ring));
	assert_false(ring_ready(b->ring));
}

static void a_block_is_filling_while_it_is_given_back(void **state)
{
	struct bed b;

	(void)state;
	make_bed(&b);
	assert_false(ring_is_filling(b.ring));
	lap(&b, what_the_kernel_counts_is_seen_too);
	free_bed(&b);
}

/* Returns how the next frame is told of. Its packet goes back. */
static uint8_t type_of_next(struct bed *b)
{
	struct io_frame f = { 0 };
	struct io io = { 0 };

	assert_int_equal(pool_take(b->pool, &f.pkt, 1), 1);
	assert_int_equal(ring_recv(b->ring, &io, &f, 1), 1);
	f.pkt->store_->release(f.pkt->store_, &f.pkt, 1);
	return f.type;
}

/* Nothing could be put in front of the first one; more than what passes for the
 * whole of the second one would be taken for the rest of a later frame. */
static void frames_that_contradict_themselves_are_none(void **state)
{
	const struct tpacket3_hdr tagged = {
		.tp_status = TP_STATUS_USER | TP_STATUS_VLAN_VALID,
		.tp_mac = RING_HEADERS_LEN + ETH_VLAN_LEN - 1,
		.tp_snaplen = LEN,
		.tp_len = LEN,
	};
	const struct tpacket3_hdr longer = { .tp_status = TP_STATUS_USER,
					     .tp_mac = RING_HEADERS_LEN,
					     .tp_snaplen = LEN,
					     .tp_len = LEN - 1 };
	struct bed b;

	(void)state;
	make_bed(&b);
	hand_over_frame(&b, &tagged);
	assert_int_equal(type_of_next(&b), IO_TYPE_GHOST);
	hand_over_frame(&b, &longer);
	assert_int_equal(type_of_next(&b), IO_TYPE_GHOST);
	hand_over(&b);
	assert_int_not_equal(type_of_next(&b), IO_TYPE_GHOST);
	free_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_seen_while_it_is_given_back),
		cmocka_unit_test(who_is_late_gives_it_back_again),
		cmocka_unit_test(a_block_is_filling_while_it_is_given_back),
		cmocka_unit_test(frames_that_contradict_themselves_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
