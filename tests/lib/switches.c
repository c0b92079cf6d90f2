/* SPDX-License-Identifier: Apache-2.0 */
#include "switches.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_CODE = 512 };

struct switches switches;

/* The program that is in use. */
static struct sock_filter last[MAX_CODE];

int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

/* The test does not know which socket is whose, but tells them apart. */
static unsigned tell_apart(int fd)
{
	unsigned i;
	int none;

	for (i = 0; i < MAX_SWITCHING; i++) {
		none = -1;
		if (atomic_compare_exchange_strong(&switches.by[i], &none,
						   fd) ||
		    none == fd)
			return i;
	}
	fail_msg("a switch by a socket too many");
	return 0;
}

/* Who gives the same program again waits for the kernel, and no more. */
static bool is_new(const struct sock_fprog *program)
{
	assert_in_range(program->len, 1, MAX_CODE);
	return memcmp(last, program->filter, program->len * sizeof(*last)) != 0;
}

/* A queue whose ring is in use has a row of its own in the program. */
static unsigned find_ring(const struct sock_fprog *program)
{
	unsigned i;

	for (i = 0; i < program->len; i++)
		if (program->filter[i].code == (BPF_RET | BPF_K))
			return program->filter[i].k;
	return 0;
}

static int replace_program(int fd, const struct sock_fprog *program,
			   socklen_t len)
{
	int err;

	switches.begun++;
	while (switches.held)
		usleep(100);
	usleep(switches.delay_us);
	err = switches.refusal;
	if (!err) {
		err = __real_os_setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA,
					   program, len);
		memcpy(last, program->filter, program->len * sizeof(*last));
		switches.member = find_ring(program);
		switches.done[tell_apart(fd)]++;
	}
	switches.ended++;
	return err;
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	if (level == SOL_PACKET && name == PACKET_FANOUT_DATA && is_new(val))
		return replace_program(fd, val, len);
	if (level == SOL_PACKET && name == PACKET_RX_RING)
		switches.ring = fd;
	if (level == SOL_PACKET && name == PACKET_FANOUT && switches.no_entry) {
		switches.begun++;
		switches.ended++;
		return switches.no_entry;
	}
	return __real_os_setsockopt(fd, level, name, val, len);
}

void switches_reset(void)
{
	unsigned i;

	switches.hurried = false;
	switches.held = false;
	switches.delay_us = 0;
	switches.refusal = 0;
	switches.no_entry = 0;
	switches.begun = 0;
	switches.ended = 0;
	for (i = 0; i < MAX_SWITCHING; i++) {
		switches.by[i] = -1;
		switches.done[i] = 0;
	}
}

unsigned switches_done(void)
{
	unsigned i, n = 0;

	for (i = 0; i < MAX_SWITCHING; i++)
		n += switches.done[i];
	return n;
}

void switches_begin(void (*deliver)(void *ctx), void *ctx)
{
	const unsigned before = switches.begun;

	switches.held = true;
	switches.hurried = true;
	while (switches.begun == before)
		deliver(ctx);
	switches.hurried = false;
}

void switches_await(void)
{
	switches.held = false;
	while (switches.ended < switches.begun)
		usleep(100);
}
