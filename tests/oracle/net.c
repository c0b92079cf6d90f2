/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef TUN_F_UDP_TUNNEL_GSO
#define TUN_F_UDP_TUNNEL_GSO 0x80
#define TUN_F_UDP_TUNNEL_GSO_CSUM 0x100
#endif

static void skip(const char *what)
{
	printf("skipped: %s: %m\n", what);
	exit(SKIP);
}

void net_own(void)
{
	/* sysfs shows the namespace of its mounting */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		skip("a network namespace of its own");
	net_set("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	net_set("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

void net_run(const char *command)
{
	if (system(command))
		skip(command);
}

void net_set(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		skip(path);
}

int net_tap(const char *name, int vnet)
{
	unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 |
			   TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6;
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (vnet)
		ifr.ifr_flags |= IFF_VNET_HDR;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		skip("a TAP device");
	if (vnet && ioctl(fd, TUNSETOFFLOAD, offload) &&
	    ioctl(fd, TUNSETOFFLOAD, offload & 0x1f))
		skip("offloads on a TAP device");
	return fd;
}

int net_tap_uso(const char *name)
{
	const unsigned offload = TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
	int fd = net_tap(name, 1);

	if (ioctl(fd, TUNSETOFFLOAD, offload))
		skip("super-packets of UDP on a TAP");
	return fd;
}

int net_tap_tunnel(const char *name)
{
	const unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 |
				 TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6 |
				 TUN_F_UDP_TUNNEL_GSO |
				 TUN_F_UDP_TUNNEL_GSO_CSUM;
	int fd = net_tap(name, 1), size = 24;

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) ||
	    ioctl(fd, TUNSETOFFLOAD, offload))
		skip("tunnels in the header of a TAP");
	return fd;
}

void net_vxlan(void)
{
	net_run("ip link add x0 type vxlan external dstport 4789 && "
		"ip link add x1 type vxlan gpe external dstport 4790 && "
		"ip link set x0 up && ip link set x1 up");
}

void net_bridge(const char *name, const char *one, const char *other)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip link add %s type bridge mcast_snooping 0 && "
		 "ip link set %s master %s up && "
		 "ip link set %s txqueuelen 5000 master %s up && "
		 "ip link set %s up",
		 name, one, name, other, name, name);
	net_run(command);
}

/* What is sent before the kernel has noticed both ends of a veth is lost. */
static void wait_running(const char *name)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "timeout 60 sh -c 'until ip link show %s up | grep -q "
		 "\"state UP\"; do sleep 0.01; done'",
		 name);
	net_run(command);
}

int net_packet(const char *name, int vnet)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int size = 64 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		skip("a packet socket");
	if (vnet &&
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &vnet, sizeof(vnet)))
		skip("PACKET_VNET_HDR");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	wait_running(name);
	return fd;
}

void net_show(const unsigned char *want, size_t want_len,
	      const unsigned char *got, size_t got_len)
{
	const size_t len = want_len < got_len ? want_len : got_len;
	size_t i, shown = 0;

	fprintf(stderr, "%zu bytes, kernel %zu\n", want_len, got_len);
	for (i = 0; i < len && shown < 16; i++) {
		if (want[i] == got[i])
			continue;
		fprintf(stderr, "at %zu: %02x, kernel %02x\n", i, want[i],
			got[i]);
		shown++;
	}
	for (i = 0; i < want_len && i < 120; i++)
		fprintf(stderr, "%02x%s", want[i], i % 16 == 15 ? "\n" : " ");
	fprintf(stderr, "\n");
}
