/* SPDX-License-Identifier: Apache-2.0 */
/* What a ring is divided into, as the kernel is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/if_packet.h>

#include <fdlink/open.h>

#include "flows.h"
#include "netns.h"

enum { KIB = 1 << 10, MIB = 1 << 20, BATCH = 32 };

struct geometry {
	uint32_t bytes, block, blocks;
};

static struct tpacket_req3 asked;
static atomic_bool was_asked;
static _Atomic int64_t clock_us;

int64_t __wrap_os_now_us(void);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const struct tpacket_req3 *req = val;

	if (name == PACKET_RX_RING && req->tp_block_nr) {
		asked = *req;
		was_asked = true;
	}
	return __real_os_setsockopt(fd, level, name, val, len);
}

/* Mode adaptive finds a load at each look. */
int64_t __wrap_os_now_us(void)
{
	return atomic_fetch_add(&clock_us, 4000);
}

static void deliver_some(struct fdl_endpoint *ep, int sock)
{
	struct fdl_packet *v[BATCH];
	int i, n;

	for (i = 0; i < BATCH; i++)
		flows_put(sock, 0, 0, true);
	while ((n = fdl_recv(fdl_get_queue(ep, 0), v, BATCH)) > 0)
		fdl_release(v, n);
	assert_int_equal(n, 0);
}

/* The mode has no ring before there is a load, and makes it on a thread, which
 * has ended when the endpoint has. */
static void expect_geometry(enum fdl_mode mode, const struct geometry *g)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = mode,
		.ring_bytes = g->bytes,
	};
	const int sock = flows_socket("lo", 0);
	struct fdl_endpoint *ep;

	was_asked = false;
	assert_int_equal(fdl_open(&ep, "packet:lo", &opts), 0);
	while (!was_asked)
		deliver_some(ep, sock);
	fdl_endpoint_free(ep);
	close(sock);
	assert_int_equal(asked.tp_block_size, g->block);
	assert_int_equal(asked.tp_block_nr, g->blocks);
}

static void blocks_are_long_if_there_are_enough(void **state)
{
	static const struct geometry cases[] = {
		{ 0, 512 * KIB, 32 },		{ 64 * MIB, 512 * KIB, 128 },
		{ 5 * MIB, 512 * KIB, 10 },	{ 4 * MIB, 512 * KIB, 8 },
		{ 4 * MIB - 1, 256 * KIB, 15 }, { 2 * MIB, 256 * KIB, 8 },
		{ 2 * MIB - 1, 128 * KIB, 15 }, { 1, 128 * KIB, 4 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_geometry(FDL_MODE_PACKET_MMAP, &cases[i]);
}

/* Few packets close a block, too, and the ring is not read for a while. */
static void adaptive_has_many_blocks(void **state)
{
	static const struct geometry cases[] = {
		{ 0, 128 * KIB, 128 },
		{ 64 * MIB, 512 * KIB, 128 },
		{ 64 * MIB - 1, 256 * KIB, 255 },
		{ 4 * MIB, 128 * KIB, 32 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_geometry(FDL_MODE_ADAPTIVE, &cases[i]);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_long_if_there_are_enough),
		cmocka_unit_test(adaptive_has_many_blocks),
	};

	(void)argc;
	if (sysconf(_SC_PAGESIZE) > 128 * KIB) {
		puts("a page is longer than these blocks");
		return EXIT_SKIPPED;
	}
	netns_enter(argv);
	netns_set_up("lo", true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
