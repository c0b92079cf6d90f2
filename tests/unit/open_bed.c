/* SPDX-License-Identifier: Apache-2.0 */
#include "open_bed.h"

struct said said;

int open_it(struct fdl_endpoint **ep, const char *locator, uint32_t mtu,
	    uint32_t flags)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mtu = mtu,
					  .flags = flags,
					  .log = said_take,
					  .log_ctx = &said };

	said_forget(&said);
	return fdl_open(ep, locator, &opts);
}

void expect_refused(const char *locator, int err, const char *words)
{
	struct fdl_endpoint *const before = (void *)&said;
	struct fdl_endpoint *ep = before;
	int fds = count_fds();

	assert_int_equal(open_it(&ep, locator, 0, 0), err);
	expect_said(&said, words);
	assert_ptr_equal(ep, before);
	assert_int_equal(count_fds(), fds);
}

static int probe(const char *locator, struct fdl_info *info)
{
	said_forget(&said);
	return fdl_probe(locator, info, sizeof(*info), said_take, &said);
}

void expect_no_probe(const char *locator, int err, const char *words)
{
	struct fdl_info info;
	int fds = count_fds();

	assert_int_equal(probe(locator, &info), err);
	expect_said(&said, words);
	assert_int_equal(count_fds(), fds);
}

void expect_probe(const char *locator, struct fdl_info *info)
{
	int fds = count_fds();

	assert_int_equal(probe(locator, info), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(count_fds(), fds);
}

int run_over_loopback(const struct CMUnitTest tests[], size_t n)
{
	const int fds = count_fds();
	int failed;

	if (!have_network())
		return SKIPPED;
	set_up("lo", true);
	failed = _cmocka_run_group_tests("open", tests, n, NULL, NULL);
	return failed || count_fds() != fds;
}
