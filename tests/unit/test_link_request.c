/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device is asked about in a message that its one attribute fills: the kernel
 * would write into its log that bytes are left over.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fd/link.h"
#include "os.h"

enum { FRONT = NLMSG_LENGTH(sizeof(struct ifinfomsg)) };

static size_t sent;
static struct rtattr attr;

ssize_t __real_os_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags);

ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const uint8_t *bytes = msg->msg_iov->iov_base;
	struct nlmsghdr nh;

	assert_int_equal(msg->msg_iovlen, 1);
	sent = msg->msg_iov->iov_len;
	assert_true(sent >= FRONT);
	memcpy(&nh, bytes, sizeof(nh));
	assert_int_equal(nh.nlmsg_len, sent);
	memset(&attr, 0, sizeof(attr));
	if (sent > FRONT)
		memcpy(&attr, bytes + FRONT, sizeof(attr));
	return __real_os_sendmsg(fd, msg, flags);
}

static void names_of_any_length(void **state)
{
	static const char longest[] = "fdlink-no-such1";
	char name[IF_NAMESIZE];
	struct link link;
	size_t len;
	int sock = link_socket();

	(void)state;
	assert_true(sock >= 0);
	for (len = 1; len < sizeof(name); len++) {
		memset(name, 0, sizeof(name));
		memcpy(name, longest, len);
		link_get(sock, name, 0, &link);
		assert_int_equal(attr.rta_len, sizeof(attr) + len + 1);
		assert_int_equal(sent, FRONT + RTA_ALIGN(attr.rta_len));
	}
	assert_int_equal(link_get(sock, "lo", 0, &link), 0);
	assert_string_equal(link.name, "lo");
	assert_int_equal(link_get(sock, NULL, link.ifindex, &link), 0);
	assert_int_equal(sent, FRONT);
	assert_string_equal(link.name, "lo");
	os_close(sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
