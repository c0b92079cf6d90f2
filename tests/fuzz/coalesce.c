/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: flags, then packets: a control byte, a length of two bytes (big), the
 * frame. A packet whose control byte has FOLLOW is instead the one before it,
 * made into the next of its flow and its first bytes overwritten with what
 * comes: so that mutations reach packets that merge.
 *
 * Whatever comes out was put in, in order, and cuts into what it is made of.
 */
#include "fuzz.h"
#include "offload/checksum.h"
#include "proto/ip4.h"
#include "proto/tcp.h"

enum { MAX_PACKETS = 64, FOLLOW = 0x80, TRUSTED = 0x40, OVERWRITE = 0x20 };

struct batch {
	struct fdl_coalesce_packet pkt[MAX_PACKETS];
	struct iovec iov[MAX_PACKETS];
	int n;
};

static void advance(uint8_t *frame, size_t len, unsigned link_len)
{
	struct parsed p;
	uint8_t *seq;

	if (parse_frame(frame, len, len, link_len, &p))
		return;
	if (p.version == 4) {
		put_be16(frame + p.l3 + IP4_ID,
			 get_be16(frame + p.l3 + IP4_ID) + 1u);
		checksum_ip4(frame + p.l3);
	}
	if (p.proto != TCP_PROTO)
		return;
	seq = frame + p.l4 + TCP_SEQ;
	put_be32(seq, get_be32(seq) + p.end - p.payload);
}

/* Returns how much of the input the next packet took; 0: there is none. */
static size_t take(struct batch *b, const uint8_t *data, size_t size)
{
	const uint8_t control = size ? data[0] : 0;
	struct fdl_coalesce_packet *pkt = &b->pkt[b->n];
	struct iovec *iov = &b->iov[b->n];
	size_t len, used = 3;

	if (size < 3 || b->n == MAX_PACKETS)
		return 0;
	len = (size_t)(data[1] << 8 | data[2]);
	len = len < size - used ? len : size - used;
	pkt->link_len = (uint8_t)link_len_of(control);
	if (control & FOLLOW && b->n) {
		len = control & OVERWRITE ? len : 0;
		len = len < iov[-1].iov_len ? len : iov[-1].iov_len;
		*iov = iov[-1];
		iov->iov_base = exact_copy(iov[-1].iov_base, iov->iov_len);
		pkt->link_len = pkt[-1].link_len;
		advance(iov->iov_base, iov->iov_len, pkt->link_len);
		memcpy(iov->iov_base, data + used, len);
	} else {
		iov->iov_base = exact_copy(data + used, len);
		iov->iov_len = len;
	}
	pkt->iov = iov;
	pkt->cnt = 1;
	pkt->off.csum = control & TRUSTED ? FDL_CSUM_VALID : FDL_CSUM_NONE;
	pkt->user = (void *)(uintptr_t)b->n++;
	return used + len;
}

static void cut_again(const struct fdl_coalesced *out)
{
	const struct fdl_coalesce_packet *p = out->packets;
	uint8_t *buf = malloc(out->len + 1u), *cut;
	struct iovec iov = { buf, out->len };
	struct fdl_segmenter s;
	size_t len;

	MUST(fdl_coalesced_copy(out, buf, out->len) == (int)out->len);
	if (out->count > 1) {
		MUST(!fdl_segment_start(&s, &iov, 1, p->link_len, &out->off,
					0));
		for (; p; p = p->next) {
			len = fdl_segment_len(&s);
			MUST(len == p->iov->iov_len);
			cut = malloc(len);
			MUST(fdl_segment_next(&s, cut, len, NULL) == (int)len);
			MUST(!memcmp(cut, p->iov->iov_base, p->link_len));
			free(cut);
		}
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fdl_coalesced out;
	struct fdl_coalescer c;
	struct batch b = { .n = 0 };
	int total = 0, i, first = -1;
	size_t used;

	if (!size)
		return 0;
	fdl_coalesce_init(&c, data[0], 0, 0);
	for (data++, size--; (used = take(&b, data, size));) {
		fdl_coalesce_add(&c, &b.pkt[b.n - 1]);
		data += used;
		size -= used;
	}
	while (fdl_coalesce_next(&c, &out)) {
		MUST(first < (int)(uintptr_t)out.packets->user);
		first = (int)(uintptr_t)out.packets->user;
		MUST(out.len <= 65535 || out.count == 1);
		total += out.count;
		cut_again(&out);
	}
	MUST(total == b.n);
	for (i = 0; i < b.n; i++)
		free(b.iov[i].iov_base);
	/* the analyzer follows only some rounds of both loops */
	return 0; /* NOLINT(clang-analyzer-unix.Malloc) */
}
