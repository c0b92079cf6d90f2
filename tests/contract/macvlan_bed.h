/* SPDX-License-Identifier: Apache-2.0 */
/* A macvlan, fdm, over fdqp; what is sent on fdq may come by it. */
#ifndef TESTS_MACVLAN_BED_H
#define TESTS_MACVLAN_BED_H

#include <stdint.h>

#include <fdlink/fdlink.h>

extern const uint8_t macvlan_own[6];	/* its address */

void macvlan_make(const char *mode);

/* Send a frame to that address, and receive the next one, which is it. */
void macvlan_feed(int sock, const uint8_t to[6]);
void macvlan_expect(struct fdl_endpoint *ep, const uint8_t to[6]);

int macvlan_drop(void **state);

/* flows.h */
#define OVER_MACVLAN(f) \
	cmocka_unit_test_setup_teardown(f, flows_make_veth, macvlan_drop)

#endif
