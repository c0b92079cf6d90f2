/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: head, tail, room in units of 8 bytes (two bytes, big), then that of
 * segment. A packet is laid out three times: its runs are those that the kernel
 * takes, and hold what fdl_segment_next cuts, three times.
 */
#include <fdlink/run.h>

#include "fuzz.h"

enum { TIMES = 3, OPTIONS = 4 };

static void start(struct fdl_segmenter *s, struct iovec *iov,
		  const struct vnet_input *in)
{
	iov->iov_base = in->frame;
	iov->iov_len = in->len;
	MUST(!fdl_segment_start(s, iov, 1, in->link_len, &in->off, 0));
}

/* The next segment, begun anew where one packet ends; false: no more. */
static size_t next(struct fdl_segmenter *s, struct iovec *iov,
		   const struct vnet_input *in, int *left, uint8_t *to)
{
	size_t len = fdl_segment_len(s);

	while (!len && *left > 0) {
		--*left;
		start(s, iov, in);
		len = fdl_segment_len(s);
	}
	if (len)
		MUST(fdl_segment_next(s, to, len, NULL) == (int)len);
	return len;
}

static void look(const struct fdl_run *run, const struct vnet_input *in,
		 struct fdl_segmenter *s, struct iovec *iov, int *left)
{
	static uint8_t want[FDL_RUN_BYTES];
	const size_t around = (size_t)run->head + run->tail;
	uint32_t at, size;
	int i = 0;

	if (!run->len)
		return;
	MUST(run->count && run->count <= FDL_RUN_DATAGRAMS);
	MUST(run->len <= run->room && run->len <= FDL_RUN_BYTES);
	for (at = 0; at < run->len; at += size, i++) {
		size = run->len - at < run->size ? run->len - at : run->size;
		MUST(next(s, iov, in, left, want) == size - around);
		MUST(!memcmp(run->buf + at + run->head, want, size - around));
	}
	MUST(i == run->count);
}

static void lay_out(struct fdl_run *run, const struct vnet_input *in)
{
	struct fdl_segmenter s, cut;
	struct iovec iov, iov_cut;
	int i, full, left = TIMES - 1;

	start(&cut, &iov_cut, in);
	for (i = 0; i < TIMES; i++) {
		start(&s, &iov, in);
		while ((full = fdl_segment_run(&s, run)) == 1) {
			MUST(fdl_segment_len(&s));
			look(run, in, &cut, &iov_cut, &left);
			run->len = 0;
		}
		if (full) {
			MUST(!run->len &&
			     fdl_segment_len(&s) + run->head + run->tail >
				     run->room);
			return;
		}
		MUST(!fdl_segment_len(&s));
	}
	look(run, in, &cut, &iov_cut, &left);
	MUST(!next(&cut, &iov_cut, in, &left, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdl_run run = { 0 };
	struct vnet_input in;
	struct iovec iov;
	struct fdl_segmenter s;

	if (size < OPTIONS + VNET_INPUT_MIN)
		return 0;
	run.head = data[0];
	run.tail = data[1];
	run.room = (uint32_t)(data[2] << 8 | data[3]) * 8 % FDL_RUN_BYTES;
	if (!vnet_input(&in, data + OPTIONS, size - OPTIONS)) {
		run.buf = malloc(run.room + 1u);
		MUST(run.buf);
		iov = (struct iovec){ in.frame, in.len };
		if (!fdl_segment_start(&s, &iov, 1, in.link_len, &in.off, 0))
			lay_out(&run, &in);
		free(run.buf);
	}
	free(in.frame);
	return 0;
}
