/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_reset.h"

#include <errno.h>
#include <linux/filter.h>
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

/* A socket filter does not apply to an fd attached with IFF_NO_PI, because that
 * bit is also IFF_NOFILTER. The device tells of it all the same (TUNGETFILTER),
 * until somebody tries to attach an empty one. The send buffer needs no reset:
 * it belongs to the fd, not to the device. */
int tun_reset(int fd)
{
	struct tun_filter all = { 0 };
	struct sock_fprog empty = { 0 };
	int none = -1, off = 0;
	const struct {
		unsigned long request;
		void *arg;
	} settings[] = {
		{ TUNSETTXFILTER, &all },      { TUNSETFILTEREBPF, &none },
		{ TUNSETSTEERINGEBPF, &none }, { TUNSETVNETLE, &off },
		{ TUNSETVNETBE, &off },	       { TUNATTACHFILTER, &empty },
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(settings) / sizeof(settings[0]); i++)
		err = reset(fd, settings[i].request, settings[i].arg);
	return err;
}
