/* SPDX-License-Identifier: Apache-2.0 */
/* Cut by copying and by slicing: the same segments, and all of the payload. */
#include "fuzz.h"

static size_t join(uint8_t *to, const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void cut(const struct vnet_input *in, const struct iovec *iov, int cnt,
		unsigned flags)
{
	struct fdl_segmenter a, b;
	struct fdl_offload off;
	struct iovec out[4];
	uint8_t hdr[FDL_HEADERS_MAX], *buf, *sliced;
	size_t len, payload = 0;
	enum fdl_refusal why;
	int n;

	why = fdl_segment_start(&a, iov, cnt, in->link_len, &in->off, flags);
	MUST(why ==
	     fdl_segment_start(&b, iov, cnt, in->link_len, &in->off, flags));
	while ((len = fdl_segment_len(&a))) {
		MUST(!why);
		buf = malloc(len);
		sliced = malloc(len);
		MUST(buf && sliced);
		MUST(fdl_segment_next(&a, buf, len, &off) == (int)len);
		n = fdl_segment_gather(&b, hdr, out, 4, &off);
		MUST(n > 0 && join(sliced, out, n) == len);
		MUST(!memcmp(buf, sliced, len));
		MUST(!fdl_offload_check(buf, len, len, in->link_len, &off));
		payload += len - a.hdr_len;
		free(buf);
		free(sliced);
	}
	MUST(payload <= in->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_input in;
	struct iovec iov[3];
	size_t at;

	if (size < VNET_INPUT_MIN)
		return 0;
	if (!vnet_input(&in, data, size)) {
		at = in.len / 3;
		iov[0] = (struct iovec){ in.frame, at };
		iov[1] = (struct iovec){ in.frame + at, 0 };
		iov[2] = (struct iovec){ in.frame + at, in.len - at };
		cut(&in, iov, 3, 0);
		cut(&in, iov, 3, FDL_SEGMENT_PARTIAL);
	}
	free(in.frame);
	return 0;
}
