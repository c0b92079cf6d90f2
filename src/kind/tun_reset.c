/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_reset.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "os.h"

/* EINVAL: the kernel, or the TUN, does not know the setting, so nobody has set
 * it. */
static int reset(int fd, unsigned long request, void *arg)
{
	int err = os_ioctl(fd, request, arg);

	return err == -EINVAL || err >= 0 ? 0 : err;
}

/* Two settings need no reset. A socket filter (TUNATTACHFILTER) does not apply
 * to an fd attached with IFF_NO_PI, because that bit is also IFF_NOFILTER. The
 * send buffer belongs to the fd, not to the device. */
int tun_reset(int fd)
{
	struct tun_filter all = { 0 };
	int none = -1, off = 0;
	const struct {
		unsigned long request;
		void *arg;
	} settings[] = {
		{ TUNSETTXFILTER, &all },      { TUNSETFILTEREBPF, &none },
		{ TUNSETSTEERINGEBPF, &none }, { TUNSETVNETLE, &off },
		{ TUNSETVNETBE, &off },
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(settings) / sizeof(settings[0]); i++)
		err = reset(fd, settings[i].request, settings[i].arg);
	return err;
}
