/* SPDX-License-Identifier: Apache-2.0 */
/* What a ring is divided into, as the kernel is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/if_packet.h>

#include <fdlink/open.h>

#include "netns.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

static struct tpacket_req3 asked;

int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const struct tpacket_req3 *req = val;

	if (name == PACKET_RX_RING && req->tp_block_nr)
		asked = *req;
	return __real_os_setsockopt(fd, level, name, val, len);
}

static void blocks_are_long_if_there_are_enough(void **state)
{
	static const struct {
		uint32_t bytes, block, blocks;
	} cases[] = {
		{ 0, 512 * KIB, 32 },		{ 64 * MIB, 512 * KIB, 128 },
		{ 5 * MIB, 512 * KIB, 10 },	{ 4 * MIB, 512 * KIB, 8 },
		{ 4 * MIB - 1, 256 * KIB, 15 }, { 2 * MIB, 256 * KIB, 8 },
		{ 2 * MIB - 1, 128 * KIB, 15 }, { 1, 128 * KIB, 4 },
	};
	struct fdl_endpoint *ep;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fdl_options opts = {
			.size = sizeof(opts),
			.mode = FDL_MODE_PACKET_MMAP,
			.ring_bytes = cases[i].bytes,
		};

		assert_int_equal(fdl_open(&ep, "packet:lo", &opts), 0);
		assert_int_equal(asked.tp_block_size, cases[i].block);
		assert_int_equal(asked.tp_block_nr, cases[i].blocks);
		fdl_endpoint_free(ep);
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_long_if_there_are_enough),
	};

	(void)argc;
	if (sysconf(_SC_PAGESIZE) > 128 * KIB) {
		puts("a page is longer than these blocks");
		return EXIT_SKIPPED;
	}
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
