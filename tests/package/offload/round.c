/* SPDX-License-Identifier: Apache-2.0 */
/* A super-packet through a tunnel and back, by libfdlink-offload alone. */
#include <stdio.h>
#include <string.h>

#include <fdlink/run.h>

enum { PAYLOAD = 5000, SEGMENT = 1000, HEADERS = 28 };

static uint8_t super[HEADERS + PAYLOAD], buf[65536], back[65536];

/* UDP from 10.0.0.1 to 10.0.0.2, its checksum that of the pseudo-header. */
static void make_super(void)
{
	static const uint8_t headers[HEADERS] = {
		0x45,
		0,
		(HEADERS + PAYLOAD) >> 8,
		(HEADERS + PAYLOAD) & 0xff,
		0,
		0,
		0x40,
		0,
		64,
		17,
		0,
		0,
		10,
		0,
		0,
		1,
		10,
		0,
		0,
		2,
		1,
		2,
		3,
		4,
		(8 + PAYLOAD) >> 8,
		(8 + PAYLOAD) & 0xff,
	};
	uint8_t pseudo[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 17 };
	uint16_t sum;
	int i;

	memcpy(super, headers, HEADERS);
	sum = (uint16_t)~fdl_checksum_sum(super, 20, 0);
	memcpy(super + 10, &sum, sizeof(sum));
	memcpy(pseudo + 10, headers + 24, 2);
	sum = fdl_checksum_sum(pseudo, sizeof(pseudo), 0);
	memcpy(super + 26, &sum, sizeof(sum));
	for (i = 0; i < PAYLOAD; i++)
		super[HEADERS + i] = (uint8_t)(i * 7);
}

int main(void)
{
	static struct fdl_segmenter s;
	static struct fdl_coalescer c;
	static struct fdl_coalesced out;
	static struct fdl_run_packet v[FDL_RUN_DATAGRAMS];
	struct iovec iov;
	struct fdl_offload off;
	struct fdl_run run;

	make_super();
	iov.iov_base = super;
	iov.iov_len = sizeof(super);
	memset(&off, 0, sizeof(off));
	off.csum = FDL_CSUM_PARTIAL;
	off.csum_start = 20;
	off.csum_offset = 6;
	off.gso = FDL_GSO_UDP;
	off.gso_size = SEGMENT;
	memset(&run, 0, sizeof(run));
	run.buf = buf;
	run.room = sizeof(buf);
	run.head = 16;
	run.tail = 16;
	if (fdl_segment_start(&s, &iov, 1, 0, &off, 0) ||
	    fdl_segment_run(&s, &run) || run.count != PAYLOAD / SEGMENT)
		return 1;
	fdl_coalesce_init(&c, FDL_COALESCE_UDP, 0, 0);
	if (fdl_coalesce_run(&c, &run, NULL, v, FDL_RUN_DATAGRAMS) !=
		    run.count ||
	    !fdl_coalesce_next(&c, &out) || out.off.gso_size != SEGMENT ||
	    fdl_coalesced_copy(&out, back, sizeof(back)) != sizeof(super) ||
	    memcmp(back, super, sizeof(super)) != 0)
		return 1;
	puts("the same");
	return 0;
}
