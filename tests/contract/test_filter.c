/* SPDX-License-Identifier: Apache-2.0 */
/* What a device that filters lets through to an endpoint with an address. */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "flows.h"
#include "macvlan_bed.h"
#include "netns.h"

static const uint8_t other[6] = { 0x02, 0, 0, 0, 0, 0x99 },
		     group[6] = { 0x33, 0x33, 0xff, 0, 0, 0x02 };

static struct fdl_endpoint *open_as(const uint8_t address[6])
{
	struct fdl_options opts = { 0 };
	struct fdl_endpoint *ep = NULL;

	memcpy(opts.address, address, sizeof(opts.address));
	assert_int_equal(flows_open_with(&ep, "packet:fdm", opts), 0);
	return ep;
}

/* Which IPv6 asks for addresses by, and no one here is a member of. */
static void groups_come_through_a_macvlan(void **state)
{
	int sock = flows_socket("fdq", 0);
	struct fdl_endpoint *ep;

	(void)state;
	macvlan_make("bridge");
	ep = open_as(macvlan_own);
	assert_string_equal(flows_said, "");
	macvlan_feed(sock, group);
	macvlan_expect(ep, group);
	macvlan_feed(sock, macvlan_own);
	macvlan_expect(ep, macvlan_own);
	close(sock);
	fdl_endpoint_free(ep);
}

static void an_address_that_cannot_work_is_said(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	int sock = flows_socket("fdq", 0);

	(void)state;
	macvlan_make("bridge");
	ep = open_as(other);
	assert_non_null(strstr(flows_said, "own address 02:00:00:00:00:77"));
	assert_non_null(strstr(flows_said, "none for 02:00:00:00:00:99"));
	macvlan_feed(sock, other);
	macvlan_feed(sock, group);
	macvlan_expect(ep, group);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	close(sock);
	fdl_endpoint_free(ep);
}

/* The device below has no other user. */
static void any_address_works_where_all_is_passed_on(void **state)
{
	struct fdl_endpoint *ep;
	int sock = flows_socket("fdq", 0);

	(void)state;
	macvlan_make("passthru");
	ep = open_as(other);
	assert_string_equal(flows_said, "");
	macvlan_feed(sock, other);
	macvlan_expect(ep, other);
	close(sock);
	fdl_endpoint_free(ep);
}

static void expect_flags(const char *dev, bool all)
{
	netns_command("ip -d link show %s | grep -q 'allmulti %d'", dev, all);
}

/* What the endpoint asked the device for goes with it. */
static void nothing_is_left_asked_for(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_options opts = { 0 };
	int sock;

	(void)state;
	macvlan_make("bridge");
	sock = flows_socket("fdm", ETH_P_ALL);
	memcpy(opts.address, macvlan_own, sizeof(macvlan_own));
	assert_int_equal(fdl_endpoint_new(&ep, &sock, 1, &opts), 0);
	expect_flags("fdm", true);
	fdl_endpoint_free(ep);
	expect_flags("fdm", false);
	memset(opts.address, 0, sizeof(opts.address));
	assert_int_equal(fdl_endpoint_new(&ep, &sock, 1, &opts), 0);
	expect_flags("fdm", false);
	fdl_endpoint_free(ep);
	close(sock);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_MACVLAN(groups_come_through_a_macvlan),
		OVER_MACVLAN(an_address_that_cannot_work_is_said),
		OVER_MACVLAN(any_address_works_where_all_is_passed_on),
		OVER_MACVLAN(nothing_is_left_asked_for),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
