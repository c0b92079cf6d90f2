/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kind/table.h"
#include "os.h"

enum { FD = 1000, STORE = 4 << 20 };

struct wire wire;

static uint8_t store[STORE];
static size_t stored;

ssize_t __wrap_os_write(int fd, const void *buf, size_t len);
ssize_t __wrap_os_writev(int fd, const struct iovec *iov, int cnt);
ssize_t __wrap_os_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_os_poll(struct pollfd *fds, unsigned n, int timeout_ms);
void __wrap_os_nap(unsigned us);
int64_t __wrap_os_now_ms(void);

static bool is_full(void)
{
	return wire.full || (wire.stream && !wire.bytes) ||
	       (wire.slots && wire.n >= wire.slots);
}

static ssize_t take(int fd, const struct iovec *iov, size_t cnt)
{
	uint8_t *to = store + stored;
	size_t i, len = 0;
	int err;

	assert_int_equal(fd, FD);
	for (i = 0; i < cnt; i++) {
		assert_true(stored + len + iov[i].iov_len <= STORE);
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	wire.asked++;
	if (is_full())
		return -EAGAIN;
	err = wire.refuses ? wire.refuses(to, len) : 0;
	if (err)
		return -err;
	if (wire.stream && len > wire.bytes)
		len = wire.bytes;
	wire.bytes -= wire.stream ? len : 0;
	assert_true(wire.n < WIRE_MAX);
	wire.took[wire.n].bytes = to;
	wire.took[wire.n].protocol = 0;
	wire.took[wire.n++].len = len;
	stored += len;
	return (ssize_t)len;
}

ssize_t __wrap_os_writev(int fd, const struct iovec *iov, int cnt)
{
	return take(fd, iov, (size_t)cnt);
}

ssize_t __wrap_os_write(int fd, const void *buf, size_t len)
{
	return take(fd, &(struct iovec){ (void *)(uintptr_t)buf, len }, 1);
}

ssize_t __wrap_os_send(int fd, const void *buf, size_t len, int flags)
{
	assert_true(flags & MSG_DONTWAIT);
	return __wrap_os_write(fd, buf, len);
}

ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const struct sockaddr_ll *name = msg->msg_name;
	const unsigned n = wire.n;
	ssize_t r;

	assert_true(flags & MSG_DONTWAIT);
	r = take(fd, msg->msg_iov, msg->msg_iovlen);
	if (wire.n > n && name) {
		assert_int_equal(msg->msg_namelen, sizeof(*name));
		wire.took[n].protocol = ntohs(name->sll_protocol);
	}
	return r;
}

int __wrap_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	ssize_t r = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		r = __wrap_os_sendmsg(fd, &msg[i].msg_hdr, flags);
		if (r < 0)
			break;
		msg[i].msg_len = (unsigned)r;
		if (wire.stream && !wire.bytes) {
			i++;
			break;
		}
	}
	return i ? (int)i : (int)r;
}

int __wrap_os_poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	assert_int_equal(n, 1);
	assert_int_equal(fds->fd, FD);
	fds->revents = is_full() ? 0 : POLLOUT;
	if (is_full() && timeout_ms > 0)
		wire.now_ms += timeout_ms;
	return fds->revents ? 1 : 0;
}

void __wrap_os_nap(unsigned us)
{
	static unsigned left;

	left += us;
	wire.now_ms += left / 1000;
	left %= 1000;
	wire.naps++;
}

int64_t __wrap_os_now_ms(void)
{
	return wire.now_ms;
}

void wire_forget(void)
{
	stored = 0;
	wire.n = 0;
	wire.asked = 0;
}

void bed_open(struct bed *b, enum fdl_kind kind, unsigned vnet_hdr_len)
{
	memset(&wire, 0, sizeof(wire));
	wire.now_ms = 1;
	wire_forget();
	memset(&b->counters, 0, sizeof(b->counters));
	shared_init(&b->shared);
	atomic_store(&b->shared.tx_revoked, 0);
	if (!b->shared.opts.mtu)
		b->shared.opts.mtu = 1500;
	b->io = (struct io){ .fd = FD,
			     .kind = kind_of(kind),
			     .socket = kind_of(kind)->socket,
			     .vnet_hdr_len = vnet_hdr_len };
	b->tx = (struct tx){ .shared = &b->shared,
			     .io = &b->io,
			     .counters = &b->counters };
	assert_int_equal(tx_open(&b->tx), 0);
	assert_int_equal(defer_open(&b->tx), 0);
}

void bed_close(struct bed *b)
{
	defer_close(&b->tx);
	tx_close(&b->tx);
	shared_destroy(&b->shared);
}
