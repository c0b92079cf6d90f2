/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernels are not handed what they corrupt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "tx/distrust.h"

enum { USO = FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6 };

static void releases_are_told_apart(void **state)
{
	static const struct {
		const char *release;
		uint32_t offloads;
	} rows[] = {
		{ "6.1.0-44-amd64", 0 },
		{ "6.18.44", 0 },
		{ "6.99.255", 0 },
		{ "7.0.0", USO },
		{ "7.0", USO },
		{ "7.0-rc3", USO },
		{ "7.0.12-vendor", USO },
		{ "7.1.4-1-amd64", USO },
		{ "7.1.5", 0 },
		{ "7.2.0", 0 },
		{ "7.10.1", 0 },
		{ "8.0.0", 0 },
		{ "6.17.0-41-generic", USO },
		{ "6.17.0-40-generic", 0 },
		{ "6.17.0-4", 0 },
		{ "", 0 },
		{ "unknown", 0 },
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = NULL;
		assert_int_equal(distrust_kernel(rows[i].release, &why),
				 rows[i].offloads);
		assert_true(!why == !rows[i].offloads);
	}
}

static void tunnels_datagrams(void **state)
{
	static const struct {
		const char *release;
		bool lost;
	} rows[] = {
		{ "5.14.0-503.el9", true },
		{ "6.2.0-39-generic", true },
		{ "6.6.25", true },
		{ "6.6.26-1-lts", false },
		{ "6.7.12", true },
		{ "6.8.0-31-generic", true },
		{ "6.8.4", true },
		{ "6.8.5", false },
		{ "6.9.0", false },
		{ "6.18.44", false },
		{ "7.0", false },
		{ "", true },
		{ "6.8.0-150-generic", true },
		{ "6.8.0-151-generic", false },
		{ "6.8.0-1051-aws", true },
		{ "6.8.0-160-generic-hwe", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(distrust_datagrams(rows[i].release),
				 rows[i].lost);
	assert_false(distrust_tunnels(FDL_USE_ON));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(releases_are_told_apart),
		cmocka_unit_test(tunnels_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
