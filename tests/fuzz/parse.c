/* SPDX-License-Identifier: Apache-2.0 */
/* Input: link length, how many bytes of the frame are not at hand, frame. */
#include "proto/parse.h"
#include "fuzz.h"
#include "proto/tcp.h"
#include "proto/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum fdl_refusal why;
	struct parsed p;
	unsigned link_len;
	size_t len, avail;
	uint8_t *frame;

	if (size < 2)
		return 0;
	link_len = link_len_of(data[0]);
	len = size - 2;
	avail = data[1] < len ? len - data[1] : 0;
	frame = exact_copy(data + 2, avail);
	why = parse_frame(frame, avail, len, link_len, &p);
	MUST(fdl_refusal_name(why));
	MUST(flow_hash(frame, avail, link_len, &p));
	if (why) {
		MUST(!p.proto);
	} else {
		MUST(p.proto == TCP_PROTO || p.proto == UDP_PROTO);
		MUST(p.l3 == link_len && p.l3 < p.l4 && p.l4 < p.payload);
		MUST(p.payload <= p.end && p.end <= len && p.payload <= avail);
	}
	if (avail == len)
		fdl_checksum_verify(frame, len, link_len);
	free(frame);
	return 0;
}
