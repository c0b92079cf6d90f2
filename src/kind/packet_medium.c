/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/packet_medium.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "os.h"

#ifndef ARPHRD_MCTP /* Linux 5.15 */
#define ARPHRD_MCTP 290
#endif

#define NAMED(type)                        \
	{                                  \
		ARPHRD_##type, "ARPHRD_" #type \
	}

/* Of the types that are not listed a sentence has the number alone. */
static const struct {
	unsigned arphrd;
	const char *name;
} names[] = {
	NAMED(NETROM),
	NAMED(ETHER),
	NAMED(EETHER),
	NAMED(AX25),
	NAMED(PRONET),
	NAMED(CHAOS),
	NAMED(IEEE802),
	NAMED(ARCNET),
	NAMED(APPLETLK),
	NAMED(DLCI),
	NAMED(ATM),
	NAMED(METRICOM),
	NAMED(IEEE1394),
	NAMED(EUI64),
	NAMED(INFINIBAND),
	NAMED(SLIP),
	NAMED(CSLIP),
	NAMED(SLIP6),
	NAMED(CSLIP6),
	NAMED(RSRVD),
	NAMED(ADAPT),
	NAMED(ROSE),
	NAMED(X25),
	NAMED(HWX25),
	NAMED(CAN),
	NAMED(MCTP),
	NAMED(PPP),
	NAMED(CISCO),
	NAMED(LAPB),
	NAMED(DDCMP),
	NAMED(RAWHDLC),
	NAMED(RAWIP),
	NAMED(TUNNEL),
	NAMED(TUNNEL6),
	NAMED(FRAD),
	NAMED(SKIP),
	NAMED(LOOPBACK),
	NAMED(LOCALTLK),
	NAMED(FDDI),
	NAMED(BIF),
	NAMED(SIT),
	NAMED(IPDDP),
	NAMED(IPGRE),
	NAMED(PIMREG),
	NAMED(HIPPI),
	NAMED(ASH),
	NAMED(ECONET),
	NAMED(IRDA),
	NAMED(FCPP),
	NAMED(FCAL),
	NAMED(FCPL),
	NAMED(FCFABRIC),
	NAMED(IEEE802_TR),
	NAMED(IEEE80211),
	NAMED(IEEE80211_PRISM),
	NAMED(IEEE80211_RADIOTAP),
	NAMED(IEEE802154),
	NAMED(IEEE802154_MONITOR),
	NAMED(PHONET),
	NAMED(PHONET_PIPE),
	NAMED(CAIF),
	NAMED(IP6GRE),
	NAMED(NETLINK),
	NAMED(6LOWPAN),
	NAMED(VSOCKMON),
	NAMED(VOID),
	NAMED(NONE),
};

static const char *name_of(unsigned arphrd)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].arphrd == arphrd)
			return names[i].name;
	return "an unknown ARPHRD";
}

static bool is_gre(unsigned arphrd)
{
	return arphrd == ARPHRD_IPGRE || arphrd == ARPHRD_IP6GRE;
}

/*
 * A GRE tunnel without a remote address, or with a group's, puts its outer
 * header before each packet (net/ipv4/ip_gre.c, ipgre_tunnel_init).
 */
static bool is_bare_gre(const struct packet_device *dev)
{
	return dev->flags & IFF_POINTOPOINT && !(dev->flags & IFF_BROADCAST);
}

/*
 * These devices have no header_ops, or none that makes a header, so that the
 * kernel hands out the packet itself. ARPHRD_PPP is not among them: some of its
 * drivers hand out PPP headers (drivers/net/wan/hdlc_ppp.c).
 */
static enum fdl_medium medium_of(const struct packet_device *dev)
{
	switch (dev->arphrd) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return FDL_MEDIUM_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_PIMREG:
	case ARPHRD_PHONET_PIPE:
	case ARPHRD_RAWHDLC:
	case ARPHRD_SLIP:
	case ARPHRD_CSLIP:
	case ARPHRD_SLIP6:
	case ARPHRD_CSLIP6:
	case ARPHRD_ADAPT:
		return FDL_MEDIUM_IP;
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return is_bare_gre(dev) ? FDL_MEDIUM_IP : FDL_MEDIUM_UNKNOWN;
	default:
		return FDL_MEDIUM_UNKNOWN;
	}
}

/* TUNSETLINK changes what a TUN or TAP says, and never what it hands out. */
static bool is_mislabelled(const struct packet_device *dev,
			   enum fdl_medium medium)
{
	if (dev->tun_type == IFF_TUN)
		return medium != FDL_MEDIUM_IP;
	if (dev->tun_type == IFF_TAP)
		return medium != FDL_MEDIUM_ETHERNET;
	return false;
}

static const char *way_out(const struct packet_device *dev)
{
	if (dev->tun_type == IFF_TUN)
		return "it is a TUN, so set ARPHRD_NONE by TUNSETLINK";
	if (dev->tun_type == IFF_TAP)
		return "it is a TAP, so set ARPHRD_ETHER by TUNSETLINK";
	if (is_gre(dev->arphrd))
		return "give the tunnel a local and a remote address, and its "
		       "packets come bare";
	return "read it by a socket of your own, or name another device";
}

static int refuse(const struct packet_device *dev, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s has the link type %s (%u), and an AF_PACKET socket is read "
		"only where frames are Ethernet or bare IP: %s",
		dev->name, name_of(dev->arphrd), dev->arphrd, way_out(dev));
	return -EOPNOTSUPP;
}

int packet_medium(const struct packet_device *dev, struct fdl_info *info,
		  const struct log *log)
{
	enum fdl_medium medium = medium_of(dev);

	if (is_mislabelled(dev, medium))
		medium = FDL_MEDIUM_UNKNOWN;
	info->medium = medium;
	info->ethernet = medium == FDL_MEDIUM_ETHERNET;
	return medium == FDL_MEDIUM_UNKNOWN ? refuse(dev, log) : 0;
}

uint8_t packet_tun_type(int fd, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (char *)&driver };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (os_ioctl(fd, SIOCETHTOOL, &ifr) < 0 || strcmp(driver.driver, "tun"))
		return 0;
	return strcmp(driver.bus_info, "tap") ? IFF_TUN : IFF_TAP;
}
