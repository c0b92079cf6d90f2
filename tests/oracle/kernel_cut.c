/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_cut.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../unit/packets.h"
#include "net.h"
#include "offload/segment.h"

static int tap_in, tap_out;

void kernel_cut_join(int in, int out)
{
	tap_in = in;
	tap_out = out;
	net_bridge("br0", "in", "out");
}

bool kernel_cut_write(void *hdr, size_t hdr_len, void *frame, size_t len)
{
	const struct iovec iov[2] = { { hdr, hdr_len }, { frame, len } };

	if (writev(tap_in, iov, 2) >= 0)
		return true;
	fprintf(stderr, "kernel refuses: %m\n");
	return false;
}

static ssize_t from_kernel(uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = tap_out, .events = POLLIN };
	ssize_t n = read(tap_out, buf, size);

	if (n < 0 && errno == EAGAIN && poll(&p, 1, 30000) > 0)
		n = read(tap_out, buf, size);
	return n;
}

static void same_zero(uint8_t *want, const uint8_t *got, unsigned at)
{
	if (!get16(want + at) && get16(got + at) == 0xffff)
		put16(want + at, 0xffff);
}

int kernel_cut_compare(const struct iovec *super, unsigned link_len,
		       const struct fdl_offload *off, unsigned zero_at)
{
	static uint8_t want[70000], got[70000];
	struct fdl_segmenter seg;
	enum fdl_refusal why;
	int n, count = 0;
	ssize_t k;

	why = fdl_segment_start(&seg, super, 1, link_len, off, 0);
	if (why) {
		fprintf(stderr, "refused: %s\n", fdl_refusal_name(why));
		return -1;
	}
	while ((n = fdl_segment_next(&seg, want, sizeof(want), NULL)) > 0) {
		k = from_kernel(got, sizeof(got));
		if (k < 0) {
			fprintf(stderr, "segment %d: kernel has none\n", count);
			return -1;
		}
		if (zero_at && k == n)
			same_zero(want, got, zero_at);
		if (k != n || memcmp(want, got, (size_t)n)) {
			fprintf(stderr, "segment %d: ", count);
			net_show(want, (size_t)n, got, (size_t)k);
			return -1;
		}
		count++;
	}
	if (read(tap_out, got, sizeof(got)) > 0) {
		fprintf(stderr, "after %d segments: kernel has more\n", count);
		return -1;
	}
	return count;
}

/* What is left of a case that differed is not the next one's. */
static void drain(void)
{
	uint8_t rest[70000];

	while (read(tap_out, rest, sizeof(rest)) > 0)
		;
}

int kernel_cut_run(const char *name, int cases, int (*one)(struct rng *r))
{
	struct rng r = seeded(name);
	int i, n, segments = 0, bad = 0;

	for (i = 0; i < cases && bad < 10; i++) {
		n = one(&r);
		if (n < 0) {
			bad++;
			drain();
		} else {
			segments += n;
		}
	}
	printf("%d packets, %d segments, %d differ\n", i, segments, bad);
	return bad ? 1 : 0;
}
