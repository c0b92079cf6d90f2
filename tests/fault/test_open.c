/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that vanishes while it is opened, whenever that is: -ENODEV, and a
 * sentence whose advice fits, or an endpoint that ends. A receive buffer that
 * stays small is told of.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "fd_common.h"
#include "os.h"

#include <fdlink/open.h>

enum { MOST_CALLS = 60 };

static struct said said;

/* The device is deleted before the nth of these calls. */
static struct {
	unsigned nth, calls;
	const char *device;
	bool poor;		/* no CAP_NET_ADMIN, and rmem_max as it is */
} plan;

static void delete (const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "ip link delete %s", name);
	assert_int_equal(system(command), 0);
}

static void tick(void)
{
	if (++plan.calls == plan.nth && if_nametoindex(plan.device))
		delete (plan.device);
}

int __real_os_ioctl(int fd, unsigned long request, void *arg);
int __wrap_os_ioctl(int fd, unsigned long request, void *arg);
int __real_os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

int __wrap_os_ioctl(int fd, unsigned long request, void *arg)
{
	tick();
	return __real_os_ioctl(fd, request, arg);
}

int __wrap_os_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	tick();
	return __real_os_bind(fd, addr, len);
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const int most = 212992;

	tick();
	if (plan.poor && level == SOL_SOCKET && name == SO_RCVBUFFORCE)
		return -EPERM;
	if (plan.poor && level == SOL_SOCKET && name == SO_RCVBUF)
		val = &most;
	return __real_os_setsockopt(fd, level, name, val, len);
}

static void expect_fitting_words(void)
{
	static const char *const unfit[] = { "offload=off", "run as root",
					     "set the device up", "bad state",
					     "bind it" };

	assert_int_equal(said.errors, 1);
	for (size_t i = 0; i < sizeof(unfit) / sizeof(*unfit); i++) {
		if (strstr(said.text, unfit[i]))
			print_error("said: %s", said.text);
		assert_null(strstr(said.text, unfit[i]));
	}
}

/* Returns false when there were fewer calls. */
static bool open_until(const char *locator, const char *device, unsigned nth)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .log = said_take,
					  .log_ctx = &said };
	const int fds = count_fds();
	struct fdl_endpoint *ep;
	int err;

	said_forget(&said);
	plan.device = device;
	plan.calls = 0;
	plan.nth = nth;
	err = fdl_open(&ep, locator, &opts);
	plan.nth = 0;
	if (err) {
		if (err != -ENODEV)
			print_error("call %u: %d, %s", nth, err, said.text);
		assert_int_equal(err, -ENODEV);
		expect_fitting_words();
	} else {
		assert_int_equal(said.errors, 0);
		fdl_endpoint_free(ep);
	}
	assert_int_equal(count_fds(), fds);
	return plan.calls >= nth;
}

static void a_tap_vanishes(void **state)
{
	unsigned nth;

	(void)state;
	for (nth = 2; open_until("tap:van0,mtu=1400", "van0", nth); nth++)
		assert_true(nth < MOST_CALLS);
	assert_true(nth > 6);
}

static void expect_packet(const char *locator)
{
	unsigned nth;
	bool more;

	for (nth = 1, more = true; more; nth++) {
		assert_true(nth < MOST_CALLS);
		assert_int_equal(system("ip link add van1 type veth peer van2 "
					"&& ip link set van1 up && "
					"ip link set van2 up"),
				 0);
		more = open_until(locator, "van1", nth);
		if (if_nametoindex("van1"))
			delete ("van1");
	}
	assert_true(nth > 5);
}

static void an_interface_vanishes(void **state)
{
	(void)state;
	expect_packet("packet:van1,promisc");
	expect_packet("packet:van1,queues=2,fanout=lb");
}

static void expect_warning(const char *locator, const char *wanted)
{
	assert_true(open_until(locator, "van1", 0));
	assert_int_equal(said.lines, 1);
	assert_non_null(strstr(said.text, "the receive buffer is 212992"));
	assert_non_null(strstr(said.text, wanted));
	assert_non_null(strstr(said.text, "net.core.rmem_max"));
}

/* Once, and not where it is as large as was asked for. */
static void a_small_buffer_is_told_of(void **state)
{
	(void)state;
	assert_int_equal(system("ip link add van1 type veth peer van2"), 0);
	plan.poor = true;
	expect_warning("packet:van1", "not 4194304");
	expect_warning("packet:van1,queues=2,fanout=lb", "not 4194304");
	expect_warning("packet:van1,rcvbuf=8388608", "not rcvbuf=8388608");
	open_until("packet:van1,rcvbuf=65536", "van1", 0);
	assert_int_equal(said.lines, 0);
	plan.poor = false;
	open_until("packet:van1", "van1", 0);
	assert_int_equal(said.lines, 0);
	delete ("van1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tap_vanishes),
		cmocka_unit_test(an_interface_vanishes),
		cmocka_unit_test(a_small_buffer_is_told_of),
	};

	if (!have_network())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
