/* SPDX-License-Identifier: Apache-2.0 */
#include "macvtap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "netns.h"

void macvtap_see_own(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		printf("/sys cannot be mounted: %s\n", strerror(errno));
}

/* By the numbers that /sys tells: /dev may be another namespace's. */
static int open_node(const char *dev)
{
	char path[] = "/tmp/fdlink-test-XXXXXX/tap", of[80];
	char *const slash = strrchr(path, '/');
	unsigned major = 0, minor = 0;
	FILE *f;
	int fd = -1, n;

	snprintf(of, sizeof(of), "/sys/class/net/%s/tap%u/dev", dev,
		 if_nametoindex(dev));
	f = fopen(of, "re");
	n = f ? fscanf(f, "%u:%u", &major, &minor) : 0;
	if (f)
		fclose(f);
	*slash = '\0';
	if (n != 2 || !mkdtemp(path))
		return -ENODEV;
	*slash = '/';
	if (!mknod(path, S_IFCHR | 0600, makedev(major, minor)))
		fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	*slash = '\0';
	rmdir(path);
	return fd < 0 ? -EPERM : fd;
}

int macvtap_make(struct link *l)
{
	netns_command("ip link add fdb type veth peer name %s address "
		      "02:00:00:00:00:02",
		      l->peer_dev);
	netns_set_up("fdb", true);
	netns_set_up(l->peer_dev, true);
	netns_wait_running("fdb");
	if (system("ip link add fdt0 link fdb address 02:00:00:00:00:01 "
		   "type macvtap mode passthru 2>/dev/null"))
		return -EOPNOTSUPP;
	netns_set_up(l->dev, true);
	netns_wait_running(l->peer_dev);
	l->fd = open_node(l->dev);
	l->peer = link_packet_socket(l->peer_dev);
	return l->fd < 0 ? l->fd : l->peer < 0 ? l->peer : 0;
}
