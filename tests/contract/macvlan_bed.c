/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "flows.h"
#include "link.h"
#include "netns.h"

enum {
	LEN = 60,
	TYPE = 0x88b5,
};

const uint8_t macvlan_own[6] = { 0x02, 0, 0, 0, 0, 0x77 };

void macvlan_make(const char *mode)
{
	netns_command("ip link add fdm link fdqp address 02:00:00:00:00:77 "
		      "type macvlan mode %s && ip link set fdm up",
		      mode);
}

void macvlan_feed(int sock, const uint8_t to[6])
{
	uint8_t frame[LEN] = { 0 };

	memcpy(frame, to, 6);
	memcpy(frame + 6, link_remote, 6);
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	assert_int_equal(send(sock, frame, LEN, 0), LEN);
}

/* The kernel says something of itself at times. */
void macvlan_expect(struct fdl_endpoint *ep, const uint8_t to[6])
{
	struct fdl_packet *pkt = NULL;

	while (!pkt || pkt->protocol != TYPE) {
		fdl_release(&pkt, !!pkt);
		pkt = NULL;
		if (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) != 1)
			assert_true(fdl_poll(ep, WAIT_MS) > 0);
	}
	assert_memory_equal(pkt->data, to, 6);
	fdl_release(&pkt, 1);
}

int macvlan_drop(void **state)
{
	if (netns_has("fdm"))
		netns_command("ip link del fdm");
	return flows_drop_veth(state);
}
