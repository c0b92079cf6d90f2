/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_reset.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "os.h"

/* What a kernel, or a TUN, does not have has not been set on it either. */
static int reset(int fd, unsigned long request, void *arg)
{
	int err = os_ioctl(fd, request, arg);

	return err == -EINVAL || err >= 0 ? 0 : err;
}

/* A socket filter (TUNATTACHFILTER) is not among them: it is not for whoever
 * attaches with IFF_NO_PI, which is IFF_NOFILTER too. A send buffer is the fd's. */
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
