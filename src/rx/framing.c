/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtio-net header of a TUN or TAP is the device's: whoever has an fd of
 * it may set its size and its byte order, and who attaches to it says whether
 * there is one. No read tells. Though what is read by the wrong framing does
 * not begin like a packet: if the first or the last of a batch does not, or a
 * header contradicted its packet, the device is asked before any of them is
 * delivered.
 *
 * That of an AF_PACKET socket is the socket's, for all who hold it. There each
 * message tells how long its header is (io/notes.h).
 */
#include "rx/framing.h"

#include "kind/kind.h"
#include "os.h"
#include "proto/eth.h"

enum {
	/* The kernel takes a lock of the whole machine's to answer, and a peer
	 * may send odd frames as often as it likes. */
	ASK_MS = 1,
};

static unsigned type_of(const struct fdl_packet *pkt)
{
	return eth_get16(pkt->data + ETH_HDR_LEN - 2);
}

/* Most are. Of those that are not the device is asked once for each protocol: a
 * number that was no mistake then is none now. */
static bool begins_like_ethernet(const struct rx *rx,
				 const struct fdl_packet *pkt)
{
	unsigned type;

	if (pkt->len < ETH_HDR_LEN)
		return false;
	type = type_of(pkt);
	switch (type) {
	case ETH_TYPE_IP4:
	case ETH_TYPE_IP6:
	case ETH_TYPE_ARP:
	case ETH_TYPE_SERVICE_VLAN:
	case ETH_TYPE_VLAN:
		return true;
	default:
		return type >= ETH_MIN_TYPE && type == rx->protocol;
	}
}

static bool begins_like_ip(const struct fdl_packet *pkt)
{
	const unsigned version = pkt->len ? pkt->data[0] >> 4 : 0;

	return version == 4 || version == 6;
}

static bool is_odd(const struct rx *rx, const struct fdl_packet *pkt)
{
	return !(rx->shared->opts.flags & FDL_ETHERNET ?
			 begins_like_ethernet(rx, pkt) :
			 begins_like_ip(pkt));
}

static bool is_time_to_ask(struct rx *rx)
{
	const int64_t now = os_now_ms();

	if (now < rx->ask_at)
		return false;
	rx->ask_at = now + ASK_MS;
	return true;
}

static void warn(struct rx *rx, const struct io_framing *now)
{
	if (atomic_exchange(&rx->shared->warned, true))
		return;
	log_say(&rx->shared->log, FDL_LOG_WARNING,
		"another process has changed what this %s puts before each "
		"packet: a virtio-net header of %u bytes, not %u: it is "
		"followed, and packets read before are dropped",
		rx->io->kind->name, now->vnet_hdr_len, rx->io->vnet_hdr_len);
}

static void warn_of_offloads(struct rx *rx)
{
	if (atomic_exchange(&rx->shared->warned, true))
		return;
	log_say(&rx->shared->log, FDL_LOG_WARNING,
		"another process has this %s leave checksums and segmentation "
		"to its reader, and there is no virtio-net header to tell it "
		"by: they are turned off, and super-packets read before are "
		"dropped",
		rx->io->kind->name);
}

static void drop_all(struct rx *rx, int got)
{
	int i;

	count(rx->counters, RX_DROP_VNET_HDR, (uint64_t)got);
	for (i = 0; i < got; i++)
		fdl_release(&rx->frame[i].pkt, 1);
}

static bool is_same(const struct io *io, const struct io_framing *now)
{
	return now->vnet_hdr_len == io->vnet_hdr_len && !now->packet_info &&
	       (now->order == io->order || !now->vnet_hdr_len);
}

void framing_set(struct rx *rx, uint32_t word)
{
	const struct io_framing now = io_unpack(word);

	rx->reframed = word;
	rx->protocol = 0;
	rx->io->vnet_hdr_len = now.vnet_hdr_len;
	rx->io->vnet_hdr_at = now.vnet_hdr_len;
	rx->io->order = now.order;
}

static enum framing adopt(struct rx *rx, const struct io_framing *now)
{
	if (now->packet_info || now->vnet_hdr_len > IO_MAX_HEADER)
		return FRAMING_LOST;
	warn(rx, now);
	framing_set(rx, io_pack(now));
	atomic_store_explicit(&rx->shared->reframed, rx->reframed,
			      memory_order_relaxed);
	return FRAMING_FOLLOWED;
}

bool framing_cure(struct rx *rx)
{
	struct io_framing now = { .unreadable = true };

	return rx->io->kind->follow(rx->io->fd, &now) >= 0 &&
	       !is_same(rx->io, &now) && adopt(rx, &now) == FRAMING_FOLLOWED;
}

static bool is_doubtful(struct rx *rx, int got)
{
	return rx->doubt || is_odd(rx, rx->frame[0].pkt) ||
	       is_odd(rx, rx->frame[got - 1].pkt);
}

/* Framing holds, though a packet is odd: then its protocol is an unusual
 * one. */
static void note_protocol(struct rx *rx, const struct fdl_packet *pkt)
{
	if (is_odd(rx, pkt) && pkt->len >= ETH_HDR_LEN)
		rx->protocol = (uint16_t)type_of(pkt);
}

enum framing framing_check(struct rx *rx, int got)
{
	struct io_framing now = { 0 };
	enum framing framing;

	if (!is_doubtful(rx, got) || !is_time_to_ask(rx))
		return FRAMING_HOLDS;
	rx->doubt = false;
	/* That it is gone, the next read tells. */
	if (rx->io->kind->follow(rx->io->fd, &now) < 0)
		return FRAMING_HOLDS;
	if (is_same(rx->io, &now)) {
		note_protocol(rx, rx->frame[0].pkt);
		note_protocol(rx, rx->frame[got - 1].pkt);
		return FRAMING_HOLDS;
	}
	framing = adopt(rx, &now);
	drop_all(rx, got);
	return framing;
}

void framing_bare(struct rx *rx)
{
	struct io_framing now = { 0 };

	if (!is_time_to_ask(rx) || rx->io->kind->follow(rx->io->fd, &now) < 0)
		return;
	if (is_same(rx->io, &now)) {
		warn_of_offloads(rx);
		return;
	}
	rx->doubt = true;
	rx->ask_at = 0;
}

void framing_mend(struct rx *rx)
{
	rx->io->disturbed = false;
	rx->io->kind->mend(rx->io);
	if (atomic_exchange(&rx->shared->warned, true))
		return;
	log_say(&rx->shared->log, FDL_LOG_WARNING,
		"another holder of this %s socket has changed its "
		"PACKET_VNET_HDR or PACKET_AUXDATA: they are set again, and "
		"packets read before are dropped",
		rx->io->kind->name);
}

void framing_rebind(struct rx *rx)
{
	const struct kind *kind = rx->io->kind;

	if (!kind->rebind || !kind->rebind(rx->io) ||
	    atomic_exchange(&rx->shared->warned, true))
		return;
	log_say(&rx->shared->log, FDL_LOG_WARNING,
		"another holder of this %s socket has bound it to another "
		"device or protocol: it is bound back; give each program a "
		"socket of its own",
		kind->name);
}

void framing_strays(struct rx *rx, int got)
{
	int i;

	rx->io->strayed = false;
	framing_rebind(rx);
	if (rx->io->kind->strays(rx->io))
		return;
	for (i = 0; i < got; i++)
		rx->frame[i].odd &= (uint8_t)~IO_STRAY;
}
