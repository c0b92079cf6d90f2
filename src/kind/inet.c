/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "fd/locator.h"
#include "kind/socket.h"
#include "os.h"

static const char link_local_advice[] =
	": an address of one link only (fe80::) needs an interface, which "
	"cannot be given: take another one";

static bool read_port(const char *text, in_port_t *port)
{
	uint32_t number;

	if (!locator_number(text, UINT16_MAX, &number) || !number)
		return false;
	*port = htons((uint16_t)number);
	return true;
}

bool inet_read(const char *text, union inet_address *to)
{
	char host[INET6_ADDRSTRLEN];
	const bool v6 = *text == '[';
	const char *start = v6 ? text + 1 : text;
	const char *end = v6 ? strchr(text, ']') : strchr(text, ':');
	const char *port = v6 && end ? end + 1 : end;

	memset(to, 0, sizeof(*to));
	if (!end || *port != ':' || (size_t)(end - start) >= sizeof(host))
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	to->any.sa_family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		return inet_pton(AF_INET6, host, &to->v6.sin6_addr) == 1 &&
		       read_port(port + 1, &to->v6.sin6_port);
	return inet_pton(AF_INET, host, &to->v4.sin_addr) == 1 &&
	       read_port(port + 1, &to->v4.sin_port);
}

bool inet_is_group(const union inet_address *address)
{
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr);
	return IN_MULTICAST(ntohl(address->v4.sin_addr.s_addr));
}

socklen_t inet_size(const union inet_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) :
						    sizeof(address->v4);
}

const char *inet_bind_advice(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return ": choose another port";
	case -EADDRNOTAVAIL:
		return ": give an address of this machine, see 'ip address'";
	case -EACCES:
		return ": a port below 1024 is for root: choose another port";
	case -EINVAL:
		return link_local_advice;
	default:
		return refusal_advice(err);
	}
}

const char *inet_connect_advice(int err)
{
	switch (err) {
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return ": there is no route, see 'ip route'";
	case -EACCES:
		return ": it is a broadcast address: give that of one peer";
	case -EPERM:
		return ": a rule of this machine forbids it, see 'nft list "
		       "ruleset'";
	case -EINVAL:
		return link_local_advice;
	case -ETIMEDOUT:
		return ": nobody answers there: see whether the peer runs, and "
		       "lets that port through";
	default:
		return refusal_advice(err);
	}
}

bool inet_is_own_peer(int fd)
{
	union inet_address own = { 0 }, peer = { 0 };
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);

	return !os_getsockname(fd, &own.any, &own_len) &&
	       !os_getpeername(fd, &peer.any, &peer_len) &&
	       own.any.sa_family != AF_UNIX && own_len == peer_len &&
	       !memcmp(&own, &peer, own_len);
}

void inet_leave_no_trace(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	os_setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}
