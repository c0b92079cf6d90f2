/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "kind/kind.h"
#include "limit.h"
#include "offload/coalesce.h"

void shared_init(struct shared *s)
{
	pthread_mutex_init(&s->device_lock, NULL);
	s->device.netlink = -1;
}

void shared_destroy(struct shared *s)
{
	pthread_mutex_destroy(&s->device_lock);
}

void shared_error(struct shared *s, const char *text)
{
	if (text)
		atomic_store_explicit(&s->last_error, text,
				      memory_order_relaxed);
}

unsigned shared_merges(const struct shared *s, uint32_t offloads)
{
	static const struct {
		uint32_t offloads;
		unsigned flag;
	} map[] = {
		{ FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6,
		  FDL_COALESCE_TCP },
		{ FDL_OFFLOAD_CSUM | FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
		  FDL_COALESCE_UDP | FDL_COALESCE_UDP_TUNNEL_SUM },
		{ FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM,
		  FDL_COALESCE_UDP_TUNNEL },
	};
	unsigned flags = 0;
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if ((offloads & map[i].offloads) == map[i].offloads)
			flags |= map[i].flag;
	if (!s->tunnels_apart)
		return flags;
	return (flags & ~(unsigned)FDL_COALESCE_UDP_TUNNEL_SUM) |
	       COALESCE_TUNNELS_APART;
}

void shared_tell_tunnel(struct shared *s)
{
	if (!atomic_exchange(&s->warned_tunnel, true))
		log_say(&s->log, FDL_LOG_WARNING,
			"a super-packet was dropped, because the tunnel around "
			"it cannot be cut (a cipher, a sequence number of GRE, "
			"an unknown encapsulation): turn offloads off at its "
			"sender, with 'ethtool -K TUNNEL tso off gso off'");
}

void shared_tell_unread(struct shared *s)
{
	if (!atomic_exchange(&s->warned_unread, true))
		log_say(&s->log, FDL_LOG_WARNING,
			"a packet was dropped by the kernel as it was read, "
			"because its virtio-net header cannot describe the "
			"packet's offload (before Linux 6.2 that of "
			"UDP_SEGMENT): turn that offload off at its sender, "
			"with 'ethtool -K DEVICE tx-udp-segmentation off'");
}

/* Packets that the device had dropped before the endpoint was made are not ours
 * to count. */
static int note_drops(struct shared *s, int err)
{
	if (err || s->counts_drops)
		return err;
	err = device_dropped(&s->device, &s->device_drops);
	s->counts_drops = !err;
	return err;
}

static int open_device(struct shared *s, int fd, const struct fdl_info *info)
{
	return note_drops(
		s, device_open(&s->device, s->kind->device, fd, info->name));
}

int shared_open_device(struct shared *s, int fd, const struct fdl_info *info)
{
	int err = open_device(s, fd, info);
	char text[LIMIT_TEXT];

	if (err)
		log_say(&s->log, FDL_LOG_WARNING,
			"%s cannot be asked about "
			"(%s): changes of the link and drops by the device "
			"are not noticed",
			*info->name ? info->name : "the device",
			limit_text(text, err));
	return err;
}

int shared_reopen_device(struct shared *s, int fd, const struct fdl_info *info)
{
	int err;

	pthread_mutex_lock(&s->device_lock);
	device_close(&s->device);
	err = open_device(s, fd, info);
	pthread_mutex_unlock(&s->device_lock);
	return err;
}

int shared_replace_device(struct shared *s, int fd, const struct fdl_info *info,
			  unsigned batch)
{
	uint64_t before = 0;
	int err = 0;

	pthread_mutex_lock(&s->device_lock);
	if (s->device_batch != batch) {
		err = note_drops(s, device_renew(&s->device, s->kind->device,
						 fd, info->name));
		if (!err)
			err = device_dropped(&s->device, &before);
		if (!err)
			s->device_batch = batch;
		s->device_drops = before - s->device_total;
	}
	pthread_mutex_unlock(&s->device_lock);
	return err;
}

/* A device that comes back while the carrier is switched gets the last word. */
int shared_switch_carrier(struct shared *s, int fd, int carrier)
{
	int err = 0;

	pthread_mutex_lock(&s->device_lock);
	if (carrier)
		s->carrier = carrier;
	if (s->carrier)
		err = s->kind->set_carrier(fd, s->carrier > 0);
	pthread_mutex_unlock(&s->device_lock);
	return err;
}

int shared_get_link(struct shared *s, struct link *link)
{
	int err;

	pthread_mutex_lock(&s->device_lock);
	err = device_get(&s->device, link);
	pthread_mutex_unlock(&s->device_lock);
	return err;
}

int shared_device_drops(struct shared *s, uint64_t *drops)
{
	uint64_t dropped;
	int err;

	pthread_mutex_lock(&s->device_lock);
	err = device_dropped(&s->device, &dropped);
	if (!err)
		s->device_total = dropped - s->device_drops;
	*drops = s->device_total;
	pthread_mutex_unlock(&s->device_lock);
	return err;
}

void shared_device_left(struct shared *s, const struct link *last)
{
	uint64_t dropped;

	pthread_mutex_lock(&s->device_lock);
	if (device_leave(&s->device, last, &dropped) && s->counts_drops)
		s->device_total = dropped - s->device_drops;
	pthread_mutex_unlock(&s->device_lock);
}
