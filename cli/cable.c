/* SPDX-License-Identifier: Apache-2.0 */
#include "cable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "cli.h"
#include "connect.h"

struct side {
	const char *locator;
	struct fdl_endpoint *ep;
	bool agreed;		/* its MTU is what the other end has */
	bool has_carrier;	/* its carrier can be set */
	bool carrier;		/* as the wire set it */
	_Atomic uint32_t mtu;
	bool there;		/* switched on, with somebody at its end */
};

struct cable {
	struct side side[CONNECT_ENDS];
	int changed;		/* an eventfd */
	_Atomic bool plugged;
};

static uint32_t mtu_of(const struct side *side)
{
	return atomic_load_explicit(&side->mtu, memory_order_relaxed);
}

static void set_mtu(struct side *side, uint32_t mtu)
{
	atomic_store_explicit(&side->mtu, mtu, memory_order_relaxed);
}

static void compare_mtus(const struct cable *cable)
{
	const struct side *a = &cable->side[0], *b = &cable->side[1];
	const struct side *small = mtu_of(a) < mtu_of(b) ? a : b;
	const struct side *large = small == a ? b : a;

	if (mtu_of(a) == mtu_of(b))
		return;
	cli_say("%s has an MTU of %" PRIu32 " and %s one of %" PRIu32
		": longer packets for it may be lost: set both to %" PRIu32,
		small->locator, mtu_of(small), large->locator, mtu_of(large),
		mtu_of(small));
}

/* If the wire can set a side's carrier, the carrier is only what the wire set:
 * ask whether the device is up instead. A device that has moved out of sight is
 * taken to be up, because nobody would tell when it is. */
static void look_at_side(struct side *side, uint32_t *mtu)
{
	struct fdl_link link;
	const int rc = fdl_link_state(side->ep, &link, sizeof(link));

	*mtu = rc < 0 ? mtu_of(side) : link.mtu;
	if (*mtu > CONNECT_MTU)
		*mtu = CONNECT_MTU;
	if (rc == -ENODEV)
		side->there = false;
	else if (rc == -EXDEV)
		side->there = true;
	else if (rc == 0)
		side->there = side->has_carrier ? link.up : link.carrier;
}

static void note_mtus(struct cable *cable, uint32_t of_a, uint32_t of_b)
{
	struct side *a = &cable->side[0], *b = &cable->side[1];

	/* Peers of a side that agree on their MTU are taken to have that of the
	 * other side. */
	if (a->agreed && !b->agreed)
		of_a = of_b;
	if (b->agreed && !a->agreed)
		of_b = of_a;
	if (of_a == mtu_of(a) && of_b == mtu_of(b))
		return;
	set_mtu(a, of_a);
	set_mtu(b, of_b);
	compare_mtus(cable);
	if (of_a == of_b)
		cli_say("there is an MTU of %" PRIu32 " at both ends now",
			of_a);
}

static void set_carrier(struct side *side, bool on)
{
	if (side->has_carrier && side->carrier != on &&
	    !fdl_set_carrier(side->ep, on))
		side->carrier = on;
}

static void open_side(struct side *side, const struct connect_options *o,
		      struct fdl_endpoint *ep, unsigned end)
{
	struct fdl_info info;

	fdl_get_info(ep, &info, sizeof(info));
	side->locator = o->locator[end];
	side->ep = ep;
	side->agreed = !info.device && !strstr(side->locator, ",mtu=");
	side->there = true;
	side->has_carrier = !fdl_set_carrier(ep, true);
	side->carrier = true;
	set_mtu(side, fdl_mtu(ep));
}

int cable_open(struct cable **made, const struct connect_options *o,
	       struct fdl_endpoint *const ep[])
{
	struct cable *cable = calloc(1, sizeof(*cable));
	unsigned end;
	int err;

	if (!cable)
		return -ENOMEM;
	cable->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cable->changed < 0) {
		err = -errno;
		free(cable);
		return err;
	}
	cable->plugged = true;
	for (end = 0; end < CONNECT_ENDS; end++)
		open_side(&cable->side[end], o, ep[end], end);
	compare_mtus(cable);
	cable_run(cable);
	*made = cable;
	return 0;
}

void cable_close(struct cable *cable)
{
	if (!cable)
		return;
	close(cable->changed);
	free(cable);
}

int cable_fd(const struct cable *cable)
{
	return cable->changed;
}

void cable_run(struct cable *cable)
{
	struct side *a = &cable->side[0], *b = &cable->side[1];
	const bool plugged = cable_is_plugged(cable);
	uint32_t of_a, of_b;
	eventfd_t times;

	eventfd_read(cable->changed, &times);
	look_at_side(a, &of_a);
	look_at_side(b, &of_b);
	note_mtus(cable, of_a, of_b);
	set_carrier(a, plugged && b->there);
	set_carrier(b, plugged && a->there);
}

bool cable_is_there(const struct cable *cable, unsigned end)
{
	return cable->side[end].there;
}

void cable_note(const struct cable *cable)
{
	eventfd_write(cable->changed, 1);
}

uint32_t cable_mtu(const struct cable *cable, unsigned end)
{
	return mtu_of(&cable->side[end]);
}

void cable_plug(struct cable *cable, bool plugged)
{
	atomic_store_explicit(&cable->plugged, plugged, memory_order_relaxed);
	cable_run(cable);
}

bool cable_is_plugged(const struct cable *cable)
{
	return atomic_load_explicit(&cable->plugged, memory_order_relaxed);
}
