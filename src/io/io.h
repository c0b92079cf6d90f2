/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's mechanisms that move packets. A mode moves bytes; rx/judge.c
 * decides for all modes which frames are delivered. */
#ifndef FDL_IO_IO_H
#define FDL_IO_IO_H

#include <limits.h>
#include <linux/if_packet.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "libc.h"

enum {
	IO_MAX_BATCH = 256,
	IO_MAX_PART = 1 << 17,	/* io_send() */
};

struct changes;
struct io_group;
struct kind;

enum {
	/* The longest virtio-net header that there is (struct
	 * virtio_net_hdr_v1_hash_tunnel, of Linux 6.17). */
	IO_MAX_HEADER = 24,
};

/* What the fd passes with each packet, before it. */
struct io_framing {
	unsigned vnet_hdr_len;	/* bytes; 0: no virtio-net header */
	enum fdl_order order;	/* of that */
	bool packet_info;	/* a struct tun_pi before all */
	bool detached;		/* nothing comes until somebody attaches the fd
				 * to the device again */
	bool unreadable;	/* for struct kind's follow: no packet could be
				 * read, and it has to cure that */
};

/* One queue's fd, as a mode sees it. */
struct io {
	int fd;
	const struct kind *kind; /* for callers: a mode reads the rest */
	bool framed;		/* a stream: io/stream.h sends */
	bool socket;		/* else read(2) and write(2) move a frame
				 * each */
	/* Each read, or each write, says that it must not block, as on a
	 * socket; else O_NONBLOCK of the fd says so. */
	bool nowait_read, nowait_write;
	bool notes;		/* control messages are read beside each
				 * message (io/notes.h) */
	bool auxdata;		/* PACKET_AUXDATA is among them */
	bool error_queue;	/* the socket has a queue of errors and other
				 * notices (MSG_ERRQUEUE). On one without, a
				 * read with that flag would take a message */
	bool bundles;		/* a message may hold several frames: a control
				 * message tells */
	bool disturbed;		/* recv sets it: another holder of the fd has
				 * undone what set_up did, and mend is due */
	struct changes *changes; /* what was changed on it */
	unsigned vnet_hdr_len;	/* bytes of virtio-net header that a system
				 * call passes with each packet; 0: none */
	unsigned vnet_hdr_at;	/* bytes from where that of a received packet
				 * begins to its data; 0: none */
	enum fdl_order order;	/* of that header */
	struct pool *pool;	/* of the queue's packets */
	bool asks_sender;	/* AF_PACKET: recv tells each frame's type */
	int ifindex;		/* AF_PACKET: of the device that the socket was
				 * bound to */
	uint16_t protocol;	/* the same, as sockaddr_ll has it */
	struct sockaddr_ll to[2]; /* where no link header tells a packet's
				 * protocol: what IPv4 and IPv6 is sent to;
				 * family 0: there is one */
	bool strayed;		/* recv sets it: a frame came from another
				 * device, and is IO_STRAY */
	uint32_t max_header_bytes; /* per system call; 0: no limit */
	unsigned max_pieces;	/* io_max_pieces() */
	void *state;		/* the mode's, between open and close */
	/* The number of the link's life, written by the receive side. Even: a
	 * life. Odd: the time between two lives; frames sent then are lost.
	 * IO_OVER: the link has ended, and sends to the fd do not fail. */
	_Atomic unsigned life;
	bool lasts;		/* the end of a life is not the queue's end */
	int bell;		/* timerfd that wakes the receive side; -1:
				 * none */
	_Atomic bool rung;	/* the send side sets it: nobody reads what it
				 * sends */
	int error;		/* recv found it behind the messages; the caller
				 * takes it; 0: none */
	struct io_group *group;	/* adaptive, else NULL */
	unsigned index;		/* of the queue */
	_Atomic int second;	/* the queue's other socket in the group, which
				 * the mode has it enter; -1: none as yet */
	_Atomic uint64_t
		drops_seen; /* for a kind whose drops the kernel adds up:
				 * the count when it was last read */
	int poll_fd;		/* what is watched for something to receive:
				 * fd, unless open says otherwise */
};

enum {
	IO_OVER = UINT_MAX,	/* io.life */
	/* io_frame.type of a frame that the kernel gave up half-way. */
	IO_TYPE_GHOST = FDL_OUTGOING + 1,
};

/* What is odd about a frame. */
enum {
	IO_CUT = 1 << 0,	/* a control message of it is missing */
	IO_MISFRAMED = 1 << 1,	/* its virtio-net header has not the length
				 * that was set up */
	IO_SEVERAL = 1 << 2,	/* the message holds several frames */
	IO_STRAY = 1 << 3,	/* it came from another device */
};

/*
 * One message as it came; pkt->data, len, room and tail are set, and the
 * virtio-net header, if the fd has one, stands before data.
 */
struct io_frame {
	struct fdl_packet *pkt;
	size_t wire_len;	/* more than pkt->len: the packet is longer than
				 * POOL_DATA_SIZE, or its end is missing */
	uint16_t unit;		/* IO_SEVERAL: bytes of each, except the last */
	uint16_t vlan_tpid;	/* of the tag the kernel took out; 0: none */
	uint16_t vlan_tci;
	uint8_t type;		/* enum fdl_packet_type, as far as the fd tells:
				 * else FDL_TO_HOST */
	uint8_t odd;		/* IO_CUT ...; 0: it is one whole frame with all
				 * its control messages */
	uint32_t rest;		/* bytes that came and lie right behind those of
				 * the packet, if wire_len is more than these.
				 * Most modes never write it, so the reader sets
				 * it back to 0 */
};

enum io_headers {
	IO_NO_HEADERS,
	IO_HEADERS_OF_NOTES,	/* where messages come with notes */
	IO_HEADERS,
};

struct io_ops {
	enum fdl_mode mode;
	const char *name;
	/* POLLIN of the fd says that something came, not that something is
	 * left. So the fd is watched edge-triggered, and peek looks once
	 * more. */
	bool edge;
	/* recv makes a system call for each message. */
	bool one_by_one;
	/* It keeps packets in a ring, of which the kernel hands over a block at
	 * a time, when it is full or its timeout is over. */
	bool by_block;
	/* The virtio-net header of a received packet begins so many bytes
	 * before the packet's data, whatever the header's length; 0: it ends
	 * where the data begins. */
	unsigned header_at;
	/* With edge: is there something? */
	bool (*peek)(const struct io *io);
	/* What its system calls pass of message headers. */
	enum io_headers headers;
	/* Why not on a kind of link that it does not serve, as the end of a
	 * sentence. */
	const char *not_served;
	/* The same of an fd of a kind that it does serve; NULL: usable. May be
	 * NULL. */
	const char *(*refusal)(const struct fdl_info *info);
	/* Get ready; may be NULL. close undoes it. opts has every default
	 * filled in. Errors: -ENOMEM, those of setsockopt(2). */
	int (*open)(struct io *io, const struct fdl_options *opts);
	void (*close)(struct io *io);
	/* What open makes belongs to the open file. So before another file
	 * takes the number of fd, the caller calls close, and open
	 * afterwards. */
	bool of_file;
	/* Another file has taken the number of fd. Forget what recv read
	 * from the former file and did not deliver. NULL: there is never
	 * anything. */
	void (*renew)(struct io *io);
	/*
	 * Receive up to n messages into f[i].pkt, which are empty packets of
	 * io->pool. f[0..fresh) may have new packets. Those behind are the same
	 * as in earlier calls, as far as these reached, so what was prepared
	 * for them is still right. Never blocks. Returns how many, at least 1;
	 * fewer than n: there is no more now, or the last ones are empty and
	 * may be the end. Errors: what the first system call said.
	 */
	int (*recv)(struct io *io, struct io_frame f[], int n, int fresh);
	/* Whether an earlier recv has read something that it did not deliver.
	 * The fd is not readable for that. NULL: there never is. */
	bool (*holds)(const struct io *io);
};

enum {
	IO_ORDER_SHIFT = 8,
	IO_FRAMED = 1 << 16,
};

/* Pack the framing into one word, which is never 0, for other threads. */
static inline uint32_t io_pack(const struct io_framing *framing)
{
	return IO_FRAMED | (uint32_t)framing->order << IO_ORDER_SHIFT |
	       framing->vnet_hdr_len;
}

static inline struct io_framing io_unpack(uint32_t word)
{
	return (struct io_framing){
		.vnet_hdr_len = word & ((1u << IO_ORDER_SHIFT) - 1),
		.order = (enum fdl_order)((word & (IO_FRAMED - 1)) >>
					  IO_ORDER_SHIFT),
	};
}

/* Whether a number of io.life stands for no life. */
static inline bool io_is_away(unsigned life)
{
	return life & 1;
}

extern const struct io_ops io_readv;
extern const struct io_ops io_recvmmsg;
extern const struct io_ops io_packet_mmap;
extern const struct io_ops io_adaptive;
extern const struct io_ops io_stream;	/* readv, on a stream */

/* The table of a mode. NULL: there is none. */
const struct io_ops *io_find(enum fdl_mode mode);

/* Whether the fd takes one message per system call. */
static inline bool io_is_device(const struct io *io)
{
	return !io->socket;
}

/* Bytes of a message, in all its pieces. */
static inline size_t io_message_len(const struct msghdr *msg)
{
	const size_t n = msg_pieces(msg);
	size_t i, len = 0;

	for (i = 0; i < n; i++)
		len += msg->msg_iov[i].iov_len;
	return len;
}

/*
 * How many pieces a message may have on such a queue: one system call takes
 * IOV_MAX of them, and max_header_bytes of 64 per message and 16 per piece. A
 * message of one piece needs neither.
 */
unsigned io_max_pieces(const struct io *io);

/* Read or write one frame on a fd that is no socket. Never blocks. Return as
 * readv(2) and writev(2) do, or a negative errno. */
ssize_t io_read_device(struct io *io, struct iovec *room);
ssize_t io_write_device(struct io *io, const struct iovec *iov, int cnt);

/*
 * Send msg[0..n), n at least 1, each of 1 to io->max_pieces pieces: as many as
 * one system call takes, or on a TUN or TAP all. Never blocks, raises no
 * signal.
 * Returns how many went, with their msg_len. *err is why the next one did not,
 * negative; 0 where another call may tell, after at least one that went.
 *
 * A fd that is a stream may take the last of those that went in part, if that
 * is of up to IO_MAX_PART bytes: its msg_len is then less than its length. The
 * caller sends the rest of it, and nothing else before that, as a message of
 * one piece, which may again go in part; *err, if none of it goes, speaks of
 * the fd, not of the rest. All other fds take a message whole or not at all.
 */
unsigned io_send(struct io *io, struct mmsghdr msg[], unsigned n, int *err);

/* Send side: another file has taken the number of fd. Forget the rest of a
 * message that went to the former file in part. */
void io_follow(struct io *io);

#endif
