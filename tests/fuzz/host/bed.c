/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/nd6.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include "../../../cli/host.h"
#include "../../../cli/port.h"
#include "../fuzz.h"
#include "fdl_lwip.h"
#include "fickle.h"
#include <fdlink/open.h>

enum {
	/* Frames that one turn may bring about. Windows of 1 MiB in tiny
	 * segments are many; an endless loop is more. */
	TURN_FRAMES = 1 << 18,
	/* And pbufs: a stranger makes no more work than it sends. The owner of
	 * the device may lower its MTU to 68, and all that waits to be sent is
	 * then cut into pieces of 28 bytes. */
	TURN_PBUFS = 1 << 18,
	MAX_SAVED = 16,
	FEW = 4,
	FEW_BYTES = 20000,
	POOR = 24,		/* one of so many allocations fails */
};

/* Static variables of lwIP, the adaptor and the services (sections.h). */
extern uint8_t __start_stack_data[], __stop_stack_data[];
extern uint8_t __start_stack_bss[], __stop_stack_bss[];

const uint8_t bed_host_mac[6] = { 2, 0, 0, 0, 0, 2 };
const uint8_t bed_peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct {
	struct fdl_lwip link;
	struct netif netif;
	ip6_addr_t gateway6;
	int peer;
	u32_t now;
	uint32_t random;
	uint32_t mtu;		/* of the device */
	uint64_t changes;	/* of it */
	unsigned frames, pbufs;	/* of this turn */
	bool poor;
} bed;

/* What the status page speaks of; the services keep a pointer to it. */
static struct host_options options = { .locator = "fd:3" };
static struct host_status status = { .options = &options,
				     .lwip_dropped = &bed.link.rx_dropped };

static struct saved {
	uint8_t *at;
	size_t len;
	uint8_t *bytes;
} saved[MAX_SAVED];
static unsigned n_saved;

struct pbuf *__real_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type);
struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type);
void *__real_mem_malloc(mem_size_t size);
void *__wrap_mem_malloc(mem_size_t size);
u32_t __wrap_sys_now(void);
uint32_t __wrap_port_random(void);
ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags);
uint64_t __wrap_fdl_link_changes(const struct fdl_endpoint *ep);
int __wrap_fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *link,
			  size_t size);
int __real_fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n);
int __wrap_fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n);
void __real_fdl_release(struct fdl_packet *v[], int n);
void __wrap_fdl_release(struct fdl_packet *v[], int n);
int __real_fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
		     const struct fdl_offload *off);
int __wrap_fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
		     const struct fdl_offload *off);
int __real_fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
			 const struct fdl_offload *off, void (*done)(void *arg),
			 void *arg);
int __wrap_fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
			 const struct fdl_offload *off, void (*done)(void *arg),
			 void *arg);

struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
	MUST(bed.pbufs++ < TURN_PBUFS);
	return __real_pbuf_alloc(layer, len, type);
}

/* What lwIP has a timer for it takes for granted. */
void *__wrap_mem_malloc(mem_size_t size)
{
	if (bed.poor && size != sizeof(struct sys_timeo) &&
	    __wrap_port_random() % POOR == 0)
		return NULL;
	return __real_mem_malloc(size);
}

u32_t __wrap_sys_now(void)
{
	return bed.now;
}

uint32_t __wrap_port_random(void)
{
	bed.random = bed.random * 1664525 + 1013904223;
	return bed.random ^ bed.random >> 15;
}

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
	(void)flags;
	memset(to, (int)__wrap_port_random(), len);
	return (ssize_t)len;
}

uint64_t __wrap_fdl_link_changes(const struct fdl_endpoint *ep)
{
	(void)ep;
	return bed.changes;
}

int __wrap_fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *link,
			  size_t size)
{
	(void)ep;
	MUST(size == sizeof(*link));
	*link = (struct fdl_link){ .up = true, .carrier = true };
	link->mtu = bed.mtu;
	return 0;
}

/* A packet ends where its bytes do, for the sanitizer too. */
int __wrap_fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	const int got = __real_fdl_recv(q, v, n);
	int i;

	for (i = 0; i < got; i++)
		ASAN_POISON_MEMORY_REGION(v[i]->data + v[i]->len, v[i]->tail);
	return got;
}

void __wrap_fdl_release(struct fdl_packet *v[], int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (v[i])
			ASAN_UNPOISON_MEMORY_REGION(v[i]->data + v[i]->len,
						    v[i]->tail);
	}
	__real_fdl_release(v, n);
}

int __wrap_fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
		     const struct fdl_offload *off)
{
	MUST(bed.frames++ < TURN_FRAMES);
	return __real_fdl_write(q, iov, cnt, off);
}

int __wrap_fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
			 const struct fdl_offload *off, void (*done)(void *arg),
			 void *arg)
{
	MUST(bed.frames++ < TURN_FRAMES);
	return __real_fdl_write_ref(q, iov, cnt, off, done, arg);
}

/* There are redzones between variables, which memcpy() may not read. */
__attribute__((no_sanitize("address"))) static void copy_raw(
	uint8_t *to, const uint8_t *from, size_t len)
{
	volatile uint8_t *v = to;
	size_t i;

	for (i = 0; i < len; i++)
		v[i] = from[i];
}

static void save(void *at, size_t len)
{
	struct saved *s = &saved[n_saved++];

	MUST(n_saved <= MAX_SAVED);
	*s = (struct saved){ at, len, malloc(len + 1) };
	MUST(s->bytes);
	copy_raw(s->bytes, s->at, len);
}

static void restore(void)
{
	unsigned i;

	for (i = 0; i < n_saved; i++)
		copy_raw(saved[i].at, saved[i].bytes, saved[i].len);
}

static void remove_timeouts(void)
{
	struct sys_timeo **next = sys_timeouts_get_next_timeout();

	while (*next)
		sys_untimeout((*next)->h, (*next)->arg);
}

/* The listeners stay, in lists that lwIP reorders. */
static void start_once(void)
{
	struct tcp_pcb_listen *listener;
	struct udp_pcb *udp;

	if (n_saved)
		return;
	lwip_init();
	remove_timeouts();
	MUST(!echo_start() && !stream_start() && !http_start(&status));
	fickle_start();
	save(__start_stack_data,
	     (size_t)(__stop_stack_data - __start_stack_data));
	save(__start_stack_bss, (size_t)(__stop_stack_bss - __start_stack_bss));
	for (listener = tcp_listen_pcbs.listen_pcbs; listener;
	     listener = listener->next)
		save(listener, sizeof(*listener));
	for (udp = udp_pcbs; udp; udp = udp->next)
		save(udp, sizeof(*udp));
}

static void open_endpoint(const struct bed_config *c)
{
	const int type = c->datagram ? SOCK_DGRAM : SOCK_SEQPACKET;
	const int room = 8 << 20;
	struct fdl_options o = {
		.size = sizeof(o),
		.mtu = c->mtu,
		.pool = c->pool,
		.headroom = FDL_LWIP_HEADROOM,
	};
	int fds[2];

	if (c->offload != HOST_OFFLOAD_OFF)
		o.flags = FDL_LWIP_FLAGS;
	if (c->vnet)
		o.flags |= FDL_VNET_HDR;
	if (c->ethernet) {
		o.flags |= FDL_ETHERNET | FDL_DROP_OTHERHOST;
		memcpy(o.address, bed_host_mac, sizeof(o.address));
	}
	MUST(!socketpair(AF_UNIX, type, 0, fds));
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	MUST(!fdl_endpoint_new(&bed.link.ep, fds, 1, &o));
	close(fds[0]);
	bed.peer = fds[1];
}

static void set_addresses(bool alone)
{
	ip4_addr_t address, gateway, mask;
	ip6_addr_t ip6;

	IP4_ADDR(&address, 10, 9, 0, 2);
	IP4_ADDR(&gateway, 10, 9, 0, 1);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	netif_set_addr(&bed.netif, &address, &mask, alone ? NULL : &gateway);
	if (bed.netif.mtu < 1280)
		return;
	if (bed.netif.hwaddr_len)
		netif_create_ip6_linklocal_address(&bed.netif, 1);
	IP6_ADDR(&ip6, PP_HTONL(0xfd090000), 0, 0, PP_HTONL(2));
	netif_ip6_addr_set(&bed.netif, 1, &ip6);
	netif_ip6_addr_set_state(&bed.netif, 1, IP6_ADDR_PREFERRED);
	IP6_ADDR(&bed.gateway6, PP_HTONL(0xfd090000), 0, 0, PP_HTONL(1));
	if (!alone)
		netif_set_client_data(&bed.netif, PORT_GATEWAY6, &bed.gateway6);
}

static void make_scarce(void)
{
	struct tcp_pcb_listen *listener;

	bed.link.ooseq_max = FEW_BYTES;
	for (listener = tcp_listen_pcbs.listen_pcbs; listener;
	     listener = listener->next)
		listener->backlog = FEW;
}

int bed_open(const struct bed_config *config)
{
	start_once();
	restore();
	memset(&bed, 0, sizeof(bed));
	bed.now = config->now;
	bed.random = config->seed;
	bed.mtu = config->mtu;
	sys_timeouts_init();
	open_endpoint(config);
	bed.link.pool = config->pool;
	bed.link.tso = config->offload == HOST_OFFLOAD_TSO;
	options.offload = config->offload;
	status.ep = bed.link.ep;
	clock_gettime(CLOCK_MONOTONIC, &status.started);
	MUST(netif_add_noaddr(&bed.netif, &bed.link, fdl_lwip_init,
			      netif_input));
	netif_set_default(&bed.netif);
	netif_set_up(&bed.netif);
	set_addresses(config->alone);
	if (config->scarce)
		make_scarce();
	bed.poor = config->poor;
	return bed.peer;
}

void bed_turn(void)
{
	bed.frames = 0;
	bed.pbufs = 0;
	MUST(fdl_poll(bed.link.ep, 0) >= 0);
	sys_check_timeouts();
	MUST(fdl_lwip_poll(&bed.link) >= 0);
}

void bed_advance(uint32_t ms)
{
	bed.now += ms;
}

void bed_set_mtu(uint32_t mtu)
{
	bed.mtu = mtu;
	bed.changes++;
}

static void end_connections(void)
{
	const struct tcp_pcb_listen *listener;

	bed.frames = 0;
	bed.pbufs = 0;
	bed.poor = false;
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	MUST(!tcp_bound_pcbs);
	for (listener = tcp_listen_pcbs.listen_pcbs; listener;
	     listener = listener->next)
		MUST(!listener->accepts_pending);
}

/* lwIP forgets fragments by its timers only. */
static void end_fragments(void)
{
	int i;

	for (i = 0; i <= IP_REASS_MAXAGE; i++)
		ip_reass_tmr();
	for (i = 0; i <= IPV6_REASS_MAXAGE; i++)
		ip6_reass_tmr();
}

void bed_close(void)
{
	end_connections();
	end_fragments();
	fdl_flush(fdl_get_queue(bed.link.ep, 0));
	netif_remove(&bed.netif);
	remove_timeouts();
	MUST(!fdl_endpoint_free(bed.link.ep));
	MUST(!bed.link.held);
	close(bed.peer);
}
