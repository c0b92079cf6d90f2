/* SPDX-License-Identifier: Apache-2.0 */
/* TUNSETOFFLOAD has no getter. But it turns features of the device on and off,
 * which anybody may read by name (linux/ethtool.h, ETHTOOL_GFEATURES). */
#include <assert.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include <fdlink/open.h>

#include "fd/link.h"
#include "os.h"

enum {
	MAX_FEATURES = 256, /* Linux has about 64 */
	FEATURES_PER_BLOCK = 32,
	MAX_BLOCKS = MAX_FEATURES / FEATURES_PER_BLOCK,
};

struct feature {
	const char *name;
	uint32_t offloads;
};

/* How the kernel's tun driver maps offloads to features. UFO has none. */
static const struct feature features[] = {
	{ "tx-checksum-ip-generic", FDL_OFFLOAD_CSUM },
	{ "tx-tcp-segmentation", FDL_OFFLOAD_TSO4 },
	{ "tx-tcp6-segmentation", FDL_OFFLOAD_TSO6 },
	{ "tx-tcp-ecn-segmentation", FDL_OFFLOAD_TSO_ECN },
	{ "tx-udp-segmentation", FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6 },
	{ "tx-udp_tnl-segmentation", FDL_OFFLOAD_TUNNEL },
	{ "tx-udp_tnl-csum-segmentation", FDL_OFFLOAD_TUNNEL_CSUM },
};

/* The kernel's structs end in flexible arrays; these have room there. */
struct feature_names {
	uint32_t cmd, string_set, len;
	char name[MAX_FEATURES][ETH_GSTRING_LEN];
};

struct feature_bits {
	uint32_t cmd, size;
	struct ethtool_get_features_block block[MAX_BLOCKS];
};

struct feature_count {
	uint32_t cmd, reserved;
	uint64_t mask;
	uint32_t count;
};

static_assert(offsetof(struct feature_names, name) ==
		      offsetof(struct ethtool_gstrings, data),
	      "ETHTOOL_GSTRINGS");
static_assert(offsetof(struct feature_bits, block) ==
		      offsetof(struct ethtool_gfeatures, features),
	      "ETHTOOL_GFEATURES");
static_assert(offsetof(struct feature_count, count) ==
		      offsetof(struct ethtool_sset_info, data),
	      "ETHTOOL_GSSET_INFO");

static int ethtool(int sock, const char *device, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	strncpy(ifr.ifr_name, device, sizeof(ifr.ifr_name) - 1);
	return os_ioctl(sock, SIOCETHTOOL, &ifr);
}

static uint32_t count_features(int sock, const char *device)
{
	struct feature_count count = {
		.cmd = ETHTOOL_GSSET_INFO,
		.mask = UINT64_C(1) << ETH_SS_FEATURES,
	};

	if (ethtool(sock, device, &count) < 0 || !count.mask)
		return 0;
	return count.count;
}

static uint32_t offloads_of(const char *name)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (!strncmp(features[i].name, name, ETH_GSTRING_LEN))
			return features[i].offloads;
	return 0;
}

uint32_t link_offloads(int sock, const char *name)
{
	struct feature_names names = {
		.cmd = ETHTOOL_GSTRINGS,
		.string_set = ETH_SS_FEATURES,
	};
	struct feature_bits bits = {
		.cmd = ETHTOOL_GFEATURES,
		.size = MAX_BLOCKS,
	};
	uint32_t n = count_features(sock, name);
	uint32_t offloads = 0;

	/* GSTRINGS writes all names, whatever len says. */
	if (!n || n > MAX_FEATURES)
		return 0;
	names.len = n;
	if (ethtool(sock, name, &names) < 0 || ethtool(sock, name, &bits) < 0)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (bits.block[i / FEATURES_PER_BLOCK].active &
		    1u << i % FEATURES_PER_BLOCK)
			offloads |= offloads_of(names.name[i]);
	return offloads;
}
