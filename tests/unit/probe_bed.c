/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_bed.h"

struct said said;

int probe(int fd, struct fdl_info *info)
{
	int err;

	said_forget(&said);
	memset(info, 0xaa, sizeof(*info));
	err = fdl_probe_fd(fd, info, sizeof(*info), said_take, &said);
	if (!err)
		assert_int_equal(said.lines, 0);
	return err;
}
