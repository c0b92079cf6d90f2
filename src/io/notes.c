/* SPDX-License-Identifier: Apache-2.0 */
#include "io/notes.h"

#include <netinet/udp.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "libc.h"
#include "proto/eth.h"

/* The struct of options whose names end in _OLD and in _NEW. On 64 bits they
 * are the same; on 32 bits the C library chooses. */
struct old_time {
	long sec, fraction;
};

struct new_time {
	int64_t sec, fraction;
};

enum {
	NS_PER_US = 1000,
};

static uint64_t to_ns(int64_t sec, int64_t fraction, unsigned unit)
{
	return (uint64_t)sec * UINT64_C(1000000000) + (uint64_t)fraction * unit;
}

/* Returns the first of several times. 0: it is not given. */
static uint64_t old_time(const struct cmsghdr *c, unsigned unit)
{
	struct old_time time;

	if (c->cmsg_len < CMSG_LEN(sizeof(time)))
		return 0;
	memcpy(&time, CMSG_DATA(c), sizeof(time));
	return to_ns(time.sec, time.fraction, unit);
}

static uint64_t new_time(const struct cmsghdr *c, unsigned unit)
{
	struct new_time time;

	if (c->cmsg_len < CMSG_LEN(sizeof(time)))
		return 0;
	memcpy(&time, CMSG_DATA(c), sizeof(time));
	return to_ns(time.sec, time.fraction, unit);
}

/* Returns the time by the system's clock. SO_TIMESTAMPING has that of the
 * device's own clock behind it. */
static uint64_t time_of(const struct cmsghdr *c)
{
	switch (c->cmsg_type) {
	case SO_TIMESTAMP_OLD:
		return old_time(c, NS_PER_US);
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPING_OLD:
		return old_time(c, 1);
	case SO_TIMESTAMP_NEW:
		return new_time(c, NS_PER_US);
	case SO_TIMESTAMPNS_NEW:
	case SO_TIMESTAMPING_NEW:
		return new_time(c, 1);
	default:
		return 0;
	}
}

/*
 * tp_snaplen is the part of the frame that the socket has. The rest of the
 * message is the virtio-net header. Any holder of the socket can switch that
 * header off, or change its length.
 */
static inline void take_auxdata(const struct tpacket_auxdata *aux,
				size_t hdr_len, size_t len, struct io_frame *f)
{
	if (len != aux->tp_snaplen + hdr_len)
		f->odd |= IO_MISFRAMED;
	/* A filter that the caller attached may have let only the start of the
	 * frame pass. */
	if (aux->tp_len > f->wire_len)
		f->wire_len = aux->tp_len;
	if (!(aux->tp_status & TP_STATUS_VLAN_VALID))
		return;
	f->vlan_tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ?
			       aux->tp_vlan_tpid :
			       ETH_TYPE_VLAN;
	f->vlan_tci = aux->tp_vlan_tci;
}

/* Returns whether it tells all. */
static bool read_auxdata(const struct io *io, const struct cmsghdr *c,
			 size_t len, struct io_frame *f)
{
	struct tpacket_auxdata aux;

	if (c->cmsg_len < CMSG_LEN(sizeof(aux)))
		return false;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	take_auxdata(&aux, io->vnet_hdr_len, len, f);
	return true;
}

/* UDP_GRO: the kernel has merged datagrams and tells their length, which is the
 * same for all except the last. */
static void take_unit(const struct cmsghdr *c, size_t len, struct io_frame *f)
{
	int unit;

	if (c->cmsg_len < CMSG_LEN(sizeof(unit)))
		return;
	memcpy(&unit, CMSG_DATA(c), sizeof(unit));
	if (unit <= 0 || (size_t)unit >= len)
		return;
	f->unit = (uint16_t)unit;
	f->odd |= IO_SEVERAL;
}

static void take_time(const struct cmsghdr *c, struct io_frame *f)
{
	const uint64_t time = time_of(c);

	if (time)
		f->pkt->tstamp_ns = time;
}

/* CMSG_NXTHDR causes warnings with some C libraries. */
static const struct cmsghdr *next_note(const struct msghdr *msg,
				       const struct cmsghdr *c)
{
	const uint8_t *at = (const uint8_t *)c;
	const size_t left = (size_t)((const uint8_t *)msg->msg_control +
				     msg->msg_controllen - at);
	const size_t len = CMSG_ALIGN((size_t)c->cmsg_len);

	if (c->cmsg_len < sizeof(*c) || len > left || left - len < sizeof(*c))
		return NULL;
	return (const void *)(at + len);
}

/* Returns whether the PACKET_AUXDATA that is due is among them. Not inline: few
 * messages need it, and it would cost all of them registers. */
__attribute__((noinline)) static bool read_any(const struct io *io,
					       const struct mmsghdr *msg,
					       struct io_frame *f)
{
	const size_t len = msg->msg_len;
	bool told = !io->auxdata;
	const struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(&msg->msg_hdr); c;
	     c = next_note(&msg->msg_hdr, c)) {
		if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA)
			told |= read_auxdata(io, c, len, f);
		else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			take_unit(c, len, f);
		else if (c->cmsg_level == SOL_SOCKET)
			take_time(c, f);
	}
	return told;
}

/* What an AF_PACKET socket tells by the options that its kind sets, in the
 * kernel's order: each a struct cmsghdr with its data. */
struct usual {
	alignas(struct cmsghdr)
		uint8_t time[CMSG_SPACE(sizeof(struct new_time))];
	alignas(struct cmsghdr)
		uint8_t auxdata[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

static inline bool is_note(const void *note, int level, int type, size_t len)
{
	const struct cmsghdr *c = note;

	return c->cmsg_level == level && c->cmsg_type == type &&
	       c->cmsg_len == CMSG_LEN(len);
}

static inline const void *data_of(const void *note)
{
	const struct cmsghdr *c = note;

	return CMSG_DATA(c);
}

/* Of a usual message each byte's place is known, which saves half of the
 * work. */
static inline bool is_usual(const struct msghdr *msg, const struct usual *u)
{
	return msg->msg_controllen == sizeof(*u) &&
	       is_note(u->time, SOL_SOCKET, SO_TIMESTAMPNS_NEW,
		       sizeof(struct new_time)) &&
	       is_note(u->auxdata, SOL_PACKET, PACKET_AUXDATA,
		       sizeof(struct tpacket_auxdata));
}

static inline void take_usual(const struct usual *u, const struct io *io,
			      size_t len, struct io_frame *f)
{
	const struct new_time *at = data_of(u->time);

	f->pkt->tstamp_ns = to_ns(at->sec, at->fraction, 1);
	take_auxdata(data_of(u->auxdata), io->vnet_hdr_len, len, f);
}

/* If control messages are missing, the tag may be among them. */
static void note_missing(struct io *io, bool cut, bool told, struct io_frame *f)
{
	if (cut || !told)
		f->odd |= IO_CUT;
	if (!cut && !told)
		io->disturbed = true;
}

static inline void read_one(struct io *io, const struct mmsghdr *msg,
			    const struct notes *notes, struct io_frame *f)
{
	const struct usual *u = (const void *)&notes->control;
	const bool cut = msg->msg_hdr.msg_flags & MSG_CTRUNC;
	bool told = true;

	if (msg->msg_hdr.msg_name)
		notes_take_sender(io, &notes->from, f);
	if (is_usual(&msg->msg_hdr, u)) {
		take_usual(u, io, msg->msg_len, f);
	} else {
		told = read_any(io, msg, f);
	}
	if (cut || !told)
		note_missing(io, cut, told, f);
	if (f->odd & IO_MISFRAMED)
		io->disturbed = true;
}

void notes_read(struct io *io, struct mmsghdr msg[], const struct notes notes[],
		struct io_frame f[], int n)
{
	int i;

	for (i = 0; i < n; i++) {
		read_one(io, &msg[i], &notes[i], &f[i]);
		msg[i].msg_hdr.msg_namelen = sizeof(notes[i].from);
		msg[i].msg_hdr.msg_controllen = sizeof(notes[i].control);
	}
}
