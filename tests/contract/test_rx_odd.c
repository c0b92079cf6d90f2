/* SPDX-License-Identifier: Apache-2.0 */
/* Virtio-net headers that are odd and right, and one before the end. */
#include <errno.h>

#include "message.h"

enum { SUPER = 3 * MSS };

static struct message message;

/* What the stack may not believe either. */
static void odd_but_right_headers_pass(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	struct fdl_packet *v[3];
	unsigned i, hdr_len;

	all_shapes(l, shapes);
	shapes[0].payload = SUPER;
	hdr_len = shape_hdr_len(&shapes[0]);
	for (i = 0; i < 5; i++) {
		make_message(&message, &shapes[0], MSS);
		message.hdr.hdr_len = (uint16_t)(i * 16383);
		message.hdr.flags |= (uint8_t)(0xf0 | i << 1);
		feed_message(l, &message);
		l->rx_offered += 2;
		expect_packets(l, v, 3);
		assert_int_equal(v[2]->len, hdr_len + MSS);
		assert_memory_equal(v[2]->data + hdr_len,
				    message.frame + hdr_len + 2 * MSS, MSS);
		fdl_release(v, 3);
	}
}

/* It is no end of the link, which is an empty message. */
static void a_header_before_the_end_is_counted(struct link *l)
{
	const uint8_t zeros[HDR_LEN] = { 0 };
	struct fdl_stats st;

	link_feed_bytes(l, zeros, 5);
	link_feed_bytes(l, zeros, HDR_LEN);
	link_hang_up(l);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_vnet_hdr, 1);
	assert_int_equal(st.rx_drop_empty, 1);
}

#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | (has)                      \
	}

static const struct expectation table[] = {
	ROW("odd but right headers pass", odd_but_right_headers_pass, 0),
	{ .name = "a header before the end is counted",
	  .needs = LINK_EOF,
	  .test = a_header_before_the_end_is_counted,
	  .opts.flags = FDL_VNET_HDR },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rx_odd", argv, table, COUNT_OF(table));
}
