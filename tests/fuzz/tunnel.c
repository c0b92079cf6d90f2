/* SPDX-License-Identifier: Apache-2.0 */
/* Input: link length, where the inner transport header begins, how many bytes
 * of the frame are not at hand, frame. */
#include "proto/tunnel.h"

#include "fuzz.h"
#include "proto/tcp.h"
#include "proto/udp.h"

static void check_headers(const struct tunnel *t, const struct parsed *p)
{
	unsigned i;

	MUST(t->n <= FDL_TUNNEL_HEADERS);
	for (i = 0; i < t->n; i++) {
		MUST(t->at[i] < p->l3);
		MUST(i == 0 || t->at[i] > t->at[i - 1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum fdl_refusal why;
	struct parsed p;
	struct tunnel t;
	size_t len, avail;
	uint8_t *frame;

	if (size < 3)
		return 0;
	len = size - 3;
	avail = data[2] < len ? len - data[2] : 0;
	frame = exact_copy(data + 3, avail);
	why = tunnel_parse(frame, avail, len, link_len_of(data[0]), data[1], &p,
			   &t);
	MUST(fdl_refusal_name(why));
	if (!why) {
		MUST(p.proto == TCP_PROTO || p.proto == UDP_PROTO);
		MUST(p.l3 < p.l4 && p.l4 < p.payload && p.payload <= p.end);
		MUST(p.end <= len && p.payload <= avail);
		MUST(!t.n || p.l4 == data[1]);
		check_headers(&t, &p);
	}
	free(frame);
	return 0;
}
