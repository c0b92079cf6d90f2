/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tunnel of examples/vpn.c as it is first written, one packet to a system
 * call: naive_vpn TUN PEER-ADDRESS. It scrambles as that one does, has socket
 * buffers of the same size, and takes as many packets in a turn.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 16, TAIL = 16, TURN = 32, PORT = 4501, MAX = 65536 };

static uint8_t buf[MAX];

static void cipher(uint8_t *at, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		word ^= 0x5555555555555555;
		memcpy(at, &word, sizeof(word));
	}
	while (len--)
		*at++ ^= 0x55;
}

static int open_tun(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ioctl(fd, TUNSETIFF, &ifr) < 0 ? -1 : fd;
}

static int open_udp(const char *peer)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(PORT) };
	const int room = 8 << 20, udp = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(udp, (struct sockaddr *)&at, sizeof(at)) ||
	    !inet_aton(peer, &at.sin_addr) ||
	    connect(udp, (struct sockaddr *)&at, sizeof(at)))
		return -1;
	setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return udp;
}

static int from_peer(int tun, int udp)
{
	const ssize_t n = recv(udp, buf, sizeof(buf), MSG_DONTWAIT);
	const ssize_t len = n - HEAD - TAIL;

	if (n < 0)
		return 0;
	if (len > 0) {
		cipher(buf + HEAD, (size_t)len);
		if (write(tun, buf + HEAD, (size_t)len) < 0)
			return 1;
	}
	return 1;
}

static int to_peer(int tun, int udp)
{
	const ssize_t n = read(tun, buf + HEAD, sizeof(buf) - HEAD - TAIL);

	if (n <= 0)
		return 0;
	memset(buf, 1, HEAD);
	cipher(buf + HEAD, (size_t)n);
	memset(buf + HEAD + n, 2, TAIL);
	send(udp, buf, (size_t)n + HEAD + TAIL, 0);
	return 1;
}

int main(int argc, char **argv)
{
	const int tun = argc == 3 ? open_tun(argv[1]) : -1;
	const int udp = argc == 3 ? open_udp(argv[2]) : -1;
	struct pollfd p[2] = { { udp, POLLIN, 0 }, { tun, POLLIN, 0 } };
	int i;

	if (tun < 0 || udp < 0) {
		perror("naive_vpn TUN PEER-ADDRESS");
		return 2;
	}
	while (poll(p, 2, -1) > 0) {
		for (i = 0; i < TURN && from_peer(tun, udp); i++)
			;
		for (i = 0; i < TURN && to_peer(tun, udp); i++)
			;
	}
	return 1;
}
