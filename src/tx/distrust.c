/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/distrust.h"

#include <stdio.h>
#include <string.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "kind/table.h"
#include "os.h"

#define VERSION(a, b, c)	((uint32_t)(a) << 16 | (b) << 8 | (c))

/* Known faults that no error tells of: the kernel takes the packet and sends
 * another one. */
static const struct {
	uint32_t from, to;	/* VERSION, both included; 0: see prefix */
	const char *prefix;	/* of a vendor's release */
	uint32_t offloads;
	const char *why;
} known[] = {
	{ VERSION(7, 0, 0), VERSION(7, 1, 4), NULL,
	  FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	  "Linux 7.0 to 7.1.4 corrupts UDP super-packets whose last segment is "
	  "as long as the others" },
	{ 0, 0, "6.17.0-41", FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	  "Linux 6.17.0-41 corrupts UDP super-packets whose last segment is as "
	  "long as the others" },
};

static uint32_t version_of(const char *release)
{
	unsigned a = 0, b = 0, c = 0;

	/* "7.1" and "7.1-rc2" are read as 7.1.0. */
	if (sscanf(release, "%3u.%3u.%3u", &a, &b, &c) < 2)
		return 0;
	return VERSION(a, b & 0xff, c < 0xff ? c : 0xff);
}

uint32_t distrust_kernel(const char *release, const char **why)
{
	const uint32_t version = version_of(release);
	uint32_t offloads = 0;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *prefix = known[i].prefix;

		if (prefix ? strncmp(release, prefix, strlen(prefix)) != 0 :
			     version < known[i].from || version > known[i].to)
			continue;
		offloads |= known[i].offloads;
		*why = known[i].why;
	}
	return offloads;
}

uint32_t distrust_offloads(enum fdl_use use, const char **why)
{
	char release[OS_RELEASE_SIZE];

	switch (use) {
	case FDL_USE_ON:
		return 0;
	case FDL_USE_OFF:
		return UINT32_MAX;
	default:
		os_release(release);
		return distrust_kernel(release, why);
	}
}

/* Vendors that give no third number may have the repair. Ubuntu's kernel was
 * seen to have it: an older one may as well. */
static bool is_repaired(const char *release)
{
	unsigned number = 0;
	int end = 0;

	sscanf(release, "6.8.0-%4u-generic%n", &number, &end);
	return end && !release[end] && number >= 151;
}

bool distrust_datagrams(const char *release)
{
	const uint32_t version = version_of(release);

	if (is_repaired(release))
		return false;
	return version < VERSION(6, 6, 26) ||
	       (version >= VERSION(6, 7, 0) && version < VERSION(6, 8, 5));
}

bool distrust_tunnels(enum fdl_use use)
{
	char release[OS_RELEASE_SIZE];

	if (use == FDL_USE_ON)
		return false;
	os_release(release);
	return distrust_datagrams(release);
}

const char *fdl_offload_refusal(const struct fdl_info *info, uint32_t offload)
{
	const struct kind *kind = kind_in(info);
	const char *why = NULL;

	if (offload & FDL_OFFLOAD_UFO)
		return "it makes fragments, and nothing here asks for it";
	if (!kind)
		return "it is of no kind that is known";
	if (kind->header == HEADER_AGREED && !info->vnet_hdr_len)
		return "both peers of a socket have to agree on it "
		       "(FDL_VNET_HDR; offload=on where the locator takes it)";
	if (kind->header == HEADER_OPENED && !info->vnet_hdr_len)
		return "the fd has no virtio-net header (IFF_VNET_HDR)";
	if (offload & (FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM) &&
	    info->vnet_hdr_len < FDL_VNET_HDR_TUNNEL_LEN)
		return "only a virtio-net header of 24 bytes describes tunnels "
		       "(a TUN or TAP has it since Linux 6.17)";
	if (distrust_offloads(FDL_USE_AUTO, &why) & offload)
		return why;
	return NULL;
}
